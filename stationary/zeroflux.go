// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// ZeroFlux returns the stationary law of an equation in one dimension with any
// D(x) under any calculus: the density that no probability flows through,
//
//	p(x) = D(x)^(α−1) exp(−Φ(x)) / Z,   Φ(x) = −∫ a/D = ∫ L′/D
//
// with the drift a (−L′ of a flow) as the calculus of number α reads it: 0 for Itô,
// ½ for Stratonovich, 1 for Klimontovich. Φ is 0 at 0 or, if the domain does not
// hold 0 in its interior, at its middle (1 from the end of a half-line), which
// fixes Z. Where D = T is constant it is Boltzmann's law. Source: Risken, 1996, The
// Fokker–Planck Equation, § 5.2; the calculi as in Gardiner, 2009, Stochastic
// Methods, § 4.3.
//
// Everything is computed by quadrature in logarithms; ErrorEstimate bounds the
// relative error and is below 1e-10 wherever a/D is smooth on the scales that are
// looked at (see Density): between the minima that the loss declares, and around
// them, from 1e-3 upwards. The domain is the equation's: all of ℝ, or an sde.Box
// that reflects, or a periodic one without a current.
//
// Refused are equations of more dimensions, without noise or with noise that
// changes in time; a D that vanishes or is infinite inside the domain, or an a/D whose
// integral is not known to 1e-6; absorbing
// ends; a periodic domain around which ∮ a/D is not 0, since then a current flows
// (FokkerPlanck gives that law); and densities that cannot be normalised, which the
// loss declares (if D is constant) or the growth of the mass shows.
func ZeroFlux(eq sde.Equation) (*Density, error) {
	const field = "stationary: ZeroFlux equation"
	s, err := newScalar(field, eq)
	if err != nil {
		return nil, err
	}
	if s.boundary == sde.Absorbing && !(math.IsInf(s.lo, -1) && math.IsInf(s.hi, 1)) {
		return nil, &sde.SettingError{Field: field + " domain.Boundary", Value: s.boundary, Want: "reflecting or periodic: what is absorbed leaves no stationary density"}
	}
	phi, bound, err := s.potential(field)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("zero flux, %v", sde.InterpretationOf(eq))
	if s.constant {
		if n, ok := s.loss.(sde.Normalizable); ok && unbounded([]float64{s.lo}, []float64{s.hi}) && !n.Normalizable(s.diffusion(s.origin())) {
			return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("%T at D = %g", s.loss, s.diffusion(s.origin())),
				Want: "a loss that does not declare exp(−L/D) to have no finite integral; confine it to an sde.Box, or add weight decay", Err: sde.ErrNotNormalizable}
		}
	}
	if s.boundary == sde.Periodic {
		if turn := phi(s.hi) - phi(s.lo); !(math.Abs(turn) <= 1e-9*(1+math.Abs(phi(s.hi)))) {
			return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("∮ a/D = %.3g around a periodic domain", -turn),
				Want: "0: otherwise a current flows round, and the law is FokkerPlanck's"}
		}
	}
	logf := func(x float64) float64 {
		d := s.diffusion(x)
		if d == 0 { // at an end of the domain
			return math.Inf(-1)
		}
		return (s.alpha-1)*math.Log(d) - phi(x)
	}
	p, err := newLine(name, logf, s.lo, s.hi, s.centres)
	if err != nil {
		return nil, err
	}
	worst := bound(p.line)
	if !(worst <= 1e-6) {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("a/D with ∫ a/D known to %.2g only where the mass is", worst),
			Want: "a drift and a D above 0 that are smooth but for a few places: where D vanishes nothing crosses, and each side has a law of its own"}
	}
	p.line.err += worst
	p.score = func(dst, theta []float64) {
		x := theta[0]
		dst[0] = (s.drift(x) + (s.alpha-1)*s.slope(x)) / s.diffusion(x)
	}
	if s.constant && s.loss != nil {
		p.loss, p.temperature = s.loss, s.diffusion(s.origin())
	}
	return p, nil
}
