// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// poly returns c0 + c1 x + c2 x² + …, by Horner's rule, each step fused.
func poly(x float64, c ...float64) float64 {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = math.FMA(s, x, c[i])
	}
	return s
}

// root is a critical point of a function of one coordinate: index 0 is a minimum.
type root struct {
	at    float64
	index int
}

// mostPoints is how many critical points a loss lists.
const mostPoints = 20_000

// product returns the critical points of the sum over d coordinates of a function
// with the given ones, nil if they are more than mostPoints.
func product(l sde.Loss, roots []root) []sde.CriticalPoint {
	d, n := l.Dim(), 1
	for range d {
		if n *= len(roots); n > mostPoints {
			return nil
		}
	}
	all := make([]sde.CriticalPoint, n)
	for k := range all {
		p := &all[k]
		p.Theta = make([]float64, d)
		rest := k
		for i := range p.Theta {
			r := roots[rest%len(roots)]
			p.Theta[i] = r.at
			p.Index += r.index
			rest /= len(roots)
		}
		p.Value = l.Value(p.Theta)
	}
	return all
}

// sharpest returns the largest eigenvalue of the Hessian over the minima of l, 0 if they
// are not known.
func sharpest(l sde.Loss) float64 {
	d := l.Dim()
	var most float64
	for _, p := range sde.Minima(l) {
		h := make([]float64, d*d)
		hessian(l, h, p.Theta)
		var e mat.EigenSym
		if e.Factorize(mat.NewSymDense(d, h), false) {
			most = math.Max(most, e.Values(nil)[d-1])
		}
	}
	return most
}

// dimOr returns d, or its default if it is 0.
func dimOr(d, ifZero int) int {
	if d == 0 {
		return ifZero
	}
	return d
}

// checkD returns an error if a dimension is below the least; 0 is its default.
func checkD(name string, d, least, ifZero int) error {
	if d != 0 && d < least || d < 0 {
		return &sde.SettingError{Field: "loss: " + name + ".D", Value: d, Want: fmt.Sprintf("%d or more, or 0 for %d", least, ifZero)}
	}
	return nil
}
