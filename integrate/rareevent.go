// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// RareEvent is a passage from one set to another that is too rare to wait for.
// Splitting and ForwardFlux find how long it takes, from two numbers: the flux, which is how
// often in a unit of time a particle that came from From reaches the gate
// {ξ(θ) ≥ Gate}, and the probability that from there it reaches To before it is back in From.
//
//	mean time ≈ 1/(flux × probability)
//
// which is the mean time from the state that settles in From, up to the duration of a passage itself, and is that of the
// scheme's chain: nothing is corrected for its step. The equation must not depend on time. Schemes with
// a history are refused; one that shares noise between steps (LeimkuhlerMatthews) is not
// served well, since noise is renewed where paths branch.
//
// Equation, Scheme, Step, Start, Seed, NewSource and Workers mean what they mean in
// an Ensemble; the start must be in or near From. Noise is a function of the seed, the number of the
// run, the number of the branch in it and the step: a result has the same bits for any number of workers.
type RareEvent struct {
	Equation  sde.Equation
	Scheme    Scheme
	Step      float64
	Start     Start
	Seed      uint64
	NewSource func(seed uint64) sde.Source
	Workers   int

	// Coordinate is ξ, which says how far a state has come. The estimates
	// are right whatever it is; how much they scatter is not.
	Coordinate func(theta []float64) float64
	// From and To are the sets, of which the gate is between: outside From, and To beyond it.
	From, To sde.Set
	Gate     float64
	// FluxTime is how long the flux is measured, by 32 particles for each run, after a fifth of
	// it has passed for them to settle. It should bring each some passages of the gate.
	FluxTime float64
	// Runs is how many independent estimates are made, from whose scatter errors are
	// taken; 0 means 32, and at least 2.
	Runs int
}

// RareResult is what was found.
type RareResult struct {
	// Flux is the rate at which the gate is reached from From, and Probability that of To from there. That
	// of Splitting and that of ForwardFlux are unbiased for any number of clones.
	Flux, Probability sde.Estimate
	// MeanTime is 1/(flux·probability), +Inf if no run has reached To; Log is its logarithm. It is biased where its ingredients are not, since E(1/p) > 1/E p:
	// Bias is the relative bias to first order, the sum of the squared relative errors, which has not been subtracted.
	MeanTime sde.Estimate
	Log      float64
	Bias     float64
	// Duration is the mean time that a passage takes from the gate to To.
	Duration float64
	// Probabilities are those of the runs.
	Probabilities []float64
	// Steps were taken in all; Branches is how many paths were begun.
	Steps, Branches int64
	Warnings        []error
}

// String returns the mean time, the flux and the probability.
func (r RareResult) String() string {
	return fmt.Sprintf("mean time %.4g ± %.2g (flux %.4g ± %.2g, probability %.4g ± %.2g)",
		r.MeanTime.Value, r.MeanTime.StdErr, r.Flux.Value, r.Flux.StdErr, r.Probability.Value, r.Probability.StdErr)
}

// fluxParticles is how many particles measure the flux for each run.
const fluxParticles = 32

// probability is how a method finds the probability of a run, whose paths begin at
// the given states.
type probability func(w *walker, entries []sde.Batch) (p float64, err error)

