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
// would do, and so is one in which L_h turns over with more than 0.001 of the mass
// beyond (seen in one dimension only); no domain is accepted only if the condition
// holds as far as exp(−L/T) has any mass.
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
	inLo, inHi, ok := turnover(loss, temperature, step, lo, hi)
	logf := modifiedOf(loss, temperature, step)
	name := fmt.Sprintf("Euler–Maruyama, T = %g, h = %g", temperature, step)
	var p *Density
	if d == 1 {
		var beyond float64
		if ok {
			if p, beyond, err = boundedLaw(name, loss, temperature, logf, lo, hi); err != nil {
				return nil, err
			}
			ok = beyond <= mostBeyond
		}
		if !ok { // shrink what is left until little enough lies beyond the turn
			if inLo, inHi, err = shrink(name, loss, temperature, logf, inLo, inHi); err != nil {
				return nil, err
			}
		}
	} else if ok {
		if p, err = newLossLaw(name, loss, temperature, logf, lo, hi); err != nil {
			return nil, err
		}
	}
	if !ok {
		var within []string
		for i := range inLo {
			within = append(within, fmt.Sprintf("[%.6g, %.6g]", inLo[i], inHi[i]))
		}
		return nil, &sde.SettingError{Field: "stationary: Discretized domain", Value: fmt.Sprintf("%v to %v at h = %g", lo, hi, step),
			Want: "a box inside h‖∇L‖ < ‖θ−c‖, with c the middle of the minima, and with little mass where the modified loss has turned over, as the chain itself escapes from there; the largest that would do is " +
				strings.Join(within, " × ") + ", or take a smaller step"}
	}
	p.step = step
	return p, nil
}

// mostBeyond is the most mass that may lie where L_h has turned over.
const mostBeyond = 1e-3

// boundedLaw returns the law of log density logf on an interval, and how much of
// it lies where logf rises outwards.
func boundedLaw(name string, loss sde.Loss, temperature float64, logf func(theta []float64) float64, lo, hi []float64) (p *Density, beyond float64, err error) {
	p, err = newLossLaw(name, loss, temperature, logf, lo, hi)
	if err != nil {
		return nil, 0, err
	}
	first, last := minimaIn(loss, temperature, lo, hi)
	a, b := outward(p.logf1, first[0], last[0], lo[0], hi[0])
	return p, 1 - p.Probability([]float64{a}, []float64{b}), nil
}

// shrink returns the largest interval, between the one in which logf falls
// outwards and [lo, hi], whose law has no more than mostBeyond beyond the former.
func shrink(name string, loss sde.Loss, temperature float64, logf func(theta []float64) float64, lo, hi []float64) (a, b []float64, err error) {
	first, last := minimaIn(loss, temperature, lo, hi)
	x := make([]float64, 1)
	inA, inB := outward(func(v float64) float64 { x[0] = v; return logf(x) }, first[0], last[0], lo[0], hi[0])
	at := func(s float64) ([]float64, []float64) {
		return []float64{inA + s*(lo[0]-inA)}, []float64{inB + s*(hi[0]-inB)}
	}
	good, bad := 0.0, 1.0
	for range 20 {
		s := good + (bad-good)/2
		a, b = at(s)
		_, beyond, err := boundedLaw(name, loss, temperature, logf, a, b)
		if err != nil {
			return nil, nil, err
		}
		if beyond <= 0.99*mostBeyond {
			good = s
		} else {
			bad = s
		}
	}
	a, b = at(good)
	return a, b, nil
}

// modifiedOf returns −L_h/T.
func modifiedOf(loss sde.Loss, temperature, step float64) func(theta []float64) float64 {
	d := loss.Dim()
	laplacian := laplacianOf(loss)
	return func(theta []float64) float64 {
		var g [2]float64
		loss.Gradient(g[:d], theta)
		g2 := 0.0
		for _, v := range g[:d] {
			g2 += v * v
		}
		return -loss.Value(theta)/temperature + step*(g2/(4*temperature)-laplacian(theta)/2)
	}
}

