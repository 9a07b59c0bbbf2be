// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// Balance says how an equation stands to the law exp(−L/T). Its averages are over
// that law, or over the points given.
type Balance struct {
	// Current is the root mean square of the velocity v = j/p of the probability
	// current that flows through exp(−L/T).
	Current float64
	// Relative is that as a share of what would have to cancel, the drift b and D∇L/T:
	//
	//	√(E|v|² / (E|b|² + E|D∇L/T|²))
	//
	// It is 0 in detailed balance, about 1/√2 for a flow without noise, and √2 at most.
	Relative float64
	// Drain is the root mean square of (∇·(pv))/p as a share of its two parts, ∇·v and
	// v·∇L/T: 0 if exp(−L/T) is stationary, with or without a current.
	Drain float64
	// EntropyProduction is E vᵀD⁻¹v in nats a unit of time, NaN where D is singular.
	EntropyProduction float64
	// Worst is where |v| was largest.
	Worst []float64
}

// balanced is the share below which a current or a drain is rounding, of
// differences included.
const balanced = 1e-6

// Holds reports whether the equation satisfies detailed balance for exp(−L/T): then
// that is its stationary law and nothing flows in it.
func (b *Balance) Holds() bool { return b.Relative < balanced }

// Stationary reports whether exp(−L/T) is stationary, as it is in detailed balance and
// where the current has no sources, as that of a Circulation.
func (b *Balance) Stationary() bool { return b.Holds() || b.Drain < balanced }

// String says it in words.
func (b *Balance) String() string {
	switch {
	case b.Holds():
		return "detailed balance holds for exp(−L/T)"
	case b.Stationary():
		return fmt.Sprintf("exp(−L/T) is stationary, but a current flows in it: v = %.3g, %.2g of the drift", b.Current, b.Relative)
	}
	return fmt.Sprintf("exp(−L/T) is not stationary: a current of v = %.3g flows, %.2g of the drift, most at %.4g", b.Current, b.Relative, b.Worst)
}

// DetailedBalance says whether an equation, in any dimension, satisfies detailed balance
// for exp(−L/T), and if not by how much: the velocity of the current through it is
//
//	v = j/p = a_Itô − ∇·D + D∇L/T
//
// (Risken, 1996, The Fokker–Planck Equation, § 6.4, for even variables). at holds the
// points at which it is judged, one a row: samples of the law, or any places. Without
// rows the averages are over exp(−L/T) in one or two dimensions, summed over the middles of
// 2001 intervals or 101² rectangles of where it has its mass. ∇·D comes from what the noise declares or from differences; and
// ∇·v from differences.
func DetailedBalance(eq sde.Equation, loss sde.Loss, temperature float64, at sde.Batch) (*Balance, error) {
	const field = "stationary: DetailedBalance "
	d, m, err := checkEquation(field+"equation", eq)
	if err != nil {
		return nil, err
	}
	switch {
	case loss == nil:
		return nil, &sde.SettingError{Field: field + "loss", Value: nil, Want: "a loss"}
	case loss.Dim() != d:
		return nil, &sde.SettingError{Field: field + "loss", Value: fmt.Sprintf("a loss of %d coordinates", loss.Dim()), Want: fmt.Sprintf("%d, as the equation has", d), Err: sde.ErrDimension}
	case !(temperature > 0) || math.IsInf(temperature, 1):
		return nil, &sde.SettingError{Field: field + "temperature", Value: temperature, Want: "a finite number above 0"}
	case at.Rows > 0 && at.Cols != d:
		return nil, &sde.SettingError{Field: field + "points", Value: fmt.Sprintf("rows of %d", at.Cols), Want: fmt.Sprintf("rows of %d coordinates", d), Err: sde.ErrDimension}
	}
	j := newJudge(eq, loss, temperature, d, m)
	weights := []float64(nil) // equal
	if at.Rows == 0 {
		var domain sde.Domain
		if c, ok := eq.(sde.Confined); ok {
			domain = c.Confinement()
		}
		law, err := Boltzmann(loss, temperature, domain)
		if err != nil {
			return nil, err
		}
		at, weights = law.places()
	}
	mean := func(f func(theta []float64) float64) float64 {
		s, w := 0.0, 1/float64(at.Rows)
		for r := range at.Rows {
			if weights != nil {
				w = weights[r]
			}
			s += w * f(at.Row(r))
		}
		return s
	}
	b := &Balance{}
	top := -1.0
	squared := func(of func() float64) float64 {
		return mean(func(theta []float64) float64 {
			j.at(theta)
			return of()
		})
	}
	v2 := squared(func() float64 {
		s := norm2(j.v)
		if s > top {
			top, b.Worst = s, append(b.Worst[:0], j.theta...)
		}
		return s
	})
	size := squared(func() float64 { return norm2(j.b) + norm2(j.pull) })
	if math.IsNaN(v2) || math.IsNaN(size) {
		return nil, &sde.SettingError{Field: field + "equation", Value: math.NaN(), Want: "a drift, a noise and a gradient that are finite"}
	}
	b.Current = math.Sqrt(v2)
	if size > 0 {
		b.Relative = math.Sqrt(v2 / size)
	}
	b.EntropyProduction = squared(j.entropy)
	if b.Holds() {
		return b, nil
	}
	drain, parts := 0.0, 0.0
	drain = mean(func(theta []float64) float64 {
		divergence, along := j.drain(theta)
		return (divergence - along) * (divergence - along)
	})
	parts = mean(func(theta []float64) float64 {
		divergence, along := j.drain(theta)
		return divergence*divergence + along*along
	})
	if parts > 0 {
		b.Drain = math.Sqrt(drain / parts)
		// What differences of v alone make of nothing.
		if drain < 1e-16*size {
			b.Drain = 0
		}
	}
	return b, nil
}

