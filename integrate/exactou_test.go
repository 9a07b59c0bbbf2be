// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// ouCase is a quadratic with constant noise.
type ouCase struct {
	name    string
	hessian *mat.SymDense
	center  []float64
	root    *mat.Dense
}

func ouCases() []ouCase {
	full := mat.NewSymDense(3, []float64{2, 0.7, -0.3, 0.7, 1, 0.4, -0.3, 0.4, 1.5})
	square := mat.NewDense(3, 3, []float64{0.9, 0.1, 0, 0.4, -0.2, 0.3, 0, 0.5, 0.8})
	return []ouCase{
		{"full", full, []float64{1, -2, 0.5}, square},
		{"fewer components than coordinates", full, []float64{0, 0, 0}, mat.NewDense(3, 1, []float64{0.5, -1, 0.2})},
		{"more components than coordinates", full, []float64{0, 1, 0}, mat.NewDense(3, 4, []float64{0.5, -1, 0.2, 0.3, 0, 0.4, 0, 1, 0.1, 0, -0.3, 0})},
		{"a Hessian that is singular and has a negative eigenvalue", mat.NewSymDense(3, []float64{1, 1, 0, 1, 1, 0, 0, 0, -0.5}), []float64{0, 0, 1}, square},
		{"diagonal", mat.NewSymDense(3, []float64{2, 0, 0, 0, 0.1, 0, 0, 0, 0}), []float64{3, 0, 1}, mat.NewDense(3, 3, []float64{0.5, 0, 0, 0, -1, 0, 0, 0, 2})},
		{"a quadratic of different scales", mat.NewSymDense(2, []float64{300, 40, 40, 6}), []float64{0, 0}, mat.NewDense(2, 2, []float64{1, 0, 0.5, 0.2})},
	}
}

// step returns the linear map of a step of a scheme with two normals for a component, M
// and R of x′ = c + M(x−c) + R z, columns found one by one; of R those of Stream.Normals are last.
func (c ouCase) step(t *testing.T, scheme integrate.Scheme, h float64) (m, r *mat.Dense) {
	t.Helper()
	d, components := c.root.Dims()
	l, err := loss.NewQuadratic(c.hessian, c.center)
	if err != nil {
		t.Fatal(err)
	}
	diffusion, err := noise.NewRoot(c.root)
	if err != nil {
		t.Fatal(err)
	}
	k, err := scheme.Bind(integrate.NewSystem(sde.Flow{Loss: l, Diffusion: diffusion}, sde.Ito, h, 1))
	if err != nil {
		t.Fatal(err)
	}
	at := func(start []float64, unit int) []float64 {
		fill := func(dst []float64, from int) {
			clear(dst)
			if i := unit - from; 0 <= i && i < len(dst) {
				dst[i] = 1
			}
		}
		stream := sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) { fill(dst, 0) }, Normals: func(dst []float64) { fill(dst, components) }})
		x := sde.NewBatch(1, d)
		copy(x.Data, start)
		stream.At(sde.Steps, 0, 0)
		k.Step(x, 0, stream)
		for i := range x.Data {
			x.Data[i] -= c.center[i]
		}
		return x.Data
	}
	width := max(d, components)
	m, r = mat.NewDense(d, d, nil), mat.NewDense(d, width, nil)
	for i, v := range at(c.center, -1) {
		if v != 0 {
			t.Errorf("%s: the centre's coordinate %d moves by %g", c.name, i, v)
		}
	}
	for j := range d {
		start := append([]float64(nil), c.center...)
		start[j]++
		m.SetCol(j, at(start, -1))
	}
	for j := range width {
		r.SetCol(j, at(c.center, j))
	}
	return m, r
}

