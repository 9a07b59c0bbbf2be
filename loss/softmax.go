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

// Softmax is the mean loss of multinomial logistic regression on N samples (x_i, y_i), y_i a
// class of 0 … K−1, with weight decay λ. θ is a row w_k of p coordinates for each class:
//
//	L(θ) = (1/N) Σ_i (log Σ_k exp(x_i·w_k) − x_i·w_{y_i}) + ½ λ|θ|²
//	∂ℓ_i/∂w_k = (p_ik − 1{k = y_i}) x_i + λ w_k,   p_ik = exp(x_i·w_k)/Σ_m exp(x_i·w_m)
//
// A vector added to all w_k changes nothing but the weight decay, so that without it there
// is no single minimum. There are no intercepts unless they are asked for, by
// WithIntercept. Use NewSoftmax.
//
// C. M. Bishop, 2006, Pattern Recognition and Machine Learning, Springer, eqs. 4.104–4.110.
type Softmax struct {
	sampled
	rows    *kernel.Rows
	width   int // p
	labels  []int
	classes int
}

var (
	_ sde.FiniteSum       = (*Softmax)(nil)
	_ sde.Minibatches     = (*Softmax)(nil)
	_ sde.SampleGradients = (*Softmax)(nil)
	_ sde.BatchGradient   = (*Softmax)(nil)
	_ sde.FlippedGradient = (*Softmax)(nil)
	_ sde.Hessian         = (*Softmax)(nil)
	_ sde.Normalizable    = (*Softmax)(nil)
)

// NewSoftmax returns the loss of the rows of x and their labels y, whole numbers below
// classes, all of which it copies. It returns an error if there are no samples, numbers
// differ, an x is not finite (naming row and column), a label is no such number, there
// are fewer than two classes, or ridge is negative or not finite.
func NewSoftmax(x *mat.Dense, y []float64, classes int, ridge float64) (*Softmax, error) {
	if err := checkData("NewSoftmax", x, y); err != nil {
		return nil, err
	}
	if err := checkFrom0("NewSoftmax ridge", ridge); err != nil {
		return nil, err
	}
	labels, err := classLabels("NewSoftmax", y, classes)
	if err != nil {
		return nil, err
	}
	n, d := x.Dims()
	return newSoftmax(kernel.NewRows(n, d, mat.DenseCopyOf(x).RawMatrix().Data), n, d, 0, labels, classes, ridge), nil
}

func newSoftmax(rows *kernel.Rows, n, width, free int, labels []int, classes int, ridge float64) *Softmax {
	l := &Softmax{rows: rows, width: width, labels: labels, classes: classes}
	l.set(width*classes, n, 64, ridge, func() pass {
		m := l.most
		return &softmaxPass{l: l, planes: newPlanes(rows, classes, m), largest: make([]float64, m), total: make([]float64, m), own: make([]float64, m)}
	})
	l.period, l.free = width, free
	return l
}

// classLabels returns labels as whole numbers, or an error if one is none of 0 … classes−1.
func classLabels(name string, y []float64, classes int) ([]int, error) {
	if classes < 2 {
		return nil, &sde.SettingError{Field: "loss: " + name + " classes", Value: classes, Want: "2 or more"}
	}
	labels := make([]int, len(y))
	for i, v := range y {
		if !(v >= 0 && v < float64(classes)) || v != math.Trunc(v) {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: %s y[%d]", name, i), Value: v, Want: fmt.Sprintf("a whole number from 0 to %d", classes-1)}
		}
		labels[i] = int(v)
	}
	return labels, nil
}

// WithIntercept returns the loss of the same data with one more coordinate for each class,
// the last of its row: an intercept, which has no weight decay. It panics if there is one
// already.
func (l *Softmax) WithIntercept() *Softmax {
	if l.free > 0 {
		panic("loss: there is an intercept already")
	}
	p := l.width + 1
	data := withColumn(l.rows, l.n, l.width, nil)
	return newSoftmax(kernel.NewRows(l.n, p, data), l.n, p, 1, l.labels, l.classes, l.ridge)
}

// Classes returns K.
func (l *Softmax) Classes() int { return l.classes }

