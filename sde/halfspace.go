// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/kernel"
)

// HalfSpace is the set
//
//	{θ : n·θ ≥ c}
//
// with n not 0, of any length.
type HalfSpace struct {
	Normal []float64 // n
	Offset float64   // c
}

var _ Smooth = HalfSpace{}

// Validate returns an error that names what is wrong with the half-space, or nil.
func (s HalfSpace) Validate(dim int) error {
	if len(s.Normal) != dim {
		return &SettingError{"sde: HalfSpace.Normal", s.Normal, fmt.Sprintf("%d coordinates", dim), ErrDimension}
	}
	if n := kernel.SumSquares(s.Normal, 0); !(n > 0) || !kernel.AllFinite([]float64{n, s.Offset}) {
		return &SettingError{"sde: HalfSpace", fmt.Sprint(s), "finite numbers, and a normal that is not 0", nil}
	}
	return nil
}

// Contains reports whether n·θ ≥ c.
func (s HalfSpace) Contains(theta []float64) bool { return s.Level(theta) <= 0 }

// Level returns c − n·θ.
func (s HalfSpace) Level(theta []float64) float64 {
	sum := s.Offset
	for i, n := range s.Normal {
		sum -= float64(n * theta[i])
	}
	return sum
}

// LevelGradient stores −n.
func (s HalfSpace) LevelGradient(dst, theta []float64) {
	for i, n := range s.Normal {
		dst[i] = -n
	}
}
