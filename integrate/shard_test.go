// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func sharded() (integrate.Ensemble, integrate.Schedule) {
	return integrate.Ensemble{Equation: sde.Flow{Loss: wells{16}, Diffusion: noise.Temperature{T: 0.5}}, Step: 0.1, Particles: 500, Seed: 1, Groups: 6},
		integrate.Schedule{Time: 1}
}

// saveShards runs the shards of an ensemble and returns the files of their results.
func saveShards(t testing.TB, e integrate.Ensemble, s integrate.Schedule, dir string, count int) (paths []string) {
	t.Helper()
	for i := range count {
		e.Shard = integrate.Shard{Index: i, Count: count}
		res := mustRun(t, e, s, new(integrate.Moments), new(integrate.Final))
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d-of-%d", i, count)))
		if err := res.Save(paths[i]); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

// groupsOf returns what the first groups of observers have accumulated.
func groupsOf(groups int, observers ...sde.Observer) (b []byte) {
	for _, o := range observers {
		for g := range groups {
			b = o.(sde.GroupSaver).AppendGroup(b, g)
		}
	}
	return b
}

func TestMergeInAnyOrder(t *testing.T) {
	e, s := sharded()
	m, f := new(integrate.Moments), new(integrate.Final)
	one := mustRun(t, e, s, m, f)
	want := groupsOf(6, m, f)
	p := saveShards(t, e, s, t.TempDir(), 3)
	for _, order := range [][]string{{p[0], p[1], p[2]}, {p[0], p[2], p[1]}, {p[1], p[0], p[2]}, {p[1], p[2], p[0]}, {p[2], p[0], p[1]}, {p[2], p[1], p[0]}} {
		m, f := new(integrate.Moments), new(integrate.Final)
		res, err := e.Merge(s, order, m, f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(groupsOf(6, m, f), want) {
			t.Errorf("%v: bits differ", order)
		}
		one.Elapsed, res.Elapsed = 0, 0
		if a, b := fmt.Sprintf("%+v", describe(one)), fmt.Sprintf("%+v", describe(res)); a != b {
			t.Errorf("result %s, want %s", b, a)
		}
		// A merged result is that of one run, and can be saved as one.
		all := p[0] + "-all"
		if err := res.Save(all); err != nil {
			t.Fatal(err)
		}
		m, f = new(integrate.Moments), new(integrate.Final)
		if _, err := e.Merge(s, []string{all}, m, f); err != nil || !bytes.Equal(groupsOf(6, m, f), want) {
			t.Errorf("merged again: %v", err)
		}
	}
	// What has been merged can start another run.
	e.Start = f
	e.Seed++
	mustRun(t, e, s)
}

func describe(r *integrate.Result) []any {
	return []any{r.Time, r.Steps, r.Observations, r.Particles, r.Groups, r.Partial, r.Dropped, r.Warnings}
}

func TestShardSettings(t *testing.T) {
	e, s := sharded()
	for _, test := range []struct {
		index, count int
		text         string
	}{
		{4, 4, "0 to 3"},
		{5, 4, "0 to 3"},
		{-1, 4, "0 to 3"},
		{1, 0, "at least 1"},
		{0, -1, "at least 1"},
		{0, 7, "set Ensemble.Groups to 7 or more"},
		{6, 7, "set Ensemble.Groups to 7 or more"},
	} {
		e.Shard = integrate.Shard{Index: test.index, Count: test.count}
		res, err := e.Run(context.Background(), s)
		var setting *sde.SettingError
		if res != nil || !errors.As(err, &setting) || !strings.HasPrefix(setting.Field, "integrate: Ensemble.Shard.") || !strings.Contains(err.Error(), test.text) {
			t.Errorf("shard %d of %d: %v", test.index, test.count, err)
		}
	}
	e.Groups, e.Shard = 8, integrate.Shard{Index: 6, Count: 7}
	if err := e.Validate(s); err != nil {
		t.Errorf("what the error says helps: %v", err)
	}
}

func TestMergeRefuses(t *testing.T) {
	e, s := sharded()
	dir := t.TempDir()
	p := saveShards(t, e, s, dir, 3)
	four := saveShards(t, e, s, dir, 4)
	merge := func(e integrate.Ensemble, paths ...string) error {
		res, err := e.Merge(s, paths, new(integrate.Moments), new(integrate.Final))
		if err != nil && res != nil {
			t.Errorf("a refused merge returns a result")
		}
		return err
	}
	for _, test := range []struct {
		name  string
		paths []string
		path  string
		text  string
	}{
		{"none", nil, "", "no files"},
		{"missing", p[:2], "", "missing shards of 3: 2"},
		{"missing", p[2:], "", "missing shards of 3: 0, 1"},
		{"overlapping", []string{p[0], p[1], p[0], p[2]}, p[0], "overlaps " + p[0]},
		{"another count", []string{p[0], p[1], four[2], four[3]}, four[2], "of 3 shards"},
	} {
		err := merge(e, test.paths...)
		var shard *integrate.ShardError
		if !errors.As(err, &shard) || shard.Path != test.path || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", test.name, err)
		}
	}

	other := e
	other.Seed = 2
	q := saveShards(t, other, s, t.TempDir(), 3)
	err := merge(e, p[0], q[1], p[2])
	checkMismatch(t, "Ensemble.Seed", err)
	if !strings.Contains(err.Error(), q[1]) {
		t.Errorf("the file is not named: %v", err)
	}
	other = e
	other.Step = 0.05
	checkMismatch(t, "Ensemble.Step", merge(other, p...))

	e2, s2 := interrupted(t, dir)
	foreign := filepath.Join(dir, "foreign")
	if err := os.WriteFile(foreign, []byte(strings.Repeat("not a result ", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	damaged, err := os.ReadFile(p[1])
	if err != nil {
		t.Fatal(err)
	}
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(dir+"/damaged", damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		e2.Checkpoint.Path:          integrate.ErrForeign, // a checkpoint
		foreign:                     integrate.ErrForeign,
		dir:                         integrate.ErrForeign,
		os.DevNull:                  integrate.ErrForeign,
		dir + "/damaged":            integrate.ErrCorrupt,
		filepath.Join(dir, "none"):  fs.ErrNotExist,
		filepath.Join(foreign, "x"): nil,
	} {
		err := merge(e, p[0], path, p[2])
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
	e2.Checkpoint.Path = p[0]
	if err := resume(e2, s2); !errors.Is(err, integrate.ErrForeign) {
		t.Errorf("a shard as a checkpoint: %v", err)
	}
	if err := merge(e, p...); err != nil {
		t.Errorf("the right files: %v", err)
	}

	_, err = e.Merge(s, p, new(integrate.Moments))
	checkMismatch(t, "observers", err)
	if _, err := e.Merge(s, p, new(integrate.Moments), new(notSaved)); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("an observer that cannot be saved: %v", err)
	}
}

func TestSaveRefuses(t *testing.T) {
	e, s := sharded()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	res := mustRun(t, e, s, new(integrate.Moments))
	for _, path := range []string{"", dir, filepath.Join(dir, "none", "x"), filepath.Join(file, "x"), os.DevNull} {
		var setting *sde.SettingError
		if err := res.Save(path); !errors.As(err, &setting) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if err := mustRun(t, e, s, new(notSaved)).Save(file); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("an observer that cannot be saved: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	partial, err := e.Run(ctx, s, new(integrate.Moments))
	if err == nil {
		t.Fatal("not cancelled")
	}
	if err := partial.Save(file); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("a partial result: %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || len(b) > 0 {
		t.Errorf("the file was written: %v", err)
	}
}
