// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sgflow/sgflow/internal/snapshot"
	"github.com/sgflow/sgflow/sde"
)

// A run goes from one observation time to the next. In each such phase every
// group is taken by one worker, which shows each of its blocks to the observers
// that are due, and then advances that block to the next observation time while
// it is in cache. So when a phase is broken off, whatever was not advanced can
// still be observed, and all accumulators stand at the same time: the state of
// the particles, which does not, is nobody's business but the run's.
type run struct {
	*plan
	mode
	x         sde.Batch // rows of width columns, from firstBlock to endBlock
	observers []*observed
	steppers  []*observed // those that see each step
	dropped   [][]bool    // by block, nil where none is
	seen      int         // the last step that was observed completely
	resumed   int         // the step that a resumed run went on with

	from, to int // the phase's steps; equal if nothing is left to advance

	limit atomic.Int64 // blocks above are not advanced, and −1 stops all

	mu          sync.Mutex
	err         error // of the lowest block that failed
	errBlock    int64
	divergences []*DivergenceError // the first few by number, see locate

	prints     []setting // the fingerprint, once taken
	unsaved    int       // checkpoints that could not be written
	unsavedErr error     // the last of them

	done     atomic.Int64
	started  time.Time
	reported time.Time
	ticking  sync.Mutex
}

// observed is an observer and where it stands.
type observed struct {
	sde.Observer
	steps   sde.StepObserver // nil if it does not see each step
	burnIn  bool
	total   int // observation times
	batches int // stretches of time that make groups of their own
	index   int // observation times so far
	due     bool
}

// mode says what a run is for.
type mode struct {
	only   int  // the particle to replay, −1 for all
	resume bool // go on from the checkpoint
}

func newRun(p *plan, m mode) *run {
	r := &run{plan: p, mode: m, started: time.Now(), dropped: make([][]bool, p.blocks)}
	r.limit.Store(math.MaxInt64)
	return r
}

