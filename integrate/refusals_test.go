// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// What several schemes refuse: the class of flow (flowClasses) and the scheme to take.
const (
	additiveOnly   = "diagonal SRIW1, commutative Milstein, general Milstein, Klimontovich Milstein, own Milstein"
	scalarOnly     = "commutative Milstein, general Milstein, Klimontovich Milstein, own Milstein"
	constantOnly   = "changing EulerMaruyama, diagonal EulerMaruyama, commutative EulerMaruyama, general EulerMaruyama, Klimontovich EulerMaruyama, own EulerMaruyama"
	thermalMomenta = "dense HeavyBall, diagonal HeavyBall, commutative HeavyBall, general HeavyBall, Klimontovich HeavyBall, own HeavyBall, quadratic-dense HeavyBall, reflecting EulerMaruyama"
	thermalOnly    = "dense EulerMaruyama, diagonal EulerMaruyama, commutative EulerMaruyama, general EulerMaruyama, Klimontovich EulerMaruyama, own EulerMaruyama, quadratic-dense EulerMaruyama, noiseless EulerMaruyama, periodic EulerMaruyama, absorbing EulerMaruyama"
	harmonicsOnly  = "temperature SRA1, noiseless SRA1, changing SRA1, dense SRA1, diagonal SRIW1, commutative Milstein, general Milstein, Klimontovich Milstein, reflecting SRA1, periodic SRA1, absorbing SRA1, own Milstein"
	stableOnly     = "temperature EulerMaruyama, quadratic EulerMaruyama, quadratic-dense EulerMaruyama, noiseless EulerMaruyama, changing EulerMaruyama, dense EulerMaruyama, diagonal EulerMaruyama, commutative EulerMaruyama, general EulerMaruyama, Klimontovich EulerMaruyama, reflecting EulerMaruyama, periodic EulerMaruyama, absorbing EulerMaruyama, own EulerMaruyama"
	brownian       = "stable StableEuler"
)

// everyScheme is every scheme of the package and what it refuses: a new one is a line.
var everyScheme = []struct {
	scheme  integrate.Scheme
	refuses string
}{
	{integrate.EulerMaruyama{}, brownian},
	{integrate.Milstein{}, brownian},
	{integrate.SRA1{}, brownian + ", " + additiveOnly},
	{integrate.SRA3{}, brownian + ", " + additiveOnly},
	{integrate.ShARK{}, brownian + ", " + additiveOnly},
	{integrate.SRIW1{}, brownian + ", " + scalarOnly},
	{integrate.SRIW2{}, brownian + ", " + scalarOnly},
	{integrate.Platen{}, brownian + ", diagonal RI6, commutative RI6, general RI6, Klimontovich RI6, own RI6"},
	{integrate.RI6{}, brownian},
	{integrate.DRI1{}, brownian},
	{integrate.StochasticHeun{}, brownian},
	{integrate.StratonovichMidpoint{}, brownian},
	{integrate.LeimkuhlerMatthews{}, brownian + ", " + strings.Replace(constantOnly, "changing EulerMaruyama", "changing SRA1", 1)},
	{integrate.ExactOU{}, brownian + ", " + harmonicsOnly},
	{integrate.DriftImplicit{}, brownian},
	{integrate.SplitStepBackwardEuler{}, brownian},
	{integrate.Tamed{}, brownian},
	{integrate.ProjectedEuler{}, brownian},
	{integrate.BAOAB{Friction: 1}, brownian + ", " + thermalMomenta},
	{integrate.OBABO{Friction: 1}, brownian + ", " + thermalMomenta},
	{integrate.ABOBA{Friction: 1}, brownian + ", " + thermalMomenta},
	{integrate.HeavyBall{LearningRate: 0.1, Momentum: 0.9}, brownian + ", reflecting EulerMaruyama"},
	{integrate.Nesterov{LearningRate: 0.1, Momentum: 0.9}, brownian + ", reflecting EulerMaruyama"},
	{integrate.MALA{}, brownian + ", " + thermalOnly},
	{integrate.RandomWalkMetropolis{}, brownian + ", " + thermalOnly},
	{integrate.Adaptive{Tolerance: 0.01}, brownian + ", commutative Milstein, general AdaptiveEuler, Klimontovich AdaptiveEuler, own Milstein"},
	{integrate.AdaptiveEuler{}, brownian},
	{integrate.StableEuler{}, stableOnly},
	{integrate.SGLD{}, brownian + ", " + constantOnly},
}

// schemeName is the name of a scheme's type.
func schemeName(s integrate.Scheme) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", s), "integrate.")
}

