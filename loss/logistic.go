// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Logistic is the mean loss of logistic regression on N samples (x_i, y_i), y_i 0 or 1,
// with weight decay λ:
//
//	L(θ) = (1/N) Σ_i log(1 + exp(−s_i x_i·θ)) + ½ λ|θ|²,   s_i = 2y_i − 1
//	∇ℓ_i = −s_i x_i / (1 + exp(s_i x_i·θ)) + λθ
//
// There is no intercept: give x a column of ones. For λ > 0 it is strictly convex.
// Use NewLogistic.
type Logistic struct {
	d, n  int
	rows  *kernel.Rows // s_i x_i
	order []uint32     // 0 … N−1
	ridge float64
}

var (
	_ sde.FiniteSum       = (*Logistic)(nil)
	_ sde.Minibatches     = (*Logistic)(nil)
	_ sde.FlippedGradient = (*Logistic)(nil)
	_ sde.Hessian         = (*Logistic)(nil)
	_ sde.Normalizable    = (*Logistic)(nil)
)

// NewLogistic returns the loss of the rows of x and their labels y, which it copies. It
// returns an error if there are no samples, numbers differ, an x is not finite (naming row
// and column), a label is not 0 or 1, or ridge is negative or not finite.
func NewLogistic(x *mat.Dense, y []float64, ridge float64) (*Logistic, error) {
	n, d, err := checkData("NewLogistic", x, y)
	if err != nil {
		return nil, err
	}
	if !(ridge >= 0) || math.IsInf(ridge, 1) {
		return nil, &sde.SettingError{Field: "loss: NewLogistic ridge", Value: ridge, Want: "a finite number from 0"}
	}
	signed := make([]float64, n*d)
	l := &Logistic{d: d, n: n, ridge: ridge, order: make([]uint32, n)}
	for i, v := range y {
		if v != 0 && v != 1 {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: NewLogistic y[%d]", i), Value: v, Want: "0 or 1"}
		}
		for j, f := range x.RawRowView(i) {
			signed[i*d+j] = (2*v - 1) * f
		}
		l.order[i] = uint32(i)
	}
	l.rows = kernel.NewRows(n, d, signed)
	return l, nil
}

// checkData returns the size of data, or an error if x and y differ in length, are empty
// or hold what is not finite.
func checkData(name string, x *mat.Dense, y []float64) (n, d int, err error) {
	if x == nil || x.IsEmpty() {
		return 0, 0, &sde.SettingError{Field: "loss: " + name + " x", Value: "no samples", Want: "a row for each of 1 or more samples"}
	}
	n, d = x.Dims()
	if len(y) != n {
		return 0, 0, &sde.SettingError{Field: "loss: " + name + " y", Value: fmt.Sprintf("%d labels", len(y)),
			Want: fmt.Sprintf("%d, one for each row of x", n), Err: sde.ErrDimension}
	}
	for i := range n {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, 0, &sde.SettingError{Field: fmt.Sprintf("loss: %s x, row %d, column %d", name, i, j), Value: v, Want: "a finite number"}
			}
		}
		if math.IsNaN(y[i]) || math.IsInf(y[i], 0) {
			return 0, 0, &sde.SettingError{Field: fmt.Sprintf("loss: %s y[%d]", name, i), Value: y[i], Want: "a finite number"}
		}
	}
	return n, d, nil
}

// Dim returns the number of columns of x.
func (l *Logistic) Dim() int { return l.d }

// Samples returns N.
func (l *Logistic) Samples() int { return l.n }

// padded returns theta with zeros up to the rows' length, in buf if that will do.
func (l *Logistic) padded(buf, theta []float64) []float64 {
	if len(buf) < l.rows.Stride() {
		buf = make([]float64, l.rows.Stride())
	}
	buf = buf[:l.rows.Stride()]
	clear(buf[copy(buf, theta):])
	return buf
}

// onStack is how many numbers methods keep on the stack, and inOne how many samples they take
// at a time.
const (
	onStack = 128
	inOne   = 256
)

