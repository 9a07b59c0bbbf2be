// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// DriftImplicit is the stochastic θ-method, for losses that are stiff,
//
//	x′ = x + h [(1−Θ) a(x, t) + Θ a(x′, t+h)] + √h B(x, t) z,   z ~ N(0, I)
//
// with a the Itô drift. It serves every class of noise and is A-stable: linearly stable
// for any h. Its strong order is ½, and 1 for additive noise; its weak order and that of
// its stationary law are 1, and 2 for constant noise and Θ = ½. On a quadratic of
// curvature k with D = T I it has, with z = hk, the variance
//
//	(T/k) / (1 + (Θ−½)z)
//
// exactly: Θ = ½ samples every quadratic right at any step, but a step multiplies what
// is left of the start by (1 − z/2)/(1 + z/2), which forgets a stiff direction only
// after some z/4 steps; Θ = 1 forgets it at once, and all but 2/z of its variance with
// it.
//
// Newton's method solves for x′, from x, with the loss's Hessian (sde.Hessian), or
// forward differences of the drift, at d more gradients for each of its iterations; they
// are a few. A loss that declares itself quadratic (sde.Harmonic) is solved once for all
// steps. There is one solution where h Θ times the loss's most negative curvature is
// below 1, as in wells; outside of them a larger step may jump to another. Where
// Newton's corrections lead nowhere, those of a flow are made to descend on ½|x′ − …|² +
// hΘL(x′), whose minima are solutions: of smooth losses that are bounded below it finds
// one. A step that is not solved, as at a kink, marks its particle, which the run then
// locates as a *DivergenceError with a *NewtonError.
//
// About four gradients, three Hessians with d³/3 operations each, and one normal for
// each component of noise a step; Properties.Gradients states the one that is always
// taken, or none for a quadratic. Source: Kloeden & Platen, 1992, Numerical Solution of
// Stochastic Differential Equations, § 12.2; Higham, 2000, Mean-square and asymptotic
// stability of the stochastic theta method, SIAM J. Numer. Anal. 38.
type DriftImplicit struct {
	// Theta is Θ, from ½, the trapezoidal rule, to 1, Euler's implicit method; 0 means ½.
	Theta float64
}

var (
	_ Scheme    = DriftImplicit{}
	_ Explainer = (*driftImplicit)(nil)
)

func (u DriftImplicit) theta() (float64, error) {
	if u.Theta == 0 {
		return 0.5, nil
	}
	if !(0.5 <= u.Theta && u.Theta <= 1) {
		return 0, invalid("DriftImplicit.Theta", u.Theta, "½ to 1, or 0 for ½; below ½ the scheme is not A-stable: take EulerMaruyama for 0", nil)
	}
	return u.Theta, nil
}

// Properties returns what the scheme is; it serves every class. It refuses a Θ that is
// not in [½, 1].
func (u DriftImplicit) Properties(class sde.NoiseClass) (Properties, error) {
	theta, err := u.theta()
	if err != nil {
		return Properties{}, err
	}
	p := implicitProperties(fmt.Sprintf("drift-implicit, Θ = %.4g", theta), class)
	if theta == 0.5 && class == sde.Constant {
		p.Weak, p.Invariant = 2, 2
	}
	return p, nil
}

func implicitProperties(name string, class sde.NoiseClass) Properties {
	p := Properties{Name: name, Calculus: sde.Ito, Strong: 0.5, Weak: 1, Invariant: 1,
		Stability: math.Inf(1), Gradients: 1, Normals: 1}
	if class >= sde.Additive {
		p.Strong = 1
	}
	return p
}

// Bind returns the scheme's kernel for a system. It refuses a Θ that is not in [½, 1],
// and a quadratic loss with a curvature of −1/(hΘ) or below.
func (u DriftImplicit) Bind(s *System) (Kernel, error) {
	theta, err := u.theta()
	if err != nil {
		return nil, err
	}
	if k, err := bindImplicitQuadratic(s, theta, false); k != nil || err != nil {
		return k, err
	}
	batch := func() sde.Batch { return sde.NewBatch(s.Rows, s.State) }
	return &driftImplicit{newton: newNewton(s, theta*s.Step), explicit: (1 - theta) * s.Step, reuse: s.autonomous(),
		drift: batch(), target: batch(), noise: batch(), z: make([]float64, s.Rows*s.Noise)}, nil
}

type driftImplicit struct {
	*newton
	explicit             float64 // h(1−Θ)
	reuse                bool    // the drift at x as Newton's first
	drift, target, noise sde.Batch
	z                    []float64
}

