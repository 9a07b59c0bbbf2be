// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Set is a region of state space: a well, a ball, a target. It must be safe for
// concurrent use.
type Set interface {
	Contains(theta []float64) bool
}

// SetFunc is a set given by a function.
type SetFunc func(theta []float64) bool

// Contains returns f(theta).
func (f SetFunc) Contains(theta []float64) bool { return f(theta) }

// Smooth is an upgrade of a Set whose boundary is where a function that can be
// differentiated vanishes:
//
//	{θ : φ(θ) ≤ 0}
//
// It lets an observer tell how likely a path has crossed the boundary between two
// steps, and when.
type Smooth interface {
	Set
	// Level returns φ(θ): positive outside, 0 on the boundary, negative inside.
	Level(theta []float64) float64
	// LevelGradient stores ∇φ(θ) into dst.
	LevelGradient(dst, theta []float64)
}

// Faced is an upgrade of a Set that is a union of smooth ones, which Faces
// returns, nil if it is not.
type Faced interface {
	Faces() []Smooth
}

// FacesOf returns smooth sets whose union is s: its Faces, or s itself if it is
// Smooth, or nil if it is neither.
func FacesOf(s Set) []Smooth {
	if f, ok := s.(Faced); ok {
		return f.Faces()
	}
	if f, ok := s.(Smooth); ok {
		return []Smooth{f}
	}
	return nil
}

// ValidateSet returns an error that names what is wrong with a set for states of
// dim coordinates, or nil: what the set's method Validate(dim) says, if it has one.
func ValidateSet(s Set, dim int) error {
	if v, ok := s.(interface{ Validate(dim int) error }); ok {
		return v.Validate(dim)
	}
	return nil
}
