// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// cauchyExit returns the mean time in which the chain X′ = (1−h)X + εhC, C Cauchy's,
// leaves (−1, 1) from 0, from its kernel by the midpoint rule.
func cauchyExit(epsilon, h float64) float64 {
	const n = 700
	w, scale := 2./n, epsilon*h
	x := func(i int) float64 { return -1 + (float64(i)+0.5)*w }
	k := func(from, to float64) float64 {
		z := (to - (1-h)*from) / scale
		return w / (math.Pi * scale * (1 + z*z))
	}
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		for j := range n {
			a.Set(i, j, -k(x(i), x(j)))
		}
		a.Set(i, i, 1+a.At(i, i))
		b.SetVec(i, h)
	}
	var m mat.VecDense
	if err := m.SolveVec(a, b); err != nil {
		panic(err)
	}
	t := h
	for j := range n {
		t += k(0, x(j)) * m.AtVec(j)
	}
	return t
}

// TestLevyExit: exits by jumps take as long as the chain's kernel says, which agrees with the
// asymptotic formula to order ε.
func TestLevyExit(t *testing.T) {
	if testing.Short() {
		t.Skip("a second of dense solves")
	}
	const epsilon, h = 0.1, 0.2
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}, Diffusion: noise.Stable{Alpha: 1, Scale: epsilon}}, Scheme: integrate.StableEuler{},
		Step: h, Particles: 8192, Seed: 41}
	f := &integrate.FirstPassage{Target: sde.Complement{Of: sde.Box{Lo: []float64{-1}, Hi: []float64{1}}}}
	r := passages(t, e, 400, f)
	firsts(t, f, e.Particles)
	exact := cauchyExit(epsilon, h)
	z := (r.Average.Value - exact) / r.Average.StdErr
	accept(t, "exit by jumps", e.Seed, z, normalP(z))
	wrong := cauchyExit(1.1*epsilon, h)
	z = (r.Average.Value - wrong) / r.Average.StdErr
	reject(t, "exit by jumps of another scale", e.Seed, z, normalP(z))
	for _, s := range []float64{0.16, 0.08, 0.04} {
		p, err := stationary.LevyExit{Alpha: 1, Scale: s, Left: 1, Right: 1}.Predict()
		if err != nil {
			t.Fatal(err)
		}
		off := cauchyExit(s, 2.5*s)/p.Time - 1
		t.Logf("ε = %g, h = %g: %.3g off the formula", s, 2.5*s, off)
		if !(math.Abs(off) < s) {
			t.Errorf("ε = %g: %.3g off a formula of order ε", s, off)
		}
	}
}
