// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

const (
	badRoot     = "noise: length of root is not d·m"
	badDiagonal = "noise: length of diagonal root is not d"
	badTheta    = "noise: length of theta is not d"
)

func isPositive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

// positive returns an error unless 0 < x < ∞.
func positive(field string, x float64) error {
	if isPositive(x) {
		return nil
	}
	return &sde.SettingError{Field: field, Value: x, Want: "a finite number above 0"}
}

// nonNegative returns an error unless 0 ≤ x < ∞.
func nonNegative(field string, x float64) error {
	if x == 0 || isPositive(x) {
		return nil
	}
	return &sde.SettingError{Field: field, Value: x, Want: "a finite number that is not negative"}
}
