// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// checkFeatures returns an error if x is empty or holds what is not finite.
func checkFeatures(name, field string, x *mat.Dense) error {
	if x == nil || x.IsEmpty() {
		return &sde.SettingError{Field: "loss: " + name + " " + field, Value: "no samples", Want: "a row for each of 1 or more samples"}
	}
	n, _ := x.Dims()
	for i := range n {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return &sde.SettingError{Field: fmt.Sprintf("loss: %s %s, row %d, column %d", name, field, i, j), Value: v, Want: "a finite number"}
			}
		}
	}
	return nil
}

// checkData returns an error if x and y differ in length, are empty or hold what is not
// finite.
func checkData(name string, x *mat.Dense, y []float64) error {
	if err := checkFeatures(name, "x", x); err != nil {
		return err
	}
	if n, _ := x.Dims(); len(y) != n {
		return &sde.SettingError{Field: "loss: " + name + " y", Value: fmt.Sprintf("%d labels", len(y)),
			Want: fmt.Sprintf("%d, one for each row of x", n), Err: sde.ErrDimension}
	}
	for i, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &sde.SettingError{Field: fmt.Sprintf("loss: %s y[%d]", name, i), Value: v, Want: "a finite number"}
		}
	}
	return nil
}

// checkFrom0 returns an error unless v is finite and not negative.
func checkFrom0(field string, v float64) error {
	if !(v >= 0) || math.IsInf(v, 1) {
		return &sde.SettingError{Field: "loss: " + field, Value: v, Want: "a finite number from 0"}
	}
	return nil
}

// checkAbove0 returns an error unless v is finite and positive.
func checkAbove0(field string, v float64) error {
	if !(v > 0) || math.IsInf(v, 1) {
		return &sde.SettingError{Field: "loss: " + field, Value: v, Want: "a finite number above 0"}
	}
	return nil
}

// checkSamples panics unless dst has d columns and theta is of length d.
func checkSamples(dst sde.Batch, theta []float64, d int) {
	if len(theta) != d {
		panic(badTheta)
	}
	if dst.Cols != d {
		panic(badDst)
	}
}
