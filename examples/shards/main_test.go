// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
)

// TestMain is the program itself in the processes that it starts.
func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		main()
	}
	os.Exit(m.Run())
}

// execute runs the program and returns its exit code and what it prints.
func execute(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program().Execute(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// small keeps a run short: two blocks a group.
var small = []string{"-particles=8192", "-time=10", "-json"}

type result struct {
	Run struct {
		Particles, Parts int
		Mean             struct{ Value, StdErr float64 }
	}
	Processes map[string]struct {
		End     string
		Resumed float64
	}
	Bits struct {
		Different int
		Equal     string
	}
	Shard    struct{ Index, Count, Particles int }
	Pictures []string
}

func parse(t *testing.T, stdout string) (r result) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v:\n%s", err, stdout)
	}
	return r
}

func TestCluster(t *testing.T) {
	code, stdout, stderr := execute(append(small, "-processes=3", "-out", t.TempDir())...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	r := parse(t, stdout)
	if r.Run.Particles != 8192 || r.Run.Parts != 3 || r.Bits.Different != 0 || r.Bits.Equal != "true" {
		t.Errorf("%+v", r)
	}
	if len(r.Processes) == 4 && (r.Processes["part0_0"].End != "killed" || !(r.Processes["part0_1"].Resumed > 0)) {
		t.Errorf("killed and not resumed: %+v", r.Processes)
	} else if len(r.Processes) < 3 {
		t.Errorf("%+v", r.Processes)
	}
	f, err := os.Open(r.Pictures[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if img, err := png.Decode(f); err != nil || img.Bounds().Dx() != 1680 {
		t.Errorf("the picture is %v, %v", img, err)
	}
}

// TestByHand runs parts one after the other, under the variables of a Slurm array, and
// merges them.
func TestByHand(t *testing.T) {
	folder := t.TempDir()
	args := append(small, "-out", folder)
	t.Setenv("SLURM_ARRAY_TASK_MIN", "7")
	t.Setenv("SLURM_ARRAY_TASK_COUNT", "2")
	for i, id := range []string{"7", "8"} {
		t.Setenv("SLURM_ARRAY_TASK_ID", id)
		code, stdout, stderr := execute(args...)
		if code != 0 {
			t.Fatalf("exit code %d, %s", code, stderr)
		}
		if r := parse(t, stdout); r.Shard.Index != i || r.Shard.Count != 2 || r.Shard.Particles != 4096 {
			t.Errorf("part %d: %+v", i, r.Shard)
		}
	}
	t.Setenv("SLURM_ARRAY_TASK_ID", "")
	code, stdout, stderr := execute(append(args, "-merge")...)
	if code != 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	if r := parse(t, stdout); r.Run.Particles != 8192 || r.Run.Parts != 2 {
		t.Errorf("%+v", r)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.checkpoint*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	// What does not belong together is refused by name.
	for want, more := range map[string][]string{"Ensemble.Seed": {"-merge", "-seed=9"}, "Ensemble.Step": {"-merge", "-step=0.02"}} {
		if code, _, stderr := execute(append(args, more...)...); code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %q, want one with %q", more, code, stderr, want)
		}
	}
	if err := os.Remove(file(folder, integrate.Shard{Index: 1, Count: 2})); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := execute(append(args, "-merge")...); code == 0 || !strings.Contains(stderr, "missing shards of 2: 1") {
		t.Errorf("a part is missing: exit code %d, %q", code, stderr)
	}
}

func TestAssigned(t *testing.T) {
	for _, c := range []struct {
		shard string
		env   map[string]string
		want  *integrate.Shard
		err   string
	}{
		{},
		{shard: "0/1", want: &integrate.Shard{Index: 0, Count: 1}},
		{shard: "3/8", want: &integrate.Shard{Index: 3, Count: 8}},
		{shard: "8/8", err: "want 0 to 7"},
		{shard: "-1/8", err: "want 0 to 7"},
		{shard: "0/0", err: "part 0 of 0"},
		{shard: "1", err: "want i/n"},
		{shard: "1/2x", err: "want i/n"},
		{shard: "1/2 ", err: "want i/n"},
		{env: map[string]string{"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "3"}, want: &integrate.Shard{Index: 0, Count: 3}},
		{env: map[string]string{"SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "5"}, err: "without gaps"},
		{env: map[string]string{"SLURM_ARRAY_TASK_ID": "x", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "5"}, err: "SLURM_ARRAY_TASK_ID"},
		{env: map[string]string{"SLURM_ARRAY_TASK_ID": "1"}, err: "SLURM_ARRAY_TASK_MIN"},
		{env: map[string]string{"JOB_COMPLETION_INDEX": "2", "SHARDS": "4"}, want: &integrate.Shard{Index: 2, Count: 4}},
		{env: map[string]string{"JOB_COMPLETION_INDEX": "2"}, err: "SHARDS"},
		{shard: "1/2", env: map[string]string{"JOB_COMPLETION_INDEX": "2"}, want: &integrate.Shard{Index: 1, Count: 2}},
	} {
		got, err := assigned(c.shard, func(name string) string { return c.env[name] })
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q, %v: error %v, want one with %q", c.shard, c.env, err, c.err)
			}
			continue
		}
		if err != nil || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%q, %v: %v, %v, want %v", c.shard, c.env, got, err, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"-processes 1":         {"-processes=1"},
		"Ensemble.Shard.Count": {"-processes=50", "-particles=2048"},
		"temperature":          {"-temperature=-1"},
		"no files to merge":    {"-merge"},
		"Ensemble.Step":        {"-shard=0/2", "-step=-1"},
		"Schedule.Time":        {"-time=0"},
	} {
		code, stdout, stderr := execute(append(append([]string{"-out", t.TempDir()}, small...), args...)...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q, want %q", args, code, stdout, stderr, want)
		}
	}
}
