// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// TestSuggestStep tables steps, limits and biases that are known in closed form, at a
// curvature of 2.
func TestSuggestStep(t *testing.T) {
	const k = 2.0
	flow := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	for _, test := range []struct {
		scheme            integrate.Scheme
		tolerance         float64
		step, limit, bias float64
	}{
		{nil, 0, 2 * 0.01 / 1.01 / k, 1, 0.01},
		{integrate.EulerMaruyama{}, 0.1, 2 * 0.1 / 1.1 / k, 1, 0.1},
		{integrate.EulerMaruyama{}, 0.99, 2 * 0.99 / 1.99 / k, 1, 0.99},
		{integrate.LeimkuhlerMatthews{}, 0.01, 0.5, 1, 0},
		{integrate.DriftImplicit{Theta: 1}, 0.01, 2 * (1/0.99 - 1) / k, inf, -0.01},
		{integrate.DriftImplicit{Theta: 0.75}, 0.05, 4 * (1/0.95 - 1) / k, inf, -0.05},
		{integrate.DriftImplicit{}, 0.01, 1 / k, inf, 0},
		{integrate.BAOAB{Friction: 0.5}, 0.01, 1 / math.Sqrt(k), 2 / math.Sqrt(k), 0},
		{integrate.OBABO{Friction: 0.5}, 0.01, math.Sqrt(4 * 0.01 / 1.01 / k), 2 / math.Sqrt(k), 0.01},
		{integrate.HeavyBall{LearningRate: 0.1, Momentum: 0.9}, 0.01, 1 / math.Sqrt(k), 2 / math.Sqrt(k), 0},
		{integrate.SGLD{}, 0.01, 2 * 0.01 / 1.01 / k, 1, 0.01},
		{integrate.Tamed{}, 0.01, 0.02 / k, 1, nan},
	} {
		a, err := integrate.SuggestStep(flow, test.scheme, test.tolerance, sde.Batch{})
		near := func(x, y float64) bool {
			return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) < 1e-5*math.Max(math.Abs(y), 1e-4)
		}
		if err != nil || a.Curvature != k || !near(a.Step, test.step) || !near(a.Limit, test.limit) || !near(a.Bias, test.bias) {
			t.Errorf("%T, tolerance %g: %+v, error %v, want step %.6g, limit %.6g, bias %.6g", test.scheme, test.tolerance, a, err, test.step, test.limit, test.bias)
		}
		if !strings.Contains(a.String(), "pilot run") {
			t.Errorf("%T: the notes do not say what is not known: %v", test.scheme, a)
		}
		if test.scheme == nil || math.IsNaN(test.bias) {
			continue
		}
		// What is advised is what happens, and the next larger step is worse.
		v, err := integrate.QuadraticVariance(test.scheme, k, 1, a.Step)
		p, _ := test.scheme.Properties(sde.Constant)
		if math.Abs(v*k/math.Max(p.Heat, 1)-1-a.Bias) > 1e-9 || err != nil {
			t.Errorf("%T: the variance at the step is %g, error %v, and the bias %g", test.scheme, v, err, a.Bias)
		}
	}
	// Schemes without a declared limit get what is found, from their own law as h → 0.
	a, err := integrate.SuggestStep(flow, integrate.Nesterov{LearningRate: 0.1, Momentum: 0.9}, 0.01, sde.Batch{})
	if err != nil || !(a.Limit > 0.5 && a.Limit < 2) || !(a.Step > 0 && a.Step <= a.Limit/2) || !(math.Abs(a.Bias) <= 0.01) {
		t.Errorf("Nesterov: %+v, error %v", a, err)
	}
	if v, _ := integrate.QuadraticVariance(integrate.Nesterov{LearningRate: 0.1, Momentum: 0.9}, k, 1, 1.001*a.Limit); !math.IsInf(v, 1) {
		t.Errorf("Nesterov: stable above the limit %g", a.Limit)
	}
}