// vanLoan returns e^(−hH) and ∫₀ʰ e^(−sH) BBᵀ e^(−sH) ds by a block exponential over
// h/2ⁿ, doubled n times.
func (c ouCase) vanLoan(h float64) (decay, covariance *mat.Dense) {
	d, _ := c.root.Dims()
	n := max(0, int(math.Ceil(math.Log2(h*mat.Norm(c.hessian, 2))))+1)
	small := math.Ldexp(h, -n)
	block, bb := mat.NewDense(2*d, 2*d, nil), mat.NewDense(d, d, nil)
	bb.Mul(c.root, c.root.T())
	for i := range d {
		for j := range d {
			block.Set(i, j, small*c.hessian.At(i, j))
			block.Set(i, d+j, small*bb.At(i, j))
			block.Set(d+i, d+j, -small*c.hessian.At(i, j))
		}
	}
	var e mat.Dense
	e.Exp(block)
	decay, covariance = mat.DenseCopyOf(e.Slice(d, 2*d, d, 2*d)), new(mat.Dense)
	covariance.Mul(decay, e.Slice(0, d, d, 2*d))
	for range n {
		var carried, twice mat.Dense
		carried.Product(decay, covariance, decay.T())
		covariance.Add(covariance, &carried)
		twice.Mul(decay, decay)
		decay.Copy(&twice)
	}
	return decay, covariance
}

// TestExactOU holds the map of a step and the covariance of its noise to the block
// exponential of Van Loan (1978), for steps of any length.
func TestExactOU(t *testing.T) {
	for _, c := range ouCases() {
		for _, h := range []float64{1e-6, 0.03, 1, 7} {
			m, r := c.step(t, integrate.ExactOU{}, h)
			decay, covariance := c.vanLoan(h)
			off := func(r *mat.Dense) float64 {
				var s mat.Dense
				s.Mul(r, r.T())
				s.Sub(&s, covariance)
				return mat.Norm(&s, 2) / mat.Norm(covariance, 2)
			}
			m.Sub(m, decay)
			if e := mat.Norm(m, 2); !(e < 1e-12*(1+mat.Norm(decay, 2))) {
				t.Errorf("%s, h = %g: e^(−hH) is off by %.3g", c.name, h, e)
			}
			if e := off(r); !(e < 1e-12) {
				t.Errorf("%s, h = %g: the covariance of a step is off by %.3g of it", c.name, h, e)
			}
			// The planted fault: the noise of Euler–Maruyama.
			var euler mat.Dense
			euler.Scale(math.Sqrt(h), c.root)
			if e := off(&euler); h > 0.01 && e < 1e-3 {
				t.Errorf("planted fault not found: %s, h = %g: √h B is off by %.3g only", c.name, h, e)
			}
		}
	}
}

// TestExactOUStrongOrder: of two steps of h/2 and of one of h on the same Brownian path
// the mean square difference is of order h³, which makes strong order 1; with the columns
// of the root exchanged, which changes no law, it is of order h.
func TestExactOUStrongOrder(t *testing.T) {
	for _, c := range ouCases() {
		d, components := c.root.Dims()
		apart := func(h float64, exchanged bool) float64 {
			_, one := c.step(t, integrate.ExactOU{}, h)
			m, r := c.step(t, integrate.ExactOU{}, h/2)
			var e float64
			for i := range d {
				for j := range components {
					k := j
					if exchanged {
						k = components - 1 - j
					}
					var early float64
					for l := range d {
						early += m.At(i, l) * r.At(l, j)
					}
					coarse := one.At(i, k) / math.Sqrt2
					e += (early-coarse)*(early-coarse) + (r.At(i, j)-coarse)*(r.At(i, j)-coarse)
				}
			}
			return e
		}
		h := 0.01 / mat.Norm(c.hessian, 2)
		if order := math.Log2(apart(h, false) / apart(h/2, false)); !(math.Abs(order-3) < 0.1) {
			t.Errorf("%s: the mean square of the local error is of order %.3f, want 3", c.name, order)
		}
		if components > 1 {
			if order := math.Log2(apart(h, true) / apart(h/2, true)); order > 1.5 {
				t.Errorf("planted fault not found: %s: exchanged columns leave the order %.3f", c.name, order)
			}
		}
	}
}
