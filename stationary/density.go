// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Density is a law in one or two dimensions given by an unnormalised density,
//
//	p(θ) = exp(ℓ(θ)) / Z,   Z = ∫ exp(ℓ)
//
// with everything about it computed by quadrature and in terms of logarithms, so
// that neither a low temperature nor a large constant in the loss does harm.
// Boltzmann, Discretized and ZeroFlux make one.
//
// In one dimension the domain is divided into panels that are small around the
// modes and double in size outwards, and each is halved until Gauss–Legendre
// rules of 12 and 24 nodes, and 24 nodes in each half, agree. In two dimensions the density of a marginal is
// such an integral, and is integrated in the same way.
//
// # What it finds
//
// Modes are looked for at the minima that a loss declares (sde.Charted), around
// them and around 0 on all scales between 1e-8 and 1e8 at distances 2 % apart,
// and evenly, 0.05 apart in [−10, 10] or 2001 places in a finite domain. A mode
// between two such places is found if ℓ rises towards it from one of them. What
// is narrower than that, and hidden, is not found unless it is declared. In two
// dimensions the search is coarser: see Boltzmann.
//
// A Density is safe for concurrent use if its loss is.
type Density struct {
	name        string
	temperature float64
	step        float64  // of the scheme whose law this is, 0 if of none
	loss        sde.Loss // nil if made without one
	domain      sde.Domain
	score       func(dst, theta []float64)

	logf1 func(x float64) float64
	line  *line
	plane *plane
}

var (
	_ Law     = (*Density)(nil)
	_ Scorer  = (*Density)(nil)
	_ Thermal = (*Density)(nil)
	_ grid    = (*Density)(nil)
	_ edged   = (*Density)(nil)
)

// String returns the law's name, as in "Boltzmann, T = 0.2".
func (p *Density) String() string { return p.name }

// Dim returns 1 or 2.
func (p *Density) Dim() int {
	if p.plane != nil {
		return 2
	}
	return 1
}

// Temperature returns T, NaN if the law has none.
func (p *Density) Temperature() float64 { return p.temperature }

// LogZ returns log Z, with Z = ∫ exp(−L/T) over the domain for Boltzmann's law.
func (p *Density) LogZ() float64 {
	if p.plane != nil {
		return p.plane.logZ()
	}
	return p.line.shift + math.Log(p.line.mass)
}

// ErrorEstimate returns an estimate, meant as a bound, of the relative error of
// Z. It is also the absolute error of probabilities. It holds the sum of the
// differences between the two rules, the rounding of L and of θ, and what lies
// beyond the support; what the search for modes has missed it cannot hold.
func (p *Density) ErrorEstimate() float64 {
	if p.plane != nil {
		return p.plane.err
	}
	return p.line.err
}

// Support returns the ends of the region, one number a coordinate, beyond which
// the density was found to be negligible, or of the domain where it is finite.
func (p *Density) Support() (lo, hi []float64) {
	if p.plane != nil {
		b := p.plane
		return []float64{b.lo[0], b.lo[1]}, []float64{b.hi[0], b.hi[1]}
	}
	n := len(p.line.panels)
	return []float64{p.line.panels[0].a}, []float64{p.line.panels[n-1].b}
}

// inside reports whether theta is in the domain.
func (p *Density) inside(theta []float64) bool {
	if len(theta) != p.Dim() {
		panic(badDim)
	}
	return p.domain == nil || p.domain.Contains(theta)
}

// LogDensity returns log p(θ), −Inf outside the domain.
// It panics unless it is given d coordinates.
func (p *Density) LogDensity(theta ...float64) float64 {
	if !p.inside(theta) {
		return math.Inf(-1)
	}
	if p.plane != nil {
		return p.plane.logf(theta[0], theta[1]) - p.LogZ()
	}
	return p.logf1(theta[0]) - p.LogZ()
}

// Density returns p(θ), 0 outside the domain.
// It panics unless it is given d coordinates.
func (p *Density) Density(theta ...float64) float64 { return math.Exp(p.LogDensity(theta...)) }

// Score stores ∇log p(θ) into dst: −∇L/T for Boltzmann's law, central
// differences of LogDensity for others. It panics if dst or theta is not of
// length d.
func (p *Density) Score(dst, theta []float64) {
	if len(dst) != p.Dim() || len(theta) != p.Dim() {
		panic(badDim)
	}
	if p.score != nil {
		p.score(dst, theta)
		return
	}
	x := append([]float64(nil), theta...)
	f := func() float64 {
		if p.plane != nil {
			return p.plane.logf(x[0], x[1])
		}
		return p.logf1(x[0])
	}
	for i, v := range theta {
		h := cbrtEpsilon * math.Max(1, math.Abs(v))
		up, down := v+h, v-h
		x[i] = up
		high := f()
		x[i] = down
		dst[i] = (high - f()) / (up - down)
		x[i] = v
	}
}

// cbrtEpsilon balances rounding against truncation in a central difference.
const cbrtEpsilon = 6.055454452393343e-06

