// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build unix

package integrate_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/sgflow/sgflow/integrate"
)

const fullChild = "SGFLOW_FULL_CHILD"

// TestFullDisk limits how long files may get in the middle of a run, in a process
// of its own: writing then fails as it does on a full disk, a part being written.
func TestFullDisk(t *testing.T) {
	if os.Getenv(fullChild) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
		child.Env = append(os.Environ(), fullChild+"=1")
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	e, s := interrupted(t, t.TempDir())
	want := new(integrate.Moments)
	mustRun(t, e, s, want, new(trip))

	got := new(integrate.Moments)
	var old syscall.Rlimit
	var before []byte
	res := mustRun(t, e, s, got, &trip{at: 3, do: func() (err error) {
		if before, err = os.ReadFile(e.Checkpoint.Path); err != nil {
			return err
		}
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			return err
		}
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 200, Max: old.Max})
	}})
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want.AppendGroup(nil, 0), got.AppendGroup(nil, 0)) {
		t.Error("the run did not go on to the same end")
	}
	if len(res.Warnings) != 1 || !errors.Is(res.Warnings[0], syscall.EFBIG) {
		t.Errorf("warnings: %v", res.Warnings)
	}
	if after, err := os.ReadFile(e.Checkpoint.Path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the checkpoint before did not stay: %v", err)
	}
	if err := resume(e, s); err != nil {
		t.Errorf("resume: %v", err)
	}
}
