// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// TestBridge: increments and areas of the leaves are an orthogonal map of the step's
// and of the nodes' normals, which makes them independent standard normals, and
// compose to the step's.
func TestBridge(t *testing.T) {
	const level, leaves = 3, 8
	const n = 2 * leaves
	var columns [n][]float64
	for i := range columns {
		var root [2]float64
		calls := 0
		stream := sde.NewScriptedStream(sde.Script{Normals: func(dst []float64) {
			clear(dst)
			for j := range dst {
				if 2+2*calls+j == i {
					dst[j] = 1
				}
			}
			calls++
		}})
		if i < 2 {
			root[i] = 1
		}
		z, u := integrate.Leaves(stream, root[0], root[1], level)
		if calls != leaves-1 {
			t.Fatalf("%d nodes were drawn for %d leaves", calls, leaves)
		}
		columns[i] = append(z, u...)
		var sum, area float64 // sde.Stream.SpaceTime
		for k := range leaves {
			sum += z[k] / math.Sqrt(leaves)
			area += (u[k] + math.Sqrt(12)*((leaves-1)/2.-float64(k))*z[k]) / leaves / math.Sqrt(leaves)
		}
		if math.Abs(sum-root[0]) > 1e-14 || math.Abs(area-root[1]) > 1e-14 {
			t.Errorf("normal %d: the leaves add up to %v, %v, want %v", i, sum, area, root)
		}
	}
	for i, a := range columns {
		for j, b := range columns {
			var dot float64
			for k := range a {
				dot += a[k] * b[k]
			}
			want := 0.0
			if i == j {
				want = 1
			}
			if math.Abs(dot-want) > 1e-14 {
				t.Errorf("columns %d and %d have the product %g", i, j, dot)
			}
		}
	}
}

// TestBridgeIsVisitedInAnyOrder: a node does not depend on what was looked at before.
func TestBridgeIsVisitedInAnyOrder(t *testing.T) {
	s := sde.NewStream(3, nil)
	z, u := integrate.Leaves(s, 0.3, -0.2, 4)
	coarse, _ := integrate.Leaves(s, 0.3, -0.2, 3)
	again, area := integrate.Leaves(s, 0.3, -0.2, 4)
	if digest(z...) != digest(again...) || digest(u...) != digest(area...) {
		t.Error("a path that is refined twice is not the same")
	}
	for k, v := range coarse {
		if w := (z[2*k] + z[2*k+1]) / math.Sqrt2; math.Abs(v-w) > 1e-15*8 {
			t.Errorf("node %d of level 3 is %v, its halves add up to %v", k, v, w)
		}
	}
}

// TestAdaptivePath: without drift, through all levels, the end of the path is that of Euler–Maruyama.
func TestAdaptivePath(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{2}, Diffusion: noise.Temperature{T: 0.5}}, Step: 0.5, Particles: 100, Seed: 1}
	want := finals(t, e, integrate.Schedule{Time: 2})
	e.Scheme = integrate.Adaptive{Tolerance: 1e-3}
	have := finals(t, e, integrate.Schedule{Time: 2})
	for i, v := range want.Data {
		if math.Abs(v-have.Data[i]) > 1e-13 {
			t.Fatalf("coordinate %d is %v, the Brownian motion %v", i, have.Data[i], v)
		}
	}
}

// TestAdaptivePieces: dX = t dW, whose solution is linear in increments and areas, of
// steps whose path is that of finer ones is solved exactly, through all levels.
func TestAdaptivePieces(t *testing.T) {
	e := integrate.Ensemble{Equation: integratetest.Ramp().Equation, Scheme: integrate.SRA1{}, Step: 0.125, Particles: 300, Seed: 1, Start: integrate.Points{{0}}}
	want := finals(t, e, integrate.Schedule{Time: 2})
	for _, pieces := range []int{1, 2, 8} {
		for _, tolerance := range []float64{1, 1e-3} {
			e.Scheme, e.Step, e.Pieces = integrate.Adaptive{Tolerance: tolerance}, 0.125*float64(pieces), pieces
			for i, v := range finals(t, e, integrate.Schedule{Time: 2}).Data {
				if math.Abs(v-want.Data[i]) > 1e-13 {
					t.Fatalf("%d pieces, tolerance %g: particle %d is at %v, its path at %v", pieces, tolerance, i, v, want.Data[i])
				}
			}
		}
	}
}

