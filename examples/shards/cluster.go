// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
)

// child is set in the environment of the processes that are started, for the tests.
const child = "SGFLOW_EXAMPLE_SHARDS"

// life is a time during which a process ran, in seconds since the first was started.
type life struct {
	from, to float64
	killed   bool
	resumed  float64 // the simulation's time that it went on from
}

// cluster starts the parts as processes, kills the first one after a
// dozen checkpoints, starts it again, merges, and compares with one run in this process.
func (st *study) cluster(ctx context.Context, s *example.Session, o options) error {
	if o.processes < 2 || o.processes > 64 {
		return fmt.Errorf("-processes %d: want 2 to 64", o.processes)
	}
	e := st.ensemble
	for i := range o.processes {
		e.Shard = integrate.Shard{Index: i, Count: o.processes}
		if err := e.Validate(st.schedule); err != nil {
			return err
		}
	}
	folder, err := os.MkdirTemp("", "sgflow-shards-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := time.Now()
	since := func() float64 { return time.Since(start).Seconds() }
	lives, errs := make([][]life, o.processes), make([]error, o.processes)
	var wg sync.WaitGroup
	for i := range o.processes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			part := integrate.Shard{Index: i, Count: o.processes}
			for again := true; again && errs[i] == nil; {
				var kill func() bool
				if i == 0 && len(lives[i]) == 0 {
					kill = after(checkpoint(folder, part), 12)
				}
				l := life{from: since()}
				l.killed, l.resumed, errs[i] = st.process(ctx, s, o, folder, part, kill)
				l.to = since()
				lives[i] = append(lives[i], l)
				again = l.killed
			}
			if errs[i] != nil {
				cancel()
			}
		}()
	}
	wg.Wait()
	if err := first(errs); err != nil {
		return err
	}
	// Merged, and in one process.
	m := measured{parts: o.processes, lives: lives, hist: st.histogram(), moments: new(integrate.Moments)}
	paths := make([]string, o.processes)
	for i := range paths {
		paths[i] = file(folder, integrate.Shard{Index: i, Count: o.processes})
	}
	if m.result, err = st.ensemble.Merge(st.schedule, paths, m.hist, m.moments); err != nil {
		return err
	}
	h, moments := st.histogram(), new(integrate.Moments)
	one, err := s.Simulate(ctx, "one process", st.ensemble, st.schedule, h, moments)
	if err != nil || one.Partial {
		return err
	}
	m.one = one
	m.different = groups(h, m.hist, one.Groups) + groups(moments, m.moments, one.Groups)
	return st.report(s, m)
}

// after returns a function that reports whether a file has been written so many times.
func after(path string, times int) func() bool {
	var last time.Time
	return func() bool {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
			times--
		}
		return times <= 0
	}
}

// groups returns how many groups of two observers differ in what they would save.
func groups(a, b interface {
	AppendGroup(dst []byte, g int) []byte
}, n int) (different int) {
	for g := range n {
		if !bytes.Equal(a.AppendGroup(nil, g), b.AppendGroup(nil, g)) {
			different++
		}
	}
	return different
}

// process runs a part as a process of its own. If kill is not nil the process is killed
// as soon as it returns true.
func (st *study) process(ctx context.Context, s *example.Session, o options, folder string, part integrate.Shard, kill func() bool) (killed bool, resumed float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return false, 0, err
	}
	cmd := exec.CommandContext(ctx, self, "-json", "-workers=1", "-out="+folder,
		fmt.Sprintf("-shard=%d/%d", part.Index, part.Count), fmt.Sprintf("-temperature=%v", o.temperature), fmt.Sprintf("-seed=%d", s.Seed),
		fmt.Sprintf("-particles=%d", s.Particles), fmt.Sprintf("-time=%v", s.Time), fmt.Sprintf("-step=%v", s.Step))
	cmd.Env = append(os.Environ(), child+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return false, 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for kill != nil && !killed {
		select {
		case err = <-ended: // before it could be killed
			kill = nil
			ended <- err
		case <-time.After(time.Millisecond):
			if kill() {
				killed = true
				err = cmd.Process.Kill()
			}
		}
	}
	err = errors.Join(err, <-ended)
	if killed {
		return true, 0, nil
	}
	if err != nil {
		return false, 0, fmt.Errorf("part %d of %d: %w: %s", part.Index, part.Count, err, strings.TrimSpace(stderr.String()))
	}
	var report struct{ Shard struct{ Resumed float64 } }
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		return false, 0, fmt.Errorf("part %d of %d: %w", part.Index, part.Count, err)
	}
	return false, report.Shard.Resumed, nil
}

// first returns the first error that is not that others were stopped for it.
func first(errs []error) error {
	for _, err := range errs {
		if err != nil && !strings.Contains(err.Error(), "signal: killed") {
			return err
		}
	}
	return errors.Join(errs...)
}
