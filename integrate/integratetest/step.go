// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// noise is what a step of one particle takes: normals of the increments, of this
// step and the next, of the areas, others, and a word.
type noise struct {
	z, next, u, normal []float64
	word               uint64
}

// stepper takes single steps with given noise.
type stepper struct {
	kernel integrate.Kernel
	stream *sde.Stream
	noise  noise
	calls  int // of Increments, in this step
	x      sde.Batch
	h      float64
}

// newStepper returns a stepper of one particle.
func newStepper(k integrate.Kernel, d int, h float64) *stepper {
	s := &stepper{kernel: k, x: sde.NewBatch(1, d), h: h}
	cycle := func(dst, v []float64) {
		for i := range dst {
			dst[i] = 0
			if len(v) > 0 {
				dst[i] = v[i%len(v)]
			}
		}
	}
	s.stream = sde.NewScriptedStream(sde.Script{
		Increments: func(dst []float64) { cycle(dst, s.noise.z) },
		Next:       func(dst []float64) { cycle(dst, s.noise.next) },
		Areas:      func(dst []float64) { cycle(dst, s.noise.u) },
		Normals:    func(dst []float64) { cycle(dst, s.noise.normal) },
		Words: func(dst []uint64) {
			for i := range dst {
				dst[i] = s.noise.word
			}
		},
	})
	return s
}

// step takes x through a step from time t into dst.
func (s *stepper) step(dst, x []float64, t float64, n noise) {
	s.noise = n
	copy(s.x.Data, x)
	// Away from the last place, so that a kernel that shares noise between
	// neighbouring steps takes this step's.
	s.calls += 2
	s.stream.At(sde.Steps, 0, s.calls)
	s.kernel.Step(s.x, t, s.stream)
	copy(dst, s.x.Data)
}

// rule is a quadrature rule for functions of one standard normal.
type rule struct{ x, w []float64 }

// hermite returns the Gauss–Hermite rule of n points.
func hermite(n int) rule {
	r := rule{make([]float64, n), make([]float64, n)}
	quad.Hermite{}.FixedLocations(r.x, r.w, math.Inf(-1), math.Inf(1))
	for i := range r.x {
		r.x[i] *= math.Sqrt2
		r.w[i] /= math.Sqrt(math.Pi)
	}
	return r
}

// threePoint represents normals that a scheme turns into variables of three points.
func threePoint() rule { return rule{[]float64{-2, 0, 2}, []float64{1. / 6, 2. / 3, 1. / 6}} }

// dependence says which numbers a step looks at.
type dependence struct {
	steps                 bool // constant between thresholds of z
	next, u, normal, word bool
}

// dependence probes a step at x.
func (s *stepper) dependence(x []float64, m int) dependence {
	at := func(n noise) []float64 {
		y := make([]float64, len(x))
		s.step(y, x, 0.3, n)
		return y
	}
	vec := func(v float64) []float64 {
		z := make([]float64, m)
		for i := range z {
			z[i] = v * (1 + 0.1*float64(i))
		}
		return z
	}
	same := func(a, b []float64) bool {
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}
	base := noise{z: vec(0.3), next: vec(0.3), u: vec(0.3)}
	y := at(base)
	n := base
	n.z, n.next = vec(0.4), vec(0.4)
	d := dependence{steps: same(y, at(n))}
	n = base
	n.next = vec(0.5)
	d.next = !same(y, at(n))
	n = base
	n.u = vec(0.5)
	d.u = !same(y, at(n))
	n = base
	n.normal = vec(0.5)
	d.normal = !same(y, at(n))
	n = base
	n.word = 1
	d.word = !same(y, at(n))
	return d
}

// rules returns the rules for z, next and u; those that the step does not look
// at have one point.
func (d dependence) rules(points int) (z, next, u rule) {
	one := rule{[]float64{0}, []float64{1}}
	z, next, u = hermite(points), one, one
	if d.steps {
		z = threePoint()
	}
	if d.next {
		next = z
	}
	if d.u {
		u = hermite(points)
	}
	return z, next, u
}

// each visits all nodes of a quadrature rule for a step of m components of noise, with
// their weights: increments, areas and words, and, for one component, other normals.
func (d dependence) each(m, points int, visit func(w float64, n noise)) {
	z, _, u := d.rules(points)
	normal, words := rule{[]float64{0}, []float64{1}}, 1
	if d.normal && m == 1 {
		normal = hermite(points)
	}
	if d.word {
		words = 1 << m
	}
	index := make([]int, 2*m)
	n := noise{z: make([]float64, m), u: make([]float64, m), normal: make([]float64, 1)}
	for {
		w := 1 / float64(words)
		for k := range m {
			n.z[k], n.u[k] = z.x[index[k]], u.x[index[m+k]]
			w *= z.w[index[k]] * u.w[index[m+k]]
		}
		for word := range words {
			n.word = uint64(word)
			for q, v := range normal.x {
				n.normal[0] = v
				visit(w*normal.w[q], n)
			}
		}
		k := 0
		for ; k < 2*m; k++ {
			index[k]++
			limit := len(z.x)
			if k >= m {
				limit = len(u.x)
			}
			if index[k] < limit {
				break
			}
			index[k] = 0
		}
		if k == 2*m {
			return
		}
	}
}
