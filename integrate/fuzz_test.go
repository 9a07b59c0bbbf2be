// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// refused reports whether an error is one with which a file may be refused, or the run that it
// leads to end.
func refused(err error) bool {
	var mismatch *integrate.MismatchError
	var shard *integrate.ShardError
	var diverged *integrate.DivergenceError
	var observer *integrate.ObserverError
	return errors.Is(err, integrate.ErrCorrupt) || errors.Is(err, integrate.ErrForeign) || errors.Is(err, integrate.ErrVersion) ||
		errors.As(err, &mismatch) || errors.As(err, &shard) || errors.As(err, &diverged) || errors.As(err, &observer) || errors.Is(err, sde.ErrInvalid)
}

// fuzzFile adds a file without its checksum to the corpus, and gives bytes under a right
// checksum to what reads them.
func fuzzFile(f *testing.F, path string, read func() error) {
	valid, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid[:len(valid)-sha256.Size])
	f.Fuzz(func(t *testing.T, data []byte) {
		sum := sha256.Sum256(data)
		if err := os.WriteFile(path, append(bytes.Clone(data), sum[:]...), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := read(); err != nil && !refused(err) {
			t.Errorf("an error without a type: %v", err)
		}
	})
}

// FuzzResume resumes from any bytes: no panic, and a typed error or a run.
func FuzzResume(f *testing.F) {
	e, s := interrupted(f, f.TempDir())
	fuzzFile(f, e.Checkpoint.Path, func() error {
		e.Checkpoint.Every = 1.6 // no more checkpoints
		return resume(e, s)
	})
}

// FuzzMerge merges any bytes as the result of a shard.
func FuzzMerge(f *testing.F) {
	e, s := interrupted(f, f.TempDir())
	e.Checkpoint = integrate.Checkpoint{}
	e.Shard = integrate.Shard{Index: 0, Count: 1}
	path := filepath.Join(f.TempDir(), "shard")
	r, err := e.Run(context.Background(), s, new(integrate.Moments))
	if err == nil {
		err = r.Save(path)
	}
	if err != nil {
		f.Fatal(err)
	}
	fuzzFile(f, path, func() error {
		_, err := e.Merge(s, []string{path}, new(integrate.Moments))
		return err
	})
}
