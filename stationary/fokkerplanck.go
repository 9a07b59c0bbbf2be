// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/jump"
	"github.com/sgflow/sgflow/sde"
)

// FokkerPlanck solves the Fokker–Planck equation of a flow in one or two dimensions
// on a grid, for any drift, any D(θ) and any calculus,
//
//	∂p/∂t = −∇·J,   J = b p − D ∇p,   b = a_Itô − ∇·D
//
// as the truth that simulations and formulas are held against.
//
// Cells are finite volumes between whose centres probability jumps, at rates
//
//	(d/ℓ²) B(−w) forwards, (d/ℓ²) B(w) backwards,   B(w) = w/(eʷ−1),   w = ℓ e·D⁻¹b
//
// (Scharfetter & Gummel, 1969, IEEE Trans. Electron Devices 16, 64–77; w = −ΔL/T, and
// so exp(−L/T) exactly at the centres, where D = T·I). Rates are never negative: mass is
// kept to rounding, laws are positive, and there is a maximum principle for passage
// times. A full D is split between jumps along the axes and along the diagonals,
//
//	D = (D₁₁ − |D₁₂| h₁/h₂) e₁e₁ᵀ + (D₂₂ − |D₁₂| h₂/h₁) e₂e₂ᵀ + |D₁₂| (…)
//
// whose weights are positive only if |D₁₂| ≤ min(D₁₁ h₂/h₁, D₂₂ h₁/h₂): on square
// cells no larger than D₁₁ and D₂₂. A D that is not so somewhere is refused; no stencil
// of nearest neighbours is positive then. The order is 2 in the cells' size wherever
// the coefficients are smooth, which wants cells smaller than the scales of L/T.
//
// A grid that takes more memory than MemoryLimit is refused, saying how much. 400×400
// cells take a third of a GB and about a second.
type FokkerPlanck struct {
	// Equation is a flow, or any equation. D must be above 0 everywhere: an
	// underdamped flow, for one, has no noise in the position and is refused.
	Equation sde.Equation
	// Box is the region, finite, and what happens at its sides. It is left out if the
	// equation lives in such a Box itself.
	Box sde.Box
	// Cells is the number of cells along each axis, at least 3.
	Cells []int
	// MemoryLimit is in bytes; 0 means 1 GiB.
	MemoryLimit int64
}

// link joins two cells: probability jumps from i to j at the rate r·B(−w), and back at
// r·B(w). A j of −1 is an absorbing side, half a cell from i's centre.
type link struct {
	i, j   int32
	di, dj int8 // from i to j, in cells
	r, w   float64
}

// bernoulli returns B(w) = w/(eʷ−1).
func bernoulli(w float64) float64 {
	switch {
	case math.Abs(w) < 1e-5:
		return 1 - w/2 + w*w/12
	case w > 700:
		return w * math.Exp(-w)
	}
	return w / math.Expm1(w)
}

// Generator returns the equation's generator on the grid, or an error that names the
// setting that is wrong.
func (f FokkerPlanck) Generator() (*Generator, error) {
	g, err := f.check()
	if err != nil {
		return nil, err
	}
	c := newCoefficients(f.Equation)
	if err := g.connect(c); err != nil {
		return nil, err
	}
	return g, nil
}

