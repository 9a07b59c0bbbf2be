// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"github.com/sgflow/sgflow/sde"
)

// MinimumAction finds the most likely path of an equation from one place to another
// against its drift b, where noise is weak, and what that costs: the action of Freidlin and
// Wentzell in its geometric form, which leaves time out,
//
//	S[φ] = ∫ (|b|_a |φ′| _a − ⟨b, φ′⟩_a) ds,   ⟨u, v⟩_a = uᵀ (2D)⁻¹ v
//
// The drift need not be a gradient nor D constant. If from is a stable point its minimum over paths is the
// quasipotential V(to) (in units of the noise: V/ε for dX = b dt + √ε dW), and the mean time to leave a basin is
// ≍ exp V at the lowest place of its edge. For a gradient, b = −∇L and D = T, it is
// ΔL/T along the path of minimum energy (times 2 over 2).
//
// The action of a polygon of images, by the midpoint rule, is minimised by gonum's L-BFGS with a weak
// penalty that keeps the images evenly spaced, from several numbers of images; the error of the action falls with their square.
// What is found is a local minimum over paths. Source: Heymann & Vanden-Eijnden, 2008, The geometric minimum action method:
// a least action principle on the space of curves.
type MinimumAction struct {
	// Images is their number; 0 means 101.
	Images int
	// Via are places that the path goes through at first; nil means a straight line.
	Via [][]float64
}

// ActionPath is a path of least action.
type ActionPath struct {
	// Action is S, extrapolated in the number of images, and Error what the extrapolation changed.
	Action, Error float64
	// States are the images.
	States [][]float64
}

// Path returns the path between two places. Refused are places that are not finite and noise that is singular
// on the way.
func (m MinimumAction) Path(eq sde.Equation, from, to []float64) (*ActionPath, error) {
	d, noise, err := checkEquation("stationary: MinimumAction equation", eq)
	if err != nil {
		return nil, err
	}
	n := m.Images
	if n == 0 {
		n = 101
	}
	if n < 9 {
		return nil, wrong("MinimumAction.Images", m.Images, "at least 9, or 0 for 101")
	}
	corners := append(append([][]float64{from}, m.Via...), to)
	for _, c := range corners {
		if len(c) != d {
			return nil, &sde.SettingError{Field: "stationary: MinimumAction place", Value: c, Want: fmt.Sprintf("%d coordinates", d), Err: sde.ErrDimension}
		}
		if !isNumber(norm(c)) {
			return nil, wrong("MinimumAction place", c, "finite coordinates")
		}
	}
	if distance(from, to) == 0 {
		return nil, wrong("MinimumAction places", from, "two different places")
	}
	l := newLagrangian(eq, d, noise)
	var coarse float64
	images := spread(corners, (n+1)/2)
	for _, size := range []int{(n + 1) / 2, n} {
		images = spread(images, size)
		if images, err = l.minimise(images); err != nil {
			return nil, err
		}
		images = spread(images, size)
		action := l.action(images)
		if !isNumber(action) {
			return nil, wrong("MinimumAction equation", "a D that is singular or a drift that is no number on the way", "noise in all directions")
		}
		if size < n {
			coarse = action
			continue
		}
		// The midpoint rule's error falls with the square of the segments.
		q := float64(n-1) / float64((n+1)/2-1)
		change := (action - coarse) / (q*q - 1)
		return &ActionPath{Action: action + change, Error: math.Abs(change), States: images}, nil
	}
	panic("unreachable")
}

// lagrangian is the action of a segment, with its scratch.
type lagrangian struct {
	eq           sde.Equation
	d            int
	b, mid, root []float64
	constant     bool // the metric is at hand
	a            *mat.SymDense
	metric       []float64 // (2D)⁻¹, row-major
}

func newLagrangian(eq sde.Equation, d, noise int) *lagrangian {
	l := &lagrangian{eq: eq, d: d, b: make([]float64, d), mid: make([]float64, d), root: make([]float64, d*noise),
		a: mat.NewSymDense(d, nil), metric: make([]float64, d*d)}
	if sde.ClassOf(sde.DiffusionOf(eq)) == sde.Constant {
		l.measure()
		l.constant = true
	}
	return l
}

