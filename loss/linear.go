// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// A link is what a linear model makes of the product x_i·θ. It is a number and not an
// interface so that what goes through it stays on the stack.
type link uint8

const (
	logisticLink link = iota // log(1 + exp(−t)), the label being the sign of the row
	squareLink               // ½(t − y)²
	huberLink                // the same as far as |t − y| ≤ δ, and straight beyond
)

// linear is the mean loss of a model that sees its parameters through x_i·θ alone,
//
//	L(θ) = (1/N) Σ_i φ_i(x_i·θ) + ½ λ Σ_{j < d−free} θ_j²
type linear struct {
	link   link
	d, n   int
	rows   *kernel.Rows
	order  []uint32  // 0 … N−1
	places []uint64  // of the rows, in this order
	y      []float64 // targets, of those links that have them
	sign   []float64 // what rows are multiplied by, nil for 1
	ridge  float64
	free   int // how many of the last coordinates have no weight decay
	delta  float64
}

// newLinear copies checked data. Row i is multiplied by sign[i], unless that is nil.
func newLinear(k link, x mat.Matrix, y, sign []float64, ridge float64) linear {
	n, d := x.Dims()
	data := make([]float64, n*d)
	for i := range n {
		s := 1.0
		if sign != nil {
			s = sign[i]
		}
		for j := range d {
			data[i*d+j] = s * x.At(i, j)
		}
	}
	l := linear{link: k, y: y, sign: sign, ridge: ridge}
	l.take(n, d, data)
	return l
}

// take makes n rows of d numbers the model's.
func (l *linear) take(n, d int, data []float64) {
	l.n, l.d, l.rows, l.order, l.places = n, d, kernel.NewRows(n, d, data), inOrder(n), make([]uint64, n)
	l.rows.Locate(l.places, l.order)
}

// inOrder returns 0 … n−1.
func inOrder(n int) []uint32 {
	order := make([]uint32, n)
	for i := range order {
		order[i] = uint32(i)
	}
	return order
}

// withColumn returns the first d numbers of n rows with one more behind them, that of last,
// or 1 if that is nil.
func withColumn(rows *kernel.Rows, n, d int, last []float64) []float64 {
	data := make([]float64, 0, n*(d+1))
	for i := range n {
		v := 1.0
		if last != nil {
			v = last[i]
		}
		data = append(append(data, rows.Row(i)[:d]...), v)
	}
	return data
}

// withIntercept returns the same loss with one more coordinate, that of a column of ones,
// which has no weight decay.
func (l *linear) withIntercept() linear {
	if l.free > 0 {
		panic("loss: there is an intercept already")
	}
	more := *l
	more.free = 1
	more.take(l.n, l.d+1, withColumn(l.rows, l.n, l.d, l.sign))
	return more
}

// Dim returns the number of columns of x, and one more with an intercept.
func (l *linear) Dim() int { return l.d }

// Samples returns N.
func (l *linear) Samples() int { return l.n }

// values returns Σ_k φ_i(t[k]), i = idx[k].
func (l *linear) values(t []float64, idx []uint32) float64 {
	var s float64
	switch l.link {
	case logisticLink:
		for _, v := range t {
			s += math.Max(-v, 0) + kernel.Log1(1+kernel.Exp1(-math.Abs(v)))
		}
	case squareLink:
		for k, i := range idx {
			r := t[k] - l.y[i]
			s = math.FMA(r/2, r, s)
		}
	case huberLink:
		for k, i := range idx {
			r := math.Abs(t[k] - l.y[i])
			q := math.Min(r, l.delta)
			s = math.FMA(q, r-q/2, s)
		}
	}
	return s
}

// slopes replaces each t by scale·φ_i′(t), i = idx[k].
func (l *linear) slopes(t []float64, idx []uint32, scale float64) {
	switch l.link {
	case logisticLink:
		kernel.Sigmoid(t, -scale, t)
	case squareLink:
		for k, i := range idx {
			t[k] = float64((t[k] - l.y[i]) * scale)
		}
	case huberLink:
		for k, i := range idx {
			t[k] = float64(math.Max(-l.delta, math.Min(l.delta, t[k]-l.y[i])) * scale)
		}
	}
}

// curvature returns φ_i″(t).
func (l *linear) curvature(t float64, i int) float64 {
	switch l.link {
	case logisticLink:
		e := kernel.Exp1(-math.Abs(t))
		return e / ((1 + e) * (1 + e))
	case huberLink:
		if math.Abs(t-l.y[i]) > l.delta {
			return 0
		}
	}
	return 1
}

// onStack is how many numbers methods keep on the stack, and inOne how many samples they take
// at a time.
const (
	onStack = 128
	inOne   = 256
)

// padded returns theta with zeros up to a stride, in buf if that will do.
func padded(buf, theta []float64, stride int) []float64 {
	if len(buf) < stride {
		buf = make([]float64, stride)
	}
	buf = buf[:stride]
	clear(buf[copy(buf, theta):])
	return buf
}

