// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// sgldLaw returns the weighted average of E θ² over the states after burn to burn+n
// steps of SGLD on kθ²/2 from 0, with gradient noise of covariance c: by the recursion
// V′ = (1 − h_k k)² V + 2T h_k + h_k² c of the variance.
func sgldLaw(step func(k int) float64, curvature, temperature, c float64, burn, n int) float64 {
	var v, sum, weights float64
	for k := 0; k <= burn+n; k++ {
		h := step(k)
		if k > burn {
			sum += h * v
			weights += h
		}
		a := 1 - h*curvature
		v = a*a*v + 2*temperature*h + h*h*c
	}
	return sum / weights
}

// power is a(b + k)^(−γ), as Welling & Teh write it.
func power(h, b, gamma float64) func(k int) float64 {
	a := h * math.Pow(b, gamma)
	return func(k int) float64 { return a * math.Pow(b+float64(k), -gamma) }
}

// TestSGLDSteps holds the steps to a(b + k)^(−γ), and the kernel's to both.
func TestSGLDSteps(t *testing.T) {
	const curvature, temperature, h = 1.3, 0.4, 0.3
	for _, test := range []struct {
		scheme integrate.SGLD
		b, g   float64
	}{
		{integrate.SGLD{}, 1, 1. / 3}, {integrate.SGLD{Offset: 10}, 10, 1. / 3}, {integrate.SGLD{Decay: 0.55}, 1, 0.55},
		{integrate.SGLD{Offset: 250.5, Decay: 1}, 250.5, 1}, {integrate.SGLD{Offset: 1e-3, Decay: 0.1}, 1e-3, 0.1},
	} {
		kernel, err := test.scheme.Bind(integrate.NewSystem(sde.Flow{Loss: quadratic{curvature}, Diffusion: noise.Temperature{T: temperature}}, sde.Ito, h, 1))
		if err != nil {
			t.Fatal(err)
		}
		var z float64
		stream := sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) { dst[0] = z }})
		x := sde.NewBatch(1, 1)
		for i, k := range []int{0, 1, 2, 10, 999, 123456, 1 << 30} {
			want := power(h, test.b, test.g)(k)
			if have := test.scheme.StepAt(k, h); math.Abs(have-want) > 1e-13*want {
				t.Errorf("%+v: step %d is %.15g, want %.15g", test.scheme, k, have, want)
			}
			step := func(from, normal float64) float64 {
				x.Data[0], z = from, normal
				stream.At(sde.Steps, 0, i)
				kernel.Step(x, float64(k)*h, stream)
				return x.Data[0]
			}
			if have, want := step(1, 0), 1-want*curvature; math.Abs(have-want) > 1e-14 {
				t.Errorf("%+v: step %d multiplies by %.15g, want %.15g", test.scheme, k, have, want)
			}
			if have, want := step(0, 1), math.Sqrt(2*temperature*want); math.Abs(have-want) > 1e-13*want {
				t.Errorf("%+v: the noise of step %d is %.15g, want %.15g", test.scheme, k, have, want)
			}
		}
		if p, err := test.scheme.Properties(sde.Constant); err != nil || p.Strong+p.Weak != 0 {
			t.Errorf("%+v: states %+v, error %v", test.scheme, p, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a step of negative number: no panic")
		}
	}()
	integrate.SGLD{}.StepAt(-1, 1)
}

// TestSGLDConvergence: on a quadratic the expected weighted average tends to T/k as
// K^(−γ) where Teh, Thiery & Vollmer have it so, while a constant step keeps its bias.
// It is exact: the recursion's coefficients are those of the kernel (TestSGLDSteps).
func TestSGLDConvergence(t *testing.T) {
	const curvature, temperature, h = 1.0, 0.5, 0.5
	for _, gamma := range []float64{0.2, 1. / 3} {
		var ks, errs []float64
		for n := 1 << 12; n <= 1<<18; n <<= 3 {
			bias := sgldLaw(power(h, 1, gamma), curvature, temperature, 0, 0, n)/(temperature/curvature) - 1
			ks, errs = append(ks, float64(n)), append(errs, bias)
			// To first order in h_k: ½k Σh²/Σh, and at the start −(1/2k)/Σh.
			var s1, s2 float64
			for k := 1; k <= n; k++ {
				hk := power(h, 1, gamma)(k)
				s1 += hk
				s2 += hk * hk
			}
			if want := (curvature*s2/2 - 1/(2*curvature)) / s1; n == 1<<18 && math.Abs(bias-want) > 0.2*want {
				t.Errorf("γ = %.3g: relative bias %.3g after %d steps, to first order %.3g", gamma, bias, n, want)
			}
		}
		order := -slopeOf(ks, errs)
		t.Logf("γ = %.3g: relative bias %.3g after %g steps, of order %.3f in K", gamma, errs[len(errs)-1], ks[len(ks)-1], order)
		if math.Abs(order-gamma) > 0.08 {
			t.Errorf("γ = %.3g: biases %.3g fall with order %.3f", gamma, errs, order)
		}
	}
	constant := sgldLaw(func(int) float64 { return h }, curvature, temperature, 0, 0, 1<<17)/(temperature/curvature) - 1
	if want := 1/(1-h*curvature/2) - 1; math.Abs(constant-want) > 1e-4 {
		t.Errorf("constant step: bias %.6g, want %.6g", constant, want)
	}
}