func (p *plan) run(ctx context.Context, observers []sde.Observer, m mode) (*Result, error) {
	r := newRun(p, m)
	saved := p.save > 0 || m.resume
	if saved || p.Shard.Count > 1 {
		// Before anything that the fingerprint covers is used, and changed by it.
		r.prints = r.fingerprint(observers)
	}
	if err := r.startObservers(observers); err != nil {
		return nil, err
	}
	if saved {
		if err := r.checkSavable(); err != nil {
			return nil, err
		}
		snapshot.Clean(p.Checkpoint.Path)
	}
	if ctx.Err() != nil {
		return r.result(&InterruptedError{Err: context.Cause(ctx)})
	}
	first, end := p.particles()
	r.x = sde.NewBatch(end-first, p.width)
	step := 0
	if m.resume {
		var err error
		if step, err = r.loadCheckpoint(); err != nil {
			return nil, err
		}
		r.resumed = step
		r.done.Store(int64(step) * int64(end-first))
	}
	workers := make([]*worker, p.Workers)
	for i := range workers {
		var err error
		if workers[i], err = newWorker(r); err != nil {
			if _, ok := err.(*PanicError); ok {
				return r.result(err)
			}
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { r.limit.Store(-1) })
	defer stop()
	pool := newPool(workers, r)
	defer pool.close()
	if !m.resume {
		pool.each((*worker).fill)
		if err := r.check(ctx); err != nil {
			if _, ok := err.(*sde.SettingError); ok {
				return nil, err // a start that could not be checked without drawing it
			}
			return r.result(err)
		}
	}
	return r.result(r.phases(ctx, pool, step))
}

// phases takes the run from a step to its end, or returns why that failed.
func (r *run) phases(ctx context.Context, pool *pool, step int) error {
	for {
		next := r.nextStop(step)
		r.from, r.to = step, next
		observe := r.due(step)
		if observe || next > step {
			pool.each((*worker).phase)
		}
		if observe {
			r.observedAll(step)
		}
		if next == step && r.err == nil {
			r.seen = step
			r.tick(true)
			return nil
		}
		if err := r.check(ctx); err != nil {
			return err
		}
		step = next
		if r.save > 0 && step%r.save == 0 && step < r.n {
			r.saveCheckpoint(step)
		}
	}
}

// sameObserver reports whether two observers are one and the same variable. Pointers to
// what has no size may be equal without being so.
func sameObserver(a, b sde.Observer) bool {
	t := reflect.TypeOf(a)
	return t.Kind() == reflect.Pointer && t.Elem().Size() > 0 && t == reflect.TypeOf(b) && a == b
}

// startObservers tells the observers about the run.
func (r *run) startObservers(observers []sde.Observer) error {
	for i, o := range observers {
		if o == nil {
			return invalid(fmt.Sprintf("observers[%d]", i), nil, "an observer", nil)
		}
		for j, other := range observers[:i] {
			if sameObserver(o, other) {
				return invalid(fmt.Sprintf("observers[%d]", i), fmt.Sprintf("observers[%d] again, a %T", j, o), "each observer once, as it would count everything twice", nil)
			}
		}
		ob := &observed{Observer: o, total: r.observations}
		if b, ok := o.(sde.BurnInObserver); ok && b.ObservesBurnIn() {
			ob.burnIn = true
			ob.total += 1 + (r.burnIn+r.every-1)/r.every
		}
		ob.batches = max(1, min(ob.total, (minGroups+r.groups-1)/r.groups))
		if ob.steps, _ = o.(sde.StepObserver); ob.steps != nil {
			ob.batches = 1 // paths go on from one stretch of time to the next
			r.steppers = append(r.steppers, ob)
		}
		var bounds []int
		if ob.batches == 1 {
			bounds = r.bounds()
		}
		if err := o.Start(sde.Run{
			Equation: r.Equation, Scheme: r.properties.Name, Strong: r.properties.increments(), Step: r.Step, Dim: r.d, Particles: r.Particles,
			Groups: r.groups * ob.batches, BurnIn: r.schedule.BurnIn, Time: r.schedule.Time, Every: float64(r.every) * r.Step,
			Observations: ob.total, Seed: r.Seed, Bounds: bounds,
		}); err != nil {
			return fmt.Errorf("integrate: observer %T: %w", o, err)
		}
		r.observers = append(r.observers, ob)
	}
	return nil
}

// due marks the observers that see a step, and reports whether any does.
func (r *run) due(step int) (any bool) {
	since := step - r.burnIn
	regular := since > 0 && since%r.every == 0
	burnIn := since == 0 || since < 0 && step%r.every == 0
	for _, o := range r.observers {
		o.due = regular || burnIn && o.burnIn
		any = any || o.due
	}
	return any
}

// nextStop returns the next step at which an observer is due or the run is saved,
// and the step itself at the end.
func (r *run) nextStop(step int) int {
	if step == r.n {
		return step
	}
	next := step + r.every
	if step < r.burnIn {
		next = r.burnIn + r.every
		if slices.ContainsFunc(r.observers, func(o *observed) bool { return o.burnIn }) {
			next = min(step-step%r.every+r.every, r.burnIn)
		}
	} else {
		next -= (step - r.burnIn) % r.every
	}
	if r.save > 0 {
		next = min(next, step-step%r.save+r.save)
	}
	return min(next, r.n)
}

func (r *run) observedAll(step int) {
	r.seen = step
	for _, o := range r.observers {
		if o.due {
			o.index++
		}
	}
}

// check returns why the run must end, nil if it need not.
func (r *run) check(ctx context.Context) error {
	if r.err != nil {
		return r.err
	}
	if ctx.Err() != nil {
		return &InterruptedError{Err: context.Cause(ctx)}
	}
	return nil
}

// result returns what Run does when it ends for the given reason.
func (r *run) result(err error) (*Result, error) {
	first, end := r.particles()
	res := &Result{Particles: end - first, Groups: r.groups, Elapsed: time.Since(r.started), Warnings: r.warnings, Partial: err != nil}
	if err == nil {
		r.x = sde.Batch{} // the result keeps the run for Save, not its state
		res.run = r
	}
	res.Steps = r.seen
	res.Time = float64(res.Steps) * r.Step
	res.Resumed = float64(r.resumed) * r.Step
	res.Observations = max(0, (res.Steps-r.burnIn)/r.every)
	if i, ok := err.(*InterruptedError); ok {
		i.Time = res.Time
	}
	for _, dead := range r.dropped {
		for _, d := range dead {
			if d {
				res.Dropped++
			}
		}
	}
	r.sortDivergences()
	res.Divergences = r.divergences
	if w := r.unsavedWarning(); w != nil {
		res.Warnings = append(res.Warnings, w)
	}
	if res.Dropped > 0 {
		res.Warnings = append(res.Warnings, fmt.Errorf("%d of %d %w", res.Dropped, res.Particles, errConditioned))
	}
	return res, err
}

// keptDivergences is how many dropped particles a result locates.
const keptDivergences = 16

// locate keeps a divergence if it is among the first by the particle's number.
func (r *run) locate(e *DivergenceError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.divergences = append(r.divergences, e); len(r.divergences) >= 2*keptDivergences {
		r.sortDivergences()
	}
}

func (r *run) sortDivergences() {
	slices.SortFunc(r.divergences, func(a, b *DivergenceError) int { return a.Particle - b.Particle })
	r.divergences = r.divergences[:min(len(r.divergences), keptDivergences)]
}

// fail ends the run after this phase with the error of the lowest block.
func (r *run) fail(block int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil || int64(block) < r.errBlock {
		r.err, r.errBlock = err, int64(block)
	}
	for {
		l := r.limit.Load()
		if l <= int64(block) || r.limit.CompareAndSwap(l, int64(block)) {
			return
		}
	}
}

// tick reports progress, unless that was done a moment ago.
func (r *run) tick(now bool) {
	if r.Progress == nil || !now && !r.ticking.TryLock() {
		return
	}
	if now {
		r.ticking.Lock()
	}
	defer r.ticking.Unlock()
	t := time.Now()
	if !now && t.Sub(r.reported) < 100*time.Millisecond {
		return
	}
	r.reported = t
	first, end := r.particles()
	total := int64(r.n) * int64(end-first)
	done := r.done.Load()
	r.Progress(Progress{Done: done, Total: total, Elapsed: t.Sub(r.started),
		Time: float64(r.n) * r.Step * float64(done) / float64(total)})
}

// blocksOf returns the blocks of group g.
func (p *plan) blocksOf(g int) (first, end int) {
	return g * p.blocks / p.groups, (g + 1) * p.blocks / p.groups
}

// bounds returns the first particle of each group, and the number of particles.
func (p *plan) bounds() []int {
	b := make([]int, p.groups+1)
	for g := range p.groups {
		first, end := p.blocksOf(g)
		b[g], b[g+1] = first*p.rows, min(end*p.rows, p.Particles)
	}
	return b
}

// particles returns the particles that the run is about: all, a shard's, or those
// of one block.
func (p *plan) particles() (first, end int) {
	return p.firstBlock * p.rows, min(p.endBlock*p.rows, p.Particles)
}

// block returns block b of the state.
func (r *run) block(b int) sde.Batch {
	first, end := r.particles()
	return r.x.Slice(b*r.rows-first, min((b+1)*r.rows, end)-first)
}

// theta returns the coordinates of a block, without the scheme's history.
func (p *plan) theta(x sde.Batch) sde.Batch { return leading(x, p.d) }

// leading returns the first columns of a batch.
func leading(x sde.Batch, cols int) sde.Batch {
	x.Cols = cols
	if x.Rows > 0 {
		x.Data = x.Data[:(x.Rows-1)*x.Stride+x.Cols]
	}
	return x
}

// history returns what the scheme keeps behind the coordinates of a block.
func (p *plan) history(x sde.Batch) sde.Batch {
	if x.Rows == 0 || p.width == p.d {
		return sde.Batch{Rows: x.Rows}
	}
	x.Cols, x.Data = p.width-p.d, x.Data[p.d:]
	return x
}
