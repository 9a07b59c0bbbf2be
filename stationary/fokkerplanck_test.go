// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

type setFunc func(theta []float64) bool

func (s setFunc) Contains(theta []float64) bool { return s(theta) }

func above(x float64) sde.Set { return setFunc(func(theta []float64) bool { return theta[0] >= x }) }
func below(x float64) sde.Set { return setFunc(func(theta []float64) bool { return theta[0] <= x }) }

// refined returns the limit of f(n), f(2n), f(4n) whose errors go as 1/n² and 1/n⁴, and
// fails the test unless the first two differ by four times what the last two do.
func refined(t *testing.T, name string, n int, f func(n int) float64) float64 {
	t.Helper()
	a, b, c := f(n), f(2*n), f(4*n)
	order := math.Log2(math.Abs((a - b) / (b - c)))
	t.Logf("%s: %.10g, %.10g, %.10g, order %.3f", name, a, b, c, order)
	if !(math.Abs(order-2) < 0.1) {
		t.Errorf("%s: order %.3f from %g, %g, %g", name, order, a, b, c)
	}
	return c + (c-b)/3 + ((c-b)-(b-a)/4)/3/15*4/3
}

// extrapolated is Richardson's limit of three values whose errors go as h² and h⁴.
func extrapolated(a, b, c float64) float64 {
	ab, bc := b+(b-a)/3, c+(c-b)/3
	return bc + (bc-ab)/15
}

func line(l sde.Loss, d sde.Diffusion, box sde.Box, n int) *stationary.Generator {
	return must(stationary.FokkerPlanck{Equation: sde.Flow{Loss: l, Diffusion: d}, Box: box, Cells: []int{n}}.Generator())
}

// Spectral gaps and passage times of double wells, known to 8 and 12 digits.
func TestFokkerPlanckDoubleWell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ scale, temperature, t01, t11, l1, l2 float64 }{
		{1, 0.05, 361.903759501, 729.670691942, 0, 0},
		{1, 0.1, 30.8213024727, 66.2686263649, 0.03354529, 0},
		{1, 0.2, 7.93402154001, 19.0938969968, 0.13477798, 0},
		{1, 1, 1.29056138021, 3.48830964885, 0.79208843, 0},
		{4, 0.2, 90.4759398752, 182.417672986, 0.01110456, 3.28899},
		{4, 0.25, 33.9457442877, 69.2636447608, 0.02977959, 3.31039},
		{4, 1, 1.43585926701, 3.56943415913, 0.74868167, 6.00411},
	} {
		var l1, l2, t01, t11 [3]float64
		for k, n := range []int{640, 1280, 2560} {
			g := line(doubleWell{c.scale}, thermal(c.temperature), interval(-4, 4), n)
			modes := must(g.Spectrum(2))
			l1[k], l2[k] = real(modes[0].Rate), real(modes[1].Rate)
			t01[k] = must(g.MeanFirstPassageTime(above(0))).At(-1)
			t11[k] = must(g.MeanFirstPassageTime(above(1))).At(-1)
		}
		name := fmt.Sprintf("scale %g, T = %g, ", c.scale, c.temperature)
		within(t, name+"τ01", extrapolated(t01[0], t01[1], t01[2])/c.t01, 1, 1e-9)
		within(t, name+"τ11", extrapolated(t11[0], t11[1], t11[2])/c.t11, 1, 1e-9)
		order := math.Log2((t11[0] - t11[1]) / (t11[1] - t11[2]))
		within(t, name+"order", order, 2, 0.02)
		if c.l1 > 0 {
			within(t, name+"λ1", extrapolated(l1[0], l1[1], l1[2]), c.l1, 6e-9)
		}
		if c.l2 > 0 {
			within(t, name+"λ2", extrapolated(l2[0], l2[1], l2[2]), c.l2, 6e-6)
		}
	}
}

