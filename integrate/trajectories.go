// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"sync"

	"github.com/sgflow/sgflow/sde"
)

// Trajectories keeps the states of chosen particles at every observation time.
// Its memory, Bytes, is 8 bytes for each coordinate, particle and observation
// time, and is taken when the run starts.
type Trajectories struct {
	// Particles are the numbers of the particles to follow.
	Particles []int
	// BurnIn keeps the start and the burn-in as well.
	BurnIn bool

	rows         map[int]int // particle to its place
	d            int
	times        []float64
	data         []float64 // particle, time, coordinate
	observations int
	seen         []int // observation times of each particle
	mu           sync.Mutex
}

var (
	_ sde.Observer       = (*Trajectories)(nil)
	_ sde.BurnInObserver = (*Trajectories)(nil)
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
	t.times = make([]float64, r.Observations)
	t.data = make([]float64, len(t.Particles)*r.Observations*r.Dim)
	t.seen = make([]int, len(t.Particles))
	return nil
}

// Bytes returns the memory that a run takes for the states.
func (t *Trajectories) Bytes(r sde.Run) float64 {
	return 8 * float64(len(t.Particles)) * float64(r.Observations) * float64(r.Dim)
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
		copy(t.data[(k*t.observations+s.Index)*t.d:], s.X.Row(i))
		t.seen[k] = s.Index + 1
		t.mu.Lock()
		t.times[s.Index] = s.Time
		t.mu.Unlock()
	}
	return nil
}

// Path returns the times and states of the i-th of Particles, a row each, up to
// where it was observed.
func (t *Trajectories) Path(i int) (times []float64, states sde.Batch) {
	n := t.seen[i]
	states = sde.Batch{Data: t.data[i*t.observations*t.d:][:n*t.d], Rows: n, Cols: t.d, Stride: t.d}
	return t.times[:n], states
}
