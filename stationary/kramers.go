// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Kramers returns the mean time that an equation in one dimension takes from a
// minimum a over a barrier at b into the well beyond, where noise is weak; to
// the barrier itself it takes half of that. For any D(x) and calculus α, with L′ = −a(x) the force,
//
//	τ ≈ 2π/√(L″_a |L″_b|) · (D_b/D_a)^(½−α) · e^ΔΦ,   ΔΦ = ∫_a^b L′/D
//
// which for D = T is 2π/√(L″_a|L″_b|) e^(ΔL/T). Correction is known there:
//
//	T [5L‴²/24L″³ − L⁗/8L″²] at a, plus the same of −L at b
//
// Sources: Kramers, 1940, Brownian motion in a field of force, eq. 17; Hänggi,
// Talkner & Borkovec, 1990, Reaction-rate theory, § IV; the second-order terms are
// Laplace's method on the double integral of MeanFirstPassageTime.
//
// Refused are places where the force does not vanish or has no linear part, an a
// that is no minimum and a b that is no maximum between a and another well, and a barrier between them.
func Kramers(eq sde.Equation, a, b float64) (Prediction, error) {
	const field = "stationary: Kramers equation"
	s, err := newScalar(field, eq)
	if err != nil {
		return Prediction{}, err
	}
	if !isNumber(a) || !isNumber(b) || a == b {
		return Prediction{}, wrong("Kramers places", []float64{a, b}, "two different places")
	}
	phi, _, err := s.potential(field)
	if err != nil {
		return Prediction{}, err
	}
	barrier := phi(b) - phi(a)
	if !(barrier > 0) {
		return Prediction{}, wrong("Kramers places", []float64{a, b}, "a minimum and a barrier above it")
	}
	force := func(x float64) float64 { return -s.drift(x) }
	// Derivatives by differences on the scale on which the landscape bends.
	reach := math.Abs(b - a)
	da, db := derivatives(force, a, reach/64), derivatives(force, b, reach/64)
	for i, d := range [][4]float64{da, db} {
		x := [2]float64{a, b}[i]
		if math.Abs(d[0]) > 1e-6*math.Abs(d[1])*reach {
			return Prediction{}, wrong("Kramers places", x, fmt.Sprintf("a place where the force vanishes; there it is %.3g", -d[0]))
		}
	}
	if !(da[1] > 0) {
		return Prediction{}, wrong("Kramers minimum", a, fmt.Sprintf("a place where the landscape curves up; its curvature is %.3g", da[1]))
	}
	if !(db[1] < 0) {
		return Prediction{}, wrong("Kramers barrier", b, fmt.Sprintf("a place where the landscape curves down; its curvature is %.3g", db[1]))
	}
	const steps = 1000
	for i := 1; i < steps; i++ {
		if x := a + (b-a)*float64(i)/steps; phi(x) > phi(b)+1e-9*barrier {
			return Prediction{}, wrong("Kramers barrier", b, fmt.Sprintf("the highest place on the way; %.6g is higher", x))
		}
	}
	ratio := math.Log(s.diffusion(b) / s.diffusion(a))
	p := predict("Kramers", math.Log(2*math.Pi)-(math.Log(da[1])+math.Log(-db[1]))/2+(0.5-s.alpha)*ratio+barrier, math.NaN())
	if s.constant {
		term := func(d [4]float64, sign float64) float64 {
			l2, l3, l4 := sign*d[1], sign*d[2], sign*d[3]
			return 5*l3*l3/(24*l2*l2*l2) - l4/(8*l2*l2)
		}
		p.Correction = s.diffusion(a) * (term(da, 1) + term(db, -1))
		if math.Abs(p.Correction) > 0.2 {
			p.warn("the next term of the expansion is %.2g of the first", p.Correction)
		}
	}
	p.checkBarrier(barrier)
	return p, nil
}

// derivatives returns f and its first three derivatives at x, by central
// differences of seven points, extrapolated once.
func derivatives(f func(float64) float64, x, h float64) (d [4]float64) {
	at := func(h float64) (d [4]float64) {
		var y [7]float64
		for i := range y {
			y[i] = f(x + float64(i-3)*h)
		}
		d[0] = y[3]
		d[1] = (45*(y[4]-y[2]) - 9*(y[5]-y[1]) + (y[6] - y[0])) / (60 * h)
		d[2] = (270*(y[4]+y[2]) - 27*(y[5]+y[1]) + 2*(y[6]+y[0]) - 490*y[3]) / (180 * h * h)
		d[3] = (-13*(y[4]-y[2]) + 8*(y[5]-y[1]) - (y[6] - y[0])) / (8 * h * h * h)
		return d
	}
	coarse, fine := at(2*h), at(h)
	d = fine
	d[1] += (fine[1] - coarse[1]) / 63
	d[2] += (fine[2] - coarse[2]) / 63
	d[3] += (fine[3] - coarse[3]) / 15
	return d
}
