// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/sgflow/sgflow/sde"
)

// Discretized returns the law that Euler–Maruyama at step h really samples, to
// first order in h, of a flow with D = T·I,
//
//	p_h(θ) ∝ exp(−L_h(θ)/T) (1 + O(h²)),   L_h = L − (h/4)|∇L|² + (hT/2)ΔL
//
// in one or two dimensions: the modified potential of Leimkuhler & Matthews
// (2013, Rational construction of stochastic numerical methods for molecular
// sampling, AMRX 2013, § 4), here derived for the overdamped equation. ΔL comes
// from the loss's upgrades Laplacian or Hessian, or from central differences of
// its gradient, good to about 1e-9.
//
// Of a loss that grows faster than quadratically the expansion holds only inside
//
//	h‖∇L(θ)‖ < ‖θ − c‖
//
// with c the middle of the minima: further out L_h turns over, and a chain that
// gets there leaves for infinity. The law is therefore conditioned on a domain, a
// box inside that region. A box that is not is refused, with the largest that
// would do; no domain is accepted only if the condition holds as far as
// exp(−L/T) has any mass.
func Discretized(loss sde.Loss, temperature, step float64, domain ...sde.Domain) (*Density, error) {
	lo, hi, err := checkLaw("Discretized", loss, temperature, domain)
	if err != nil {
		return nil, err
	}
	if !(step > 0) || math.IsInf(step, 0) {
		return nil, &sde.SettingError{Field: "stationary: Discretized step", Value: step, Want: "a finite number above 0, the scheme's step h"}
	}
	d := loss.Dim()
	if unbounded(lo, hi) {
		// Where there is no mass, nothing needs to hold.
		b, err := Boltzmann(loss, temperature, domain...)
		if err != nil {
			return nil, err
		}
		lo, hi = b.Support()
	}
	if inLo, inHi, ok := turnover(loss, step, lo, hi); !ok {
		var within []string
		for i := range inLo {
			within = append(within, fmt.Sprintf("[%.6g, %.6g]", inLo[i], inHi[i]))
		}
		return nil, &sde.SettingError{Field: "stationary: Discretized domain", Value: fmt.Sprintf("%v to %v at h = %g", lo, hi, step),
			Want: "a box inside h‖∇L‖ < ‖θ−c‖, with c the middle of the minima: beyond it the modified loss turns over and the chain itself escapes; the largest that would do is " +
				strings.Join(within, " × ") + ", or take a smaller step"}
	}
	laplacian := laplacianOf(loss)
	p, err := newLossLaw(fmt.Sprintf("Euler–Maruyama, T = %g, h = %g", temperature, step), loss, temperature, func(theta []float64) float64 {
		var g [2]float64
		loss.Gradient(g[:d], theta)
		g2 := 0.0
		for _, v := range g[:d] {
			g2 += v * v
		}
		return -loss.Value(theta)/temperature + step*(g2/(4*temperature)-laplacian(theta)/2)
	}, lo, hi)
	if err != nil {
		return nil, err
	}
	p.step = step
	return p, nil
}

// laplacianOf returns ΔL: the loss's own, the trace of its Hessian, or central
// differences of its gradient.
func laplacianOf(loss sde.Loss) func(theta []float64) float64 {
	if l, ok := loss.(sde.Laplacian); ok {
		return l.Laplacian
	}
	d := loss.Dim()
	if h, ok := loss.(sde.Hessian); ok {
		return func(theta []float64) float64 {
			m := make([]float64, d*d)
			h.Hessian(m, theta)
			s := 0.0
			for i := range d {
				s += m[i*d+i]
			}
			return s
		}
	}
	return func(theta []float64) float64 {
		x, g := append([]float64(nil), theta...), make([]float64, d)
		s := 0.0
		for i, v := range theta {
			// Fourth order: the truncation error is h⁴L⁽⁶⁾/30.
			h := 1e-3 * math.Max(1, math.Abs(v))
			var at [4]float64
			for k, m := range [4]float64{-2, -1, 1, 2} {
				x[i] = v + m*h
				loss.Gradient(g, x)
				at[k] = g[i]
			}
			x[i] = v
			s += (8*(at[2]-at[1]) - (at[3] - at[0])) / (12 * h)
		}
		return s
	}
}

