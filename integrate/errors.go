// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/sde"
)

// DivergenceError locates a particle that is no longer finite, or that the scheme
// could not advance.
type DivergenceError struct {
	Particle int
	Step     int       // the step that left the finite numbers, counted from 0
	Time     float64   // before that step
	Before   []float64 // the particle's state before it
	After    []float64
	Err      error // why the scheme could not advance it, nil if it diverged
}

// Error names particle, step, time and state, and what may have led there: a step that
// is too large, or a drift or noise that is not finite.
func (e *DivergenceError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("integrate: particle %d failed in step %d at time %.6g at %.6g: %v", e.Particle, e.Step, e.Time, e.Before, e.Err)
	}
	hint := "the step may be too large there: take a smaller one, or a scheme for steep losses such as Tamed"
	if e.near() {
		hint = "the drift or the noise may not be finite there"
	}
	return fmt.Sprintf("integrate: particle %d diverged in step %d at time %.6g: %.6g became %.6g (%s)", e.Particle, e.Step, e.Time, e.Before, e.After, hint)
}

// near reports whether a particle became NaN from no great distance. What a large step
// drives away comes by large numbers first.
func (e *DivergenceError) near() bool {
	for _, v := range e.Before {
		if math.Abs(v) > 1e6 {
			return false
		}
	}
	return slices.ContainsFunc(e.After, math.IsNaN)
}

// Unwrap returns Err.
func (e *DivergenceError) Unwrap() error { return e.Err }

// PanicError reports a panic in code that a run called: a loss, a diffusion, a
// start or an observer.
type PanicError struct {
	Value    any
	Stack    []byte
	Block    int // −1 before there are any
	Step     int // −1 in the start
	Particle int // −1 if it is not known
}

// Error names the panic's value and where it happened.
func (e *PanicError) Error() string {
	if e.Block < 0 {
		return fmt.Sprintf("integrate: panic before the first step: %v", e.Value)
	}
	if e.Step < 0 {
		return fmt.Sprintf("integrate: panic in the start of block %d: %v", e.Block, e.Value)
	}
	who := fmt.Sprintf("particle %d", e.Particle)
	if e.Particle < 0 {
		who = "an unknown particle"
	}
	return fmt.Sprintf("integrate: panic in step %d, block %d, %s: %v", e.Step, e.Block, who, e.Value)
}

// Unwrap returns the panic's value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ObserverError reports an error that an observer returned.
type ObserverError struct {
	Observer sde.Observer
	Time     float64
	Err      error
}

// Error names the observer's type and the time.
func (e *ObserverError) Error() string {
	return fmt.Sprintf("integrate: observer %T at time %.6g: %v", e.Observer, e.Time, e.Err)
}

// Unwrap returns the observer's error.
func (e *ObserverError) Unwrap() error { return e.Err }

// InterruptedError reports that a run's context was done before the run.
type InterruptedError struct {
	Time float64 // of the last complete observation
	Err  error   // context.Cause
}

// Error names the time and the cause.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("integrate: run interrupted at time %.6g: %v", e.Time, e.Err)
}

// Unwrap returns the context's cause.
func (e *InterruptedError) Unwrap() error { return e.Err }

// errImpure is the Err of a divergence that another try at the same steps did not find.
var errImpure = errors.New("the same steps taken again gave something else: " +
	"the equation's methods must depend on their arguments alone and be safe for concurrent use")

var errConditioned = errors.New("particles diverged and were dropped: averages are conditioned on survival")
