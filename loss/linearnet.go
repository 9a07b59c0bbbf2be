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

// LinearNet is the loss of a deep linear network on whitened data with a linear teacher,
//
//	L(W_1, …, W_K) = ½ ‖W_K ⋯ W_1 − M‖²
//
// with ‖·‖ Frobenius's norm. θ holds W_1, …, W_K one after the other, each row-major; W_k is
// of Widths[k]×Widths[k−1]. All minima are global, and there are saddles between, which
// descent from small weights comes past one by one. The minima are not isolated and exp(−L/T)
// is not normalisable: add a Ridge.
//
// A. Saxe, J. McClelland & S. Ganguli, 2014, Exact solutions to the nonlinear dynamics of
// learning in deep linear neural networks, ICLR, § 1.2; K. Kawaguchi, 2016, Deep learning
// without poor local minima, NIPS, theorem 2.3.
type LinearNet struct {
	widths []int
	target []float64 // M, row-major
	starts []int     // of the layers in θ, and the end
	most   int       // the largest product of two widths
}

var (
	_ sde.Loss          = (*LinearNet)(nil)
	_ sde.BatchGradient = (*LinearNet)(nil)
	_ sde.Hessian       = (*LinearNet)(nil)
	_ sde.Laplacian     = (*LinearNet)(nil)
	_ sde.Normalizable  = (*LinearNet)(nil)
)

// NewLinearNet returns the loss of a network of the given widths, inputs first, outputs
// last, for a target M of outputs×inputs, which is copied. It returns an *sde.SettingError
// if there are fewer than two layers, a width is below 1, or M does not match or is not finite.
func NewLinearNet(target mat.Matrix, widths ...int) (*LinearNet, error) {
	if len(widths) < 3 {
		return nil, &sde.SettingError{Field: "loss: LinearNet widths", Value: widths, Want: "at least three numbers: inputs, hidden units, outputs", Err: sde.ErrDimension}
	}
	l := &LinearNet{widths: append([]int(nil), widths...), starts: []int{0}}
	for k, w := range widths {
		if w < 1 {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: LinearNet widths[%d]", k), Value: w, Want: "at least 1", Err: sde.ErrDimension}
		}
		if k > 0 {
			l.starts = append(l.starts, l.starts[k-1]+w*widths[k-1])
		}
		for _, v := range widths {
			l.most = max(l.most, w*v)
		}
	}
	out, in := widths[len(widths)-1], widths[0]
	if target == nil {
		return nil, &sde.SettingError{Field: "loss: LinearNet target", Value: nil, Want: "a matrix of outputs×inputs"}
	}
	if r, c := target.Dims(); r != out || c != in {
		return nil, &sde.SettingError{Field: "loss: LinearNet target", Value: fmt.Sprintf("%d×%d", r, c), Want: fmt.Sprintf("%d×%d, outputs×inputs", out, in), Err: sde.ErrDimension}
	}
	for i := range out {
		for j := range in {
			v := target.At(i, j)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &sde.SettingError{Field: fmt.Sprintf("loss: LinearNet target[%d,%d]", i, j), Value: v, Want: "a finite number"}
			}
			l.target = append(l.target, v)
		}
	}
	return l, nil
}

// Validate returns an error for a LinearNet that NewLinearNet did not make.
func (l *LinearNet) Validate() error {
	if l == nil || len(l.widths) == 0 {
		return &sde.SettingError{Field: "loss: LinearNet", Value: "no layers", Want: "one made by NewLinearNet"}
	}
	return nil
}

// Dim returns the number of weights.
func (l *LinearNet) Dim() int { return l.starts[len(l.starts)-1] }

// layers returns K.
func (l *LinearNet) layers() int { return len(l.widths) - 1 }

// weights returns W_k, k from 1.
func (l *LinearNet) weights(theta []float64, k int) []float64 {
	return theta[l.starts[k-1]:l.starts[k]]
}

// multiplyInto stores the product of a, r×s, and b, s×c, into dst.
func multiplyInto(dst, a, b []float64, r, s, c int) {
	clear(dst[:r*c])
	for i := range r {
		for k := range s {
			kernel.Axpy(dst[i*c:(i+1)*c], a[i*s+k], b[k*c:(k+1)*c])
		}
	}
}

// products stores the identity and W_k⋯W_1 for k = 1 … K into p, most numbers each, and
// returns the last less the target, in its place.
func (l *LinearNet) products(p, theta []float64) (residual []float64) {
	in := l.widths[0]
	clear(p[:in*in])
	for i := range in {
		p[i*in+i] = 1
	}
	for k := 1; k <= l.layers(); k++ {
		multiplyInto(p[k*l.most:], l.weights(theta, k), p[(k-1)*l.most:], l.widths[k], l.widths[k-1], in)
	}
	residual = p[l.layers()*l.most:][:len(l.target)]
	kernel.Axpy(residual, -1, l.target)
	return residual
}

// Value returns L. It panics if theta is not of the dimension.
func (l *LinearNet) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	p := borrow((l.layers() + 1) * l.most)
	defer scratch.Put(p)
	e := l.products(*p, theta)
	return kernel.Dot(e, e) / 2
}

