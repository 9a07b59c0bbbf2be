// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package snapshot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
)

// Replace makes the file at path what f writes, or leaves it as it was: the
// new file is written beside it under a name that no other has, synced, and
// renamed.
func Replace(path string, f func(w io.Writer) error) (err error) {
	file, err := temporary(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			if e := os.Remove(file.Name()); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	err = f(file)
	if err == nil {
		err = file.Sync()
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// temporary makes a file path.tmp with eight digits.
func temporary(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(fmt.Sprintf("%s.tmp%08x", path, rand.Uint32()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
}

var temporaryName = regexp.MustCompile(`^\.tmp[0-9a-f]{8}$`)

// Clean removes what a process that died while it replaced path has left.
func Clean(path string) {
	entries, _ := os.ReadDir(filepath.Dir(path))
	base := filepath.Base(path)
	for _, e := range entries {
		if name := e.Name(); len(name) > len(base) && name[:len(base)] == base && temporaryName.MatchString(name[len(base):]) {
			os.Remove(filepath.Join(filepath.Dir(path), name))
		}
	}
}

// syncDir makes a rename in a directory last, where the system can do that.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil // some network file systems
	}
	return errors.Join(err, dir.Close())
}

// Writable returns an error if Replace could not make its file at path.
func Writable(path string) error {
	if path == "" {
		return errors.New("no path")
	}
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return fmt.Errorf("%s is a directory", path)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", path)
		}
	}
	file, err := temporary(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
