// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/sgflow/sgflow/sde"
)

// suiteAlpha bounds the probability that a correct library fails any statistical
// check of this package, for a random choice of its seeds. It is split evenly
// over checks.
const (
	suiteAlpha = 1e-6
	checks     = 96
	checkAlpha = suiteAlpha / checks
)

var counted struct {
	sync.Mutex
	n map[string]bool
}

// check counts a statistical assertion, so that no more are made than the level
// is split over.
func check(t *testing.T, name string) {
	t.Helper()
	counted.Lock()
	defer counted.Unlock()
	if counted.n == nil {
		counted.n = map[string]bool{}
	}
	counted.n[name] = true
	if len(counted.n) > checks {
		t.Fatalf("more than the %d checks that suiteAlpha is split over", checks)
	}
}

// accept fails the test if a hypothesis that holds is rejected.
func accept(t *testing.T, name string, p float64) {
	t.Helper()
	check(t, t.Name()+name)
	t.Logf("%s: p = %.3g", name, p)
	if !(p >= checkAlpha) {
		t.Errorf("%s: p = %.3g, below %.3g", name, p, checkAlpha)
	}
}

// reject fails the test if a planted fault is not found at the suite's level.
func reject(t *testing.T, name string, p float64) {
	t.Helper()
	t.Logf("%s: p = %.3g", name, p)
	if !(p < checkAlpha) {
		t.Errorf("%s: p = %.3g, the fault is not seen at %.3g", name, p, checkAlpha)
	}
}

// within fails the test unless |got − want| ≤ tol.
func within(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.16g, want %.16g ± %.2g (off by %.2g)", name, got, want, tol, got-want)
	}
}

// honest fails the test unless got is within its error estimate of want, give or
// take the digits that want was printed with.
func honest(t *testing.T, name string, got, want, estimate, printed float64) {
	t.Helper()
	within(t, name, got, want, estimate+printed)
}

// function is a loss in one dimension.
type function struct {
	value, slope func(x float64) float64
}

func (function) Dim() int                        { return 1 }
func (f function) Value(theta []float64) float64 { return f.value(theta[0]) }
func (f function) Gradient(dst, theta []float64) { dst[0] = f.slope(theta[0]) }

// doubleWell is (x²−1)²/4·scale.
type doubleWell struct{ scale float64 }

func (doubleWell) Dim() int { return 1 }
func (w doubleWell) Value(theta []float64) float64 {
	q := theta[0]*theta[0] - 1
	return w.scale * q * q / 4
}
func (w doubleWell) Gradient(dst, theta []float64) {
	x := theta[0]
	dst[0] = w.scale * x * (x*x - 1)
}
func (w doubleWell) Laplacian(theta []float64) float64 { return w.scale * (3*theta[0]*theta[0] - 1) }

var well = doubleWell{1}

// withHessian and bare offer other ways, or none, to ΔL.
type bare struct{ sde.Loss }
type withHessian struct{ sde.Loss }

func (w withHessian) Hessian(dst, theta []float64) { dst[0] = 3*theta[0]*theta[0] - 1 }

// quadratic is ½ Σ k_ij (θ−c)_i (θ−c)_j in two dimensions.
type quadratic struct{ k11, k12, k22, c1, c2 float64 }

func (quadratic) Dim() int { return 2 }
func (q quadratic) Value(theta []float64) float64 {
	x, y := theta[0]-q.c1, theta[1]-q.c2
	return (q.k11*x*x + 2*q.k12*x*y + q.k22*y*y) / 2
}
func (q quadratic) Gradient(dst, theta []float64) {
	x, y := theta[0]-q.c1, theta[1]-q.c2
	dst[0], dst[1] = q.k11*x+q.k12*y, q.k12*x+q.k22*y
}
func (q quadratic) Laplacian([]float64) float64 { return q.k11 + q.k22 }

// plane is a loss in two dimensions; its gradient is taken by differences.
type plane func(x, y float64) float64

func (plane) Dim() int                        { return 2 }
func (f plane) Value(theta []float64) float64 { return f(theta[0], theta[1]) }
func (f plane) Gradient(dst, theta []float64) {
	const h = 1e-5
	x, y := theta[0], theta[1]
	dst[0] = (f(x+h, y) - f(x-h, y)) / (2 * h)
	dst[1] = (f(x, y+h) - f(x, y-h)) / (2 * h)
}

func mullerBrown(x, y float64) float64 {
	s := 0.0
	for _, p := range [4][6]float64{{-200, -1, 0, -10, 1, 0}, {-100, -1, 0, -10, 0, 0.5}, {-170, -6.5, 11, -6.5, -0.5, 1.5}, {15, 0.7, 0.6, 0.7, -1, 1}} {
		u, v := x-p[4], y-p[5]
		s += p[0] * math.Exp(p[1]*u*u+p[2]*u*v+p[3]*v*v)
	}
	return s
}

// tall is a loss of any dimension that is never evaluated.
type tall int

func (d tall) Dim() int                    { return int(d) }
func (tall) Value([]float64) float64       { panic("evaluated") }
func (tall) Gradient(dst, theta []float64) { panic("evaluated") }

func interval(lo, hi float64) sde.Box { return sde.Box{Lo: []float64{lo}, Hi: []float64{hi}} }

func square(theta []float64) float64 { return theta[0] * theta[0] }

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprint("unexpected error: ", err))
	}
	return v
}