// check validates the settings and returns a generator without its links.
func (f FokkerPlanck) check() (*Generator, error) {
	const field = "stationary: FokkerPlanck."
	d, _, err := checkEquation(field+"Equation", f.Equation)
	if err != nil {
		return nil, err
	}
	if d > 2 {
		return nil, &sde.SettingError{Field: field + "Equation", Value: fmt.Sprintf("an equation of %d coordinates", d), Want: "one or two: a grid in more is too large; simulate instead", Err: sde.ErrDimension}
	}
	box := f.Box
	if c, ok := f.Equation.(sde.Confined); ok && c.Confinement() != nil {
		b, ok := c.Confinement().(sde.Box)
		switch {
		case !ok:
			return nil, &sde.SettingError{Field: field + "Equation", Value: fmt.Sprintf("an equation in %T", c.Confinement()), Want: "an sde.Box, or no domain", Err: sde.ErrUnsupported}
		case f.Box.Lo != nil:
			return nil, &sde.SettingError{Field: field + "Box", Value: "a box, of an equation that has one", Want: "one of them"}
		}
		box = b
	}
	if err := box.Validate(d); err != nil {
		return nil, err
	}
	if unbounded(box.Lo, box.Hi) {
		return nil, &sde.SettingError{Field: field + "Box", Value: fmt.Sprintf("%v to %v", box.Lo, box.Hi), Want: "finite sides, so far out that what lies beyond does not matter"}
	}
	if len(f.Cells) != d {
		return nil, &sde.SettingError{Field: field + "Cells", Value: f.Cells, Want: fmt.Sprintf("%d numbers, one an axis", d), Err: sde.ErrDimension}
	}
	g := &Generator{dim: d, boundary: box.Boundary, n: [2]int{1, 1}, h: [2]float64{1, 1}}
	for a, n := range f.Cells {
		if n < 3 {
			return nil, &sde.SettingError{Field: fmt.Sprintf("%sCells[%d]", field, a), Value: n, Want: "at least 3"}
		}
		g.n[a], g.lo[a], g.h[a] = n, box.Lo[a], (box.Hi[a]-box.Lo[a])/float64(n)
	}
	limit := f.MemoryLimit
	if limit == 0 {
		limit = 1 << 30
	}
	// Besides the factors there are the links, the rates and the fields. The factors
	// are counted by the order, which takes memory itself: a grid that cannot fit is
	// refused by a lower bound of what it takes.
	cells := float64(g.n[0]) * float64(g.n[1])
	rest := 300 * cells
	low := rest + 8*cells*3*math.Log2(math.Max(float64(min(g.n[0], g.n[1])), 2))
	tooLarge := func(bytes float64) error {
		return &sde.SettingError{Field: field + "Cells", Value: f.Cells, Want: fmt.Sprintf("a grid within FokkerPlanck.MemoryLimit = %.3g GiB; this one takes %.3g GiB", float64(limit)/(1<<30), bytes/(1<<30))}
	}
	if low > float64(limit) {
		// About what it would take, from the count for square grids.
		return nil, tooLarge(rest + 8*cells*12*math.Log2(math.Max(float64(min(g.n[0], g.n[1])), 4)))
	}
	periodic := box.Boundary == sde.Periodic
	g.order = jump.GridOrder(g.n[0], g.n[1], periodic, periodic && d == 2)
	if bytes := rest + float64(g.order.Bytes()); bytes > float64(limit) {
		return nil, tooLarge(bytes)
	}
	return g, nil
}

// coefficients evaluates an equation's D, and the force D⁻¹b.
type coefficients struct {
	eq         sde.Equation
	d, m       int
	root, b    []float64
	conversion *sde.Conversion
	loss       sde.Loss // if D = T·I
	t          float64
	diagonal   bool
}

func newCoefficients(eq sde.Equation) *coefficients {
	d, m := eq.Dims()
	diffusion := sde.DiffusionOf(eq)
	c := &coefficients{eq: eq, d: d, m: m, root: make([]float64, d*m), b: make([]float64, d),
		conversion: sde.NewConversion(diffusion, d, m, sde.InterpretationOf(eq), sde.Klimontovich)}
	_, diagonal := diffusion.(sde.DiagonalRoot)
	thermal, isThermal := diffusion.(sde.Thermal)
	c.diagonal = d == 1 || diagonal || isThermal
	if isThermal {
		c.loss, c.t = sde.LossOf(eq), thermal.Temperature(0)
	}
	return c
}

