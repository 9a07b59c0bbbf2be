// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// worker advances blocks.
type worker struct {
	*run
	system         *System
	kernel         Kernel
	stream, aside  *sde.Stream // of the steps; of the start and the observers
	domain         sde.Domain
	backup, before sde.Batch
	chunk          int // steps between looks at the block
	kept           sde.Batch
	numbers        []int
	renewed        []bool // rows, if there are step observers

	step int // for PanicError
}

func newWorker(r *run) (w *worker, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack(), Block: -1, Step: -1, Particle: -1}
		}
	}()
	s := NewSystem(r.Equation, r.properties.Calculus, r.Step, r.rows)
	k, err := r.Scheme.Bind(s)
	if err != nil {
		return nil, err
	}
	w = &worker{run: r, system: s, kernel: k, backup: sde.NewBatch(r.rows, r.width),
		stream: sde.NewStream(r.Seed, r.NewSource), aside: sde.NewStream(r.Seed, r.NewSource),
		chunk: max(1, chunkSize/(r.rows*r.width))}
	w.stream.Couple(r.Pieces)
	if c, ok := r.Equation.(sde.Confined); ok && c.Confinement() != nil {
		w.domain = c.Confinement()
		w.before = sde.NewBatch(r.rows, r.d)
	}
	if len(r.steppers) > 0 {
		w.renewed = make([]bool, r.rows)
		w.chunk = 1 // no step that diverged is shown
	}
	return w, nil
}

// chunkSize is how many coordinate-steps a block goes between two looks at
// whether it is still finite. It decides what a replay after a divergence costs,
// and no bits.
const chunkSize = 1 << 16

// fill sets the start of a block.
func (w *worker) fill(g, b int) {
	w.step = -1
	full := w.block(b)
	x := w.theta(full)
	w.aside.At(sde.Starts, b, 0)
	w.Start.Fill(x, b*w.rows, w.aside)
	for i := 0; i < x.Rows; i++ {
		row, want := x.Row(i), ""
		if !kernel.AllFinite(row) {
			want = "a finite state"
		} else if w.domain != nil && !w.domain.Contains(row) {
			want = "a state inside the flow's domain"
		}
		if want != "" {
			w.fail(b, invalid(fmt.Sprintf("Ensemble.Start, particle %d", b*w.rows+i), slices.Clone(row), want, nil))
			return
		}
	}
	if k, ok := w.kernel.(Starter); ok {
		// Whatever the start has drawn, which depends on how many rows there are.
		w.aside.At(sde.Starts, b, 1)
		k.Start(full, w.aside)
	}
}

// phase observes a block and advances it to the phase's end.
func (w *worker) phase(g, b int) {
	w.step = w.from
	w.observe(g, b)
	if w.to > w.from {
		w.advance(g, b)
	}
}

// observe shows a block to the observers that are due.
func (w *worker) observe(g, b int) {
	x := w.block(b)
	s := sde.Sample{Time: float64(w.from) * w.Step, First: b * w.rows, X: w.theta(x), History: w.history(x), Stream: w.aside}
	if dead := w.dropped[b]; dead != nil {
		s = w.survivors(s, x, dead)
	}
	if w.only >= 0 {
		i := -1
		for k := range s.X.Rows {
			if s.Particle(k) == w.only {
				i = k
			}
		}
		if i < 0 {
			return
		}
		s.X, s.History, s.First, s.Particles = s.X.Slice(i, i+1), s.History.Slice(i, i+1), w.only, nil
	}
	for _, o := range w.observers {
		if o.due {
			w.show(o, s, g, b)
		}
	}
}

