// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// interrupted returns a run of 20 steps that was cancelled after half of them,
// with its last checkpoint at step 12.
func interrupted(t testing.TB, dir string) (e integrate.Ensemble, s integrate.Schedule) {
	t.Helper()
	e = integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 0.5}}, Scheme: integrate.EulerMaruyama{},
		Step: 0.1, Particles: 6, Seed: 1, Start: integrate.Points{{1}}, Workers: 1,
		Checkpoint: integrate.Checkpoint{Path: filepath.Join(dir, "checkpoint"), Every: 0.4}}
	s = integrate.Schedule{BurnIn: 0.4, Time: 1.6, Every: 0.2}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := &trip{at: 4, do: func() error { cancel(); return nil }}
	_, err := e.Run(ctx, s, new(integrate.Moments), stop)
	var i *integrate.InterruptedError
	if !errors.As(err, &i) {
		t.Fatalf("run: %v", err)
	}
	return e, s
}

func resume(e integrate.Ensemble, s integrate.Schedule) error {
	_, err := e.Resume(context.Background(), s, new(integrate.Moments), new(trip))
	return err
}

func TestResumeRefusesAnotherRun(t *testing.T) {
	dir := t.TempDir()
	e, s := interrupted(t, dir)
	flow := e.Equation.(sde.Flow)
	for _, test := range []struct {
		setting string
		change  func(e *integrate.Ensemble, s *integrate.Schedule)
	}{
		{"Ensemble.Equation", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.Equation = sde.Flow{Loss: quadratic{2}, Diffusion: flow.Diffusion}
		}},
		{"Ensemble.Equation", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.Equation = sde.Flow{Loss: doubleWell{}, Diffusion: flow.Diffusion}
		}},
		{"Ensemble.Equation", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.Equation = sde.Flow{Loss: flow.Loss, Diffusion: noise.Temperature{T: math.Nextafter(0.5, 1)}}
		}},
		{"Ensemble.Equation", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.Equation = sde.Flow{Loss: flow.Loss, Diffusion: flow.Diffusion, Domain: sde.Box{Lo: []float64{-9}, Hi: []float64{9}}}
		}},
		{"Ensemble.Equation", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.Equation = sde.Flow{Loss: flow.Loss, Diffusion: flow.Diffusion, Calculus: sde.Stratonovich}
		}},
		{"Ensemble.Equation", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Equation = undeclared{flow} }},
		{"Ensemble.Equation", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.Equation = sde.Flow{Loss: flat{2}, Diffusion: flow.Diffusion}
			e.Start = integrate.Points{{1, 1}}
		}},
		{"Ensemble.Scheme", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Scheme = integrate.Milstein{} }},
		{"Ensemble.Step", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Step = 0.05 }},
		{"Ensemble.Pieces", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Pieces = 2 }},
		{"Ensemble.Particles", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Particles++ }},
		{"Ensemble.Start", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Start = integrate.Points{{-1}} }},
		{"Ensemble.Start", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Start = integrate.StartFunc(uniformStart) }},
		{"Ensemble.Seed", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Seed++ }},
		{"Ensemble.NewSource", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.NewSource = func(uint64) sde.Source { return new(leaky) }
		}},
		{"Ensemble.Groups", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.Particles, e.Groups = 6000, 3 }},
		{"Ensemble.OnDivergence", func(e *integrate.Ensemble, _ *integrate.Schedule) { e.OnDivergence = integrate.Drop }},
		{"Schedule.BurnIn", func(_ *integrate.Ensemble, s *integrate.Schedule) { s.BurnIn = 0.2 }},
		{"Schedule.Time", func(_ *integrate.Ensemble, s *integrate.Schedule) { s.Time = 2 }},
		{"Schedule.Every", func(_ *integrate.Ensemble, s *integrate.Schedule) { s.Every = 0.4 }},
		{"Ensemble.Shard", func(e *integrate.Ensemble, _ *integrate.Schedule) {
			e.Particles, e.Shard = 6000, integrate.Shard{Index: 0, Count: 2}
		}},
	} {
		changed, schedule := e, s
		test.change(&changed, &schedule)
		if test.setting == "Ensemble.Groups" || test.setting == "Ensemble.Shard" {
			// These need more particles, so a checkpoint of their own.
			e := e
			e.Particles = changed.Particles
			e.Checkpoint.Path += test.setting
			changed.Checkpoint.Path = e.Checkpoint.Path
			mustRun(t, e, s, new(integrate.Moments), new(trip))
		}
		checkMismatch(t, test.setting, resume(changed, schedule))
	}
	if err := resume(e, s); err != nil {
		t.Errorf("nothing changed: %v", err)
	}
	e.Workers, e.Scheme = 3, nil // the default
	e.Progress, e.Checkpoint.Every = func(integrate.Progress) {}, 0.1
	s.BurnIn = 4 * 0.1
	if err := resume(e, s); err != nil {
		t.Errorf("nothing changed that counts: %v", err)
	}

	e, s = interrupted(t, dir)
	for name, observers := range map[string][]sde.Observer{
		"none":          nil,
		"fewer":         {new(integrate.Moments)},
		"more":          {new(integrate.Moments), new(trip), new(trip)},
		"another order": {new(trip), new(integrate.Moments)},
		"another kind":  {new(integrate.Final), new(trip)},
		"another field": {&integrate.Moments{Dim: 1, Features: func(dst, x sde.Batch) { dst.CopyFrom(x) }}, new(trip)},
	} {
		_, err := e.Resume(context.Background(), s, observers...)
		t.Log(name)
		checkMismatch(t, "observers", err)
	}
}

