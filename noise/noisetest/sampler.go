// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noisetest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// The upgrades of an sde.GradientSampler.
const (
	MeanGradient       Upgrade = "MeanGradient"
	GradientCovariance Upgrade = "GradientCovariance"
	Correlated         Upgrade = "Correlated"
	Batched            Upgrade = "Batched"
)

// SamplerOptions says how a sampler of gradients is checked. The zero value serves most.
type SamplerOptions struct {
	// Points are the places where gradients are sampled. Nil means 2 around the origin, at
	// distances of about Scale in each coordinate.
	Points [][]float64
	// Scale is the distance of the default points; 0 means 1.
	Scale float64
	// Rows and Steps are how many particles are sampled at each point, and for how many steps
	// each of two blocks; 0 means 256 and 64. Rows is at least 16. A fault of size δ in units of a
	// standard deviation is found from about 50/δ² gradients on. That a sampler which is
	// Correlated over n steps is independent beyond them is tested if Steps is at least 2n.
	Rows, Steps int
	// Seed selects the noise; another must pass as well.
	Seed uint64
	// Wants lists the upgrades that the sampler is meant to have.
	Wants []Upgrade
}

// TestSampler checks s as CheckSampler does and reports each fault by t.Error.
func TestSampler(t testing.TB, s sde.GradientSampler, o SamplerOptions) {
	t.Helper()
	conformance.Report(t, CheckSampler(s, o))
}

// samplerAlpha bounds the false alarms of one CheckSampler, over all of its p-values.
const samplerAlpha = 1e-6

// CheckSampler returns nil if s keeps the promises of sde.GradientSampler and of the upgrades it
// has, otherwise the faults it found, each with its explanation, joined by errors.Join.
//
//   - Its objective has a dimension, and Validate returns nil if there is one.
//   - Gradients are a function of seed, block and step: the same bits when asked again, after
//     other places, from a second binding, with other numbers in dst, with gaps between rows, and from
//     several goroutines with a binding each. Nothing is written to x.
//   - What is drawn does not depend on x: after one call the stream is where it is after
//     another of as many rows.
//   - The mean is ∇L, or as MeanGradient says; the covariance is as GradientCovariance says. For a
//     sampler that is Batched, it is the factor times the covariance over samples.
//   - Rows, blocks and steps are independent of one another; if the sampler is Correlated, steps so
//     far apart.
//   - No method has the name of an upgrade's and another signature.
//   - Nothing panics.
//
// What is random is tested by p-values that reject a sound sampler one time in 10⁶, over all of
// them. Each row's average over the steps is one number; its scatter between rows gives the
// standard error, so that no model of the correlation in time is needed, and Student's law the
// p-value. It is trustworthy if rows are many and the noise of a row's average close to Gaussian.
// In more than eight dimensions eight fixed random directions are tested in the place of
// coordinates. Where the declared variance is infinite, signs of the noise about the mean are, and
// the noise is taken to be symmetric.
func CheckSampler(s sde.GradientSampler, o SamplerOptions) error {
	if s == nil {
		return errors.New("noisetest: the sampler is nil")
	}
	c := &samplerChecker{s: s, o: o}
	if err := c.guard("settings", c.settings); err != nil {
		return err
	}
	var all []error
	for _, check := range []struct {
		name string
		run  func() error
	}{
		{"upgrades", c.upgrades},
		{"purity", c.purity},
		{"law", c.law},
		{"concurrency", c.concurrency},
	} {
		if err := c.guard(check.name, check.run); err != nil {
			all = append(all, err)
			if check.name == "purity" {
				break // nothing to stand on
			}
		}
	}
	return errors.Join(all...)
}

// samplerChecker is one run of the battery.
type samplerChecker struct {
	s          sde.GradientSampler
	o          SamplerOptions
	d          int
	directions [][]float64
}

