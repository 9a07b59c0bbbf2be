// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noisetest_test

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/noise/noisetest"
	"github.com/sgflow/sgflow/sde"
)

// louder is noise of one's own, D = T(1 + x²) in each coordinate, whose ∇·D has a
// slip: 2Tx without the 2.
type louder struct{ T float64 }

func (louder) Dims() (state, noise int) { return 1, 1 }
func (louder) Class() sde.NoiseClass    { return sde.Diagonal }
func (n louder) Root(dst, x []float64, _ float64) {
	dst[0] = math.Sqrt(2 * n.T * (1 + x[0]*x[0]))
}
func (n louder) Divergence(dst, x []float64, _ float64) { dst[0] = n.T * x[0] }

// In a test it is noisetest.Test(t, louder{…}, …), which reports each fault; Check
// returns them.
func Example() {
	o := noisetest.Options{Points: [][]float64{{0.5}}, Times: []float64{0}}
	fmt.Println(noisetest.Check(louder{T: 0.25}, o))
	// Output:
	// noisetest: derivatives: the divergence of D, element 0, at θ = [0.5], t = 0 is 0.125, and 0.25 ± 3e-14 by differences
}
