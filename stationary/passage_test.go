// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// killed is Euler–Maruyama's chain of a step in an interval, which ends outside: its
// transition kernel on the nodes x of a quadrature,
//
//	x′ = x − h L′(x) + √(2 h factor D(x)) z
//
// Panels of 16 nodes are wide standard deviations of a step: 8 are enough for 10⁵ steps, and 4 for
// 10¹¹, to which what is lost in a step by the quadrature adds up.
type killed struct {
	x, w []float64
	k    *mat.Dense
	row  func(dst []float64, from float64)
	step float64
}

func newKilled(f sde.Flow, h, lo, hi, factor, wide float64) *killed {
	const order = 16
	c := &killed{step: h}
	px, pw := make([]float64, order), make([]float64, order)
	slope, root := make([]float64, 1), make([]float64, 1)
	least := math.Inf(1) // standard deviation of a step
	for k := range 101 {
		f.Diffusion.Root(root, []float64{lo + (hi-lo)*float64(k)/100}, 0)
		least = math.Min(least, root[0]*math.Sqrt(h*factor))
	}
	panels := int(math.Ceil((hi - lo) / (wide * least)))
	for i := range panels {
		quad.Legendre{}.FixedLocations(px, pw, lo+(hi-lo)*float64(i)/float64(panels), lo+(hi-lo)*float64(i+1)/float64(panels))
		c.x, c.w = append(c.x, px...), append(c.w, pw...)
	}
	c.row = func(dst []float64, from float64) {
		f.Loss.Gradient(slope, []float64{from})
		f.Diffusion.Root(root, []float64{from}, 0)
		v := root[0] * root[0] * h * factor
		for j, y := range c.x {
			z := y - from + h*slope[0]
			dst[j] = c.w[j] * math.Exp(-z*z/(2*v)) / math.Sqrt(2*math.Pi*v)
		}
	}
	c.k = mat.NewDense(len(c.x), len(c.x), nil)
	for i, x := range c.x {
		c.row(c.k.RawRowView(i), x)
	}
	return c
}

// mean returns the mean time from a place until the chain is outside.
func (c *killed) mean(from float64) float64 {
	n := len(c.x)
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		for j := range n {
			a.Set(i, j, -c.k.At(i, j))
		}
		a.Set(i, i, a.At(i, i)+1)
		b.SetVec(i, c.step)
	}
	var m mat.VecDense
	_ = m.SolveVec(a, b) // as badly conditioned as the time is long
	last := make([]float64, n)
	c.row(last, from)
	return c.step + mat.Dot(mat.NewVecDense(n, last), &m)
}

// watched returns what is observed of many chains that are watched for 2ᵏ steps and one: the
// mean time in which they are inside over the share that leaves.
func (c *killed) watched(from float64, k int) float64 {
	n := len(c.x)
	power := mat.DenseCopyOf(c.k)
	inside, sum := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil) // after 2ʲ steps, and summed before
	for i := range n {
		sum.SetVec(i, 1)
		inside.SetVec(i, floatSum(c.k.RawRowView(i)))
	}
	var next mat.VecDense
	for range k {
		next.MulVec(power, sum)
		sum.AddVec(sum, &next)
		next.MulVec(power, inside)
		inside.CopyVec(&next)
		var square mat.Dense
		square.Mul(power, power)
		power.Copy(&square)
	}
	last := make([]float64, n)
	c.row(last, from)
	first := mat.NewVecDense(n, last)
	return c.step * (1 + mat.Dot(first, sum)) / (1 - mat.Dot(first, inside))
}

func floatSum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

// powerNoise is D = 0.1 L of offsetQuadratic: d.7 at η = 0.1, h = 1, B = 1.
func powerNoise() sde.Diffusion {
	return noise.DiagonalFunc{State: 1, Of: sde.Diagonal,
		B: func(dst, theta []float64, _ float64) { dst[0] = math.Sqrt(2 * 0.1 * (offsetQuadratic{}).Value(theta)) }}
}

