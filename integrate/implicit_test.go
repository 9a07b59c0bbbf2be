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
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// implicits are the implicit schemes with their variance on a quadratic, in units of
// T/k, for z = hk.
func implicits() []struct {
	name     string
	scheme   integrate.Scheme
	variance func(z float64) float64
} {
	theta := func(q float64) func(z float64) float64 { return func(z float64) float64 { return 1 / (1 + (q-0.5)*z) } }
	return []struct {
		name     string
		scheme   integrate.Scheme
		variance func(z float64) float64
	}{
		{"Θ not set", integrate.DriftImplicit{}, theta(0.5)},
		{"Θ = 0.5", integrate.DriftImplicit{Theta: 0.5}, theta(0.5)},
		{"Θ = 0.7", integrate.DriftImplicit{Theta: 0.7}, theta(0.7)},
		{"Θ = 1", integrate.DriftImplicit{Theta: 1}, theta(1)},
		{"split step", integrate.SplitStepBackwardEuler{}, func(z float64) float64 { return (1 + z) * (1 + z) / (1 + z/2) }},
	}
}

// TestImplicitQuadratic holds the discrete law on a quadratic to its closed form up to
// hλ = 1000, where explicit schemes are far beyond their limit; by Newton's method and
// by the factorisation of a loss that declares itself quadratic.
func TestImplicitQuadratic(t *testing.T) {
	const temperature = 0.3
	for _, test := range implicits() {
		for _, z := range []float64{0.01, 0.3, 1, 10, 1000} {
			for _, k := range []float64{0.2, 50} {
				want := temperature / k * test.variance(z)
				// α² = 1 − 8/z for Θ = ½: 1 − α² loses a factor z.
				tolerance := 1e-14 * (10 + z) * want
				have, err := integratetest.StationaryVariance(test.scheme, k, temperature, z/k)
				if err != nil || !(math.Abs(have-want) < tolerance) {
					t.Errorf("%s, z = %g, k = %g: variance %.15g, exact %.15g, error %v", test.name, z, k, have, want, err)
				}
				m, v := affine(t, test.scheme, k, temperature, z/k, 1)
				have = v[0] * v[0] / (1 - m.At(0, 0)*m.At(0, 0))
				if !(math.Abs(have-want) < 10*tolerance) {
					t.Errorf("%s by Newton's method, z = %g, k = %g: variance %.15g, exact %.15g", test.name, z, k, have, want)
				}
			}
		}
	}
	for _, z := range []float64{2.1, 1000} {
		if v, _ := integratetest.StationaryVariance(integrate.EulerMaruyama{}, 1, temperature, z); v > 0 {
			t.Errorf("Euler–Maruyama at z = %g: variance %g, want none", z, v)
		}
	}
}

// stiff is a quadratic in three dimensions with curvatures 1, 30 and 1000 along axes
// that are not those of the coordinates, which does not say that it is one.
type stiff struct {
	denseQuadratic
	vectors *mat.Dense
}

var stiffValues = []float64{1, 30, 1000}

func newStiff() stiff {
	var qr mat.QR
	qr.Factorize(mat.NewDense(3, 3, []float64{1, 2, -1, 0.5, -1, 3, 2, 0.3, 1}))
	var q, h mat.Dense
	qr.QTo(&q)
	h.Product(&q, mat.NewDiagDense(3, stiffValues), q.T())
	s := mat.NewSymDense(3, nil)
	for i := range 3 {
		for j := i; j < 3; j++ {
			s.SetSym(i, j, (h.At(i, j)+h.At(j, i))/2)
		}
	}
	return stiff{denseQuadratic{s}, &q}
}

// stiffHessian and stiffHarmonic declare more of it.
type stiffHessian struct{ stiff }

func (l stiffHessian) Hessian(dst, _ []float64) { copy(dst, mat.DenseCopyOf(l.h).RawMatrix().Data) }

type stiffHarmonic struct{ stiff }

