// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// Final keeps the state of every particle at the last observation. It is also a
// Start, so that one run can go on from where another ended. Its memory is that
// of the state, 8 bytes for each coordinate and particle.
//
// Particles that were dropped stay at their last observed state and are
// reported by Dropped; such a Final is refused as a start.
type Final struct {
	states sde.Batch
	last   []int32 // observation index of each particle, −1 if none
	time   float64
}

var (
	_ sde.Observer = (*Final)(nil)
	_ Start        = (*Final)(nil)
)

// Start makes room for the run's particles.
func (f *Final) Start(r sde.Run) error {
	f.states = sde.NewBatch(r.Particles, r.Dim)
	f.last = make([]int32, r.Particles)
	for i := range f.last {
		f.last[i] = -1
	}
	return nil
}

// Observe copies a block.
func (f *Final) Observe(s sde.Sample) error {
	if s.Particles == nil {
		f.states.Slice(s.First, s.First+s.X.Rows).CopyFrom(s.X)
	}
	for i := 0; i < s.X.Rows; i++ {
		p := s.Particle(i)
		if s.Particles != nil {
			copy(f.states.Row(p), s.X.Row(i))
		}
		f.last[p] = int32(s.Index)
	}
	return nil
}

// States returns the particles' states, one a row.
func (f *Final) States() sde.Batch { return f.states }

// Dropped returns how many particles were missing from the last observation.
func (f *Final) Dropped() (n int) {
	latest := int32(-1)
	for _, l := range f.last {
		latest = max(latest, l)
	}
	for _, l := range f.last {
		if l < latest {
			n++
		}
	}
	return n
}

// Check refuses a run of other dimensions, and one that was never observed or
// lost particles.
func (f *Final) Check(dim, particles int) error {
	if err := States(f.states).Check(dim, particles); err != nil {
		return err
	}
	if n := f.Dropped(); n > 0 || f.last[0] < 0 {
		return invalid("Final", fmt.Sprintf("a run in which %d particles were dropped", n), "a run that was observed and kept all of them", nil)
	}
	return nil
}

// Fill implements Start.
func (f *Final) Fill(x sde.Batch, first int, s *sde.Stream) { States(f.states).Fill(x, first, s) }
