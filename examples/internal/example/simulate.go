// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package example

import (
	"context"
	"math"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// Ensemble returns an ensemble of the equation with the session's step,
// particles, seed and workers.
func (s *Session) Ensemble(equation sde.Equation) integrate.Ensemble {
	return integrate.Ensemble{Equation: equation, Step: s.Step, Particles: s.Particles, Seed: s.Seed, Workers: s.Workers}
}

// Multiple returns the multiple of the step, at least one, that is nearest to t.
func (s *Session) Multiple(t float64) float64 {
	return s.Step * max(1, math.Round(t/s.Step))
}

// Every returns the time between observations that is nearest to t from below
// among those that a Schedule takes: multiples of the step that divide the time.
// If the time itself is no multiple of the step it returns 0, and Run says so.
func (s *Session) Every(t float64) float64 {
	n, k := math.Round(s.Time/s.Step), max(1, math.Round(t/s.Step))
	if !(n >= 1) || n > 1<<40 {
		return 0
	}
	for math.Mod(n, k) != 0 {
		k--
	}
	return k * s.Step
}

// Simulate runs the ensemble, draws a progress bar if stderr is a terminal, and
// reports the run's warnings.
//
// If the ensemble has a checkpoint, and there is one in that place, the run goes on
// from it.
//
// A run that ends early is no error here if anything was observed: the program
// goes on with the partial result, the report is marked as partial, and the
// program exits with code 1.
func (s *Session) Simulate(ctx context.Context, what string, e integrate.Ensemble, schedule integrate.Schedule, observers ...sde.Observer) (*integrate.Result, error) {
	set, done := s.Progress(what)
	// What the bar cannot write is no reason to end a run.
	if set != nil {
		e.Progress = func(p integrate.Progress) { set(p.Done, p.Total) }
	}
	run := e.Run
	if _, err := os.Stat(e.Checkpoint.Path); e.Checkpoint.Path != "" && err == nil {
		run = e.Resume
	}
	result, err := run(ctx, schedule, observers...)
	done()
	if result == nil || err != nil && result.Observations == 0 {
		return nil, err
	}
	s.ended = err
	for _, w := range result.Warnings {
		s.Report.Warn(w.Error())
	}
	return result, nil
}

// Progress draws a progress bar under a name if stderr is a terminal: set says how much of
// how much is done, and finish takes the bar away. set is nil if there is no terminal.
func (s *Session) Progress(what string) (set func(done, total int64), finish func()) {
	if !isTerminal(s.stderr) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions64(1, progressbar.OptionSetWriter(s.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(40), progressbar.OptionThrottle(50*time.Millisecond))
	return func(done, total int64) { bar.ChangeMax64(total); _ = bar.Set64(done) }, func() { _ = bar.Finish(); _ = bar.Clear() }
}

// isTerminal reports whether w is a character device.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Nanoseconds returns how long a run took for a step of one particle.
func Nanoseconds(r *integrate.Result) float64 {
	return float64(r.Elapsed.Nanoseconds()) / (float64(r.Steps) * float64(r.Particles))
}
