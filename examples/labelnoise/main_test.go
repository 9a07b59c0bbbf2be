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

	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

func execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program().Execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestScalarNet(t *testing.T) {
	losstest.Test(t, scalarNet{}, losstest.Options{Wants: []losstest.Upgrade{losstest.FiniteSum}})
}

func TestQuick(t *testing.T) {
	args := []string{"-quick", "-time", "200", "-out", t.TempDir()}
	code, stdout, stderr := execute(t.Context(), append([]string{"-json", "-data", "csv"}, args...)...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
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
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
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
	code, text, _ := execute(t.Context(), args...)
	for _, want := range []string{"u = a²−b²", "law", "±", "labelnoise.png"} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("exit code %d, no %q in the table:\n%s", code, want, text)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-sigma -1", "StdDev"}, {"-batch 0", "BatchSize"}, {"-start 0", "-start"}, {"-start 10", "-step"}, {"-particles 0", "Particles"}, {"-time 0", "Time"}, {"-step 0", "Step"}, {"-unknown", "-unknown"},
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
	code, stdout, stderr := execute(ctx, "-quick", "-out", t.TempDir())
	if code != 1 || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 1, nothing and why", code, stdout, stderr)
	}
}
