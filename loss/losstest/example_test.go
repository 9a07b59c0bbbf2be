// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest_test

import (
	"fmt"

	"github.com/sgflow/sgflow/loss/losstest"
)

// valley is a loss of one's own, ½x² + ½(y−x²)², whose Hessian has a slip: the entry
// 6x² − 2y + 1 lacks the 1.
type valley struct{}

func (valley) Dim() int { return 2 }
func (valley) Value(p []float64) float64 {
	r := p[1] - p[0]*p[0]
	return p[0]*p[0]/2 + r*r/2
}
func (valley) Gradient(dst, p []float64) {
	r := p[1] - p[0]*p[0]
	dst[0], dst[1] = p[0]-2*p[0]*r, r
}
func (valley) Hessian(dst, p []float64) {
	dst[0], dst[1], dst[2], dst[3] = 6*p[0]*p[0]-2*p[1], -2*p[0], -2*p[0], 1
}

// In a test it is losstest.Test(t, valley{}, …), which reports each fault; Check
// returns them.
func Example() {
	o := losstest.Options{Points: [][]float64{{0.5, 2}}, Wants: []losstest.Upgrade{losstest.Hessian}}
	fmt.Println(losstest.Check(valley{}, o))
	// Output:
	// losstest: Hessian: the derivative of ∂L/∂θ_0 along θ_0 at θ = [0.5 2] is -2.5, and -1.5 ± 1e-14 by differences
}