func (l stiffHarmonic) Harmonic() (h, center []float64) {
	return mat.DenseCopyOf(l.h).RawMatrix().Data, make([]float64, 3)
}

// TestImplicitPaths takes the same steps by differences, with the Hessian and with the
// factorisation of a quadratic: they agree, and their linear map has the covariance T V
// diag(σ²(hλ)/λ) Vᵀ.
func TestImplicitPaths(t *testing.T) {
	const temperature, h = 0.3, 1
	l := newStiff()
	for _, test := range implicits() {
		var states []sde.Batch
		for _, loss := range []sde.Loss{l, stiffHessian{l}, stiffHarmonic{l}} {
			k, err := test.scheme.Bind(integrate.NewSystem(sde.Flow{Loss: loss, Diffusion: noise.Temperature{T: temperature}}, sde.Ito, h, 7))
			if err != nil {
				t.Fatal(err)
			}
			x := sde.NewBatch(7, 3)
			for i := range x.Data {
				x.Data[i] = math.Sin(float64(i)) * 3
			}
			stream := sde.NewStream(1, nil)
			for n := range 5 {
				stream.At(sde.Steps, 0, n)
				k.Step(x, float64(n)*h, stream)
			}
			states = append(states, x)
		}
		for i, want := range states[2].Data {
			for c, s := range states[:2] {
				if !(math.Abs(s.Data[i]-want) < 1e-12*10) {
					t.Errorf("%s, coordinate %d: %.15g by %s, %.15g for a quadratic", test.name, i, s.Data[i], []string{"differences", "the Hessian"}[c], want)
				}
			}
		}
		// The linear map and its noise, a column each.
		k, err := test.scheme.Bind(integrate.NewSystem(sde.Flow{Loss: stiffHarmonic{l}, Diffusion: noise.Temperature{T: temperature}}, sde.Ito, h, 1))
		if err != nil {
			t.Fatal(err)
		}
		m, b := mat.NewDense(3, 3, nil), mat.NewDense(3, 3, nil)
		for j := range 3 {
			var z [3]float64
			stream := sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) { copy(dst, z[:]) }})
			x := sde.NewBatch(1, 3)
			x.Data[j] = 1
			stream.At(sde.Steps, 0, 0)
			k.Step(x, 0, stream)
			m.SetCol(j, x.Data)
			clear(x.Data)
			z[j] = 1
			stream.At(sde.Steps, 0, 1)
			k.Step(x, 0, stream)
			b.SetCol(j, x.Data)
		}
		var want, left, residual mat.Dense
		variances := make([]float64, 3)
		for i, v := range stiffValues {
			variances[i] = temperature / v * test.variance(h*v)
		}
		want.Product(l.vectors, mat.NewDiagDense(3, variances), l.vectors.T())
		left.Product(m, &want, m.T())
		residual.Mul(b, b.T())
		residual.Add(&residual, &left)
		residual.Sub(&residual, &want)
		if r := mat.Norm(&residual, 2); !(r < 1e-12*mat.Norm(&want, 2)) {
			t.Errorf("%s: S ≠ M S Mᵀ + B Bᵀ by %.3g for the exact covariance S", test.name, r)
		}
	}
}

