// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// MullerBrown is the Müller–Brown surface of the plane, three minima in a bent
// valley:
//
//	L(x, y) = Σ_k A_k exp(a_k dx² + b_k dx dy + c_k dy²),   dx = x−X_k, dy = y−Y_k
//
//	k    A     a     b     c     X    Y
//	1  −200  −1     0   −10     1    0
//	2  −100  −1     0   −10     0    0.5
//	3  −170  −6.5  11    −6.5  −0.5  1.5
//	4    15   0.7   0.6   0.7  −1    1
//
// Its minima and the two saddles between them:
//
//	       x           y          L           eigenvalues of the Hessian
//	A   −0.558224   1.441726   −146.6995     410.53,  4068.20
//	B    0.623499   0.028038   −108.1667     543.84,  3005.40
//	C   −0.050011   0.466694    −80.7678     221.04,  1479.20
//	AC  −0.822002   0.624313    −40.6648    −750.86,   490.24
//	CB   0.212487   0.292988    −72.2489    −735.25,   510.89
//
// The fourth term grows like exp(0.7 r²), so exp(−L/T) can be normalised at any
// temperature, but an explicit scheme of a step above 2/4068 is unstable, and one
// of any step is, far out. A variant with a_4, b_4, c_4 negated is in circulation;
// it is bounded, and not this one.
//
// Exponents beyond ±693 are cut off there.
//
// K. Müller & L. D. Brown, 1979, Location of saddle points and minimum energy
// paths by a constrained simplex optimization procedure, Theoretica Chimica Acta
// 53, 75–93.
type MullerBrown struct{}

var (
	_ sde.Loss          = MullerBrown{}
	_ sde.BatchGradient = MullerBrown{}
	_ sde.Hessian       = MullerBrown{}
	_ sde.Laplacian     = MullerBrown{}
	_ sde.Curvature     = MullerBrown{}
	_ sde.Normalizable  = MullerBrown{}
	_ sde.Charted       = MullerBrown{}
)

var mullerBrown = []kernel.Gaussian2{
	{A: -200, A11: -1, A12: 0, A22: -10, X: 1, Y: 0},
	{A: -100, A11: -1, A12: 0, A22: -10, X: 0, Y: 0.5},
	{A: -170, A11: -6.5, A12: 11, A22: -6.5, X: -0.5, Y: 1.5},
	{A: 15, A11: 0.7, A12: 0.6, A22: 0.7, X: -1, Y: 1},
}

// Dim returns 2.
func (MullerBrown) Dim() int { return 2 }

// Value returns L. It panics if theta is not of length 2.
func (MullerBrown) Value(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	return kernel.Gaussians2Value(theta[0], theta[1], mullerBrown)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length 2.
func (MullerBrown) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 2)
	dst[0], dst[1] = kernel.Gaussians2One(theta[0], theta[1], mullerBrown)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches are not both of two columns and of as many rows.
func (MullerBrown) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 2)
	if to, ok := dst.Flat(); ok {
		if from, ok := x.Flat(); ok {
			kernel.Gaussians2(to, from, mullerBrown)
			return
		}
	}
	for i := 0; i < x.Rows; i++ {
		kernel.Gaussians2(dst.Row(i), x.Row(i), mullerBrown)
	}
}

// Hessian stores the 2×2 matrix of second derivatives into dst. It panics if dst
// is not of length 4 or theta not of length 2.
func (MullerBrown) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 2)
	var xx, xy, yy float64
	for i := range mullerBrown {
		g := &mullerBrown[i]
		dx, dy := theta[0]-g.X, theta[1]-g.Y
		e := kernel.Gaussians2Value(theta[0], theta[1], mullerBrown[i:i+1])
		// (p, q) is the gradient of the exponent.
		p := math.FMA(2*g.A11, dx, float64(g.A12*dy))
		q := math.FMA(2*g.A22, dy, float64(g.A12*dx))
		xx = math.FMA(e, math.FMA(p, p, 2*g.A11), xx)
		xy = math.FMA(e, math.FMA(p, q, g.A12), xy)
		yy = math.FMA(e, math.FMA(q, q, 2*g.A22), yy)
	}
	dst[0], dst[1], dst[2], dst[3] = xx, xy, xy, yy
}

// Laplacian returns ∂²L/∂x² + ∂²L/∂y². It panics if theta is not of length 2.
func (l MullerBrown) Laplacian(theta []float64) float64 {
	var h [4]float64
	l.Hessian(h[:], theta)
	return h[0] + h[3]
}

// Curvature returns 4068.2, the larger eigenvalue of the Hessian at the deepest
// minimum A, the largest of the three minima's.
func (MullerBrown) Curvature() float64 { return 4068.198955026486 }

// Normalizable reports whether temperature is above 0: the only term that does
// not vanish at infinity has a positive definite form and A > 0.
func (MullerBrown) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minima A, B and C and the saddles AC and CB between them.
func (MullerBrown) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{
		{Theta: []float64{-0.558223634633024277, 1.44172584180466866}, Value: -146.699517209954014, Index: 0},
		{Theta: []float64{0.62349940493087651, 0.0280377585286856657}, Value: -108.166724116852355, Index: 0},
		{Theta: []float64{-0.0500108229982060578, 0.466694104871972088}, Value: -80.7678181296590282, Index: 0},
		{Theta: []float64{-0.822001558732732097, 0.624312802814871361}, Value: -40.6648435086574043, Index: 1},
		{Theta: []float64{0.212486582000662007, 0.292988325107367765}, Value: -72.2489401123252115, Index: 1},
	}
}