// Value returns L. It panics if theta is not of the dimension.
func (l *linear) Value(theta []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	var buf [onStack]float64
	var dots [inOne]float64
	p := padded(buf[:], theta, l.rows.Stride())
	var s, q float64
	for from := 0; from < l.n; from += inOne {
		idx := l.order[from:min(from+inOne, l.n)]
		t := dots[:len(idx)]
		l.rows.Dots(t, l.places[from:from+len(idx)], p)
		s += l.values(t, idx)
	}
	for _, v := range theta[:l.d-l.free] {
		q = math.FMA(v, v, q)
	}
	return math.FMA(l.ridge/2, q, s/float64(l.n))
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l *linear) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.d)
	var buf, part [onStack]float64
	var weights [inOne]float64
	p, sum := padded(buf[:], theta, l.rows.Stride()), padded(part[:], nil, l.rows.Stride())
	clear(dst)
	for from := 0; from < l.n; from += inOne {
		idx := l.order[from:min(from+inOne, l.n)]
		w := weights[:len(idx)]
		places := l.places[from : from+len(idx)]
		l.rows.Dots(w, places, p)
		l.slopes(w, idx, 1/float64(l.n))
		l.rows.Combine(sum, places, w, 0, sum)
		for j := range dst {
			dst[j] += sum[j]
		}
	}
	m := l.d - l.free
	kernel.Axpy(dst[:m], l.ridge, theta[:m])
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l *linear) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.d)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// SampleGradient stores ∇ℓ_i into dst. It panics if dst or theta is not of the dimension,
// or there is no such sample.
func (l *linear) SampleGradient(dst, theta []float64, i int) {
	l.SampleGradients(sde.Batch{Data: dst, Rows: 1, Cols: len(dst), Stride: len(dst)}, theta, i)
}

// SampleGradients implements sde.SampleGradients, with the bits of SampleGradient. It panics
// if dst or theta is not of the dimension, or there are no such samples.
func (l *linear) SampleGradients(dst sde.Batch, theta []float64, from int) {
	checkSamples(dst, theta, l.d)
	var buf [onStack]float64
	var slopes [inOne]float64
	p := padded(buf[:], theta, l.rows.Stride())
	for at := 0; at < dst.Rows; at += inOne {
		idx := l.order[from+at : from+min(at+inOne, dst.Rows)]
		t := slopes[:len(idx)]
		l.rows.Dots(t, l.places[from+at:from+at+len(idx)], p)
		l.slopes(t, idx, 1)
		for k, i := range idx {
			l.addDecay(dst.Row(at+k), theta, t[k], int(i))
		}
	}
}

// addDecay stores c times row i and the weight decay into dst.
func (l *linear) addDecay(dst, theta []float64, c float64, i int) {
	m, row := l.d-l.free, l.rows.Row(i)
	for j, v := range theta[:m] {
		dst[j] = math.FMA(c, row[j], float64(l.ridge*v))
	}
	for j := m; j < l.d; j++ {
		dst[j] = float64(c * row[j])
	}
}

// BindMinibatches implements sde.Minibatches.
func (l *linear) BindMinibatches(rows int) func(dst, x sde.Batch, samples []uint32) {
	stride := l.rows.Stride()
	theta, sum := make([]float64, rows*stride), make([]float64, rows*stride)
	var weights []float64
	var places []uint64
	return func(dst, x sde.Batch, samples []uint32) {
		if x.Rows == 0 {
			return
		}
		kernel.Repack(theta, stride, x.Data, x.Stride, l.d, x.Rows) // the padding stays 0
		b := len(samples) / x.Rows
		// Particles go together as long as their samples stay in the first level of cache.
		together := min(max(1, 64/b), x.Rows)
		if len(weights) < together*b {
			weights, places = make([]float64, together*b), make([]uint64, together*b)
		}
		decay := l.ridge
		if l.free > 0 {
			decay = 0 // not of all coordinates: see below
		}
		for first := 0; first < x.Rows; first += together {
			end := min(first+together, x.Rows)
			idx, t := samples[first*b:end*b], theta[first*stride:end*stride]
			w, at := weights[:len(idx)], places[:len(idx)]
			l.rows.Locate(at, idx)
			l.rows.Dots(w, at, t)
			l.slopes(w, idx, 1/float64(b))
			l.rows.Combine(sum[first*stride:end*stride], at, w, decay, t)
		}
		if l.free > 0 {
			for at := 0; at < x.Rows*stride; at += stride {
				m := at + l.d - l.free
				kernel.Axpy(sum[at:m], l.ridge, theta[at:m])
			}
		}
		kernel.Repack(dst.Data, dst.Stride, sum, stride, l.d, x.Rows)
	}
}

// Hessian stores (1/N) Σ_i φ_i″(x_i·θ) x_i x_iᵀ and the weight decay into dst. It panics if
// dst is not of length d² or theta not of the dimension.
func (l *linear) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.d)
	h := mat.NewSymDense(l.d, nil)
	var buf [onStack]float64
	p := padded(buf[:], theta, l.rows.Stride())
	var t [1]float64
	for i := range l.n {
		l.rows.Dots(t[:], l.places[i:i+1], p)
		if c := l.curvature(t[0], i); c != 0 {
			h.SymRankOne(h, c/float64(l.n), mat.NewVecDense(l.d, l.rows.Row(i)[:l.d]))
		}
	}
	for i := range l.d {
		for j := range l.d {
			dst[i*l.d+j] = h.At(i, j)
		}
		if i < l.d-l.free {
			dst[i*l.d+i] += l.ridge
		}
	}
}

// design returns the rows, and below them √(Nλ) for each coordinate with weight decay if
// that is above 0: least squares of it is least squares with decay.
func (l *linear) design() *mat.Dense {
	m := 0
	if l.ridge > 0 {
		m = l.d - l.free
	}
	a := mat.NewDense(l.n+m, l.d, nil)
	for i := range l.n {
		a.SetRow(i, l.rows.Row(i)[:l.d])
	}
	for j := range m {
		a.Set(l.n+j, j, math.Sqrt(float64(l.n)*l.ridge))
	}
	return a
}

// spans reports whether the design sees each direction of θ, to rounding.
func (l *linear) spans() bool {
	var svd mat.SVD
	return svd.Factorize(l.design(), mat.SVDNone) && svd.Rank(rounding*float64(max(l.n, l.d))) == l.d
}

// rounding is the distance from 1 to the next number.
const rounding = 0x1p-52
