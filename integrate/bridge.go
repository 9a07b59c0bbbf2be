// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// bridge is the Brownian path of one particle within one step, refined where it is
// looked at. Node k of level l, from 0, is the piece of length h = H/2^l that
// starts at kh. Its increment ΔW = √h z and space-time area H = √(h/12) u are a
// function of the place alone: those of level 0 are the step's, and the halves of a
// node are, with two normals n and e that belong to it,
//
//	z′, z″ = (z ± (√3/2 u + ½ n))/√2,   u′, u″ = √2 (¼ u − √3/4 n ± ½ e)
//
// the law of the halves given the whole. So nothing is ever drawn again: a step that
// was rejected is taken in halves on the path it was rejected on.
//
// Source: Foster, Lyons & Oberhauser, 2020, An optimal polynomial approximation of
// Brownian motion; the law written out from its moments.
type bridge struct {
	m      int
	levels int // the deepest
	stream *sde.Stream
	key    [2]uint64
	known  int         // the deepest level that has a node
	node   []int64     // the one that is known at each level
	z, u   [][]float64 // of those
	drawn  []int64     // the one whose normals are known at each level, −1 for none
	normal [][]float64 // n and e of those
}

// maxLevels is how often a step can be halved.
const maxLevels = 40

func newBridge(m, levels int) *bridge {
	b := &bridge{m: m, levels: levels, node: make([]int64, levels+1), z: make([][]float64, levels+1), u: make([][]float64, levels+1), drawn: make([]int64, levels+1), normal: make([][]float64, levels+1)}
	for l := range b.z {
		b.z[l], b.u[l] = make([]float64, m), make([]float64, m)
		b.normal[l] = make([]float64, 2*m)
	}
	return b
}

// start begins the path of a particle whose step has the increment z and the area u.
func (b *bridge) start(stream *sde.Stream, key [2]uint64, z, u []float64) {
	b.stream, b.key = stream, key
	b.known, b.node[0], b.drawn[0] = 0, 0, -1
	copy(b.z[0], z)
	copy(b.u[0], u)
}

// at returns the increment and the area of node k of a level. They are valid until
// the next call.
func (b *bridge) at(level int, k int64) (z, u []float64) {
	l := min(level, b.known)
	for b.node[l] != k>>(level-l) {
		l--
	}
	for ; l < level; l++ {
		b.halve(l, k>>(level-l-1))
		b.known = l + 1
	}
	return b.z[level], b.u[level]
}

// halve sets node k of the level below l from its parent.
func (b *bridge) halve(l int, k int64) {
	if b.drawn[l] != b.node[l] {
		b.stream.Node(b.normal[l], b.key, 1<<l|uint64(b.node[l]))
		b.drawn[l] = b.node[l]
	}
	n, e := b.normal[l][:b.m], b.normal[l][b.m:]
	sign := 1 - 2*float64(k&1)
	z, u := b.z[l+1], b.u[l+1]
	for j, v := range b.u[l] {
		half := math.FMA(sqrt3/2, v, n[j]/2)
		z[j] = (b.z[l][j] + float64(sign*half)) * (1 / math.Sqrt2)
		u[j] = (math.FMA(-sqrt3/4, n[j], v/4) + float64(sign*e[j])/2) * math.Sqrt2
	}
	b.node[l+1], b.drawn[l+1] = k, -1
}

const sqrt3 = 1.7320508075688772 // √3

// levelOf returns the first level whose steps are at most a fraction of the whole;
// more than maxLevels if that is not positive or no number.
func levelOf(fraction float64) int {
	if fraction >= 1 {
		return 0
	}
	if !(fraction > 0) {
		return maxLevels + 1
	}
	_, e := math.Frexp(fraction) // fraction = f 2^e, ½ ≤ f < 1
	if l := 1 - e; l <= maxLevels {
		return l
	}
	return maxLevels + 1
}

// levelsOf checks the floor of a scheme's steps and returns the deepest level for it.
func levelsOf(scheme string, floor, step float64, standard int) (int, error) {
	if floor == 0 {
		return standard, nil
	}
	if !(floor > 0) || floor > step || floor < step/(1<<maxLevels) {
		return 0, invalid(scheme+".Floor", floor, fmt.Sprintf("a step of at most Ensemble.Step = %g and at least 2^−%d of it, or 0 for 2^−%d", step, maxLevels, standard), nil)
	}
	_, e := math.Frexp(step / floor)
	return e - 1, nil
}

// FloorError reports a particle that needed a step below a scheme's floor. It is the
// Err of the DivergenceError that says which particle it was.
type FloorError struct {
	Time  float64   // within the ensemble's step
	State []float64 // of the particle then
	Need  float64   // the step it would have taken next
	Floor float64
}

// Error names time, state and steps.
func (e *FloorError) Error() string {
	return fmt.Sprintf("at time %.9g and %.6g it needs a step of %.3g, below the floor of %.3g", e.Time, e.State, e.Need, e.Floor)
}

// floors collects the particles of a step that went under the floor.
type floors struct {
	errs []FloorError // by row
	hit  []bool
}

func newFloors(rows, d int) floors {
	f := floors{make([]FloorError, rows), make([]bool, rows)}
	for i := range f.errs {
		f.errs[i].State = make([]float64, d)
	}
	return f
}

// fail marks row i.
func (f *floors) fail(i int, x, at []float64, t, need, floor float64) {
	e := &f.errs[i]
	e.Time, e.Need, e.Floor = t, need, floor
	copy(e.State, at)
	f.hit[i] = true
	x[0] = math.NaN()
}

// Explain implements Explainer.
func (f *floors) Explain(i int) error {
	if !f.hit[i] {
		return nil
	}
	e := f.errs[i]
	e.State = append([]float64(nil), e.State...)
	return &e
}
