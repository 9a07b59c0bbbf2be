// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// cells are the half-open cells between edges on a line.
type cells []float64

func (c cells) Len() int { return len(c) - 1 }
func (c cells) Index(theta []float64) int {
	for i, e := range c[1:] {
		if theta[0] < e {
			if theta[0] < c[0] {
				return -1
			}
			return i
		}
	}
	return -1
}

// fed returns transitions that have seen one particle go through the given places.
func fed(t *testing.T, tr *integrate.Transitions, paths ...[]float64) {
	t.Helper()
	if err := tr.Start(sde.Run{Dim: 1, Particles: len(paths), Groups: 1, Observations: len(paths[0]), Every: 0.5}); err != nil {
		t.Fatal(err)
	}
	for i := range paths[0] {
		x := sde.NewBatch(len(paths), 1)
		for p := range paths {
			x.Data[p] = paths[p][i]
		}
		if err := tr.Observe(sde.Sample{Index: i, X: x}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTransitionCounts counts by hand: milestoning, a lag, who has been where.
func TestTransitionCounts(t *testing.T) {
	cores := sde.Sets{sde.HalfSpace{Normal: []float64{-1}, Offset: 1}, sde.HalfSpace{Normal: []float64{1}, Offset: 1}}
	path := []float64{0, -1, 0, 0.5, -2, 0, 1, 0, 2, -1}
	// Last visited: none, 0, 0, 0, 0, 0, 1, 1, 1, 0.
	for lag, want := range map[int][]float64{1: {4, 1, 1, 2}, 3: {2, 3, 1, 0}} {
		tr := &integrate.Transitions{Regions: cores, Lag: lag}
		fed(t, tr, path)
		if got := tr.Counts(); !mat.Equal(got, mat.NewDense(2, 2, want)) {
			t.Errorf("lag %d: %v, want %v", lag, mat.Formatted(got), want)
		}
		if tr.Visited(0) != 0 || tr.Visited(3) != 1 || tr.Visited(9) != 2 {
			t.Errorf("visited %g, %g, %g", tr.Visited(0), tr.Visited(3), tr.Visited(9))
		}
	}
}

// TestStateModel: the chain is in detailed balance and of the largest likelihood;
// a symmetric walk has its known time scales and committor.
func TestStateModel(t *testing.T) {
	tr := &integrate.Transitions{Regions: cells{0, 1, 2, 3, 4}}
	fed(t, tr, []float64{.5, .5, 1.5, 2.5, 1.5, .5, 1.5, 1.5, 2.5, 2.5, 1.5, .5, .5, 1.5, 2.5, .5, 3.5})
	m, err := tr.Model()
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(m.States) != "[0 1 2]" { // 3 is never left
		t.Fatal(m.States)
	}
	c := tr.Counts()
	likelihood := func(x [3][3]float64) (l float64) {
		for i := range 3 {
			for j := range 3 {
				if n := c.At(i, j); n > 0 {
					l += n * math.Log(x[i][j]/(x[i][0]+x[i][1]+x[i][2]))
				}
			}
		}
		return l
	}
	var x [3][3]float64
	for i := range 3 {
		for j := range 3 {
			x[i][j] = m.Stationary[i] * m.Transition.At(i, j)
			if other := m.Stationary[j] * m.Transition.At(j, i); math.Abs(x[i][j]-other) > 1e-12 {
				t.Errorf("flux from %d to %d %g, back %g", i, j, x[i][j], other)
			}
		}
	}
	best := likelihood(x)
	for i := range 3 {
		for j := i; j < 3; j++ {
			for _, f := range []float64{0.98, 1.02} {
				y := x
				y[i][j] *= f
				y[j][i] = y[i][j]
				if l := likelihood(y); l > best+1e-10 {
					t.Errorf("another flux between %d and %d is likelier: %g, %g", i, j, l, best)
				}
			}
		}
	}
	// A walk on four states, by symmetric counts.
	walk := []float64{.5}
	for range 4 {
		walk = append(walk, .5, 1.5, 2.5, 3.5, 3.5, 2.5, 1.5, .5)
	}
	tr = &integrate.Transitions{Regions: cells{0, 1, 2, 3, 4}}
	fed(t, tr, walk)
	if m, err = tr.Model(); err != nil {
		t.Fatal(err)
	}
	for k, s := range m.TimeScales { // eigenvalues cos(πk/4) of the reflected walk
		if want := -0.5 / math.Log(math.Cos(math.Pi*float64(k+1)/4)); k == 0 && math.Abs(s.Value/want-1) > 1e-9 || k > 1 && !math.IsNaN(s.Value) {
			t.Errorf("time scale %d: %v, want %g", k, s, want)
		}
	}
	for i, q := range m.Committor([]int{0}, []int{3}) {
		if math.Abs(q-float64(i)/3) > 1e-12 {
			t.Errorf("committor of %d: %g", i, q)
		}
	}
}

// TestImpliedTimeScale: of the two wells as regions it is −τ/log C(τ), C the
// correlation of the sign of Euler–Maruyama's chain a lag apart, from its kernel, and not that at another
// temperature.
func TestImpliedTimeScale(t *testing.T) {
	const temperature, h = 0.1, 0.04
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: temperature}}, Step: h, Particles: 4096, Groups: 4,
		Seed: 31, Start: integrate.Points{{-1}, {1}}}
	time := 160.0
	if testing.Short() {
		time = 60
	}
	tr := &integrate.Transitions{Regions: cells{-3, 0, 3}, Lag: 25}
	o := &integrate.Occupation{Regions: cells{-3, 0, 3}}
	mustRun(t, e, integrate.Schedule{BurnIn: 4, Time: time, Every: 5 * h}, tr, o)
	m, err := tr.Model()
	if err != nil {
		t.Fatal(err)
	}
	s := m.TimeScales[0]
	exact, wrong := twoStates(temperature, h, 125), twoStates(1.2*temperature, h, 125)
	t.Logf("%v, kernel %.5g, generator %.5g", s, exact, 1/0.03354529)
	z := (s.Value - exact) / s.StdErr
	accept(t, "implied time scale", e.Seed, z, studentP(z, float64(s.Groups-1)))
	z = (s.Value - wrong) / s.StdErr
	reject(t, "implied time scale at another temperature", e.Seed, z, studentP(z, float64(s.Groups-1)))
	for i := range 2 {
		p := o.Share(i)
		z, pv := estimateP(p, 0.5)
		accept(t, "share of a well", e.Seed, z, pv)
	}
	if v := o.Mean([]float64{2, 4}); math.Abs(v.Value-2-2*o.Share(1).Value) > 1e-12 || o.Share(-1).Value != 0 {
		t.Error(v, o.Share(-1))
	}
}

