// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/examples/internal/exampletest"
	"github.com/sgflow/sgflow/sde"
)

func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of simulation, which the CI also runs as a program")
	}
	folder := t.TempDir()
	var out, errs bytes.Buffer
	if code := program().Execute(t.Context(), []string{"-quick", "-json", "-particles", "100", "-time", "300", "-out", folder}, &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit code %d, stderr %q", code, errs.String())
	}
	var r struct {
		Partial    bool
		Landscapes map[string]struct {
			Dimensions, Minima int
			Curvature          float64
			Gradient           *float64
			Deepest, Elsewhere *string
		}
		Pictures, Warnings []string
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if n := len(gallery()); r.Partial || len(r.Landscapes) != n || len(r.Warnings) > 0 {
		t.Errorf("%d landscapes, want %d; partial %v, warnings %v", len(r.Landscapes), n, r.Partial, r.Warnings)
	}
	for name, l := range r.Landscapes {
		if l.Gradient != nil && *l.Gradient > 1e-13 {
			t.Errorf("%s: the gradient at a critical point is %v", name, *l.Gradient)
		}
		if l.Minima > 0 != (l.Deepest != nil) || l.Minima > 0 && l.Gradient == nil {
			t.Errorf("%s: %d minima, gradient %v, descents %v", name, l.Minima, l.Gradient, l.Deepest)
		}
	}
	// Where all minima are as deep, all descents that have ended have ended at the lowest.
	for _, name := range []string{"doublewell", "flatsharp", "himmelblau", "doublewells"} {
		if l := r.Landscapes[name]; l.Deepest == nil || *l.Deepest != "100.0 %" {
			t.Errorf("%s: %+v, want all descents at the lowest minima", name, l)
		}
	}
	if l := r.Landscapes["quadruplewell"]; l.Minima != 4 || l.Deepest == nil || *l.Deepest == "100.0 %" {
		t.Errorf("four wells of different depth: %+v", l)
	}
	if len(r.Pictures) != 1 {
		t.Fatalf("pictures %v", r.Pictures)
	}
	exampletest.Picture(t, filepath.Join(folder, "landscapes.png"), 854, 1616)
}

// TestWindows holds the windows to show all minima of a landscape, unless it has too many.
func TestWindows(t *testing.T) {
	for _, p := range gallery() {
		all := sde.Minima(p.loss)
		if len(all) > 100 {
			continue
		}
		for _, m := range all {
			if x := m.Theta; x[0] < p.lo[0] || p.hi[0] < x[0] || len(x) > 1 && (x[1] < p.lo[1] || p.hi[1] < x[1]) {
				t.Errorf("%s: the minimum %v is not in the window", p.name, x)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []string{"-particles 0", "-step 0", "-time -1", "-step NaN", "-time 0.1 -step 0.5"} {
		var out, errs bytes.Buffer
		code := program().Execute(t.Context(), append(strings.Fields(args), "-out", t.TempDir()), &out, &errs)
		if code != 2 || out.Len() > 0 || errs.Len() == 0 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", args, code, out.String(), errs.String())
		}
	}
}
