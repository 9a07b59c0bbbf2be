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
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
)

// row is what the JSON object says of a scheme on a landscape.
type row struct {
	Average      any
	AverageOrder any `json:"average_order"`
	PathOrder    struct {
		Value, StdErr float64
	} `json:"path_order"`
	PathStated float64 `json:"path_stated"`
}

// execute runs the program and returns its exit code and what it prints.
func execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program().Execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestQuick(t *testing.T) {
	folder := t.TempDir()
	code, stdout, stderr := execute(t.Context(), "-quick", "-json", "-out", folder)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	var r struct {
		Partial     bool
		DoubleWell  map[string]row            `json:"double_well"`
		MullerBrown map[string]row            `json:"muller_brown"`
		Curves      map[string]map[string]any `json:"double_well_curves"`
		Quadratic   map[string]row
		Pictures    []string
	}
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if d.More() || r.Partial {
		t.Error("more than one JSON value on stdout, or a partial one")
	}
	number := func(v any) float64 {
		switch v := v.(type) {
		case float64:
			return v
		case map[string]any:
			return v["value"].(float64)
		}
		return math.NaN()
	}
	// What is known of the double well at h = 0.1 and 0.05 (by
	// transition kernels), as errors of ⟨x²⟩ = 0.8308953526652.
	for _, test := range []struct {
		key, step string
		want      float64
	}{
		{"euler_maruyama_average", "h1", 0.8308953526652 - 0.8136716681},
		{"euler_maruyama_average", "h2", 0.8308953526652 - 0.8227579962},
		{"leimkuhler_matthews_average", "h1", 0.8308953526652 - 0.8308110974},
	} {
		if got := number(r.Curves[test.key][test.step]); math.Abs(got-test.want) > 2e-9 {
			t.Errorf("%s at %s: %v, want %v", test.key, test.step, got, test.want)
		}
	}
	for name, landscape := range map[string]map[string]row{"double well": r.DoubleWell, "Müller–Brown": r.MullerBrown, "quadratic": r.Quadratic} {
		if len(landscape) != len(methods()) {
			t.Errorf("%s: %d schemes, want %d", name, len(landscape), len(methods()))
		}
	}
	// Orders of the stationary law, without Monte Carlo.
	for key, want := range map[string]float64{"euler_maruyama": 1, "leimkuhler_matthews": 2, "stochastic_heun": 2, "sra1": 2, "sra3": 2, "implicit": 2, "split_step": 1} {
		if got := number(r.DoubleWell[key].AverageOrder); math.Abs(got-want) > 0.25 {
			t.Errorf("%s: the average is of order %v, want %v", key, got, want)
		}
	}
	// Of paths, the order that is stated or more, to the accuracy of few paths.
	for key, s := range r.DoubleWell {
		if o := s.PathOrder; !(o.Value+6*o.StdErr+0.1 > s.PathStated) {
			t.Errorf("%s: paths are of order %v, stated %v", key, o, s.PathStated)
		}
	}
	for _, key := range []string{"leimkuhler_matthews", "implicit"} {
		if r.Quadratic[key].Average != "exact" {
			t.Errorf("%s on the quadratic: %v, want exact", key, r.Quadratic[key].Average)
		}
	}
	// As the picture says of BAOAB.
	for _, k := range curvatures {
		if v, err := integratetest.StationaryVariance(integrate.BAOAB{Friction: 1}, k, 1, 0.01); err != nil || math.Abs(k*v-1) > 1e-9 {
			t.Errorf("BAOAB on a quadratic: k⟨x²⟩ = %v, error %v, want 1", k*v, err)
		}
	}

	if len(r.Pictures) != 1 {
		t.Fatalf("pictures %v", r.Pictures)
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
	if size := img.Bounds().Size(); size.X != 2*840 || size.Y != 2*640 {
		t.Errorf("the picture has %v pixels, want 1680×1280", size)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string // in the error
	}{
		{[]string{"-levels", "2"}, "-levels = 2"},
		{[]string{"-levels", "13"}, "-levels = 13"},
		{[]string{"-particles", "10"}, "-particles = 10"},
		{[]string{"-step", "-1"}, "Step = -1"},
		{[]string{"-step", "NaN"}, "NaN"},
		{[]string{"-time", "0"}, "Time = 0"},
		{[]string{"-time", "0.3"}, "Time"},
		{[]string{"-workers", "-2"}, "Workers = -2"},
		{[]string{"-unknown"}, "-unknown"},
	} {
		code, stdout, stderr := execute(t.Context(), append(test.args, "-out", t.TempDir())...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q; want 2, nothing, a line with %q", test.args, code, stdout, stderr, test.want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := execute(ctx, "-quick", "-out", t.TempDir())
	if code != 1 || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 1, nothing and why", code, stdout, stderr)
	}
}
