// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// Schedule is a number that depends on the time of the flow: a learning rate, a batch size, a
// temperature or a factor. Time starts at 0, and a step of SGD takes the learning rate of its time.
// A Schedule is safe for concurrent use.
//
//	Fixed          always the same
//	Stepwise       values that change at given times
//	Warmup         a linear start of another schedule
//	Cosine         half a wave from one value to another
//	InverseTime    a/(1 + rt)
//	Cyclic         up and down between two values
//	Ratio          of two schedules
//	BatchFor       the batch size that does what a decay of the learning rate would
//
// ScheduledMinibatch and Modulated make diffusions of them, and the method At of a schedule of
// temperatures is the function that Annealing takes.
type Schedule interface {
	At(t float64) float64
}

// checkSchedule returns an error if there is no schedule, or it refuses itself.
func checkSchedule(field string, s Schedule) error {
	if s == nil {
		return &sde.SettingError{Field: field, Want: "a schedule, such as noise.Fixed"}
	}
	return validate(s)
}
