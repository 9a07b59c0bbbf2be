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
	// Strong is the strong order that the scheme states, 0 if none, or if its steps share
	// noise: the increments of its paths are then not those of the equation (momentum,
	// SGD, Leimkuhler–Matthews), or not known to be.
	Strong float64
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
	// Bounds says which particles a group is made of: group g of Bounds[g] to
	// Bounds[g+1]−1. It is nil where groups are stretches of time as well, which they
	// never are for a StepObserver, and where samples are fed by hand.
	Bounds []int
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
	// History holds what the scheme keeps behind each particle's coordinates (momenta,
	// say), in as many rows as X; it has no columns if there is nothing. It must not be
	// changed or kept.
	History Batch
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

// Step is what one step of the scheme did to one block of particles.
type Step struct {
	// Group is the group of the block, 0 to Run.Groups−1.
	Group int
	// Index is the number of the step, from 0; Time is that before it, and Size its h.
	Index      int
	Time, Size float64
	// First is the number of the particle in row 0, row i holding First+i, and
	// Place the row's place in the block: not 0 only when one particle is replayed.
	First, Place int
	// Before holds the particles before the step, and must not be changed. After
	// holds them after it, the flow's domain and the observers before this one in the list;
	// the observer may change its rows, and the flow goes on from there.
	Before, After Batch
	// Dropped marks the rows that are no longer part of the run, nil if none.
	Dropped []bool
	// Renewed is for the observer to mark the rows that it has put somewhere else, if
	// what the scheme remembers of the past (velocities, averages) is to begin anew
	// there. A row that is not marked keeps its history.
	Renewed []bool
	// Stream is a stream for this block and step; drawing from it disturbs nothing.
	// All step observers of a run see the same one. So that Replay has the bits of
	// Run, what is drawn for row i must depend on Place+i alone and not on the other rows.
	Stream *Stream
}

// StepObserver is an upgrade of an Observer that must see each step: first
// passages, absorption, restarts. It may freeze rows or put them elsewhere.
//
// Steps of the burn-in are shown if the observer is a BurnInObserver that asks
// for it. A block is carried from one observation or checkpoint to the next before its
// neighbour is, so calls for one group come in the order of (time of that,
// block, step), those of Observe between; each from one goroutine at a time,
// different groups at the same time. Where the stops are depends on the other
// observers and on checkpoints: for the same bits whatever they are, add up for
// each particle, or in whole numbers, whose order does not matter. To a StepObserver groups are never
// stretches of time, since a path goes on from one to the next: what it keeps for each
// particle belongs to the group of that particle (Run.Bounds), and a GroupSaver
// saves it with the group, so that a resumed run goes on with it.
//
// A run that ends early has observed every block up to the same time (Observe),
// but some blocks some steps further, all of which were complete: a StepObserver
// keeps for itself how far it has seen each particle. A particle that diverges in
// a step is not shown that step; under the policy Drop it is Dropped from then on.
type StepObserver interface {
	Observer
	// ObserveStep is called for each block after each step. An error ends the run.
	ObserveStep(Step) error
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
