// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// suiteAlpha bounds the probability that any statistical check of this package
// fails although the code is right. It is split over maxChecks, which TestMain
// holds to be no fewer than were made.
const (
	suiteAlpha = 1e-6
	maxChecks  = 500
	alpha      = suiteAlpha / maxChecks
)

var (
	seedShift = flag.Uint64("seed", 0, "added to the seed of every statistical test")
	update    = flag.Bool("update", false, "print the golden values instead of comparing them")
	checks    atomic.Int64
)

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(streamingChild) != "" {
		if err := streaming(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if n := checks.Load(); n > maxChecks && flag.Lookup("test.count").Value.String() == "1" {
		fmt.Printf("FAIL: %d statistical checks, but alpha is split over %d\n", n, maxChecks)
		code = 1
	}
	os.Exit(code)
}

// accept fails the test if p is too small to come from right code.
func accept(t *testing.T, what string, seed uint64, statistic, p float64) {
	t.Helper()
	checks.Add(1)
	if !(p >= alpha) {
		t.Errorf("%s: seed %d: statistic %.8g, p = %.3g, below %.3g", what, seed, statistic, p, alpha)
	}
}

// reject fails the test if a planted fault is not found.
func reject(t *testing.T, what string, seed uint64, statistic, p float64) {
	t.Helper()
	checks.Add(1)
	if !(p < alpha) {
		t.Errorf("planted fault not found: %s: seed %d: statistic %.8g, p = %.3g, not below %.3g", what, seed, statistic, p, alpha)
	}
}

// normalP is the two-sided p-value of a standard normal.
func normalP(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// studentP is the two-sided p-value of Student's t.
func studentP(x, dof float64) float64 {
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: dof}.CDF(-math.Abs(x))
}

// chiSquaredP is the two-sided p-value of χ².
func chiSquaredP(x, dof float64) float64 {
	c := distuv.ChiSquared{K: dof}
	return min(1, 2*min(c.CDF(x), c.Survival(x)))
}

// estimateP is the p-value of an estimate against the exact value.
func estimateP(e sde.Estimate, exact float64) (statistic, p float64) {
	statistic = (e.Value - exact) / e.StdErr
	return statistic, studentP(statistic, float64(e.Groups-1))
}

// covarianceP is the likelihood-ratio p-value of all entries of the second
// moments about a known mean 0 of n normal vectors: W ~ Wishart(S, n)/n.
func covarianceP(w, s *mat.SymDense, n float64) (statistic, p float64) {
	d := float64(s.SymmetricDim())
	var chol mat.Cholesky
	if !chol.Factorize(s) {
		return math.NaN(), math.NaN()
	}
	var q mat.Dense
	if err := chol.SolveTo(&q, w); err != nil {
		return math.NaN(), math.NaN()
	}
	statistic = n * (mat.Trace(&q) - math.Log(mat.Det(&q)) - d)
	statistic *= 1 - (2*d+1-2/(d+1))/(6*n) // Bartlett's correction
	return statistic, distuv.ChiSquared{K: d * (d + 1) / 2}.Survival(statistic)
}

// mustRun runs an ensemble that has to succeed.
func mustRun(t testing.TB, e integrate.Ensemble, s integrate.Schedule, observers ...sde.Observer) *integrate.Result {
	t.Helper()
	r, err := e.Run(context.Background(), s, observers...)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	return r
}

// finals runs an ensemble and returns the last state of all particles.
func finals(t testing.TB, e integrate.Ensemble, s integrate.Schedule) sde.Batch {
	t.Helper()
	var f integrate.Final
	mustRun(t, e, s, &f)
	return f.States()
}

// quadratic is L = kx²/2 in one dimension.
type quadratic struct{ k float64 }

func (quadratic) Dim() int                            { return 1 }
func (l quadratic) Value(theta []float64) float64     { return l.k * theta[0] * theta[0] / 2 }
func (l quadratic) Gradient(dst, theta []float64)     { dst[0] = l.k * theta[0] }
func (l quadratic) Curvature() float64                { return l.k }
func (l quadratic) BatchGradient(dst, x sde.Batch)    { scale(dst, x, l.k) }
func (l quadratic) Laplacian(theta []float64) float64 { return l.k }

func scale(dst, x sde.Batch, k float64) {
	d, _ := dst.Flat()
	y, _ := x.Flat()
	for i, v := range y {
		d[i] = k * v
	}
}

// plain hides every upgrade of a loss.
type plain struct{ sde.Loss }

// denseQuadratic is L = θᵀHθ/2.
type denseQuadratic struct{ h *mat.SymDense }

func (l denseQuadratic) Dim() int { return l.h.SymmetricDim() }
func (l denseQuadratic) Value(theta []float64) float64 {
	v := mat.NewVecDense(len(theta), theta)
	return mat.Inner(v, l.h, v) / 2
}
func (l denseQuadratic) Gradient(dst, theta []float64) {
	raw := l.h.RawSymmetric()
	for i := range dst {
		var s float64
		for j, v := range theta {
			a, b := min(i, j), max(i, j)
			s += float64(raw.Data[a*raw.Stride+b] * v)
		}
		dst[i] = s
	}
}

// doubleWell is L = (x²−1)²/4, without a batch form.
type doubleWell struct{}

func (doubleWell) Dim() int { return 1 }
func (doubleWell) Value(theta []float64) float64 {
	u := theta[0]*theta[0] - 1
	return u * u / 4
}
func (doubleWell) Gradient(dst, theta []float64) {
	x := theta[0]
	dst[0] = float64(x*x*x) - x
}

// quartic is L = x⁴/4.
type quartic struct{}

func (quartic) Dim() int                      { return 1 }
func (quartic) Value(theta []float64) float64 { return math.Pow(theta[0], 4) / 4 }
func (quartic) Gradient(dst, theta []float64) { dst[0] = theta[0] * theta[0] * theta[0] }

// flat is L = 0 in d dimensions.
type flat struct{ d int }

func (l flat) Dim() int                    { return l.d }
func (flat) Value(theta []float64) float64 { return 0 }
func (flat) Gradient(dst, theta []float64) { clear(dst) }

// counting counts the calls of a loss.
type counting struct {
	sde.Loss
	calls *atomic.Int64
}

func (l counting) Value(theta []float64) float64 { l.calls.Add(1); return l.Loss.Value(theta) }
func (l counting) Gradient(dst, theta []float64) { l.calls.Add(1); l.Loss.Gradient(dst, theta) }
