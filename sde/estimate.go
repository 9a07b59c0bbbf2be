// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import "fmt"

// Estimate is a number with its standard error, taken from the scatter between
// groups of particles that are independent of one another.
type Estimate struct {
	Value  float64
	StdErr float64 // NaN where it cannot be told
	Groups int     // how many groups the standard error rests on
}

// String returns "value ± standard error" to two significant digits of the error.
func (e Estimate) String() string {
	if !(e.StdErr > 0) {
		return fmt.Sprintf("%.6g", e.Value)
	}
	digits := 1
	for s := e.StdErr; s < 1 && digits < 15; s *= 10 {
		digits++
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, e.Value, digits, e.StdErr)
}
