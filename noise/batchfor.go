// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "math"

// BatchFor is the schedule of batch sizes that does at a fixed learning rate what a schedule η(t)
// of learning rates does at a fixed batch size,
//
//	B(t) = B₀ η₀/η(t)
//
// so that η₀/B(t) = η(t)/B₀, and with it D, is the same at each time of the flow: do not decay the
// learning rate, increase the batch size. A step of SGD then takes η₀ and not η(t), so the flow's
// time is reached in fewer steps. See S. L. Smith, P.-J. Kindermans, C. Ying & Q. V. Le, 2018,
// Don't decay the learning rate, increase the batch size.
type BatchFor struct {
	Decay        Schedule // η(t), above 0
	LearningRate float64  // η₀, finite and above 0
	BatchSize    float64  // B₀, finite and above 0
}

var _ Schedule = BatchFor{}

// Validate returns an error if there is no schedule, it refuses itself, or a number is not positive
// and finite.
func (s BatchFor) Validate() error {
	if err := checkSchedule("noise: BatchFor.Decay", s.Decay); err != nil {
		return err
	}
	if err := positive("noise: BatchFor.LearningRate", s.LearningRate); err != nil {
		return err
	}
	return positive("noise: BatchFor.BatchSize", s.BatchSize)
}

// At returns B(t), any number above 0.
func (s BatchFor) At(t float64) float64 { return s.BatchSize * (s.LearningRate / s.Decay.At(t)) }

// Size returns B(t) to the nearest whole number, at least 1.
func (s BatchFor) Size(t float64) int { return int(max(math.Round(s.At(t)), 1)) }