// Value returns L. It panics if theta is not of the dimension.
func (l *Logistic) Value(theta []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	var buf [onStack]float64
	var dots [inOne]float64
	padded := l.padded(buf[:], theta)
	var s, q float64
	for from := 0; from < l.n; from += inOne {
		idx := l.order[from:min(from+inOne, l.n)]
		t := dots[:len(idx)]
		l.rows.Dots(t, idx, padded)
		for _, v := range t {
			s += math.Max(-v, 0) + kernel.Log1(1+kernel.Exp1(-math.Abs(v)))
		}
	}
	for _, v := range theta {
		q = math.FMA(v, v, q)
	}
	return math.FMA(l.ridge/2, q, s/float64(l.n))
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l *Logistic) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.d)
	var buf, part [onStack]float64
	var weights [inOne]float64
	padded, sum := l.padded(buf[:], theta), l.padded(part[:], nil)
	clear(dst)
	for from := 0; from < l.n; from += inOne {
		idx := l.order[from:min(from+inOne, l.n)]
		w := weights[:len(idx)]
		l.rows.Dots(w, idx, padded)
		kernel.Exp(w, w)
		kernel.OverOnePlus(w, -1/float64(l.n), w)
		l.rows.Combine(sum, idx, w, nil)
		for j := range dst {
			dst[j] += sum[j]
		}
	}
	kernel.Axpy(dst, l.ridge, theta)
}

// SampleGradient stores ∇ℓ_i into dst. It panics if dst or theta is not of the dimension,
// or there is no such sample.
func (l *Logistic) SampleGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.d)
	var buf [onStack]float64
	var t [1]float64
	l.rows.Dots(t[:], l.order[i:i+1], l.padded(buf[:], theta))
	c := -1 / (1 + kernel.Exp1(t[0]))
	row := l.rows.Row(i)
	for j, v := range theta {
		dst[j] = math.FMA(c, row[j], float64(l.ridge*v))
	}
}

// FlippedGradient implements sde.FlippedGradient: it stores ∇ℓ_i for the label 1 − y_i into
// dst. It panics as SampleGradient does.
func (l *Logistic) FlippedGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.d)
	var buf [onStack]float64
	var t [1]float64
	l.rows.Dots(t[:], l.order[i:i+1], l.padded(buf[:], theta))
	c := 1 / (1 + kernel.Exp1(-t[0]))
	row := l.rows.Row(i)
	for j, v := range theta {
		dst[j] = math.FMA(c, row[j], float64(l.ridge*v))
	}
}

// BindMinibatches implements sde.Minibatches.
func (l *Logistic) BindMinibatches(rows int) func(dst, x sde.Batch, samples []uint32) {
	stride := l.rows.Stride()
	theta, sum := make([]float64, rows*stride), make([]float64, rows*stride)
	var weights []float64
	return func(dst, x sde.Batch, samples []uint32) {
		if x.Rows == 0 {
			return
		}
		kernel.Repack(theta, stride, x.Data, x.Stride, l.d, x.Rows) // the padding stays 0
		b := len(samples) / x.Rows
		// Particles go together as long as their samples stay in the first level of cache.
		together := min(max(1, 64/b), x.Rows)
		if len(weights) < together*b {
			weights = make([]float64, together*b)
		}
		for first := 0; first < x.Rows; first += together {
			end := min(first+together, x.Rows)
			w, idx := weights[:(end-first)*b], samples[first*b:end*b]
			l.rows.Dots(w, idx, theta[first*stride:end*stride])
			kernel.Exp(w, w)
			kernel.OverOnePlus(w, -1/float64(b), w)
			l.rows.Combine(sum[first*stride:end*stride], idx, w, samples[end*b:])
		}
		kernel.Axpy(sum[:x.Rows*stride], l.ridge, theta[:x.Rows*stride])
		kernel.Repack(dst.Data, dst.Stride, sum, stride, l.d, x.Rows)
	}
}

// Hessian stores (1/N) Σ_i p_i(1−p_i) x_i x_iᵀ + λI into dst, p_i = 1/(1 + exp(x_i·θ)). It
// panics if dst is not of length d² or theta not of the dimension.
func (l *Logistic) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.d)
	h := mat.NewSymDense(l.d, nil)
	var buf [onStack]float64
	padded := l.padded(buf[:], theta)
	var t [1]float64
	for i := range l.n {
		l.rows.Dots(t[:], l.order[i:i+1], padded)
		e := kernel.Exp1(-math.Abs(t[0]))
		h.SymRankOne(h, e/((1+e)*(1+e)*float64(l.n)), mat.NewVecDense(l.d, l.rows.Row(i)[:l.d]))
	}
	for i := range l.d {
		for j := range l.d {
			dst[i*l.d+j] = h.At(i, j)
		}
		dst[i*l.d+i] += l.ridge
	}
}

// Normalizable reports whether temperature and weight decay are above 0. Without decay it is
// not known, and false.
func (l *Logistic) Normalizable(temperature float64) bool { return temperature > 0 && l.ridge > 0 }
