// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package conformance holds what the batteries for a person's loss, noise and
// schemes have in common: derivatives to compare with, and a look at which optional
// interfaces a value has, or seems to be meant to have.
package conformance

import (
	"math"
	"slices"
	"testing"
)

// Report reports each of the errors that were joined by errors.Join, by t.Error.
func Report(t testing.TB, err error) {
	t.Helper()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			t.Error(e)
		}
	} else if err != nil {
		t.Error(err)
	}
}

// Fill sets all of x to v.
func Fill(x []float64, v float64) {
	for i := range x {
		x[i] = v
	}
}

// Largest returns the largest |x_i|.
func Largest(x []float64) float64 {
	var m float64
	for _, v := range x {
		m = math.Max(m, math.Abs(v))
	}
	return m
}

// SameBits reports whether x and y are of the same length and the same bits.
func SameBits(x, y []float64) bool {
	return slices.EqualFunc(x, y, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
}
