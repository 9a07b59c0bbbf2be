// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noisetest_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/noise/noisetest"
	"github.com/sgflow/sgflow/sde"
)

// parabola is |θ|²/2 in two dimensions.
type parabola struct{}

func (parabola) Dim() int                      { return 2 }
func (parabola) Value(x []float64) float64     { return (x[0]*x[0] + x[1]*x[1]) / 2 }
func (parabola) Gradient(dst, theta []float64) { copy(dst, theta) }

// gaussian is a sound sampler: θ + Az with A = ((1, 0), (1, 2)). The faulty ones below are made of
// it.
type gaussian struct{}

func (gaussian) Objective() sde.Loss { return parabola{} }
func (gaussian) GradientCovariance(dst, _ []float64) bool {
	copy(dst, []float64{1, 1, 1, 5})
	return true
}
func (gaussian) BindGradients(rows int) sde.GradientFunc {
	return changed(rows, func(dst, x sde.Batch, z []float64, step int) {})
}

// changed returns the function of gaussian, with a fault.
func changed(rows int, fault func(dst, x sde.Batch, z []float64, step int)) sde.GradientFunc {
	z := make([]float64, 2*rows)
	return func(dst, x sde.Batch, s *sde.Stream) {
		z := z[:2*x.Rows]
		s.Normals(z)
		for r := range x.Rows {
			g, t := dst.Row(r), x.Row(r)
			g[0], g[1] = t[0]+z[2*r], t[1]+z[2*r]+2*z[2*r+1]
		}
		_, step := s.Place()
		fault(dst, x, z, step)
	}
}

// faulty is gaussian with a fault.
type faulty struct {
	gaussian
	fault func(dst, x sde.Batch, z []float64, step int)
}

func (f faulty) BindGradients(rows int) sde.GradientFunc { return changed(rows, f.fault) }

// each is a faulty sampler by rows.
func each(fault func(g, theta []float64, r int)) faulty {
	return faulty{fault: func(dst, x sde.Batch, _ []float64, _ int) {
		for r := range x.Rows {
			fault(dst.Row(r), x.Row(r), r)
		}
	}}
}

// biased says that its mean is 1.1 θ.
type biased struct{ gaussian }

func (biased) MeanGradient(dst, theta []float64) bool {
	dst[0], dst[1] = 1.1*theta[0], 1.1*theta[1]
	return true
}

// memory keeps the noise of its last step, averages over two, and does not say so.
type memory struct{ gaussian }

func (memory) BindGradients(rows int) sde.GradientFunc {
	z := make([]float64, 2*rows)
	return func(dst, x sde.Batch, s *sde.Stream) {
		z := z[:2*x.Rows]
		_, step := s.Place()
		for r := range x.Rows {
			copy(dst.Row(r), x.Row(r))
		}
		for k := range 2 {
			s.Beside(sde.Epochs, step+k).Normals(z)
			for r := range x.Rows {
				g := dst.Row(r)
				g[0], g[1] = g[0]+z[2*r]/math.Sqrt2, g[1]+(z[2*r]+2*z[2*r+1])/math.Sqrt2
			}
		}
	}
}

// correlated is memory that says so.
type correlated struct{ memory }

func (correlated) CorrelationSteps() int { return 2 }

// counting is another at each call.
type counting struct{ gaussian }

func (counting) BindGradients(rows int) sde.GradientFunc {
	n := 0.0
	return changed(rows, func(dst, x sde.Batch, _ []float64, _ int) {
		n++
		for r := range x.Rows {
			dst.Row(r)[0] += 1e-9 * n
		}
	})
}

// thirsty draws more where the gradient is large.
type thirsty struct{ gaussian }

func (thirsty) BindGradients(rows int) sde.GradientFunc {
	f := gaussian{}.BindGradients(rows)
	return func(dst, x sde.Batch, s *sde.Stream) {
		f(dst, x, s)
		if x.Rows > 0 && x.Row(0)[0] > 0 {
			s.Words(make([]uint64, 8))
		}
	}
}

// strong is heavy noise of Cauchy's law that is said to have an infinite variance, and is off
// by a tenth.
type strong struct{ noise.StableNoise }

func (s strong) MeanGradient(dst, theta []float64) bool {
	copy(dst, theta)
	dst[1] += 0.1
	return true
}

type noCovariance struct{ noise.WithReplacement }

func (noCovariance) CovarianceFactor() float64 { return 1 }

type factorOnly struct{ noise.WithoutReplacement }

func (factorOnly) CovarianceFactor() float64 { return 0.5 }
func (f factorOnly) GradientCovariance(dst, theta []float64) bool {
	return false
}

// sums is the finite sum of ½|θ − p_i|² of three points.
type sums struct{ parabola }

func (sums) Samples() int { return 3 }
func (sums) SampleGradient(dst, theta []float64, i int) {
	p := [3][2]float64{{1, 0}, {-2, 1}, {1, -1}}[i]
	dst[0], dst[1] = theta[0]-p[0], theta[1]-p[1]
}

type crash struct{ gaussian }

func (crash) BindGradients(int) sde.GradientFunc { panic("not yet") }

type otherMean struct{ gaussian }

func (otherMean) MeanGradient(dst, theta []float64) {}

