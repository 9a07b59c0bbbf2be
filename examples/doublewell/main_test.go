// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// value is an estimate in JSON.
type value struct{ Value, StdErr float64 }

// result is what the tests look at of the JSON object.
type result struct {
	Partial bool
	Setting struct{ Temperature, Step, Particles float64 }
	Moments map[string]struct {
		Simulated         value
		Boltzmann, Scheme float64
	}
	Shift struct {
		Measured         value
		Predicted, Slope float64
	}
	Distances map[string]struct {
		Boltzmann, Scheme value
		BoltzmannFloor    float64 `json:"boltzmann_floor"`
		SchemeFloor       float64 `json:"scheme_floor"`
	}
	Tests struct {
		PBoltzmann  float64 `json:"p_boltzmann"`
		PScheme     float64 `json:"p_scheme"`
		PStationary float64 `json:"p_stationary"`
		Effective   float64 `json:"effective_samples"`
		Temperature value   `json:"noise_temperature"`
		Cause       string
	}
	Pictures, Data, Warnings []string
}

// execute runs the program and returns its exit code and what it prints.
func execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program().Execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestQuick(t *testing.T) {
	folder := t.TempDir()
	code, stdout, stderr := execute(t.Context(), "-quick", "-json", "-data", "csv", "-out", folder)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	var r result
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Error("more than one JSON value on stdout")
	}
	if r.Partial || r.Setting.Temperature != 0.2 || len(r.Warnings) > 0 {
		t.Errorf("partial %v, T = %v, warnings %v; want a whole run at 0.2 without warnings", r.Partial, r.Setting.Temperature, r.Warnings)
	}
	// The exact moments, theory's and in closed form ⟨x⁴⟩ − ⟨x²⟩ = T.
	x2, x4 := r.Moments["x2"], r.Moments["x4"]
	if math.Abs(x2.Boltzmann-0.83089535266521) > 1e-9 || math.Abs(x4.Boltzmann-x2.Boltzmann-0.2) > 1e-9 {
		t.Errorf("exact moments ⟨x²⟩ = %v, ⟨x⁴⟩ = %v", x2.Boltzmann, x4.Boltzmann)
	}
	if math.Abs(r.Shift.Slope+0.15538119918842702) > 1e-6 {
		t.Errorf("d⟨x²⟩/dh = %v, want −0.155381", r.Shift.Slope)
	}
	// The run is accepted as what its scheme samples and not as Boltzmann's law,
	// and the step is what explains the difference. The bounds are those of the
	// suite, 10⁻⁶ in all, far from where this seed is.
	if r.Tests.PScheme < 1e-6 || r.Tests.PStationary < 1e-6 {
		t.Errorf("p of the scheme's law %v, of stationarity %v", r.Tests.PScheme, r.Tests.PStationary)
	}
	if r.Tests.PBoltzmann > 1e-3 || r.Tests.Cause != "step size" {
		t.Errorf("p of Boltzmann's law %v, cause %q; want it rejected for the step size", r.Tests.PBoltzmann, r.Tests.Cause)
	}
	const z = 5
	if e := r.Tests.Temperature; math.Abs(e.Value-0.2) > z*e.StdErr {
		t.Errorf("temperature of the noise %v ± %v, want 0.2", e.Value, e.StdErr)
	}
	if e := r.Shift.Measured; math.Abs(e.Value-r.Shift.Predicted) > z*e.StdErr || math.Abs(e.Value) < z*e.StdErr {
		t.Errorf("shift of ⟨x²⟩ %v ± %v, want %v, and resolved", e.Value, e.StdErr, r.Shift.Predicted)
	}
	for name, d := range r.Distances {
		if name == "kullback_leibler" {
			continue // its floor is subtracted
		}
		if d.Scheme.Value > 3*d.SchemeFloor {
			t.Errorf("%s to the scheme's law is %v, its floor %v", name, d.Scheme.Value, d.SchemeFloor)
		}
	}
	if len(r.Distances) != 5 {
		t.Errorf("%d distances, want 5", len(r.Distances))
	}

	// The files are where it says, and what it says.
	if len(r.Pictures) != 1 || len(r.Data) == 0 {
		t.Fatalf("pictures %v, data %v", r.Pictures, r.Data)
	}
	if want := filepath.Join(folder, "doublewell.png"); r.Pictures[0] != want {
		t.Errorf("picture %s, want %s", r.Pictures[0], want)
	}
	f, err := os.Open(r.Pictures[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 2*840 || size.Y != 2*690 {
		t.Errorf("the picture has %v pixels, want 1680×1380", size)
	}
	for _, path := range r.Data {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines < 50 {
			t.Errorf("%s has %d lines", path, lines)
		}
	}
}

// small is a run that takes no time.
var small = []string{"-particles", "16384", "-time", "2", "-step", "0.05"}

// TestTableAndJSON holds the two forms of the output together: each number of the
// table's moments is in the JSON object.
func TestTableAndJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("three runs and pictures")
	}
	t.Parallel()
	args := append([]string{"-out", t.TempDir()}, small...)
	code, text, _ := execute(t.Context(), args...)
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, want := range []string{"T = ηs²/2B", "Boltzmann", "⟨x²⟩", "±", "Kolmogorov–Smirnov", "effective samples", "half from each well", "doublewell.png"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the table:\n%s", want, text)
		}
	}
	code, object, _ := execute(t.Context(), append(args, "-json")...)
	var r result
	if err := json.Unmarshal([]byte(object), &r); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	_, again, _ := execute(t.Context(), append(args, "-json", "-workers", "1")...)
	var one result
	if err := json.Unmarshal([]byte(again), &one); err != nil {
		t.Fatal(err)
	}
	if r.Moments["x2"] != one.Moments["x2"] || r.Tests != one.Tests {
		t.Error("the number of workers changes the result")
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		code int
		want string // in the error
	}{
		{[]string{"-step", "-1"}, 2, "Step = -1"},
		{[]string{"-step", "NaN"}, 2, "NaN"},
		{[]string{"-step", "Inf"}, 2, "Inf"},
		{[]string{"-step", "1"}, 2, "smaller step"},
		{[]string{"-step", "0"}, 2, "step = 0"},
		{[]string{"-time", "0"}, 2, "Time = 0"},
		{[]string{"-time", "1.005"}, 2, "1.005"},
		{[]string{"-time", "Inf"}, 2, "Inf"},
		{[]string{"-particles", "0"}, 2, "Particles = 0"},
		{[]string{"-particles", "many"}, 2, "many"},
		{[]string{"-workers", "-2"}, 2, "Workers = -2"},
		{[]string{"-seed", "-1"}, 2, "seed"},
		{[]string{"-learning-rate", "0"}, 2, "LearningRate = 0"},
		{[]string{"-learning-rate", "NaN"}, 2, "LearningRate = NaN"},
		{[]string{"-batch", "0"}, 2, "BatchSize = 0"},
		{[]string{"-variance", "-3"}, 2, "Variance = -3"},
		{[]string{"-data", "xls"}, 2, "npy or csv"},
		{[]string{"-unknown"}, 2, "-unknown"},
		{[]string{"left over"}, 2, "left over"},
		{[]string{"-out", filepath.Join(file, "none")}, 1, "-out"},
		{[]string{"-out", file}, 1, "-out needs a folder"},
	} {
		code, stdout, stderr := execute(t.Context(), test.args...)
		if code != test.code || stdout != "" || !strings.Contains(strings.ToLower(stderr), strings.ToLower(test.want)) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q; want %d, nothing, a line with %q", test.args, code, stdout, stderr, test.code, test.want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := execute(ctx, append([]string{"-out", t.TempDir()}, small...)...)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 1, nothing and why", code, stdout, stderr)
	}
}
