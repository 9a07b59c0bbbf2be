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
	"strconv"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/sde"
)

func execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program().Execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

// small is a run that takes no time.
var small = []string{"-particles", "2048", "-time", "10", "-longest", "4"}

func TestSmall(t *testing.T) {
	code, stdout, stderr := execute(t.Context(), append([]string{"-json", "-data", "csv", "-out", t.TempDir()}, small...)...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	type row struct {
		Simulated, Change sde.Estimate
		Measured, Exact   float64
	}
	var r struct {
		Partial                  bool
		Stability, Fixed, Random map[string]row
		Pictures, Data, Warnings []string
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
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
		t.Errorf("the picture has %v pixels", size)
	}
	// The table says the same.
	code, text, _ := execute(t.Context(), append([]string{"-out", t.TempDir()}, small...)...)
	for _, want := range []string{"The largest stable ηh", "always τ", "geometric", "±", "async.png"} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("exit code %d, no %q in the table:\n%s", code, want, text)
		}
	}
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
	for _, c := range []struct{ args, want string }{
		{"-longest 0", "-longest"}, {"-longest 16", "-longest"}, {"-step 2.5", "-longest"}, {"-particles 0", "Particles"}, {"-time 0.05", "Time"}, {"-unknown", "-unknown"},
	} {
		code, stdout, stderr := execute(t.Context(), append(strings.Fields(c.args), "-out", t.TempDir())...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want 2, nothing, a line with %q", c.args, code, stdout, stderr, c.want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := execute(ctx, append([]string{"-out", t.TempDir()}, small...)...)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 1, nothing and why", code, stdout, stderr)
	}
}