func TestSoundSampler(t *testing.T) {
	for seed := range uint64(3) {
		noisetest.TestSampler(t, gaussian{}, noisetest.SamplerOptions{Seed: seed, Wants: []noisetest.Upgrade{noisetest.GradientCovariance}})
		noisetest.TestSampler(t, correlated{}, noisetest.SamplerOptions{Seed: seed, Wants: []noisetest.Upgrade{noisetest.Correlated}})
	}
	noisetest.TestSampler(t, noise.WithReplacement{Loss: sums{}, BatchSize: 2}, noisetest.SamplerOptions{Wants: []noisetest.Upgrade{noisetest.Batched}})
}

func TestSamplerFaults(t *testing.T) {
	with := noise.WithReplacement{Loss: sums{}, BatchSize: 2}
	for _, c := range []struct {
		name    string
		sampler sde.GradientSampler
		o       noisetest.SamplerOptions
		want    string
	}{
		{"nil", nil, noisetest.SamplerOptions{}, "nil"},
		{"a mean that is off", each(func(g, _ []float64, _ int) { g[1] += 0.2 }), noisetest.SamplerOptions{}, "the mean of ∂/∂θ_1"},
		{"a mean that is not as said", biased{}, noisetest.SamplerOptions{Scale: 3}, "the mean of ∂/∂θ_0"},
		{"half the gradient", each(func(g, theta []float64, _ int) { g[0] -= theta[0] / 2 }), noisetest.SamplerOptions{}, "the mean of ∂/∂θ_0"},
		{"σ² for σ", each(func(g, theta []float64, _ int) { g[1] += g[1] - theta[1] }), noisetest.SamplerOptions{}, "the covariance of ∂/∂θ_1"},
		{"a sign of the correlation", each(func(g, theta []float64, _ int) { g[0] -= 2 * (g[0] - theta[0]) }), noisetest.SamplerOptions{}, "the covariance of ∂/∂θ_1 and ∂/∂θ_0"},
		{"noise that remembers", memory{}, noisetest.SamplerOptions{}, "the covariance of steps 1 apart"},
		{"the same noise in all rows", faulty{fault: func(dst, x sde.Batch, z []float64, _ int) {
			for r := range x.Rows {
				dst.Row(r)[0] = x.Row(r)[0] + z[0]
			}
		}}, noisetest.SamplerOptions{}, "the covariance of neighbouring rows"},
		{"the same noise in all steps", faulty{fault: func(dst, x sde.Batch, _ []float64, _ int) {
			s := sde.NewStream(1, nil)
			for r := range x.Rows {
				var z [1]float64
				s.At(sde.Steps, 0, r)
				s.Normals(z[:])
				dst.Row(r)[0] = x.Row(r)[0] + z[0]
			}
		}}, noisetest.SamplerOptions{}, "the covariance of two blocks"},
		{"a state", counting{}, noisetest.SamplerOptions{}, "asked again after other places"},
		{"draws that depend on θ", thirsty{}, noisetest.SamplerOptions{Points: [][]float64{{-0.5, 0}}}, "how much is drawn"},
		{"a heavy tail off centre", strong{noise.StableNoise{Gradient: noise.FullGradient{Loss: parabola{}}, Alpha: 1.5, Scale: 0.5}}, noisetest.SamplerOptions{}, "the mean sign of the noise of ∂/∂θ_1"},
		{"a factor that is not that of the covariance", noCovariance{with}, noisetest.SamplerOptions{}, "by CovarianceFactor"},
		{"the factor of other batches", factorOnly{noise.WithoutReplacement{Loss: sums{}, BatchSize: 2}}, noisetest.SamplerOptions{}, "the covariance of"},
		{"θ written to", each(func(g, theta []float64, _ int) { theta[0] = 0 }), noisetest.SamplerOptions{}, "wrote to x"},
		{"an infinity", each(func(g, theta []float64, _ int) { g[0] = math.Inf(1) }), noisetest.SamplerOptions{}, "should be finite"},
		{"rows left out", faulty{fault: func(dst, x sde.Batch, _ []float64, _ int) {
			if x.Rows > 2 {
				dst.Row(2)[1] = math.NaN()
			}
		}}, noisetest.SamplerOptions{}, "should be finite"},
		{"a panic", crash{}, noisetest.SamplerOptions{}, "panicked: not yet"},
		{"another signature", otherMean{}, noisetest.SamplerOptions{}, "has a method MeanGradient"},
		{"one that refuses itself", noise.WithReplacement{Loss: sums{}}, noisetest.SamplerOptions{}, "refuses itself"},
		{"a missing upgrade", gaussian{}, noisetest.SamplerOptions{Wants: []noisetest.Upgrade{noisetest.Batched}}, "does not have the upgrade sde.Batched"},
		{"an unknown upgrade", gaussian{}, noisetest.SamplerOptions{Wants: []noisetest.Upgrade{"Heat"}}, "Heat"},
	} {
		err := noisetest.CheckSampler(c.sampler, c.o)
		if err == nil {
			t.Errorf("%s: not found", c.name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the explanation is %q: want %q in it", c.name, err, c.want)
		}
	}
	for _, o := range []noisetest.SamplerOptions{{Rows: 3}, {Steps: 1}, {Scale: -1}, {Points: [][]float64{{1}}}} {
		if err := noisetest.CheckSampler(gaussian{}, o); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: error %v, want one that wraps sde.ErrInvalid", o, err)
		}
	}
}
