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

// result is what the tests look at of the JSON object.
type result struct {
	Partial bool
	Times   map[string]struct {
		Measured, Exact, Kramers float64
		Ratio                    struct{ Value, StdErr float64 }
		KramersRatio             float64 `json:"kramers_ratio"`
	}
	Law  struct{ Arrived, Censored, Low, High, Exact float64 }
	Path map[string]struct{ X, Y, Loss float64 }

	Pictures, Data, Warnings []string
}

func execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program().Execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of simulation, which the CI also runs as a program")
	}
	folder := t.TempDir()
	code, stdout, stderr := execute(t.Context(), "-quick", "-json", "-data", "csv", "-out", folder)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	var r result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Partial || len(r.Times) != 9 {
		t.Fatalf("partial %v, %d temperatures", r.Partial, len(r.Times))
	}
	for name, e := range r.Times {
		// Five standard errors, and 5 % for what the step does.
		if math.Abs(e.Ratio.Value-1) > 5*e.Ratio.StdErr+0.05 || e.Ratio.StdErr > 0.5 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := r.Times["t0.1"].Exact; math.Abs(e-66.2686263649) > 1e-8 {
		t.Errorf("mean time at T = 0.1: %.12g", e)
	}
	if r.Law.Arrived+r.Law.Censored != 2048 || !(r.Law.Low < r.Law.Exact && r.Law.Exact < r.Law.High) {
		t.Errorf("%+v", r.Law)
	}
	if s := r.Path["saddle1"]; math.Abs(s.X+0.822001558732732) > 1e-8 || math.Abs(s.Y-0.624312802814871) > 1e-8 || math.Abs(s.Loss+40.6648435086574) > 1e-8 {
		t.Errorf("saddle %+v", s)
	}
	if len(r.Pictures) != 1 || len(r.Data) != 2 {
		t.Fatalf("pictures %v, data %v", r.Pictures, r.Data)
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
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-step", "-1"}, "Step = -1"}, {[]string{"-time", "0"}, "Time = 0"}, {[]string{"-particles", "0"}, "Particles = 0"},
		{[]string{"-temperature", "0", "-time", "1", "-particles", "100", "-quick"}, "D(0) = 0"}, {[]string{"-unknown"}, "-unknown"},
	} {
		code, stdout, stderr := execute(t.Context(), append(test.args, "-out", t.TempDir())...)
		if code != 2 || stdout != "" || !strings.Contains(strings.ToLower(stderr), strings.ToLower(test.want)) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q; want 2, nothing, a line with %q", test.args, code, stdout, stderr, test.want)
		}
	}
	if code, _, _ := execute(t.Context(), "-quick", "-out", filepath.Join(t.TempDir(), "none", "file\x00")); code == 0 {
		t.Error("a folder that cannot be made is accepted")
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
