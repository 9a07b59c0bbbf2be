// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"math"
	"strconv"
	"testing"

	"github.com/sgflow/sgflow/examples/internal/exampletest"
	"github.com/sgflow/sgflow/sde"
)

// small is a run that takes no time.
var small = []string{"-particles", "2048", "-time", "10", "-longest", "4"}

func TestSmall(t *testing.T) {
	type row struct {
		Simulated, Change sde.Estimate
		Measured, Exact   float64
	}
	var r struct {
		Partial                  bool
		Stability, Fixed, Random map[string]row
		Pictures, Data, Warnings []string
	}
	exampletest.JSON(t, program(), &r, append([]string{"-data", "csv", "-out", t.TempDir()}, small...)...)
	if r.Partial || len(r.Warnings) > 0 || len(r.Stability) != 5 || len(r.Fixed) != 5 || len(r.Random) != 2 {
		t.Fatalf("%+v", r)
	}
	for tau, v := range r.Stability {
		n, err := strconv.Atoi(tau)
		if want := 2 * math.Sin(math.Pi/(4*float64(n)+2)); err != nil || math.Abs(v.Measured/want-1) > 2e-3 || math.Abs(v.Exact/want-1) > 1e-12 {
			t.Errorf("τ = %s: stable to %v, want %v", tau, v.Measured, want)
		}
	}
	if want := 0.1 / 1.9; math.Abs(r.Fixed["0"].Exact/want-1) > 1e-12 {
		t.Errorf("without delay %v, want %v", r.Fixed["0"].Exact, want)
	}
	for _, rows := range []map[string]row{r.Fixed, r.Random} {
		for tau, v := range rows {
			if !(math.Abs(v.Simulated.Value-v.Exact) < 5*v.Simulated.StdErr) {
				t.Errorf("τ = %s: %v, exact %v", tau, v.Simulated, v.Exact)
			}
		}
	}
	// Staleness costs variance, and what it costs is known better than the variances.
	if c := r.Fixed["4"]; !(c.Change.Value > 20*c.Change.StdErr && c.Change.StdErr < c.Simulated.StdErr) {
		t.Errorf("the change from τ = 0 to 4 is %v, of %v", c.Change, c.Simulated)
	}
	if len(r.Pictures) != 1 || len(r.Data) != 1 {
		t.Fatalf("pictures %v, data %v", r.Pictures, r.Data)
	}
	exampletest.Picture(t, r.Pictures[0], 840, 640)
	exampletest.Table(t, program(), []string{"The largest stable ηh", "always τ", "geometric", "±", "async.png"}, append([]string{"-out", t.TempDir()}, small...)...)
}

// TestExact holds the variance for τ = 1 to what iterating the recursion of its second
// moments comes to.
func TestExact(t *testing.T) {
	for _, eta := range []float64{0.1, 0.5, 0.9} {
		// S = M S Mᵀ + V for (θ_k, θ_{k−1}).
		var a, b, c float64
		for range 20_000 {
			a, b, c = a-2*eta*b+eta*eta*c+eta*eta, a-eta*b, a
		}
		if v := exact(eta, []float64{0, 1}); math.Abs(v/a-1) > 1e-9 {
			t.Errorf("η = %g: %v, want %v", eta, v, a)
		}
	}
}

func TestRefused(t *testing.T) {
	exampletest.Refused(t, program, map[string]string{
		"-longest 0": "-longest", "-longest 16": "-longest", "-step 2.5": "-longest", "-particles 0": "Particles", "-time 0.05": "Time", "-unknown": "-unknown",
	})
}

func TestInterrupted(t *testing.T) { exampletest.Interrupted(t, program(), small...) }