// measure sets the metric at the middle of a segment, to NaN where noise is singular.
func (l *lagrangian) measure() {
	l.eq.Root(l.root, l.mid, 0)
	m := len(l.root) / l.d
	for i := range l.d {
		for j := i; j < l.d; j++ {
			sum := 0.0
			for k := range m {
				sum += l.root[i*m+k] * l.root[j*m+k]
			}
			l.a.SetSym(i, j, sum)
		}
	}
	if l.d == 1 && l.a.At(0, 0) > 0 {
		l.metric[0] = 1 / l.a.At(0, 0)
		return
	}
	var c mat.Cholesky
	inverse := mat.NewSymDense(l.d, nil)
	if l.d == 1 || !c.Factorize(l.a) || c.InverseTo(inverse) != nil {
		for i := range l.metric {
			l.metric[i] = math.NaN()
		}
		return
	}
	for i := range l.d {
		for j := range l.d {
			l.metric[i*l.d+j] = inverse.At(i, j)
		}
	}
}

// segment returns the action from x to y.
func (l *lagrangian) segment(x, y []float64) float64 {
	for i := range x {
		l.mid[i] = (x[i] + y[i]) / 2
	}
	l.eq.Drift(l.b, l.mid, 0)
	if !l.constant {
		l.measure()
	}
	var bb, bv, vv float64
	for i, bi := range l.b {
		vi := y[i] - x[i]
		for j, bj := range l.b {
			m, vj := l.metric[i*l.d+j], y[j]-x[j]
			bb += m * bi * bj
			bv += m * bi * vj
			vv += m * vi * vj
		}
	}
	return math.Sqrt(bb*vv) - bv
}

func (l *lagrangian) action(images [][]float64) (sum float64) {
	for i := 1; i < len(images); i++ {
		sum += l.segment(images[i-1], images[i])
	}
	return sum
}

// minimise moves the images between the ends.
func (l *lagrangian) minimise(images [][]float64) ([][]float64, error) {
	n, d := len(images), l.d
	size := 0.0 // of the path, for steps and the penalty
	for i := 1; i < n; i++ {
		size += distance(images[i], images[i-1])
	}
	weight := math.Max(l.action(images), 1e-3)
	if !isNumber(weight) {
		return nil, wrong("MinimumAction equation", "a D that is singular or a drift that is no number on the way", "noise in all directions")
	}
	path := make([][]float64, n)
	// The penalty of uneven spacing about image i is 0 for the same path evenly spaced.
	even := func(i int) float64 {
		if i == 0 || i == n-1 {
			return 0
		}
		r := (distance(path[i+1], path[i]) - distance(path[i], path[i-1])) * float64(n-1) / size
		return weight * r * r / float64(n)
	}
	unpack := func(dst [][]float64, x []float64) {
		dst[0], dst[n-1] = images[0], images[n-1]
		for i := 1; i < n-1; i++ {
			dst[i] = x[(i-1)*d : i*d]
		}
	}
	total := func(x []float64) (sum float64) {
		unpack(path, x)
		for i := 1; i < n; i++ {
			sum += l.segment(path[i-1], path[i]) + even(i)
		}
		return sum
	}
	gradient := func(g, x []float64) {
		y := append([]float64(nil), x...)
		unpack(path, y)
		h := 1e-6 * size / float64(n)
		for i := 1; i < n-1; i++ {
			both := func() float64 {
				return l.segment(path[i-1], path[i]) + l.segment(path[i], path[i+1]) + even(i-1) + even(i) + even(i+1)
			}
			for j := range d {
				k := (i-1)*d + j
				v := y[k]
				y[k] = v + h
				up := both()
				y[k] = v - h
				g[k] = (up - both()) / (2 * h)
				y[k] = v
			}
		}
	}
	x := make([]float64, 0, (n-2)*d)
	for _, p := range images[1 : n-1] {
		x = append(x, p...)
	}
	best, value := x, total(x)
	for range 6 {
		r, _ := optimize.Minimize(optimize.Problem{Func: total, Grad: gradient}, best,
			&optimize.Settings{GradientThreshold: 1e-8 * weight / size, MajorIterations: 400}, &optimize.LBFGS{})
		if r == nil || !(r.F < value) {
			break // as low as differences of the action can tell
		}
		gain := value - r.F
		best, value = r.X, r.F
		if gain < 1e-9*weight {
			break
		}
	}
	moved := make([][]float64, n)
	unpack(moved, append([]float64(nil), best...))
	return moved, nil
}
