// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Weighted observes, as Mean does, the expectations of a person's functions of the
// state, each observation with the weight of the step that starts there,
//
//	E f_j ≈ Σ_k h_k f_j(θ_k) / Σ_k h_k
//
// over particles and observed steps k: what schemes with decreasing steps need (SGLD),
// since a state then stands for the time h_k. Standard errors are those of a ratio, from
// the scatter between groups. Its memory is that of Mean.
type Weighted struct {
	// Functions is how many functions there are.
	Functions int
	// F stores their values at θ into dst. It is called from many goroutines.
	F func(dst, theta []float64)
	// Steps is the scheme of the run.
	Steps StepSequence

	mean    Mean
	step    float64
	samples []float64 // by group
}

var (
	_ sde.Observer   = (*Weighted)(nil)
	_ sde.GroupSaver = (*Weighted)(nil)
)

// NewWeighted returns an observer of n functions, whose values f stores into dst, with
// the weights of the scheme's steps.
func NewWeighted(steps StepSequence, n int, f func(dst, theta []float64)) *Weighted {
	return &Weighted{Functions: n, F: f, Steps: steps}
}

// Start refuses a nil function or scheme, a number of functions below 1, and a run that
// does not say its step.
func (w *Weighted) Start(r sde.Run) error {
	switch {
	case w.Functions < 1:
		return invalid("Weighted.Functions", w.Functions, "at least 1", nil)
	case w.F == nil:
		return invalid("Weighted.F", nil, "a function", nil)
	case w.Steps == nil:
		return invalid("Weighted.Steps", nil, "the run's scheme, such as SGLD", nil)
	case !(r.Step > 0):
		return invalid("Weighted: Run.Step", r.Step, "the first step of the run", nil)
	}
	w.mean, w.step, w.samples = Mean{Functions: w.Functions, F: w.F}, r.Step, make([]float64, r.Groups)
	return w.mean.Start(r)
}

// Observe adds a block's values. A value that is not finite is an error.
func (w *Weighted) Observe(s sde.Sample) error {
	w.samples[s.Group] += float64(s.X.Rows)
	return w.mean.add(s, w.Steps.StepAt(int(math.Round(s.Time/w.step)), w.step))
}

// Estimate returns E f_j and its standard error. It panics if there is no such function.
func (w *Weighted) Estimate(j int) sde.Estimate { return w.mean.Estimate(j) }

// Samples returns how many states were observed.
func (w *Weighted) Samples() int64 { return int64(total(w.samples)) }

// Weight returns Σ h_k over all that was observed: the time of the flow, times the
// particles if each step was observed.
func (w *Weighted) Weight() float64 { return total(w.mean.counts) }

// AppendGroup implements sde.GroupSaver.
func (w *Weighted) AppendGroup(dst []byte, g int) []byte {
	return w.mean.AppendGroup(appendFloats(dst, w.samples[g]), g)
}

// LoadGroup implements sde.GroupSaver.
func (w *Weighted) LoadGroup(g int, data []byte) error {
	v, err := loadFloats(data, 2+w.Functions)
	if err != nil {
		return err
	}
	w.samples[g] = v[0]
	return w.mean.LoadGroup(g, data[8:])
}