// TestSGLDPosterior runs SGLD on the posterior of a mean, with exact gradients and
// with mini-batches, and holds the weighted averages to the recursion of the variance; the plain
// average, a constant step and noise-free gradients for noisy ones are rejected.
func TestSGLDPosterior(t *testing.T) {
	l := means{1, make([]float64, 40)}
	var c float64
	for i := range l.x {
		l.x[i] = float64(i%2*2-1) * 3 // of mean 0
		c += l.x[i] * l.x[i] / float64(len(l.x))
	}
	const temperature, h, batch, burn, n = 1. / 40, 0.9, 20, 3, 80
	particles := 1 << 15
	if testing.Short() {
		particles = 1 << 13
	}
	for i, test := range []struct {
		name     string
		gradient sde.GradientSampler
		c        float64
	}{{"exact gradients", nil, 0}, {"mini-batches", noise.WithReplacement{Loss: l, BatchSize: batch}, c / batch}} {
		seed := uint64(5220+i) + *seedShift
		scheme := integrate.SGLD{Gradient: test.gradient, Offset: 5, Decay: 0.8}
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}, Scheme: scheme,
			Step: h, Particles: particles, Seed: seed, Groups: min(32, particles/1024)}
		f := func(dst, x []float64) { dst[0], dst[1] = x[0], x[0]*x[0] }
		weighted, plain := integrate.NewWeighted(scheme, 2, f), integrate.NewMean(2, f)
		mustRun(t, e, integrate.Schedule{BurnIn: burn * h, Time: n * h, Every: h}, weighted, plain)
		step := power(h, 5, 0.8)
		want := sgldLaw(step, 1, temperature, test.c, burn, n)
		s, p := estimateP(weighted.Estimate(0), 0)
		accept(t, test.name+": the posterior's mean", seed, s, p)
		v := weighted.Estimate(1)
		s, p = estimateP(v, want)
		accept(t, fmt.Sprintf("%s: E θ² = %v, exact %.6g", test.name, v, want), seed, s, p)
		var weight float64
		for k := burn + 1; k <= burn+n; k++ {
			weight += step(k) * float64(particles)
		}
		if math.Abs(weighted.Weight()-weight) > 1e-10*weight || weighted.Samples() != int64(particles)*n {
			t.Errorf("weight %.12g of %d samples, want %.12g of %d", weighted.Weight(), weighted.Samples(), weight, particles*n)
		}
		t.Logf("%s: %v weighted, %v plain, exact %.6g", test.name, v, plain.Estimate(1), want)
		if testing.Short() {
			continue // too few groups for faults of this size
		}
		s, p = estimateP(plain.Estimate(1), want)
		reject(t, test.name+": no weights", seed, s, p)
		s, p = estimateP(v, sgldLaw(func(int) float64 { return h }, 1, temperature, test.c, burn, n))
		reject(t, test.name+": a constant step", seed, s, p)
		if test.c > 0 {
			s, p = estimateP(v, sgldLaw(step, 1, temperature, 0, burn, n))
			reject(t, test.name+": the gradients' noise left out", seed, s, p)
		}
	}
}

