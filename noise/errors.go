// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

const (
	badRoot     = "noise: length of root is not d·m"
	badDiagonal = "noise: length of diagonal root is not d"
	badTheta    = "noise: length of theta is not d"

	badCovariance = "noise: length of covariance is not d²"
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

// checkSampler returns an error if there is no sampler, or it refuses itself.
func checkSampler(field string, s sde.GradientSampler) error {
	if s == nil {
		return &sde.SettingError{Field: field, Want: "a sampler of gradients, such as noise.WithReplacement"}
	}
	return validate(s)
}

// validate calls the method of this name, if there is one.
func validate(x any) error {
	if v, ok := x.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// checkWhite returns an error if the noise of a sampler's steps is correlated: asked twice at one
// place of the stream it would give the same noise, and its noise is none of a flow.
func checkWhite(field string, s sde.GradientSampler) error {
	if n := sde.CorrelationStepsOf(s); n != 0 {
		return &sde.SettingError{Field: field, Value: fmt.Sprintf("a %T, whose noise is correlated over %d steps", s, n),
			Want: "a sampler whose steps are independent, such as noise.WithoutReplacement"}
	}
	return nil
}
