// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// AdditiveRungeKutta is the stochastic Runge–Kutta scheme of a tableau, for
// additive noise g(t) that may depend on time. From the increment ΔW of a step and
// its space-time Lévy area H (sde.Stream.SpaceTime),
//
//	H_i = θ + h Σ_j A_ij a(H_j, t + c0_j h) + Σ_j g(t + c1_j h) (BW_ij ΔW + BH_ij H)
//	θ′  = θ + h Σ_i α_i a(H_i, t + c0_i h) + Σ_j g(t + c1_j h) (β1_j ΔW + β2_j (ΔW/2 + H))
//
// SRA1, SRA3 and ShARK are its instances. Rößler's tableaus, whose stages take
// B_ij ∫∫dW ds/h = B_ij (ΔW/2 + H), have BW = B/2 and BH = B. The strong order is
// 1.5 under the eight conditions
//
//	αe = 1, β1e = 1, β2e = 0, α·b = 1, α·Ae = ½, E(α·N²) = ½, β1·c1 = 1, β2·c1 = −1
//
// with N_i = Σ_j(BW_ij w + BH_ij η), Var w = 1, Var η = 1/12, and α·b = 1 meaning
// that α·N = w/2 + η.
//
// Source: Rößler, 2010, Runge–Kutta methods for the strong approximation of
// solutions of stochastic differential equations, § 6.3; in terms of (ΔW, H):
// Foster, dos Reis & Strange, 2024, High order splitting methods for SDEs
// satisfying a commutativity condition.
type AdditiveRungeKutta struct {
	// Name is what the scheme is called.
	Name string
	// Alpha, C0 and A are the weights, nodes and matrix of the drift's stages, C1
	// the nodes of the root, BW and BH the noise of a stage (a row each), Beta1
	// and Beta2 the noise of the step. Rows may be shorter than they are wide: what
	// is missing is 0.
	Alpha, C0    []float64
	A            [][]float64
	C1           []float64
	BW, BH       [][]float64
	Beta1, Beta2 []float64
	// Strong, Weak, Invariant and Stability are what the scheme states of itself.
	Strong, Weak, Invariant, Stability float64
}

var _ Scheme = AdditiveRungeKutta{}

// Properties returns what the tableau states, and an error unless the noise is additive.
func (r AdditiveRungeKutta) Properties(class sde.NoiseClass) (Properties, error) {
	if class < sde.Additive {
		return Properties{}, refusal(r.Name, fmt.Sprintf("%v noise, only additive", class), multiplicative(class, "SRIW1", "Milstein"))
	}
	p := Properties{Name: r.Name, Calculus: sde.Ito, Strong: r.Strong, Weak: r.Weak, Invariant: r.Invariant,
		Stability: r.Stability, Normals: 1}
	for i := range r.Alpha {
		if r.used(i) {
			p.Gradients++
		}
	}
	if r.areas() {
		p.Normals = 2
	}
	return p, nil
}

// multiplicative names the scheme to take for noise of a class below additive.
func multiplicative(class sde.NoiseClass, diagonal, otherwise string) string {
	if class == sde.Diagonal {
		return diagonal
	}
	return otherwise
}

// used reports whether the drift of stage i is looked at.
func (r *AdditiveRungeKutta) used(i int) bool {
	if r.Alpha[i] != 0 {
		return true
	}
	for j := range r.A {
		if entry(r.A, j, i) != 0 {
			return true
		}
	}
	return false
}

// areas reports whether the scheme looks at the space-time areas.
func (r *AdditiveRungeKutta) areas() bool {
	for i := range r.BH {
		for _, b := range r.BH[i] {
			if b != 0 {
				return true
			}
		}
	}
	for _, b := range r.Beta2 {
		if b != 0 {
			return true
		}
	}
	return false
}

// entry returns an element of a matrix whose rows may be short, element one of
// a vector that may be.
func entry(m [][]float64, i, j int) float64 {
	if i < len(m) {
		return element(m[i], j)
	}
	return 0
}

func element(v []float64, i int) float64 {
	if i < len(v) {
		return v[i]
	}
	return 0
}

// halves returns the matrix divided by 2: Rößler's B for BW.
func halves(b [][]float64) [][]float64 {
	w := make([][]float64, len(b))
	for i, row := range b {
		for _, v := range row {
			w[i] = append(w[i], v/2)
		}
	}
	return w
}

// Validate returns an error that names the first part of the tableau that is wrong.
func (r AdditiveRungeKutta) Validate() error {
	bad := func(field string, want string) error {
		return invalid("AdditiveRungeKutta."+field, r.Name, want, sde.ErrDimension)
	}
	n := len(r.Alpha)
	if n == 0 {
		return bad("Alpha", "a weight for each stage")
	}
	if len(r.C0) > n || len(r.A) > n || len(r.BW) > n || len(r.BH) > n {
		return bad("C0, A, BW, BH", fmt.Sprintf("at most %d rows, one a stage", n))
	}
	for i := range r.A {
		if len(r.A[i]) > i {
			return bad(fmt.Sprintf("A[%d]", i), "an explicit scheme, whose rows end before the diagonal")
		}
	}
	if len(r.C1) == 0 {
		return bad("C1", "a node for the root")
	}
	for _, m := range [2][][]float64{r.BW, r.BH} {
		for _, row := range m {
			if len(row) > len(r.C1) {
				return bad("BW, BH", "rows no longer than C1")
			}
		}
	}
	if len(r.Beta1) > len(r.C1) || len(r.Beta2) > len(r.C1) {
		return bad("Beta1, Beta2", "vectors no longer than C1")
	}
	return nil
}