// TestImplicitStiffRun goes through the engine at hλ = 1000, with the planted faults of
// the temperature and of Θ.
func TestImplicitStiffRun(t *testing.T) {
	const temperature, h = 0.3, 1.0
	l := newStiff()
	seed := 5200 + *seedShift
	particles := 1 << 13
	if testing.Short() {
		particles = 1 << 11
	}
	for i, scheme := range []integrate.DriftImplicit{{Theta: 0.75}, {Theta: 1}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: stiffHessian{l}, Diffusion: noise.Temperature{T: temperature}}, Scheme: scheme,
			Step: h, Particles: particles, Seed: seed + uint64(i), Start: integrate.Points{{3, -2, 1}}}
		x := finals(t, e, integrate.Schedule{Time: 60})
		second := func(rows int) *mat.SymDense {
			w := mat.NewSymDense(3, nil)
			for i := range rows {
				w.SymRankOne(w, 1/float64(rows), mat.NewVecDense(3, x.Row(i)))
			}
			return w
		}
		exact := func(temperature, theta float64) *mat.SymDense {
			v := mat.NewDense(3, 3, nil)
			d := make([]float64, 3)
			for i, k := range stiffValues {
				d[i] = temperature / k / (1 + (theta-0.5)*h*k)
			}
			v.Product(l.vectors, mat.NewDiagDense(3, d), l.vectors.T())
			s := mat.NewSymDense(3, nil)
			for i := range 3 {
				for j := i; j < 3; j++ {
					s.SetSym(i, j, v.At(i, j))
				}
			}
			return s
		}
		w := second(particles)
		s, p := covarianceP(w, exact(temperature, scheme.Theta), float64(particles))
		accept(t, fmt.Sprintf("Θ = %g at hλ = 1000: covariance", scheme.Theta), seed, s, p)
		s, p = covarianceP(w, exact(temperature/2, scheme.Theta), float64(particles))
		reject(t, "T/2 for T", seed, s, p)
		s, p = covarianceP(w, exact(temperature, 1.5-scheme.Theta/2-0.15), float64(particles))
		reject(t, "another Θ", seed, s, p)
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}, Step: h, Particles: 10, Start: integrate.Points{{3, -2, 1}}}
	var diverged *integrate.DivergenceError
	if _, err := e.Run(context.Background(), integrate.Schedule{Time: 300}); !errors.As(err, &diverged) {
		t.Errorf("Euler–Maruyama at hλ = 1000: error %v, want a divergence", err)
	}
}

// TestImplicitBias measures by quadrature the first order of the bias of ⟨x²⟩ on the
// double well, which is 1 − 2Θ times Euler–Maruyama's −0.15538119918842702 (theory of
// its modified loss), and vanishes for Θ = ½.
func TestImplicitBias(t *testing.T) {
	const exact, euler = 0.83089535266521, -0.15538119918842702
	flow := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	for _, theta := range []float64{0.5, 0.75, 1} {
		var r [2]float64
		for i, h := range []float64{0.02, 0.01} {
			m, ok := integratetest.StationaryMoment(integrate.DriftImplicit{Theta: theta}, flow, h, square)
			if !ok {
				t.Fatal("no stationary law")
			}
			r[i] = (m - exact) / h
		}
		limit := 2*r[1] - r[0]
		t.Logf("Θ = %g: (E x² − exact)/h = %.5f, %.5f → %.5f, want %.5f", theta, r[0], r[1], limit, (1-2*theta)*euler)
		if want := (1 - 2*theta) * euler; math.Abs(limit-want) > 5e-3*math.Abs(euler) {
			t.Errorf("Θ = %g: bias of E x² is %.5f h, want %.5f h", theta, limit, want)
		}
	}
}

// TestImplicitSuperlinear starts so far out that gradients overflow soon after.
func TestImplicitSuperlinear(t *testing.T) {
	bowl := loss.Quartic{}
	d := bowl.Dim()
	for _, x0 := range []float64{100, 1e10} {
		for _, scheme := range []integrate.Scheme{integrate.DriftImplicit{}, integrate.DriftImplicit{Theta: 1}, integrate.SplitStepBackwardEuler{}} {
			start := make([]float64, d)
			for i := range start {
				start[i] = x0 / float64(i+1)
			}
			e := integrate.Ensemble{Equation: sde.Flow{Loss: bowl, Diffusion: noise.Temperature{T: 1}}, Scheme: scheme, Step: 0.01, Particles: 20,
				Start: integrate.Points{start}}
			x := finals(t, e, integrate.Schedule{Time: 4})
			for _, v := range x.Data {
				if i, ok := scheme.(integrate.DriftImplicit); !(math.Abs(v) < 20) && !(ok && i.Theta == 0 && x0 > 100) {
					t.Errorf("%T from %g: at %g", scheme, x0, v)
				}
			}
		}
	}
}

