// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "math"

// Cyclic is a schedule that goes up from Low to High and down again, linearly, in each period. See
// L. N. Smith, 2017, Cyclical learning rates for training neural networks.
type Cyclic struct {
	Low, High float64 // finite and not negative
	Period    float64 // finite and above 0
}

var _ Schedule = Cyclic{}

// Validate returns an error if a value is negative, Period is not positive, or one is not finite.
func (s Cyclic) Validate() error {
	if err := nonNegative("noise: Cyclic.Low", s.Low); err != nil {
		return err
	}
	if err := nonNegative("noise: Cyclic.High", s.High); err != nil {
		return err
	}
	return positive("noise: Cyclic.Period", s.Period)
}

// At returns the value at t.
func (s Cyclic) At(t float64) float64 {
	phase := t / s.Period
	phase -= math.Floor(phase)
	return s.Low + float64((s.High-s.Low)*(1-math.Abs(2*phase-1)))
}
