// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

// Ratio is the quotient of two schedules, that of learning rate and batch size for instance, which
// D is in proportion to.
type Ratio struct {
	Of, By Schedule
}

var _ Schedule = Ratio{}

// Validate returns an error if there is no schedule, or one refuses itself.
func (s Ratio) Validate() error {
	if err := checkSchedule("noise: Ratio.Of", s.Of); err != nil {
		return err
	}
	return checkSchedule("noise: Ratio.By", s.By)
}

// At returns the quotient at t, not finite where By is 0.
func (s Ratio) At(t float64) float64 { return s.Of.At(t) / s.By.At(t) }
