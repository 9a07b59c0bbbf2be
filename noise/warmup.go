// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

// Warmup is another schedule with a linear start, that reaches it after some time:
//
//	s(t) = a + (then(T) − a) t/T,   t < T,   then(t) after that
type Warmup struct {
	Start    float64 // a, finite and not negative
	Duration float64 // T, finite and above 0
	Then     Schedule
}

var _ Schedule = Warmup{}

// Validate returns an error if Start is negative, Duration is not positive, one is not finite, or
// there is no other schedule, or it refuses itself.
func (s Warmup) Validate() error {
	if err := nonNegative("noise: Warmup.Start", s.Start); err != nil {
		return err
	}
	if err := positive("noise: Warmup.Duration", s.Duration); err != nil {
		return err
	}
	return checkSchedule("noise: Warmup.Then", s.Then)
}

// At returns the value at t.
func (s Warmup) At(t float64) float64 {
	if t < s.Duration {
		return s.Start + float64((s.Then.At(s.Duration)-s.Start)*(t/s.Duration))
	}
	return s.Then.At(t)
}
