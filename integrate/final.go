// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Final keeps the state of every particle at the last observation. It is also a
// Start, so that one run can go on from where another ended. Give
// that run another seed: with the same one it meets the noise again that made the
// states it starts from. Its memory is that
// of the state, 8 bytes for each coordinate and particle, and 8 for each particle;
// a shard's Final has room for all particles of the ensemble.
//
// Particles that were dropped stay at their last observed state and are
// reported by Dropped; such a Final is refused as a start.
type Final struct {
	states sde.Batch
	last   []seenAt // of each particle
}

// seenAt is where a particle was last observed: the group and the index of the
// observation, −1 if never.
type seenAt struct{ group, index int32 }

var (
	_ sde.Observer   = (*Final)(nil)
	_ sde.GroupSaver = (*Final)(nil)
	_ Start          = (*Final)(nil)
)

// Start makes room for the run's particles.
func (f *Final) Start(r sde.Run) error {
	f.states = sde.NewBatch(r.Particles, r.Dim)
	f.last = make([]seenAt, r.Particles)
	for i := range f.last {
		f.last[i].index = -1
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
		f.last[p] = seenAt{int32(s.Group), int32(s.Index)}
	}
	return nil
}

// States returns the particles' states, one a row.
func (f *Final) States() sde.Batch { return f.states }

// Dropped returns how many particles were missing from the last observation.
func (f *Final) Dropped() (n int) {
	latest := int32(-1)
	for _, l := range f.last {
		latest = max(latest, l.index)
	}
	for _, l := range f.last {
		if l.index < latest {
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
	if n := f.Dropped(); n > 0 || f.last[0].index < 0 {
		return invalid("Final", fmt.Sprintf("a run in which %d particles were dropped", n), "a run that was observed and kept all of them", nil)
	}
	return nil
}

// Fill implements Start.
func (f *Final) Fill(x sde.Batch, first int, s *sde.Stream) { States(f.states).Fill(x, first, s) }

// AppendGroup implements sde.GroupSaver.
func (f *Final) AppendGroup(dst []byte, g int) []byte {
	for p, l := range f.last {
		if l.index >= 0 && int(l.group) == g {
			dst = appendFloats(dst, float64(p), float64(l.index))
			dst = appendFloats(dst, f.states.Row(p)...)
		}
	}
	return dst
}

// LoadGroup implements sde.GroupSaver.
func (f *Final) LoadGroup(g int, data []byte) error {
	size := 8 * (2 + f.states.Cols)
	if len(data)%size != 0 {
		return errTruncated
	}
	for ; len(data) > 0; data = data[size:] {
		v, err := loadFloats(data[:size], size/8)
		if err != nil {
			return err
		}
		if !(v[0] >= 0 && v[0] < float64(len(f.last)) && v[1] >= 0 && v[1] <= math.MaxInt32) || v[0] != math.Trunc(v[0]) || v[1] != math.Trunc(v[1]) {
			return fmt.Errorf("integrate: saved state of particle %v at observation %v", v[0], v[1])
		}
		p := int(v[0])
		copy(f.states.Row(p), v[2:])
		f.last[p] = seenAt{int32(g), int32(v[1])}
	}
	return nil
}