// twoStates returns −nh/log C of the chain on the double well, with C the
// stationary correlation of its signs n steps apart.
func twoStates(temperature, h float64, steps int) float64 {
	const n, end = 600, 2.2
	w := 2 * end / n
	x := make([]float64, n)
	k, law, sign := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
	v := 2 * temperature * h
	for i := range n {
		x[i] = -end + (float64(i)+0.5)*w
		mean := x[i] - h*(x[i]*x[i]*x[i]-x[i])
		for j := range n {
			y := -end + (float64(j)+0.5)*w
			k.Set(i, j, w*math.Exp(-(y-mean)*(y-mean)/(2*v))/math.Sqrt(2*math.Pi*v))
		}
		law.SetVec(i, 1./n)
		sign.SetVec(i, math.Copysign(1, x[i]))
	}
	var next mat.VecDense
	for range 400 { // symmetric from the start, so it settles within the wells
		next.MulVec(k.T(), law)
		law.ScaleVec(1/mat.Sum(&next), &next)
	}
	later := mat.VecDenseCopyOf(sign)
	for range steps {
		next.MulVec(k, later)
		later.CopyVec(&next)
	}
	c := 0.0
	for i := range n {
		c += law.AtVec(i) * sign.AtVec(i) * later.AtVec(i)
	}
	return -h * float64(steps) / math.Log(c)
}

func TestTransitionsSaved(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.3}}, Step: 0.1, Particles: 3000, Seed: 1}
	s := integrate.Schedule{Time: 8, Every: 0.2}
	watch := func() []sde.Observer {
		return []sde.Observer{&integrate.Transitions{Regions: cells{-2, -0.5, 0.5, 2}, Lag: 3}, &integrate.Occupation{Regions: cells{-1, 0, 1}}}
	}
	bits := func(o []sde.Observer) (b []byte) {
		for g := range 3 {
			for _, o := range o {
				b = o.(sde.GroupSaver).AppendGroup(b, g)
			}
		}
		return b
	}
	e.Groups = 3
	ref := watch()
	mustRun(t, e, s, ref...)
	e.Checkpoint = integrate.Checkpoint{Path: filepath.Join(t.TempDir(), "c"), Every: 1.5}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := e.Run(ctx, s, append(watch(), &trip{at: 50, do: func() error { cancel(); return nil }})...)
	cancel()
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o := watch()
	if _, err := e.Resume(context.Background(), s, append(o, new(trip))...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bits(o), bits(ref)) {
		t.Error("other bits after a resume")
	}
	for _, o := range ref {
		if err := o.(sde.GroupSaver).LoadGroup(0, []byte{1, 2, 3}); err == nil {
			t.Errorf("%T loads rubbish", o)
		}
	}
}

func TestTransitionsRefuse(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.3}}, Step: 0.1, Particles: 10}
	for _, o := range []sde.Observer{
		&integrate.Occupation{}, &integrate.Occupation{Regions: sde.Sets{}}, &integrate.Occupation{Regions: sde.Sets{nil}},
		&integrate.Transitions{}, &integrate.Transitions{Regions: cells{0, 1}}, &integrate.Transitions{Regions: cells{0, 1, 2}, Lag: -1},
		&integrate.Transitions{Regions: cells{0, 1, 2}, Lag: 10}, &integrate.Transitions{Regions: sde.Sets{sde.Ball{}, sde.Ball{}}},
	} {
		if _, err := e.Run(context.Background(), integrate.Schedule{Time: 1, Every: 0.1}, o); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	tr := &integrate.Transitions{Regions: cells{0, 1, 2}}
	fed(t, tr, []float64{0.5, 0.5, 1.5})
	if _, err := tr.Model(); !errors.Is(err, sde.ErrInvalid) {
		t.Error(err)
	}
}