// The gap is the inverse of the time to the top of the barrier, up to what relaxes
// within the wells, over 200 powers of ten; and where numbers end, that is said.
func TestFokkerPlanckCold(t *testing.T) {
	t.Parallel()
	for _, temperature := range []float64{0.005, 0.001, 0.0005} {
		g := line(well, thermal(temperature), interval(-2, 2), 1000)
		tau := must(g.MeanFirstPassageTime(above(0))).At(-1)
		gap := real(must(g.Spectrum(1))[0].Rate)
		within(t, fmt.Sprintf("λ1·τ01 at T = %g", temperature), gap*tau, 1, 1e-9)
		if want := 0.25 / temperature; math.Abs(math.Log(tau)-want) > 2 {
			t.Errorf("log τ = %g at a barrier of %g T", math.Log(tau), want)
		}
		within(t, "committor", must(g.Committor(below(-1), above(1))).At(0), 0.5, 1e-12)
		within(t, "⟨x²⟩", must(g.Stationary()).Mean(square), 1-temperature, 1e-4)
	}
	for _, temperature := range []float64{3.5e-4, 1e-4, 1e-6} {
		g := line(well, thermal(temperature), interval(-2, 2), 1000)
		for name, err := range map[string]error{
			"passage": func() error { _, err := g.MeanFirstPassageTime(above(0)); return err }(),
			"law":     func() error { _, err := g.Stationary(); return err }(),
			"gap":     func() error { _, err := g.Spectrum(1); return err }(),
		} {
			if !errors.Is(err, sde.ErrInvalid) || !strings.Contains(err.Error(), "temperature") {
				t.Errorf("%s at T = %g: %v", name, temperature, err)
			}
		}
	}
}

// Exits of an Ornstein–Uhlenbeck process, closed forms.
func TestFokkerPlanckExit(t *testing.T) {
	t.Parallel()
	both := refined(t, "0 → ±1", 50, func(n int) float64 {
		box := sde.Box{Lo: []float64{-1}, Hi: []float64{1}, Boundary: sde.Absorbing}
		return must(line(parabolic, thermal(0.5), box, n).MeanFirstPassageTime(nil)).At(0)
	})
	within(t, "0 → ±1", both, 1.445245613388347, 1e-6)
	one := refined(t, "−1 → 1", 180, func(n int) float64 {
		return must(line(parabolic, thermal(0.5), interval(-8, 3), n*11/9).MeanFirstPassageTime(above(1))).At(-1)
	})
	within(t, "−1 → 1", one, 5.184965439133721, 1e-5)
}

// passage is the mean time from a to c > a of a walk on [lo, c] by quadrature,
//
//	τ = ∫_a^c e^Φ(y) ∫_lo^y e^−Φ(z)/D(z) dz dy
//
// in panels in which the inner integral is taken from their start.
func passage(phi, d func(float64) float64, lo, a, c float64) float64 {
	const panels, nodes = 2000, 8
	x, w := make([]float64, nodes), make([]float64, nodes)
	u, v := make([]float64, nodes), make([]float64, nodes)
	inner := func(l, h float64) float64 {
		quad.Legendre{}.FixedLocations(u, v, l, h)
		s := 0.0
		for i := range u {
			s += v[i] * math.Exp(-phi(u[i])) / d(u[i])
		}
		return s
	}
	before, tau := 0.0, 0.0
	for i := range panels {
		l, h := lo+(a-lo)*float64(i)/panels, lo+(a-lo)*float64(i+1)/panels
		before += inner(l, h)
	}
	for i := range panels {
		l, h := a+(c-a)*float64(i)/panels, a+(c-a)*float64(i+1)/panels
		quad.Legendre{}.FixedLocations(x, w, l, h)
		for k := range x {
			tau += w[k] * math.Exp(phi(x[k])) * (before + inner(l, x[k]))
		}
		before += inner(l, h)
	}
	return tau
}