// TestImplicitHard takes steps so large that the equation of a step has several solutions,
// and that Newton's corrections alone often lead nowhere: from every point of a grid one is
// found, and it solves the equation.
func TestImplicitHard(t *testing.T) {
	const side = 24
	start := func(i int) (x, y float64) { return -1.6 + 2.8*float64(i%side)/side, -0.5 + 2.5*float64(i/side)/side }
	for _, l := range []sde.Loss{loss.MullerBrown{}, plain{loss.MullerBrown{}}, loss.Himmelblau{}} {
		for _, h := range []float64{1e-4, 1e-3, 1e-2, 0.1} {
			e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SplitStepBackwardEuler{}, Step: h, Particles: side * side,
				Start: integrate.StartFunc(func(x []float64, i int, _ *sde.Stream) { x[0], x[1] = start(i) })}
			var f integrate.Final
			if _, err := e.Run(context.Background(), integrate.Schedule{Time: h}, &f); err != nil {
				t.Errorf("%T, h = %g: %v", l, h, err)
				continue
			}
			for i := range side * side {
				var g [2]float64
				y := f.States().Row(i)
				l.Gradient(g[:], y)
				a, b := start(i)
				size := 1 + math.Hypot(h*g[0], h*g[1])
				if r := math.Hypot(y[0]-a+h*g[0], y[1]-b+h*g[1]); !(r < 1e-11*size) {
					t.Errorf("%T, h = %g: from (%g, %g) to %v the equation is missed by %.3g", l, h, a, b, y, r)
				}
			}
		}
	}
}

// kink is L = |x|: the equation of an implicit step has no solution within a step of 0,
// where the gradient jumps.
type kink struct{}

func (kink) Dim() int                      { return 1 }
func (kink) Value(x []float64) float64     { return math.Abs(x[0]) }
func (kink) Gradient(dst, x []float64)     { dst[0] = math.Copysign(1, x[0]) }
func (kink) Hessian(dst, theta []float64)  { dst[0] = 0 }
func (kink) Curvature() float64            { return 0 }
func (kink) Normalizable(t float64) bool   { return t > 0 }
func (kink) Laplacian(_ []float64) float64 { return 0 }

// wall is a loss whose gradient is not a number beyond 1.
type wall struct{ quadratic }

func (wall) Gradient(dst, x []float64) {
	if dst[0] = x[0]; x[0] > 1 {
		dst[0] = math.NaN()
	}
}
func (l wall) BatchGradient(dst, x sde.Batch) {
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// TestNewtonFailure: a step that has no solution is located, with the reason, and ends
// the run or drops the particle.
func TestNewtonFailure(t *testing.T) {
	for _, scheme := range []integrate.Scheme{integrate.DriftImplicit{}, integrate.DriftImplicit{Theta: 1}, integrate.SplitStepBackwardEuler{}} {
		for _, l := range []sde.Loss{kink{}, plain{kink{}}} {
			e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: scheme, Step: 0.125, Particles: 100,
				Start: integrate.StartFunc(func(x []float64, i int, _ *sde.Stream) {
					if x[0] = 3; i == 77 {
						x[0] = 1 + 1./64
					}
				})}
			r, err := e.Run(context.Background(), integrate.Schedule{Time: 2})
			var diverged *integrate.DivergenceError
			var newton *integrate.NewtonError
			if !errors.As(err, &diverged) || !errors.As(err, &newton) || r == nil || !r.Partial {
				t.Fatalf("%T: result %+v, error %v; want a partial one and a located failure of Newton's method", scheme, r, err)
			}
			if diverged.Particle != 77 || diverged.Step != 8 || diverged.Time != 1 || diverged.Before[0] != 1./64 {
				t.Errorf("%T: located at %+v, want particle 77 in step 8, at time 1, from 1/64", scheme, diverged)
			}
			if newton.Iterations < 2 || newton.Iterations > 200 || newton.Singular || !(0 < newton.Residual && newton.Residual < 0.12) {
				t.Errorf("%T: reason %+v", scheme, newton)
			}
			for _, text := range []string{"particle 77", "time 1", "0.015625", "Newton", "smaller step"} {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%T: %q does not say %q", scheme, err, text)
				}
			}
			e.OnDivergence = integrate.Drop
			r, err = e.Run(context.Background(), integrate.Schedule{Time: 2})
			if err != nil || r.Dropped != 1 {
				t.Errorf("%T: with Drop: result %+v, error %v", scheme, r, err)
			}
		}
		e := integrate.Ensemble{Equation: sde.Flow{Loss: wall{}}, Scheme: scheme, Step: 0.125, Particles: 2, Start: integrate.Points{{0.5}, {1.5}}}
		_, err := e.Run(context.Background(), integrate.Schedule{Time: 2})
		var diverged *integrate.DivergenceError
		if !errors.As(err, &diverged) || diverged.Particle != 1 || diverged.Step != 0 || diverged.Err == nil {
			t.Errorf("%T where the gradient is NaN: error %v", scheme, err)
		}
	}
	if s := (&integrate.NewtonError{Iterations: 3, Residual: 0.5, Singular: true}).Error(); !strings.Contains(s, "singular") {
		t.Errorf("%q does not say singular", s)
	}
}