func (c *samplerChecker) guard(name string, check func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("noisetest: %s: the sampler panicked: %v", name, r)
		}
	}()
	if err := check(); err != nil {
		return fmt.Errorf("noisetest: %s: %w", name, err)
	}
	return nil
}

func (c *samplerChecker) settings() error {
	o := &c.o
	for _, f := range []struct {
		name            string
		value           *int
		least, standard int
	}{{"Rows", &o.Rows, 16, 256}, {"Steps", &o.Steps, 8, 64}} {
		if *f.value == 0 {
			*f.value = f.standard
		}
		if *f.value < f.least {
			return &sde.SettingError{Field: "noisetest: SamplerOptions." + f.name, Value: *f.value, Want: fmt.Sprintf("at least %d, or 0 for %d", f.least, f.standard)}
		}
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if !(o.Scale > 0) || math.IsInf(o.Scale, 0) {
		return &sde.SettingError{Field: "noisetest: SamplerOptions.Scale", Value: o.Scale, Want: "a finite number above 0, or 0 for 1"}
	}
	if v, ok := c.s.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return fmt.Errorf("the sampler refuses itself: %w", err)
		}
	}
	l := c.s.Objective()
	if l == nil || l.Dim() < 1 {
		return errors.New("method Objective returns no loss, or one of no dimension")
	}
	c.d = l.Dim()
	rng := rand.New(rand.NewPCG(1, 2))
	if o.Points == nil {
		for range 2 {
			p := make([]float64, c.d)
			for j := range p {
				p[j] = o.Scale * rng.NormFloat64()
			}
			o.Points = append(o.Points, p)
		}
	}
	for i, p := range o.Points {
		if len(p) != c.d {
			return &sde.SettingError{Field: fmt.Sprintf("noisetest: SamplerOptions.Points[%d]", i), Value: p,
				Want: fmt.Sprintf("%d coordinates, as many as the loss has", c.d), Err: sde.ErrDimension}
		}
	}
	for k := range min(c.d, 8) {
		w := make([]float64, c.d)
		if w[k] = 1; c.d > 8 {
			var q float64
			for j := range w {
				w[j] = rng.NormFloat64()
				q += w[j] * w[j]
			}
			for j := range w {
				w[j] /= math.Sqrt(q)
			}
		}
		c.directions = append(c.directions, w)
	}
	return nil
}

// samplerInterfaces are the upgrades of a sampler. Of Batched only what every sampler does
// not have is looked for by name.
var samplerInterfaces = []conformance.Upgrade{
	{Name: string(MeanGradient), Type: reflect.TypeFor[sde.MeanGradient]()},
	{Name: string(GradientCovariance), Type: reflect.TypeFor[sde.GradientCovariance]()},
	{Name: string(Correlated), Type: reflect.TypeFor[sde.Correlated]()},
	{Name: string(Batched), Type: reflect.TypeFor[interface {
		Batches() (sde.FiniteSum, int)
		BindBatches(rows int) func(dst []uint32, s *sde.Stream)
	}]()},
	{Name: "Validate", Type: reflect.TypeFor[interface{ Validate() error }]()},
}

func (c *samplerChecker) upgrades() error {
	if err := conformance.Upgrades(c.s, "sampler", samplerInterfaces); err != nil {
		return err
	}
	for _, w := range c.o.Wants {
		known, err := conformance.Has(c.s, string(w), samplerInterfaces)
		if err != nil {
			return err
		}
		if !known {
			return &sde.SettingError{Field: "noisetest: SamplerOptions.Wants", Value: string(w), Want: "an upgrade of an sde.GradientSampler, one of this package's constants"}
		}
	}
	return nil
}

// at returns so many rows of all points in turn, with so many numbers between two rows.
func (c *samplerChecker) at(rows, gap int) sde.Batch {
	x := sde.NewBatch(rows, c.d+gap)
	conformance.Fill(x.Data, math.NaN())
	x.Cols = c.d
	for r := range rows {
		copy(x.Row(r), c.o.Points[r%len(c.o.Points)])
	}
	return x
}

