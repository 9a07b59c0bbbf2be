// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
)

const kind = 7

// file returns a file of two records of bytes and one of numbers.
func file(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, kind)
	w.Bytes("first", []byte("some bytes"))
	w.Floats("numbers", []float64{1, math.Inf(-1), math.Pi})
	w.Bytes("last", nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads what file wrote.
func read(data []byte) error {
	r, err := NewReader(bytes.NewReader(data), int64(len(data)), kind)
	if err != nil {
		return err
	}
	first, err := r.Bytes("first")
	if err != nil {
		return err
	}
	numbers := make([]float64, 3)
	if err := r.Floats("numbers", numbers); err != nil {
		return err
	}
	last, err := r.Bytes("last")
	if err != nil {
		return err
	}
	if string(first) != "some bytes" || numbers[0] != 1 || !math.IsInf(numbers[1], -1) || numbers[2] != math.Pi || len(last) != 0 {
		return errors.New("not what was written")
	}
	return r.End()
}

// sealed returns data with the checksum of all but its last 32 bytes there.
func sealed(data []byte) []byte {
	body := data[:max(0, len(data)-sha256.Size)]
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

func TestRoundTrip(t *testing.T) {
	if err := read(file(t)); err != nil {
		t.Error(err)
	}
}

// TestDamage cuts a file at every length and flips each of its bits.
func TestDamage(t *testing.T) {
	whole := file(t)
	for n := range whole {
		if err := read(whole[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if err := read(append(bytes.Clone(whole), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte more: %v", err)
	}
	for i := range 8 * len(whole) {
		b := bytes.Clone(whole)
		b[i/8] ^= 1 << (i % 8)
		want := ErrCorrupt
		switch {
		case i/8 < 8 || i/8 >= 12 && i/8 < 16:
			want = ErrForeign
		case i/8 < 12:
			want = ErrVersion
		}
		if err := read(b); !errors.Is(err, want) {
			t.Errorf("bit %d: %v, want %v", i, err, want)
		}
	}
}

// TestLies gives files of a right checksum whose records are wrong.
func TestLies(t *testing.T) {
	for name, write := range map[string]func(w *Writer){
		"another name": func(w *Writer) { w.Bytes("second", nil) },
		"no records":   func(*Writer) {},
		"too few numbers": func(w *Writer) {
			w.Bytes("first", []byte("some bytes"))
			w.Floats("numbers", []float64{1})
		},
		"a record more": func(w *Writer) {
			w.Bytes("first", []byte("some bytes"))
			w.Floats("numbers", []float64{1, math.Inf(-1), math.Pi})
			w.Bytes("last", nil)
			w.Bytes("more", nil)
		},
	} {
		var b bytes.Buffer
		w := NewWriter(&b, kind)
		write(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := read(b.Bytes()); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := file(t)
	binary.LittleEndian.PutUint64(long[16+4+5:], 1<<62) // the length of the first record
	if err := read(sealed(long)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a record of 2⁶² bytes: %v", err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none"), kind); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(dir, kind); !errors.Is(err, ErrForeign) {
		t.Errorf("a folder: %v", err)
	}
}

// FuzzReader reads bytes under a right checksum: whatever they are, there is no panic
// and nothing longer than the file is made.
func FuzzReader(f *testing.F) {
	f.Add(file(f))
	f.Add([]byte("SGFLOW\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = sealed(data)
		if err := read(data); err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrVersion) &&
			err.Error() != "not what was written" {
			t.Errorf("an error without a kind: %v", err)
		}
		r, err := NewReader(bytes.NewReader(data), int64(len(data)), kind)
		if err != nil {
			return
		}
		for { // all records, whatever their names
			_, n, err := r.head()
			if err != nil {
				return
			}
			b, err := r.take(n)
			if err != nil {
				return
			}
			if len(b) > len(data) {
				t.Fatalf("a record of %d bytes in a file of %d", len(b), len(data))
			}
		}
	})
}
