// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noisetest_test

import (
	"fmt"

	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/noise/noisetest"
)

// forgetful is a sampler of one's own, mini-batches that are said to be as noisy as one sample.
type forgetful struct{ noise.WithReplacement }

func (forgetful) CovarianceFactor() float64 { return 1 }

func ExampleCheckSampler() {
	sound := noise.WithReplacement{Loss: sums{}, BatchSize: 2}
	fmt.Println(noisetest.CheckSampler(sound, noisetest.SamplerOptions{}))
	fmt.Println(noisetest.CheckSampler(forgetful{sound}, noisetest.SamplerOptions{Points: [][]float64{{0, 0}}}))
	// Output:
	// <nil>
	// noisetest: law: the covariance of ∂/∂θ_0 and ∂/∂θ_0 is 1 by GradientCovariance, and 2 by CovarianceFactor and the samples
}