// sample returns gradients at a place, as one slice, in a batch with gaps, full of NaN before.
func (c *samplerChecker) sample(f sde.GradientFunc, x sde.Batch, stream *sde.Stream, block, step, gap int) []float64 {
	dst := sde.NewBatch(x.Rows, c.d+gap)
	conformance.Fill(dst.Data, math.NaN())
	dst.Cols = c.d
	stream.At(sde.Steps, block, step)
	f(dst, x, stream)
	var g []float64
	for r := range x.Rows {
		g = append(g, dst.Row(r)...)
	}
	return g
}

// purity asks for the same gradients in several ways.
func (c *samplerChecker) purity() error {
	const rows = 33
	f, again := c.s.BindGradients(rows), c.s.BindGradients(rows)
	stream, other := sde.NewStream(c.o.Seed, nil), sde.NewStream(c.o.Seed, nil)
	x := c.at(rows, 0)
	before := slices.Clone(x.Data)
	f(sde.NewBatch(0, c.d), sde.NewBatch(0, c.d), stream)
	f(sde.NewBatch(1, c.d), x.Slice(0, 1), stream)
	type place struct{ block, step int }
	places := []place{{0, 0}, {0, 1}, {3, 0}, {0, 2}, {3, 71}, {1, 1000}}
	want := map[place][]float64{}
	for _, p := range places {
		g := c.sample(f, x, stream, p.block, p.step, 0)
		for k, v := range g {
			if v-v != 0 {
				return fmt.Errorf("∂/∂θ_%d = %v at θ = %v, block %d, step %d: it should be finite", k%c.d, v, x.Row(k/c.d), p.block, p.step)
			}
		}
		if want[p] = g; !conformance.SameBits(x.Data, before) {
			return errors.New("the function of BindGradients wrote to x")
		}
	}
	for i := len(places) - 1; i >= 0; i-- {
		p := places[i]
		for _, g := range []struct {
			how string
			g   []float64
		}{
			{"asked again after other places", c.sample(f, x, stream, p.block, p.step, 0)},
			{"of a second binding", c.sample(again, x, other, p.block, p.step, 0)},
			{"in batches with gaps between rows", c.sample(f, c.at(rows, 3), stream, p.block, p.step, 2)},
		} {
			if !conformance.SameBits(g.g, want[p]) {
				k := 0
				for math.Float64bits(g.g[k]) == math.Float64bits(want[p][k]) {
					k++
				}
				return fmt.Errorf("the gradient %s is another at block %d, step %d, row %d: ∂/∂θ_%d = %v, and was %v; it should be a function of seed, block, step and θ alone",
					g.how, p.block, p.step, k/c.d, k%c.d, g.g[k], want[p][k])
			}
		}
	}
	if b, ok := c.s.(sde.Batched); ok {
		l, size := b.Batches()
		samples := make([]uint32, rows*size)
		b.BindBatches(rows)(samples, stream)
		for _, i := range samples {
			if int(i) >= l.Samples() {
				return fmt.Errorf("method BindBatches draws sample %d of %d", i, l.Samples())
			}
		}
	}
	// Where the stream is afterwards tells how much was drawn.
	var next [2]uint64
	y := sde.NewBatch(rows, c.d)
	for r := range rows {
		for j, v := range x.Row(r) {
			y.Row(r)[j] = v/2 + c.o.Scale/3
		}
	}
	for k, x := range []sde.Batch{x, y} {
		c.sample(f, x, stream, 2, 5, 0)
		stream.Words(next[k : k+1])
	}
	if next[0] != next[1] {
		return errors.New("how much is drawn from the stream depends on θ: what is drawn should not, so that runs of one seed share it")
	}
	return nil
}

