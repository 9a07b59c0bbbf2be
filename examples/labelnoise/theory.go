// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import "math"

// law is u(t) on the minima, where a²+b² = tr H = √(u²+4) = λ. There the residual of a step has
// the variance σ²/B of the label's noise and that of the fluctuations about the minima, which is
// ηλσ²/(B(2−ηλ)) (an AR(1) process), so that
//
//	du/dt = −(ησ²/B) u · 2/(2−ηλ)
//
// and, for small ηλ, u = u(0) exp(−ησ²t/B).
type law struct {
	start, rate float64   // u(0), ησ²/B
	step        float64   // of the table
	u           []float64 // at multiples of it
}

func newLaw(eta float64, p setting, time float64) *law {
	const n = 4000
	l := &law{start: p.start*p.start - 1/(p.start*p.start), rate: eta * p.sigma * p.sigma / float64(p.batch), step: time / n}
	f := func(u float64) float64 { return -l.rate * u * 2 / (2 - eta*math.Sqrt(u*u+4)) }
	u := l.start
	for range n + 1 {
		l.u = append(l.u, u)
		middle := u + l.step/2*f(u)
		u += l.step * f(middle)
	}
	return l
}

// small returns u(0) exp(−ησ²t/B).
func (l *law) small(t float64) float64 { return l.start * math.Exp(-l.rate*t) }

// at returns u(t).
func (l *law) at(t float64) float64 {
	x := math.Min(t/l.step, float64(len(l.u)-1))
	i := min(int(x), len(l.u)-2)
	return l.u[i] + (x-float64(i))*(l.u[i+1]-l.u[i])
}
