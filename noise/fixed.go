// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

// Fixed is a schedule of one value.
type Fixed struct {
	Value float64 // finite and not negative
}

var _ Schedule = Fixed{}

// Validate returns an error if Value is negative or not finite.
func (s Fixed) Validate() error { return nonNegative("noise: Fixed.Value", s.Value) }

// At returns Value.
func (s Fixed) At(float64) float64 { return s.Value }