// Bind returns the scheme's kernel for a system.
func (r AdditiveRungeKutta) Bind(s *System) (Kernel, error) { return r.bind(s, nil) }

// bind is Bind with another law of the increments: law replaces the unit normals.
func (r AdditiveRungeKutta) bind(s *System, law func(z []float64)) (Kernel, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	stages, nodes := len(r.Alpha), len(r.C1)
	k := &additiveRungeKutta{r: r, s: s, law: law, y: sde.NewBatch(s.Rows, s.State), f: make([]sde.Batch, stages),
		h: make([]float64, stages), sum: newCombination(stages + 2*nodes), scale: make([]float64, nodes)}
	for i := range k.f {
		if r.used(i) {
			k.f[i] = sde.NewBatch(s.Rows, s.State)
		}
	}
	if s.Noise == 0 {
		return k, nil
	}
	if s.Class == sde.Constant {
		k.collapse()
		nodes = 1
	}
	k.z = make([]float64, s.Rows*s.Noise)
	if k.r.areas() {
		k.u = make([]float64, s.Rows*s.Noise)
	}
	if _, ok := s.Isotropic(0); !ok {
		k.gz, k.gu = make([]sde.Batch, nodes), make([]sde.Batch, nodes)
		for j := range k.gz {
			k.gz[j] = sde.NewBatch(s.Rows, s.State)
			if k.u != nil {
				k.gu[j] = sde.NewBatch(s.Rows, s.State)
			}
		}
	}
	return k, nil
}

type additiveRungeKutta struct {
	r      AdditiveRungeKutta
	s      *System
	law    func(z []float64)
	y      sde.Batch
	f      []sde.Batch // slopes of the stages
	h      []float64   // what takes them to h a
	z, u   []float64
	gz, gu []sde.Batch // g z and g u at each node, unless g is isotropic
	scale  []float64   // g at each node, if it is
	sum    combination
}

// collapse adds up what falls on different nodes of a root that is constant.
func (k *additiveRungeKutta) collapse() {
	total := func(v []float64) []float64 {
		var s float64
		for _, b := range v {
			s += b
		}
		if math.Abs(s) < 1e-15 {
			s = 0 // of β2, but for rounding
		}
		return []float64{s}
	}
	rows := func(m [][]float64) [][]float64 {
		c := make([][]float64, len(m))
		for i := range m {
			c[i] = total(m[i])
		}
		return c
	}
	r := &k.r
	r.BW, r.BH, r.Beta1, r.Beta2, r.C1 = rows(r.BW), rows(r.BH), total(r.Beta1), total(r.Beta2), []float64{0}
	k.scale = k.scale[:1]
}

func (k *additiveRungeKutta) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, r, n := k.s, &k.r, x.Rows*x.Cols
	theta := x.Data[:n]
	if s.Noise > 0 {
		k.draw(x, t, stream)
	}
	for i := range r.Alpha {
		if k.f[i].Data == nil {
			continue
		}
		at := x
		k.sum.reset()
		for j := range i {
			if a := entry(r.A, i, j); a != 0 {
				k.sum.add(a*k.h[j], k.f[j].Data)
			}
		}
		k.noise(func(j int) (w, h float64) { return entry(r.BW, i, j), entry(r.BH, i, j) })
		if len(k.sum.c) > 0 {
			at = k.y.Slice(0, x.Rows)
			copy(at.Data[:n], theta)
			k.sum.addTo(at.Data[:n])
		}
		k.h[i] = s.Step * s.Slope(k.f[i].Slice(0, x.Rows), at, t+float64(element(r.C0, i)*s.Step))
	}
	k.sum.reset()
	for i, a := range r.Alpha {
		if a != 0 {
			k.sum.add(a*k.h[i], k.f[i].Data)
		}
	}
	k.noise(func(j int) (w, h float64) {
		b := element(r.Beta2, j)
		return element(r.Beta1, j) + float64(b/2), b
	})
	k.sum.addTo(theta)
}

// draw takes the numbers of a step and the root at each node.
func (k *additiveRungeKutta) draw(x sde.Batch, t float64, stream *sde.Stream) {
	s := k.s
	m := x.Rows * s.Noise
	z := k.z[:m]
	if k.u == nil {
		stream.Increments(z)
	} else {
		stream.SpaceTime(z, k.u[:m])
	}
	if k.law != nil {
		k.law(z)
	}
	for j, c := range k.r.C1 {
		at := t + float64(c*s.Step)
		if k.gz == nil {
			k.scale[j], _ = s.Isotropic(at)
			continue
		}
		s.Spread(k.gz[j].Slice(0, x.Rows), x, at, z)
		if k.u != nil {
			s.Spread(k.gu[j].Slice(0, x.Rows), x, at, k.u[:m])
		}
	}
}

// noise adds Σ_j g_j (w_j ΔW + h_j H) to the combination.
func (k *additiveRungeKutta) noise(weights func(j int) (w, h float64)) {
	if k.s.Noise == 0 {
		return
	}
	sqrtH := math.Sqrt(k.s.Step)
	var cz, cu float64
	for j := range k.r.C1 {
		w, h := weights(j)
		w, h = w*sqrtH, h*sqrtH/sqrt12
		if k.gz != nil {
			k.sum.add(w, k.gz[j].Data)
			if k.u != nil {
				k.sum.add(h, k.gu[j].Data)
			}
			continue
		}
		cz += float64(w * k.scale[j])
		cu += float64(h * k.scale[j])
	}
	if k.gz == nil {
		k.sum.add(cz, k.z)
		if k.u != nil {
			k.sum.add(cu, k.u)
		}
	}
}

const sqrt12 = 3.4641016151377544 // √12
