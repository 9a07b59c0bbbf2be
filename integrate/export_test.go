// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// Redrawing is Adaptive with a planted fault: the noise of a step that is taken back is
// drawn again.
type Redrawing struct{ Adaptive }

func (r Redrawing) Bind(s *System) (Kernel, error) {
	k, err := r.Adaptive.Bind(s)
	if err != nil {
		return nil, err
	}
	a := k.(*adaptive)
	a.rejected = func(level int) {
		b := a.bridge
		b.key[0]++
		fresh := make([]float64, 2*b.m)
		b.stream.Node(fresh, b.key, 0)
		copy(b.z[level], fresh)
		copy(b.u[level], fresh[b.m:])
		b.known, b.drawn[level] = level, -1
	}
	return k, nil
}

// Leaves returns increments and areas of the nodes of a level, one component, in order.
func Leaves(stream *sde.Stream, z, u float64, level int) (zs, us []float64) {
	b := newBridge(1, level)
	b.start(stream, [2]uint64{1, 2}, []float64{z}, []float64{u})
	for k := range int64(1) << level {
		z, u := b.at(level, k)
		zs, us = append(zs, z[0]), append(us, u[0])
	}
	return zs, us
}
