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
	"sort"
	"time"

	"github.com/sgflow/sgflow/internal/snapshot"
	"github.com/sgflow/sgflow/sde"
)

// Ensemble simulates many independent particles of one equation. Equation, Step
// and Particles must be set.
//
// Particles are grouped in blocks whose size depends on the dimension alone, and
// noise is a function of the seed, the block and the step (sde.Stream): a run
// gives the same bits for any number of workers and with any observers, and one
// particle can be replayed alone (Replay). What decides the bits is Equation,
// Scheme, Step, Pieces, Particles, Start, Seed, NewSource and, in what observers
// report, Groups; Workers and Progress do not.
//
// The memory of a run is the particles' state, some blocks' scratch for each
// worker, and what observers hold; it does not grow with the number of steps.
type Ensemble struct {
	// Equation is what is simulated: a sde.Flow, or an equation of one's own.
	Equation sde.Equation
	// Scheme is the numerical method; nil means EulerMaruyama.
	Scheme Scheme
	// Step is the step h, in units of the flow's time.
	Step float64
	// Particles is how many there are.
	Particles int
	// Start is where they start; nil means the origin.
	Start Start
	// Seed selects the noise. Seeds are hashed: consecutive ones serve as well as any.
	Seed uint64
	// NewSource makes another generator of random words; nil means the built-in one.
	NewSource func(seed uint64) sde.Source
	// Groups is into how many groups the blocks fall, from whose scatter observers
	// take standard errors; 0 means 64, or the number of blocks if that is less.
	Groups int
	// Workers is how many goroutines advance blocks; 0 means GOMAXPROCS.
	Workers int
	// OnDivergence says what happens when a particle is no longer finite.
	OnDivergence DivergencePolicy
	// Pieces makes each step's noise the sum of that of so many finer steps: runs of
	// step h with Pieces n and of step h/n with Pieces 1 follow the same Brownian
	// paths. 0 means 1.
	Pieces int
	// Shard makes the run a part of the ensemble; the zero value means all of it.
	Shard Shard
	// Checkpoint saves the run from time to time; the zero value does not.
	Checkpoint Checkpoint
	// Progress, if it is not nil, is called about ten times a second, and at the
	// end, by one goroutine at a time. It must not block.
	Progress func(Progress)
}

// DivergencePolicy says what a run does about particles that are no longer finite.
type DivergencePolicy int

const (
	// Fail ends the run with a *DivergenceError and what was observed before.
	Fail DivergencePolicy = iota
	// Drop removes the particle from all further observations and goes on; the
	// result counts and locates what was dropped, and says that averages are
	// conditioned on survival.
	Drop
)

// Schedule says how long a run goes on and when it is observed. All times are
// in units of the flow's time and multiples of the step.
type Schedule struct {
	// BurnIn passes before the first observation. It is seen only by observers that ask for it.
	BurnIn float64
	// Time follows; it must be positive.
	Time float64
	// Every is the time between observations, which take place at
	// BurnIn + Every, BurnIn + 2 Every, …, BurnIn + Time; 0 means one, at the end.
	Every float64
}

// Progress is how far a run has come.
type Progress struct {
	Done, Total int64 // particle-steps
	Time        float64
	Elapsed     time.Duration
}

// BlockRows returns how many particles of d coordinates make a block: a power
// of two, 1024 in one dimension, 64 from 16 to 128, so that a block's state and
// scratch stay in the first or second level of cache. It is part of what decides
// a run's bits.
func BlockRows(d int) int {
	n := max(1024/d, min(64, 8192/d), 1)
	for n&(n-1) != 0 {
		n &= n - 1
	}
	return n
}

// defaultGroups is what Ensemble.Groups = 0 means where there are enough blocks.
const defaultGroups = 64

// minGroups is how many groups a standard error should rest on. Where particles
// make fewer, stretches of time are groups of their own.
const minGroups = 16

// Validate returns an error that names the first setting that is wrong and what
// would be right, or nil. Run calls it.
func (e Ensemble) Validate(s Schedule) error {
	_, err := e.plan(s)
	return err
}

// plan is a run's settings, checked, and what follows from them.
type plan struct {
	Ensemble
	schedule         Schedule
	properties       Properties
	d, width, rows   int // coordinates, columns of a particle's row, rows of a block
	blocks, groups   int
	firstGroup       int // of the shard
	endGroup         int
	firstBlock       int
	endBlock         int
	save             int // steps between checkpoints, 0 for none
	burnIn, n, every int // steps: burn-in, all, between observations
	observations     int
	warnings         []error
}

func invalid(field string, value any, want string, err error) error {
	return &sde.SettingError{Field: "integrate: " + field, Value: value, Want: want, Err: err}
}