// tolerances are those that rates are measured on.
var tolerances = []float64{0.08, 0.02, 0.005, 0.00125, 0.0003125}

// rateP is the p-value of a rate of at least ⅔ where p ± stderr was measured.
func rateP(p, stderr float64) (z, value float64) {
	z = math.Min(0, p-2./3) / stderr
	return z, studentP(z, jackknife-1)
}

// TestAdaptiveRate measures how errors vanish with the tolerance on the same Brownian
// paths: that of the path against the exact solution, and of the mean of x² against a
// tight tolerance. A controller that draws noise again for steps it took back fails both.
func TestAdaptiveRate(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const seed, particles = 320, 512
	g := gbm{[]float64{0.3}, []float64{0.7}}
	for i, p := range []orderProblem{g.problem("GBM", exactGBM{g}), atan{0.8}.problem(), {name: "double well", start: []float64{0.5},
		equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}},
		{name: "stationary Student's law", start: []float64{0}, equation: integratetest.StudentT(0.1, sde.Ito).Equation}} {
		time, unit := 1.0, 1.0
		if i == 3 {
			time, unit = 4, 8 // of the start e^(−7.2) is left
		}
		e := integrate.Ensemble{Equation: p.equation, Step: 0.5, Particles: particles, Seed: seed + uint64(i) + *seedShift, Start: integrate.Points{p.start}}
		run := func(s integrate.Scheme) []float64 {
			e.Scheme = s
			return finals(t, e, integrate.Schedule{Time: time}).Data
		}
		reference := make([]float64, particles)
		if p.solution != nil {
			w := e
			w.Equation, w.Start = sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 0.5}}, nil
			for j, v := range finals(t, w, integrate.Schedule{Time: 1}).Data {
				p.solution(reference[j:j+1], []float64{v})
			}
		} else {
			reference = run(integrate.Adaptive{Tolerance: 1e-5 * unit})
		}
		measure := func(scheme func(tolerance float64) integrate.Scheme) (path, mean float64, pathErr, meanErr float64) {
			var errs, squares [][]float64
			for _, tolerance := range tolerances {
				x := run(scheme(tolerance * unit))
				v, w := make([]float64, particles), make([]float64, particles)
				for j := range v {
					v[j] = x[j] - reference[j]
					w[j] = x[j]*x[j] - reference[j]*reference[j]
				}
				errs, squares = append(errs, v), append(squares, w)
			}
			path, pathErr = strongSlope(tolerances, errs)
			mean, meanErr = slope(tolerances, squares, 1, identity, math.Abs)
			return path, mean, pathErr, meanErr
		}
		path, mean, pathErr, meanErr := measure(func(tolerance float64) integrate.Scheme { return integrate.Adaptive{Tolerance: tolerance} })
		t.Logf("%s: the path's error vanishes as tolerance^%.3f ± %.3f, that of E x² with %.3f ± %.3f", p.name, path, pathErr, mean, meanErr)
		z, v := rateP(path, pathErr)
		accept(t, fmt.Sprintf("%s: rate of the path %.3f ± %.3f", p.name, path, pathErr), e.Seed, z, v)
		z, v = rateP(mean, meanErr)
		accept(t, fmt.Sprintf("%s: rate of E x² %.3f ± %.3f", p.name, mean, meanErr), e.Seed, z, v)
		path, mean, pathErr, meanErr = measure(func(tolerance float64) integrate.Scheme {
			return integrate.Redrawing{Adaptive: integrate.Adaptive{Tolerance: tolerance}}
		})
		t.Logf("%s, redrawn: %.3f ± %.3f, %.3f ± %.3f", p.name, path, pathErr, mean, meanErr)
		z, v = rateP(path, pathErr)
		reject(t, fmt.Sprintf("%s, redrawn: rate of the path %.3f ± %.3f", p.name, path, pathErr), e.Seed, z, v)
		if i == 2 { // elsewhere the mean's error is too small for its scatter; TestAdaptiveLaw finds it
			z, v = rateP(mean, meanErr)
			reject(t, fmt.Sprintf("%s, redrawn: rate of E x² %.3f ± %.3f", p.name, mean, meanErr), e.Seed, z, v)
		}
	}
}

