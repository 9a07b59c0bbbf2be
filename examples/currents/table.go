// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"math"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/sde"
)

// table reports both flows.
func (m *measured) table(s *example.Session) {
	facts := s.Report.Table("setting", "Simulated")
	facts.Row("particles", "particles", s.Particles)
	facts.Row("step", "step h", s.Step)
	facts.Row("seed", "seed", s.Seed)

	exact := m.linear.Covariance()
	q := m.linear.Circulation()
	t := s.Report.Table("linear", "Linear flow in L = x²/2 + y², D = (1 ρ; ρ 1)", example.Column{Key: "simulated", Label: "simulated"}, example.Column{Key: "exact", Label: "exact"})
	t.Row("correlation", "correlation ρ of the noises", nil, m.correlation)
	t.Row("xx", "⟨x²⟩", m.moments.Variance(0), exact.At(0, 0))
	t.Row("xy", "⟨xy⟩", m.moments.Covariance(0, 1), exact.At(0, 1))
	t.Row("yy", "⟨y²⟩", m.moments.Variance(1), exact.At(1, 1))
	v, se := m.rotation.at(m.peak())
	t.Row("rotation", "½⟨x(0)y(t) − y(0)x(t)⟩ at its largest", sde.Estimate{Value: v, StdErr: se}, m.exactRotation(m.rotation.times[m.peak()]))
	t.Row("circulation", "circulation Q₁₂", nil, q.At(0, 1))
	t.Row("entropy", "entropy production, nats a unit of time", m.sampled, m.entropy)

	w := s.Report.Table("wells", "Double wells, T = 0.25, D = T diag(1+ay², 1)", example.Column{Key: "simulated", Label: "of the grid"}, example.Column{Key: "boltzmann", Label: "exp(−L/T)"})
	w.Row("growth", "growth a of the noise", m.growth, nil)
	w.Row("entropy", "entropy production, nats a unit of time", m.produced, 0.0)
	w.Row("x2", "⟨x²⟩", m.law.Mean(square), m.plain)
	w.Row("variation", "total variation of the simulation from it", m.settled.TotalVariation.Value, m.boltzmann.TotalVariation.Value)
	w.Row("floor", "  what sampling makes of it", m.settled.TotalVariation.Floor, m.boltzmann.TotalVariation.Floor)
	if m.settled.Fit != nil {
		w.Row("p", "p of the simulation", m.settled.Fit.PValue, m.boltzmann.Fit.PValue)
	}
	s.Report.Note("%s", "The simulations have the bias of Euler–Maruyama's step, which many particles resolve.")
}

// peak returns where the exact rotation is largest, of the times that were observed.
func (m *measured) peak() int {
	best := 0
	for k, t := range m.rotation.times {
		if math.Abs(m.exactRotation(t)) > math.Abs(m.exactRotation(m.rotation.times[best])) {
			best = k
		}
	}
	return best
}

// exactRotation is the antisymmetric part of E θ(0) θ(t)ᵀ.
func (m *measured) exactRotation(t float64) float64 {
	c := m.linear.Autocovariance(t) // E θ(t) θ(0)ᵀ
	return (c.At(1, 0) - c.At(0, 1)) / 2
}
