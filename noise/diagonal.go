// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Diagonal is constant noise that is independent in each coordinate:
//
//	D = diag(D_1 … D_d),   B = diag(√(2D_1) … √(2D_d))
//
// On a quadratic loss with a diagonal Hessian, coordinate i then has the
// temperature D_i.
type Diagonal struct {
	// D holds D_i, one a coordinate, finite and not negative. A coordinate of
	// D_i = 0 has no noise.
	D []float64
}

var (
	_ sde.Diffusion    = Diagonal{}
	_ sde.Classified   = Diagonal{}
	_ sde.DiagonalRoot = Diagonal{}
)

// Validate returns an error if D is empty or one of its elements is negative or
// not finite.
func (n Diagonal) Validate() error {
	if len(n.D) == 0 {
		return &sde.SettingError{Field: "noise: Diagonal.D", Value: n.D, Want: "one element for each coordinate of the loss", Err: sde.ErrDimension}
	}
	for i, v := range n.D {
		if err := nonNegative(fmt.Sprintf("noise: Diagonal.D[%d]", i), v); err != nil {
			return err
		}
	}
	return nil
}

// Dims returns d, d with d the length of D. (A Diagonal without D has the
// dimensions −1, −1, as 0, 0 would be noise for any dimension.)
func (n Diagonal) Dims() (state, noise int) {
	if d := len(n.D); d > 0 {
		return d, d
	}
	return -1, -1
}

// Class returns sde.Constant.
func (n Diagonal) Class() sde.NoiseClass { return sde.Constant }

// Root stores B into dst. It panics if dst is not of length d².
func (n Diagonal) Root(dst, theta []float64, t float64) {
	d := len(n.D)
	if len(dst) != d*d {
		panic(badRoot)
	}
	clear(dst)
	for i, v := range n.D {
		dst[i*d+i] = math.Sqrt(2 * v)
	}
}

// DiagonalRoot stores √(2D_i) into dst. It panics if dst is not of length d.
func (n Diagonal) DiagonalRoot(dst, theta []float64, t float64) {
	if len(dst) != len(n.D) {
		panic(badDiagonal)
	}
	for i, v := range n.D {
		dst[i] = math.Sqrt(2 * v)
	}
}
