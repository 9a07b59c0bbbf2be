// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// StableEuler is Euler's scheme for equations that are driven by a symmetric α-stable
// motion (sde.Stable), 0 < α ≤ 2,
//
//	θ′ = θ + h a(θ, t) + h^(1/α) B(θ, t) S,   E e^{ik·S} = exp(−Σ_j |k_j|^α)
//
// or exp(−|k|^α) if the noise is rotationally invariant. It serves every class, in
// Itô's calculus (the root at the start of the step); equations with Brownian noise are refused. For α = 2, S is √2
// times the Brownian increment and the scheme is EulerMaruyama with D = BBᵀ on the same path.
//
// Independent components are those of Chambers, Mallows & Stuck: with V uniform in
// (−π/2, π/2) and W exponential,
//
//	S = sin(αV)/cos(V)^(1/α) · (cos((1−α)V)/W)^((1−α)/α)
//
// A rotationally invariant S is √(2A) z with z ~ N(0, I) and A the positive variate
// of index α/2 of Kanter. Either is formed from logarithms that have the same bits
// on every machine. A variate overflows, and its particle diverges, with a probability below
// 10⁻¹⁵ for α > 0.05.
//
// On a quadratic of curvature k with B = σ the stationary law is stable of scale
//
//	σ (h/(1 − |1−hk|^α))^(1/α) = σ/(αk)^(1/α) (1 + (α−1)hk/(2α) + …)
//
// exact for α = 1, and the scheme is stable for hk < 2. The stationary law is of
// order 1. On losses that grow faster than quadratically large jumps come sooner or
// later from which plain Euler leaves for infinity, whatever the step. Tamed, whose drift is bounded, does not help: at speed 1/h nobody comes back
// from jumps of infinite mean. Tamed here is
//
//	a/(1 + h|a|/(R + |θ|))
//
// in the place of a, which never moves a particle further than R + |θ|, so from wherever it
// jumped it is back after a step or two; it keeps the order, with a bias of its own: for x⁴/4
// and unit Cauchy noise E cos(1.3X) is 0.95h above its value.
//
// One gradient and two uniform numbers for each component of noise a step; with
// Ensemble.Pieces the variate is the sum of those of the finer steps. Source: Chambers, Mallows & Stuck,
// 1976, A method for simulating stable random variables, J. Amer. Statist. Assoc.
// 71, eq. 4.1; Kanter, 1975, Stable densities under change of scale and total
// variation inequalities, Ann. Probab. 3, cor. 4.1; Janicki & Weron, 1994, Simulation
// and Chaotic Behavior of α-Stable Stochastic Processes.
type StableEuler struct {
	// Tamed bounds what the drift does in a step, for losses that grow faster than
	// quadratically.
	Tamed bool
	// Radius is R, in units of θ, the size of what is to be resolved; 0 means 1. It
	// matters only if the scheme is Tamed.
	Radius float64
}

var (
	_ Scheme       = StableEuler{}
	_ StableDriven = StableEuler{}
)

// Properties returns what the scheme is; it serves every class.
func (StableEuler) Properties(class sde.NoiseClass) (Properties, error) {
	return Properties{Name: "stable Euler", Calculus: sde.Ito, Invariant: 1, Stability: 2, Gradients: 1, Normals: 2}, nil
}

// StableDriven returns an error unless 0 < α ≤ 2.
func (StableEuler) StableDriven(alpha float64) error {
	if alpha > 0 && alpha <= 2 {
		return nil
	}
	return fmt.Errorf("integrate: there is no symmetric stable law of index %g: α must be above 0 and at most 2", alpha)
}

// Bind returns the scheme's kernel for a system. It refuses Brownian noise, a
// calculus other than Itô's where the noise depends on θ, and a Radius that is not positive.
func (e StableEuler) Bind(s *System) (Kernel, error) {
	law, ok := s.diffusion.(sde.Stable)
	if !ok {
		return nil, refuse("StableEuler", "noise that is not α-stable (sde.Stable)", "EulerMaruyama, or noise.Stable")
	}
	if s.Class < sde.Additive && sde.InterpretationOf(s.Equation) != sde.Ito {
		return nil, refuse("StableEuler", fmt.Sprintf("%v calculus of noise that depends on θ", sde.InterpretationOf(s.Equation)), "sde.Ito")
	}
	if e.Radius == 0 {
		e.Radius = 1
	}
	if !(e.Radius > 0) || math.IsInf(e.Radius, 1) {
		return nil, invalid("StableEuler.Radius", e.Radius, "a positive, finite radius, or 0 for 1", nil)
	}
	alpha, rotational := law.StableLaw()
	if err := e.StableDriven(alpha); err != nil {
		return nil, invalid("Ensemble.Equation", fmt.Sprintf("stable noise of index %g", alpha), "an index above 0 and at most 2", err)
	}
	n := s.Rows * s.Noise
	return &stableEuler{s: s, e: e, alpha: alpha, rotational: rotational, drift: sde.NewBatch(s.Rows, s.State), noise: sde.NewBatch(s.Rows, s.State),
		z: make([]float64, n), piece: make([]float64, n), u: make([]float64, 2*n), scale: kernel.Exp1(kernel.Log1(s.Step) / alpha)}, nil
}

