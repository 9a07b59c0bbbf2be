// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Trajectories keeps the states of chosen particles at every observation time.
// Its memory, Bytes, is taken when the run starts: for each particle and
// observation time 8 bytes a coordinate and 12 more.
type Trajectories struct {
	// Particles are the numbers of the particles to follow.
	Particles []int
	// BurnIn keeps the start and the burn-in as well.
	BurnIn bool

	rows         map[int]int // particle to its place
	d            int
	times        []float64 // particle, time
	data         []float64 // particle, time, coordinate
	groups       []int32   // particle, time
	observations int
	seen         []int // observation times of each particle
}

var (
	_ sde.Observer       = (*Trajectories)(nil)
	_ sde.BurnInObserver = (*Trajectories)(nil)
	_ sde.GroupSaver     = (*Trajectories)(nil)
)

// maxTrajectoryBytes is the most memory that Trajectories takes.
const maxTrajectoryBytes = 1 << 36

// Start refuses an empty list, a particle that does not exist or stands twice,
// and more than 64 GiB.
func (t *Trajectories) Start(r sde.Run) error {
	if len(t.Particles) == 0 {
		return invalid("Trajectories.Particles", t.Particles, "at least one particle", nil)
	}
	rows := make(map[int]int, len(t.Particles))
	for i, p := range t.Particles {
		if _, twice := rows[p]; twice || p < 0 || r.Particles <= p {
			return invalid(fmt.Sprintf("Trajectories.Particles[%d]", i), p, fmt.Sprintf("distinct numbers from 0 to %d", r.Particles-1), nil)
		}
		rows[p] = i
	}
	if b := t.Bytes(r); b > maxTrajectoryBytes {
		return invalid("Trajectories.Particles", fmt.Sprintf("%d particles at %d times", len(t.Particles), r.Observations),
			fmt.Sprintf("fewer: their states would take %.3g GiB", b/(1<<30)), nil)
	}
	t.rows, t.d, t.observations = rows, r.Dim, r.Observations
	n := len(t.Particles) * r.Observations
	t.times, t.data, t.groups = make([]float64, n), make([]float64, n*r.Dim), make([]int32, n)
	t.seen = make([]int, len(t.Particles))
	return nil
}

// Bytes returns the memory that a run takes for the states.
func (t *Trajectories) Bytes(r sde.Run) float64 {
	return float64(len(t.Particles)) * float64(r.Observations) * float64(8*r.Dim+12)
}

// ObservesBurnIn reports whether BurnIn is set.
func (t *Trajectories) ObservesBurnIn() bool { return t.BurnIn }

// Observe copies the states of the particles that are followed.
func (t *Trajectories) Observe(s sde.Sample) error {
	for i := 0; i < s.X.Rows; i++ {
		k, ok := t.rows[s.Particle(i)]
		if !ok {
			continue
		}
		at := k*t.observations + s.Index
		t.times[at], t.groups[at] = s.Time, int32(s.Group)
		copy(t.data[at*t.d:], s.X.Row(i))
		t.seen[k] = s.Index + 1
	}
	return nil
}

// Path returns the times and states of the i-th of Particles, a row each, up to
// where it was observed.
func (t *Trajectories) Path(i int) (times []float64, states sde.Batch) {
	n, at := t.seen[i], i*t.observations
	states = sde.Batch{Data: t.data[at*t.d:][:n*t.d], Rows: n, Cols: t.d, Stride: t.d}
	return t.times[at : at+n], states
}

// AppendGroup implements sde.GroupSaver.
func (t *Trajectories) AppendGroup(dst []byte, g int) []byte {
	for k, n := range t.seen {
		for i := range n {
			if at := k*t.observations + i; int(t.groups[at]) == g {
				dst = appendFloats(dst, float64(k), float64(i), t.times[at])
				dst = appendFloats(dst, t.data[at*t.d:(at+1)*t.d]...)
			}
		}
	}
	return dst
}

// LoadGroup implements sde.GroupSaver.
func (t *Trajectories) LoadGroup(g int, data []byte) error {
	size := 8 * (3 + t.d)
	if len(data)%size != 0 {
		return errTruncated
	}
	for ; len(data) > 0; data = data[size:] {
		v, err := loadFloats(data[:size], size/8)
		if err != nil {
			return err
		}
		k, i := v[0], v[1]
		if !(k >= 0 && k < float64(len(t.seen)) && i >= 0 && i < float64(t.observations)) || k != math.Trunc(k) || i != math.Trunc(i) {
			return fmt.Errorf("integrate: saved trajectory %v at observation %v", k, i)
		}
		at := int(k)*t.observations + int(i)
		t.times[at], t.groups[at] = v[2], int32(g)
		copy(t.data[at*t.d:], v[3:])
		t.seen[int(k)] = max(t.seen[int(k)], int(i)+1)
	}
	return nil
}
