// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"sort"

	"github.com/sgflow/sgflow/sde"
)

// Stepwise is a schedule that changes at given times: Values[0] before Times[0], Values[k+1] from
// Times[k] on, until Times[k+1]. A scheme meets a change exactly if its time is a multiple of the
// step.
type Stepwise struct {
	Times  []float64 // ascending, finite and above 0
	Values []float64 // one more, finite and not negative
}

var _ Schedule = Stepwise{}

// Validate returns an error if there is not one more value than times, times are not in ascending
// order, or a number is negative or not finite.
func (s Stepwise) Validate() error {
	if len(s.Values) != len(s.Times)+1 {
		return &sde.SettingError{Field: "noise: Stepwise.Values", Value: fmt.Sprintf("%d values", len(s.Values)),
			Want: fmt.Sprintf("%d, one more than times", len(s.Times)+1), Err: sde.ErrDimension}
	}
	for k, t := range s.Times {
		field := fmt.Sprintf("noise: Stepwise.Times[%d]", k)
		if err := positive(field, t); err != nil {
			return err
		}
		if k > 0 && t <= s.Times[k-1] {
			return &sde.SettingError{Field: field, Value: t, Want: fmt.Sprintf("a time after the one before, %v", s.Times[k-1])}
		}
	}
	for k, v := range s.Values {
		if err := nonNegative(fmt.Sprintf("noise: Stepwise.Values[%d]", k), v); err != nil {
			return err
		}
	}
	return nil
}

// At returns the value at t.
func (s Stepwise) At(t float64) float64 {
	return s.Values[sort.Search(len(s.Times), func(k int) bool { return t < s.Times[k] })]
}
