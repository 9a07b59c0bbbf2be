// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// DiagonalRungeKutta is the stochastic Runge–Kutta scheme of a tableau, for
// diagonal noise or noise of a single component, in Itô's calculus. With g the
// diagonal, or the column, of the root,
//
//	H0_i = θ + h Σ_j A0_ij a(H0_j, t + c0_j h) + Σ_j B0_ij g(H1_j, t + c1_j h) I_10/h
//	H1_i = θ + h Σ_j A1_ij a(H0_j, t + c0_j h) + √h Σ_j B1_ij g(H1_j, t + c1_j h)
//	θ′   = θ + h Σ_i α_i a(H0_i, t + c0_i h)
//	         + Σ_i (β1_i I_1 + β2_i I_11/√h + β3_i I_10/h + β4_i I_111/h) g(H1_i, t + c1_i h)
//
// and I_1 = ΔW, I_11 = (ΔW²−h)/2, I_111 = (ΔW³−3hΔW)/6, I_10 = h(ΔW/2 + H), each
// component of diagonal noise with its own. SRIW1 and SRIW2 are its instances.
//
// Source: Rößler, 2010, Runge–Kutta methods for the strong approximation of
// solutions of stochastic differential equations, § 6.1–6.2, with 25 conditions
// for the strong order 1.5.
type DiagonalRungeKutta struct {
	// Name is what the scheme is called.
	Name string
	// The coefficients, named as in the formula. Rows of matrices may be shorter
	// than they are wide: what is missing is 0.
	Alpha, C0, C1              []float64
	A0, B0, A1, B1             [][]float64
	Beta1, Beta2, Beta3, Beta4 []float64
	// Additive is the scheme that serves additive noise, whose root need not be
	// diagonal; it must be set.
	Additive AdditiveRungeKutta
	// Strong, Weak, Invariant and Stability are what the scheme states of itself.
	Strong, Weak, Invariant, Stability float64
}

var _ Scheme = DiagonalRungeKutta{}

// Properties returns what the tableau states, and an error for general noise.
// Commutative noise is served if it has one component, which Bind checks.
func (r DiagonalRungeKutta) Properties(class sde.NoiseClass) (Properties, error) {
	if class >= sde.Additive {
		p, err := r.Additive.Properties(class)
		p.Name = r.Name
		return p, err
	}
	if class == sde.General {
		return Properties{}, refusal(r.Name, "general noise, only scalar, diagonal and additive", "Milstein, or RI6 for weak order 2")
	}
	p := Properties{Name: r.Name, Calculus: sde.Ito, Strong: r.Strong, Weak: r.Weak, Invariant: r.Invariant, Stability: r.Stability, Normals: 2}
	for i := range r.Alpha {
		if r.slopeAt(i) {
			p.Gradients++
		}
	}
	return p, nil
}

// slopeAt reports whether stage i has a slope of its own that is looked at.
func (r *DiagonalRungeKutta) slopeAt(i int) bool {
	if i == 0 || r.atStart(i) {
		return i == 0
	}
	used := r.Alpha[i] != 0
	for j := range r.Alpha {
		used = used || entry(r.A0, j, i) != 0 || entry(r.A1, j, i) != 0
	}
	return used
}

// atStart reports whether H0_i is θ at time t.
func (r *DiagonalRungeKutta) atStart(i int) bool {
	if element(r.C0, i) != 0 {
		return false
	}
	for j := range r.Alpha {
		if entry(r.A0, i, j) != 0 || entry(r.B0, i, j) != 0 {
			return false
		}
	}
	return true
}

// Bind returns the scheme's kernel for a system.
func (r DiagonalRungeKutta) Bind(s *System) (Kernel, error) {
	if s.Noise == 0 || s.Class >= sde.Additive {
		return r.Additive.Bind(s)
	}
	if s.Class != sde.Diagonal && s.Noise != 1 {
		return nil, refuse(r.Name, fmt.Sprintf("commutative noise of %d components, only of one", s.Noise), "Milstein")
	}
	n := len(r.Alpha)
	if n == 0 || len(r.A0) > n || len(r.B0) > n || len(r.A1) > n || len(r.B1) > n {
		return nil, invalid("DiagonalRungeKutta.Alpha", r.Alpha, "a weight for each stage", sde.ErrDimension)
	}
	batch := func() sde.Batch { return sde.NewBatch(s.Rows, s.State) }
	k := &diagonalRungeKutta{r: r, s: s, y: batch(), product: batch(), f: make([]sde.Batch, n), g: make([]sde.Batch, n), h: make([]float64, n),
		z: make([]float64, s.Rows*s.Noise), u: make([]float64, s.Rows*s.Noise), sum: newCombination(2 * n)}
	for i := range n {
		if r.slopeAt(i) {
			k.f[i] = batch()
		}
		k.g[i] = batch()
	}
	return k, nil
}