// TestPassageSimulated simulates passages of the tables d.3, d.5 and d.7, and holds them to
// what is known of the chain from its transition kernel, and this, extrapolated in the step, to
// the quadrature of the equation. Particles are watched for about the mean time, and those still
// inside then are censored. A chain of a temperature that is 30 % higher is told apart.
func TestPassageSimulated(t *testing.T) {
	t.Parallel()
	flat := func(d sde.Diffusion) sde.Flow { return sde.Flow{Loss: loss.FlatSharp{}, Diffusion: d} }
	constant := func(T float64) sde.Diffusion { return noise.Temperature{T: T} }
	well := func(T float64) sde.Flow { return sde.Flow{Loss: loss.DoubleWell{}, Diffusion: constant(T)} }
	deep := func(T float64) sde.Flow { return sde.Flow{Loss: loss.DoubleWell{Barrier: 1}, Diffusion: constant(T)} }
	for i, c := range []struct {
		flow         sde.Flow
		from, lo, hi float64 // of lo and hi, those that are whole numbers are targets
		h            float64
		long         bool
	}{
		{well(0.05), -1, -1.8, 0, 0.04, true}, {well(0.05), -1, -1.8, 1, 0.04, true},
		{well(0.1), -1, -2.1, 0, 0.04, false}, {well(0.1), -1, -2.1, 1, 0.04, false},
		{well(0.2), -1, -2.3, 1, 0.02, false}, {deep(0.25), -1, -2.1, 1, 0.01, true}, {deep(1), -1, -2.9, 1, 0.01, true},
		{flat(constant(0.1)), 0, -2.3, 2, 0.04, true}, {flat(constant(0.1)), 2, 0, 3.4, 0.04, true},
		{flat(curved(0.02, 1)), 2, 0, 3.4, 0.04, true}, {flat(curved(0.1, 1)), 0, -2.5, 2, 0.02, true}, {flat(curved(0.1, 1)), 2, 0, 3.7, 0.01, true},
		{sde.Flow{Loss: offsetQuadratic{}, Diffusion: powerNoise()}, 0, -math.Sqrt(0.2), math.Sqrt(0.2), 0.05, true},
	} {
		if c.long && testing.Short() {
			continue
		}
		var target sde.Union
		var ends []float64
		if c.lo == 0 || c.lo*c.lo == c.hi*c.hi {
			target, ends = append(target, sde.HalfSpace{Normal: []float64{-1}, Offset: -c.lo}), append(ends, c.lo)
		}
		if c.hi < 2.5 {
			target, ends = append(target, sde.HalfSpace{Normal: []float64{1}, Offset: c.hi}), append(ends, c.hi)
		}
		name := fmt.Sprintf("%d: %T from %g to %.3g", i, c.flow.Loss, c.from, ends)
		exact := mfpt(t, c.flow, c.from, ends...).Time
		chain := newKilled(c.flow, c.h, c.lo, c.hi, 1, 8)
		// An expansion in √h, of which two terms are taken off.
		mean := chain.mean(c.from)
		half, quarter := newKilled(c.flow, c.h/4, c.lo, c.hi, 1, 8).mean(c.from), newKilled(c.flow, c.h/16, c.lo, c.hi, 1, 8).mean(c.from)
		limit := (mean - 6*half + 8*quarter) / 3
		if !(math.Abs(limit/exact-1) < 0.01) { // what is left is of order h^(3/2)
			t.Errorf("%s: the chain takes %.6g, %.6g and %.6g at h, h/4 and h/16, which tends to %.6g, not %.6g", name, mean, half, quarter, limit, exact)
		}
		k := int(math.Round(math.Log2(mean / c.h)))
		f := &integrate.FirstPassage{Target: target}
		run := integrate.Ensemble{Equation: c.flow, Step: c.h, Particles: 1024, Seed: uint64(40 + i), Start: integrate.Points{{c.from}}}
		if _, err := run.Run(context.Background(), integrate.Schedule{Time: float64(1+int(1)<<k) * c.h}, f); err != nil {
			t.Fatal(err)
		}
		r := f.Passages(0)
		p := func(mean float64) float64 { return exitsP(r, mean) }
		want := chain.watched(c.from, k)
		t.Logf("%s: %.5g after %d exits; chain %.5g, %.5g if watched for ever, limit %.6g; equation %.6g", name, r.Mean, r.Exits, want, mean, limit, exact)
		accept(t, name, p(want))
		reject(t, name+", 30 % hotter", p(newKilled(c.flow, c.h, c.lo, c.hi, 1.3, 8).mean(c.from)))
	}
}

