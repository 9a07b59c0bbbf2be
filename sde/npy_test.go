// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"slices"
	"strconv"
	"testing"

	"codeberg.org/sbinet/npyio/npy"

	"github.com/sgflow/sgflow/sde"
)

var written = []float64{1, -0.1, math.Pi, 1e-310, math.MaxFloat64, math.Copysign(0, -1), math.Inf(1), math.NaN(), 7, 8, 9, 10}

func sameBits(x, y []float64) bool {
	return slices.EqualFunc(x, y, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
}

// TestNPY reads arrays back with another program's reader.
func TestNPY(t *testing.T) {
	for _, shape := range [][]int{{12}, {3, 4}, {12, 1}, {2, 3, 2}, {1, 1, 12, 1}} {
		var b bytes.Buffer
		if err := sde.WriteNPY(&b, written, shape...); err != nil {
			t.Fatal(err)
		}
		if n := b.Len() - 8*len(written); n%64 != 0 {
			t.Errorf("shape %v: the numbers begin at byte %d, no multiple of 64", shape, n)
		}
		r, err := npy.NewReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		if d := r.Header.Descr; !slices.Equal(d.Shape, shape) || d.Type != "'<f8'" || d.Fortran {
			t.Errorf("shape %v: read back as %+v", shape, d)
		}
		got := make([]float64, len(written))
		if err := r.Read(&got); err != nil {
			t.Fatal(err)
		}
		if !sameBits(got, written) {
			t.Errorf("shape %v: read back %v, wrote %v", shape, got, written)
		}
	}
}

// gapped returns the written numbers as a batch of 4×3 with gaps.
func gapped() sde.Batch {
	b := sde.Batch{Data: make([]float64, 20), Rows: 4, Cols: 3, Stride: 5}
	for i := range b.Data {
		b.Data[i] = -99
	}
	for i := range b.Rows {
		copy(b.Row(i), written[3*i:])
	}
	return b
}

func TestBatchFiles(t *testing.T) {
	var flat, gaps bytes.Buffer
	if err := sde.WriteNPY(&flat, written, 4, 3); err != nil {
		t.Fatal(err)
	}
	if err := gapped().WriteNPY(&gaps); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(flat.Bytes(), gaps.Bytes()) {
		t.Error("a batch with gaps is not written as its numbers are")
	}
	var text bytes.Buffer
	if err := gapped().WriteCSV(&text, "a", "b, c", "d"); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 5 || !slices.Equal(lines[0], []string{"a", "b, c", "d"}) {
		t.Fatalf("CSV %q", lines)
	}
	var got []float64
	for _, line := range lines[1:] {
		for _, field := range line {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
	}
	if got[7] = math.NaN(); !sameBits(got, written) { // a NaN has no bits in text
		t.Errorf("CSV gives back %v, wrote %v", got, written)
	}
}

// full is a disk without room.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFilesRefused(t *testing.T) {
	var b bytes.Buffer
	for name, err := range map[string]error{
		"empty":           sde.WriteNPY(&b, nil, 0),
		"no shape":        sde.WriteNPY(&b, written),
		"another shape":   sde.WriteNPY(&b, written, 5, 2),
		"negative":        sde.WriteNPY(&b, written, -3, -4),
		"overflow":        sde.WriteNPY(&b, written, 1<<62, 4, 3),
		"33 dimensions":   sde.WriteNPY(&b, []float64{1}, slices.Repeat([]int{1}, 33)...),
		"empty batch":     sde.NewBatch(0, 3).WriteNPY(&b),
		"empty batch CSV": sde.NewBatch(3, 0).WriteCSV(&b),
		"names":           gapped().WriteCSV(&b, "a"),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: error %v, want one that wraps sde.ErrInvalid", name, err)
		}
	}
	if b.Len() > 0 {
		t.Errorf("%d bytes were written of what was refused", b.Len())
	}
	big := sde.NewBatch(1000, 20)
	names := slices.Repeat([]string{"x"}, 20)
	for name, err := range map[string]error{
		"NPY": sde.WriteNPY(full{}, big.Data, 20000), "batch NPY": big.WriteNPY(full{}), "CSV": big.WriteCSV(full{}, names...),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s to a full disk: %v", name, err)
		}
	}
}
