// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Batch is a row-major matrix of states, one particle a row, as in NumPy and in
// gonum's blas64.General: coordinate j of particle i is Data[i*Stride+j].
type Batch struct {
	Data   []float64
	Rows   int // particles
	Cols   int // coordinates of a particle
	Stride int // distance between the starts of two rows, at least Cols
}

// NewBatch returns a zeroed batch of rows×cols without gaps.
// It panics if rows or cols is negative.
func NewBatch(rows, cols int) Batch {
	if rows < 0 || cols < 0 {
		panic("sde: negative batch size")
	}
	return Batch{Data: make([]float64, rows*cols), Rows: rows, Cols: cols, Stride: cols}
}

// Row returns particle i's coordinates. The slice shares the batch's memory and
// has no spare capacity.
func (b Batch) Row(i int) []float64 {
	k := i * b.Stride
	return b.Data[k : k+b.Cols : k+b.Cols]
}

// Slice returns the rows i to j−1 as a batch that shares b's memory. It panics
// if there are no such rows.
func (b Batch) Slice(i, j int) Batch {
	if i < 0 || j < i || b.Rows < j {
		panic("sde: batch slice out of range")
	}
	s := Batch{Rows: j - i, Cols: b.Cols, Stride: b.Stride}
	if i < j {
		s.Data = b.Data[i*b.Stride : (j-1)*b.Stride+b.Cols]
	}
	return s
}

// Flat returns the coordinates of all particles as one slice of Rows*Cols, and
// whether there is such a slice: a batch with gaps between its rows has none.
func (b Batch) Flat() ([]float64, bool) {
	if b.Stride != b.Cols && b.Rows > 1 {
		return nil, false
	}
	return b.Data[:b.Rows*b.Cols], true
}

// CopyFrom copies src into b. It panics if the shapes differ.
func (b Batch) CopyFrom(src Batch) {
	if b.Rows != src.Rows || b.Cols != src.Cols {
		panic("sde: batch shapes differ")
	}
	if dst, ok := b.Flat(); ok {
		if from, ok := src.Flat(); ok {
			copy(dst, from)
			return
		}
	}
	for i := 0; i < b.Rows; i++ {
		copy(b.Row(i), src.Row(i))
	}
}