// exitsP is the p-value of a mean time: of exponential times with censoring the number that end
// scatters as Poisson's of their exposure over the mean; of times that cannot be short, less.
func exitsP(r integrate.Passages, mean float64) float64 {
	law := distuv.Poisson{Lambda: r.Exposure / mean}
	return math.Min(1, 2*math.Min(law.CDF(float64(r.Exits)), 1-law.CDF(float64(r.Exits)-1)))
}

// TestLevyExitSimulated: out of (−1, 1.5) under x′ = −x and little stable noise it takes as long as d.9 says,
// and not as long as with one of the ends closed.
func TestLevyExitSimulated(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a second of simulation")
	}
	for i, c := range []struct{ alpha, scale float64 }{{1, 0.002}, {1.5, 0.01}} {
		e := stationary.LevyExit{Alpha: c.alpha, Scale: c.scale, Left: 1, Right: 1.5, Relaxation: 1}
		want := must(e.Predict())
		f := &integrate.FirstPassage{Target: sde.Complement{Of: interval(-1, 1.5)}}
		const h = 0.2
		run := integrate.Ensemble{Equation: sde.Flow{Loss: parabolic, Diffusion: noise.Stable{Alpha: c.alpha, Scale: c.scale}}, Scheme: integrate.StableEuler{},
			Step: h, Particles: 512, Seed: uint64(70 + i)}
		if _, err := run.Run(context.Background(), integrate.Schedule{Time: math.Round(want.Time/h) * h}, f); err != nil {
			t.Fatal(err)
		}
		r := f.Passages(0)
		name := fmt.Sprintf("α = %g", c.alpha)
		t.Logf("%s: %v, predicted %v", name, r, want)
		accept(t, name, exitsP(r, want.Time))
		e.Right = math.Inf(1)
		reject(t, name+", one end closed", exitsP(r, must(e.Predict()).Time))
	}
}

// TestMullerBrownSimulated: from the deepest minimum of Müller–Brown at T = 15 the square about
// the second is reached in 6.835, and not in the time at T = 14. The scheme's law is right to second
// order, as a step of 2·10⁻⁴ is long for curvatures of 4000.
func TestMullerBrownSimulated(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a second of simulation")
	}
	target := setFunc(func(x []float64) bool { return 0.5 <= x[0] && x[0] <= 0.75 && -0.1 <= x[1] && x[1] <= 0.15 })
	from := []float64{-0.558223634633024277, 1.44172584180466866}
	f := &integrate.FirstPassage{Target: target}
	run := integrate.Ensemble{Equation: sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 15}}, Scheme: integrate.LeimkuhlerMatthews{},
		Step: 2e-4, Particles: 256, Seed: 3, Start: integrate.Points{from}}
	if _, err := run.Run(context.Background(), integrate.Schedule{Time: 20}, f); err != nil {
		t.Fatal(err)
	}
	r := f.Passages(0)
	t.Logf("%v", r)
	accept(t, "T = 15", exitsP(r, 6.8350))
	// By Eyring and Kramers' barrier of 106.03: 1.66 times as long.
	reject(t, "T = 14", exitsP(r, 6.8350*math.Exp(106.034673701*(1./14-1./15))))
}

