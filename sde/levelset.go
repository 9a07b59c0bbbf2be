// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import "math"

// LevelSet is where a loss is above a value, or below it:
//
//	{θ : L(θ) ≥ c}  or  {θ : L(θ) < c}
type LevelSet struct {
	Loss  Loss
	Value float64 // c
	Below bool    // L < c in place of L ≥ c
}

var _ Smooth = LevelSet{}

// Validate returns an error that names what is wrong with the set, or nil.
func (s LevelSet) Validate(dim int) error {
	if s.Loss == nil {
		return &SettingError{"sde: LevelSet.Loss", nil, "a loss", nil}
	}
	if d := s.Loss.Dim(); d != dim {
		return &SettingError{"sde: LevelSet.Loss.Dim()", d, "that of the states", ErrDimension}
	}
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		return &SettingError{"sde: LevelSet.Value", s.Value, "a finite value", nil}
	}
	return nil
}

// Contains reports whether L(θ) ≥ c, or L(θ) < c if Below is set.
func (s LevelSet) Contains(theta []float64) bool { return (s.Loss.Value(theta) < s.Value) == s.Below }

// Level returns c − L(θ), or L(θ) − c if Below is set.
func (s LevelSet) Level(theta []float64) float64 {
	if s.Below {
		return s.Loss.Value(theta) - s.Value
	}
	return s.Value - s.Loss.Value(theta)
}

// LevelGradient stores −∇L, or ∇L if Below is set.
func (s LevelSet) LevelGradient(dst, theta []float64) {
	s.Loss.Gradient(dst, theta)
	if !s.Below {
		for i, v := range dst {
			dst[i] = -v
		}
	}
}