// The flat and the sharp well: state-dependent noise, passage times over eight powers
// of ten, and the shares of the wells.
func TestFokkerPlanckFlatMinimum(t *testing.T) {
	t.Parallel()
	const barrier = 1.231555009965862674
	along := func(x float64) float64 { // ∫ L′/(1+x²)
		return (3*x*x*x*x/4 - 10*x*x*x/3 + 7*x*x/2 + 4*x - 1.5*math.Log1p(x*x) - 4*math.Atan(x)) / 2
	}
	for _, c := range []struct {
		d           float64
		curved      bool
		there, back float64 // to the digits that are known
		ratio       float64
	}{
		{0.05, false, 216142.8, 98926.3, 2.184932902184617},
		{0.1, false, 801.4156, 378.8604, 2.125453609830343},
		{0.02, true, 1.813882e9, 1809.574, 1003303.130566979},
		{0.1, true, 244.1408, 6.652021, 44.87725201917693},
	} {
		d, phi := func(x float64) float64 { return c.d }, func(x float64) float64 { return flatSharp.value(x) / c.d }
		var noise sde.Diffusion = thermal(c.d)
		if c.curved {
			d, phi = func(x float64) float64 { return c.d * (1 + x*x) }, func(x float64) float64 { return along(x) / c.d }
			noise = multiplicative(d)
		}
		var there, back, ratio [3]float64
		for k, n := range []int{1000, 2000, 4000} {
			g := line(flatSharp, noise, interval(-2, 3.5), n*11/10)
			there[k] = must(g.MeanFirstPassageTime(above(2))).At(0)
			back[k] = must(g.MeanFirstPassageTime(below(0))).At(2)
			law := must(g.Stationary())
			left := law.Probability([]float64{-2}, []float64{barrier})
			ratio[k] = left / law.Probability([]float64{barrier}, []float64{3.5})
		}
		name := fmt.Sprintf("D = %g, curved %t, ", c.d, c.curved)
		x, y := extrapolated(there[0], there[1], there[2]), extrapolated(back[0], back[1], back[2])
		within(t, name+"0 → 2", x/c.there, 1, 5e-7)
		within(t, name+"2 → 0", y/c.back, 1, 5e-7)
		within(t, name+"0 → 2", x/passage(phi, d, -2, 0, 2), 1, 1e-9)
		mirror := func(f func(float64) float64) func(float64) float64 {
			return func(x float64) float64 { return f(-x) }
		}
		within(t, name+"2 → 0", y/passage(mirror(phi), mirror(d), -3.5, -2, 0), 1, 1e-9)
		within(t, name+"order", math.Log2((there[0]-there[1])/(there[1]-there[2])), 2, 0.05)
		// The barrier is not where cells meet: order 2 only on the whole.
		within(t, name+"ratio", ratio[2]/c.ratio, 1, 2e-4)
	}
}

// Passage times of Müller–Brown at T = 15 from its two other minima.
func TestFokkerPlanckMullerBrown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("grids of 200×200 in long tests")
	}
	target := setFunc(func(x []float64) bool { return 0.5 <= x[0] && x[0] <= 0.75 && -0.1 <= x[1] && x[1] <= 0.15 })
	var a, c, mean [2]float64
	for k, n := range []int{100, 200} {
		g := must(stationary.FokkerPlanck{Equation: sde.Flow{Loss: plane(mullerBrown), Diffusion: thermal(15)},
			Box: sde.Box{Lo: []float64{-1.5, -0.5}, Hi: []float64{1.25, 2.25}}, Cells: []int{n, n}}.Generator())
		tau := must(g.MeanFirstPassageTime(target))
		a[k], c[k] = tau.At(-0.558223634633024277, 1.44172584180466866), tau.At(-0.0500108229982060578, 0.466694104871972088)
		mean[k] = must(g.Stationary()).Mean(func(x []float64) float64 { return x[0] })
	}
	within(t, "A", a[1]+(a[1]-a[0])/3, 6.8350, 2e-4)
	within(t, "C", c[1]+(c[1]-c[0])/3, 0.8923, 2e-4)
	want, err := must(stationary.Boltzmann(plane(mullerBrown), 15, sde.Box{Lo: []float64{-1.5, -0.5}, Hi: []float64{1.25, 2.25}})).Mean(func(x []float64) float64 { return x[0] })
	honest(t, "⟨x⟩", mean[1]+(mean[1]-mean[0])/3, want, err, 1e-7)
}

// field is an equation in two dimensions of a drift and a root of two components.
type field struct {
	drift func(x, y float64) (float64, float64)
	root  func(x, y float64) [4]float64
}

func (field) Dims() (state, noise int) { return 2, 2 }
func (f field) Root(dst, theta []float64, t float64) {
	r := f.root(theta[0], theta[1])
	copy(dst, r[:])
}
func (f field) Drift(dst, theta []float64, t float64) {
	dst[0], dst[1] = f.drift(theta[0], theta[1])
}

// skew is a root of D = [1 ½; ½ 1].
func skew(x, y float64) [4]float64 {
	s, c := math.Sqrt(3)/2, 0.5
	return [4]float64{math.Sqrt2, 0, c * math.Sqrt2, s * math.Sqrt2}
}