// at returns D₁₁, D₁₂, D₂₂ and D⁻¹b at θ (the force only if D is positive definite).
func (c *coefficients) at(theta []float64) (d [3]float64, force [2]float64) {
	c.eq.Root(c.root, theta, 0)
	for k := range c.m {
		d[0] += c.root[k] * c.root[k] / 2
		if c.d == 2 {
			d[1] += c.root[k] * c.root[c.m+k] / 2
			d[2] += c.root[c.m+k] * c.root[c.m+k] / 2
		}
	}
	if c.loss != nil {
		return d, force // from differences of the loss
	}
	c.eq.Drift(c.b, theta, 0)
	if c.conversion != nil {
		c.conversion.Add(c.b, theta, 0)
	}
	if c.d == 1 {
		return d, [2]float64{c.b[0] / d[0], 0}
	}
	det := d[0]*d[2] - d[1]*d[1]
	return d, [2]float64{(d[2]*c.b[0] - d[1]*c.b[1]) / det, (d[0]*c.b[1] - d[1]*c.b[0]) / det}
}

// connect makes the links.
func (g *Generator) connect(c *coefficients) error {
	var value []float64 // of L/T at the centres
	if c.loss != nil {
		if !(c.t > 0) || math.IsInf(c.t, 1) {
			return g.checkDiffusion([3]float64{0, 0, 0}, g.Center(0), 1)
		}
		value = make([]float64, g.n[0]*g.n[1])
		for k := range value {
			value[k] = c.loss.Value(g.Center(k)) / c.t
			if math.IsNaN(value[k]) {
				return badCoefficient("L", value[k], g.Center(k))
			}
		}
	}
	theta := make([]float64, g.dim)
	nx, ny := g.n[0], g.n[1]
	ratio := g.h[0] / g.h[1]
	// add makes the link from cell (i, j), along (di, dj), if it leads anywhere.
	add := func(i, j, di, dj int) error {
		a, b := i+di, j+dj
		inside := 0 <= a && a < nx && 0 <= b && b < ny
		if !inside && g.boundary == sde.Periodic {
			a, b, inside = (a+nx)%nx, (b+ny)%ny, true
		}
		if !inside && g.boundary == sde.Reflecting {
			return nil
		}
		reach := 0.5 // of the middle of what is crossed, in links
		if !inside {
			reach = 0.25
		}
		theta[0] = g.lo[0] + (float64(i)+0.5+reach*float64(di))*g.h[0]
		if g.dim == 2 {
			theta[1] = g.lo[1] + (float64(j)+0.5+reach*float64(dj))*g.h[1]
		}
		d, force := c.at(theta)
		if err := g.checkDiffusion(d, theta, ratio); err != nil {
			return err
		}
		l := link{i: int32(i*ny + j), j: -1, di: int8(di), dj: int8(dj)}
		l.w = force[0]*float64(di)*g.h[0] + force[1]*float64(dj)*g.h[1]
		across := 0.0
		if g.dim == 2 {
			across = math.Abs(d[1]) / (g.h[0] * g.h[1])
		}
		switch {
		case dj == 0:
			l.r = d[0]/(g.h[0]*g.h[0]) - across
			if g.boundary == sde.Reflecting && across > 0 && (j == 0 || j == ny-1) {
				l.r += alongWall(across, d[2]/(g.h[1]*g.h[1]))
			}
		case di == 0:
			l.r = d[2]/(g.h[1]*g.h[1]) - across
			if g.boundary == sde.Reflecting && across > 0 && (i == 0 || i == nx-1) {
				l.r += alongWall(across, d[0]/(g.h[0]*g.h[0]))
			}
		case float64(di*dj)*d[1] > 0:
			l.r = across
		}
		if inside {
			l.j = int32(a*ny + b)
			if value != nil {
				l.w = value[l.i] - value[l.j]
			}
		} else if value != nil {
			theta[0] = g.lo[0] + (float64(i)+0.5+0.5*float64(di))*g.h[0]
			if g.dim == 2 {
				theta[1] = g.lo[1] + (float64(j)+0.5+0.5*float64(dj))*g.h[1]
			}
			l.w = 2 * (value[l.i] - c.loss.Value(theta)/c.t)
		}
		if math.IsNaN(l.w) || math.IsInf(l.w, 0) {
			return badCoefficient("drift", l.w, theta)
		}
		if l.r > 0 {
			g.links = append(g.links, l)
		}
		return nil
	}
	per := 1
	if g.dim == 2 {
		per = 2
		if !c.diagonal {
			per = 3
		}
	}
	g.links = make([]link, 0, per*nx*ny)
	for i := range nx {
		for j := range ny {
			steps := [][2]int{{1, 0}}
			if i == 0 && g.boundary == sde.Absorbing {
				steps = append(steps, [2]int{-1, 0})
			}
			if g.dim == 2 {
				steps = append(steps, [2]int{0, 1})
				if j == 0 && g.boundary == sde.Absorbing {
					steps = append(steps, [2]int{0, -1})
				}
			}
			if !c.diagonal {
				steps = append(steps, [2]int{1, 1}, [2]int{1, -1})
				if g.boundary == sde.Absorbing && (i == 0 || j == 0 || j == ny-1) {
					if i == 0 || j == 0 {
						steps = append(steps, [2]int{-1, -1})
					}
					if i == 0 || j == ny-1 {
						steps = append(steps, [2]int{-1, 1})
					}
				}
			}
			for _, s := range steps {
				if err := add(i, j, s[0], s[1]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// alongWall returns the rate by which jumps along a reflecting wall are raised: half
// a cell of them misses the diagonal jumps that the wall cuts off. With no flux through
// the wall, and rates s of the diagonal jumps and c of D across the wall, what they
// carry along it is s(c−s)/c.
func alongWall(s, c float64) float64 { return s * (c - s) / c / 2 }

// checkDiffusion refuses a D that is not finite, singular or too skew for the stencil.
func (g *Generator) checkDiffusion(d [3]float64, theta []float64, ratio float64) error {
	const field = "stationary: FokkerPlanck.Equation"
	at := fmt.Sprintf("%.6g", theta)
	for _, v := range d {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return badCoefficient("D", v, theta)
		}
	}
	if g.dim == 1 {
		if !(d[0] > 0) {
			return &sde.SettingError{Field: field, Value: fmt.Sprintf("D = %g at %s", d[0], at), Want: "D above 0 everywhere: a degenerate equation has no density that a grid resolves"}
		}
		return nil
	}
	if det := d[0]*d[2] - d[1]*d[1]; !(det > 1e-12*d[0]*d[2]) {
		return &sde.SettingError{Field: field, Value: fmt.Sprintf("D = [%.4g %.4g; %.4g %.4g] at %s, which is singular", d[0], d[1], d[1], d[2], at),
			Want: "D positive definite everywhere: where noise drives one direction only (as in an underdamped flow) the equation is degenerate and cells smear it; simulate it, or take Linear if it is linear"}
	}
	if s := math.Abs(d[1]); s > d[0]/ratio*(1+1e-12) || s > d[2]*ratio*(1+1e-12) {
		return &sde.SettingError{Field: field, Value: fmt.Sprintf("D = [%.4g %.4g; %.4g %.4g] at %s", d[0], d[1], d[1], d[2], at),
			Want: fmt.Sprintf("|D₁₂| ≤ min(D₁₁·h₂/h₁, D₂₂·h₁/h₂) on cells of %.4g × %.4g, or no stencil of nearest neighbours keeps laws positive; cells with h₁/h₂ = √(D₁₁/D₂₂) = %.3g would do here, or turn the coordinates", g.h[0], g.h[1], math.Sqrt(d[0]/d[2])), Err: sde.ErrUnsupported}
	}
	return nil
}

func badCoefficient(what string, v float64, theta []float64) error {
	return &sde.SettingError{Field: "stationary: FokkerPlanck.Equation", Value: fmt.Sprintf("%s = %g at %.6g", what, v, theta), Want: "finite numbers in the box"}
}
