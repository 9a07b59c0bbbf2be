// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/sde"
)

// Mean observes the expectations of a person's functions of the state, pooled
// over particles and observation times:
//
//	E f_k(θ),   k = 0 … Functions−1
//
// with standard errors from the scatter between groups. Its memory is two
// numbers for each function and group.
type Mean struct {
	// Functions is how many functions there are.
	Functions int
	// F stores their values at θ into dst. It is called from many goroutines.
	F func(dst, theta []float64)

	sums    [][]float64 // by function and group
	counts  []float64
	scratch [][]float64 // by group
}

var (
	_ sde.Observer   = (*Mean)(nil)
	_ sde.GroupSaver = (*Mean)(nil)
)

// NewMean returns an observer of n functions, whose values f stores into dst.
func NewMean(n int, f func(dst, theta []float64)) *Mean { return &Mean{Functions: n, F: f} }

// Start refuses a nil function or a number of functions below 1.
func (m *Mean) Start(r sde.Run) error {
	if m.Functions < 1 {
		return invalid("Mean.Functions", m.Functions, "at least 1", nil)
	}
	if m.F == nil {
		return invalid("Mean.F", nil, "a function", nil)
	}
	m.sums, m.scratch = make([][]float64, m.Functions), make([][]float64, r.Groups)
	for k := range m.sums {
		m.sums[k] = make([]float64, r.Groups)
	}
	for g := range m.scratch {
		m.scratch[g] = make([]float64, m.Functions)
	}
	m.counts = make([]float64, r.Groups)
	return nil
}

// Observe adds a block's values. A value that is not finite is an error.
func (m *Mean) Observe(s sde.Sample) error { return m.add(s, 1) }

// add adds a block's values with a weight.
func (m *Mean) add(s sde.Sample, weight float64) error {
	dst := m.scratch[s.Group]
	for i := 0; i < s.X.Rows; i++ {
		m.F(dst, s.X.Row(i))
		for k, v := range dst {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("function %d of particle %d is %v", k, s.Particle(i), v)
			}
			m.sums[k][s.Group] += float64(weight * v)
		}
	}
	m.counts[s.Group] += float64(weight * float64(s.X.Rows))
	return nil
}

// Estimate returns E f_k and its standard error. It panics if there is no such function, and
// before a run.
func (m *Mean) Estimate(k int) sde.Estimate {
	if k < 0 || len(m.sums) <= k {
		panic("integrate: no such function, or nothing was observed yet")
	}
	v, se, n := groups.Mean(m.sums[k], m.counts)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

// Samples returns how many states were observed.
func (m *Mean) Samples() int64 { return int64(total(m.counts)) }

// AppendGroup implements sde.GroupSaver.
func (m *Mean) AppendGroup(dst []byte, g int) []byte {
	dst = appendFloats(dst, m.counts[g])
	for k := range m.sums {
		dst = appendFloats(dst, m.sums[k][g])
	}
	return dst
}

// LoadGroup implements sde.GroupSaver.
func (m *Mean) LoadGroup(g int, data []byte) error {
	v, err := loadFloats(data, 1+len(m.sums))
	if err != nil {
		return err
	}
	m.counts[g] = v[0]
	for k := range m.sums {
		m.sums[k][g] = v[1+k]
	}
	return nil
}

func total(v []float64) (sum float64) {
	for _, x := range v {
		sum += x
	}
	return sum
}

// appendFloats appends the bits of v, little-endian.
func appendFloats(dst []byte, v ...float64) []byte {
	for _, x := range v {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	}
	return dst
}

// loadFloats is the inverse of appendFloats for exactly n numbers.
func loadFloats(data []byte, n int) ([]float64, error) {
	if len(data) != 8*n {
		return nil, fmt.Errorf("integrate: saved group has %d bytes, want %d", len(data), 8*n)
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return v, nil
}
