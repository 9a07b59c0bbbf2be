// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"bufio"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// WriteNPY writes an array of the given shape in NumPy's format, version 1.0,
// little-endian float64 in C order, so that numpy.load reads it. It refuses an
// empty array, and a shape that does not hold as many numbers as data.
func WriteNPY(w io.Writer, data []float64, shape ...int) error {
	n, dims := 1, make([]string, len(shape))
	for i, s := range shape {
		if s < 1 {
			return &SettingError{"sde: WriteNPY shape", shape, "positive lengths: there is nothing to write in an empty array", nil}
		}
		n *= s
		dims[i] = strconv.Itoa(s)
	}
	if n != len(data) || len(shape) == 0 {
		return &SettingError{"sde: WriteNPY shape", shape, fmt.Sprintf("one of %d numbers", len(data)), ErrDimension}
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	head := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }", tuple)
	// Magic, version, length and header are padded to a multiple of 64 bytes.
	const fixed = 10
	pad := 64 - (fixed+len(head)+1)%64
	head += strings.Repeat(" ", pad) + "\n"
	out := bufio.NewWriterSize(w, 1<<16)
	var buf [8]byte
	out.WriteString("\x93NUMPY\x01\x00")
	out.Write(binary.LittleEndian.AppendUint16(buf[:0], uint16(len(head))))
	out.WriteString(head)
	for _, v := range data {
		out.Write(binary.LittleEndian.AppendUint64(buf[:0], math.Float64bits(v)))
	}
	return out.Flush()
}

// WriteNPY writes the batch as a Rows×Cols array for NumPy; see the function WriteNPY.
func (b Batch) WriteNPY(w io.Writer) error {
	flat, ok := b.Flat()
	if !ok {
		c := NewBatch(b.Rows, b.Cols)
		c.CopyFrom(b)
		flat = c.Data
	}
	return WriteNPY(w, flat, b.Rows, b.Cols)
}

// WriteCSV writes the batch as comma-separated values under a line of column
// names, each number in the fewest digits that give it back. It refuses an
// empty batch and a number of names other than Cols.
func (b Batch) WriteCSV(w io.Writer, names ...string) error {
	if b.Rows == 0 || b.Cols == 0 {
		return &SettingError{"sde: Batch.WriteCSV", fmt.Sprintf("a batch of %d×%d", b.Rows, b.Cols), "at least one number: there is nothing to write", nil}
	}
	if len(names) != b.Cols {
		return &SettingError{"sde: Batch.WriteCSV names", names, fmt.Sprintf("%d, one a column", b.Cols), ErrDimension}
	}
	out := csv.NewWriter(w)
	if err := out.Write(names); err != nil {
		return err
	}
	record := make([]string, b.Cols)
	for i := 0; i < b.Rows; i++ {
		for j, v := range b.Row(i) {
			record[j] = strconv.FormatFloat(v, 'g', -1, 64)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
