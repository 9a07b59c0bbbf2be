// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
)

// Ball is the set
//
//	{θ : |θ − c| ≤ r}
type Ball struct {
	Center []float64 // c
	Radius float64   // r, positive
}

var _ Smooth = Ball{}

// Validate returns an error that names what is wrong with the ball, or nil.
func (b Ball) Validate(dim int) error {
	if len(b.Center) != dim {
		return &SettingError{"sde: Ball.Center", b.Center, fmt.Sprintf("%d coordinates", dim), ErrDimension}
	}
	if !kernel.AllFinite(b.Center) {
		return &SettingError{"sde: Ball.Center", b.Center, "finite coordinates", nil}
	}
	if !(b.Radius > 0) || math.IsInf(b.Radius, 1) {
		return &SettingError{"sde: Ball.Radius", b.Radius, "a positive, finite radius", nil}
	}
	return nil
}

// Contains reports whether theta is in the closed ball.
func (b Ball) Contains(theta []float64) bool { return b.Level(theta) <= 0 }

// Level returns |θ − c| − r, the signed distance.
func (b Ball) Level(theta []float64) float64 { return b.distance(theta) - b.Radius }

func (b Ball) distance(theta []float64) float64 {
	var sum float64
	for i, c := range b.Center {
		d := theta[i] - c
		sum += float64(d * d)
	}
	return math.Sqrt(sum)
}

// LevelGradient stores (θ − c)/|θ − c|, and 0 at the centre.
func (b Ball) LevelGradient(dst, theta []float64) {
	r := b.distance(theta)
	for i, c := range b.Center {
		if dst[i] = 0; r > 0 {
			dst[i] = (theta[i] - c) / r
		}
	}
}