type diagonalRungeKutta struct {
	r          DiagonalRungeKutta
	s          *System
	y, product sde.Batch
	f, g       []sde.Batch
	h          []float64
	z, u       []float64
	sum        combination
}

func (k *diagonalRungeKutta) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, r, rows, n := k.s, &k.r, x.Rows, x.Rows*x.Cols
	z, u := k.z[:rows*s.Noise], k.u[:rows*s.Noise]
	stream.SpaceTime(z, u)
	y := k.y.Slice(0, rows)
	sqrtH := math.Sqrt(s.Step)
	for i := range r.Alpha {
		if k.f[i].Data != nil {
			at := x
			if i > 0 {
				at = y
				copy(y.Data[:n], x.Data[:n])
				k.slopes(r.A0, i)
				k.sum.addTo(y.Data[:n])
				k.sum.reset()
				for j := range i {
					k.sum.add(entry(r.B0, i, j), k.g[j].Data)
				}
				if len(k.sum.c) > 0 {
					// I_10/h multiplies the sum of all roots.
					p := k.product.Data[:n]
					clear(p)
					k.sum.addTo(p)
					k.spread(y, p, z, u, 0, 0, 1, 0)
				}
			}
			k.h[i] = s.Step * s.Slope(k.f[i].Slice(0, rows), at, t+float64(element(r.C0, i)*s.Step))
		}
		at := x
		k.slopes(r.A1, i)
		for j := range i {
			k.sum.add(sqrtH*entry(r.B1, i, j), k.g[j].Data)
		}
		if len(k.sum.c) > 0 {
			at = y
			copy(y.Data[:n], x.Data[:n])
			k.sum.addTo(y.Data[:n])
		}
		s.vector(k.g[i].Slice(0, rows), at, t+float64(element(r.C1, i)*s.Step))
	}
	k.sum.reset()
	for i, a := range r.Alpha {
		if a != 0 {
			k.sum.add(a*k.h[k.stage(i)], k.f[k.stage(i)].Data)
		}
	}
	k.sum.addTo(x.Data[:n])
	for i := range r.Alpha {
		k.spread(x, k.g[i].Data[:n], z, u, element(r.Beta1, i), element(r.Beta2, i), element(r.Beta3, i), element(r.Beta4, i))
	}
}

// stage returns where the slope of stage i is kept.
func (k *diagonalRungeKutta) stage(i int) int {
	if k.f[i].Data == nil {
		return 0
	}
	return i
}

// slopes sets the combination to h Σ_j a_ij a(H0_j).
func (k *diagonalRungeKutta) slopes(a [][]float64, i int) {
	k.sum.reset()
	for j := range i {
		if v := entry(a, i, j); v != 0 {
			k.sum.add(v*k.h[k.stage(j)], k.f[k.stage(j)].Data)
		}
	}
}

// spread adds g times a combination of the step's four integrals to x:
//
//	√h (c1 z + c2 (z²−1)/2 + c3 (z/2 + u/√12) + c4 (z³−3z)/6)
func (k *diagonalRungeKutta) spread(x sde.Batch, g, z, u []float64, c1, c2, c3, c4 float64) {
	h := math.Sqrt(k.s.Step)
	// As a polynomial in z.
	p0, p1, p2, p3, q := -h*c2/2, h*(c1+float64(c3/2)-float64(c4/2)), h*c2/2, h*c4/6, h*c3/sqrt12
	y := x.Data[:len(g)]
	if len(z) == len(y) {
		z, u = z[:len(g)], u[:len(g)]
		for i, b := range g {
			v := z[i]
			w := math.FMA(v, math.FMA(v, math.FMA(v, p3, p2), p1), math.FMA(q, u[i], p0))
			y[i] = math.FMA(b, w, y[i])
		}
		return
	}
	d := x.Cols
	for i, v := range z {
		w := math.FMA(v, math.FMA(v, math.FMA(v, p3, p2), p1), math.FMA(q, u[i], p0))
		for j := i * d; j < (i+1)*d; j++ {
			y[j] = math.FMA(g[j], w, y[j])
		}
	}
}

// vector stores the diagonal of a diagonal root, or the only column of another,
// at each particle into dst.
func (s *System) vector(dst, x sde.Batch, t float64) {
	for i := 0; i < x.Rows; i++ {
		s.row = i
		if s.diagonal != nil {
			s.diagonal(dst.Row(i), x.Row(i), t)
		} else {
			s.diffusion.Root(dst.Row(i), x.Row(i), t)
		}
	}
	s.row = -1
}
