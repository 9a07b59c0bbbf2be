// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// StepAdvice is which step suits a scheme on a loss, as far as can be told from the
// loss's curvature.
type StepAdvice struct {
	// Scheme is the scheme's name.
	Scheme string
	// Curvature is λ, the largest curvature that is known.
	Curvature float64
	// Limit is the step from which on the scheme is linearly unstable there; +Inf if there
	// is none, NaN if it is not known.
	Limit float64
	// Step is the step to take.
	Step float64
	// Bias is by which fraction the stationary variance along the sharpest direction is off
	// with it, on the quadratic of that curvature: Var λ/T − 1, with T times the scheme's
	// Heat; relative to the limit of small steps if the scheme states no order of its
	// law. NaN if it is not known.
	Bias float64
	// Notes say what the advice does not know.
	Notes []string
}

// String returns the advice in a line, and a line for each note.
func (a StepAdvice) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: h = %.3g", a.Scheme, a.Step)
	if !math.IsNaN(a.Bias) {
		fmt.Fprintf(&s, ", where a variance is off by %.2g %%", 100*a.Bias)
	}
	switch {
	case math.IsNaN(a.Limit):
	case math.IsInf(a.Limit, 1):
		s.WriteString("; stable at any step")
	default:
		fmt.Fprintf(&s, "; stable below %.3g", a.Limit)
	}
	fmt.Fprintf(&s, " (curvature %.4g)", a.Curvature)
	for _, n := range a.Notes {
		s.WriteString("\n  " + n)
	}
	return s.String()
}

// SuggestStep returns the largest step with which a scheme, nil for EulerMaruyama, has
// the variance along the sharpest direction of the loss to a fraction tolerance, 0 for
// 0.01, and at most half of that from which on it is linearly unstable. For
// EulerMaruyama
//
//	Var λ/T = 1/(1 − hλ/2),   h ≈ 2 tolerance/λ,   h < 2/λ
//
// and for others the law that they have on a quadratic of curvature λ
// (QuadraticVariance). λ is the larger of what the loss declares for its minima
// (sde.Curvature) and of the largest eigenvalue of its Hessian at the points, such as
// Final.States of a pilot run; without sde.Hessian by central differences of the
// gradient, 2d at each point, and d³ operations for the eigenvalues.
//
// It does not know what the loss is like elsewhere, nor what its higher derivatives do;
// the Notes say so. For EulerMaruyama EulerBias tells from a pilot's points what a step
// does to any average. It refuses an equation that is no flow of a loss, points of
// another dimension or that are not finite, a tolerance out of [0, 1), and a loss of
// which neither is known or is positive.
func SuggestStep(eq sde.Equation, scheme Scheme, tolerance float64, points sde.Batch) (StepAdvice, error) {
	none := StepAdvice{}
	if eq == nil {
		return none, invalid("SuggestStep equation", nil, "a flow of a loss, such as a sde.Flow", nil)
	}
	if v, ok := eq.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return none, err
		}
	}
	if scheme == nil {
		scheme = EulerMaruyama{}
	}
	p, err := scheme.Properties(classOf(eq))
	if err != nil {
		return none, err
	}
	if tolerance == 0 {
		tolerance = defaultTolerance
	}
	if !(0 < tolerance && tolerance < 1) {
		return none, invalid("SuggestStep tolerance", tolerance, "a fraction above 0 and below 1, or 0 for 0.01", nil)
	}
	loss := sde.LossOf(eq)
	if loss == nil {
		return none, invalid("SuggestStep equation", fmt.Sprintf("%T", eq), "a flow of a loss, whose drift is −∇L: what is stable on other drifts is not told by a curvature", nil)
	}
	sharpest, lowest, notes, err := curvatures(loss, points)
	if err != nil {
		return none, err
	}
	if _, err := scheme.Bind(NewSystem(eq, p.Calculus, 1e-6/sharpest, 1)); err != nil {
		return none, err
	}
	a := suggest(scheme, p, sharpest, tolerance)
	a.Notes = append(a.Notes, notes...)
	if lowest < 0 && math.IsInf(p.Stability, 1) && !math.IsInf(p.Invariant, 1) {
		a.Notes = append(a.Notes, fmt.Sprintf("an implicit step has more than one solution above h·Θ = %.3g, where the loss curves down by %.3g", -1/lowest, -lowest))
	}
	if _, thermal := sde.DiffusionOf(eq).(sde.Thermal); !thermal && sde.DiffusionOf(eq) != nil {
		a.Notes = append(a.Notes, "the bias is that for D = T I, which this noise is not")
	}
	return a, nil
}

const defaultTolerance = 0.01