type stableEuler struct {
	s            *System
	e            StableEuler
	alpha        float64
	rotational   bool
	drift, noise sde.Batch
	z, piece, u  []float64
	scale        float64 // h^(1/α)
}

func (k *stableEuler) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n := k.s, x.Rows*x.Cols
	c := s.Slope(k.drift.Slice(0, x.Rows), x, t)
	if k.e.Tamed {
		for i := range x.Rows {
			tameBy(k.drift.Row(i), s.Step/(k.e.Radius+norm(x.Row(i))))
		}
	}
	z := k.z[:x.Rows*s.Noise]
	k.draw(z, stream)
	s.Spread(k.noise.Slice(0, x.Rows), x, t, z)
	kernel.Euler(x.Data[:n], k.drift.Data[:n], k.noise.Data[:n], s.Step*c, k.scale)
}

// tameBy divides a by 1 + c|a|, of which what is infinite has the limit.
func tameBy(a []float64, c float64) {
	tame(sde.Batch{Data: a, Rows: 1, Cols: len(a), Stride: len(a)}, c)
}

// draw fills z with the stable variates of a step.
func (k *stableEuler) draw(z []float64, stream *sde.Stream) {
	n := stream.Pieces()
	if n == 1 || k.alpha == 2 {
		k.drawPiece(z, stream)
		return
	}
	scale := kernel.Exp1(-kernel.Log1(float64(n)) / k.alpha)
	clear(z)
	for i := range n {
		piece := k.piece[:len(z)]
		k.drawPiece(piece, stream.Piece(i))
		kernel.Axpy(z, scale, piece)
	}
}

// drawPiece is draw for a step of one piece.
func (k *stableEuler) drawPiece(z []float64, stream *sde.Stream) {
	switch m := k.s.Noise; {
	case k.alpha == 2:
		stream.Increments(z)
		kernel.Scale(z, math.Sqrt2, z)
	case k.rotational:
		u := k.u[:2*len(z)/m]
		stream.Uniforms(u)
		stream.Increments(z)
		for i := 0; 2*i < len(u); i++ {
			a := math.Sqrt(2 * positiveStable(k.alpha/2, u[2*i], u[2*i+1]))
			row := z[i*m : i*m+m]
			kernel.Scale(row, a, row)
		}
	default:
		u := k.u[:2*len(z)]
		stream.Uniforms(u)
		for i := range z {
			z[i] = symmetricStable(k.alpha, u[2*i], u[2*i+1])
		}
	}
}

// symmetricStable returns the variate of characteristic function exp(−|k|^α), α < 2, that
// Chambers, Mallows & Stuck make of two uniform numbers, V = π(u − ½) and W = −log v.
func symmetricStable(alpha, u, v float64) float64 {
	// By the distance to the nearer end, which is exact, as is the rest of it.
	w := min(u, 1-u)
	angle := math.Pi * (0.5 - w)
	cos, sin := kernel.SinCos1(math.Pi * w) // sin(πw) = cos V
	var x float64
	if alpha == 1 {
		x = sin / cos
	} else {
		s, _ := kernel.SinCos1(alpha * angle)
		_, c := kernel.SinCos1((1 - alpha) * angle)
		x = kernel.Exp1(kernel.Log1(s) - kernel.Log1(cos)/alpha + float64((1-alpha)/alpha*(kernel.Log1(c)-kernel.Log1(-kernel.Log1(v)))))
	}
	if u < 0.5 {
		return -x
	}
	return x
}

// positiveStable returns the positive variate of Laplace transform exp(−s^a), a < 1,
// that Kanter makes of two uniform numbers, U = πu and W = −log v:
//
//	A = sin(aU)/sin(U)^(1/a) · (sin((1−a)U)/W)^((1−a)/a)
func positiveStable(a, u, v float64) float64 {
	sin, _ := kernel.SinCos1(math.Pi * min(u, 1-u))
	p, _ := kernel.SinCos1(a * (math.Pi * u))
	q, _ := kernel.SinCos1((1 - a) * (math.Pi * u))
	return kernel.Exp1(kernel.Log1(p) - kernel.Log1(sin)/a + float64((1-a)/a*(kernel.Log1(q)-kernel.Log1(-kernel.Log1(v)))))
}