// TestAdaptiveLaw: from starts of Student's law with ν = 1/T + 1, which is stationary for
// noise that depends on the state, E x²/(1+x²) stays 1/(ν+1). A controller that draws
// noise again for steps it took back prefers small noise, and is rejected.
func TestAdaptiveLaw(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const seed, nu, particles = 324, 3, 1 << 14
	e := integrate.Ensemble{Equation: integratetest.StudentT(1./(nu-1), sde.Ito).Equation, Step: 0.5, Particles: particles, Seed: seed + *seedShift,
		Start: integrate.StartFunc(func(x []float64, _ int, s *sde.Stream) {
			var z [1 + nu]float64
			s.Normals(z[:])
			var chi float64
			for _, v := range z[1:] {
				chi += v * v
			}
			x[0] = z[0] / math.Sqrt(chi)
		})}
	run := func(scheme integrate.Scheme) []float64 {
		e.Scheme = scheme
		v := finals(t, e, integrate.Schedule{Time: 1}).Data
		for i, x := range v {
			v[i] = x * x / (1 + x*x)
		}
		return v
	}
	z := func(what string, v []float64, exact float64) (z, p float64) {
		mean, dev := stat.MeanStdDev(v, nil)
		stderr := dev / math.Sqrt(particles)
		t.Logf("%s: %.5f ± %.5f, want %.5f", what, mean, stderr, exact)
		z = (mean - exact) / stderr
		return z, normalP(z)
	}
	adaptive := integrate.Adaptive{Tolerance: 0.01}
	right, wrong := run(adaptive), run(integrate.Redrawing{Adaptive: adaptive})
	s, p := z("stationary mean", right, 1./(nu+1))
	accept(t, "stationary mean", e.Seed, s, p)
	for i, v := range right {
		wrong[i] -= v
	}
	s, p = z("what paths that are drawn again add to it", wrong, 0)
	reject(t, "stationary mean of paths that are drawn again", e.Seed, s, p)
}

// TestAdaptiveFarOut: a quartic from far away, whose Euler–Maruyama diverges at once.
func TestAdaptiveFarOut(t *testing.T) {
	for _, scheme := range []integrate.Scheme{integrate.Adaptive{Tolerance: 0.01, Floor: 1e-12}, integrate.AdaptiveEuler{}} {
		// Without noise x(t) = 1/√(x₀⁻² + 2t).
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quartic{}}, Scheme: scheme, Step: 0.01, Particles: 4, Start: integrate.Points{{100}, {-1e4}}, Seed: 1}
		for i, v := range finals(t, e, integrate.Schedule{Time: 1}).Data {
			if want := math.Sqrt(0.5); math.Abs(math.Abs(v)-want) > 0.01 || (v > 0) != (i%2 == 0) {
				t.Errorf("%T: particle %d came to %v, want ±%v", scheme, i, v, want)
			}
		}
		e.Equation = sde.Flow{Loss: loss.Quartic{D: 3}, Diffusion: noise.Temperature{T: 1}}
		e.Start = integrate.Points{{100, -50, 3}}
		for _, v := range finals(t, e, integrate.Schedule{Time: 1}).Data {
			if !(math.Abs(v) < 5) {
				t.Errorf("%T: a coordinate came to %v", scheme, v)
			}
		}
	}
}