// FlippedGradient implements sde.FlippedGradient: it stores ∇ℓ_i for the label (y_i + k) mod K
// into dst. It panics as SampleGradient does, and if k is not from 1 to K−1.
func (l *Softmax) FlippedGradient(dst, theta []float64, i, k int) {
	checkFlip(k, l.classes)
	l.SampleGradient(dst, theta, i)
	w, y := l.width, l.labels[i]
	x := l.rows.Row(i)[:w]
	kernel.Axpy(dst[y*w:][:w], 1, x)
	kernel.Axpy(dst[(y+k)%l.classes*w:][:w], -1, x)
}

// checkFlip panics unless k is a number of places that a label can be on.
func checkFlip(k, classes int) {
	if k < 1 || classes <= k {
		panic("loss: a label flips by at least one place, and by less than the number of classes")
	}
}

type softmaxPass struct {
	planes
	l                   *Softmax
	largest, total, own []float64 // of each sample
}

func (p *softmaxPass) load(theta []float64) { p.planes.load(theta, p.l.width, p.l.width) }

// softmax replaces logits by probabilities. Those of class k and sample s are in t[k·b+s], with
// b the length of largest and total, which receive the largest logit of each sample and what the
// exponentials of the differences from it sum to.
func softmax(t, largest, total []float64) {
	b := len(total)
	copy(largest, t)
	for at := b; at < len(t); at += b {
		for s, v := range t[at : at+b] {
			if !(v <= largest[s]) { // a NaN shows in all
				largest[s] = v
			}
		}
	}
	for at := 0; at < len(t); at += b {
		kernel.Axpy(t[at:at+b], -1, largest)
	}
	kernel.Exp(t, t)
	clear(total)
	for at := 0; at < len(t); at += b {
		kernel.Axpy(total, 1, t[at:at+b])
	}
	for at := 0; at < len(t); at += b {
		for s, v := range total {
			t[at+s] /= v
		}
	}
}

func (p *softmaxPass) value(samples []uint32) (v float64) {
	t, b := p.dots(samples), len(samples)
	own := p.own[:b]
	for s, i := range samples {
		own[s] = t[p.l.labels[i]*b+s]
	}
	softmax(t, p.largest[:b], p.total[:b])
	for s, m := range p.largest[:b] {
		v += kernel.Log1(p.total[s]) + (m - own[s])
	}
	return v
}

func (p *softmaxPass) add(dst []float64, samples []uint32, scale float64) {
	t, b := p.dots(samples), len(samples)
	softmax(t, p.largest[:b], p.total[:b])
	for s, i := range samples {
		t[p.l.labels[i]*b+s]--
	}
	kernel.Scale(t, scale, t)
	p.planes.add(dst, p.l.width, p.l.width, t)
}

// Hessian stores the second derivatives into dst, whose block of classes k and m is
//
//	(1/N) Σ_i p_ik (1{k = m} − p_im) x_i x_iᵀ
//
// and the weight decay. It panics if dst is not of length d² or theta not of the dimension.
func (l *Softmax) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.d)
	p := l.pass().(*softmaxPass)
	defer l.passes.Put(p)
	p.load(theta)
	clear(dst)
	w := l.width
	for i := range l.n {
		t := p.dots(l.order[i : i+1])
		softmax(t, p.largest[:1], p.total[:1])
		row := l.rows.Row(i)[:w]
		for k := range l.classes {
			for m := range l.classes {
				c := -float64(t[k] * t[m])
				if k == m {
					c += t[k]
				}
				c /= float64(l.n)
				for a, v := range row {
					kernel.Axpy(dst[(k*w+a)*l.d+m*w:][:w], float64(c*v), row)
				}
			}
		}
	}
	for j := range l.d {
		if j%w < w-l.free {
			dst[j*l.d+j] += l.ridge
		}
	}
}

// Normalizable reports whether temperature and weight decay are above 0 and there are no
// intercepts, of which all may grow together. Without decay it is never so.
func (l *Softmax) Normalizable(temperature float64) bool {
	return temperature > 0 && l.ridge > 0 && l.free == 0
}
