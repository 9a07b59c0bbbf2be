// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/examples/internal/exampletest"
)

type value struct{ Value, StdErr float64 }

func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of simulation, which the CI also runs as a program")
	}
	folder := t.TempDir()
	var out, errs bytes.Buffer
	if code := program().Execute(t.Context(), []string{"-quick", "-json", "-data", "csv", "-out", folder}, &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit code %d, stderr %q", code, errs.String())
	}
	var r struct {
		Partial bool
		Linear  map[string]struct {
			Simulated *value
			Exact     float64
		}
		Wells map[string]struct{ Simulated, Boltzmann *float64 }
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	// The numbers of theory: S = (1, 1/3; 1/3, 1/2), Q₁₂ = −1/6, entropy production 1/9.
	for name, want := range map[string]float64{"xx": 1, "xy": 1.0 / 3, "yy": 0.5, "circulation": -1.0 / 6, "entropy": 1.0 / 9} {
		if got := r.Linear[name].Exact; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: exact %v, want %v", name, got, want)
		}
	}
	for name, row := range r.Linear {
		// Beside sampling, the step of 0.01 adds 1 % to a variance, and 2 % to what goes with both.
		if v := row.Simulated; v != nil && math.Abs(v.Value-row.Exact) > 5*v.StdErr+0.02*math.Abs(row.Exact) {
			t.Errorf("%s: %+v, exact %v", name, *v, row.Exact)
		}
	}
	w := r.Wells
	if !(*w["entropy"].Simulated > 0.05) || *w["variation"].Simulated > 3**w["floor"].Simulated || *w["variation"].Boltzmann < 3**w["floor"].Boltzmann {
		t.Errorf("double wells: entropy %v, total variation %v and %v", *w["entropy"].Simulated, *w["variation"].Simulated, *w["variation"].Boltzmann)
	}
	exampletest.Picture(t, filepath.Join(folder, "currents.png"), 840, 720)
}

// TestEquilibrium: without growth the double wells have D = T·I, exp(−L/T) and no current.
func TestEquilibrium(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of simulation")
	}
	var out, errs bytes.Buffer
	if code := program().Execute(t.Context(), []string{"-quick", "-json", "-growth", "0", "-correlation", "0", "-particles", "1000", "-out", t.TempDir()}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d, stderr %q", code, errs.String())
	}
	var r struct {
		Wells map[string]struct{ Simulated, Boltzmann *float64 }
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if e := *r.Wells["entropy"].Simulated; math.Abs(e) > 1e-10 {
		t.Errorf("entropy production %v in equilibrium", e)
	}
	if a, b := *r.Wells["x2"].Simulated, *r.Wells["x2"].Boltzmann; math.Abs(a-b) > 2e-3 {
		t.Errorf("⟨x²⟩ = %v on the grid, %v by quadrature", a, b)
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []string{"-correlation 1", "-correlation NaN", "-growth -1", "-step 0", "-particles 0"} {
		var out, errs bytes.Buffer
		if code := program().Execute(t.Context(), append(strings.Fields(args), "-quick", "-out", t.TempDir()), &out, &errs); code != 2 || out.Len() > 0 || errs.Len() == 0 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", args, code, out.String(), errs.String())
		}
	}
}
