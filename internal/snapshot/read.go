// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package snapshot

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Errors of files that cannot be used.
var (
	ErrForeign = errors.New("not a file of this kind")
	ErrVersion = errors.New("written in another version of the format")
	ErrCorrupt = errors.New("truncated or damaged")
)

var errTooLong = fmt.Errorf("%w: a record is longer than the file", ErrCorrupt)

const (
	headSize = 16
	minSize  = headSize + 12 + sha256.Size
)

// Reader reads the records of a file in their order.
type Reader struct {
	in   *bufio.Reader
	left int64 // bytes before the checksum
	file io.Closer
}

// Open checks the file at path and returns a reader of its records.
func Open(path string, kind uint32) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: not a regular file", ErrForeign)
	}
	var r *Reader
	if err == nil {
		r, err = NewReader(f, info.Size(), kind)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r.file = f
	return r, nil
}

// NewReader checks a file of the given size and returns a reader of its records.
func NewReader(file io.ReadSeeker, size int64, kind uint32) (*Reader, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(file, head[:]); err != nil {
		return nil, fmt.Errorf("%w: %d bytes", ErrCorrupt, size)
	}
	if [8]byte(head[:8]) != magic {
		return nil, ErrForeign
	}
	if v := binary.LittleEndian.Uint32(head[8:]); v != Version {
		return nil, fmt.Errorf("%w: %d, want %d", ErrVersion, v, Version)
	}
	if k := binary.LittleEndian.Uint32(head[12:]); k != kind {
		return nil, fmt.Errorf("%w (%d, not %d)", ErrForeign, k, kind)
	}
	if size < minSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrCorrupt, size)
	}
	sum := sha256.New()
	sum.Write(head[:])
	if _, err := io.CopyN(sum, file, size-headSize-sha256.Size); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	var want [sha256.Size]byte
	if _, err := io.ReadFull(file, want[:]); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	if [sha256.Size]byte(sum.Sum(nil)) != want {
		return nil, fmt.Errorf("%w: the checksum is wrong", ErrCorrupt)
	}
	if _, err := file.Seek(headSize, io.SeekStart); err != nil {
		return nil, err
	}
	return &Reader{in: bufio.NewReaderSize(file, 1<<16), left: size - headSize - sha256.Size}, nil
}

// Close closes the file, if Open opened it.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// take reads n bytes, which the file must still have.
func (r *Reader) take(n uint64) ([]byte, error) {
	if n > uint64(r.left) {
		return nil, errTooLong
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.in, b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	r.left -= int64(n)
	return b, nil
}

// head reads what precedes a record's data.
func (r *Reader) head() (name string, n uint64, err error) {
	b, err := r.take(4)
	if err != nil {
		return "", 0, err
	}
	if b, err = r.take(uint64(binary.LittleEndian.Uint32(b))); err != nil {
		return "", 0, err
	}
	name = string(b)
	if b, err = r.take(8); err != nil {
		return "", 0, err
	}
	return name, binary.LittleEndian.Uint64(b), nil
}

func (r *Reader) expect(name string) (n uint64, err error) {
	got, n, err := r.head()
	if err == nil && got != name {
		err = fmt.Errorf("%w: record %q where %q should be", ErrCorrupt, got, name)
	}
	return n, err
}

// Bytes reads the next record, which must have the given name.
func (r *Reader) Bytes(name string) ([]byte, error) {
	n, err := r.expect(name)
	if err != nil {
		return nil, err
	}
	return r.take(n)
}

// Floats reads the next record, which must have the given name and as many
// float64s as dst, into dst.
func (r *Reader) Floats(name string, dst []float64) error {
	n, err := r.expect(name)
	if err != nil {
		return err
	}
	if n != 8*uint64(len(dst)) {
		return fmt.Errorf("%w: record %q has %d bytes, want %d", ErrCorrupt, name, n, 8*len(dst))
	}
	if n > uint64(r.left) {
		return errTooLong
	}
	var buf [4096]byte
	for len(dst) > 0 {
		m := min(len(dst), len(buf)/8)
		if _, err := io.ReadFull(r.in, buf[:8*m]); err != nil {
			return fmt.Errorf("%w: %v", ErrCorrupt, err)
		}
		for i := range m {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(buf[8*i:]))
		}
		r.left -= int64(8 * m)
		dst = dst[m:]
	}
	return nil
}

// End returns an error unless all records have been read.
func (r *Reader) End() error {
	n, err := r.expect("")
	if err == nil && (n != 0 || r.left != 0) {
		err = fmt.Errorf("%w: %d bytes too many", ErrCorrupt, r.left)
	}
	return err
}