func checkMismatch(t *testing.T, setting string, err error) {
	t.Helper()
	var m *integrate.MismatchError
	if !errors.As(err, &m) || m.Setting != setting || m.Saved == m.Now || !strings.Contains(err.Error(), setting) {
		t.Errorf("%s: got %v", setting, err)
	}
}

// TestResumeRefusesAnotherObserver changes settings of observers that do not
// change how much they save.
func TestResumeRefusesAnotherObserver(t *testing.T) {
	e, s := interrupted(t, t.TempDir())
	f := func(dst, theta []float64) { dst[0] = theta[0] }
	g := func(dst, theta []float64) { dst[0] = -theta[0] }
	series := func(f func(dst, theta []float64)) sde.Observer {
		return integrate.NewSeries(func() *integrate.Mean { return integrate.NewMean(1, f) })
	}
	for _, test := range []struct{ a, b, same sde.Observer }{
		{&integrate.Trajectories{Particles: []int{0, 3}}, &integrate.Trajectories{Particles: []int{0, 2}}, &integrate.Trajectories{Particles: []int{0, 3}}},
		{integrate.NewMean(1, f), integrate.NewMean(1, g), integrate.NewMean(1, f)},
		{series(f), series(g), series(f)},
		{integrate.NewSeries(func() *integrate.Final { return new(integrate.Final) }),
			&integrate.Series[*integrate.Final]{New: func() *integrate.Final { return new(integrate.Final) }},
			integrate.NewSeries(func() *integrate.Final { return new(integrate.Final) })},
	} {
		mustRun(t, e, s, test.a)
		_, err := e.Resume(context.Background(), s, test.b)
		checkMismatch(t, "observers", err)
		if _, err := e.Resume(context.Background(), s, test.same); err != nil {
			t.Errorf("%T: nothing changed: %v", test.a, err)
		}
		// The observer of the run itself, which has seen it all.
		if _, err := e.Resume(context.Background(), s, test.a); err != nil {
			t.Errorf("%T: used again: %v", test.a, err)
		}
	}
}

