// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"fmt"
	"math"
)

// Domain is the region in which a flow lives and what happens at its boundary.
// A run applies it to every block after every step. It must be safe for
// concurrent use.
type Domain interface {
	Set
	// Constrain is given the particles before and after a step and changes
	// the latter so that the domain's boundary is obeyed.
	Constrain(before, after Batch)
}

// Boundary is what happens to a particle that leaves a Box.
type Boundary int

const (
	// Reflecting mirrors the particle back at the face it crossed (zero flux).
	Reflecting Boundary = iota
	// Periodic carries it over to the opposite face.
	Periodic
	// Absorbing stops it for good where it first stood outside.
	Absorbing
)

// String returns the name of the boundary in lower case.
func (b Boundary) String() string {
	switch b {
	case Reflecting:
		return "reflecting"
	case Periodic:
		return "periodic"
	case Absorbing:
		return "absorbing"
	}
	return "unknown boundary"
}

// Box is the domain Lo_i ≤ θ_i ≤ Hi_i with one kind of boundary. A side that
// is infinite has no boundary; periodic coordinates need two finite sides.
//
// The exit of a particle that crosses an absorbing face and comes back within
// one step is not seen.
type Box struct {
	Lo, Hi   []float64
	Boundary Boundary
}

var (
	_ Domain = Box{}
	_ Smooth = Box{}
)

// Validate returns an error that names what is wrong with the box, or nil; dim
// is the number of coordinates it has to have.
func (b Box) Validate(dim int) error {
	if len(b.Lo) != dim || len(b.Hi) != dim {
		return &SettingError{"sde: Box", fmt.Sprintf("%d lower and %d upper sides", len(b.Lo), len(b.Hi)),
			fmt.Sprintf("%d of each, one a coordinate", dim), ErrDimension}
	}
	for i, lo := range b.Lo {
		if hi := b.Hi[i]; !(lo < hi) {
			return &SettingError{fmt.Sprintf("sde: Box side %d", i), fmt.Sprintf("[%g, %g]", lo, hi), "a lower end below the upper", nil}
		} else if b.Boundary == Periodic && (math.IsInf(lo, 0) || math.IsInf(hi, 0)) {
			return &SettingError{fmt.Sprintf("sde: Box side %d", i), fmt.Sprintf("[%g, %g]", lo, hi), "finite ends, as the boundary is periodic", nil}
		}
	}
	if b.Boundary < Reflecting || Absorbing < b.Boundary {
		return &SettingError{"sde: Box.Boundary", int(b.Boundary), "Reflecting, Periodic or Absorbing", nil}
	}
	return nil
}

// Contains reports whether theta is in the closed box.
func (b Box) Contains(theta []float64) bool {
	for i, x := range theta {
		if !(b.Lo[i] <= x && x <= b.Hi[i]) {
			return false
		}
	}
	return true
}

// Level returns by how much the coordinate that is farthest out is beyond its side,
//
//	φ = max_i max(Lo_i − θ_i, θ_i − Hi_i)
//
// which is smooth but where two sides meet.
func (b Box) Level(theta []float64) float64 {
	level, _, _ := b.farthest(theta)
	return level
}

// LevelGradient stores the normal of that side.
func (b Box) LevelGradient(dst, theta []float64) {
	_, i, sign := b.farthest(theta)
	clear(dst)
	dst[i] = sign
}

func (b Box) farthest(theta []float64) (level float64, side int, sign float64) {
	level = math.Inf(-1)
	for i, x := range theta {
		if v := b.Lo[i] - x; v > level {
			level, side, sign = v, i, -1
		}
		if v := x - b.Hi[i]; v > level {
			level, side, sign = v, i, 1
		}
	}
	return level, side, sign
}

// outside returns the half-spaces beyond the finite sides.
func (b Box) outside() (faces []Smooth) {
	for i := range b.Lo {
		for side, offset := range [2]float64{-b.Lo[i], b.Hi[i]} {
			if !math.IsInf(offset, 0) {
				n := make([]float64, len(b.Lo))
				n[i] = float64(2*side - 1)
				faces = append(faces, HalfSpace{n, offset})
			}
		}
	}
	return faces
}

// Constrain applies the boundary to the rows of after. A row that is not finite
// is left as it is.
func (b Box) Constrain(before, after Batch) {
	for i := 0; i < after.Rows; i++ {
		x := after.Row(i)
		if b.Boundary == Absorbing {
			if old := before.Row(i); !b.Contains(old) {
				copy(x, old)
			}
			continue
		}
		for j := range x {
			if lo, hi := b.Lo[j], b.Hi[j]; x[j] < lo || x[j] > hi {
				if b.Boundary == Periodic {
					x[j] = wrap(x[j], lo, hi)
				} else {
					x[j] = reflect(x[j], lo, hi)
				}
			}
		}
	}
}

// wrap returns the point of [lo, hi) that differs from x by a multiple of hi−lo.
func wrap(x, lo, hi float64) float64 {
	if math.IsInf(x, 0) {
		return x
	}
	w := hi - lo
	r := math.Mod(x-lo, w)
	if r < 0 {
		r += w
	}
	// Rounding may have put the sum on the upper end, which is the lower one.
	if y := lo + r; y < hi {
		return y
	}
	return lo
}

// reflect returns the mirror image of x in [lo, hi], after as many reflections
// as it takes.
func reflect(x, lo, hi float64) float64 {
	switch {
	case math.IsInf(x, 0):
		return x
	case math.IsInf(hi, 1):
		return lo + (lo - x)
	case math.IsInf(lo, -1):
		return hi - (x - hi)
	}
	w := hi - lo
	r := math.Mod(math.Abs(x-lo), float64(2*w))
	if r > w {
		r = float64(2*w) - r
	}
	return min(max(lo+r, lo), hi)
}
