// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package conformance

import "math"

// Derivative returns the derivative at 0 of a function of n components along a
// line, and an estimate of the error of each component. It extrapolates central
// differences of steps that shrink by 1.4 from step on, and takes for each
// component the entry of the tableau that differs least from its neighbours
// (Ridders, 1982, Accurate computation of F′(x) and F′(x)F″(x), Advances in
// Engineering Software 4, 75–76).
func Derivative(f func(dst []float64, s float64), n int, step float64) (value, err []float64) {
	const (
		shrink = 1.4
		levels = 20
	)
	value, err = make([]float64, n), make([]float64, n)
	Fill(err, math.Inf(1))
	up, down := make([]float64, n), make([]float64, n)
	var last, row [levels][]float64
	for j := range row {
		last[j], row[j] = make([]float64, n), make([]float64, n)
	}
	h := step
	for i := range levels {
		f(up, h)
		f(down, -h)
		for k := range n {
			row[0][k] = (up[k] - down[k]) / (2 * h)
			// What the rounding of the function itself makes of the difference.
			noise := 0x1p-52 * (math.Abs(up[k]) + math.Abs(down[k])) / h
			factor := 1.0
			for j := 1; j <= i; j++ {
				factor = float64(factor * (shrink * shrink))
				row[j][k] = (float64(row[j-1][k]*factor) - last[j-1][k]) / (factor - 1)
				e := math.Max(math.Abs(row[j][k]-row[j-1][k]), math.Abs(row[j][k]-last[j-1][k]))
				if e = math.Max(e, noise); e < err[k] {
					value[k], err[k] = row[j][k], e
				}
			}
		}
		last, row = row, last
		h /= shrink
	}
	return value, err
}
