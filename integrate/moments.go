// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Moments observes the mean and the full covariance of the state, pooled over
// particles and observation times, or of features of it. Each block's mean and
// products are merged into its group's by the update of Chan, Golub & LeVeque
// (1979, Updating formulae and a pairwise algorithm for computing sample
// variances), products taken about the group's mean, so that nothing cancels. Its memory is (p+1)² numbers for each of p
// features and each group.
type Moments struct {
	// Dim is the number of features, 0 for the state itself.
	Dim int
	// Features, if it is not nil, stores the features of the rows of x into the
	// rows of dst, of Dim columns. It is called from many goroutines.
	Features func(dst, x sde.Batch)

	p      int
	groups []momentGroup
}

type momentGroup struct {
	n        float64
	mean, m2 []float64 // m2 is p×p: Σ (x−mean)(x−mean)ᵀ, upper triangle
	block    sde.Batch // of features
	centred  []float64 // a block's columns, one after the other
	delta    []float64
}

var (
	_ sde.Observer   = (*Moments)(nil)
	_ sde.GroupSaver = (*Moments)(nil)
)

// Start refuses features without a dimension, and the reverse.
func (m *Moments) Start(r sde.Run) error {
	if m.Dim < 0 || (m.Dim == 0) != (m.Features == nil) {
		return invalid("Moments.Dim", m.Dim, "the number of Features, or 0 and no Features for the state itself", nil)
	}
	m.p = m.Dim
	if m.Features == nil {
		m.p = r.Dim
	}
	m.groups = make([]momentGroup, r.Groups)
	for g := range m.groups {
		m.groups[g].mean, m.groups[g].m2 = make([]float64, m.p), make([]float64, m.p*m.p)
		m.groups[g].delta = make([]float64, m.p)
	}
	return nil
}

// Observe merges a block. A feature that is not finite is an error.
func (m *Moments) Observe(s sde.Sample) error {
	if s.X.Rows == 0 {
		return nil
	}
	a, p := &m.groups[s.Group], m.p
	x := s.X
	if m.Features != nil {
		if a.block.Rows < x.Rows {
			a.block = sde.NewBatch(x.Rows, p)
		}
		x = a.block.Slice(0, x.Rows)
		m.Features(x, s.X)
		if !kernel.AllFinite(x.Data[:x.Rows*p]) {
			return notFinite(x, s)
		}
	}
	if x.Cols != p {
		panic("integrate: moments of a batch of another dimension")
	}
	n := float64(x.Rows)
	if flat, ok := x.Flat(); ok && p == 1 {
		mean := kernel.Sum(flat) / n
		a.merge1(n, mean, kernel.SumSquares(flat, mean))
		return nil
	}
	a.mergeColumns(x)
	return nil
}

// notFinite returns the error that names the first feature which is not finite.
func notFinite(features sde.Batch, s sde.Sample) error {
	for i := 0; i < features.Rows; i++ {
		for j, v := range features.Row(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("feature %d of particle %d is %v", j, s.Particle(i), v)
			}
		}
	}
	return nil
}

// merge1 merges n numbers of a mean and a sum of squares about it.
func (a *momentGroup) merge1(n, mean, m2 float64) {
	all := a.n + n
	d := mean - a.mean[0]
	a.m2[0] += m2 + float64(float64(d*d)*(float64(a.n*n)/all))
	a.mean[0] += float64(d * (n / all))
	a.n = all
}

// mergeColumns merges a batch of several columns: its sums of products about the
// group's mean until then, or about the first row, are moved to the new mean.
func (a *momentGroup) mergeColumns(x sde.Batch) {
	p, rows := x.Cols, x.Rows
	if cap(a.centred) < rows*p {
		a.centred = make([]float64, rows*p)
	}
	if a.n == 0 {
		copy(a.mean, x.Row(0))
	}
	n := float64(rows)
	all := a.n + n
	columns := a.centred[:rows*p]
	for j := range p {
		c, mean := columns[j*rows:(j+1)*rows], a.mean[j]
		k := j
		for i := range c {
			c[i] = x.Data[k] - mean
			k += x.Stride
		}
		a.delta[j] = kernel.Sum(c) / n
	}
	weight := float64(n*n) / all
	for j := range p {
		for k := j; k < p; k++ {
			moved := float64(float64(a.delta[j]*a.delta[k]) * weight)
			a.m2[j*p+k] += kernel.Dot(columns[j*rows:(j+1)*rows], columns[k*rows:(k+1)*rows]) - moved
		}
	}
	for j, d := range a.delta {
		a.mean[j] += float64(d * (n / all))
	}
	a.n = all
}

// Dims returns the number of features.
func (m *Moments) Dims() int { return m.p }

// Samples returns how many states were observed.
func (m *Moments) Samples() int64 { return int64(total(m.counts())) }

// Mean returns the mean of feature j and its standard error.
func (m *Moments) Mean(j int) sde.Estimate {
	sums, counts := make([]float64, len(m.groups)), m.counts()
	for g := range m.groups {
		sums[g] = m.groups[g].n * m.groups[g].mean[j]
	}
	v, se, n := groups.Mean(sums, counts)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

// Covariance returns the covariance of features j and k about their means over
// all samples, normalised by the number of samples, and its standard error.
func (m *Moments) Covariance(j, k int) sde.Estimate {
	if j > k {
		j, k = k, j
	}
	mj, mk := m.Mean(j).Value, m.Mean(k).Value
	sums, counts := make([]float64, len(m.groups)), m.counts()
	for g := range m.groups {
		if a := &m.groups[g]; a.n > 0 {
			sums[g] = a.m2[j*m.p+k] + float64(float64(a.n*(a.mean[j]-mj))*(a.mean[k]-mk))
		}
	}
	v, se, n := groups.Mean(sums, counts)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

// Variance returns the variance of feature j and its standard error.
func (m *Moments) Variance(j int) sde.Estimate { return m.Covariance(j, j) }

// SecondMoment returns E x_j x_k and its standard error.
func (m *Moments) SecondMoment(j, k int) sde.Estimate {
	if j > k {
		j, k = k, j
	}
	sums := make([]float64, len(m.groups))
	for g := range m.groups {
		a := &m.groups[g]
		sums[g] = a.m2[j*m.p+k] + float64(float64(a.n*a.mean[j])*a.mean[k])
	}
	v, se, n := groups.Mean(sums, m.counts())
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

func (m *Moments) counts() []float64 {
	c := make([]float64, len(m.groups))
	for g := range c {
		c[g] = m.groups[g].n
	}
	return c
}

// AppendGroup implements sde.GroupSaver.
func (m *Moments) AppendGroup(dst []byte, g int) []byte {
	a := &m.groups[g]
	return appendFloats(appendFloats(appendFloats(dst, a.n), a.mean...), a.m2...)
}

// LoadGroup implements sde.GroupSaver.
func (m *Moments) LoadGroup(g int, data []byte) error {
	v, err := loadFloats(data, 1+m.p+m.p*m.p)
	if err != nil {
		return err
	}
	if !(v[0] >= 0) || math.IsInf(v[0], 1) {
		return fmt.Errorf("integrate: saved moments of %v samples", v[0])
	}
	a := &m.groups[g]
	a.n = v[0]
	copy(a.mean, v[1:])
	copy(a.m2, v[1+m.p:])
	return nil
}