// TestMullerBrownFromTheMiddle: from the third minimum it is 0.8923, though most particles are there
// within 0.02: one in eight falls into the deepest first, so that times are not exponential and their
// plain mean is looked at. At this step the chain takes a tenth longer, which these particles do not
// resolve: 8,192 of them by Euler–Maruyama at a step of 10⁻⁵ took 0.903 ± 0.036, four times 1,536 at
// this one 1.00 ± 0.04.
func TestMullerBrownFromTheMiddle(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("seconds of simulation")
	}
	target := setFunc(func(x []float64) bool { return 0.5 <= x[0] && x[0] <= 0.75 && -0.1 <= x[1] && x[1] <= 0.15 })
	from := []float64{-0.0500108229982060578, 0.466694104871972088}
	f := &integrate.FirstPassage{Target: target}
	run := integrate.Ensemble{Equation: sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 15}}, Scheme: integrate.LeimkuhlerMatthews{},
		Step: 1e-4, Particles: 768, Seed: 5, Start: integrate.Points{from}}
	if _, err := run.Run(context.Background(), integrate.Schedule{Time: 50}, f); err != nil {
		t.Fatal(err)
	}
	r := f.Passages(0)
	if r.Censored > 0 {
		t.Fatalf("%d particles are still underway: %v", r.Censored, r)
	}
	p := func(mean float64) float64 {
		return 2 * distuv.UnitNormal.Survival(math.Abs(r.Average.Value-mean)/r.Average.StdErr)
	}
	t.Logf("%v", r.Average)
	accept(t, "from the third minimum", p(0.8923))
	reject(t, "from the third minimum, as long as from the deepest", p(6.835))
}

// TestRarePassages: of the passages of d.5 and d.7 that are too rare to wait for, splitting
// finds the chain's own time.
func TestRarePassages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("some seconds of splitting")
	}
	above := func(x float64) sde.Set { return sde.HalfSpace{Normal: []float64{1}, Offset: x} }
	below := func(x float64) sde.Set { return sde.HalfSpace{Normal: []float64{-1}, Offset: -x} }
	flat := func(d sde.Diffusion) sde.Flow { return sde.Flow{Loss: loss.FlatSharp{}, Diffusion: d} }
	up, down, out := func(x []float64) float64 { return x[0] }, func(x []float64) float64 { return -x[0] }, func(x []float64) float64 { return math.Abs(x[0]) }
	reach := math.Sqrt(0.6)
	for i, c := range []struct {
		flow         sde.Flow
		h            float64
		from, lo, hi float64
		targets      []float64
		home, to     sde.Set
		gate         float64
		xi           func([]float64) float64
		warmer       float64
	}{
		{flat(noise.Temperature{T: 0.05}), 0.02, 0, -1.8, 2, []float64{2}, below(0.1), above(2), 0.35, up, 1.05},
		{flat(noise.Temperature{T: 0.05}), 0.02, 2, 0, 2.9, []float64{0}, above(1.95), below(0), -1.8, down, 1.05},
		{flat(curved(0.02, 1)), 0.02, 0, -1.6, 2, []float64{2}, below(0.1), above(2), 0.3, up, 1.05},
		{sde.Flow{Loss: offsetQuadratic{}, Diffusion: powerNoise()}, 0.02, 0, -reach, reach, []float64{-reach, reach},
			sde.Ball{Center: []float64{0}, Radius: 0.05}, sde.Complement{Of: interval(-reach, reach)}, 0.15, out, 1.2},
	} {
		e := integrate.RareEvent{Equation: c.flow, Step: c.h, Start: integrate.Points{{c.from}}, Seed: uint64(60 + i), Coordinate: c.xi, From: c.home, To: c.to,
			Gate: c.gate, FluxTime: 60, Runs: 32}
		r, err := integrate.Splitting{RareEvent: e, Clones: 64}.Estimate(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		chain := newKilled(c.flow, c.h, c.lo, c.hi, 1, 4).mean(c.from)
		wrong := newKilled(c.flow, c.h, c.lo, c.hi, c.warmer, 4).mean(c.from)
		exact := mfpt(t, c.flow, c.from, c.targets...).Time
		t.Logf("%d: %v in %d steps, chain %.4g, equation %.6g, hotter %.4g", i, r, r.Steps, chain, exact, wrong)
		p := func(want float64) float64 {
			z := math.Abs(r.MeanTime.Value*(1-r.Bias)/want-1) / math.Sqrt(r.Bias)
			return 2 * stationary.StudentT{Scale: 1, Nu: float64(e.Runs - 1)}.CDF(-z)
		}
		accept(t, fmt.Sprint(i), p(chain))
		reject(t, fmt.Sprintf("%d, %g times as hot", i, c.warmer), p(wrong))
	}
}
