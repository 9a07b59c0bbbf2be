// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package snapshot

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"math"
)

// Version is the version of the format that this package writes and reads.
const Version = 1

var magic = [8]byte{'S', 'G', 'F', 'L', 'O', 'W', '\r', '\n'}

// Writer writes the records of a file.
type Writer struct {
	out *bufio.Writer
	sum hash.Hash
	err error
	buf [4096]byte
}

// NewWriter starts a file of the given kind on w.
func NewWriter(w io.Writer, kind uint32) *Writer {
	sw := &Writer{out: bufio.NewWriterSize(w, 1<<16), sum: sha256.New()}
	sw.write(magic[:])
	sw.uint32(Version)
	sw.uint32(kind)
	return sw
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		w.sum.Write(b)
		_, w.err = w.out.Write(b)
	}
}

func (w *Writer) uint32(v uint32) {
	w.write(binary.LittleEndian.AppendUint32(w.buf[:0], v))
}

// head writes what precedes a record's data.
func (w *Writer) head(name string, n int) {
	w.uint32(uint32(len(name)))
	w.write([]byte(name))
	w.write(binary.LittleEndian.AppendUint64(w.buf[:0], uint64(n)))
}

// Bytes writes a record.
func (w *Writer) Bytes(name string, data []byte) {
	if name == "" {
		panic("snapshot: record without a name")
	}
	w.head(name, len(data))
	w.write(data)
}

// Floats writes a record of float64s, eight bytes each, without a copy of them.
func (w *Writer) Floats(name string, data []float64) {
	w.head(name, 8*len(data))
	for len(data) > 0 {
		n := min(len(data), len(w.buf)/8)
		b := w.buf[:0]
		for _, v := range data[:n] {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		w.write(b)
		data = data[n:]
	}
}

// Close ends the file with its checksum and returns the first error there was.
func (w *Writer) Close() error {
	w.head("", 0)
	if w.err != nil {
		return w.err
	}
	if _, err := w.out.Write(w.sum.Sum(nil)); err != nil {
		return err
	}
	return w.out.Flush()
}
