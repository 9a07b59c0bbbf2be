// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

type row struct {
	Simulated struct{ Value, StdErr float64 }
	Exact     float64
}

type result struct {
	Partial             bool
	Constant, Curvature map[string]row
	Pictures, Data      []string
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
	code, stdout, stderr := execute(t.Context(), "-quick", "-json", "-data", "csv", "-out", t.TempDir())
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	var r result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Partial || len(r.Constant) != 4 || len(r.Curvature) != 4 {
		t.Fatalf("%+v", r)
	}
	// The preference for the flat well at D = 0.1 that follows the curvature.
	if e := r.Curvature["d0.1"].Exact; math.Abs(e/44.87725202-1) > 1e-9 {
		t.Errorf("exact ratio %.10g, want 44.87725202", e)
	}
	for _, rows := range []map[string]row{r.Constant, r.Curvature} {
		for name, e := range rows {
			// Seven standard errors, as they come from few groups, and 3 % for the step.
			if math.Abs(e.Simulated.Value-e.Exact) > 7*e.Simulated.StdErr+0.03*e.Exact {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
	if len(r.Pictures) != 1 || len(r.Data) != 1 {
		t.Fatalf("pictures %v, data %v", r.Pictures, r.Data)
	}
	for _, path := range append(r.Pictures, r.Data...) {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{{[]string{"-step", "-1"}, "Step = -1"}, {[]string{"-time", "0"}, "= 0"}, {[]string{"-particles", "0"}, "Particles = 0"}, {[]string{"-unknown"}, "-unknown"}} {
		code, stdout, stderr := execute(t.Context(), append(test.args, "-out", t.TempDir())...)
		if code != 2 || stdout != "" || !strings.Contains(strings.ToLower(stderr), strings.ToLower(test.want)) {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q; want 2, nothing, a line with %q", test.args, code, stdout, stderr, test.want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, stdout, stderr := execute(ctx, "-quick", "-out", t.TempDir()); code != 1 || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 1, nothing and why", code, stdout, stderr)
	}
}