func (e Ensemble) plan(s Schedule) (*plan, error) {
	if e.Equation == nil {
		return nil, invalid("Ensemble.Equation", nil, "an equation, such as a sde.Flow", nil)
	}
	if v, ok := e.Equation.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, err
		}
	}
	if e.Scheme == nil {
		e.Scheme = EulerMaruyama{}
	}
	d, m := e.Equation.Dims()
	if d < 1 || m < 0 {
		return nil, invalid("Ensemble.Equation", fmt.Sprintf("an equation of %d coordinates and %d noise components", d, m), "at least one coordinate", sde.ErrDimension)
	}
	p := &plan{Ensemble: e, schedule: s, d: d, rows: BlockRows(d)}
	class := classOf(e.Equation)
	if m != 0 && m != d && (class == sde.Diagonal || hasDiagonalRoot(sde.DiffusionOf(e.Equation))) {
		return nil, invalid("Ensemble.Equation", fmt.Sprintf("diagonal noise of %d components", m), fmt.Sprintf("%d, one a coordinate", d), sde.ErrDimension)
	}
	if c, ok := e.Equation.(sde.Confined); ok {
		if v, ok := c.Confinement().(interface{ Validate(dim int) error }); ok {
			if err := v.Validate(d); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if p.properties, err = e.Scheme.Properties(class); errors.Is(err, sde.ErrInvalid) {
		return nil, err // a setting of the scheme's own
	} else if err != nil {
		return nil, invalid("Ensemble.Scheme", fmt.Sprintf("%T", e.Scheme), fmt.Sprintf("a scheme for %v noise", class), err)
	}
	if err := checkStable(e.Scheme, p.properties.Name, e.Equation); err != nil {
		return nil, err
	}
	p.width = d
	if a, ok := e.Scheme.(Augmented); ok {
		p.width = a.Width(d)
	}
	if !(e.Step > 0) || math.IsInf(e.Step, 1) {
		return nil, invalid("Ensemble.Step", e.Step, "a positive, finite step", nil)
	}
	if e.Particles < 1 {
		return nil, invalid("Ensemble.Particles", e.Particles, "at least 1", nil)
	}
	if e.Particles > math.MaxInt/8/p.width {
		return nil, invalid("Ensemble.Particles", e.Particles, fmt.Sprintf("fewer: their state of %d numbers each would take %.3g GiB",
			p.width, float64(e.Particles)*float64(p.width)*8/(1<<30)), nil)
	}
	p.blocks = (e.Particles + p.rows - 1) / p.rows
	if p.blocks > sde.MaxBlocks {
		return nil, invalid("Ensemble.Particles", e.Particles, fmt.Sprintf("at most %d (blocks of %d)", sde.MaxBlocks*p.rows, p.rows), nil)
	}
	switch {
	case e.Groups == 0:
		p.groups = min(defaultGroups, p.blocks)
	case e.Groups < 0:
		return nil, invalid("Ensemble.Groups", e.Groups, "a positive number, or 0 for the default", nil)
	case e.Groups > p.blocks:
		return nil, invalid("Ensemble.Groups", e.Groups, fmt.Sprintf("at most %d, the number of blocks of %d particles", p.blocks, p.rows), nil)
	default:
		p.groups = e.Groups
	}
	if e.Workers < 0 {
		return nil, invalid("Ensemble.Workers", e.Workers, "a positive number, or 0 for one a processor", nil)
	}
	if e.Workers == 0 {
		p.Workers = runtime.GOMAXPROCS(0)
	}
	if err := p.planShard(); err != nil {
		return nil, err
	}
	p.Workers = min(p.Workers, p.endGroup-p.firstGroup)
	if e.OnDivergence != Fail && e.OnDivergence != Drop {
		return nil, invalid("Ensemble.OnDivergence", int(e.OnDivergence), "Fail or Drop", nil)
	}
	if e.Pieces < 0 {
		return nil, invalid("Ensemble.Pieces", e.Pieces, "a positive number, or 0 for 1", nil)
	}
	p.Pieces = max(e.Pieces, 1)
	if err := p.planTimes(); err != nil {
		return nil, err
	}
	if t, ok := e.Scheme.(Tuned); ok && t.TuningTime() > s.BurnIn {
		return nil, invalid("Schedule.BurnIn", s.BurnIn, fmt.Sprintf("at least %g, the time in which %s is tuned", t.TuningTime(), p.properties.Name), nil)
	}
	if p.Start == nil {
		p.Start = Points{make([]float64, d)}
	}
	if err := p.Start.Check(d, e.Particles); err != nil {
		return nil, err
	}
	if c, ok := sde.LossOf(e.Equation).(sde.Curvature); ok && p.properties.Stability > 0 {
		if hl := e.Step * c.Curvature(); hl >= p.properties.Stability {
			a, such := suggest(e.Scheme, p.properties, c.Curvature(), defaultTolerance), ""
			if !math.IsNaN(a.Bias) {
				such = fmt.Sprintf(", such as %.3g, where the variance there is off by %.2g %%", a.Step, 100*a.Bias)
			}
			p.warnings = append(p.warnings, fmt.Errorf("step %g is above the linear stability limit of %s at the loss's sharpest minimum: "+
				"h·λ = %.3g ≥ %g; take a step below %.3g%s (SuggestStep)", e.Step, p.properties.Name, hl, p.properties.Stability, a.Limit, such))
		}
	}
	return p, nil
}

// hasDiagonalRoot reports whether a diffusion has an upgrade whose root is square.
func hasDiagonalRoot(d sde.Diffusion) bool {
	_, thermal := d.(sde.Thermal)
	_, diagonal := d.(sde.DiagonalRoot)
	return thermal || diagonal
}

// planTimes turns the schedule into steps.
func (p *plan) planTimes() (err error) {
	s := p.schedule
	if p.burnIn, err = p.steps("Schedule.BurnIn", s.BurnIn, true); err != nil {
		return err
	}
	n, err := p.steps("Schedule.Time", s.Time, false)
	if err != nil {
		return err
	}
	p.n, p.every = p.burnIn+n, n
	if s.Every != 0 {
		if p.every, err = p.steps("Schedule.Every", s.Every, false); err != nil {
			return err
		}
		if n%p.every != 0 {
			return invalid("Schedule.Every", s.Every, fmt.Sprintf("a divisor of Time = %g, or Time = %g", s.Time,
				float64((n+p.every-1)/p.every)*s.Every), nil)
		}
	}
	if p.n > sde.MaxSteps/p.Pieces {
		return invalid("Schedule.Time", s.Time, fmt.Sprintf("at most %d steps in all", sde.MaxSteps/p.Pieces), nil)
	}
	p.observations = n / p.every
	if p.Checkpoint.Path == "" {
		if p.Checkpoint.Every != 0 {
			return invalid("Ensemble.Checkpoint.Path", "", "a file, as Every is set", nil)
		}
		return nil
	}
	if p.save, err = p.steps("Ensemble.Checkpoint.Every", p.Checkpoint.Every, false); err != nil {
		return err
	}
	if err := snapshot.Writable(p.Checkpoint.Path); err != nil {
		return invalid("Ensemble.Checkpoint.Path", p.Checkpoint.Path, "a file that can be written", err)
	}
	return nil
}

// steps returns how many steps make a time.
func (p *plan) steps(field string, t float64, zero bool) (int, error) {
	if t == 0 && zero {
		return 0, nil
	}
	if !(t > 0) || math.IsInf(t, 1) {
		return 0, invalid(field, t, "a positive, finite time", nil)
	}
	x := t / p.Step
	if x > sde.MaxSteps {
		return 0, invalid(field, t, fmt.Sprintf("at most %d steps of %g", sde.MaxSteps, p.Step), nil)
	}
	n := math.Round(x)
	// t and h are rounded decimals: their quotient is off by a few ulps of itself.
	if n < 1 || math.Abs(x-n) > 1e-9+float64(8*x*0x1p-52) {
		return 0, invalid(field, t, fmt.Sprintf("a multiple of the step %g; the nearest is %.12g", p.Step, max(n, 1)*p.Step), nil)
	}
	return int(n), nil
}

// Run simulates the ensemble and shows it to the observers. Nothing is done if a
// setting is wrong: the result is then nil and the error wraps sde.ErrInvalid.
//
// Whatever else ends a run early returns an error and what was observed until
// then, all of it up to the same time, as a result marked Partial: a
// *DivergenceError, a *PanicError from a person's code, an *ObserverError, or an
// *InterruptedError when ctx is done. Observers hold complete observations up to
// Result.Time.
func (e Ensemble) Run(ctx context.Context, s Schedule, observers ...sde.Observer) (*Result, error) {
	p, err := e.plan(s)
	if err != nil {
		return nil, err
	}
	return p.run(ctx, observers, mode{only: -1})
}

// Replay advances the block of one particle alone, with the bits it has in Run,
// and shows that particle to the observers. Shard and Checkpoint are not looked at.
// It returns the errors of Run, and one that wraps sde.ErrInvalid if there is no such particle.
func (e Ensemble) Replay(ctx context.Context, s Schedule, particle int, observers ...sde.Observer) (*Result, error) {
	e.Shard, e.Checkpoint = Shard{}, Checkpoint{}
	p, err := e.plan(s)
	if err != nil {
		return nil, err
	}
	if particle < 0 || p.Particles <= particle {
		return nil, invalid("Replay particle", particle, fmt.Sprintf("0 to %d", p.Particles-1), nil)
	}
	b := particle / p.rows
	g := sort.Search(p.groups, func(g int) bool { _, end := p.blocksOf(g); return end > b })
	p.firstGroup, p.endGroup, p.firstBlock, p.endBlock, p.Workers, p.save = g, g+1, b, b+1, 1, 0
	return p.run(ctx, observers, mode{only: particle})
}
