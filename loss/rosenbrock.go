// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Rosenbrock is the bent valley of Rosenbrock in D coordinates:
//
//	L(θ) = Σ_{i<D} 100 (θ_{i+1} − θ_i²)² + (1 − θ_i)²
//
// Its global minimum is (1, …, 1), of value 0. From D = 4 on there is another minimum, of a
// value near 4, that goes to (−1, 1, …, 1) as D grows, and a saddle between the two.
//
// H. H. Rosenbrock, 1960, An automatic method for finding the greatest or least value
// of a function, Computer Journal 3, 175–184. Y.-W. Shang & Y.-H. Qiu, 2006, A note on the
// extended Rosenbrock function, Evolutionary Computation 14, 119–126, for the other minimum.
type Rosenbrock struct {
	D int // dimension, 2 or more; 0 means 2
}

var (
	_ sde.Loss          = Rosenbrock{}
	_ sde.BatchGradient = Rosenbrock{}
	_ sde.Hessian       = Rosenbrock{}
	_ sde.Laplacian     = Rosenbrock{}
	_ sde.Normalizable  = Rosenbrock{}
	_ sde.Charted       = Rosenbrock{}
)

// Validate returns an error if D is out of range.
func (l Rosenbrock) Validate() error { return checkD("Rosenbrock", l.D, 2, 2) }

// Dim returns D.
func (l Rosenbrock) Dim() int { return dimOr(l.D, 2) }

// Value returns L. It panics if theta is not of length D.
func (l Rosenbrock) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for i, x := range theta[:len(theta)-1] {
		r := math.FMA(-x, x, theta[i+1])
		s = math.FMA(100*r, r, math.FMA(1-x, 1-x, s))
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Rosenbrock) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	last := 0.0 // of the term before
	for i, x := range theta[:len(theta)-1] {
		r := math.FMA(-x, x, theta[i+1])
		dst[i] = math.FMA(float64(-400*x), r, math.FMA(2, x-1, last))
		last = 200 * r
	}
	dst[len(dst)-1] = last
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Rosenbrock) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l Rosenbrock) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	for i, x := range theta[:d-1] {
		dst[i*d+i] += math.FMA(1200*x, x, math.FMA(-400, theta[i+1], 2))
		dst[i*d+i+1], dst[(i+1)*d+i] = -400*x, -400*x
		dst[(i+1)*d+i+1] += 200
	}
}

// Laplacian returns Σ_{i<D} (1200θ_i² − 400θ_{i+1} + 202). It panics if theta is not
// of length D.
func (l Rosenbrock) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for i, x := range theta[:len(theta)-1] {
		s += math.FMA(1200*x, x, math.FMA(-400, theta[i+1], 202))
	}
	return s
}

// Normalizable reports whether temperature is above 0.
func (Rosenbrock) Normalizable(temperature float64) bool { return temperature > 0 }

// rosenbrock holds, for D from 4 to 7, the minimum that is not global, then the saddle.
var rosenbrock = [][2]sde.CriticalPoint{
	{
		{Theta: []float64{-0.77565922656535236, 0.61309336548504312, 0.38206284633839271, 0.1459720185521943}, Value: 3.7014286104300171, Index: 0},
		{Theta: []float64{-0.65612463571944601, 0.44312004097157254, 0.20431224822836447, 0.041743494776128827}, Value: 3.7082419966472613, Index: 1},
	},
	{
		{Theta: []float64{-0.96205102069475013, 0.93573939597670996, 0.88071360419432054, 0.77787767585440637, 0.60509367859265284}, Value: 3.9308394341330279, Index: 0},
		{Theta: []float64{-0.55746831589884882, 0.32474004283377628, 0.11656732144533993, 0.023354396464298224, 0.00054542783421162536}, Value: 4.657371428200574, Index: 1},
	},
	{
		{Theta: []float64{-0.98657497957099372, 0.98339822883618178, 0.97210667005309193, 0.947437436826436, 0.89865118485172968, 0.8075739520354176}, Value: 3.9739405009302948, Index: 0},
		{Theta: []float64{-0.55541972717903232, 0.32249327429744495, 0.11520700409890448, 0.023502770405030748, 0.01044790120466494, 0.00010915863958243911}, Value: 5.6463839665879503, Index: 1},
	},
	{
		{Theta: []float64{-0.9917225725614055, 0.9935553935033713, 0.99217332159469207, 0.98689876269031396, 0.97516475660887303, 0.95143198270499263, 0.90522281771395352}, Value: 3.9836005364248543, Index: 0},
		{Theta: []float64{-0.55537697676058884, 0.32244648022243272, 0.11517879975265277, 0.023506126928869411, 0.010656973479399591, 0.01001343671657488, 0.00010026891487684989}, Value: 6.6362625075600192, Index: 1},
	},
}

// CriticalPoints returns the minimum for D ≤ 3, where it is the only critical point, that, the
// other one and the saddle between them for D ≤ 7, and nil beyond.
func (l Rosenbrock) CriticalPoints() []sde.CriticalPoint {
	d := l.Dim()
	if d > 7 {
		return nil
	}
	theta := make([]float64, d)
	for i := range theta {
		theta[i] = 1
	}
	all := []sde.CriticalPoint{{Theta: theta, Value: 0, Index: 0}}
	if d > 3 {
		all = append(all, rosenbrock[d-4][:]...)
	}
	return all
}