// estimate measures the flux and, in each run, the probability.
func (e RareEvent) estimate(ctx context.Context, name string, method probability) (*RareResult, error) {
	field := func(f string) string { return name + "." + f }
	switch {
	case e.Coordinate == nil:
		return nil, invalid(field("Coordinate"), nil, "a function of the state", nil)
	case e.From == nil || e.To == nil:
		return nil, invalid(field("From and To"), nil, "two sets", nil)
	case math.IsNaN(e.Gate) || math.IsInf(e.Gate, 0):
		return nil, invalid(field("Gate"), e.Gate, "a finite value of the coordinate", nil)
	case e.Runs < 0 || e.Runs == 1:
		return nil, invalid(field("Runs"), e.Runs, "at least 2, or 0 for 32", nil)
	case !(e.FluxTime > 0):
		return nil, invalid(field("FluxTime"), e.FluxTime, "a positive time", nil)
	}
	if e.Runs == 0 {
		e.Runs = 32
	}
	ens := Ensemble{Equation: e.Equation, Scheme: e.Scheme, Step: e.Step, Start: e.Start, Seed: e.Seed, NewSource: e.NewSource, Workers: e.Workers,
		Particles: e.Runs * fluxParticles}
	steps := math.Max(1, math.Round(e.FluxTime/e.Step/5))
	s := Schedule{BurnIn: steps * e.Step, Time: 4 * steps * e.Step}
	p, err := ens.plan(s)
	if err != nil {
		return nil, err
	}
	if p.width > p.d {
		return nil, invalid(field("Scheme"), p.properties.Name, "a scheme whose particles are their coordinates alone, such as EulerMaruyama", nil)
	}
	for _, set := range []sde.Set{e.From, e.To} {
		if err := sde.ValidateSet(set, p.d); err != nil {
			return nil, err
		}
	}
	f := &flux{event: e}
	if _, err := ens.Run(ctx, s, f); err != nil {
		return nil, err
	}

	r := &RareResult{Probabilities: make([]float64, e.Runs)}
	counts, times := make([]float64, e.Runs), make([]float64, e.Runs)
	for i := range e.Runs {
		for k := range fluxParticles {
			counts[i] += float64(f.passages[i*fluxParticles+k])
		}
		times[i] = fluxParticles * s.Time
		if len(f.entries(i)) == 0 {
			return nil, invalid(field("Gate"), e.Gate, fmt.Sprintf("a value that is reached from From: in run %d none of %d particles did in the time %g; "+
				"a lower gate, or more FluxTime", i, fluxParticles, s.Time), nil)
		}
	}
	r.Flux.Value, r.Flux.StdErr, r.Flux.Groups = groups.Mean(counts, times)

	if err := r.runs(ctx, e, p, f, method); err != nil {
		return nil, err
	}
	ones := slices.Repeat([]float64{1}, e.Runs)
	r.Probability.Value, r.Probability.StdErr, r.Probability.Groups = groups.Mean(r.Probabilities, ones)
	r.MeanTime = sde.Estimate{Value: 1 / (r.Flux.Value * r.Probability.Value), Groups: e.Runs}
	r.Log = -math.Log(r.Flux.Value) - math.Log(r.Probability.Value)
	a, b := r.Flux.StdErr/r.Flux.Value, r.Probability.StdErr/r.Probability.Value
	r.Bias = float64(a*a) + float64(b*b)
	r.MeanTime.StdErr = float64(r.MeanTime.Value * math.Sqrt(r.Bias))
	if r.Probability.Value == 0 {
		r.MeanTime.StdErr, r.Bias = math.NaN(), math.NaN()
		r.Warnings = append(r.Warnings, errors.New("no run has reached the target: all paths died out; take more clones or a better coordinate"))
	}
	if r.Bias > 0.05 {
		r.Warnings = append(r.Warnings, fmt.Errorf("the mean time is biased by about %.2g of itself: take more clones or runs", r.Bias))
	}
	// A few runs that carry the mean are the sign of a coordinate that misses how paths go.
	if top := slices.Max(r.Probabilities); top > 0.5*r.Probability.Value*float64(e.Runs) {
		r.Warnings = append(r.Warnings, errors.New("one run makes up more than half of the probability: the error is not to be trusted; take more clones or a better coordinate"))
	}
	return r, nil
}

// runs makes the estimates of the probability.
func (r *RareResult) runs(ctx context.Context, e RareEvent, p *plan, f *flux, method probability) error {
	workers := e.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next, steps, branches atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, e.Runs)
	durations, arrivals := make([]float64, e.Runs), make([]float64, e.Runs)
	for range min(workers, e.Runs) {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= e.Runs || ctx.Err() != nil {
					return
				}
				w, err := newWalker(ctx, e, p, i)
				if err == nil {
					r.Probabilities[i], err = method(w, f.entries(i))
					steps.Add(w.steps)
					branches.Add(int64(w.branch))
					durations[i], arrivals[i] = w.duration, w.arrivals
				}
				errs[i] = err
			}
		})
	}
	wait.Wait()
	r.Steps, r.Branches = steps.Load(), branches.Load()
	var sum, n float64
	for i, d := range durations {
		sum += d
		n += arrivals[i]
	}
	r.Duration = sum / n
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return &InterruptedError{Err: context.Cause(ctx)}
	}
	return nil
}

// flux counts passages of the gate and keeps where they arrive.
type flux struct {
	event    RareEvent
	settled  float64 // when passages begin to count
	starts   sde.Batch
	inside   []bool // was in From more recently than beyond the gate
	passages []int64
	states   [][]float64 // by particle, the first few arrivals one after the other
}

// keptEntries is how many arrivals at the gate each particle keeps.
const keptEntries = 64

func (f *flux) Start(r sde.Run) error {
	f.starts, f.settled = sde.NewBatch(r.Particles, r.Dim), r.BurnIn-float64(r.Step/2)
	f.inside, f.passages, f.states = make([]bool, r.Particles), make([]int64, r.Particles), make([][]float64, r.Particles)
	return nil
}

func (f *flux) ObservesBurnIn() bool { return true }