// modified returns −L_h/T of a loss in one dimension.
func modified(loss sde.Loss, temperature, step float64) func(x float64) float64 {
	f := modifiedOf(loss, temperature, step)
	return func(x float64) float64 { return f([]float64{x}) }
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
func turnover(loss sde.Loss, temperature, h float64, lo, hi []float64) (inLo, inHi []float64, ok bool) {
	d := len(lo)
	first, last := minimaIn(loss, temperature, lo, hi)
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

// outward returns the interval about [first, last] in which logf falls outwards,
// within [lo, hi].
func outward(logf func(float64) float64, first, last, lo, hi float64) (a, b float64) {
	const steps = 2000
	from := func(start, end float64) float64 {
		x, before := start, logf(start)
		top := before
		for k := 1; k <= steps; k++ {
			next := start + (end-start)*float64(k)/steps
			v := logf(next)
			// The modified loss has its minima a little off: first it must have fallen.
			if v > before && before < top-0.1 {
				return x
			}
			top = math.Max(top, v)
			x, before = next, v
		}
		return end
	}
	return from(first, lo), from(last, hi)
}

// discretizedFor returns the law of Euler–Maruyama at step h where p is that of
// the equation: on p's support, or as much of it as h allows.
func discretizedFor(p *Density, h float64) (*Density, error) {
	lo, hi := p.Support()
	lo, hi, _ = turnover(p.loss, p.temperature, h, lo, hi)
	if p.Dim() == 1 {
		first, last := minimaIn(p.loss, p.temperature, lo, hi)
		a, b := outward(modified(p.loss, p.temperature, h), first[0], last[0], lo[0], hi[0])
		lo, hi = []float64{a}, []float64{b}
	}
	return Discretized(p.loss, p.temperature, h, sde.Box{Lo: lo, Hi: hi})
}

// minimaIn returns the corners of the box that holds the loss's minima in a box:
// those it declares, or those that are found and matter at the temperature.
func minimaIn(loss sde.Loss, temperature float64, lo, hi []float64) (first, last []float64) {
	var all [][]float64
	for _, p := range sde.Minima(loss) {
		if (sde.Box{Lo: lo, Hi: hi}).Contains(p.Theta) {
			all = append(all, p.Theta)
		}
	}
	d := len(lo)
	switch {
	case all != nil:
	case d == 1:
		f := func(x float64) float64 { return -loss.Value([]float64{x}) / temperature }
		for _, m := range findModes(f, lo[0], hi[0], scanPoints(lo[0], hi[0], coarseRatio, nil)) {
			all = append(all, []float64{sharpest(f, m.x-m.left, m.x+m.right)})
		}
	default:
		q := &plane{logf: func(x, y float64) float64 { return -loss.Value([]float64{x, y}) / temperature }, lo: [2]float64(lo), hi: [2]float64(hi)}
		for _, p := range q.findModes(nil) {
			all = append(all, p[:])
		}
	}
	if all == nil {
		mid := make([]float64, d)
		for i := range mid {
			mid[i] = lo[i] + (hi[i]-lo[i])/2
		}
		all = append(all, mid)
	}
	first, last = make([]float64, d), make([]float64, d)
	copy(first, all[0])
	copy(last, all[0])
	for _, m := range all {
		for i, v := range m {
			first[i], last[i] = math.Min(first[i], v), math.Max(last[i], v)
		}
	}
	return first, last
}

// sharpest returns the maximum of f in [a, b] by golden sections to full precision.
func sharpest(f func(float64) float64, a, b float64) float64 {
	const golden = 0.3819660112501051
	x, y := a+golden*(b-a), b-golden*(b-a)
	fx, fy := f(x), f(y)
	for range 90 {
		if fx > fy {
			b, y, fy = y, x, fx
			x = a + golden*(b-a)
			fx = f(x)
		} else {
			a, x, fx = x, y, fy
			y = b - golden*(b-a)
			fy = f(y)
		}
	}
	return a + (b-a)/2
}