// A linear flow with a current: covariance, entropy production and the current itself.
func TestFokkerPlanckCurrent(t *testing.T) {
	t.Parallel()
	eq := field{func(x, y float64) (float64, float64) { return -x, -2 * y }, skew}
	get := func(n int) (*stationary.Generator, *stationary.GridLaw) {
		g := must(stationary.FokkerPlanck{Equation: eq, Box: sde.Box{Lo: []float64{-6, -6}, Hi: []float64{6, 6}}, Cells: []int{n, n}}.Generator())
		return g, must(g.Stationary())
	}
	for _, c := range []struct {
		name string
		of   func(g *stationary.Generator, l *stationary.GridLaw) float64
		want float64
	}{
		{"S₁₁", func(g *stationary.Generator, l *stationary.GridLaw) float64 { return l.Mean(square) }, 1},
		{"S₁₂", func(g *stationary.Generator, l *stationary.GridLaw) float64 {
			return l.Mean(func(x []float64) float64 { return x[0] * x[1] })
		}, 1.0 / 3},
		{"S₂₂", func(g *stationary.Generator, l *stationary.GridLaw) float64 {
			return l.Mean(func(x []float64) float64 { return x[1] * x[1] })
		}, 0.5},
		{"entropy production", func(g *stationary.Generator, l *stationary.GridLaw) float64 { return g.EntropyProduction(l) }, 1.0 / 9},
	} {
		a, b := c.of(get(40)), c.of(get(80))
		t.Logf("%s: %.8f, %.8f", c.name, a, b)
		within(t, c.name, b+(b-a)/3, c.want, 2e-4)
		if math.Abs(b-a) > 1e-9 {
			within(t, c.name+" order", math.Log2((a-c.want)/(b-c.want)), 2, 0.15)
		}
	}
	// j = −QS⁻¹θ p, and the density, everywhere.
	linear := rotating()
	normal := must(linear.Law())
	var offP, offJ [2]float64
	for i, n := range []int{40, 80} {
		g, law := get(n)
		j := g.Current(law)
		v := make([]float64, 2)
		for k := range n * n {
			theta := g.Center(k)
			if err := linear.Velocity(v, theta); err != nil {
				t.Fatal(err)
			}
			p := math.Exp(normal.LogDensity(theta...))
			offP[i] = math.Max(offP[i], math.Abs(law.Density(theta...)-p))
			for a := range 2 {
				offJ[i] = math.Max(offJ[i], math.Abs(j[a].Values[k]-v[a]*p))
			}
		}
	}
	t.Logf("density off by %.3g, %.3g, current by %.3g, %.3g", offP[0], offP[1], offJ[0], offJ[1])
	within(t, "order of the density", math.Log2(offP[0]/offP[1]), 2, 0.25)
	within(t, "order of the current", math.Log2(offJ[0]/offJ[1]), 2, 0.25)
	// The slowest rates are the eigenvalues of A, 1 and 2.
	for i := range 2 {
		rate := func(n int) float64 {
			g, _ := get(n)
			return real(must(g.Spectrum(2))[i].Rate)
		}
		a, b := rate(40), rate(80)
		within(t, "λ", b+(b-a)/3, float64(i+1), 1e-3)
	}
}

// With a curl in the drift the slow rates are complex: A = [1 −ω; ω 1].
func TestFokkerPlanckTurning(t *testing.T) {
	t.Parallel()
	eq := field{func(x, y float64) (float64, float64) { return -x + 2*y, -2*x - y }, func(x, y float64) [4]float64 { return [4]float64{math.Sqrt2, 0, 0, math.Sqrt2} }}
	g := must(stationary.FokkerPlanck{Equation: eq, Box: sde.Box{Lo: []float64{-5, -5}, Hi: []float64{5, 5}}, Cells: []int{80, 80}}.Generator())
	m := must(g.Spectrum(3)) // 1 ± 2i, 2 and 2 ± 4i
	within(t, "λ2", real(m[1].Rate), 2, 5e-2)
	if m[0].Imag == nil {
		t.Fatal("a real rate")
	}
	within(t, "Re λ", real(m[0].Rate), 1, 2e-2)
	within(t, "|Im λ|", math.Abs(imag(m[0].Rate)), 2, 2e-2)
}