// turnover reports whether h‖∇L‖ < ‖θ − c‖ everywhere in the box but for the box
// of its minima, and returns the largest box in it where that holds.
func turnover(loss sde.Loss, h float64, lo, hi []float64) (inLo, inHi []float64, ok bool) {
	d := len(lo)
	// The minima in the box: those declared, or those that a scan along each axis shows.
	first, last := make([]float64, d), make([]float64, d)
	for i := range d {
		first[i], last[i] = math.Inf(1), math.Inf(-1)
	}
	for _, m := range minimaIn(loss, lo, hi) {
		for i, v := range m {
			first[i], last[i] = math.Min(first[i], v), math.Max(last[i], v)
		}
	}
	c := make([]float64, d)
	for i := range d {
		c[i] = first[i] + (last[i]-first[i])/2
	}
	g, x := make([]float64, d), make([]float64, d)
	// holds reports whether the condition holds at x; it is not asked of the box of the minima.
	holds := func() bool {
		inside, r := true, 0.0
		for i, v := range x {
			inside = inside && first[i] <= v && v <= last[i]
			r += (v - c[i]) * (v - c[i])
		}
		if inside {
			return true
		}
		loss.Gradient(g, x)
		s := 0.0
		for _, v := range g {
			s += v * v
		}
		return h*math.Sqrt(s) < math.Sqrt(r)
	}
	// Outwards along each ray from c to a place on the box's faces, the share of
	// the way that the condition holds.
	share := 1.0
	ray := func(end []float64) {
		const steps = 400
		at := func(t float64) bool {
			for i := range x {
				x[i] = c[i] + t*(end[i]-c[i])
			}
			return holds()
		}
		for k := 1; k <= steps; k++ {
			if t := share * float64(k) / steps; !at(t) {
				a := share * float64(k-1) / steps
				n := sort.Search(1<<20, func(n int) bool { return !at(a + (t-a)*float64(n)/(1<<20)) })
				share = a + (t-a)*float64(n)/(1<<20)
				return
			}
		}
	}
	var sides [2]float64 // of a line, each for itself
	end := make([]float64, d)
	if d == 1 {
		for s, e := range []float64{lo[0], hi[0]} {
			share = 1
			ray([]float64{e})
			sides[s] = share
		}
	} else {
		const n = 65
		for a := range 2 {
			for _, face := range []float64{lo[a], hi[a]} {
				for k := range n {
					t := float64(k) / (n - 1)
					end[a], end[1-a] = face, lo[1-a]*(1-t)+hi[1-a]*t
					ray(end)
				}
			}
		}
		sides[0], sides[1] = share, share
	}
	if sides[0] == 1 && sides[1] == 1 {
		return lo, hi, true
	}
	inLo, inHi = make([]float64, d), make([]float64, d)
	for i := range d { // a touch inwards, so that the box named is accepted
		inLo[i] = c[i] + (1-1e-5)*sides[0]*(lo[i]-c[i])
		inHi[i] = c[i] + (1-1e-5)*sides[1]*(hi[i]-c[i])
	}
	return inLo, inHi, false
}

// discretizedFor returns the law of Euler–Maruyama at step h where p is that of
// the equation: on p's support, or as much of it as h allows.
func discretizedFor(p *Density, h float64) (*Density, error) {
	lo, hi := p.Support()
	lo, hi, _ = turnover(p.loss, h, lo, hi)
	return Discretized(p.loss, p.temperature, h, sde.Box{Lo: lo, Hi: hi})
}

// minimaIn returns the minima of the loss in the box: declared ones, or in one
// dimension those of a scan and in two those of the search for modes.
func minimaIn(loss sde.Loss, lo, hi []float64) [][]float64 {
	var m [][]float64
	for _, p := range sde.Minima(loss) {
		if (sde.Box{Lo: lo, Hi: hi}).Contains(p.Theta) {
			m = append(m, p.Theta)
		}
	}
	if m != nil {
		return m
	}
	if len(lo) == 1 {
		for _, p := range findModes(func(x float64) float64 { return -loss.Value([]float64{x}) }, lo[0], hi[0], scanPoints(lo[0], hi[0], nil)) {
			m = append(m, []float64{p.x})
		}
	} else {
		q := &plane{logf: func(x, y float64) float64 { return -loss.Value([]float64{x, y}) }, lo: [2]float64(lo), hi: [2]float64(hi)}
		for _, p := range q.findModes(nil) {
			m = append(m, p[:])
		}
	}
	if m == nil {
		mid := make([]float64, len(lo))
		for i := range mid {
			mid[i] = lo[i] + (hi[i]-lo[i])/2
		}
		m = append(m, mid)
	}
	return m
}
