// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// Func is noise whose root a person's function computes:
//
//	D(θ, t) = ½ B(θ, t) B(θ, t)ᵀ
//
// A type of one's own with methods Dims and Root does the same and can have the
// upgrades of an sde.Diffusion as well, such as the derivatives of the root.
type Func struct {
	// State is d, the number of coordinates, and Noise m, the number of
	// components of the noise; both at least 1.
	State, Noise int
	// B stores B(θ, t) row-major into dst, of length State·Noise:
	// dst[i*Noise+k] = B_ik. It must be safe for concurrent use and not write to theta.
	B func(dst, theta []float64, t float64)
	// Of is the class of the noise. The zero value, sde.General, is always right;
	// what is declared beyond it must be true, and lets more schemes serve the noise.
	Of sde.NoiseClass
}

var (
	_ sde.Diffusion  = Func{}
	_ sde.Classified = Func{}
)

// Validate returns an error if a dimension is below 1, B is nil, or the class is
// none, or one that a root of State×Noise cannot have.
func (n Func) Validate() error {
	switch {
	case n.State < 1:
		return &sde.SettingError{Field: "noise: Func.State", Value: n.State, Want: "at least 1", Err: sde.ErrDimension}
	case n.Noise < 1:
		return &sde.SettingError{Field: "noise: Func.Noise", Value: n.Noise, Want: "at least 1", Err: sde.ErrDimension}
	case n.B == nil:
		return &sde.SettingError{Field: "noise: Func.B", Want: "a function that stores the root"}
	case n.Of == sde.Diagonal && n.State != n.Noise:
		return &sde.SettingError{Field: "noise: Func.Of", Value: n.Of,
			Want: fmt.Sprintf("as many components as coordinates for diagonal noise, not %d×%d", n.State, n.Noise), Err: sde.ErrDimension}
	}
	return checkClass("noise: Func.Of", n.Of)
}

// Dims returns State, Noise, and −1 in place of what is below 1.
func (n Func) Dims() (state, noise int) { return atLeastOne(n.State), atLeastOne(n.Noise) }

// Class returns Of, and sde.Commutative in place of sde.General if there is one
// component only.
func (n Func) Class() sde.NoiseClass {
	if n.Of == sde.General && n.Noise == 1 {
		return sde.Commutative
	}
	return n.Of
}

// Root calls B. It panics if dst or theta is of another length than it should be.
func (n Func) Root(dst, theta []float64, t float64) {
	if len(theta) != n.State {
		panic(badTheta)
	}
	if len(dst) != n.State*n.Noise {
		panic(badRoot)
	}
	n.B(dst, theta, t)
}

func checkClass(field string, c sde.NoiseClass) error {
	if c < sde.General || sde.Constant < c {
		return &sde.SettingError{Field: field, Value: int(c), Want: "one of sde's noise classes, General to Constant"}
	}
	return nil
}

// atLeastOne returns n, and −1 for what is no dimension, since 0 would mean any.
func atLeastOne(n int) int {
	if n < 1 {
		return -1
	}
	return n
}
