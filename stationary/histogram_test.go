// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

func sample(group, index, cols int, x ...float64) sde.Sample {
	return sde.Sample{Group: group, Index: index, X: sde.Batch{Data: x, Rows: len(x) / cols, Cols: cols, Stride: cols}}
}

func TestHistogramCounts(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	h := stationary.NewHistogram(0, 4, 4)
	if err := h.Start(sde.Run{Dim: 1, Groups: 3, Observations: 4}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []sde.Sample{
		sample(0, 0, 1, 0, 0.5, 1, 3.999, 4, -1e-300, nan),
		sample(2, 3, 1, 2, -inf, inf, 1e300, 1.5),
		sample(2, 1, 1),
	} {
		if err := h.Observe(s); err != nil {
			t.Fatal(err)
		}
	}
	want := []uint64{2, 2, 1, 1}
	for i, n := range h.Counts() {
		if n != want[i] {
			t.Errorf("bin %d holds %d, want %d", i, n, want[i])
		}
	}
	if below, above, nan := h.Outside(); below != 2 || above != 3 || nan != 1 || h.Samples() != 12 {
		t.Errorf("outside %d %d %d of %d", below, above, nan, h.Samples())
	}
	density, stderr := h.Density()
	within(t, "density", density[0], 2.0/12, 1e-15)
	// Groups of 7 and 5 with 2 and 0 in the bin: residuals ±2·5/12.
	within(t, "standard error", stderr[0], math.Sqrt(2*2*math.Pow(2-7.0/6, 2))/12, 1e-15)
	for i, e := range h.Edges() {
		within(t, "edge", e, float64(i), 0)
	}
	if err := h.Start(sde.Run{Dim: 1, Groups: 1}); err != nil || h.Samples() != 0 {
		t.Error("starting again did not begin anew")
	}
}

func TestHistogramCoordinates(t *testing.T) {
	t.Parallel()
	x := sde.Batch{Data: []float64{1, 10, 0, 2, 20, 0, 3, 30, 0}, Rows: 3, Cols: 2, Stride: 3}
	second := stationary.NewHistogram(0, 40, 4)
	second.Coordinate = 1
	sum := stationary.NewHistogram(0, 40, 4)
	sum.Project = func(theta []float64) float64 { return theta[0] + theta[1] }
	two := stationary.NewHistogram2D([2]float64{0, 0}, [2]float64{4, 25}, [2]int{4, 5})
	for _, o := range []sde.Observer{second, sum, two} {
		if err := o.Start(sde.Run{Dim: 2, Groups: 1}); err != nil {
			t.Fatal(err)
		}
		if err := o.Observe(sde.Sample{X: x}); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range []*stationary.Histogram{second, sum} {
		if c := h.Counts(); c[0] != 0 || c[1] != 1 || c[2] != 1 || c[3] != 1 {
			t.Errorf("counts %v", c)
		}
	}
	c := two.Counts()
	outside, nan := two.Outside()
	if c[1*5+2] != 1 || c[2*5+4] != 1 || outside != 1 || nan != 0 || two.Samples() != 3 {
		t.Errorf("counts %v, outside %d", c, outside)
	}
	density, _ := two.Density()
	within(t, "density", density[1*5+2], 1.0/3/5, 1e-15)
	if err := two.Add(3, []float64{1, math.NaN()}, []float64{1, 1}); err != nil || two.Samples() != 5 {
		t.Errorf("Add: %v", err)
	}
	if _, nan := two.Outside(); nan != 1 {
		t.Errorf("%d NaN", nan)
	}
}

// What is saved loads to the same, and nothing else loads.
func TestGroupSavers(t *testing.T) {
	t.Parallel()
	run := sde.Run{Dim: 1, Groups: 2, Observations: 2}
	makers := map[string]func() sde.Observer{
		"Histogram":   func() sde.Observer { return stationary.NewHistogram(-1, 1, 5) },
		"Thermometer": func() sde.Observer { return &stationary.Thermometer{Loss: well} },
		"Histogram2D": func() sde.Observer {
			h := stationary.NewHistogram2D([2]float64{-1, -1}, [2]float64{1, 1}, [2]int{3, 2})
			h.Project = func(theta []float64) (x, y float64) { return theta[0], -theta[0] }
			return h
		},
	}
	for name, maker := range makers {
		a, b := maker(), maker()
		for _, o := range []sde.Observer{a, b} {
			if err := o.Start(run); err != nil {
				t.Fatal(name, err)
			}
		}
		for i := range 2 {
			if err := a.Observe(sample(1, i, 1, 0.1, 0.9, -3, 0.95)); err != nil {
				t.Fatal(err)
			}
		}
		data := a.(sde.GroupSaver).AppendGroup([]byte("x"), 1)[1:]
		if err := b.(sde.GroupSaver).LoadGroup(1, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again := b.(sde.GroupSaver).AppendGroup(nil, 1); !bytes.Equal(again, data) {
			t.Errorf("%s: other bytes after loading", name)
		}
		for what, bad := range map[string][]byte{"nothing": nil, "a byte less": data[:len(data)-1], "a byte more": append(bytes.Clone(data), 0),
			"other magic": append([]byte("X"), data[1:]...), "other shape": append(append(bytes.Clone(data[:8]), data[8]^1), data[9:]...),
			"too many": append(bytes.Clone(data[:len(data)-8*4]), bytes.Repeat([]byte{255}, 32)...)} {
			if name == "Thermometer" && what == "too many" {
				continue // those are sums, which can be anything
			}
			if err := b.(sde.GroupSaver).LoadGroup(0, bad); err == nil {
				t.Errorf("%s: %s was loaded", name, what)
			}
		}
		if err := b.(sde.GroupSaver).LoadGroup(2, data); err == nil {
			t.Errorf("%s: a group too many was loaded", name)
		}
	}
}

func FuzzLoadGroup(f *testing.F) {
	h := stationary.NewHistogram(-1, 1, 3)
	l := loss.ThreeHole{}
	observers := []sde.Observer{h, stationary.NewHistogram2D([2]float64{-1, -1}, [2]float64{1, 1}, [2]int{3, 2}),
		&stationary.Thermometer{Loss: l}, &stationary.Thermometers{Loss: l}}
	for _, o := range observers {
		if err := o.Start(sde.Run{Dim: 2, Groups: 1}); err != nil {
			f.Fatal(err)
		}
		if err := o.Observe(sample(0, 0, 2, 0.5, 7, -0.2, 0.1)); err != nil {
			f.Fatal(err)
		}
		f.Add(o.(sde.GroupSaver).AppendGroup(nil, 0))
	}
	f.Add([]byte("sgfhist1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, ob := range observers {
			o := ob.(sde.GroupSaver)
			if err := o.LoadGroup(0, data); err == nil {
				if again := o.AppendGroup(nil, 0); !bytes.Equal(again, data) {
					t.Errorf("%T: loaded %x, wrote %x", o, data, again)
				}
			}
		}
		if n := h.Samples(); n > 1<<54 {
			t.Errorf("%d samples", n)
		}
	})
}

// Observing allocates nothing.
func TestObserveAllocates(t *testing.T) {
	x := make([]float64, 2048)
	sde.NewStream(1, nil).Normals(x)
	two := stationary.NewHistogram2D([2]float64{-3, -3}, [2]float64{3, 3}, [2]int{20, 20})
	for d, observers := range map[int][]sde.Observer{1: {stationary.NewHistogram(-2, 2, 50), &stationary.Thermometer{Loss: well}},
		2: {stationary.NewHistogram(-2, 2, 50), two, &stationary.Thermometer{Loss: quadratic{1, 0, 1, 0, 0}}}} {
		for _, o := range observers {
			if err := o.Start(sde.Run{Dim: d, Groups: 1}); err != nil {
				t.Fatal(err)
			}
			s := sample(0, 0, d, x...)
			if n := testing.AllocsPerRun(20, func() {
				if err := o.Observe(s); err != nil {
					panic(err)
				}
			}); n != 0 {
				t.Errorf("%T in %d-D: %g allocations", o, d, n)
			}
		}
	}
}

func BenchmarkHistogram(b *testing.B) {
	x := make([]float64, 1024)
	for _, c := range []struct {
		name string
		dim  int
	}{{"1-D", 1}, {"coordinate of 2-D", 2}} {
		b.Run(c.name, func(b *testing.B) {
			h := stationary.NewHistogram(-2.5, 2.5, 200)
			if err := h.Start(sde.Run{Dim: c.dim, Groups: 1}); err != nil {
				b.Fatal(err)
			}
			x, _ = metropolis(0.2, 1024)(sde.NewStream(1, nil), 0, 0, make([]float64, 4096)), 0
			s := sample(0, 0, c.dim, x...)
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Observe(s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.X.Rows), "ns/sample")
		})
	}
}

// Every setting that is wrong is refused by an error that names it.
func TestBadInput(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	start := func(o sde.Observer, r sde.Run) error { return o.Start(r) }
	one := sde.Run{Dim: 1, Groups: 4}
	boltzmann := func(l sde.Loss, T float64, d ...sde.Domain) error {
		_, err := stationary.Boltzmann(l, T, d...)
		return err
	}
	discretized := func(l sde.Loss, T, h float64, d ...sde.Domain) error {
		_, err := stationary.Discretized(l, T, h, d...)
		return err
	}
	compare := func(l stationary.Law, o ...sde.Observer) error { _, err := stationary.Compare(l, o...); return err }
	filled := func() *stationary.Histogram {
		h := stationary.NewHistogram(-3, 3, 10)
		if err := h.Add(0, []float64{1, 2}); err != nil {
			t.Fatal(err)
		}
		return h
	}
	law := must(stationary.Boltzmann(well, 0.2))
	lawPlane := must(stationary.Boltzmann(quadratic{1, 0, 1, 0, 0}, 1))
	grid := func(lo, hi [2]float64, bins, c [2]int) *stationary.Histogram2D {
		h := stationary.NewHistogram2D(lo, hi, bins)
		h.Coordinates = c
		return h
	}
	nanOnly := stationary.NewHistogram(-3, 3, 10)
	if err := nanOnly.Add(0, []float64{nan}); err != nil {
		t.Fatal(err)
	}
	flat := function{func(float64) float64 { return 0 }, nil}
	slope := function{func(x float64) float64 { return x }, nil}
	for _, c := range []struct {
		name  string
		err   error
		cause error
	}{
		{"lo = hi", start(stationary.NewHistogram(1, 1, 10), one), nil},
		{"lo > hi", start(stationary.NewHistogram(2, 1, 10), one), nil},
		{"NaN end", start(stationary.NewHistogram(nan, 1, 10), one), nil},
		{"infinite end", start(stationary.NewHistogram(0, inf, 10), one), nil},
		{"no bins", start(stationary.NewHistogram(0, 1, 0), one), nil},
		{"negative bins", start(stationary.NewHistogram(0, 1, -5), one), nil},
		{"bins beyond memory", start(stationary.NewHistogram(0, 1, 1<<40), one), nil},
		{"bins without width", start(stationary.NewHistogram(1, math.Nextafter(1, 2), 10), one), nil},
		{"coordinate", start(&stationary.Histogram{Lo: 0, Hi: 1, Bins: 2, Coordinate: 1}, one), sde.ErrDimension},
		{"negative coordinate", start(&stationary.Histogram{Lo: 0, Hi: 1, Bins: 2, Coordinate: -1}, one), sde.ErrDimension},
		{"no groups", start(stationary.NewHistogram(0, 1, 2), sde.Run{Dim: 1}), nil},
		{"negative group", stationary.NewHistogram(0, 1, 2).Add(-1, nil), nil},
		{"Add to no bins", stationary.NewHistogram(0, 1, 0).Add(0, nil), nil},
		{"grid in 1-D", start(grid([2]float64{}, [2]float64{1, 1}, [2]int{2, 2}, [2]int{0, 1}), one), sde.ErrDimension},
		{"grid of one coordinate", start(grid([2]float64{}, [2]float64{1, 1}, [2]int{2, 2}, [2]int{1, 1}), sde.Run{Dim: 2, Groups: 1}), nil},
		{"grid axis", start(grid([2]float64{}, [2]float64{1, -1}, [2]int{2, 2}, [2]int{0, 1}), sde.Run{Dim: 2, Groups: 1}), nil},
		{"grid bins", start(grid([2]float64{}, [2]float64{1, 1}, [2]int{2, 0}, [2]int{0, 1}), sde.Run{Dim: 2, Groups: 1}), nil},
		{"thermometer without loss", start(&stationary.Thermometer{}, one), nil},
		{"thermometer of other dimension", start(&stationary.Thermometer{Loss: well}, sde.Run{Dim: 2, Groups: 1}), sde.ErrDimension},
		{"thermometer without groups", start(&stationary.Thermometer{Loss: well}, sde.Run{Dim: 1}), nil},
		{"nil loss", boltzmann(nil, 1), nil},
		{"T = 0", boltzmann(well, 0), nil},
		{"T < 0", boltzmann(well, -0.2), nil},
		{"T NaN", boltzmann(well, nan), nil},
		{"T infinite", boltzmann(well, inf), nil},
		{"three dimensions", boltzmann(tall(3), 1), sde.ErrDimension},
		{"no dimension", boltzmann(tall(0), 1), sde.ErrDimension},
		{"box of other dimension", boltzmann(well, 1, sde.Box{Lo: []float64{0, 0}, Hi: []float64{1, 1}}), sde.ErrDimension},
		{"empty box", boltzmann(well, 1, interval(1, 1)), nil},
		{"absorbing box", boltzmann(well, 1, sde.Box{Lo: []float64{0}, Hi: []float64{1}, Boundary: sde.Absorbing}), nil},
		{"periodic box, other loss", boltzmann(well, 1, sde.Box{Lo: []float64{0}, Hi: []float64{1}, Boundary: sde.Periodic}), nil},
		{"two domains", boltzmann(well, 1, interval(0, 1), interval(0, 1)), nil},
		{"other domain", boltzmann(well, 1, ball{}), nil},
		{"flat", boltzmann(flat, 1), sde.ErrNotNormalizable},
		{"slope", boltzmann(slope, 1), sde.ErrNotNormalizable},
		{"slope in half a box", boltzmann(slope, 1, interval(math.Inf(-1), 0)), sde.ErrNotNormalizable},
		{"log", boltzmann(function{func(x float64) float64 { return math.Log1p(x*x) / 2 }, nil}, 1), sde.ErrNotNormalizable},
		{"bounded", boltzmann(function{func(x float64) float64 { return -math.Exp(-x * x) }, nil}, 0.1), sde.ErrNotNormalizable},
		{"downwards", boltzmann(function{func(x float64) float64 { return -x * x }, nil}, 1), sde.ErrNotNormalizable},
		{"hyperbola", boltzmann(plane(func(x, y float64) float64 { return (x*y - 1) * (x*y - 1) / 2 }), 1), sde.ErrNotNormalizable},
		{"declared", boltzmann(refuses{well}, 1), sde.ErrNotNormalizable},
		{"NaN loss", boltzmann(function{func(x float64) float64 { return math.Sqrt(x) - 1 }, nil}, 1, interval(-1, 1)), nil},
		{"NaN everywhere", boltzmann(function{func(float64) float64 { return nan }, nil}, 1), nil},
		{"h = 0", discretized(well, 1, 0), nil},
		{"h < 0", discretized(well, 1, -0.1), nil},
		{"h NaN", discretized(well, 1, nan), nil},
		{"discretized T = 0", discretized(well, 0, 0.1), nil},
		{"discretized nil", discretized(nil, 1, 0.1), nil},
		{"beyond the turn", discretized(well, 0.2, 0.1, interval(-4, 4)), nil},
		{"unstable", discretized(function{func(x float64) float64 { return 5 * x * x }, func(x float64) float64 { return 10 * x }}, 1, 0.3), nil},
		{"nil law", compare(nil, filled()), nil},
		{"no histogram", compare(law), nil},
		{"thermometer alone", compare(law, &stationary.Thermometer{Loss: well}), nil},
		{"two histograms", compare(law, filled(), filled()), nil},
		{"two thermometers", compare(law, filled(), &stationary.Thermometer{}, &stationary.Thermometer{}), nil},
		{"other observer", compare(law, other{}), nil},
		{"empty histogram", compare(law, stationary.NewHistogram(-3, 3, 10)), nil},
		{"nothing but NaN", compare(law, nanOnly), nil},
		{"law in 2-D", compare(lawPlane, filled()), sde.ErrDimension},
	} {
		var setting *sde.SettingError
		switch {
		case c.err == nil:
			t.Errorf("%s: accepted", c.name)
		case !errors.As(c.err, &setting) || !errors.Is(c.err, sde.ErrInvalid):
			t.Errorf("%s: not a SettingError: %v", c.name, c.err)
		case setting.Field == "" || setting.Want == "":
			t.Errorf("%s: %v names no field or what would be right", c.name, c.err)
		case c.cause != nil && !errors.Is(c.err, c.cause):
			t.Errorf("%s: %v does not wrap %v", c.name, c.err, c.cause)
		}
	}
	for name, f := range map[string]func(){
		"LogDensity": func() { law.LogDensity(1, 2) }, "CDF": func() { lawPlane.CDF(1) }, "Quantile": func() { law.Quantile(1.5) },
		"Marginal": func() { law.Marginal(1) }, "Probability": func() { law.Probability(nil, nil) }, "Score": func() { law.Score(nil, nil) },
		"Add": func() { _ = grid([2]float64{}, [2]float64{1, 1}, [2]int{2, 2}, [2]int{0, 1}).Add(0, nil, []float64{1}) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || len(s) < 12 || s[:12] != "stationary: " {
					t.Errorf("%s does not panic with a message of this package", name)
				}
			}()
			f()
		}()
	}
}

type ball struct{}

func (ball) Contains([]float64) bool           { return true }
func (ball) Constrain(before, after sde.Batch) {}

type refuses struct{ doubleWell }

func (refuses) Normalizable(float64) bool { return false }

type other struct{}

func (other) Start(sde.Run) error      { return nil }
func (other) Observe(sde.Sample) error { return nil }