// places returns the middles of the cells of a grid over the law's support, without
// those that have next to no mass, and their shares of it.
func (p *Density) places() (at sde.Batch, weights []float64) {
	lo, hi := p.Support()
	n := [2]int{2001, 1}
	if p.Dim() == 2 {
		n = [2]int{101, 101}
	}
	theta := make([]float64, p.Dim())
	sum := 0.0
	for k := range n[0] * n[1] {
		for a, i := range [2]int{k / n[1], k % n[1]} {
			if a < len(theta) {
				theta[a] = lo[a] + (hi[a]-lo[a])*(float64(i)+0.5)/float64(n[a])
			}
		}
		if w := p.Density(theta...); w > 0 {
			at.Data = append(at.Data, theta...)
			weights = append(weights, w)
			sum += w
		}
	}
	at.Rows, at.Cols, at.Stride = len(weights), len(theta), len(theta)
	kept := 0
	for r, w := range weights {
		if w /= sum; w > 1e-20 {
			weights[kept] = w
			copy(at.Data[kept*at.Cols:], at.Data[r*at.Cols:(r+1)*at.Cols])
			kept++
		}
	}
	at.Rows = kept
	return at, weights[:kept]
}

// judge evaluates an equation against exp(−L/T) at a point.
type judge struct {
	eq          sde.Equation
	loss        sde.Loss
	temperature float64
	conversion  *sde.Conversion
	d, m        int
	root        []float64
	theta       []float64
	gradient    []float64 // ∇L/T
	b, pull, v  []float64 // a_Itô − ∇·D, D∇L/T and their sum
}

func newJudge(eq sde.Equation, loss sde.Loss, temperature float64, d, m int) *judge {
	return &judge{eq: eq, loss: loss, temperature: temperature, d: d, m: m,
		conversion: sde.NewConversion(sde.DiffusionOf(eq), d, m, sde.InterpretationOf(eq), sde.Klimontovich),
		root:       make([]float64, d*m), theta: make([]float64, d), gradient: make([]float64, d),
		b: make([]float64, d), pull: make([]float64, d), v: make([]float64, d)}
}

func (j *judge) at(theta []float64) {
	copy(j.theta, theta)
	j.eq.Drift(j.b, theta, 0)
	if j.conversion != nil {
		j.conversion.Add(j.b, theta, 0)
	}
	j.loss.Gradient(j.gradient, theta)
	for i := range j.gradient {
		j.gradient[i] /= j.temperature
	}
	j.eq.Root(j.root, theta, 0)
	clear(j.pull)
	for k := range j.m {
		w := 0.0
		for i, g := range j.gradient {
			w += j.root[i*j.m+k] * g
		}
		for i := range j.pull {
			j.pull[i] += j.root[i*j.m+k] * w / 2
		}
	}
	for i := range j.v {
		j.v[i] = j.b[i] + j.pull[i]
	}
}

// entropy returns vᵀD⁻¹v at the point.
func (j *judge) entropy() float64 {
	var d mat.SymDense
	d.SymOuterK(0.5, mat.NewDense(j.d, j.m, j.root))
	var c mat.Cholesky
	if !c.Factorize(&d) {
		return math.NaN()
	}
	var x mat.VecDense
	v := mat.NewVecDense(j.d, j.v)
	if err := c.SolveVecTo(&x, v); err != nil {
		if _, ill := err.(mat.Condition); !ill {
			return math.NaN()
		}
	}
	return mat.Dot(v, &x)
}

// drain returns ∇·v and v·∇L/T at θ.
func (j *judge) drain(theta []float64) (divergence, along float64) {
	x := append([]float64(nil), theta...)
	for i, c := range theta {
		// Fourth order, as v may hold differences already.
		h := 1e-3 * math.Max(1, math.Abs(c))
		var at [4]float64
		for k, s := range [4]float64{-2, -1, 1, 2} {
			x[i] = c + s*h
			j.at(x)
			at[k] = j.v[i]
		}
		x[i] = c
		divergence += (8*(at[2]-at[1]) - (at[3] - at[0])) / (12 * h)
	}
	j.at(theta)
	for i, g := range j.gradient {
		along += j.v[i] * g
	}
	return divergence, along
}

func norm2(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return s
}