func (f *flux) Observe(s sde.Sample) error {
	if s.Index > 0 {
		return nil
	}
	for i := range s.X.Rows {
		if f.event.To.Contains(s.X.Row(i)) {
			return invalid(fmt.Sprintf("start of particle %d", s.First+i), slices.Clone(s.X.Row(i)), "a point outside To", nil)
		}
		copy(f.starts.Row(s.First+i), s.X.Row(i))
	}
	return nil
}

func (f *flux) ObserveStep(s sde.Step) error {
	for i := range s.After.Rows {
		p, x := s.First+i, s.After.Row(i)
		switch {
		case f.event.From.Contains(x):
			f.inside[p] = true
		case f.inside[p] && f.event.Coordinate(x) >= f.event.Gate:
			f.inside[p] = false
			if s.Time >= f.settled {
				f.passages[p]++
				if len(f.states[p]) < keptEntries*len(x) {
					f.states[p] = append(f.states[p], x...)
				}
			}
		}
		if f.event.To.Contains(x) { // it happens now and then; the stationary flux is that of those who begin again
			copy(x, f.starts.Row(p))
			s.Renewed[i] = true
		}
	}
	return nil
}

// entries returns where the particles of a run arrived at the gate, a batch of
// each that did.
func (f *flux) entries(run int) (list []sde.Batch) {
	d := f.starts.Cols
	for _, s := range f.states[run*fluxParticles : (run+1)*fluxParticles] {
		if n := len(s) / d; n > 0 {
			list = append(list, sde.Batch{Data: s, Rows: n, Cols: d, Stride: d})
		}
	}
	return list
}

// walker advances single paths of one run.
type walker struct {
	ctx    context.Context
	event  RareEvent
	kernel Kernel
	domain sde.Domain
	d      int
	step   float64
	stream *sde.Stream
	random *sde.Stream // of choices
	x      sde.Batch   // one row
	before sde.Batch
	branch int

	steps    int64
	duration float64 // of passages that arrived, together
	arrivals float64
}

func newWalker(ctx context.Context, e RareEvent, p *plan, run int) (*walker, error) {
	s := NewSystem(p.Equation, p.properties.Calculus, p.Step, 1)
	k, err := p.Scheme.Bind(s)
	if err != nil {
		return nil, err
	}
	// A run's streams are of another seed than the flux's.
	seed := e.Seed ^ 0xa0761d6478bd642f*uint64(run+1)
	w := &walker{ctx: ctx, event: e, kernel: k, d: p.d, step: p.Step, stream: sde.NewStream(seed, e.NewSource), random: sde.NewStream(seed, e.NewSource),
		x: sde.NewBatch(1, p.width), before: sde.NewBatch(1, p.d)}
	if c, ok := p.Equation.(sde.Confined); ok {
		w.domain = c.Confinement()
	}
	return w, nil
}

// choose returns one of n numbers. Choices are made one after the other.
func (w *walker) choose(n int) int {
	var i [1]uint32
	w.random.Indices(i[:], n)
	return int(i[0])
}

// fate is how a path ended.
type fate int

const (
	returned fate = iota // to From
	reached              // To, or a level
)

// walk takes a new branch from a state until it is back in From or has arrived in To, or
// has come to ξ ≥ level. visit, if not nil, is shown each state.
func (w *walker) walk(from []float64, level float64, visit func(xi float64, row []float64, age int)) (end fate, age int, err error) {
	copy(w.x.Data, from)
	theta := w.x
	theta.Cols = w.d
	theta.Data = theta.Data[:w.d]
	if w.branch++; w.branch >= sde.MaxBlocks {
		return 0, 0, fmt.Errorf("integrate: more than %d branches in a run", sde.MaxBlocks)
	}
	for ; ; age++ {
		if age&0xfff == 0 && w.ctx.Err() != nil {
			return 0, age, &InterruptedError{Err: context.Cause(w.ctx)}
		}
		w.stream.At(sde.Steps, w.branch, age)
		if w.domain != nil {
			w.before.CopyFrom(theta)
		}
		w.kernel.Step(w.x, 0, w.stream)
		if w.domain != nil {
			w.domain.Constrain(w.before, theta)
		}
		w.steps++
		if !kernel.AllFinite(w.x.Data) {
			return 0, age, &DivergenceError{Particle: -1, Step: age, Time: float64(age) * w.step, Before: slices.Clone(from[:w.d]), After: slices.Clone(theta.Data)}
		}
		xi := w.event.Coordinate(theta.Data)
		if visit != nil {
			visit(xi, w.x.Data, age+1)
		}
		if w.event.To.Contains(theta.Data) || xi >= level {
			return reached, age + 1, nil
		}
		if w.event.From.Contains(theta.Data) {
			return returned, age + 1, nil
		}
	}
}