// trap panics at one point, which Newton's second trial of a particle hits.
type trap struct{ quadratic }

func (l trap) BatchGradient(dst, x sde.Batch) { panic("not to be used") }
func (l trap) Gradient(dst, x []float64) {
	if math.Abs(x[0]-5) < 0.5 {
		panic("stepped on")
	}
	dst[0] = x[0]
}

// TestImplicitPanic names the particle whose gradient panicked, though Newton's method
// asks for it among those of a few.
func TestImplicitPanic(t *testing.T) {
	for _, l := range []sde.Loss{plain{trap{}}, hessianOne{plain{trap{}}}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SplitStepBackwardEuler{}, Step: 1, Particles: 2000,
			Start: integrate.StartFunc(func(x []float64, i int, _ *sde.Stream) {
				if i == 1234 {
					x[0] = 10
				}
			})}
		_, err := e.Run(context.Background(), integrate.Schedule{Time: 3})
		var p *integrate.PanicError
		if !errors.As(err, &p) || p.Particle != 1234 || p.Step != 0 {
			t.Errorf("error %v, want a panic in step 0 at particle 1234", err)
		}
	}
}

type hessianOne struct{ sde.Loss }

func (hessianOne) Hessian(dst, _ []float64) { dst[0] = 1 }

// TestImplicitSettings are refused.
func TestImplicitSettings(t *testing.T) {
	flow := sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 1}}
	for _, theta := range []float64{0.49, 1.01, -1, -0.5, 0.1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		e := integrate.Ensemble{Equation: flow, Scheme: integrate.DriftImplicit{Theta: theta}, Step: 0.1, Particles: 1}
		_, err := e.Run(context.Background(), integrate.Schedule{Time: 1})
		if !isInvalid(err) || !strings.Contains(fmt.Sprint(err), "DriftImplicit.Theta") || !strings.Contains(fmt.Sprint(err), "½ to 1") {
			t.Errorf("Θ = %g: error %v", theta, err)
		}
		if _, err := e.Scheme.Bind(integrate.NewSystem(flow, sde.Ito, 0.1, 1)); !isInvalid(err) {
			t.Errorf("Θ = %g: Bind: error %v", theta, err)
		}
	}
	saddle, err := loss.NewQuadratic(mat.NewSymDense(2, []float64{1, 0, 0, -2}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		scheme integrate.Scheme
		h      float64
		ok     bool
	}{
		{integrate.DriftImplicit{Theta: 1}, 0.5, false}, {integrate.DriftImplicit{Theta: 1}, 0.49, true},
		{integrate.DriftImplicit{}, 1, false}, {integrate.DriftImplicit{}, 0.98, true},
		{integrate.SplitStepBackwardEuler{}, 0.5, false}, {integrate.SplitStepBackwardEuler{}, 0.49, true},
	} {
		_, err := integrate.Ensemble{Equation: sde.Flow{Loss: saddle}, Scheme: test.scheme, Step: test.h, Particles: 1}.Run(context.Background(), integrate.Schedule{Time: 10 * test.h})
		if (err == nil) != test.ok || !test.ok && (!isInvalid(err) || !strings.Contains(err.Error(), "Ensemble.Step")) {
			t.Errorf("%T, h = %g at a curvature of −2: error %v", test.scheme, test.h, err)
		}
	}
}

