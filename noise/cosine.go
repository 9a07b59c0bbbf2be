// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
)

// Cosine is a schedule that goes from one value to another by half a wave:
//
//	s(t) = b + (a − b)(1 + cos(πt/T))/2,   t < T,   b after that
//
// See I. Loshchilov & F. Hutter, 2017, SGDR: stochastic gradient descent with warm restarts, eq. 5.
type Cosine struct {
	From, To float64 // a and b, finite and not negative
	Duration float64 // T, finite and above 0
}

var _ Schedule = Cosine{}

// Validate returns an error if a value is negative, Duration is not positive, or one is not finite.
func (s Cosine) Validate() error {
	if err := nonNegative("noise: Cosine.From", s.From); err != nil {
		return err
	}
	if err := nonNegative("noise: Cosine.To", s.To); err != nil {
		return err
	}
	return positive("noise: Cosine.Duration", s.Duration)
}

// At returns the value at t.
func (s Cosine) At(t float64) float64 {
	if t >= s.Duration {
		return s.To
	}
	_, cos := kernel.SinCos1(math.Pi * (t / s.Duration))
	return s.To + float64((s.From-s.To)*((1+cos)/2))
}