// show shows a sample to one observer. Its panic is an error of its own, so that
// the others see the block all the same.
func (w *worker) show(o *observed, s sde.Sample, g, b int) {
	defer func() {
		if v := recover(); v != nil {
			w.fail(b, &ObserverError{Observer: o.Observer, Time: s.Time,
				Err: &PanicError{Value: v, Stack: debug.Stack(), Block: b, Step: w.step, Particle: -1}})
		}
	}()
	w.aside.At(sde.Observers, b, w.from)
	s.Group = g*o.batches + o.index*o.batches/o.total
	s.Index = o.index
	if err := o.Observe(s); err != nil {
		w.fail(b, &ObserverError{Observer: o.Observer, Time: s.Time, Err: err})
	}
}

// survivors returns the sample of rows x without the particles that were dropped.
func (w *worker) survivors(s sde.Sample, x sde.Batch, dead []bool) sde.Sample {
	if w.kept.Data == nil {
		w.kept, w.numbers = sde.NewBatch(w.rows, w.width), make([]int, w.rows)
	}
	n := 0
	for i := 0; i < x.Rows; i++ {
		if !dead[i] {
			copy(w.kept.Row(n), x.Row(i))
			w.numbers[n] = s.First + i
			n++
		}
	}
	kept := w.kept.Slice(0, n)
	s.X, s.History, s.Particles = w.theta(kept), w.history(kept), w.numbers[:n]
	return s
}

// advance takes a block to the phase's end.
func (w *worker) advance(g, b int) {
	x := w.block(b)
	backup := w.backup.Slice(0, x.Rows)
	resident, _ := w.kernel.(Resident)
	if w.domain != nil || w.renewed != nil {
		resident = nil // a domain and step observers look at the block after every step
	}
	for from := w.from; from < w.to; from += w.chunk {
		to := min(from+w.chunk, w.to)
		backup.CopyFrom(x)
		if resident != nil {
			resident.Load(x)
		}
		for w.step = from; w.step < to; w.step++ {
			if w.limit.Load() < int64(b) {
				return
			}
			if resident != nil {
				w.stream.At(sde.Steps, b, w.step)
				resident.StepLoaded(float64(w.step)*w.Step, w.stream)
			} else {
				w.advanceStep(x, b, w.step)
			}
		}
		if resident != nil {
			resident.Store(x)
		}
		w.rest(b, x, backup)
		if flat, _ := x.Flat(); !kernel.AllFinite(flat) && !w.diverged(b, x, backup, from, to) {
			return
		}
		if w.renewed != nil && !w.observeStep(g, b, from, x, backup) {
			return
		}
		if w.Progress != nil {
			w.done.Add(int64(x.Rows) * int64(to-from))
			w.tick(false)
		}
	}
}

// advanceStep takes a block one step further.
func (w *worker) advanceStep(x sde.Batch, b, step int) {
	w.stream.At(sde.Steps, b, step)
	if w.domain == nil {
		w.kernel.Step(x, float64(step)*w.Step, w.stream)
		return
	}
	before := w.before.Slice(0, x.Rows)
	before.CopyFrom(w.theta(x))
	w.kernel.Step(x, float64(step)*w.Step, w.stream)
	w.domain.Constrain(before, w.theta(x))
}

// observeStep shows a step, before which the block was as in backup, to the step
// observers, and reports whether the run goes on.
func (w *worker) observeStep(g, b, step int, x, backup sde.Batch) bool {
	w.step = step
	renewed := w.renewed[:x.Rows]
	s := sde.Step{Group: g, Index: step, Time: float64(step) * w.Step, Size: w.Step, First: b * w.rows,
		Before: w.theta(backup), After: w.theta(x), Dropped: w.dropped[b], Renewed: renewed, Stream: w.aside}
	if w.only >= 0 {
		i := w.only - s.First
		s.First, s.Place, s.Renewed = w.only, i, renewed[i:i+1]
		s.Before, s.After = s.Before.Slice(i, i+1), s.After.Slice(i, i+1)
		if s.Dropped != nil {
			s.Dropped = s.Dropped[i : i+1]
		}
	}
	clear(renewed)
	for _, o := range w.steppers {
		if step < w.burnIn && !o.burnIn {
			continue
		}
		w.aside.At(sde.Bridges, b, step)
		if err := o.steps.ObserveStep(s); err != nil {
			w.fail(b, &ObserverError{Observer: o.Observer, Time: s.Time, Err: err})
			return false
		}
	}
	if w.width > w.d {
		w.renew(b, step, x, backup)
	}
	return true
}