// TestWeightedNaive feeds samples by hand and holds estimate and error to naive sums, before
// and after a group is saved and loaded.
func TestWeightedNaive(t *testing.T) {
	const groups, h = 5, 0.25
	scheme := integrate.SGLD{Offset: 3, Decay: 0.7}
	w := integrate.NewWeighted(scheme, 2, func(dst, x []float64) { dst[0], dst[1] = x[0], x[0]*x[1] })
	run := sde.Run{Step: h, Dim: 2, Groups: groups, Particles: 40}
	if err := w.Start(run); err != nil {
		t.Fatal(err)
	}
	sums, weights := make([][2]float64, groups), make([]float64, groups)
	value := 0.37
	for k := range 12 {
		for g := range groups {
			x := sde.NewBatch(2+(g+k)%3, 2)
			for i := range x.Data {
				value = math.Mod(value*17.3+0.11, 3)
				x.Data[i] = value - 1
			}
			if err := w.Observe(sde.Sample{Group: g, Time: float64(k) * h, X: x}); err != nil {
				t.Fatal(err)
			}
			hk := h * math.Pow(1+float64(k)/3, -0.7)
			for i := range x.Rows {
				r := x.Row(i)
				sums[g][0] += hk * r[0]
				sums[g][1] += hk * r[0] * r[1]
				weights[g] += hk
			}
		}
	}
	check := func(w *integrate.Weighted) {
		t.Helper()
		for j := range 2 {
			var s, all, q float64
			for g := range groups {
				s += sums[g][j]
				all += weights[g]
			}
			mean := s / all
			for g := range groups {
				q += (sums[g][j] - mean*weights[g]) * (sums[g][j] - mean*weights[g])
			}
			stderr := math.Sqrt(q*groups/(groups-1)) / all
			e := w.Estimate(j)
			if math.Abs(e.Value-mean) > 1e-13 || math.Abs(e.StdErr-stderr) > 1e-13 || e.Groups != groups {
				t.Errorf("function %d: %v ± %v of %d groups, naively %v ± %v", j, e.Value, e.StdErr, e.Groups, mean, stderr)
			}
		}
	}
	check(w)
	loaded := integrate.NewWeighted(scheme, 2, w.F)
	if err := loaded.Start(run); err != nil {
		t.Fatal(err)
	}
	for g := range groups {
		data := w.AppendGroup(nil, g)
		if err := loaded.LoadGroup(g, data[:len(data)-1]); err == nil {
			t.Error("a truncated group is loaded")
		}
		if err := loaded.LoadGroup(g, data); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(loaded.AppendGroup(nil, g), data) {
			t.Error("a group changes when it is saved and loaded")
		}
	}
	check(loaded)
	if loaded.Samples() != w.Samples() || loaded.Weight() != w.Weight() {
		t.Error("counts change when they are saved and loaded")
	}
	bad := sde.NewBatch(1, 2)
	bad.Data[0] = math.NaN()
	if err := w.Observe(sde.Sample{X: bad}); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("a value that is NaN: error %v", err)
	}
}

// TestSGLDSettings are refused.
func TestSGLDSettings(t *testing.T) {
	l := means{1, []float64{1, 2}}
	flow := sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 1}}
	for _, test := range []struct {
		name   string
		scheme integrate.SGLD
		flow   sde.Flow
		texts  []string
	}{
		{"offset < 0", integrate.SGLD{Offset: -1}, flow, []string{"SGLD.Offset", "positive"}},
		{"offset NaN", integrate.SGLD{Offset: nan}, flow, []string{"SGLD.Offset"}},
		{"offset Inf", integrate.SGLD{Offset: inf}, flow, []string{"SGLD.Offset"}},
		{"decay < 0", integrate.SGLD{Decay: -0.1}, flow, []string{"SGLD.Decay", "at most 1"}},
		{"decay > 1", integrate.SGLD{Decay: 1.1}, flow, []string{"SGLD.Decay", "at most 1"}},
		{"decay NaN", integrate.SGLD{Decay: nan}, flow, []string{"SGLD.Decay"}},
		{"a sampler that is wrong", integrate.SGLD{Gradient: noise.WithReplacement{Loss: l}}, flow, []string{"WithReplacement.BatchSize"}},
		{"a sampler of another dimension", integrate.SGLD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 1}},
			sde.Flow{Loss: flat{2}, Diffusion: noise.Temperature{T: 1}}, []string{"SGLD.Gradient", "dimension 1"}},
		{"noise that grows", integrate.SGLD{}, sde.Flow{Loss: l, Diffusion: growing{1}}, []string{"EulerMaruyama"}},
		{"noise of time", integrate.SGLD{}, sde.Flow{Loss: l, Diffusion: noise.Annealing{Schedule: func(float64) float64 { return 1 }}}, []string{"EulerMaruyama"}},
	} {
		e := integrate.Ensemble{Equation: test.flow, Scheme: test.scheme, Step: 0.1, Particles: 3}
		_, err := e.Run(context.Background(), integrate.Schedule{Time: 1})
		for _, text := range test.texts {
			if !isInvalid(err) || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: error %v does not say %q", test.name, err, text)
			}
		}
	}
	f := func(dst, x []float64) { dst[0] = x[0] }
	good := sde.Run{Step: 0.1, Dim: 1, Groups: 1}
	for _, test := range []struct {
		name string
		w    *integrate.Weighted
		run  sde.Run
		text string
	}{
		{"no functions", integrate.NewWeighted(integrate.SGLD{}, 0, f), good, "Weighted.Functions"},
		{"nil function", integrate.NewWeighted(integrate.SGLD{}, 1, nil), good, "Weighted.F"},
		{"no scheme", integrate.NewWeighted(nil, 1, f), good, "Weighted.Steps"},
		{"no step", integrate.NewWeighted(integrate.SGLD{}, 1, f), sde.Run{Dim: 1, Groups: 1}, "Run.Step"},
	} {
		if err := test.w.Start(test.run); !isInvalid(err) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %v", test.name, err)
		}
	}
}