func TestResumeRefusesDamagedFiles(t *testing.T) {
	e, s := interrupted(t, t.TempDir())
	path := e.Checkpoint.Path
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, file []byte, want ...error) {
		t.Helper()
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		err := resume(e, s)
		for _, w := range want {
			if errors.Is(err, w) && strings.Contains(err.Error(), path) {
				return
			}
		}
		t.Errorf("%s: got %v, want one of %v that names the file", what, err, want)
	}
	every := 1
	if testing.Short() {
		every = 11
	}
	for n := range good {
		if n >= 16 && n%every != 0 {
			continue
		}
		try("truncated", good[:n], integrate.ErrCorrupt)
		bad := bytes.Clone(good)
		bad[n] ^= 1 << (n % 8)
		switch {
		case n < 8 || 12 <= n && n < 16:
			try("flipped", bad, integrate.ErrForeign)
		case n < 12:
			try("flipped", bad, integrate.ErrVersion)
		default:
			try("flipped", bad, integrate.ErrCorrupt)
		}
	}
	try("appended", append(bytes.Clone(good), 0), integrate.ErrCorrupt)
	try("doubled", append(bytes.Clone(good), good...), integrate.ErrCorrupt)
	try("someone else's", bytes.Repeat([]byte("step,loss\n1,0.5\n"), 100), integrate.ErrForeign)

	// Sealed anew, so that the checksum holds.
	sealed := func(change func(b []byte) []byte) []byte {
		b := change(bytes.Clone(good[:len(good)-sha256.Size]))
		sum := sha256.Sum256(b)
		return append(b, sum[:]...)
	}
	if !bytes.Equal(sealed(func(b []byte) []byte { return b }), good) {
		t.Fatal("this test does not know the format")
	}
	try("of version 2", sealed(func(b []byte) []byte { b[8] = 2; return b }), integrate.ErrVersion)
	try("a shard", sealed(func(b []byte) []byte { b[12] = 2; return b }), integrate.ErrForeign)
	at := bytes.Index(good, []byte("step"+string([]byte{16, 0, 0, 0, 0, 0, 0, 0}))) + 12
	for _, step := range []uint64{0, 20, 21, math.MaxInt64, 1 << 63, math.MaxUint64} {
		try("of an impossible step", sealed(func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[at:], step)
			return b
		}), integrate.ErrCorrupt)
	}
	for n := 16; n < len(good)-sha256.Size; n += every {
		cut := sealed(func(b []byte) []byte { return b[:n] })
		if err := os.WriteFile(path, cut, 0o644); err != nil {
			t.Fatal(err)
		}
		var m *integrate.MismatchError
		if err := resume(e, s); !errors.Is(err, integrate.ErrCorrupt) && !errors.As(err, &m) {
			t.Fatalf("cut at %d and sealed: %v", n, err)
		}
	}

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := resume(e, s); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, good, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := resume(e, s); err != nil {
		t.Errorf("the good file: %v", err)
	}
}

// notSaved is an observer that cannot be saved.
type notSaved struct{ started bool }

func (o *notSaved) Start(sde.Run) error    { o.started = true; return nil }
func (*notSaved) Observe(sde.Sample) error { return nil }

