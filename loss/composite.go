// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"
	"sync"

	"github.com/sgflow/sgflow/sde"
)

// The composites (Sum, Scaled, Shifted, Rotated, Tilted, Ridge, Rippled) pass on what
// their parts know. A part without a batch gradient is asked row by row, one without a
// Hessian gives it by central differences of its gradient.

// scratch is memory for gradients of parts: a loss is called from many goroutines and
// may not allocate at each call.
var scratch = sync.Pool{New: func() any { return new([]float64) }}

// borrow returns n numbers, to be given back by scratch.Put.
func borrow(n int) *[]float64 {
	p := scratch.Get().(*[]float64)
	if cap(*p) < n {
		*p = make([]float64, n)
	}
	*p = (*p)[:n]
	return p
}

// batchOf returns n numbers as a batch of d columns.
func batchOf(data []float64, rows, d int) sde.Batch {
	return sde.Batch{Data: data[:rows*d], Rows: rows, Cols: d, Stride: d}
}

// batchGradient stores the gradients of l at the rows of x into dst.
func batchGradient(l sde.Loss, dst, x sde.Batch) {
	if b, ok := l.(sde.BatchGradient); ok {
		b.BatchGradient(dst, x)
		return
	}
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// hessian stores the Hessian of l into dst: its own, or by central differences of its
// gradient, which are good to about 1e-10 relative and allocate.
func hessian(l sde.Loss, dst, theta []float64) {
	if h, ok := l.(sde.Hessian); ok {
		h.Hessian(dst, theta)
		return
	}
	d := len(theta)
	x, up, down := append([]float64(nil), theta...), make([]float64, d), make([]float64, d)
	for i, v := range theta {
		h := float64(6.055454452393343e-06 * math.Max(1, math.Abs(v))) // cube root of 2⁻⁵²
		hi, lo := v+h, v-h
		x[i] = hi
		l.Gradient(up, x)
		x[i] = lo
		l.Gradient(down, x)
		x[i] = v
		for j := range up {
			dst[i*d+j] = (up[j] - down[j]) / (hi - lo)
		}
	}
	for i := range d {
		for j := range i {
			m := (dst[i*d+j] + dst[j*d+i]) / 2
			dst[i*d+j], dst[j*d+i] = m, m
		}
	}
}

// laplacian returns the Laplacian of l: its own, or the trace of the Hessian, for which
// it allocates.
func laplacian(l sde.Loss, theta []float64) float64 {
	if m, ok := l.(sde.Laplacian); ok {
		return m.Laplacian(theta)
	}
	d := len(theta)
	h := make([]float64, d*d)
	hessian(l, h, theta)
	var s float64
	for i := range d {
		s += h[i*d+i]
	}
	return s
}

// curvature returns what l declares as its Curvature, or else the largest eigenvalue of
// its Hessian over its minima, 0 if they are not known.
func curvature(l sde.Loss) float64 {
	if c, ok := l.(sde.Curvature); ok {
		return c.Curvature()
	}
	return sharpest(l)
}

// normalizable returns what l declares, true if it does not.
func normalizable(l sde.Loss, temperature float64) bool {
	if n, ok := l.(sde.Normalizable); ok {
		return n.Normalizable(temperature)
	}
	return temperature > 0
}

// mapped returns the critical points of l with their places and values changed.
func mapped(l sde.Loss, theta func(dst, x []float64), value func(v float64) float64) []sde.CriticalPoint {
	c, ok := l.(sde.Charted)
	if !ok {
		return nil
	}
	all := append([]sde.CriticalPoint(nil), c.CriticalPoints()...)
	for i := range all {
		x := make([]float64, len(all[i].Theta))
		theta(x, all[i].Theta)
		all[i].Theta, all[i].Value = x, value(all[i].Value)
	}
	return all
}

// checkPart validates the part of a composite.
func checkPart(field string, l sde.Loss) error {
	if l == nil {
		return &sde.SettingError{Field: "loss: " + field, Value: nil, Want: "a loss"}
	}
	if v, ok := l.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	if d := l.Dim(); d < 1 {
		return &sde.SettingError{Field: "loss: " + field, Value: fmt.Sprintf("a loss of dimension %d", d), Want: "at least 1", Err: sde.ErrDimension}
	}
	return nil
}

// checkVector validates a vector that must have the dimension of the part.
func checkVector(field string, v []float64, d int) error {
	if len(v) != d {
		return &sde.SettingError{Field: "loss: " + field, Value: fmt.Sprintf("%d coordinates", len(v)), Want: fmt.Sprintf("%d, the dimension of the loss", d), Err: sde.ErrDimension}
	}
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return &sde.SettingError{Field: fmt.Sprintf("loss: %s[%d]", field, i), Value: x, Want: "a finite number"}
		}
	}
	return nil
}
