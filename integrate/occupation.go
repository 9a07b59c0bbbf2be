// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/sde"
)

// Occupation observes how much of the time is spent in each region of a partition,
// such as the basins of minima, pooled over particles and observation times. Its
// memory is a number for each region and group.
type Occupation struct {
	Regions sde.Partition

	counts [][]float64 // by region, the last being none, and group
	total  []float64
}

var (
	_ sde.Observer   = (*Occupation)(nil)
	_ sde.GroupSaver = (*Occupation)(nil)
)

// Start refuses a partition that is nil, empty or not for the run's dimension.
func (o *Occupation) Start(r sde.Run) error {
	if err := checkPartition("Occupation.Regions", o.Regions, r.Dim); err != nil {
		return err
	}
	o.counts, o.total = make([][]float64, o.Regions.Len()+1), make([]float64, r.Groups)
	for k := range o.counts {
		o.counts[k] = make([]float64, r.Groups)
	}
	return nil
}

func checkPartition(field string, p sde.Partition, dim int) error {
	if p == nil {
		return invalid(field, nil, "a partition, such as sde.Basins or sde.Sets", nil)
	}
	if n := p.Len(); n < 1 || n > maxRegions {
		return invalid(field, fmt.Sprintf("%d regions", n), fmt.Sprintf("1 to %d", maxRegions), nil)
	}
	if v, ok := p.(interface{ Validate(dim int) error }); ok {
		return v.Validate(dim)
	}
	return nil
}

// maxRegions is how many regions fit what is kept of a particle.
const maxRegions = 1 << 15

// Observe counts where particles are.
func (o *Occupation) Observe(s sde.Sample) error {
	for i := range s.X.Rows {
		k := o.Regions.Index(s.X.Row(i))
		if k < 0 {
			k = len(o.counts) - 1
		}
		o.counts[k][s.Group]++
	}
	o.total[s.Group] += float64(s.X.Rows)
	return nil
}

// Share returns the share of the time spent in region i; that spent in none is
// that of −1. It panics if there is no such region.
func (o *Occupation) Share(i int) sde.Estimate {
	if i == -1 {
		i = len(o.counts) - 1
	}
	v, se, n := groups.Mean(o.counts[i], o.total)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

// Mean returns the mean of a number that each region has, over the time spent in
// any: with the curvature of each minimum it says whether flat or sharp ones are
// preferred. It panics if there are not as many values as regions.
func (o *Occupation) Mean(values []float64) sde.Estimate {
	if len(values) != len(o.counts)-1 {
		panic("integrate: as many values as regions are needed")
	}
	sums, weights := make([]float64, len(o.total)), make([]float64, len(o.total))
	for k, v := range values {
		for g, c := range o.counts[k] {
			sums[g] += float64(v * c)
			weights[g] += c
		}
	}
	v, se, n := groups.Mean(sums, weights)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

// AppendGroup implements sde.GroupSaver.
func (o *Occupation) AppendGroup(dst []byte, g int) []byte {
	dst = appendFloats(dst, o.total[g])
	for _, c := range o.counts {
		dst = appendFloats(dst, c[g])
	}
	return dst
}

// LoadGroup implements sde.GroupSaver.
func (o *Occupation) LoadGroup(g int, data []byte) error {
	v, err := loadFloats(data, 1+len(o.counts))
	if err != nil {
		return err
	}
	o.total[g] = v[0]
	for k := range o.counts {
		o.counts[k][g] = v[1+k]
	}
	return nil
}
