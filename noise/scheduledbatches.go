// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// ScheduledBatches samples the gradient of a finite sum by mini-batches with replacement whose size
// depends on the time of the flow, as with a batch that grows where others let the learning rate
// decay:
//
//	g = (1/B) Σ_k ∇ℓ_{i_k},   B = B(kη) to the nearest whole number, within 1 and Most,   in step k
//	Cov g = Σ(θ)/B
//
// It does not declare a covariance, which depends on the step. The noise of different steps is
// independent.
type ScheduledBatches struct {
	Loss         sde.FiniteSum
	Size         Schedule // B(t), such as BatchFor
	LearningRate float64  // η, finite and above 0
	Most         int      // the largest batch, at least 1; scratch memory is 4 bytes for each row and sample
}

var _ sde.GradientSampler = ScheduledBatches{}

// Validate returns an error if there is no loss, it has no samples, there is no schedule, it
// refuses itself, LearningRate is not positive and finite, or Most is not positive.
func (s ScheduledBatches) Validate() error {
	if err := checkBatches("ScheduledBatches", s.Loss, 1, math.MaxInt32); err != nil {
		return err
	}
	if err := checkSchedule("noise: ScheduledBatches.Size", s.Size); err != nil {
		return err
	}
	if err := positive("noise: ScheduledBatches.LearningRate", s.LearningRate); err != nil {
		return err
	}
	if s.Most < 1 {
		return &sde.SettingError{Field: "noise: ScheduledBatches.Most", Value: s.Most, Want: fmt.Sprintf("at least 1, and at time 0 the schedule has %v", s.Size.At(0))}
	}
	return nil
}

// Objective returns Loss.
func (s ScheduledBatches) Objective() sde.Loss { return s.Loss }

// BatchSize returns B in step k.
func (s ScheduledBatches) BatchSize(k int) int {
	b := math.Round(s.Size.At(float64(k) * s.LearningRate))
	return int(min(max(b, 1), float64(s.Most)))
}

// BindGradients implements sde.GradientSampler.
func (s ScheduledBatches) BindGradients(rows int) sde.GradientFunc {
	mean, n := sde.BindMinibatches(s.Loss, rows), s.Loss.Samples()
	samples := make([]uint32, rows*s.Most)
	return func(dst, x sde.Batch, stream *sde.Stream) {
		_, step := stream.Place()
		all := samples[:x.Rows*s.BatchSize(step)]
		stream.Indices(all, n)
		mean(dst, x, all)
	}
}
