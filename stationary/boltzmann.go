// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Boltzmann returns the stationary law of a stochastic gradient flow of
// temperature T, D = T·I under Itô's calculus,
//
//	p(θ) = exp(−L(θ)/T) / Z,   Z = ∫ exp(−L/T) dθ
//
// in one or two dimensions, on all of ℝᵈ or in a domain. A domain is an sde.Box
// that reflects, or is periodic like the loss in it; its sides can be infinite.
// At most one is given, and nil means none.
//
// Two-dimensional landscapes are searched at the minima that the loss declares
// (sde.Charted) and on a grid, 0.25 apart within ±5 and by factors of 1.5 out to
// ±1e4, from where a descent leads to the minima; each line through the
// landscape is then searched at 97 places and at the minima's coordinates. Wells
// that are narrower than that should be declared.
//
// Refused are a temperature that is not a positive number, more than two
// dimensions (compare coordinates or projections instead, each with a law in one
// dimension), and a density that cannot be normalised, which the loss declares
// (sde.Normalizable) or the growth of its mass shows as the domain is doubled.
func Boltzmann(loss sde.Loss, temperature float64, domain ...sde.Domain) (*Density, error) {
	lo, hi, err := checkLaw("Boltzmann", loss, temperature, domain)
	if err != nil {
		return nil, err
	}
	if n, ok := loss.(sde.Normalizable); ok && unbounded(lo, hi) && !n.Normalizable(temperature) {
		return nil, &sde.SettingError{Field: "stationary: Boltzmann loss", Value: fmt.Sprintf("%T at T = %g", loss, temperature),
			Want: "one that does not declare exp(−L/T) to have no finite integral; confine it to an sde.Box, or add weight decay",
			Err:  sde.ErrNotNormalizable}
	}
	p, err := newLossLaw(fmt.Sprintf("Boltzmann, T = %g", temperature), loss, temperature, func(theta []float64) float64 {
		return -loss.Value(theta) / temperature
	}, lo, hi)
	if err != nil {
		return nil, err
	}
	p.score = func(dst, theta []float64) {
		loss.Gradient(dst, theta)
		for i, g := range dst {
			dst[i] = -g / temperature
		}
	}
	return p, nil
}

// newLossLaw returns the law of log density logf that has about the modes of
// exp(−L/T).
func newLossLaw(name string, loss sde.Loss, temperature float64, logf func(theta []float64) float64, lo, hi []float64) (*Density, error) {
	var p *Density
	var err error
	minima := sde.Minima(loss)
	if loss.Dim() == 1 {
		var centres []float64
		for _, m := range minima {
			centres = append(centres, m.Theta[0])
		}
		p, err = newLine(name, func(x float64) float64 {
			theta := [1]float64{x}
			return logf(theta[:])
		}, lo[0], hi[0], centres)
	} else {
		var centres [][2]float64
		for _, m := range minima {
			centres = append(centres, [2]float64(m.Theta))
		}
		p, err = newPlane(name, func(x, y float64) float64 {
			theta := [2]float64{x, y}
			return logf(theta[:])
		}, [2]float64(lo), [2]float64(hi), centres)
	}
	if err != nil {
		return nil, err
	}
	p.loss, p.temperature = loss, temperature
	return p, nil
}

// checkLaw validates what Boltzmann and Discretized share, and returns the
// domain's sides.
func checkLaw(law string, loss sde.Loss, temperature float64, domain []sde.Domain) (lo, hi []float64, err error) {
	field := "stationary: " + law + " "
	if loss == nil {
		return nil, nil, &sde.SettingError{Field: field + "loss", Value: nil, Want: "a loss"}
	}
	if !(temperature > 0) || math.IsInf(temperature, 0) {
		return nil, nil, &sde.SettingError{Field: field + "temperature", Value: temperature,
			Want: "a finite number above 0 (at T = 0 the flow settles in a minimum and has no density)"}
	}
	if v, ok := loss.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, nil, err
		}
	}
	d := loss.Dim()
	if d != 1 && d != 2 {
		return nil, nil, &sde.SettingError{Field: field + "loss.Dim()", Value: d,
			Want: "1 or 2, where quadrature reaches; in higher dimension histogram a coordinate or a projection and compare it with its own law in one dimension, such as a CDF",
			Err:  sde.ErrDimension}
	}
	lo, hi = make([]float64, d), make([]float64, d)
	for i := range lo {
		lo[i], hi[i] = math.Inf(-1), math.Inf(1)
	}
	if len(domain) > 1 {
		return nil, nil, &sde.SettingError{Field: field + "domain", Value: fmt.Sprintf("%d domains", len(domain)), Want: "at most one"}
	}
	if len(domain) == 0 || domain[0] == nil {
		return lo, hi, nil
	}
	box, ok := domain[0].(sde.Box)
	if !ok {
		return nil, nil, &sde.SettingError{Field: field + "domain", Value: fmt.Sprintf("%T", domain[0]), Want: "an sde.Box, or none"}
	}
	if err := box.Validate(d); err != nil {
		return nil, nil, err
	}
	copy(lo, box.Lo)
	copy(hi, box.Hi)
	switch box.Boundary {
	case sde.Absorbing:
		return nil, nil, &sde.SettingError{Field: field + "domain.Boundary", Value: box.Boundary, Want: "reflecting or periodic: what is absorbed leaves no stationary density"}
	case sde.Periodic:
		if i, gap := aperiodic(loss, box); i >= 0 {
			return nil, nil, &sde.SettingError{Field: field + "domain.Boundary", Value: fmt.Sprintf("%v, with a loss that differs by %.3g between the faces of coordinate %d", box.Boundary, gap, i),
				Want: "a loss with the period of the box (otherwise there is a current and the law is not exp(−L/T))"}
		}
	}
	return lo, hi, nil
}

// aperiodic returns a coordinate in which the loss does not have the box's
// period, and by how much, or −1.
func aperiodic(loss sde.Loss, box sde.Box) (int, float64) {
	d := len(box.Lo)
	a, b := make([]float64, d), make([]float64, d)
	for i := range d {
		for k := range 17 {
			for j := range d {
				a[j] = box.Lo[j] + (float64(k)+0.5)/17*(box.Hi[j]-box.Lo[j])
			}
			copy(b, a)
			a[i], b[i] = box.Lo[i], box.Hi[i]
			va, vb := loss.Value(a), loss.Value(b)
			if gap := math.Abs(va - vb); !(gap <= 1e-6*(1+math.Abs(va))) {
				return i, gap
			}
			if d == 1 {
				break
			}
		}
	}
	return -1, 0
}

func unbounded(lo, hi []float64) bool {
	for i := range lo {
		if math.IsInf(lo[i], 0) || math.IsInf(hi[i], 0) {
			return true
		}
	}
	return false
}
