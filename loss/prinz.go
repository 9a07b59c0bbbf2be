// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Prinz is a one-dimensional landscape of four wells, a standard of the literature on
// Markov state models:
//
//	L(x) = 4(x⁸ + 0.8 e^(−80x²) + 0.2 e^(−80(x−½)²) + ½ e^(−40(x+½)²))
//
//	minima    −0.739430   −0.223738    0.269149    0.673296
//	values     0.559380    0.152811    0.021104    0.241322
//	barriers  −0.501598   −0.000007    0.502009
//	values     2.015825    3.200091    0.815876
//
// J.-H. Prinz et al., 2011, Markov models of molecular kinetics: generation and
// validation, Journal of Chemical Physics 134, 174105, eq. 17.
type Prinz struct{}

var (
	_ sde.Loss          = Prinz{}
	_ sde.BatchGradient = Prinz{}
	_ sde.Hessian       = Prinz{}
	_ sde.Laplacian     = Prinz{}
	_ sde.Curvature     = Prinz{}
	_ sde.Normalizable  = Prinz{}
	_ sde.Charted       = Prinz{}
)

// Dim returns 1.
func (Prinz) Dim() int { return 1 }

// bumps returns the three exponentials at x.
func (Prinz) bumps(x float64) (a, b, c float64) {
	return kernel.Exp1(-80 * float64(x*x)), kernel.Exp1(-80 * float64((x-0.5)*(x-0.5))), kernel.Exp1(-40 * float64((x+0.5)*(x+0.5)))
}

// Value returns L. It panics if theta is not of length 1.
func (l Prinz) Value(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	x := theta[0]
	a, b, c := l.bumps(x)
	x2 := float64(x * x)
	x4 := float64(x2 * x2)
	return math.FMA(4*x4, x4, math.FMA(3.2, a, math.FMA(0.8, b, 2*c)))
}

// Gradient stores L′ into dst. It panics if dst or theta is not of length 1.
func (l Prinz) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 1)
	x := theta[0]
	a, b, c := l.bumps(x)
	x2 := float64(x * x)
	x3 := float64(x2 * x)
	s := math.FMA(float64(-512*x), a, math.FMA(float64(-128*(x-0.5)), b, float64(-160*(x+0.5))*c))
	dst[0] = math.FMA(32*x3, float64(x2*x2), s)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Prinz) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 1)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores L″ into dst. It panics if dst or theta is not of length 1.
func (l Prinz) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 1)
	dst[0] = l.Laplacian(theta)
}

// Laplacian returns L″. It panics if theta is not of length 1.
func (l Prinz) Laplacian(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	x := theta[0]
	a, b, c := l.bumps(x)
	x2 := float64(x * x)
	u, v := x-0.5, x+0.5
	s := math.FMA(512*a, math.FMA(160*x, x, -1), math.FMA(128*b, math.FMA(160*u, u, -1), float64(160*c)*math.FMA(80*v, v, -1)))
	return math.FMA(224*x2, float64(x2*x2), s)
}

// Curvature returns 104.03, that of the minimum at −0.2237.
func (l Prinz) Curvature() float64 { return sharpest(l) }

// Normalizable reports whether temperature is above 0.
func (Prinz) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the four minima and the three barriers between them.
func (Prinz) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{
		{Theta: []float64{0.269149351318972064}, Value: 0.0211038015578026088, Index: 0},
		{Theta: []float64{-0.22373757819512757}, Value: 0.15281100172071317, Index: 0},
		{Theta: []float64{0.673296354777569656}, Value: 0.241322261851630782, Index: 0},
		{Theta: []float64{-0.739430178160663576}, Value: 0.559379772441205572, Index: 0},
		{Theta: []float64{0.502009381316457427}, Value: 0.815876108324588235, Index: 1},
		{Theta: []float64{-0.501597952433583204}, Value: 2.01582472540225785, Index: 1},
		{Theta: []float64{-7.0953944444896007e-6}, Value: 3.20009081439319608, Index: 1},
	}
}