// A full D that depends on θ, whose D₁₂ changes sign, in a box whose sides matter: with
// ∇·D added, exp(−L/T) is the law; the order is 2, and passage times and spectral gaps
// converge as fast, those at the sides included.
func TestFokkerPlanckFullDiffusion(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("grids of 200×200 in long tests")
	}
	root := func(x, y float64) [4]float64 {
		s := 0.7 * math.Sin(x+y)
		return [4]float64{math.Sqrt(2 + x*x/4), 0, s, math.Sqrt(2 - s*s + y*y/8)}
	}
	loss := func(x, y float64) float64 { return (x*x-1)*(x*x-1)/4 + y*y/2 + x*y/3 }
	const T = 0.6
	eq := klimontovich{field{func(x, y float64) (float64, float64) {
		r := root(x, y)
		gx, gy := x*(x*x-1)+y/3, y+x/3
		d11, d12, d22 := r[0]*r[0]/2, r[0]*r[2]/2, (r[2]*r[2]+r[3]*r[3])/2
		return -(d11*gx + d12*gy) / T, -(d12*gx + d22*gy) / T
	}, root}}
	box := sde.Box{Lo: []float64{-1.5, -1.2}, Hi: []float64{1.3, 1.6}}
	exact := must(stationary.Boltzmann(plane(loss), T, box))
	want, _ := exact.Mean(func(x []float64) float64 { return x[0] + x[1] })
	generator := func(eq sde.Equation, box sde.Box, n int) *stationary.Generator {
		return must(stationary.FokkerPlanck{Equation: eq, Box: box, Cells: []int{n, n}}.Generator())
	}
	mean := refined(t, "⟨x+y⟩", 28, func(n int) float64 {
		return must(generator(eq, box, n).Stationary()).Mean(func(x []float64) float64 { return x[0] + x[1] })
	})
	within(t, "⟨x+y⟩", mean, want, 2e-5)
	// Left out, ∇·D is missed.
	without := must(generator(eq.field, box, 56).Stationary()).Mean(func(x []float64) float64 { return x[0] + x[1] })
	if math.Abs(without-want) < 0.01 {
		t.Errorf("without ∇·D ⟨x+y⟩ is %g, with it %g: the test does not see it", without, want)
	}
	refined(t, "λ1", 28, func(n int) float64 { return real(must(generator(eq, box, n).Spectrum(1))[0].Rate) })
	refined(t, "τ", 28, func(n int) float64 {
		return must(generator(eq, box, n).MeanFirstPassageTime(above(0.9))).At(-1, 0)
	})
	// Nothing but diffusion along a diagonal, between walls.
	flat := field{func(x, y float64) (float64, float64) { return 0, 0 }, skew}
	refined(t, "λ1 between walls", 16, func(n int) float64 {
		return real(must(generator(flat, sde.Box{Lo: []float64{0, 0}, Hi: []float64{1, 1}}, n).Spectrum(1))[0].Rate)
	})
	refined(t, "λ1 between absorbing walls", 16, func(n int) float64 {
		return real(must(generator(flat, sde.Box{Lo: []float64{0, 0}, Hi: []float64{1, 1}, Boundary: sde.Absorbing}, n).Spectrum(1))[0].Rate)
	})
	// On a torus the rates are kᵀDk: the slowest, of k = 2π(1, −1), (1, 0), (0, 1) at once.
	torus := refined(t, "λ1 on a torus", 16, func(n int) float64 {
		return real(must(generator(flat, sde.Box{Lo: []float64{0, 0}, Hi: []float64{1, 1}, Boundary: sde.Periodic}, n).Spectrum(1))[0].Rate)
	})
	within(t, "λ1 on a torus", torus, 4*math.Pi*math.Pi, 1e-4)
}

type klimontovich struct{ field }

func (klimontovich) Interpretation() sde.Calculus { return sde.Klimontovich }

// Each calculus has the law of ZeroFlux, and not that of another.
func TestFokkerPlanckCalculus(t *testing.T) {
	t.Parallel()
	d := multiplicative(func(x float64) float64 { return 0.5 * (1 + x*x) })
	var cdf [3]float64
	for i, c := range []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich} {
		flow := sde.Flow{Loss: parabolic, Diffusion: d, Calculus: c, Domain: interval(-5, 4)}
		want := must(stationary.ZeroFlux(flow))
		at := refined(t, c.String(), 180, func(n int) float64 {
			g := must(stationary.FokkerPlanck{Equation: flow, Cells: []int{n}}.Generator())
			return must(g.Stationary()).Probability([]float64{-5}, []float64{-1})
		})
		within(t, c.String(), at, want.CDF(-1), 1e-7)
		cdf[i] = at
	}
	if cdf[1]-cdf[0] < 0.01 || cdf[2]-cdf[1] < 0.01 {
		t.Errorf("the calculi are not told apart: %v", cdf)
	}
}

