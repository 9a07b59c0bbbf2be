// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// TestBasinWeights: the flat and the sharp well of theory § d.5 at D = 0.1, whose weights are
// in the ratio 2.125454; the wells' ratio of curvatures, √5, would be noticed.
func TestBasinWeights(t *testing.T) {
	t.Parallel()
	const top = 1.23155500997
	l := loss.FlatSharp{}
	law, err := stationary.Boltzmann(l, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	flat := law.CDF(top)
	if ratio := flat / (1 - flat); math.Abs(ratio-2.125454) > 1e-6 {
		t.Errorf("the wells' weights are in the ratio %v", ratio)
	}
	// Started with the exact weights, by quantiles: 10³ units of time would settle nothing.
	start := make(integrate.Points, 4000)
	for i := range start {
		start[i] = []float64{law.Quantile((float64(i*1597%len(start)) + 0.5) / float64(len(start)))}
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 0.1}}, Step: 0.005, Particles: 100_000, Seed: 4, Start: start}
	hist := &stationary.Histogram{Lo: -0.5, Hi: 1.5, Bins: 2, Project: func(theta []float64) float64 {
		if theta[0] < top {
			return 0
		}
		return 1
	}}
	if _, err := e.Run(context.Background(), integrate.Schedule{Time: 0.5}, hist); err != nil {
		t.Fatal(err)
	}
	r, err := stationary.Compare(stationary.Weights{flat, 1 - flat}, hist)
	if err != nil {
		t.Fatal(err)
	}
	if r.Fit == nil || r.Fit.PValue < 1e-6 {
		t.Errorf("the exact weights are rejected:\n%v", r)
	}
	if r, err = stationary.Compare(stationary.Weights{math.Sqrt(5), 1}, hist); err != nil || r.Fit == nil || r.Fit.PValue > 1e-6 {
		t.Errorf("weights in the ratio √5 are not rejected:\n%v, %v", r, err)
	}
}

func TestWeightsRefused(t *testing.T) {
	for _, w := range []stationary.Weights{nil, {}, {0, 0}, {1, -1}, {math.NaN()}, {math.Inf(1)}} {
		if err := w.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%v: error %v, want one that wraps sde.ErrInvalid", w, err)
		}
	}
}
