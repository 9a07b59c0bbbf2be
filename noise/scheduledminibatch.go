// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// ScheduledMinibatch is Minibatch with a learning rate and a batch size that depend on time:
//
//	D(t) = T(t) I,   T(t) = η(t) s²/(2B(t))
//
// in any dimension. Time is that of the flow, in which a step of SGD takes the η of its time:
// schedules of the same ratio η/B give the same law, however many steps they take. Batch sizes need
// not be whole.
type ScheduledMinibatch struct {
	LearningRate Schedule // η(t), not negative
	BatchSize    Schedule // B(t), above 0
	Variance     float64  // s², finite and above 0
}

var (
	_ sde.Diffusion    = ScheduledMinibatch{}
	_ sde.Classified   = ScheduledMinibatch{}
	_ sde.Thermal      = ScheduledMinibatch{}
	_ sde.DiagonalRoot = ScheduledMinibatch{}
)

// Validate returns an error if there is no schedule, one refuses itself, Variance is not positive
// and finite, or T(0) is negative or not finite.
func (n ScheduledMinibatch) Validate() error {
	if err := checkSchedule("noise: ScheduledMinibatch.LearningRate", n.LearningRate); err != nil {
		return err
	}
	if err := checkSchedule("noise: ScheduledMinibatch.BatchSize", n.BatchSize); err != nil {
		return err
	}
	if err := positive("noise: ScheduledMinibatch.Variance", n.Variance); err != nil {
		return err
	}
	return nonNegative("noise: ScheduledMinibatch.Temperature(0)", n.Temperature(0))
}

// Dims returns 0, 0: any dimension.
func (n ScheduledMinibatch) Dims() (state, noise int) { return 0, 0 }

// Class returns sde.Additive.
func (n ScheduledMinibatch) Class() sde.NoiseClass { return sde.Additive }

// Temperature returns T(t).
func (n ScheduledMinibatch) Temperature(t float64) float64 {
	return n.LearningRate.At(t) * n.Variance / (2 * n.BatchSize.At(t))
}

// Root stores √(2T(t)) I, of d×d for d = len(theta), into dst. It panics if dst is not of
// length d².
func (n ScheduledMinibatch) Root(dst, theta []float64, t float64) {
	isotropicRoot(dst, len(theta), n.Temperature(t))
}

// DiagonalRoot stores √(2T(t)) into each element of dst. It panics if dst and theta differ in
// length.
func (n ScheduledMinibatch) DiagonalRoot(dst, theta []float64, t float64) {
	isotropicDiagonal(dst, len(theta), n.Temperature(t))
}