// flowClasses are equations of two coordinates, one of each class that some scheme
// does not serve.
func flowClasses(t *testing.T) []struct {
	name     string
	equation sde.Equation
} {
	l := loss.StyblinskiTang{D: 2}
	quadratic, err := loss.NewQuadratic(mat.NewSymDense(2, []float64{2, 0.5, 0.5, 1}), nil)
	if err != nil {
		t.Fatal(err)
	}
	dense, err := noise.NewConstant(mat.NewSymDense(2, []float64{0.2, 0.1, 0.1, 0.3}))
	if err != nil {
		t.Fatal(err)
	}
	warm := noise.Temperature{T: 0.2}
	box := func(b sde.Boundary) sde.Box { return sde.Box{Lo: []float64{-5, -5}, Hi: []float64{5, 5}, Boundary: b} }
	// One root for both coordinates, so that it commutes if each column is a number times it.
	commuting := noise.Func{State: 2, Noise: 2, Of: sde.Commutative, B: func(dst, x []float64, _ float64) {
		s := 0.3 + 0.1*math.Cos(x[0]-x[1])
		dst[0], dst[1], dst[2], dst[3] = s, 2*s, s, 2*s
	}}
	general := noise.Func{State: 2, Noise: 2, B: func(dst, x []float64, _ float64) {
		dst[0], dst[1], dst[2], dst[3] = 0.3, 0.1*math.Cos(x[1]), 0.1*math.Sin(x[0]), 0.4
	}}
	diagonal := noise.DiagonalFunc{State: 2, Of: sde.Diagonal, B: func(dst, x []float64, _ float64) {
		dst[0], dst[1] = 0.3*math.Sqrt(1+x[0]*x[0]), 0.2
	}}
	return []struct {
		name     string
		equation sde.Equation
	}{
		{"temperature", sde.Flow{Loss: l, Diffusion: warm}},
		{"quadratic", sde.Flow{Loss: quadratic, Diffusion: warm}},
		{"quadratic-dense", sde.Flow{Loss: quadratic, Diffusion: dense}},
		{"noiseless", sde.Flow{Loss: l}},
		{"changing", sde.Flow{Loss: l, Diffusion: noise.Annealing{Schedule: func(t float64) float64 { return 0.2 / (1 + t) }}}},
		{"dense", sde.Flow{Loss: l, Diffusion: dense}},
		{"diagonal", sde.Flow{Loss: l, Diffusion: diagonal}},
		{"commutative", sde.Flow{Loss: l, Diffusion: commuting}},
		{"general", sde.Flow{Loss: l, Diffusion: general}},
		{"Klimontovich", sde.Flow{Loss: l, Diffusion: general, Calculus: sde.Klimontovich}},
		{"stable", sde.Flow{Loss: l, Diffusion: noise.Stable{Alpha: 1.5, Scale: 0.1}}},
		{"reflecting", sde.Flow{Loss: l, Diffusion: warm, Domain: box(sde.Reflecting)}},
		{"periodic", sde.Flow{Loss: l, Diffusion: warm, Domain: box(sde.Periodic)}},
		{"absorbing", sde.Flow{Loss: l, Diffusion: warm, Domain: box(sde.Absorbing)}},
		{"own", newCommuting()}, // an equation that is no flow
	}
}

// TestRefusals is the table of each scheme and each class of flow: those that it does
// not serve are refused with the scheme to take, which serves them, and the others run.
func TestRefusals(t *testing.T) {
	flows := flowClasses(t)
	try := func(s integrate.Scheme, eq sde.Equation) error {
		e := integrate.Ensemble{Equation: eq, Scheme: s, Step: 0.01, Particles: 2, Workers: 1}
		_, err := e.Run(t.Context(), integrate.Schedule{Time: 0.02})
		return err
	}
	named := map[string]integrate.Scheme{}
	for _, row := range everyScheme {
		named[schemeName(row.scheme)] = row.scheme
	}
	for _, row := range everyScheme {
		name, left := schemeName(row.scheme), map[string]string{}
		for _, r := range strings.Split(row.refuses, ", ") {
			if class, instead, ok := strings.Cut(r, " "); ok {
				left[class] = instead
			}
		}
		for _, f := range flows {
			err := try(row.scheme, f.equation)
			instead, refused := left[f.name]
			delete(left, f.name)
			if !refused {
				if err != nil {
					t.Errorf("%s on %s: %v", name, f.name, err)
				}
				continue
			}
			if !isInvalid(err) || !errors.Is(err, sde.ErrUnsupported) {
				t.Errorf("%s on %s: error %v, want a refusal", name, f.name, err)
				continue
			}
			if !strings.Contains(err.Error(), "take "+instead) {
				t.Errorf("%s on %s: no advice to take %s in %v", name, f.name, instead, err)
			}
			other, ok := named[instead]
			if !ok {
				t.Errorf("%s on %s: %s is advised, which is no scheme", name, f.name, instead)
			} else if err := try(other, f.equation); err != nil {
				t.Errorf("%s on %s: %s is advised, which says: %v", name, f.name, instead, err)
			}
		}
		for class := range left {
			t.Errorf("%s: there is no class %s", name, class)
		}
	}
}

// TestEveryScheme: the list has all schemes that the package pins as such, but for
// tableaus, of which it has instances, and discrete updates and averages of them.
func TestEveryScheme(t *testing.T) {
	listed := map[string]bool{"AdditiveRungeKutta": true, "DiagonalRungeKutta": true, "WeakRungeKutta": true, "Averaged": true}
	for _, row := range everyScheme {
		listed[schemeName(row.scheme)] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	pin, found := regexp.MustCompile(`(?m)^(?:var|\t) ?_ Scheme *= ([A-Z]\w*)\{`), 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "updateProperties(") {
			continue
		}
		for _, m := range pin.FindAllSubmatch(text, -1) {
			found++
			if !listed[string(m[1])] {
				t.Errorf("%s is a scheme that is not in everyScheme", m[1])
			}
		}
	}
	if found < len(everyScheme) {
		t.Errorf("%d schemes are pinned, %d listed", found, len(everyScheme))
	}
}