// TestImplicitAllocations: a step allocates nothing, whatever is solved and how.
func TestImplicitAllocations(t *testing.T) {
	l := newStiff()
	big, _, _ := lyapunov5(0.1)
	five, err := loss.NewQuadratic(big, nil)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(dst, theta []float64, t float64) {
		for i := range dst {
			dst[i] = 0.1 * theta[i%len(theta)]
		}
	}
	for _, test := range []struct {
		name string
		flow sde.Flow
	}{
		{"differences", sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 1}}},
		{"Hessian", sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 15}}},
		{"quadratic", sde.Flow{Loss: five, Diffusion: noise.Temperature{T: 1}}},
		{"Stratonovich, differences", sde.Flow{Loss: l, Diffusion: noise.Func{State: 3, Noise: 2, B: fill}, Calculus: sde.Stratonovich}},
	} {
		for _, scheme := range []integrate.Scheme{integrate.DriftImplicit{}, integrate.SplitStepBackwardEuler{}} {
			d, _ := test.flow.Dims()
			const h = 1e-4
			k, err := scheme.Bind(integrate.NewSystem(test.flow, sde.Ito, h, 16))
			if err != nil {
				t.Fatal(err)
			}
			x, stream, step := sde.NewBatch(16, d), sde.NewStream(1, nil), 0
			for i := range x.Data {
				x.Data[i] = 0.5
			}
			if n := testing.AllocsPerRun(20, func() {
				stream.At(sde.Steps, 3, step)
				k.Step(x, float64(step)*h, stream)
				step++
			}); n != 0 {
				t.Errorf("%T, %s: a step allocates %g times", scheme, test.name, n)
			}
		}
	}
}

// TestImplicitGradients counts what a step on the double well costs.
func TestImplicitGradients(t *testing.T) {
	var calls atomic.Int64
	l := hessianOf{counting{doubleWell{}, &calls}, loss.DoubleWell{}}
	for _, scheme := range []integrate.Scheme{integrate.DriftImplicit{}, integrate.SplitStepBackwardEuler{}} {
		for _, h := range []float64{0.01, 0.1, 0.5} {
			calls.Store(0)
			const particles, steps = 1000, 100
			finals(t, integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 0.2}}, Scheme: scheme, Step: h, Particles: particles, Seed: 1}, integrate.Schedule{Time: steps * h})
			n := float64(calls.Load()) / particles / steps
			t.Logf("%T, h = %g: %.2f gradients a step", scheme, h, n)
			if n < 1 || n > 6 {
				t.Errorf("%T, h = %g: %.2f gradients a step, want a few", scheme, h, n)
			}
		}
	}
}

type hessianOf struct {
	sde.Loss
	of sde.Hessian
}

func (l hessianOf) Hessian(dst, x []float64) { l.of.Hessian(dst, x) }

// faultyTheta is the θ-method in one dimension with a fault planted.
type faultyTheta struct {
	integrate.Scheme
	fault string
}

func (f faultyTheta) Bind(s *integrate.System) (integrate.Kernel, error) {
	return &faultyThetaKernel{s, f.Scheme.(integrate.DriftImplicit).Theta, f.fault}, nil
}

type faultyThetaKernel struct {
	s     *integrate.System
	theta float64
	fault string
}