// Gradient stores ∇L into dst,
//
//	∂L/∂W_k = (W_K ⋯ W_{k+1})ᵀ E (W_{k−1} ⋯ W_1)ᵀ,   E = W_K ⋯ W_1 − M
//
// It panics if dst or theta is not of the dimension.
func (l *LinearNet) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	n := l.layers()
	data := borrow((n + 3) * l.most)
	defer scratch.Put(data)
	p := *data
	e := l.products(p, theta)
	back, next := p[(n+1)*l.most:(n+2)*l.most], p[(n+2)*l.most:]
	in := l.widths[0]
	copy(back, e) // (W_K ⋯ W_{k+1})ᵀ E, of Widths[k]×inputs
	for k := n; k >= 1; k-- {
		w := l.weights(theta, k)
		rows, cols := l.widths[k], l.widths[k-1]
		g := dst[l.starts[k-1]:l.starts[k]]
		before := p[(k-1)*l.most:]
		for i := range rows {
			for j := range cols {
				g[i*cols+j] = kernel.Dot(back[i*in:(i+1)*in], before[j*in:(j+1)*in])
			}
		}
		clear(next[:cols*in])
		for i := range rows {
			for j := range cols {
				kernel.Axpy(next[j*in:(j+1)*in], w[i*cols+j], back[i*in:(i+1)*in])
			}
		}
		back, next = next, back
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l *LinearNet) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the matrix of second derivatives into dst, column by column: L is a
// polynomial, so that the derivative of ∇L along a weight follows from products in which
// the weight's matrix is replaced by a unit. It allocates, and takes d gradients' time
// times K. It panics if dst is not of length d² or theta not of length d.
func (l *LinearNet) Hessian(dst, theta []float64) {
	d, n := l.Dim(), l.layers()
	checkHessian(dst, theta, d)
	in := l.widths[0]
	p := make([]float64, (n+1)*l.most)
	e := append([]float64(nil), l.products(p, theta)...)
	dp := make([]float64, (n+1)*l.most) // of the products, along the weight
	back, dback := make([]float64, l.most), make([]float64, l.most)
	next, dnext := make([]float64, l.most), make([]float64, l.most)
	for c := range d {
		layer := 1
		for l.starts[layer] <= c {
			layer++
		}
		ci, cj := (c-l.starts[layer-1])/l.widths[layer-1], (c-l.starts[layer-1])%l.widths[layer-1]
		clear(dp)
		for k := layer; k <= n; k++ {
			q := dp[k*l.most:]
			if k == layer {
				copy(q[ci*in:(ci+1)*in], p[(k-1)*l.most+cj*in:])
				continue
			}
			multiplyInto(q, l.weights(theta, k), dp[(k-1)*l.most:], l.widths[k], l.widths[k-1], in)
		}
		copy(back, e)
		copy(dback, dp[n*l.most:][:len(e)])
		for k := n; k >= 1; k-- {
			w := l.weights(theta, k)
			rows, cols := l.widths[k], l.widths[k-1]
			before, dbefore := p[(k-1)*l.most:], dp[(k-1)*l.most:]
			for i := range rows {
				for j := range cols {
					dst[(l.starts[k-1]+i*cols+j)*d+c] = kernel.Dot(dback[i*in:(i+1)*in], before[j*in:(j+1)*in]) +
						kernel.Dot(back[i*in:(i+1)*in], dbefore[j*in:(j+1)*in])
				}
			}
			clear(next[:cols*in])
			clear(dnext[:cols*in])
			for i := range rows {
				for j := range cols {
					kernel.Axpy(next[j*in:(j+1)*in], w[i*cols+j], back[i*in:(i+1)*in])
					kernel.Axpy(dnext[j*in:(j+1)*in], w[i*cols+j], dback[i*in:(i+1)*in])
				}
			}
			if k == layer {
				kernel.Axpy(dnext[cj*in:(cj+1)*in], 1, back[ci*in:(ci+1)*in])
			}
			back, next = next, back
			dback, dnext = dnext, dback
		}
	}
	for i := range d {
		for j := range i {
			m := float64((dst[i*d+j] + dst[j*d+i]) / 2)
			dst[i*d+j], dst[j*d+i] = m, m
		}
	}
}

// Laplacian returns the trace of the Hessian. It panics if theta is not of the dimension.
func (l *LinearNet) Laplacian(theta []float64) float64 { return laplacian(traceOnly{l}, theta) }

// traceOnly is a loss without a Laplacian of its own.
type traceOnly struct{ l *LinearNet }

func (t traceOnly) Dim() int                      { return t.l.Dim() }
func (t traceOnly) Value(theta []float64) float64 { return t.l.Value(theta) }
func (t traceOnly) Gradient(dst, theta []float64) { t.l.Gradient(dst, theta) }
func (t traceOnly) Hessian(dst, theta []float64)  { t.l.Hessian(dst, theta) }

// Normalizable returns false.
func (*LinearNet) Normalizable(temperature float64) bool { return false }
