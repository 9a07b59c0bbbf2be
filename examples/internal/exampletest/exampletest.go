// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package exampletest is what the tests of example programs share.
package exampletest

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"os"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/examples/internal/example"
)

// Execute runs a program and returns its exit code and what it prints.
func Execute(ctx context.Context, p example.Program, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = p.Execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

// JSON runs a program with -json, which has to succeed, and decodes the one object that it prints.
func JSON(t *testing.T, p example.Program, into any, args ...string) {
	t.Helper()
	code, stdout, stderr := Execute(t.Context(), p, append([]string{"-json"}, args...)...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Error("more than one JSON value on stdout")
	}
}

// Table runs a program, which has to succeed, and looks for words in what it prints.
func Table(t *testing.T, p example.Program, words []string, args ...string) {
	t.Helper()
	code, stdout, stderr := Execute(t.Context(), p, args...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for _, w := range words {
		if !strings.Contains(stdout, w) {
			t.Errorf("no %q in the table:\n%s", w, stdout)
		}
	}
}

// Picture holds a PNG to a size in points, of two pixels each.
func Picture(t *testing.T, path string, width, height int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 2*width || size.Y != 2*height {
		t.Errorf("%s has %v pixels, want %d×%d", path, size, 2*width, 2*height)
	}
}

// Refused holds a program to refuse arguments with exit code 2 and a line that has a word,
// before any work.
func Refused(t *testing.T, p func() example.Program, words map[string]string) {
	t.Helper()
	for args, word := range words {
		code, stdout, stderr := Execute(t.Context(), p(), append(strings.Fields(args), "-out", t.TempDir())...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, word) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want 2, nothing, a line with %q", args, code, stdout, stderr, word)
		}
	}
}

// Interrupted holds a program that is interrupted at once to say so and fail.
func Interrupted(t *testing.T, p example.Program, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := Execute(ctx, p, append(args, "-out", t.TempDir())...)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 1, nothing and why", code, stdout, stderr)
	}
}