func (k *faultyThetaKernel) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, h := k.s, k.s.Step
	z, a, b := sde.NewBatch(x.Rows, 1), sde.NewBatch(x.Rows, 1), sde.NewBatch(x.Rows, 1)
	stream.Increments(z.Data)
	s.Spread(b, x, t, z.Data)
	drift := func(x float64, t float64) float64 {
		v := sde.Batch{Data: []float64{x}, Rows: 1, Cols: 1, Stride: 1}
		return s.Slope(a.Slice(0, 1), v, t) * a.Data[0]
	}
	for i, x0 := range x.Data {
		explicit, implicit, noise := (1-k.theta)*h, k.theta*h, math.Sqrt(h)*b.Data[i]
		after, iterations := 0.0, 50
		switch k.fault {
		case "Θ on the wrong side":
			explicit, implicit = implicit, explicit
		case "one iteration":
			iterations = 1
		case "noise of h":
			noise = h * b.Data[i]
		case "noise after the solve":
			noise, after = 0, noise
		}
		r := x0 + explicit*drift(x0, t) + noise
		y := x0
		for range iterations {
			const e = 1e-6
			slope := (drift(y+e, t+h) - drift(y-e, t+h)) / (2 * e)
			y -= (y - r - implicit*drift(y, t+h)) / (1 - implicit*slope)
		}
		x.Data[i] = y + after
	}
}

// TestImplicitFaults plants faults that integratetest.Check finds: by name, the check
// that has to.
func TestImplicitFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	skip := []string{"strong order", "refusals", "areas", "invariance", "gradients"}
	half := integrate.DriftImplicit{Theta: 0.5}
	if err := integratetest.Check(faultyTheta{half, ""}, integratetest.Options{Skip: skip}); err != nil && strings.Contains(err.Error(), "double well") {
		t.Errorf("without a fault: %v", err)
	}
	for _, test := range []struct {
		scheme integrate.Scheme
		says   string
	}{
		{faultyTheta{integrate.DriftImplicit{Theta: 0.75}, "Θ on the wrong side"}, "quadratic: the scheme states no limit"},
		{faultyTheta{half, "one iteration"}, "invariant measure"},
		{faultyTheta{half, "noise of h"}, "quadratic"},
		{faultyTheta{half, "noise after the solve"}, "quadratic"},
	} {
		err := integratetest.Check(test.scheme, integratetest.Options{Skip: append([]string{"weak order", "consistency", "increments"}, skip...)})
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("planted fault not found: %q: %v", test.scheme.(faultyTheta).fault, err)
		}
	}
}

// BenchmarkImplicit is BenchmarkDoubleWell with the implicit schemes, a quadratic in five
// dimensions, and Müller–Brown's surface with a step beyond the limit of explicit ones.
func BenchmarkImplicit(b *testing.B) {
	hessian, _, _ := lyapunov5(0.1)
	quadratic, err := loss.NewQuadratic(hessian, nil)
	if err != nil {
		b.Fatal(err)
	}
	brown := integrate.Ensemble{Equation: sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 15}},
		Step: 6e-4, Particles: 4096, Seed: 1, Workers: 1, Start: integrate.Points{{-0.558224, 1.441726}}}
	five := doubleWellEnsemble()
	five.Equation, five.Particles = sde.Flow{Loss: quadratic, Diffusion: noise.Temperature{T: 1}}, 16_384
	for name, e := range map[string]integrate.Ensemble{"DoubleWell": doubleWellEnsemble(), "MullerBrown": brown, "Quadratic5": five} {
		for _, scheme := range []integrate.Scheme{integrate.EulerMaruyama{}, integrate.DriftImplicit{}, integrate.SplitStepBackwardEuler{}} {
			if _, explicit := scheme.(integrate.EulerMaruyama); explicit && name == "MullerBrown" {
				continue
			}
			b.Run(name+"/"+strings.TrimPrefix(fmt.Sprintf("%T", scheme), "integrate."), func(b *testing.B) {
				e.Scheme = scheme
				benchmark(b, e, 100, "ns/particle-step", 1)
			})
		}
	}
}