// CDF returns P(θ < x). It panics if the law is two-dimensional: take a Marginal.
func (p *Density) CDF(x float64) float64 {
	p.need1()
	n := len(p.line.panels)
	switch i := p.line.at(x); {
	case math.IsNaN(x):
		return math.NaN()
	case i < 0:
		return 0
	case i == n:
		return 1
	default:
		// The smaller side is the more accurate.
		q := p.line.panels[i]
		left := p.line.left[i] + p.line.partial(q.a, x)
		if 2*left <= p.line.mass {
			return left / p.line.mass
		}
		return 1 - (p.line.right[i+1]+p.line.partial(x, q.b))/p.line.mass
	}
}

// Quantile returns the x with CDF(x) = q. It panics if the law is
// two-dimensional or q is not in [0, 1].
func (p *Density) Quantile(q float64) float64 {
	p.need1()
	if !(0 <= q && q <= 1) {
		panic("stationary: quantile of a number outside [0, 1]")
	}
	lo, hi := p.Support()
	switch q {
	case 0:
		return lo[0]
	case 1:
		return hi[0]
	}
	return p.line.quantile(q)
}

func (p *Density) need1() {
	if p.plane != nil {
		panic("stationary: a law in two dimensions has no such function of one number; take a Marginal")
	}
}

// Marginal returns the law of coordinate i alone. Each value of its density is
// an integral. It panics if there is no such coordinate.
func (p *Density) Marginal(i int) *Density {
	if i < 0 || p.Dim() <= i {
		panic("stationary: no such coordinate")
	}
	if p.plane == nil {
		return p
	}
	l := p.plane.marginal(i)
	m := &Density{name: fmt.Sprintf("coordinate %d of %s", i, p.name), temperature: math.NaN(), logf1: l.logf, line: l}
	m.domain = sde.Box{Lo: []float64{p.plane.lo[i]}, Hi: []float64{p.plane.hi[i]}}
	return m
}

// Mean returns the moment E f(θ) and an estimate, meant as a bound, of its
// error. f must not keep its argument. In one dimension a moment that does not
// exist, because the tails are too heavy for it, is an infinity with an infinite
// error.
func (p *Density) Mean(f func(theta []float64) float64) (value, err float64) {
	if p.plane != nil {
		return p.plane.mean(f)
	}
	x := make([]float64, 1)
	return p.line.mean(func(v float64) float64 { x[0] = v; return f(x) })
}

// Probability returns the probability of the box lo_i ≤ θ_i < hi_i.
// It panics if lo or hi is not of length d.
func (p *Density) Probability(lo, hi []float64) float64 {
	if len(lo) != p.Dim() || len(hi) != p.Dim() {
		panic(badDim)
	}
	if p.plane != nil {
		return p.plane.probability([2]float64(lo), [2]float64(hi))
	}
	return p.line.between(lo[0], hi[0]) / p.line.mass
}

// edgeProbabilities implements edged.
func (p *Density) edgeProbabilities(dst, edges []float64, coordinate int) {
	l := p.line
	if p.plane != nil {
		l = p.plane.marginal(coordinate)
	}
	for i := range dst {
		dst[i] = l.between(edges[i], edges[i+1]) / l.mass
	}
}

// gridProbabilities implements grid.
func (p *Density) gridProbabilities(dst, x, y []float64) {
	p.plane.cells(dst, x, y)
}

// newLine returns the law with log density logf on [lo, hi], up to a constant.
// centres are places where modes are expected.
func newLine(name string, logf func(float64) float64, lo, hi float64, centres []float64) (*Density, error) {
	l := solve(logf, lo, hi, search{points: scanPoints(lo, hi, fineRatio, centres), careful: true, tolerance: 2e-16})
	if err := l.failure(name); err != nil {
		return nil, err
	}
	p := &Density{name: name, temperature: math.NaN(), logf1: logf, line: l}
	if !math.IsInf(lo, -1) || !math.IsInf(hi, 1) {
		p.domain = sde.Box{Lo: []float64{lo}, Hi: []float64{hi}}
	}
	return p, nil
}

// failure returns what kept the line from being integrated as an error.
func (l *line) failure(name string) error {
	switch l.failed {
	case heavy:
		return &sde.SettingError{Field: "stationary: law", Value: name,
			Want: "a density whose integral is finite and whose tails fall faster than |θ|^−1.2 (in two dimensions |θ|^−5); confine it to an sde.Box, or add weight decay to the loss",
			Err:  sde.ErrNotNormalizable}
	case isNaN:
		return &sde.SettingError{Field: "stationary: law", Value: name, Want: fmt.Sprintf("a log density that is a number where there is mass; it is NaN at %g", l.nan)}
	case notFound:
		return &sde.SettingError{Field: "stationary: law", Value: name, Want: "a log density that is finite somewhere it is looked for (around 0, the declared minima, or in the domain)"}
	}
	return nil
}

const badDim = "stationary: number of coordinates is not the law's dimension"