// renew begins the history of the rows that are marked anew. It writes to scratch.
func (w *worker) renew(b, step int, x, scratch sde.Batch) {
	if !slices.Contains(w.renewed[:x.Rows], true) {
		return
	}
	// The whole block is started, so that a row's history depends on its place alone.
	scratch.CopyFrom(x)
	for i := range scratch.Rows {
		clear(scratch.Row(i)[w.d:])
	}
	if k, ok := w.kernel.(Starter); ok {
		w.aside.At(sde.Starts, b, step+2) // 0 and 1 are the start's
		k.Start(scratch, w.aside)
	}
	for i, yes := range w.renewed[:x.Rows] {
		if yes {
			copy(x.Row(i)[w.d:], scratch.Row(i)[w.d:])
		}
	}
}

// diverged is called when a block is not finite after the steps from … to−1,
// before which it was as in backup. It locates the particles by taking the steps
// again, and reports whether the run goes on.
func (w *worker) diverged(b int, x, backup sde.Batch, from, to int) bool {
	y := sde.NewBatch(x.Rows, x.Cols)
	y.CopyFrom(backup)
	before := sde.NewBatch(x.Rows, x.Cols)
	dead := w.dropped[b]
	if dead == nil {
		dead = make([]bool, x.Rows)
	}
	for w.step = from; w.step < to; w.step++ {
		before.CopyFrom(y)
		w.advanceStep(y, b, w.step)
		for i := 0; i < y.Rows; i++ {
			if dead[i] || kernel.AllFinite(y.Row(i)) {
				continue
			}
			e := &DivergenceError{Particle: b*w.rows + i, Step: w.step, Time: float64(w.step) * w.Step,
				Before: slices.Clone(before.Row(i)[:w.d]), After: slices.Clone(y.Row(i)[:w.d])}
			if k, ok := w.kernel.(Explainer); ok {
				e.Err = k.Explain(i)
			}
			if w.OnDivergence == Fail {
				w.fail(b, e)
				return false
			}
			dead[i] = true
			w.dropped[b] = dead
			w.locate(e)
		}
	}
	w.rest(b, x, backup)
	// What came out otherwise when it was done again is no function of the state.
	for i := 0; i < x.Rows; i++ {
		if !dead[i] && !kernel.AllFinite(x.Row(i)) {
			w.fail(b, &DivergenceError{Particle: b*w.rows + i, Step: to - 1, Time: float64(to-1) * w.Step,
				Before: slices.Clone(backup.Row(i)[:w.d]), After: slices.Clone(x.Row(i)[:w.d]), Err: errImpure})
			return false
		}
	}
	return true
}

// rest puts the dropped particles of a block back where they were last known, so
// that a person's code is not asked about numbers that are none.
func (w *worker) rest(b int, x, backup sde.Batch) {
	for i, d := range w.dropped[b] {
		if d {
			copy(x.Row(i), backup.Row(i))
		}
	}
}

// guard runs the task and turns a panic into an error of the run that says where it was.
func (w *worker) guard(task func(w *worker, g, b int), g, b int) {
	returned := false
	defer func() {
		v := recover()
		if returned {
			return
		}
		if v == nil {
			v = "the goroutine was ended by runtime.Goexit (testing.T.FailNow?)"
		}
		e := &PanicError{Value: v, Stack: debug.Stack(), Block: b, Step: w.step, Particle: -1}
		if i := w.system.asked(); i >= 0 {
			e.Particle = b*w.rows + i
		}
		w.fail(b, e)
	}()
	task(w, g, b)
	returned = true
}