// In a tilted periodic potential a current flows, J = T(1−e^(−F/T)) / ∫∫ …, here of a
// constant force: J = F/length, p uniform.
func TestFokkerPlanckPeriodic(t *testing.T) {
	t.Parallel()
	eq := drifting{multiplicative(func(float64) float64 { return 0.5 }), func(float64) float64 { return 1.5 }}
	g := must(stationary.FokkerPlanck{Equation: eq, Box: sde.Box{Lo: []float64{0}, Hi: []float64{2}, Boundary: sde.Periodic}, Cells: []int{50}}.Generator())
	law := must(g.Stationary())
	within(t, "p", law.Density(0.3), 0.5, 1e-13)
	within(t, "J", g.Current(law)[0].At(1), 0.75, 1e-13)
	// v²/D in nats a unit of time.
	within(t, "entropy production", g.EntropyProduction(law), 1.5*1.5/0.5, 1e-12)
	// −iλ = k(v − ikD): the slowest mode drifts round as it dies out.
	m := must(must(stationary.FokkerPlanck{Equation: eq, Box: sde.Box{Lo: []float64{0}, Hi: []float64{2}, Boundary: sde.Periodic}, Cells: []int{800}}.Generator()).Spectrum(1))
	within(t, "Re λ", real(m[0].Rate), math.Pi*math.Pi/2, 1e-3)
	within(t, "|Im λ|", math.Abs(imag(m[0].Rate)), 1.5*math.Pi, 1e-3)
}

// Committors: a straight line where nothing pulls, and ∫e^(L/T) where something does.
func TestFokkerPlanckCommittor(t *testing.T) {
	t.Parallel()
	flat := function{func(float64) float64 { return 0 }, func(float64) float64 { return 0 }}
	q := must(line(flat, thermal(1), interval(-1, 1), 77).Committor(below(-0.613), above(0.517)))
	for _, x := range []float64{-0.5, 0, 0.4} {
		within(t, "line", q.At(x), (x+0.613)/1.13, 1e-8)
	}
	const T = 0.2
	f := func(x float64) float64 { return math.Exp(well.Value([]float64{x}) / T) }
	want := quad.Fixed(f, -1, -0.25, 30, nil, 0) / quad.Fixed(f, -1, 1, 60, nil, 0)
	var at [3]float64
	for k, n := range []int{200, 400, 800} {
		at[k] = must(line(well, thermal(T), interval(-3, 3), n).Committor(below(-1), above(1))).At(-0.25)
	}
	within(t, "double well", at[2], want, 1e-5)
	// In the plane, round a ring: log r.
	ring := must(stationary.FokkerPlanck{Equation: sde.Flow{Loss: plane(func(x, y float64) float64 { return 0 }), Diffusion: thermal(1)},
		Box: sde.Box{Lo: []float64{-1.1, -1.1}, Hi: []float64{1.1, 1.1}}, Cells: []int{120, 120}}.Generator())
	q = must(ring.Committor(setFunc(func(x []float64) bool { return math.Hypot(x[0], x[1]) <= 0.25 }),
		setFunc(func(x []float64) bool { return math.Hypot(x[0], x[1]) >= 1 })))
	for _, r := range []float64{0.35, 0.5, 0.8} {
		within(t, "ring", q.At(r, 0), math.Log(r/0.25)/math.Log(4), 2e-3)
		within(t, "ring, aslant", q.At(r*0.6, r*0.8), math.Log(r/0.25)/math.Log(4), 2e-3)
	}
}

