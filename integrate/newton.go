// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// NewtonError says why Newton's method found no solution of the equation of an implicit
// step. It is the Err of a DivergenceError, which says of which particle.
type NewtonError struct {
	// Iterations is how many gradients were tried.
	Iterations int
	// Residual is by how much the best of them misses the equation; NaN or +Inf if the drift
	// was not finite to begin with.
	Residual float64
	// Singular says that the Jacobian could not be inverted there.
	Singular bool
}

// Error says what happened and what to do.
func (e *NewtonError) Error() string {
	why := "did not converge"
	if e.Singular {
		why = "met a singular Jacobian"
	}
	return fmt.Sprintf("Newton's method %s: after %d gradients the equation of the implicit step is off by %.3g; "+
		"take a smaller step: it has one solution where h Θ times the loss's most negative curvature is below 1", why, e.Iterations, e.Residual)
}

const (
	// newtonLimit is how many gradients Newton's method may take in a step, twice.
	newtonLimit = 100
	// newtonClose is the relative size of a correction after which the next would be lost in
	// rounding: the error falls as its square, or by 1e-8 with a Jacobian by differences.
	newtonClose = 1e-9
)

// newton solves the equation of an implicit step,
//
//	F(y) = y − r − c a(y, t) = 0
//
// for all particles of a batch, by Newton's method from where they are. A correction
// that does not make the largest |F_l| smaller is halved until it does. Where that leads
// nowhere and the drift is −∇L, F is the gradient of
//
//	φ(y) = ½|y − r|² + c L(y)
//
// which has a minimum if L is bounded below, and Newton's method is made to descend on
// φ: a multiple of I is added to the Jacobian until the correction goes down. The Jacobian I −
// c ∂a is I + cH with the Hessian of the loss if that has one and a = −∇L; otherwise it
// comes from forward differences of the drift, d more of them. Each iteration asks for
// the drift of those particles that are not done, in one batch.
type newton struct {
	s       *System
	c       float64
	loss    sde.Loss // nil unless the drift is −∇L
	hessian sde.Hessian

	active         []int     // rows of the particles that are not done
	trial, a, f, d sde.Batch // of these, in their order: trial points, drifts; by row: F and correction
	shifted, slope sde.Batch // for differences
	same           []int
	size, length   []float64 // by row: the largest |F_l|, and the fraction of the correction that is tried, 0 at first
	descends       []bool    // by row: on φ
	phi, fall      []float64 // by row: φ, and its derivative along the correction
	jacobian       lu
	failed         []NewtonError // by row; Iterations is 0 if it has not
}

func newNewton(s *System, c float64) *newton {
	batch := func() sde.Batch { return sde.NewBatch(s.Rows, s.State) }
	n := &newton{s: s, c: c, active: make([]int, 0, s.Rows), trial: batch(), a: batch(), f: batch(), d: batch(),
		size: make([]float64, s.Rows), length: make([]float64, s.Rows), descends: make([]bool, s.Rows),
		phi: make([]float64, s.Rows), fall: make([]float64, s.Rows), jacobian: newLU(s.State), failed: make([]NewtonError, s.Rows)}
	if s.autonomous() {
		n.loss = sde.LossOf(s.Equation)
		n.hessian, _ = n.loss.(sde.Hessian)
	}
	if n.hessian == nil {
		k := min(s.Rows, s.State)
		n.shifted, n.slope, n.same = sde.NewBatch(k, s.State), sde.NewBatch(k, s.State), make([]int, k)
	}
	return n
}

// drift stores a(x, t) into dst.
func (s *System) drift(dst, x sde.Batch, t float64) {
	if c := s.Slope(dst, x, t); c != 1 {
		n := dst.Rows * dst.Cols
		kernel.Scale(dst.Data[:n], c, dst.Data[:n])
	}
}

// autonomous reports whether the drift is −∇L, which does not depend on time.
func (s *System) autonomous() bool { return sde.LossOf(s.Equation) != nil && s.conversion == nil }

// solve takes each row of y to the solution for the row of r, from where it is, and to
// NaN if there is none to be found. If a is not empty it holds the drifts at y.
func (n *newton) solve(y, r, a sde.Batch, t float64) {
	s := n.s
	n.active = n.active[:0]
	for i := range y.Rows {
		n.active = append(n.active, i)
		n.failed[i] = NewtonError{}
		n.length[i], n.descends[i] = 0, false
	}
	copy(n.trial.Data, y.Data[:y.Rows*y.Cols])
	if a.Rows == 0 {
		s.drift(n.a.Slice(0, y.Rows), y, t)
	} else {
		copy(n.a.Data, a.Data[:y.Rows*y.Cols])
	}
	for k := 1; ; k++ {
		left := 0
		for j, i := range n.active {
			if n.look(y.Row(i), r.Row(i), i, j, k, t) {
				n.active[left] = i
				left++
			}
		}
		n.active = n.active[:left]
		if left == 0 {
			return
		}
		trial := n.trial.Slice(0, left)
		for j, i := range n.active {
			row, from, length := trial.Row(j), y.Row(i), n.length[i]
			for l, v := range n.d.Row(i) {
				row[l] = math.FMA(length, v, from[l])
			}
		}
		s.members = n.active
		s.drift(n.a.Slice(0, left), trial, t)
		s.members = nil
	}
}

