// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/sde"
)

// MatrixEntry is the value of a matrix at one place, counted from 0.
type MatrixEntry struct {
	Row, Column int
	Value       float64
}

// MatrixCompletion is the mean loss of a rank-r factorisation U Vᵀ of a matrix of which N
// entries are known, with weight decay λ. θ holds the rows u_a of U and then
// the rows v_b of V, r numbers each:
//
//	L(θ) = (1/N) Σ_{(a,b,m)} ½ (u_a·v_b − m)² + ½ λ|θ|²
//
// U and V can be replaced by UQ and VQ⁻ᵀ without changing the product, so that minima are
// never isolated without weight decay, and with it only for r = 1. Use NewMatrixCompletion.
//
// R. Ge, J. D. Lee & T. Ma, 2016, Matrix completion has no spurious local minimum, Advances
// in Neural Information Processing Systems 29, for why descent finds the matrix.
type MatrixCompletion struct {
	sampled
	rows, columns, rank int
	entries             []MatrixEntry
}

var (
	_ sde.FiniteSum       = (*MatrixCompletion)(nil)
	_ sde.Minibatches     = (*MatrixCompletion)(nil)
	_ sde.SampleGradients = (*MatrixCompletion)(nil)
	_ sde.BatchGradient   = (*MatrixCompletion)(nil)
	_ sde.OutputGradient  = (*MatrixCompletion)(nil)
	_ sde.Hessian         = (*MatrixCompletion)(nil)
	_ sde.Normalizable    = (*MatrixCompletion)(nil)
)

// NewMatrixCompletion returns the loss of a matrix of so many rows and columns, factors
// of so many columns each, and known entries, which it copies. It returns an error if a number is not
// positive, there are no entries, one is outside the matrix or not finite, or ridge is
// negative or not finite. A place may occur more than once.
func NewMatrixCompletion(rows, columns, rank int, entries []MatrixEntry, ridge float64) (*MatrixCompletion, error) {
	for _, f := range []struct {
		name  string
		value int
	}{{"rows", rows}, {"columns", columns}, {"rank", rank}} {
		if f.value < 1 {
			return nil, &sde.SettingError{Field: "loss: NewMatrixCompletion " + f.name, Value: f.value, Want: "1 or more"}
		}
	}
	if err := checkFrom0("NewMatrixCompletion ridge", ridge); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, &sde.SettingError{Field: "loss: NewMatrixCompletion entries", Value: "no samples", Want: "1 or more"}
	}
	for i, e := range entries {
		if e.Row < 0 || rows <= e.Row || e.Column < 0 || columns <= e.Column {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: NewMatrixCompletion entries[%d]", i), Value: fmt.Sprintf("row %d, column %d", e.Row, e.Column),
				Want: fmt.Sprintf("a place in %d×%d, counted from 0", rows, columns), Err: sde.ErrDimension}
		}
		if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: NewMatrixCompletion entries[%d], row %d, column %d", i, e.Row, e.Column), Value: e.Value, Want: "a finite number"}
		}
	}
	l := &MatrixCompletion{rows: rows, columns: columns, rank: rank, entries: slices.Clone(entries)}
	l.set((rows+columns)*rank, len(entries), len(entries), ridge, func() pass { return &completionPass{l: l} })
	return l, nil
}

// factors returns where u_a and v_b of an entry begin.
func (l *MatrixCompletion) factors(e MatrixEntry) (u, v int) {
	return e.Row * l.rank, (l.rows + e.Column) * l.rank
}

type completionPass struct {
	l     *MatrixCompletion
	theta []float64
}

func (p *completionPass) load(theta []float64) { p.theta = theta }

// residual returns u_a, v_b and u_a·v_b − m of a sample.
func (p *completionPass) residual(i uint32) (u, v int, r float64) {
	e := p.l.entries[i]
	u, v = p.l.factors(e)
	for j := range p.l.rank {
		r = math.FMA(p.theta[u+j], p.theta[v+j], r)
	}
	return u, v, r - e.Value
}

func (p *completionPass) value(samples []uint32) (s float64) {
	for _, i := range samples {
		_, _, r := p.residual(i)
		s = math.FMA(r/2, r, s)
	}
	return s
}

func (p *completionPass) add(dst []float64, samples []uint32, scale float64) {
	for _, i := range samples {
		u, v, r := p.residual(i)
		p.back(dst, u, v, float64(r*scale))
	}
}

// back adds c times the gradient of u·v to dst.
func (p *completionPass) back(dst []float64, u, v int, c float64) {
	for j := range p.l.rank {
		dst[u+j] = math.FMA(c, p.theta[v+j], dst[u+j])
		dst[v+j] = math.FMA(c, p.theta[u+j], dst[v+j])
	}
}

// OutputGradient implements sde.OutputGradient: it stores the gradient of u_a·v_b of entry i
// into dst. It panics as SampleGradient does.
func (l *MatrixCompletion) OutputGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.d)
	clear(dst)
	u, v := l.factors(l.entries[i])
	(&completionPass{l, theta}).back(dst, u, v, 1)
}

// Hessian stores the second derivatives into dst: for each entry v_b v_bᵀ/N at the rows and
// columns of u_a, u_a u_aᵀ/N at those of v_b, and v_b u_aᵀ + (u_a·v_b − m) I between them. It panics
// if dst is not of length d² or theta not of the dimension.
func (l *MatrixCompletion) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.d)
	clear(dst)
	p := completionPass{l, theta}
	scale := 1 / float64(l.n)
	for _, i := range l.order {
		u, v, r := p.residual(i)
		for j := range l.rank {
			for k := range l.rank {
				dst[(u+j)*l.d+u+k] += float64(scale * theta[v+j] * theta[v+k])
				dst[(v+j)*l.d+v+k] += float64(scale * theta[u+j] * theta[u+k])
				c := float64(scale * theta[v+j] * theta[u+k])
				if j == k {
					c += float64(scale * r)
				}
				dst[(u+j)*l.d+v+k] += c
				dst[(v+k)*l.d+u+j] += c
			}
		}
	}
	for j := range l.d {
		dst[j*l.d+j] += l.ridge
	}
}

// Normalizable reports whether temperature and weight decay are above 0.
func (l *MatrixCompletion) Normalizable(temperature float64) bool {
	return temperature > 0 && l.ridge > 0
}
