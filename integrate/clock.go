// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// Clock maps the time of discrete updates on data to steps, samples and epochs:
//
//	time = η · steps,   samples = B · steps,   epochs = samples / N
//
// with the learning rate η and batches of B out of N samples. The zero value maps all to 0.
type Clock struct {
	LearningRate float64 // η
	BatchSize    int     // B
	Samples      int     // N
}

// ClockOf returns the clock of an ensemble's update with the batches of its sampler, which
// it does not look for inside the update.
func ClockOf(e Ensemble, g sde.Batched) Clock {
	l, b := g.Batches()
	return Clock{LearningRate: e.Step, BatchSize: b, Samples: l.Samples()}
}

// Steps returns how many steps a time takes, to be rounded.
func (c Clock) Steps(time float64) float64 { return ratio(time, c.LearningRate) }

// Drawn returns how many sample gradients a time takes.
func (c Clock) Drawn(time float64) float64 { return c.Steps(time) * float64(c.BatchSize) }

// Epochs returns how often a time goes through the data.
func (c Clock) Epochs(time float64) float64 { return ratio(c.Drawn(time), float64(c.Samples)) }

// TimeOfSteps returns the time of so many steps.
func (c Clock) TimeOfSteps(steps float64) float64 { return steps * c.LearningRate }

// TimeOfEpochs returns the time in which the data are gone through so often.
func (c Clock) TimeOfEpochs(epochs float64) float64 {
	return c.TimeOfSteps(ratio(epochs*float64(c.Samples), float64(c.BatchSize)))
}

// String returns the map of one unit of time.
func (c Clock) String() string {
	return fmt.Sprintf("time 1 = %.6g steps = %.6g samples = %.6g epochs", c.Steps(1), c.Drawn(1), c.Epochs(1))
}

// ratio returns a/b, and 0 for b = 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