// faultySGLD is SGLD with a fault planted.
type faultySGLD struct {
	integrate.SGLD
	fault string
}

func (f faultySGLD) Bind(s *integrate.System) (integrate.Kernel, error) {
	return &faultySGLDKernel{f, s, sde.NewBatch(s.Rows, s.State), sde.NewBatch(s.Rows, s.State), make([]float64, s.Rows*s.Noise)}, nil
}

type faultySGLDKernel struct {
	f        faultySGLD
	s        *integrate.System
	g, noise sde.Batch
	z        []float64
}

func (k *faultySGLDKernel) Step(x sde.Batch, t float64, stream *sde.Stream) {
	h := k.f.StepAt(int(math.Round(t/k.s.Step)), k.s.Step)
	a, b := h, math.Sqrt(h)
	switch k.f.fault {
	case "noise of h":
		b = h
	case "twice the step":
		a = 2 * h
	case "T for 2T":
		b /= math.Sqrt2
	}
	a *= k.s.Slope(k.g.Slice(0, x.Rows), x, t)
	z := k.z[:x.Rows*k.s.Noise]
	stream.Increments(z)
	k.s.Spread(k.noise.Slice(0, x.Rows), x, t, z)
	for i := range x.Rows {
		for j := range x.Cols {
			x.Row(i)[j] += a*k.g.Row(i)[j] + b*k.noise.Row(i)[j]
		}
	}
}

// TestSGLDBattery, with the bits of runs under any number of workers; and a run whose
// steps do not fall is not SGLD.
func TestSGLDBattery(t *testing.T) {
	integratetest.Test(t, integrate.SGLD{}, integratetest.Options{})
	for _, test := range []struct{ fault, says string }{{"noise of h", "quadratic"}, {"twice the step", "quadratic"}, {"T for 2T", "invariant measure"}} {
		if err := integratetest.Check(faultySGLD{fault: test.fault}, integratetest.Options{}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("planted fault not found: %s: %v", test.fault, err)
		}
	}
	l := means{1, []float64{1, -2, 4}}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 0.1}}, Scheme: integrate.SGLD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 2}},
		Step: 0.25, Particles: 3000, Seed: 3, Workers: 1}
	one := finals(t, e, integrate.Schedule{Time: 10})
	e.Workers = 3
	if three := finals(t, e, integrate.Schedule{Time: 10}); digest(one.Data...) != digest(three.Data...) {
		t.Error("one worker and three differ")
	}
}

// ExampleSGLD samples the posterior of a mean from mini-batches; its variance is 1/N.
func ExampleSGLD() {
	l := means{1, []float64{0.7, 1.1, 0.9, 1.3}} // unit variance each, flat prior
	sgld := integrate.SGLD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 2}}
	run := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 1. / 4}}, Scheme: sgld, Step: 0.1, Particles: 4096, Seed: 1}
	w := integrate.NewWeighted(sgld, 1, func(dst, x []float64) { dst[0] = (x[0] - 1) * (x[0] - 1) })
	if _, err := run.Run(context.Background(), integrate.Schedule{BurnIn: 50, Time: 100, Every: 0.1}, w); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%.2f\n", w.Estimate(0).Value)
	// Output: 0.25
}
