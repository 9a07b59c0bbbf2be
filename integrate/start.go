// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Start says where the particles are at time 0.
type Start interface {
	// Check returns an error if the start does not serve so many particles of dim
	// coordinates.
	Check(dim, particles int) error
	// Fill sets the rows of x to the states of the particles first, first+1, …,
	// drawing from s, whose numbers are this block's own. Blocks are filled at the
	// same time from many goroutines.
	Fill(x sde.Batch, first int, s *sde.Stream)
}

// Points starts particle i at point i modulo the number of points: one point
// for all, each well's share of the particles, or a point for each particle.
type Points [][]float64

var _ Start = Points{}

// Check refuses an empty list, a point of another dimension or one that is not finite.
func (p Points) Check(dim, particles int) error {
	if len(p) == 0 {
		return invalid("Points", p, "at least one point", nil)
	}
	for i, x := range p {
		if len(x) != dim {
			return invalid(fmt.Sprintf("Points[%d]", i), x, fmt.Sprintf("%d coordinates, the dimension of the equation", dim), sde.ErrDimension)
		}
		if !kernel.AllFinite(x) {
			return invalid(fmt.Sprintf("Points[%d]", i), x, "finite coordinates", nil)
		}
	}
	return nil
}

// Fill implements Start.
func (p Points) Fill(x sde.Batch, first int, _ *sde.Stream) {
	for i := 0; i < x.Rows; i++ {
		copy(x.Row(i), p[(first+i)%len(p)])
	}
}

// States starts each particle at its own row of a batch.
type States sde.Batch

var _ Start = States{}

// Check refuses a batch of another shape or with numbers that are not finite.
func (b States) Check(dim, particles int) error {
	if b.Rows != particles || b.Cols != dim {
		return invalid("States", fmt.Sprintf("%d×%d", b.Rows, b.Cols), fmt.Sprintf("%d×%d, a row for each particle", particles, dim), sde.ErrDimension)
	}
	for i := 0; i < b.Rows; i++ {
		if r := sde.Batch(b).Row(i); !kernel.AllFinite(r) {
			return invalid(fmt.Sprintf("States row %d", i), r, "finite coordinates", nil)
		}
	}
	return nil
}

// Fill implements Start.
func (b States) Fill(x sde.Batch, first int, _ *sde.Stream) {
	x.CopyFrom(sde.Batch(b).Slice(first, first+x.Rows))
}

// StartFunc draws the start of each particle from the start stream; theta comes
// filled with zeros.
type StartFunc func(theta []float64, particle int, s *sde.Stream)

var _ Start = StartFunc(nil)

// Check refuses a nil function.
func (f StartFunc) Check(dim, particles int) error {
	if f == nil {
		return invalid("StartFunc", nil, "a function", nil)
	}
	return nil
}

// Fill implements Start.
func (f StartFunc) Fill(x sde.Batch, first int, s *sde.Stream) {
	for i := 0; i < x.Rows; i++ {
		f(x.Row(i), first+i, s)
	}
}