// TestAdaptiveEulerResolved is Euler–Maruyama to the bit where the rule asks for no more.
func TestAdaptiveEulerResolved(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{0.5}, Diffusion: noise.Temperature{T: 3}}, Step: 0.1, Particles: 1500, Seed: 1}
	want := finals(t, e, integrate.Schedule{Time: 2})
	e.Scheme = integrate.AdaptiveEuler{}
	if have := finals(t, e, integrate.Schedule{Time: 2}); digest(have.Data...) != digest(want.Data...) {
		t.Error("AdaptiveEuler is not EulerMaruyama where it takes the same steps")
	}
}

func TestAdaptiveEulerOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for i, test := range []struct {
		problem orderProblem
		order   float64
		other   float64
	}{{atan{0.8}.problem(), 0.5, 1}, {additive{1, 1}.problem(), 1, 0.5}} {
		seed := 330 + uint64(i) + *seedShift
		steps, errs := pathErrors(t, test.problem, integrate.AdaptiveEuler{Time: 4}, 3, 8, 1<<12, seed)
		p, stderr := strongSlope(steps, errs)
		checkOrder(t, "AdaptiveEuler on "+test.problem.name, seed, p, stderr, test.order, test.other)
	}
}

// TestAdaptiveEulerLaw: on a quartic E x⁴ = T, up to a bias that vanishes with the step.
func TestAdaptiveEulerLaw(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const seed = 333
	var values []sde.Estimate
	for i, h := range []float64{0.1, 0.05, 0.025} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Temperature{T: 1}}, Scheme: integrate.AdaptiveEuler{}, Step: h,
			Particles: 1 << 15, Seed: seed + uint64(i) + *seedShift}
		m := integrate.NewMean(1, func(dst, theta []float64) { dst[0] = math.Pow(theta[0], 4) })
		mustRun(t, e, integrate.Schedule{BurnIn: 2, Time: 1, Every: 0.5}, m)
		values = append(values, m.Estimate(0))
	}
	t.Log(values)
	// What is left after Romberg's extrapolation of a first and a second order.
	v := (values[0].Value - 6*values[1].Value + 8*values[2].Value) / 3
	s := math.Sqrt(math.Pow(values[0].StdErr, 2)+math.Pow(6*values[1].StdErr, 2)+math.Pow(8*values[2].StdErr, 2)) / 3
	dof := float64(values[0].Groups - 1)
	accept(t, fmt.Sprintf("E x⁴ extrapolated to h = 0: %.4f ± %.4f", v, s), seed, (v-1)/s, studentP((v-1)/s, dof))
	z := (values[0].Value - 1) / values[0].StdErr
	reject(t, "E x⁴ at h = 0.1", seed, z, studentP(z, dof))
}

func TestAdaptiveFloor(t *testing.T) {
	for _, scheme := range []integrate.Scheme{integrate.Adaptive{Tolerance: 1e-3, Floor: 1e-3}, integrate.AdaptiveEuler{Floor: 1e-3}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quartic{}, Diffusion: noise.Temperature{T: 0.1}}, Scheme: scheme, Step: 0.1, Particles: 5, Start: integrate.Points{{0}, {0}, {300}, {0}, {0}}}
		_, err := e.Run(context.Background(), integrate.Schedule{Time: 1})
		var d *integrate.DivergenceError
		var f *integrate.FloorError
		if !errors.As(err, &d) || !errors.As(err, &f) || d.Particle != 2 || d.Step != 0 || d.Before[0] != 300 || f.Time != 0 || f.State[0] != 300 || f.Need >= f.Floor || f.Floor < 1e-3 || f.Floor > 2e-3 {
			t.Errorf("%T: error %v", scheme, err)
		}
		e.OnDivergence = integrate.Drop
		if r := mustRun(t, e, integrate.Schedule{Time: 1}); r.Dropped != 1 || r.Divergences[0].Particle != 2 {
			t.Errorf("%T: %d dropped: %v", scheme, r.Dropped, r.Divergences)
		}
	}
	// A loss that is no number somewhere ends there too.
	e := integrate.Ensemble{Equation: sde.Flow{Loss: gammaLoss{}}, Scheme: integrate.Adaptive{Tolerance: 1e-3}, Step: 0.1, Particles: 2, Start: integrate.Points{{1}, {-1}}}
	_, err := e.Run(context.Background(), integrate.Schedule{Time: 1})
	if d := new(integrate.DivergenceError); !errors.As(err, &d) || d.Particle != 1 || d.Err == nil {
		t.Errorf("a gradient that is NaN: error %v", err)
	}
}

