// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// QuadraticVariance returns the variance of x under the stationary law that a scheme has
// with steps of h on
//
//	dX = −kX dt + √(2T) dW
//
// exact but for rounding: a step is linear there, r′ = M r + V z of a particle's row and
// of the increment that it shares with the next step, and the covariance S of both
// solves S = M S Mᵀ + V Vᵀ. It is +Inf if the scheme is not stable. It returns an error
// if the scheme does not serve constant noise, or ErrNotLinear if a step is not, as where
// steps are accepted or adapted.
func QuadraticVariance(scheme Scheme, k, temperature, h float64) (variance float64, err error) {
	defer func() {
		if v := recover(); v != nil {
			variance, err = math.NaN(), fmt.Errorf("integrate: a step on a quadratic panics: %v", v)
		}
	}()
	p, err := scheme.Properties(sde.Constant)
	if err != nil {
		return math.NaN(), err
	}
	kernel, err := scheme.Bind(NewSystem(sde.Flow{Loss: parabola{k}, Diffusion: warmth{temperature}}, p.Calculus, h, 1))
	if err != nil {
		return math.NaN(), err
	}
	width := 1
	if a, ok := scheme.(Augmented); ok {
		width = a.Width(1)
	}
	m, v, err := linearStep(kernel, width)
	if err != nil {
		return math.NaN(), err
	}
	// Doubling: S ← S + P S Pᵀ, P ← P².
	var s, power, next mat.Dense
	s.Mul(v, v.T())
	power.CloneFrom(m)
	for range 64 {
		next.Product(&power, &s, power.T())
		s.Add(&s, &next)
		next.Mul(&power, &power)
		power.Copy(&next)
		if mat.Norm(&power, 2) < 0x1p-60 {
			return s.At(0, 0), nil
		}
		next.Reset()
	}
	return math.Inf(1), nil
}

// ErrNotLinear is the error of QuadraticVariance for a step that is not linear.
var ErrNotLinear = errors.New("integrate: the step is not linear in the state and the noise")

// linearStep returns M and V of a step in one dimension on rows of some width, behind
// which is the increment of the next step.
func linearStep(kernel Kernel, width int) (m, v *mat.Dense, err error) {
	var z [4]float64 // of this step and the next, of the area, and all others
	fill := func(i int) func(dst []float64) {
		return func(dst []float64) {
			for j := range dst {
				dst[j] = z[i]
			}
		}
	}
	stream := sde.NewScriptedStream(sde.Script{Increments: fill(0), Next: fill(1), Areas: fill(2), Normals: fill(3)})
	x, steps := sde.NewBatch(1, width), 0
	step := func(from []float64, normals [4]float64) []float64 {
		copy(x.Data, from)
		z = normals
		steps += 2 // not the one after the last, whose increment a kernel may hold
		stream.At(sde.Steps, 0, steps)
		kernel.Step(x, 0, stream)
		return x.Data
	}
	zero := make([]float64, width)
	// Schemes of three-point variables take √3 for a normal of 2.
	large := 2.0
	probe := slices.Clone(step(zero, [4]float64{0.3}))
	if slices.Equal(probe, step(zero, [4]float64{0.4})) {
		large = math.Sqrt(3)
	}
	scales := [4]float64{large, large, 2, 2}
	m, v = mat.NewDense(width+1, width+1, nil), mat.NewDense(width+1, 3, nil)
	center := slices.Clone(step(zero, [4]float64{}))
	unit := make([]float64, width)
	for j := range unit {
		clear(unit)
		unit[j] = 1
		for i, y := range step(unit, [4]float64{}) {
			m.Set(i, j, y-center[i])
		}
	}
	want := slices.Clone(center)
	for q, scale := range scales {
		var normals [4]float64
		normals[q] = 2
		for i, y := range step(zero, normals) {
			b := (y - center[i]) / scale
			if q == 0 {
				m.Set(i, width, b)
			} else {
				v.Set(i, q-1, b)
			}
			want[i] += float64(b * scale)
		}
	}
	v.Set(width, 0, 1)
	for j := range unit {
		unit[j] = 3
		for i := range want {
			want[i] += float64(3 * m.At(i, j))
		}
	}
	for i, y := range step(unit, [4]float64{2, 2, 2, 2}) {
		if !(math.Abs(y-want[i]) <= 1e-11*(1+math.Abs(want[i]))) {
			return nil, nil, ErrNotLinear
		}
	}
	return m, v, nil
}

// parabola is L = kx²/2.
type parabola struct{ k float64 }

func (parabola) Dim() int                          { return 1 }
func (l parabola) Value(theta []float64) float64   { return l.k * theta[0] * theta[0] / 2 }
func (l parabola) Gradient(dst, theta []float64)   { dst[0] = l.k * theta[0] }
func (l parabola) Hessian(dst, _ []float64)        { dst[0] = l.k }
func (l parabola) Harmonic() (h, center []float64) { return []float64{l.k}, []float64{0} }

// warmth is a temperature.
type warmth struct{ t float64 }

func (warmth) Dims() (state, noise int)           { return 0, 0 }
func (warmth) Class() sde.NoiseClass              { return sde.Constant }
func (n warmth) Temperature(float64) float64      { return n.t }
func (n warmth) Root(dst, _ []float64, _ float64) { dst[0] = math.Sqrt(2 * n.t) }