// TestSuggestStepPoints takes the curvature from points, by the Hessian and by
// differences.
func TestSuggestStepPoints(t *testing.T) {
	points := sde.NewBatch(3, 1)
	copy(points.Data, []float64{0, 1.5, -0.3}) // (x²−1)²/4 has the curvature 3x² − 1
	for _, l := range []sde.Loss{loss.DoubleWell{}, plain{loss.DoubleWell{}}} {
		a, err := integrate.SuggestStep(sde.Flow{Loss: l}, integrate.DriftImplicit{Theta: 1}, 0, points)
		if err != nil || math.Abs(a.Curvature-5.75) > 1e-8 {
			t.Errorf("%T: %+v, error %v, want a curvature of 5.75", l, a, err)
		}
		if s := a.String(); !strings.Contains(s, "3 points") || !strings.Contains(s, "h·Θ = 1") {
			t.Errorf("%T: %s", l, s)
		}
	}
	s := newStiff()
	for _, l := range []sde.Loss{s, stiffHessian{s}} {
		a, err := integrate.SuggestStep(sde.Flow{Loss: l, Diffusion: noise.Diagonal{D: []float64{1, 2, 3}}}, nil, 0.1, sde.NewBatch(1, 3))
		if err != nil || math.Abs(a.Curvature-1000) > 1e-6 || !strings.Contains(a.String(), "not") {
			t.Errorf("%T: %+v, error %v, want a curvature of 1000", l, a, err)
		}
	}
	q, err := loss.NewQuadratic(mat.NewSymDense(2, []float64{1, 0, 0, 30}), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := integrate.SuggestStep(sde.Flow{Loss: q, Diffusion: noise.Temperature{T: 1}}, integrate.ExactOU{}, 0, sde.Batch{})
	if err != nil || math.Abs(a.Step-1./30) > 1e-9 || len(a.Notes) != 1 || !math.IsInf(a.Limit, 1) {
		t.Errorf("exact Ornstein–Uhlenbeck: %+v, error %v", a, err)
	}
}

// TestSuggestStepBad is what is refused.
func TestSuggestStepBad(t *testing.T) {
	flow := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	far := sde.NewBatch(1, 1)
	far.Data[0] = inf
	for _, test := range []struct {
		name      string
		equation  sde.Equation
		scheme    integrate.Scheme
		tolerance float64
		points    sde.Batch
		text      string
	}{
		{"no equation", nil, nil, 0, sde.Batch{}, "equation"},
		{"no loss", sde.Flow{}, nil, 0, sde.Batch{}, "Flow.Loss"},
		{"no flow of a loss", additive{1, 1}, nil, 0, sde.Batch{}, "−∇L"},
		{"tolerance < 0", flow, nil, -0.1, sde.Batch{}, "tolerance"},
		{"tolerance 1", flow, nil, 1, sde.Batch{}, "tolerance"},
		{"tolerance NaN", flow, nil, nan, sde.Batch{}, "tolerance"},
		{"points of another dimension", flow, nil, 0, sde.NewBatch(1, 2), "points"},
		{"points that are not finite", flow, nil, 0, far, "row 0"},
		{"nothing known", sde.Flow{Loss: plain{loss.DoubleWell{}}}, nil, 0, sde.Batch{}, "sde.Curvature"},
		{"no curvature up", sde.Flow{Loss: flat{2}}, nil, 0, sde.NewBatch(4, 2), "curves up"},
		{"friction 0", flow, integrate.BAOAB{}, 0, sde.Batch{}, "Friction"},
		{"Θ", flow, integrate.DriftImplicit{Theta: 0.2}, 0, sde.Batch{}, "Theta"},
		{"a scheme that does not serve the loss", flow, integrate.ExactOU{}, 0, sde.Batch{}, "ExactOU"},
		{"a scheme that does not serve the noise", sde.Flow{Loss: loss.DoubleWell{}, Diffusion: growing{1}}, integrate.LeimkuhlerMatthews{}, 0, sde.Batch{}, "EulerMaruyama"},
	} {
		if _, err := integrate.SuggestStep(test.equation, test.scheme, test.tolerance, test.points); err == nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %v does not say %q", test.name, err, test.text)
		}
	}
}

// TestSuggestStepWarning names the step to take, and with that step there is no warning.
func TestSuggestStepWarning(t *testing.T) {
	for _, scheme := range []integrate.Scheme{nil, integrate.LeimkuhlerMatthews{}, integrate.SRA1{}, integrate.Tamed{}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.01}}, Scheme: scheme, Step: 4,
			Particles: 10, Start: integrate.Points{{1}}, OnDivergence: integrate.Drop}
		r, err := e.Run(context.Background(), integrate.Schedule{Time: 4})
		if err != nil || len(r.Warnings) == 0 {
			t.Fatalf("%T: warnings %v, error %v", scheme, r.Warnings, err)
		}
		a, err := integrate.SuggestStep(e.Equation, scheme, 0, sde.Batch{})
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(r.Warnings[0])
		if !strings.Contains(text, fmt.Sprintf("below %.3g", a.Limit)) || !math.IsNaN(a.Bias) && !strings.Contains(text, fmt.Sprintf("such as %.3g,", a.Step)) {
			t.Errorf("%T: %q does not name the step of %+v", scheme, text, a)
		}
		e.Step = a.Step
		if r, err = e.Run(context.Background(), integrate.Schedule{Time: 4 * a.Step}); err != nil || len(r.Warnings) != 0 {
			t.Errorf("%T: warnings %v, error %v with the step that was advised", scheme, r.Warnings, err)
		}
	}
}

