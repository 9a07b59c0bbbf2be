// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// ThreeHole is the three-hole potential of the plane, two deep minima and a shallow
// one above them, with a direct way from one deep minimum to the other and one by
// the shallow minimum:
//
//	L(x, y) = 3e^(−x²−(y−⅓)²) − 3e^(−x²−(y−5/3)²) − 5e^(−(x−1)²−y²) − 5e^(−(x+1)²−y²)
//	          + 0.2x⁴ + 0.2(y−⅓)⁴
//
// S. Park, M. Sener, D. Lu & K. Schulten, 2003, Reaction paths based on mean
// first-passage times, Journal of Chemical Physics 119, 1313, in the form of
// P. Metzner, C. Schütte & E. Vanden-Eijnden, 2006, Illustration of transition path
// theory on a collection of simple examples, Journal of Chemical Physics 125, 084110.
type ThreeHole struct{}

var (
	_ sde.Loss          = ThreeHole{}
	_ sde.BatchGradient = ThreeHole{}
	_ sde.Hessian       = ThreeHole{}
	_ sde.Laplacian     = ThreeHole{}
	_ sde.Curvature     = ThreeHole{}
	_ sde.Normalizable  = ThreeHole{}
	_ sde.Charted       = ThreeHole{}
)

// threeHole holds factor and centre of the Gaussians.
var threeHole = [4][3]float64{{3, 0, 1.0 / 3}, {-3, 0, 5.0 / 3}, {-5, 1, 0}, {-5, -1, 0}}

// Dim returns 2.
func (ThreeHole) Dim() int { return 2 }

// Value returns L. It panics if theta is not of length 2.
func (ThreeHole) Value(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	x, y := theta[0], theta[1]-1.0/3
	v := 0.2 * (float64(float64(x*x)*float64(x*x)) + float64(float64(y*y)*float64(y*y)))
	for _, g := range threeHole {
		dx, dy := theta[0]-g[1], theta[1]-g[2]
		v = math.FMA(g[0], kernel.Exp1(-math.FMA(dx, dx, float64(dy*dy))), v)
	}
	return v
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length 2.
func (ThreeHole) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 2)
	x, y := theta[0], theta[1]-1.0/3
	gx, gy := float64(0.8*x)*float64(x*x), float64(0.8*y)*float64(y*y)
	for _, g := range threeHole {
		dx, dy := theta[0]-g[1], theta[1]-g[2]
		e := float64(-2 * g[0] * kernel.Exp1(-math.FMA(dx, dx, float64(dy*dy))))
		gx, gy = math.FMA(e, dx, gx), math.FMA(e, dy, gy)
	}
	dst[0], dst[1] = gx, gy
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l ThreeHole) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 2)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the 2×2 matrix of second derivatives into dst. It panics if dst
// is not of length 4 or theta not of length 2.
func (ThreeHole) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 2)
	x, y := theta[0], theta[1]-1.0/3
	xx, xy, yy := float64(2.4*x)*x, 0.0, float64(2.4*y)*y
	for _, g := range threeHole {
		dx, dy := theta[0]-g[1], theta[1]-g[2]
		e := float64(2 * g[0] * kernel.Exp1(-math.FMA(dx, dx, float64(dy*dy))))
		xx = math.FMA(e, math.FMA(2*dx, dx, -1), xx)
		xy = math.FMA(e, float64(2*dx*dy), xy)
		yy = math.FMA(e, math.FMA(2*dy, dy, -1), yy)
	}
	dst[0], dst[1], dst[2], dst[3] = xx, xy, xy, yy
}

// Laplacian returns ∂²L/∂x² + ∂²L/∂y². It panics if theta is not of length 2.
func (l ThreeHole) Laplacian(theta []float64) float64 {
	var h [4]float64
	l.Hessian(h[:], theta)
	return h[0] + h[3]
}

// Curvature returns 13.56, the larger eigenvalue of the Hessian at the deep minima.
func (l ThreeHole) Curvature() float64 { return sharpest(l) }

// Normalizable reports whether temperature is above 0.
func (ThreeHole) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the two deep minima, the shallow one, the saddles between
// it and them, the saddle of the direct way, and the maximum.
func (ThreeHole) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{
		{Theta: []float64{-1.04805499282421948, -0.0420936663066778165}, Value: -3.99486060185426236, Index: 0},
		{Theta: []float64{1.04805499282421948, -0.0420936663066778165}, Value: -3.99486060185426236, Index: 0},
		{Theta: []float64{0, 1.53708200444946227}, Value: -2.17215362299432492, Index: 0},
		{Theta: []float64{-0.617272307876459761, 1.10273451750809632}, Value: -1.64668745347528905, Index: 1},
		{Theta: []float64{0.617272307876459761, 1.10273451750809632}, Value: -1.64668745347528905, Index: 1},
		{Theta: []float64{0, -0.315826550478138625}, Value: -1.3845866403984957, Index: 1},
		{Theta: []float64{0, 0.519186741892072747}, Value: -0.715229886981816253, Index: 2},
	}
}
