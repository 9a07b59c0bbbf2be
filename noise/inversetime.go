// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

// InverseTime is the schedule
//
//	s(t) = a/(1 + rt)
//
// of H. Robbins & S. Monro, 1951, A stochastic approximation method: as a temperature it goes to 0,
// so slowly that ∫s dt diverges.
type InverseTime struct {
	Initial float64 // a, finite and not negative
	Rate    float64 // r, finite and not negative
}

var _ Schedule = InverseTime{}

// Validate returns an error if a number is negative or not finite.
func (s InverseTime) Validate() error {
	if err := nonNegative("noise: InverseTime.Initial", s.Initial); err != nil {
		return err
	}
	return nonNegative("noise: InverseTime.Rate", s.Rate)
}

// At returns the value at t.
func (s InverseTime) At(t float64) float64 { return s.Initial / (1 + float64(s.Rate*t)) }