// look takes in the drift at the trial point j of particle i, the k-th that it has had,
// and reports whether there is to be another.
func (n *newton) look(y, r []float64, i, j, k int, t float64) bool {
	trial, a, f, d := n.trial.Row(j), n.a.Row(j), n.f.Row(i), n.d.Row(i)
	for l, v := range trial {
		f[l] = v - r[l] - float64(n.c*a[l])
	}
	size := largest(f)
	switch {
	case k == 1 && !(size <= math.MaxFloat64):
		return n.fail(y, i, k, size, false)
	case size <= 0x1p-50*(largest(trial)+largest(r)+float64(n.c*largest(a))) && size <= math.MaxFloat64: // nothing but rounding
		copy(y, trial)
		return false
	case n.better(trial, r, i, size):
		copy(y, trial)
		n.size[i], n.length[i] = size, 1
		copy(d, f)
		switch ok := n.direction(d, trial, f, r, a, i, t); {
		case !ok && (n.descends[i] || n.loss == nil):
			return n.fail(y, i, k, size, true)
		case !ok:
			n.descend(d, i)
		case largest(d) <= newtonClose*largest(y):
			for l, v := range d {
				y[l] += v
			}
			return false
		}
	default:
		n.length[i] /= 2
	}
	if !n.descends[i] && n.loss != nil && (n.length[i] < 0x1p-10 || k == newtonLimit) {
		n.descend(d, i)
	}
	if k == newtonLimit && !n.descends[i] || k == 2*newtonLimit || 0 < n.length[i] && n.length[i] < 0x1p-40 {
		return n.fail(y, i, k, n.size[i], false)
	}
	return true
}

// descend begins to descend on φ from the best point that particle i has had.
func (n *newton) descend(d []float64, i int) {
	clear(d)
	n.length[i], n.descends[i] = 0, true
}

// better reports whether the trial point of particle i is to be its next.
func (n *newton) better(trial, r []float64, i int, size float64) bool {
	length := n.length[i]
	if !n.descends[i] {
		return length == 0 || size < (1-float64(0x1p-13*length))*n.size[i]
	}
	n.s.row = i
	phi := float64(n.c * n.loss.Value(trial))
	n.s.row = -1
	for l, v := range trial {
		phi += float64((v - r[l]) * (v - r[l]) / 2)
	}
	// Close to the minimum φ has nothing but rounding to tell.
	bound := n.phi[i] + float64(0x1p-13*length*n.fall[i])
	if length == 0 || phi < bound || phi <= n.phi[i]+float64(0x1p-50*math.Abs(n.phi[i])) && size < n.size[i] {
		n.phi[i] = phi
		return true
	}
	return false
}

// largest returns the largest |v_l|, NaN if there is one.
func largest(v []float64) float64 {
	var m float64
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

// fail gives particle i up.
func (n *newton) fail(y []float64, i, k int, size float64, singular bool) bool {
	n.failed[i] = NewtonError{Iterations: k, Residual: size, Singular: singular}
	for l := range y {
		y[l] = math.NaN()
	}
	return false
}

// direction replaces d, which is F at y, by Newton's correction −F′⁻¹F, and reports
// whether there is one. For a particle that descends on φ it goes down.
func (n *newton) direction(d, y, f, r, a []float64, i int, t float64) bool {
	m := n.jacobian.a
	shift := 0.0
	for range 64 {
		if n.hessian != nil {
			n.s.row = i
			n.hessian.Hessian(m, y)
			n.s.row = -1
			for l, v := range m {
				m[l] = n.c * v
			}
		} else {
			n.differences(y, r, a, i, t)
		}
		for l := range y {
			m[l*len(y)+l] += 1 + shift
		}
		if n.jacobian.factor() {
			n.jacobian.solve(d)
			for l, v := range d {
				d[l] = -v
			}
			if n.fall[i] = product(d, f); largest(d) <= math.MaxFloat64 && (!n.descends[i] || n.fall[i] < 0) {
				return true
			}
		}
		if !n.descends[i] {
			break
		}
		shift = float64(4*shift) + 1
		copy(d, f)
	}
	return false
}

// differences stores −c ∂a at y, where the drift is a.
func (n *newton) differences(y, r, a []float64, i int, t float64) {
	d := len(y)
	const relative = 0x1p-26
	scale, other := relative*largest(y), relative*(largest(r)+float64(n.c*largest(a)))
	if scale < relative*other { // y says nothing of the scale
		scale = other
	}
	m := n.jacobian.a
	for from := 0; from < d; from += n.shifted.Rows {
		x := n.shifted.Slice(0, min(n.shifted.Rows, d-from))
		for q := range x.Rows {
			row := x.Row(q)
			copy(row, y)
			row[from+q] += max(relative*math.Abs(y[from+q]), scale)
			n.same[q] = i
		}
		n.s.members = n.same[:x.Rows]
		n.s.drift(n.slope.Slice(0, x.Rows), x, t)
		n.s.members = nil
		for q := range x.Rows {
			l := from + q
			c := -n.c / (x.Row(q)[l] - y[l])
			for p, v := range n.slope.Row(q) {
				m[p*d+l] = c * (v - a[p])
			}
		}
	}
}

// Explain implements Explainer.
func (n *newton) Explain(i int) error {
	if n.failed[i].Iterations == 0 {
		return nil
	}
	e := n.failed[i]
	return &e
}
