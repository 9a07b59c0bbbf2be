// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// table reports what was found.
func (m *measured) table(s *example.Session) {
	t := s.Report.Table("setting", "Stochastic gradient flow in L = (x²−1)²/4")
	t.Row("learning_rate", "learning rate η", m.batches.LearningRate)
	t.Row("batch_size", "batch size B", m.batches.BatchSize)
	t.Row("variance", "gradient variance s²", m.batches.Variance)
	t.Row("temperature", "temperature T = ηs²/2B", m.temperature)
	t.Row("scheme", "scheme", "Euler–Maruyama")
	t.Row("step", "step h", s.Step)
	t.Row("particles", "particles, half from each well", m.result.Particles)
	t.Row("seed", "seed", s.Seed)
	t.Row("settling_time", "time to settle", m.settled)
	t.Row("time", "time observed after it", m.result.Time)
	t.Row("observations", "observations", m.result.Observations)
	t.Row("seconds", "seconds for that", example.Number{Value: m.result.Elapsed.Seconds(), Format: "%.2g"})
	t.Row("nanoseconds", "ns a particle-step", example.Number{Value: example.Nanoseconds(m.result), Format: "%.2g"})

	t = s.Report.Table("moments", "Moments", []example.Column{{Key: "simulated", Label: "simulated"},
		{Key: "boltzmann", Label: "Boltzmann"}, {Key: "boltzmann_sigma", Label: "off by"},
		{Key: "scheme", Label: "scheme's law"}, {Key: "scheme_sigma", Label: "off by"}}...)
	for k, name := range []string{"⟨x⟩", "⟨x²⟩", "⟨x⁴⟩"} {
		power := [...]float64{1, 2, 4}[k]
		f := func(theta []float64) float64 { return math.Pow(theta[0], power) }
		e := m.moments.Estimate(k)
		exact, _ := m.exact.Mean(f)
		scheme, _ := m.scheme.Mean(f)
		sigma := func(v float64) example.Number {
			return example.Number{Value: (e.Value - v) / e.StdErr, Format: "%+.1f se"}
		}
		t.Row(fmt.Sprintf("x%g", power), name, e, tiny(exact), sigma(exact), tiny(scheme), sigma(scheme))
	}

	e := m.moments.Estimate(1)
	exact, _ := m.exact.Mean(func(theta []float64) float64 { return theta[0] * theta[0] })
	slope := m.slope()
	t = s.Report.Table("shift", fmt.Sprintf("What the step does to ⟨x²⟩, h = %g", s.Step))
	t.Row("measured", "simulated − Boltzmann", sde.Estimate{Value: e.Value - exact, StdErr: e.StdErr})
	t.Row("predicted", fmt.Sprintf("predicted, %.3f h", slope), slope*s.Step)
	t.Row("slope", "d⟨x²⟩/dh", slope)

	t = s.Report.Table("distances", "Distances", []example.Column{{Key: "boltzmann", Label: "to Boltzmann"}, {Key: "boltzmann_floor", Label: "floor"},
		{Key: "scheme", Label: "to scheme's law"}, {Key: "scheme_floor", Label: "floor"}}...)
	for _, d := range []struct {
		key, name string
		b, l      *stationary.Distance
	}{
		{"kolmogorov_smirnov", "Kolmogorov–Smirnov ≥", m.boltzmann.KolmogorovSmirnov, m.law.KolmogorovSmirnov},
		{"total_variation", "total variation", m.boltzmann.TotalVariation, m.law.TotalVariation},
		{"kullback_leibler", "Kullback–Leibler less floor", m.boltzmann.KullbackLeibler, m.law.KullbackLeibler},
		{"hellinger", "Hellinger", m.boltzmann.Hellinger, m.law.Hellinger},
		{"wasserstein", "Wasserstein-1", m.boltzmann.Wasserstein, m.law.Wasserstein},
	} {
		var cells []any
		for _, v := range []*stationary.Distance{d.b, d.l} {
			if v == nil {
				cells = append(cells, nil, nil)
				continue
			}
			cells = append(cells, sde.Estimate{Value: v.Value, StdErr: v.StdErr}, example.Number{Value: v.Floor, Format: "%.2g"})
		}
		t.Row(d.key, d.name, cells...)
	}

	t = s.Report.Table("tests", "Tests")
	t.Row("p_boltzmann", "p of Boltzmann's law", example.Number{Value: m.boltzmann.PValue(), Format: "%.2g"})
	t.Row("p_scheme", "p of the scheme's law", example.Number{Value: m.law.PValue(), Format: "%.2g"})
	stationarity := math.NaN()
	if m.law.Stationarity != nil {
		stationarity = m.law.Stationarity.PValue
	}
	t.Row("p_stationary", "p of first half = second", example.Number{Value: stationarity, Format: "%.2g"})
	t.Row("effective_samples", "effective samples", example.Number{Value: m.law.EffectiveSamples, Format: "%.3g"})
	if w := m.boltzmann.Temperatures; w != nil && w.StepCorrected != nil {
		t.Row("noise_temperature", "temperature of the noise", sde.Estimate{Value: w.StepCorrected.Value, StdErr: w.StepCorrected.StdErr})
	}
	t.Row("cause", "off Boltzmann because of", string(m.boltzmann.Cause))

	for _, line := range m.boltzmann.Explanation {
		s.Report.Note("Against Boltzmann: %s.", line)
	}
	for _, line := range m.law.Explanation {
		s.Report.Note("Against the law of the scheme: %s.", line)
	}
	s.Report.Warn(m.boltzmann.Warnings...)
	s.Report.Warn(m.law.Warnings...)
}

// slope returns d⟨x²⟩/dh of Euler–Maruyama at h = 0, the response of Boltzmann's
// law to L_h = L + h U:
//
//	d⟨x²⟩/dh = −Cov(x², U)/T,   U = −|∇L|²/4 + (T/2)ΔL
func (m *measured) slope() float64 {
	g := make([]float64, 1)
	u := func(theta []float64) float64 {
		m.loss.Gradient(g, theta)
		return -g[0]*g[0]/4 + m.temperature/2*m.loss.Laplacian(theta)
	}
	x2 := func(theta []float64) float64 { return theta[0] * theta[0] }
	meanU, _ := m.exact.Mean(u)
	mean2, _ := m.exact.Mean(x2)
	both, _ := m.exact.Mean(func(theta []float64) float64 { return x2(theta) * u(theta) })
	return -(both - mean2*meanU) / m.temperature
}

// tiny rounds what quadrature leaves of a 0.
func tiny(v float64) float64 {
	if math.Abs(v) < 1e-12 {
		return 0
	}
	return v
}
