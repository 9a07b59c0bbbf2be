// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"math"
	"testing"

	"github.com/sgflow/sgflow/examples/internal/exampletest"
	"github.com/sgflow/sgflow/sde"
)

// small is a run that takes little time.
var small = []string{"-particles", "4096", "-time", "20"}

func TestSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("three seconds")
	}
	var r struct {
		Partial   bool
		Setting   struct{ Samples, Steps, Epochs float64 }
		Gradients map[string]struct {
			With, Without sde.Estimate
			WithExact     float64 `json:"with_exact"`
			WithoutExact  float64 `json:"without_exact"`
		}
		Diffusion map[string]struct {
			Measured sde.Estimate
			Exact    float64
		}
		Variance map[string]struct {
			Simulated, Change sde.Estimate
			Linear            float64
		}
		Powers map[string]struct {
			Exponent  sde.Estimate
			Low, High float64
		}
		Clouds map[string]struct {
			SGD, SDE  sde.Estimate
			SGDLinear float64 `json:"sgd_linear"`
			SDELinear float64 `json:"sde_linear"`
		}
		Pictures, Data, Warnings []string
	}
	exampletest.JSON(t, program(), &r, append([]string{"-data", "csv", "-out", t.TempDir()}, small...)...)
	if r.Partial || len(r.Warnings) > 0 || r.Setting.Samples != 569 || r.Setting.Steps != 40 || math.Abs(r.Setting.Epochs-40*8.0/569) > 1e-12 {
		t.Fatalf("partial %v, warnings %v, setting %+v", r.Partial, r.Warnings, r.Setting)
	}
	const z = 5
	off := func(e sde.Estimate, exact float64) bool { return !(math.Abs(e.Value-exact) < z*e.StdErr) }
	if len(r.Gradients) != 10 || len(r.Diffusion) != 12 || len(r.Variance) != 8 || len(r.Clouds) != 6 {
		t.Errorf("%d, %d, %d and %d rows", len(r.Gradients), len(r.Diffusion), len(r.Variance), len(r.Clouds))
	}
	for b, v := range r.Gradients {
		if off(v.With, v.WithExact) || off(v.Without, v.WithoutExact) {
			t.Errorf("B = %s: %+v", b, v)
		}
	}
	// Without replacement large batches are far from tr Σ/B.
	if v := r.Gradients["512"]; !off(v.Without, v.WithExact) {
		t.Error("batches without replacement have the noise of batches with it")
	}
	for k, v := range r.Diffusion {
		if off(v.Measured, v.Exact) {
			t.Errorf("η/B = %s: %+v", k, v)
		}
	}
	for k, want := range map[string]float64{"gradient": -1, "diffusion": 1} {
		if v := r.Powers[k]; off(v.Exponent, want) || v.Exponent.StdErr > 0.02 || !(v.Low < v.Exponent.Value && v.Exponent.Value < v.High) {
			t.Errorf("%s: %+v, want %v", k, v, want)
		}
	}
	// Small batches leave the law for small noise, large ones follow it.
	if v := r.Variance["1"]; !(v.Simulated.Value > 1.1*v.Linear) {
		t.Errorf("B = 1: %+v", v)
	}
	if v := r.Variance["128"]; math.Abs(v.Simulated.Value/v.Linear-1) > 0.05 {
		t.Errorf("B = 128: %+v", v)
	}
	for k, v := range r.Clouds {
		if k[0] == k[1] && (math.Abs(v.SGD.Value/v.SGDLinear-1) > 0.15 || off(v.SDE, v.SDELinear)) {
			t.Errorf("cloud %s: %+v", k, v)
		}
	}
	if len(r.Pictures) != 1 || len(r.Data) != 1 {
		t.Fatalf("pictures %v, data %v", r.Pictures, r.Data)
	}
	exampletest.Picture(t, r.Pictures[0], 840, 960)
}

func TestRefused(t *testing.T) {
	exampletest.Refused(t, program, map[string]string{
		"-batch 0": "BatchSize", "-decay -1": "ridge", "-step 50": "-step", "-particles 0": "Particles", "-time 0": "Time", "-step 0": "Step", "-unknown": "-unknown",
	})
}

func TestInterrupted(t *testing.T) { exampletest.Interrupted(t, program(), small...) }
