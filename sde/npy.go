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
	n, ok := 1, len(shape) > 0
	for _, s := range shape {
		if s < 1 {
			return &SettingError{"sde: WriteNPY shape", shape, "positive lengths: there is nothing to write in an empty array", nil}
		}
		if ok = ok && s <= len(data)/n; ok {
			n *= s
		}
	}
	if !ok || n != len(data) {
		return &SettingError{"sde: WriteNPY shape", shape, fmt.Sprintf("one of %d numbers", len(data)), ErrDimension}
	}
	if len(shape) > maxShape {
		return &SettingError{"sde: WriteNPY shape", shape, fmt.Sprintf("at most %d dimensions", maxShape), ErrDimension}
	}
	out := bufio.NewWriterSize(w, 1<<16)
	writeHead(out, shape)
	writeFloats(out, data)
	return out.Flush()
}

// maxShape is how many dimensions every version of NumPy takes.
const maxShape = 32

// writeHead writes what precedes the numbers: magic, version, length and header,
// padded to a multiple of 64 bytes.
func writeHead(out *bufio.Writer, shape []int) {
	dims := make([]string, len(shape))
	for i, s := range shape {
		dims[i] = strconv.Itoa(s)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	head := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }", tuple)
	const fixed = 10
	head += strings.Repeat(" ", 63-(fixed+len(head))%64) + "\n"
	out.WriteString("\x93NUMPY\x01\x00")
	out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(head))))
	out.WriteString(head)
}

func writeFloats(out *bufio.Writer, data []float64) {
	for _, v := range data {
		out.Write(binary.LittleEndian.AppendUint64(out.AvailableBuffer(), math.Float64bits(v)))
	}
}

// WriteNPY writes the batch as a Rows×Cols array for NumPy, without its gaps;
// see the function WriteNPY. It refuses an empty batch.
func (b Batch) WriteNPY(w io.Writer) error {
	if b.Rows == 0 || b.Cols == 0 {
		return &SettingError{"sde: Batch.WriteNPY", fmt.Sprintf("a batch of %d×%d", b.Rows, b.Cols), "at least one number: there is nothing to write", nil}
	}
	out := bufio.NewWriterSize(w, 1<<16)
	writeHead(out, []int{b.Rows, b.Cols})
	for i := range b.Rows {
		writeFloats(out, b.Row(i))
	}
	return out.Flush()
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
