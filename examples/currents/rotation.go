// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// rotation is an observer of how a stationary process goes round: of the antisymmetric part
// of its covariance with itself some time before,
//
//	½ E(x(0) y(t) − y(0) x(t))
//
// which vanishes at every t in equilibrium, where a film of it may run backwards.
type rotation struct {
	run    sde.Run
	before []sde.Batch // by block, at the first observation
	sums   [][]float64 // by index and group
	counts [][]float64
	times  []float64
}

// Start makes room for the first states.
func (r *rotation) Start(run sde.Run) error {
	if run.Dim != 2 {
		return fmt.Errorf("a rotation in %d dimensions", run.Dim)
	}
	*r = rotation{run: run, before: make([]sde.Batch, run.Particles)}
	r.sums, r.counts = make([][]float64, run.Observations), make([][]float64, run.Observations)
	r.times = make([]float64, run.Observations)
	for k := range r.sums {
		r.sums[k], r.counts[k] = make([]float64, run.Groups), make([]float64, run.Groups)
		r.times[k] = float64(k) * run.Every
	}
	return nil
}

// Observe compares a block with what it was at first.
func (r *rotation) Observe(s sde.Sample) error {
	if s.Index == 0 {
		r.before[s.First] = sde.NewBatch(s.X.Rows, 2)
		r.before[s.First].CopyFrom(s.X)
	}
	before := r.before[s.First]
	for i := range s.X.Rows {
		a, b := before.Row(i), s.X.Row(i)
		r.sums[s.Index][s.Group] += (a[0]*b[1] - a[1]*b[0]) / 2
		r.counts[s.Index][s.Group]++
	}
	return nil
}

// at returns the estimate at an observation.
func (r *rotation) at(k int) (value, stderr float64) {
	var total, n, squares, groups float64
	for g, c := range r.counts[k] {
		total, n = total+r.sums[k][g], n+c
	}
	value = total / n
	for g, c := range r.counts[k] {
		if c > 0 {
			d := r.sums[k][g] - value*c
			squares += d * d
			groups++
		}
	}
	return value, math.Sqrt(squares*groups/(groups-1)) / n
}