// concurrency asks several bindings at once.
func (c *samplerChecker) concurrency() error {
	const rows, workers, steps = 16, 4, 20
	got := make([][]float64, workers)
	var panicked any
	var once sync.Once
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					once.Do(func() { panicked = r })
				}
			}()
			f, stream, x := c.s.BindGradients(rows), sde.NewStream(c.o.Seed, nil), c.at(rows, 0)
			for k := range steps {
				got[w] = append(got[w], c.sample(f, x, stream, k%3, k, 0)...)
			}
		})
	}
	all.Wait()
	if panicked != nil {
		return fmt.Errorf("the sampler panicked when used by several goroutines with a binding each: %v", panicked)
	}
	for _, g := range got[1:] {
		if !conformance.SameBits(g, got[0]) {
			return errors.New("gradients are others when several goroutines sample with a binding each: do bindings share memory?")
		}
	}
	return nil
}

// check is a test of rows' averages against what they should have as a mean.
type check struct {
	what string
	rows []float64
	want float64
	size float64 // of what the numbers are sums of, for rounding
}

// law tests mean, covariance and independence.
func (c *samplerChecker) law() error {
	var checks []check
	for _, p := range c.o.Points {
		more, err := c.lawAt(p)
		if err != nil {
			return err
		}
		checks = append(checks, more...)
	}
	var all []error
	for _, k := range checks {
		if p, mean, stderr := k.pValue(); !(p >= samplerAlpha/float64(len(checks))) {
			all = append(all, fmt.Errorf("%s is %.6g ± %.2g, and should be %.6g: p = %.2g, level %.2g (%d gradients, seed %d)",
				k.what, mean, stderr, k.want, p, samplerAlpha/float64(len(checks)), c.o.Rows*c.o.Steps, c.o.Seed))
		}
	}
	return errors.Join(all...)
}