// curvatures returns the largest and the lowest curvature that are known of a loss.
func curvatures(loss sde.Loss, points sde.Batch) (sharpest, lowest float64, notes []string, err error) {
	d := loss.Dim()
	sharpest, lowest = math.Inf(-1), math.Inf(1)
	if points.Rows > 0 && points.Cols != d {
		return 0, 0, nil, invalid("SuggestStep points", fmt.Sprintf("of %d coordinates", points.Cols), fmt.Sprintf("%d, the dimension of the loss", d), sde.ErrDimension)
	}
	h := mat.NewSymDense(d, nil)
	dst := make([]float64, d*d)
	var eigen mat.EigenSym
	for i := range points.Rows {
		x := points.Row(i)
		if !kernel.AllFinite(x) {
			return 0, 0, nil, invalid(fmt.Sprintf("SuggestStep points, row %d", i), x, "a finite state", nil)
		}
		hessianAt(dst, loss, x)
		if !kernel.AllFinite(dst) {
			return 0, 0, nil, invalid(fmt.Sprintf("SuggestStep points, row %d", i), x, "a state where the loss's Hessian is finite", nil)
		}
		for k := range d {
			for l := k; l < d; l++ {
				h.SetSym(k, l, (dst[k*d+l]+dst[l*d+k])/2)
			}
		}
		if !eigen.Factorize(h, false) {
			return 0, 0, nil, invalid(fmt.Sprintf("SuggestStep points, row %d", i), x, "a state where the Hessian's eigenvalues can be computed", nil)
		}
		v := eigen.Values(nil)
		sharpest, lowest = math.Max(sharpest, v[d-1]), math.Min(lowest, v[0])
	}
	c, declared := loss.(sde.Curvature)
	if declared {
		sharpest = math.Max(sharpest, c.Curvature())
	}
	if !(sharpest > 0) || math.IsInf(sharpest, 1) {
		return 0, 0, nil, invalid("SuggestStep points", fmt.Sprintf("%d points", points.Rows),
			"points where the loss curves up, or a loss that declares its curvature at minima (sde.Curvature)", nil)
	}
	if _, quadratic := loss.(sde.Harmonic); quadratic {
		return sharpest, lowest, nil, nil
	}
	switch {
	case points.Rows == 0:
		notes = append(notes, "the curvature is that of the sharpest minimum; elsewhere the loss may be sharper: give points of a pilot run")
	default:
		notes = append(notes, fmt.Sprintf("the curvature is the largest at %d points and of what is declared; between and beyond them the loss may be sharper", points.Rows))
	}
	return sharpest, lowest, append(notes, "the bias is that of a quadratic: what the loss's higher derivatives do is not in it"), nil
}

// hessianAt stores the loss's Hessian at x, by central differences if it has none.
func hessianAt(dst []float64, loss sde.Loss, x []float64) {
	if h, ok := loss.(sde.Hessian); ok {
		h.Hessian(dst, x)
		return
	}
	d := len(x)
	y, up, down := make([]float64, d), make([]float64, d), make([]float64, d)
	scale := largest(x)
	if scale == 0 {
		scale = 1
	}
	for j := range d {
		e := float64(0x1p-17 * math.Max(math.Abs(x[j]), 0x1p-10*scale)) // the cube root of rounding
		copy(y, x)
		y[j] = x[j] + e
		loss.Gradient(up, y)
		hi := y[j]
		y[j] = x[j] - e
		loss.Gradient(down, y)
		for i := range d {
			dst[i*d+j] = (up[i] - down[i]) / (hi - y[j])
		}
	}
}

// suggest returns the advice for a curvature.
func suggest(scheme Scheme, p Properties, curvature, tolerance float64) StepAdvice {
	a := StepAdvice{Scheme: p.Name, Curvature: curvature, Limit: p.Stability / curvature, Step: math.NaN(), Bias: math.NaN()}
	variance := func(z float64) (float64, error) { return QuadraticVariance(scheme, curvature, 1, z/curvature) }
	_, err := variance(0.01) // a step that is not linear shows where it is not small
	limit, known := 1/curvature, err == nil
	if p.Heat > 0 {
		limit *= p.Heat
	}
	if known && p.Invariant == 0 { // the scheme's own
		fine, _ := variance(1e-5)
		coarse, _ := variance(2e-5)
		limit = 2*fine - coarse
		known = limit > 0
	}
	bias := func(h float64) float64 {
		v, err := QuadraticVariance(scheme, curvature, 1, h)
		if err != nil || !(v > 0) {
			return math.Inf(1)
		}
		return v/limit - 1
	}
	if p.Stability == 0 {
		a.Limit = math.NaN()
		if known {
			a.Limit = stabilityLimit(bias, curvature)
		}
	}
	if !known {
		a.Step = math.Pow(2*tolerance, 1/math.Max(p.Invariant, 1)) / curvature
		if p.Stability > 0 {
			a.Step = math.Min(a.Step, a.Limit/2)
		}
		a.Notes = append(a.Notes, fmt.Sprintf("the law of %s on a quadratic is not known: the step is a guess from its orders", p.Name))
		return a
	}
	// Upwards to where the bias is first above the tolerance.
	top := math.Min(a.Limit/2, 1e3/curvature)
	below, above := 0.0, math.NaN()
	for h := top * 0x1p-24; ; h = math.Min(h*math.Sqrt2, top) {
		if math.Abs(bias(h)) > tolerance {
			above = h
			break
		}
		if below = h; h == top {
			break
		}
	}
	for i := 0; i < 40 && !math.IsNaN(above); i++ {
		if h := (below + above) / 2; math.Abs(bias(h)) > tolerance {
			above = h
		} else {
			below = h
		}
	}
	a.Step = below
	if math.IsInf(a.Limit, 1) && math.IsNaN(above) {
		a.Step = 1 / curvature
		a.Notes = append(a.Notes, "on a quadratic any step is stable and has the right law; h = 1/λ resolves the sharpest curvature, and larger ones do as far as the loss is quadratic")
	}
	if a.Step > 0 {
		if a.Bias = bias(a.Step); math.Abs(a.Bias) < 1e-9 {
			a.Bias = 0 // but for rounding
		}
	}
	return a
}

// stabilityLimit returns the step from which on there is no stationary law on a
// quadratic.
func stabilityLimit(bias func(h float64) float64, curvature float64) float64 {
	// Schemes with momentum have limits in √λ.
	low, high := 0.0, 1e-3*math.Min(1/curvature, 1/math.Sqrt(curvature))
	for ; !math.IsInf(bias(high), 1); low, high = high, 2*high {
		if high > 1e6*math.Max(1/curvature, 1/math.Sqrt(curvature)) {
			return math.Inf(1)
		}
	}
	for range 50 {
		if h := (low + high) / 2; math.IsInf(bias(h), 1) {
			high = h
		} else {
			low = h
		}
	}
	return high
}
