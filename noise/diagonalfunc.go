// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// DiagonalFunc is noise with a diagonal root that a person's function computes:
//
//	B(θ, t) = diag(b_1(θ, t) … b_d(θ, t)),   D_ii = b_i²/2
type DiagonalFunc struct {
	// State is d, the number of coordinates, at least 1.
	State int
	// B stores b_i(θ, t) into dst, of length State. It must be safe for concurrent
	// use and not write to theta.
	B func(dst, theta []float64, t float64)
	// Of is the class of the noise: sde.Diagonal if each b_i depends on θ_i and t
	// alone. The zero value, sde.General, is always right.
	Of sde.NoiseClass
}

var (
	_ sde.Diffusion    = DiagonalFunc{}
	_ sde.Classified   = DiagonalFunc{}
	_ sde.DiagonalRoot = DiagonalFunc{}
)

// Validate returns an error if the dimension is below 1, B is nil or the class is none.
func (n DiagonalFunc) Validate() error {
	switch {
	case n.State < 1:
		return &sde.SettingError{Field: "noise: DiagonalFunc.State", Value: n.State, Want: "at least 1", Err: sde.ErrDimension}
	case n.B == nil:
		return &sde.SettingError{Field: "noise: DiagonalFunc.B", Want: "a function that stores the root's diagonal"}
	}
	return checkClass("noise: DiagonalFunc.Of", n.Of)
}

// Dims returns State, State, and −1, −1 if that is below 1.
func (n DiagonalFunc) Dims() (state, noise int) { return atLeastOne(n.State), atLeastOne(n.State) }

// Class returns Of, and sde.Diagonal in place of a wider class if State is 1.
func (n DiagonalFunc) Class() sde.NoiseClass {
	if n.State == 1 {
		return max(n.Of, sde.Diagonal)
	}
	return n.Of
}

// Root stores the diagonal matrix of b_i(θ, t) into dst. It panics if dst or
// theta is of another length than it should be.
func (n DiagonalFunc) Root(dst, theta []float64, t float64) {
	d := n.State
	if len(dst) != d*d {
		panic(badRoot)
	}
	clear(dst[d:])
	n.DiagonalRoot(dst[:d], theta, t)
	for i := d - 1; i > 0; i-- {
		dst[i*d+i], dst[i] = dst[i], 0
	}
}

// DiagonalRoot calls B. It panics if dst or theta is not of length State.
func (n DiagonalFunc) DiagonalRoot(dst, theta []float64, t float64) {
	if len(theta) != n.State {
		panic(badTheta)
	}
	if len(dst) != n.State {
		panic(badDiagonal)
	}
	n.B(dst, theta, t)
}