func (k check) pValue() (p, mean, stderr float64) {
	n := float64(len(k.rows))
	for _, v := range k.rows {
		mean += v / n
	}
	var q float64
	for _, v := range k.rows {
		q += (v - mean) * (v - mean)
	}
	stderr = math.Sqrt(q / (n - 1) / n)
	if math.Abs(mean-k.want) <= 1e-11*k.size {
		return 1, mean, stderr
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	return 2 * t.CDF(-math.Abs(mean-k.want)/stderr), mean, stderr
}

// lawAt samples at a point and returns what is to be tested.
func (c *samplerChecker) lawAt(theta []float64) ([]check, error) {
	rows, steps, m := c.o.Rows, c.o.Steps, len(c.directions)
	f, stream, x := c.s.BindGradients(rows), sde.NewStream(c.o.Seed, nil), sde.NewBatch(rows, c.d)
	for r := range rows {
		copy(x.Row(r), theta)
	}
	mean, cov := make([]float64, c.d), make([]float64, c.d*c.d)
	known := sde.MeanGradientOf(c.s, mean, theta)
	declared := sde.GradientCovarianceOf(c.s, cov, theta)
	if b, ok := c.s.(sde.Batched); ok && known && !is[sde.MeanGradient](c.s) {
		l, _ := b.Batches()
		var sigma mat.SymDense
		noise.SampleCovariance(&sigma, l, theta)
		for k := range cov {
			v := b.CovarianceFactor() * sigma.At(k/c.d, k%c.d)
			if declared && !(math.Abs(cov[k]-v) <= 1e-9*conformance.Largest(sigma.RawSymmetric().Data)) {
				return nil, fmt.Errorf("the covariance of ∂/∂θ_%d and ∂/∂θ_%d is %.6g by GradientCovariance, and %.6g by CovarianceFactor and the samples", k/c.d, k%c.d, cov[k], v)
			}
			cov[k] = v
		}
		declared = true
	}
	heavy := declared && math.IsInf(conformance.Largest(cov), 1)
	// g[k][b] holds direction k of block b's gradients, by step and row.
	g := make([][2][]float64, m)
	var size float64
	for b := range 2 {
		for n := range steps {
			all := c.sample(f, x, stream, b, n, 0)
			size = math.Max(size, conformance.Largest(all))
			for k, w := range c.directions {
				for r := range rows {
					g[k][b] = append(g[k][b], dot(w, all[r*c.d:(r+1)*c.d]))
				}
			}
		}
	}
	at := fmt.Sprintf("at θ = %.4g", theta)
	var checks []check
	for k, w := range c.directions {
		center := 0.0
		switch {
		case known:
			center = dot(w, mean)
			if !heavy {
				checks = append(checks, check{c.name("the mean of ∂/∂θ", k) + " " + at, average(rows, steps, func(r, n int) float64 { return g[k][0][n*rows+r] }), center, size})
			}
		case heavy:
			s := slices.Clone(g[k][0])
			slices.Sort(s)
			center = s[len(s)/2]
		default:
			for _, v := range g[k][0] {
				center += v / float64(rows*steps)
			}
		}
		for b := range g[k] {
			for i := range g[k][b] {
				if g[k][b][i] -= center; heavy && math.Abs(g[k][b][i]) > 1e-11*math.Abs(center) {
					g[k][b][i] = math.Copysign(1, g[k][b][i])
				} else if heavy {
					g[k][b][i] = 0
				}
			}
		}
		if known && heavy {
			checks = append(checks, check{c.name("the mean sign of the noise of ∂/∂θ", k) + " " + at, average(rows, steps, func(r, n int) float64 { return g[k][0][n*rows+r] }), 0, 1})
		}
	}
	if heavy {
		size = 1
	}
	span := size * size
	if declared && !heavy {
		for k := range m {
			for l := range k + 1 {
				checks = append(checks, check{c.name("the covariance of ∂/∂θ", k) + c.name(" and ∂/∂θ", l) + " " + at,
					average(rows, steps, func(r, n int) float64 { return g[k][0][n*rows+r] * g[l][0][n*rows+r] }), quadratic(c.directions[k], cov, c.directions[l]), span})
			}
		}
	}
	apart := sde.CorrelationStepsOf(c.s)
	for k := range m {
		z := g[k]
		for lag := max(apart, 1); lag < max(apart, 1)+3 && lag <= steps/2; lag++ {
			checks = append(checks, check{c.name(fmt.Sprintf("the covariance of steps %d apart, of ∂/∂θ", lag), k) + " " + at,
				average(rows, steps-lag, func(r, n int) float64 { return z[0][n*rows+r] * z[0][(n+lag)*rows+r] }), 0, span})
		}
		checks = append(checks,
			check{c.name("the covariance of neighbouring rows, of ∂/∂θ", k) + " " + at,
				average(rows/2, steps, func(r, n int) float64 { return z[0][n*rows+2*r] * z[0][n*rows+2*r+1] }), 0, span},
			check{c.name("the covariance of two blocks, of ∂/∂θ", k) + " " + at,
				average(rows, steps, func(r, n int) float64 { return z[0][n*rows+r] * z[1][n*rows+r] }), 0, span})
	}
	return checks, nil
}

func is[T any](x any) bool {
	_, ok := x.(T)
	return ok
}

// name names direction k.
func (c *samplerChecker) name(what string, k int) string {
	if c.d > 8 {
		return fmt.Sprintf("%s along random direction %d", what, k)
	}
	return fmt.Sprintf("%s_%d", what, k)
}

// average returns each row's average over the steps.
func average(rows, steps int, f func(r, n int) float64) []float64 {
	v := make([]float64, rows)
	for r := range v {
		for n := range steps {
			v[r] += f(r, n) / float64(steps)
		}
	}
	return v
}

func dot(x, y []float64) (s float64) {
	for i, v := range x {
		s += v * y[i]
	}
	return s
}

// quadratic returns vᵀ C w.
func quadratic(v, c, w []float64) (s float64) {
	for i := range v {
		s += v[i] * dot(c[i*len(w):(i+1)*len(w)], w)
	}
	return s
}
