// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// mallocs returns the fewest allocations of some runs: what the runtime allocates
// for itself comes on top now and then.
func mallocs(t *testing.T, e integrate.Ensemble, s integrate.Schedule, observers func() []sde.Observer) uint64 {
	t.Helper()
	best := ^uint64(0)
	for range 3 {
		o := observers()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		mustRun(t, e, s, o...)
		runtime.ReadMemStats(&after)
		best = min(best, after.Mallocs-before.Mallocs)
	}
	return best
}

// TestRunAllocations holds a run of 2n steps to the allocations of one of n, and
// twice the observations to those of once.
func TestRunAllocations(t *testing.T) {
	for _, test := range bitsCases(t) {
		if testing.Short() && (test.name == "implicit" || test.name == "split step") {
			continue // the slowest; TestImplicitAllocations counts what a step allocates
		}
		e := test.ensemble
		d, _ := e.Equation.Dims()
		e.Workers, e.Particles = 1, min(e.Particles, integrate.BlockRows(d)+7)
		observers := func() []sde.Observer {
			return []sde.Observer{new(integrate.Moments), integrate.NewMean(1, func(dst, theta []float64) { dst[0] = theta[0] }),
				&integrate.Moments{Dim: 2, Features: func(dst, x sde.Batch) {
					for i := range x.Rows {
						dst.Row(i)[0], dst.Row(i)[1] = x.Row(i)[0], 1
					}
				}},
				&integrate.Trajectories{Particles: []int{0, 1}}, new(integrate.Final), stationary.NewHistogram(-2, 2, 50)}
		}
		h := e.Step
		// With fewer than 16 observations there are fewer batches of them.
		once := mallocs(t, e, integrate.Schedule{Time: 64 * h, Every: 4 * h}, observers)
		for _, s := range []integrate.Schedule{
			{Time: 128 * h, Every: 4 * h}, {Time: 128 * h, Every: 8 * h}, {BurnIn: 64 * h, Time: 64 * h, Every: 2 * h},
		} {
			if n := mallocs(t, e, s, observers); n > once {
				t.Errorf("%s: %+v allocates %d times, 64 steps %d times", test.name, s, n, once)
			}
		}
		// Two workers: twice the scratch, whatever the number of steps.
		e.Workers = 2
		once = mallocs(t, e, integrate.Schedule{Time: 64 * h, Every: 4 * h}, observers)
		if n := mallocs(t, e, integrate.Schedule{Time: 256 * h, Every: 4 * h}, observers); n > once+8 {
			t.Errorf("%s: with two workers 512 steps allocate %d times, 64 steps %d times", test.name, n, once)
		}
	}
}

// TestDropAllocations: once particles are dropped, going on costs nothing.
func TestDropAllocations(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quartic{}, Diffusion: noise.Temperature{T: 0.1}}, Step: 0.1, Particles: 4096,
		OnDivergence: integrate.Drop, Start: integrate.Points{{0}, {0}, {10}}, Workers: 1}
	observers := func() []sde.Observer { return []sde.Observer{new(integrate.Moments)} }
	once := mallocs(t, e, integrate.Schedule{Time: 10, Every: 1}, observers)
	if n := mallocs(t, e, integrate.Schedule{Time: 60, Every: 1}, observers); n > once {
		t.Errorf("600 steps allocate %d times, 100 steps %d times", n, once)
	}
}

func TestStepAllocations(t *testing.T) {
	hessian, diffusion, _ := lyapunov5(0.1)
	quadratic, err := loss.NewQuadratic(hessian, nil)
	if err != nil {
		t.Fatal(err)
	}
	constant, err := noise.NewConstant(diffusion)
	if err != nil {
		t.Fatal(err)
	}
	rectangular, err := noise.NewRoot(mat.NewDense(5, 2, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}))
	if err != nil {
		t.Fatal(err)
	}
	fill := func(dst, theta []float64, t float64) {
		for i := range dst {
			dst[i] = 0.1 * theta[i%len(theta)]
		}
	}
	c := newCommuting()
	g := gbm{[]float64{1, 2}, []float64{0.3, 0.4}}
	em, milstein := integrate.EulerMaruyama{}, integrate.Milstein{}
	for _, test := range []struct {
		name     string
		scheme   integrate.Scheme
		equation sde.Equation
	}{
		{"no noise", em, sde.Flow{Loss: quadratic}},
		{"isotropic", em, sde.Flow{Loss: quadratic, Diffusion: noise.Temperature{T: 1}}},
		{"isotropic, plain", em, sde.Flow{Loss: denseQuadratic{hessian}, Diffusion: noise.Temperature{T: 1}}},
		{"diagonal", em, sde.Flow{Loss: quadratic, Diffusion: noise.Diagonal{D: []float64{1, 2, 3, 4, 5}}}},
		{"diagonal of the state", em, exactGBM{g}},
		{"diagonal from the root", em, g},
		{"constant", em, sde.Flow{Loss: quadratic, Diffusion: constant}},
		{"constant, rectangular", em, sde.Flow{Loss: quadratic, Diffusion: rectangular}},
		{"additive", em, sde.Flow{Loss: quadratic, Diffusion: noise.Func{State: 5, Noise: 3, B: fill, Of: sde.Additive}}},
		{"general", em, sde.Flow{Loss: quadratic, Diffusion: noise.Func{State: 5, Noise: 3, B: fill}}},
		{"general, Stratonovich", em, sde.Flow{Loss: quadratic, Diffusion: noise.Func{State: 5, Noise: 3, B: fill}, Calculus: sde.Stratonovich}},
		{"diagonal, Klimontovich", em, sde.Flow{Loss: doubleWell{}, Diffusion: growing{1}, Calculus: sde.Klimontovich}},
		{"diagonal", milstein, exactGBM{g}},
		{"diagonal, differences", milstein, g},
		{"commutative", milstein, exactCommuting{c}},
		{"commutative, differences", milstein, c},
		{"Stratonovich", milstein, sde.Flow{Loss: doubleWell{}, Diffusion: growing{1}, Calculus: sde.Stratonovich}},
	} {
		d, _ := test.equation.Dims()
		rows := integrate.BlockRows(d)
		s := integrate.NewSystem(test.equation, sde.Ito, 1e-3, rows)
		k, err := test.scheme.Bind(s)
		if err != nil {
			t.Fatal(err)
		}
		x := sde.NewBatch(rows, d)
		for i := range x.Data {
			x.Data[i] = 0.5
		}
		for _, pieces := range []int{1, 2} {
			stream := sde.NewStream(1, nil)
			stream.Couple(pieces)
			step := 0
			if n := testing.AllocsPerRun(20, func() {
				stream.At(sde.Steps, 3, step)
				k.Step(x, float64(step)*1e-3, stream)
				step++
			}); n != 0 {
				t.Errorf("%s, %d pieces: a step allocates %g times", fmt.Sprintf("%T, %s", test.scheme, test.name), pieces, n)
			}
		}
	}
}