// A Gaussian stays one under a linear flow; mass is kept to rounding, and the error goes
// as the square of the step in time.
func TestFokkerPlanckEvolve(t *testing.T) {
	t.Parallel()
	g := line(parabolic, thermal(0.5), interval(-5, 5), 500)
	start := must(g.Project(func(x []float64) float64 { return math.Exp(-(x[0] - 1) * (x[0] - 1) / 0.4) })) // variance 0.2
	moments := func(steps int) (mean, variance float64) {
		l := must(g.Evolve(start, 0.8, steps))
		within(t, "mass", l.Mass(), 1, 1e-12)
		mean = l.Mean(func(x []float64) float64 { return x[0] })
		return mean, l.Mean(square) - mean*mean
	}
	m, v := moments(400)
	within(t, "mean", m, math.Exp(-0.8), 1e-4)
	within(t, "variance", v, 0.5+(0.2-0.5)*math.Exp(-1.6), 2e-4)
	a, _ := moments(20)
	b, _ := moments(40)
	c, _ := moments(80)
	// dt = t/(steps + 4γ), so that a halving is not quite one.
	order := math.Log((a-b)/(b-c)) / math.Log(2)
	within(t, "order in time", order, 2, 0.25)
	// From a point, by steps far longer than a cell's time: no oscillation.
	l := must(g.Evolve(g.At(0), 1, 10))
	within(t, "density at 0", l.Density(0), 1/math.Sqrt(2*math.Pi*0.5*(1-math.Exp(-2))), 5e-3)
	rough := must(g.Evolve(g.At(0), 1e-3, 0))
	for k := range 500 {
		if l.CellProbability(k) < -1e-15 || rough.CellProbability(k) < 0 {
			t.Fatalf("negative masses %g, %g in cell %d", l.CellProbability(k), rough.CellProbability(k), k)
		}
	}
	// Survival between absorbing ends, Σ (4/(π(2k+1))) sin(…) e^(−(2k+1)²π²DT/L²).
	flat := function{func(float64) float64 { return 0 }, func(float64) float64 { return 0 }}
	box := sde.Box{Lo: []float64{0}, Hi: []float64{1}, Boundary: sde.Absorbing}
	want := 0.0
	for k := range 20 {
		n := float64(2*k + 1)
		want += 4 / (math.Pi * n) * math.Sin(n*math.Pi/2) * math.Exp(-n*n*math.Pi*math.Pi*0.1)
	}
	g = line(flat, thermal(1), box, 201)
	within(t, "survival", must(g.Evolve(g.At(0.5), 0.1, 200)).Mass(), want, 1e-4)
	within(t, "principal rate", real(must(g.Spectrum(1))[0].Rate), math.Pi*math.Pi, 1e-3)
}