func (k *driftImplicit) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n := k.s, x.Rows*x.Cols
	target, drift := k.target.Slice(0, x.Rows), k.drift.Slice(0, x.Rows)
	copy(target.Data, x.Data[:n])
	if k.explicit > 0 || k.reuse {
		s.drift(drift, x, t)
		kernel.Axpy(target.Data[:n], k.explicit, drift.Data[:n])
	}
	s.diffuse(target, k.noise.Slice(0, x.Rows), x, t, s.Step, k.z, stream)
	if !k.reuse {
		drift = sde.Batch{}
	}
	k.solve(x, target, drift, t+s.Step)
}

// diffuse adds √h B(x, t) z to dst, with scratch memory for the noise and z.
func (s *System) diffuse(dst, noise, x sde.Batch, t, h float64, z []float64, stream *sde.Stream) {
	if s.Noise == 0 {
		return
	}
	n, sqrtH := x.Rows*x.Cols, math.Sqrt(h)
	z = z[:x.Rows*s.Noise]
	stream.Increments(z)
	if scale, ok := s.Isotropic(t); ok {
		kernel.Axpy(dst.Data[:n], float64(sqrtH*scale), z)
		return
	}
	s.Spread(noise, x, t, z)
	kernel.Axpy(dst.Data[:n], sqrtH, noise.Data[:n])
}

// bindImplicitQuadratic returns the kernel of an implicit step on a loss that declares
// itself quadratic,
//
//	x′ = c + P(x−c) + M √h B z,   M = (I + hΘH)⁻¹,   P = (I − h(1−Θ)H) M = M/Θ − (1/Θ − 1) I
//
// and with split x′ = c + M(x−c) + √h B z. It returns nil for another loss.
func bindImplicitQuadratic(s *System, theta float64, split bool) (Kernel, error) {
	if !s.autonomous() {
		return nil, nil
	}
	h, center, err := s.harmonic()
	if h == nil || err != nil {
		return nil, err
	}
	d := s.State
	var m mat.SymDense
	m.ScaleSym(theta*s.Step, h)
	for i := range d {
		m.SetSym(i, i, 1+m.At(i, i))
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(&m) {
		return nil, invalid("Ensemble.Step", s.Step, fmt.Sprintf("a step h with h·%g·λ > −1 for all eigenvalues λ of the loss's Hessian: an implicit step jumps across a maximum otherwise", theta), nil)
	}
	// Inverted here, so that the bits are not those of a BLAS.
	f := newLU(d)
	for i := range d {
		for j := range d {
			f.a[i*d+j] = m.At(i, j)
		}
	}
	if !f.factor() {
		return nil, invalid("Ensemble.Step", s.Step, "a step for which I + hΘH can be inverted", nil)
	}
	inverse, power := make([]float64, d*d), make([]float64, d*d)
	for i := range d {
		row := inverse[i*d : (i+1)*d] // of a symmetric matrix
		row[i] = 1
		f.solve(row)
		for j, v := range row {
			power[i*d+j] = v / theta
		}
		power[i*d+i] -= 1/theta - 1
	}
	batch := func() sde.Batch { return sde.NewBatch(s.Rows, d) }
	return &implicitQuadratic{s: s, split: split, center: center, power: kernel.NewMatrix(d, d, power), inverse: kernel.NewMatrix(d, d, inverse),
		y: batch(), sum: batch(), noise: batch(), z: make([]float64, s.Rows*s.Noise)}, nil
}

type implicitQuadratic struct {
	s              *System
	split          bool
	center         []float64
	power, inverse *kernel.Matrix
	y, sum, noise  sde.Batch
	z              []float64
}

func (k *implicitQuadratic) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, d, n := k.s, x.Cols, x.Rows*x.Cols
	noise, sum := k.noise.Slice(0, x.Rows), k.sum.Slice(0, x.Rows)
	if !k.split {
		clear(sum.Data[:n])
		s.diffuse(sum, noise, x, t, s.Step, k.z, stream)
	}
	for i := 0; i < n; i += d {
		for j, c := range k.center {
			k.y.Data[i+j] = x.Data[i+j] - c
		}
	}
	k.power.Mul(x.Data, d, k.y.Data, d, x.Rows, false)
	if !k.split && s.Noise > 0 {
		k.inverse.Mul(x.Data, d, sum.Data, d, x.Rows, true)
	}
	for i := 0; i < n; i += d {
		for j, c := range k.center {
			x.Data[i+j] += c
		}
	}
	if k.split {
		s.diffuse(x, noise, x, t, s.Step, k.z, stream)
	}
}