// TestEulerBias holds the first-order bias to its closed form on a quadratic and to
// −0.15538119918842702 (by quadrature, f.2 of the theory) for x² on the double well,
// from points at the quantiles of the exact law instead of a pilot's; a wrong sign of
// either term is seen.
func TestEulerBias(t *testing.T) {
	const n, temperature = 1 << 14, 0.2
	points := sde.NewBatch(n, 1)
	for i := range n {
		points.Data[i] = math.Sqrt(temperature/3) * distuv.UnitNormal.Quantile((float64(i)+0.5)/n)
	}
	f := func(x []float64) float64 { return x[0] * x[0] }
	for _, l := range []sde.Loss{quadratic{3}, plain{quadratic{3}}} {
		b, err := integrate.EulerBias(l, temperature, points, f)
		if err != nil || math.Abs(b.Value-temperature/2) > 1e-3*temperature {
			t.Errorf("quadratic: %v, error %v, want %g", b, err, temperature/2)
		}
	}
	// Quantiles of exp(−(x²−1)²/4T) by the cumulative sum on a fine grid. What n of them leave
	// of the tails is of order 1/n.
	const want = -0.15538119918842702
	coarse, fine := wellQuantiles(n/2, temperature), wellQuantiles(n, temperature)
	for _, l := range []sde.Loss{loss.DoubleWell{}, plain{loss.DoubleWell{}}, hessianOf{plain{loss.DoubleWell{}}, loss.DoubleWell{}}} {
		a, err := integrate.EulerBias(l, temperature, coarse, f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := integrate.EulerBias(l, temperature, fine, f)
		if v := 2*b.Value - a.Value; err != nil || math.Abs(v-want) > 1e-3*math.Abs(want) {
			t.Errorf("double well: %g, error %v, want %g", v, err, want)
		}
		if !(b.StdErr > 0 && b.StdErr < 0.1) {
			t.Errorf("double well: standard error %g", b.StdErr)
		}
	}
	one := sde.NewBatch(1, 1)
	bad := sde.NewBatch(2, 1)
	bad.Data[1] = nan
	for name, err := range map[string]error{
		"no loss":        errOf(integrate.EulerBias(nil, 1, points, f)),
		"no function":    errOf(integrate.EulerBias(quadratic{1}, 1, points, nil)),
		"T = 0":          errOf(integrate.EulerBias(quadratic{1}, 0, points, f)),
		"T NaN":          errOf(integrate.EulerBias(quadratic{1}, nan, points, f)),
		"one point":      errOf(integrate.EulerBias(quadratic{1}, 1, one, f)),
		"two dimensions": errOf(integrate.EulerBias(quadratic{1}, 1, sde.NewBatch(3, 2), f)),
		"NaN":            errOf(integrate.EulerBias(quadratic{1}, 1, bad, f)),
	} {
		if !isInvalid(err) || !strings.Contains(err.Error(), "EulerBias") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// wellQuantiles returns n quantiles of exp(−(x²−1)²/4T).
func wellQuantiles(n int, temperature float64) sde.Batch {
	const grid, r = 1 << 17, 2.6
	density := func(i int) float64 {
		x := -r + 2*r*(float64(i)+0.5)/grid
		return math.Exp(-(x*x - 1) * (x*x - 1) / 4 / temperature)
	}
	var all, cumulative float64
	for i := range grid {
		all += density(i)
	}
	points, target := sde.NewBatch(n, 1), 0
	for i := range grid {
		w := density(i) / all
		for ; target < n && cumulative+w > (float64(target)+0.5)/float64(n); target++ {
			points.Data[target] = -r + 2*r*(float64(i)+((float64(target)+0.5)/float64(n)-cumulative)/w)/grid
		}
		cumulative += w
	}
	return points
}

func errOf(_ sde.Estimate, err error) error { return err }

func ExampleSuggestStep() {
	flow := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	for _, scheme := range []integrate.Scheme{integrate.EulerMaruyama{}, integrate.LeimkuhlerMatthews{}} {
		a, err := integrate.SuggestStep(flow, scheme, 0.01, sde.Batch{})
		if err != nil {
			fmt.Println(err)
		}
		a.Notes = nil
		fmt.Println(a)
	}
	// Output:
	// Euler–Maruyama: h = 0.0099, where a variance is off by 1 %; stable below 1 (curvature 2)
	// Leimkuhler–Matthews: h = 0.5, where a variance is off by 0 %; stable below 1 (curvature 2)
}