func TestFokkerPlanckRefuses(t *testing.T) {
	t.Parallel()
	box := sde.Box{Lo: []float64{-1, -1}, Hi: []float64{1, 1}}
	q := quadratic{1, 0, 1, 0, 0}
	ok := sde.Flow{Loss: q, Diffusion: thermal(1)}
	still := func(x, y float64) (float64, float64) { return 0, 0 }
	for name, c := range map[string]struct {
		f    stationary.FokkerPlanck
		err  error
		says string
	}{
		"nothing":    {stationary.FokkerPlanck{}, sde.ErrInvalid, "equation"},
		"no noise":   {stationary.FokkerPlanck{Equation: sde.Flow{Loss: q}, Box: box, Cells: []int{9, 9}}, sde.ErrInvalid, "noise"},
		"T = 0":      {stationary.FokkerPlanck{Equation: sde.Flow{Loss: q, Diffusion: thermal(0)}, Box: box, Cells: []int{9, 9}}, sde.ErrInvalid, "singular"},
		"3-D":        {stationary.FokkerPlanck{Equation: sde.Flow{Loss: tall(3), Diffusion: thermal(1)}, Cells: []int{9, 9, 9}}, sde.ErrDimension, "simulate"},
		"no box":     {stationary.FokkerPlanck{Equation: ok, Cells: []int{9, 9}}, sde.ErrDimension, "Box"},
		"infinite":   {stationary.FokkerPlanck{Equation: ok, Box: sde.Box{Lo: []float64{-1, 0}, Hi: []float64{1, math.Inf(1)}}, Cells: []int{9, 9}}, sde.ErrInvalid, "finite sides"},
		"cells":      {stationary.FokkerPlanck{Equation: ok, Box: box, Cells: []int{9}}, sde.ErrDimension, "one an axis"},
		"few cells":  {stationary.FokkerPlanck{Equation: ok, Box: box, Cells: []int{9, 2}}, sde.ErrInvalid, "at least 3"},
		"too large":  {stationary.FokkerPlanck{Equation: ok, Box: box, Cells: []int{100000, 100000}}, sde.ErrInvalid, "GiB"},
		"too large′": {stationary.FokkerPlanck{Equation: ok, Box: box, Cells: []int{100, 100}, MemoryLimit: 8 << 20}, sde.ErrInvalid, "GiB"},
		"degenerate": {stationary.FokkerPlanck{Equation: field{still, func(x, y float64) [4]float64 { return [4]float64{1, 0, 0, 0} }}, Box: box, Cells: []int{9, 9}}, sde.ErrInvalid, "singular"},
		"rank one":   {stationary.FokkerPlanck{Equation: field{still, func(x, y float64) [4]float64 { return [4]float64{1, 0, 1, 0} }}, Box: box, Cells: []int{9, 9}}, sde.ErrInvalid, "singular"},
		"too skew":   {stationary.FokkerPlanck{Equation: field{still, func(x, y float64) [4]float64 { return [4]float64{1, 0, 2, 1} }}, Box: box, Cells: []int{9, 9}}, sde.ErrUnsupported, "|D₁₂|"},
		"NaN":        {stationary.FokkerPlanck{Equation: field{func(x, y float64) (float64, float64) { return math.NaN(), 0 }, skew}, Box: box, Cells: []int{9, 9}}, sde.ErrInvalid, "drift"},
		"in time":    {stationary.FokkerPlanck{Equation: sde.Flow{Loss: q, Diffusion: cooling{}}, Box: box, Cells: []int{9, 9}}, sde.ErrInvalid, "time"},
		"two boxes":  {stationary.FokkerPlanck{Equation: sde.Flow{Loss: q, Diffusion: thermal(1), Domain: box}, Box: box, Cells: []int{9, 9}}, sde.ErrInvalid, "one of them"},
	} {
		if _, err := c.f.Generator(); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Cells of the shape that the refusal names are accepted.
	skewer := field{still, func(x, y float64) [4]float64 { return [4]float64{1, 0, 2, 1} }}
	if _, err := (stationary.FokkerPlanck{Equation: skewer, Box: box, Cells: []int{22, 10}}).Generator(); err != nil {
		t.Errorf("cells with h₁/h₂ = 1/√5: %v", err)
	}
	g := must(stationary.FokkerPlanck{Equation: ok, Box: box, Cells: []int{9, 9}}.Generator())
	other := must(stationary.FokkerPlanck{Equation: ok, Box: box, Cells: []int{9, 9}}.Generator())
	second := func(_ any, err error) error { return err }
	absorbing := must(stationary.FokkerPlanck{Equation: ok, Box: sde.Box{Lo: box.Lo, Hi: box.Hi, Boundary: sde.Absorbing}, Cells: []int{9, 9}}.Generator())
	for name, err := range map[string]error{
		"stationary, absorbing": second(absorbing.Stationary()),
		"nothing to reach":      second(g.MeanFirstPassageTime(nil)),
		"empty target":          second(g.MeanFirstPassageTime(above(7))),
		"all a target":          second(g.MeanFirstPassageTime(above(-7))),
		"overlap":               second(g.Committor(above(0), above(0.5))),
		"nil set":               second(g.Committor(above(0), nil)),
		"no modes":              second(g.Spectrum(0)),
		"many modes":            second(g.Spectrum(40)),
		"law of another":        second(g.Evolve(other.At(0, 0), 1, 1)),
		"no time":               second(g.Evolve(g.At(0, 0), 0, 1)),
		"steps":                 second(g.Evolve(g.At(0, 0), 1, -1)),
		"negative density":      second(g.Project(func(x []float64) float64 { return x[0] })),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A law on a grid can be compared with samples like any other.
func TestGridLaw(t *testing.T) {
	t.Parallel()
	g := must(stationary.FokkerPlanck{Equation: sde.Flow{Loss: quadratic{1, 0.3, 2, 0, 0}, Diffusion: thermal(0.5)},
		Box: sde.Box{Lo: []float64{-4, -4}, Hi: []float64{4, 4}}, Cells: []int{101, 90}}.Generator())
	law := must(g.Stationary())
	exact := must(stationary.NewGaussian(nil, func() mat.Symmetric {
		det := 2 - 0.09
		return mat.NewSymDense(2, []float64{0.5 * 2 / det, -0.5 * 0.3 / det, -0.5 * 0.3 / det, 0.5 / det})
	}()))
	for _, b := range [][2][]float64{{{-1, -1}, {0.3, 2}}, {{0, math.Inf(-1)}, {0.01, math.Inf(1)}}, {{-9, -9}, {9, 9}}} {
		within(t, "box", law.Probability(b[0], b[1]), exact.Probability(b[0], b[1]), 2e-3)
	}
	within(t, "density", law.Density(0.2, 0.1), math.Exp(exact.LogDensity(0.2, 0.1)), 2e-3)
	if law.Density(5, 0) != 0 {
		t.Error("density outside the box")
	}
	m := law.Marginal(1)
	sum := 0.0
	for _, v := range m {
		sum += v
	}
	if len(m) != 90 || math.Abs(sum-1) > 1e-13 {
		t.Errorf("marginal of %d rows, sum %g", len(m), sum)
	}
}
