// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/examples/internal/exampletest"
)

func TestQuick(t *testing.T) {
	folder := t.TempDir()
	var out, errs bytes.Buffer
	if code := program().Execute(t.Context(), []string{"-quick", "-json", "-data", "csv", "-out", folder}, &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit code %d, stderr %q", code, errs.String())
	}
	var r struct {
		Partial    bool
		Optimizers map[string]struct {
			Verdict string
			Ratio   struct{ Value, StdErr float64 }
			Power   float64
		}
		Notes, Pictures, Data []string
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		verdict string
		ratio   float64
	}{
		"sgd": {"pass", 1}, "noise_added_twice": {"fail", 2}, "batches_of_twice_the_size": {"fail", 0.5}, "momentum_": {"fail", 2}, "noise_of_h": {"fail", 0.01},
	} {
		o := r.Optimizers[name]
		// The step adds (h/2) E ΔL/T < 2 % to the first two.
		if o.Verdict != want.verdict || o.Ratio.Value < want.ratio*0.97-5*o.Ratio.StdErr || o.Ratio.Value > want.ratio*1.03+5*o.Ratio.StdErr {
			t.Errorf("%s: %+v, want %s and T̂/T = %v", name, o, want.verdict, want.ratio)
		}
	}
	if len(r.Optimizers) != 7 || r.Partial || !strings.Contains(strings.Join(r.Notes, " "), "h for √h in a step") {
		t.Errorf("%d optimizers, partial %v, notes %q", len(r.Optimizers), r.Partial, r.Notes)
	}
	exampletest.Picture(t, filepath.Join(folder, "verify.png"), 840, 660)
	if _, err := os.Stat(filepath.Join(folder, "verify.csv")); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []string{"-particles 3", "-step 0", "-step NaN", "-time 1", "-time NaN", "-particles 100000000"} {
		var out, errs bytes.Buffer
		if code := program().Execute(t.Context(), append(strings.Fields(args), "-out", t.TempDir()), &out, &errs); code != 2 || out.Len() > 0 || errs.Len() == 0 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", args, code, out.String(), errs.String())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := program().Execute(ctx, []string{"-quick", "-out", t.TempDir()}, &out, &errs); code != 1 || out.Len() > 0 {
		t.Errorf("interrupted: exit code %d, stdout %q", code, out.String())
	}
}