func TestCheckpointSettings(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("something"), 0o644); err != nil {
		t.Fatal(err)
	}
	e, s := interrupted(t, dir)
	good := e.Checkpoint
	tests := []struct {
		name, field string
		c           integrate.Checkpoint
	}{
		{"no interval", "Checkpoint.Every", integrate.Checkpoint{Path: good.Path}},
		{"negative", "Checkpoint.Every", integrate.Checkpoint{Path: good.Path, Every: -0.4}},
		{"NaN", "Checkpoint.Every", integrate.Checkpoint{Path: good.Path, Every: math.NaN()}},
		{"infinite", "Checkpoint.Every", integrate.Checkpoint{Path: good.Path, Every: math.Inf(1)}},
		{"not a multiple", "Checkpoint.Every", integrate.Checkpoint{Path: good.Path, Every: 0.25}},
		{"less than a step", "Checkpoint.Every", integrate.Checkpoint{Path: good.Path, Every: 0.05}},
		{"no path", "Checkpoint.Path", integrate.Checkpoint{Every: 0.4}},
		{"a directory", "Checkpoint.Path", integrate.Checkpoint{Path: dir, Every: 0.4}},
		{"no such directory", "Checkpoint.Path", integrate.Checkpoint{Path: filepath.Join(dir, "none", "checkpoint"), Every: 0.4}},
		{"in a file", "Checkpoint.Path", integrate.Checkpoint{Path: filepath.Join(file, "checkpoint"), Every: 0.4}},
		{"a device", "Checkpoint.Path", integrate.Checkpoint{Path: os.DevNull, Every: 0.4}},
	}
	if os.Getuid() > 0 {
		closed := filepath.Join(dir, "closed")
		if err := os.Mkdir(closed, 0o555); err != nil {
			t.Fatal(err)
		}
		tests = append(tests, struct {
			name, field string
			c           integrate.Checkpoint
		}{"a directory that cannot be written", "Checkpoint.Path", integrate.Checkpoint{Path: filepath.Join(closed, "checkpoint"), Every: 0.4}})
	}
	for _, test := range tests {
		e.Checkpoint = test.c
		o := new(notSaved)
		res, err := e.Run(context.Background(), s, o)
		var setting *sde.SettingError
		if res != nil || o.started || !errors.As(err, &setting) || !strings.Contains(setting.Field, test.field) || !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: got %v, %v", test.name, res, err)
		}
		if err := e.Validate(s); err == nil {
			t.Errorf("%s: Validate passes", test.name)
		}
	}
	e.Checkpoint = integrate.Checkpoint{}
	if err := resume(e, s); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("resume without a path: %v", err)
	}
	e.Checkpoint = good
	before, _ := os.ReadFile(good.Path)
	series := func() *integrate.Series[*notSaved] {
		return integrate.NewSeries(func() *notSaved { return new(notSaved) })
	}
	for _, o := range []sde.Observer{new(notSaved), series(), integrate.NewSeries(series)} {
		_, err := e.Run(context.Background(), s, new(integrate.Moments), o)
		var setting *sde.SettingError
		if !errors.As(err, &setting) || !strings.Contains(err.Error(), "GroupSaver") {
			t.Errorf("%T: got %v", o, err)
		}
		if _, err := e.Resume(context.Background(), s, o); !errors.As(err, &setting) {
			t.Errorf("%T: resume: got %v", o, err)
		}
	}
	if after, _ := os.ReadFile(good.Path); !bytes.Equal(before, after) {
		t.Error("a run that was refused changed the checkpoint")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestCheckpointCannotBeWritten takes the directory away in the middle of a run.
func TestCheckpointCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	home, away := filepath.Join(dir, "home"), filepath.Join(dir, "away")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	e, s := interrupted(t, home)
	want := new(integrate.Moments)
	mustRun(t, e, s, want, new(trip))
	got := new(integrate.Moments)
	res := mustRun(t, e, s, got, &trip{at: 3, do: func() error { return os.Rename(home, away) }})
	if !bytes.Equal(want.AppendGroup(nil, 0), got.AppendGroup(nil, 0)) || res.Partial {
		t.Error("the run did not go on to the same end")
	}
	if len(res.Warnings) != 1 || !errors.Is(res.Warnings[0], fs.ErrNotExist) || !strings.Contains(res.Warnings[0].Error(), "2 checkpoints") {
		t.Errorf("warnings: %v", res.Warnings)
	}
	e.Checkpoint.Path = filepath.Join(away, "checkpoint")
	if err := resume(e, s); err != nil {
		t.Errorf("the checkpoint before: %v", err)
	}
}

// TestResumeIsHonest holds what a resumed run says when it is cancelled at once
// against what its observers hold.
func TestResumeIsHonest(t *testing.T) {
	e, s := interrupted(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := new(integrate.Moments)
	res, err := e.Resume(ctx, s, m, &trip{at: 1, do: func() error { cancel(); return nil }})
	if err == nil || !res.Partial {
		t.Fatalf("got %v", err)
	}
	if int64(res.Observations*e.Particles) != m.Samples() || res.Observations != 4 || res.Steps != 12 {
		t.Errorf("%d observations up to step %d, but the observers hold %d samples of %d particles", res.Observations, res.Steps, m.Samples(), e.Particles)
	}
	// The checkpoint is of step 12, and has seen step 10.
	e.Start = integrate.StartFunc(uniformStart)
	if err := resume(e, s); err == nil {
		t.Error("another start was not refused")
	}
}

func TestTooManyParticles(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{40}}, Step: 0.1}
	for _, n := range []int{math.MaxInt, math.MaxInt / 320 * 2} {
		e.Particles = n
		err := e.Validate(integrate.Schedule{Time: 1})
		if !errors.Is(err, sde.ErrInvalid) || !strings.Contains(err.Error(), "GiB") {
			t.Errorf("%d particles: %v", n, err)
		}
	}
}