// panicking is a loss that panics where x > 5.
type panicking struct{ quadratic }

func (l panicking) Gradient(dst, theta []float64) {
	if theta[0] > 5 {
		panic("too far")
	}
	l.quadratic.Gradient(dst, theta)
}

func TestAdaptivePanic(t *testing.T) {
	for _, scheme := range []integrate.Scheme{integrate.Adaptive{Tolerance: 1e-3}, integrate.AdaptiveEuler{}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: plain{panicking{quadratic{1}}}}, Scheme: scheme, Step: 0.1, Particles: 4, Start: integrate.Points{{0}, {0}, {6}, {0}}}
		_, err := e.Run(context.Background(), integrate.Schedule{Time: 1})
		if p := new(integrate.PanicError); !errors.As(err, &p) || p.Particle != 2 {
			t.Errorf("%T: error %v", scheme, err)
		}
	}
}

func TestAdaptiveRefusals(t *testing.T) {
	flow := sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 1}}
	general := sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Func{State: 2, Noise: 2, B: func(dst, theta []float64, t float64) {}}}
	commuting := sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Func{State: 2, Noise: 2, B: func(dst, theta []float64, t float64) {}, Of: sde.Commutative}}
	nan, inf := math.NaN(), math.Inf(1)
	for _, test := range []struct {
		flow   sde.Flow
		scheme integrate.Scheme
		want   string
	}{
		{flow, integrate.Adaptive{}, "Tolerance"}, {flow, integrate.Adaptive{Tolerance: -1}, "Tolerance"}, {flow, integrate.Adaptive{Tolerance: nan}, "Tolerance"},
		{flow, integrate.Adaptive{Tolerance: inf}, "Tolerance"}, {flow, integrate.Adaptive{Tolerance: 1, Floor: -1}, "Floor"}, {flow, integrate.Adaptive{Tolerance: 1, Floor: 1}, "Floor"},
		{flow, integrate.Adaptive{Tolerance: 1, Floor: 1e-30}, "Floor"}, {general, integrate.Adaptive{Tolerance: 1}, "take AdaptiveEuler"},
		{commuting, integrate.Adaptive{Tolerance: 1}, "take Milstein"},
		{flow, integrate.AdaptiveEuler{Time: -1}, "Time"}, {flow, integrate.AdaptiveEuler{Radius: nan}, "Radius"}, {flow, integrate.AdaptiveEuler{Floor: nan}, "Floor"},
		{sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Stable{Alpha: 1, Scale: 1}}, integrate.AdaptiveEuler{}, "take StableEuler"},
	} {
		e := integrate.Ensemble{Equation: test.flow, Scheme: test.scheme, Step: 0.1, Particles: 1}
		if _, err := e.Run(context.Background(), integrate.Schedule{Time: 1}); !isInvalid(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%T: error %v, want one with %q", test.scheme, err, test.want)
		}
	}
}

// TestAdaptiveBattery leaves out what takes steps of one size for granted.
func TestAdaptiveBattery(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	paths := integratetest.Options{}
	integratetest.Test(t, integrate.Adaptive{Tolerance: 10}, paths)
	o := integratetest.Options{Skip: []string{"quadratic", "weak order", "invariant measure", "gradients", "strong order"}}
	integratetest.Test(t, integrate.AdaptiveEuler{}, o)
	integratetest.Test(t, integrate.AdaptiveEuler{Time: 0.05}, o)
}
