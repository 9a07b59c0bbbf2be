// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Run is what an ensemble tells its observers before the first step.
type Run struct {
	// Equation is what is simulated, nil if unknown (samples fed by hand).
	Equation Equation
	// Scheme is the name of the scheme, and Step its step h.
	Scheme string
	Step   float64
	// Dim is the number of coordinates an observer sees.
	Dim int
	// Particles is how many there are.
	Particles int
	// Groups is the number of groups that samples fall into. Each group is
	// independent of the others, or, where there are too few particles, nearly
	// so: the samples of one stretch of time.
	Groups int
	// BurnIn, Time and Every are the schedule, in units of time.
	BurnIn, Time, Every float64
	// Observations is how many times this observer will be called for each block.
	Observations int
	// Seed is the run's seed.
	Seed uint64
}

// Sample is one block of particles at one time.
type Sample struct {
	// Group is the group that the samples belong to, 0 to Run.Groups−1.
	Group int
	// Index counts the observer's observation times from 0.
	Index int
	// Time is the time of the flow since its start, burn-in included.
	Time float64
	// First is the number of the particle in row 0, and row i holds particle
	// First+i, unless Particles is set.
	First int
	// Particles holds the particles' numbers where some have been dropped, otherwise nil.
	Particles []int
	// X holds the particles, one a row. It must not be changed or kept.
	X Batch
	// Stream is a stream of the observer's own for this block and time; drawing
	// from it disturbs nothing. Observers of one run see the same stream.
	Stream *Stream
}

// Particle returns the number of the particle in row i.
func (s Sample) Particle(i int) int {
	if s.Particles != nil {
		return s.Particles[i]
	}
	return s.First + i
}

// Observer receives the particles at each observation time and keeps what it
// wants: memory should not grow with the number of steps unless that is what the
// observer is for.
type Observer interface {
	// Start is called once, before the first step. An error ends the run before
	// it begins. Starting again begins anew.
	Start(Run) error
	// Observe is called for each block at each observation time. Calls for one
	// group come in the order of (time, block) from one goroutine at a time;
	// calls for different groups come at the same time from many. An observer
	// that keeps an accumulator for each group therefore needs no lock, and gives
	// the same bits for any number of workers if it merges them by index.
	// An error ends the run, with what was observed until then.
	Observe(Sample) error
}

// BurnInObserver is an upgrade of an Observer that also sees the burn-in: the
// start, at time 0, and every observation time since.
type BurnInObserver interface {
	ObservesBurnIn() bool
}

// GroupSaver is an upgrade of an Observer whose accumulators can be saved and
// loaded, a group at a time: what checkpoints and shards need. AppendGroup
// appends group g's accumulator to dst; LoadGroup sets it from such bytes, in an
// observer that was started with the same Run, and returns an error if they are
// not what AppendGroup writes.
type GroupSaver interface {
	AppendGroup(dst []byte, g int) []byte
	LoadGroup(g int, data []byte) error
}
