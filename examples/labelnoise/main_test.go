// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"math"
	"testing"

	"github.com/sgflow/sgflow/examples/internal/exampletest"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

func TestScalarNet(t *testing.T) {
	losstest.Test(t, scalarNet{}, losstest.Options{Wants: []losstest.Upgrade{losstest.FiniteSum}})
}

func TestQuick(t *testing.T) {
	args := []string{"-quick", "-time", "200", "-out", t.TempDir()}
	var r struct {
		Partial bool
		Slide   map[string]struct {
			Simulated, Sharpness sde.Estimate
			Law, Small           float64
		}
		Checks struct {
			Pathwise, Silent float64
			Start            float64 `json:"start_u"`
		}
		Pictures, Data, Warnings []string
	}
	exampletest.JSON(t, program(), &r, append([]string{"-data", "csv"}, args...)...)
	if r.Partial || len(r.Warnings) > 0 || len(r.Slide) != 5 {
		t.Fatalf("%+v", r)
	}
	// The identity of each step to rounding, and nothing moves without noise.
	if c := r.Checks; c.Pathwise > 1e-14 || math.Abs(c.Silent-c.Start) > 1e-12 || math.Abs(c.Start-(9-1.0/9)) > 1e-12 {
		t.Errorf("checks %+v", c)
	}
	last := r.Slide["t5"]
	if math.Abs(last.Small/(r.Checks.Start*math.Exp(-0.05*0.25*200))-1) > 1e-12 {
		t.Errorf("u(0)exp(−ησ²t/B) = %v", last.Small)
	}
	// The law with fluctuations is good to 1 %, the one without is not.
	for k, v := range r.Slide {
		if math.Abs(v.Simulated.Value/v.Law-1) > 0.01 || math.Abs(v.Simulated.Value/v.Small-1) < 0.05 {
			t.Errorf("%s: %v, law %v, without fluctuations %v", k, v.Simulated, v.Law, v.Small)
		}
	}
	if s := last.Sharpness; math.Abs(s.Value-2) > 0.3 {
		t.Errorf("sharpness %v at the end", s)
	}
	if len(r.Pictures) != 1 || len(r.Data) != 1 {
		t.Fatalf("pictures %v, data %v", r.Pictures, r.Data)
	}
	exampletest.Picture(t, r.Pictures[0], 840, 640)
	exampletest.Table(t, program(), []string{"u = a²−b²", "law", "±", "labelnoise.png"}, args...)
}

func TestRefused(t *testing.T) {
	exampletest.Refused(t, program, map[string]string{
		"-sigma -1": "StdDev", "-batch 0": "BatchSize", "-start 0": "-start", "-start 10": "-step", "-particles 0": "Particles", "-time 0": "Time", "-step 0": "Step", "-unknown": "-unknown",
	})
}

func TestInterrupted(t *testing.T) { exampletest.Interrupted(t, program(), "-quick") }
