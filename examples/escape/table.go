// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

// time returns what was measured at a temperature, with a standard error.
func (e *escape) time() sde.Estimate {
	if e.rare != nil {
		return e.rare.MeanTime
	}
	p := e.passages
	return sde.Estimate{Value: p.Mean, StdErr: (p.High - p.Low) / (2 * 1.96)}
}

// table reports what was found.
func (m *measured) table(s *example.Session) error {
	t := s.Report.Table("setting", "Gradient flow in L = (x²−1)²/4 from −1 to 1")
	t.Row("step", "step h", s.Step)
	t.Row("particles", "particles", s.Particles)
	t.Row("time", "watched for", s.Time)
	t.Row("seed", "seed", s.Seed)

	t = s.Report.Table("times", "Mean time to arrive", []example.Column{{Key: "measured", Label: "measured"}, {Key: "arrived", Label: "arrived"},
		{Key: "exact", Label: "quadrature"}, {Key: "ratio", Label: "measured/quadrature"}, {Key: "kramers", Label: "Kramers"}, {Key: "kramers_ratio", Label: "exact/Kramers"}}...)
	for _, e := range m.escapes {
		got := e.time()
		arrived, how := any(e.passages.Exits), "waiting"
		if e.rare != nil {
			arrived, how = nil, "splitting"
		}
		t.Row(fmt.Sprintf("t%.4g", e.temperature), fmt.Sprintf("ΔL/T = %4.4g, %s", 0.25/e.temperature, how), example.Number{Value: got.Value, Format: "%.4g"}, arrived,
			example.Number{Value: e.exact.Time, Format: "%.6g"},
			sde.Estimate{Value: got.Value / e.exact.Time, StdErr: got.StdErr / e.exact.Time},
			example.Number{Value: e.kramers.Time, Format: "%.6g"}, example.Number{Value: e.exact.Time / e.kramers.Time, Format: "%.4f"})
	}

	p := m.law.passages
	t = s.Report.Table("law", fmt.Sprintf("Times at T = %g", m.law.temperature))
	t.Row("arrived", "arrived", p.Exits)
	t.Row("censored", "still underway at the end", p.Censored)
	t.Row("low", "mean, 95 %, from", p.Low)
	t.Row("high", "to", p.High)
	t.Row("exact", "quadrature", m.law.exact.Time)

	t = s.Report.Table("path", "Müller–Brown, from its deepest minimum", []example.Column{{Key: "x", Label: "x"}, {Key: "y", Label: "y"}, {Key: "loss", Label: "L"}}...)
	row := func(key, name string, c sde.CriticalPoint) {
		t.Row(key, name, example.Number{Value: c.Theta[0], Format: "%.10f"}, example.Number{Value: c.Theta[1], Format: "%.10f"}, example.Number{Value: c.Value, Format: "%.10f"})
	}
	for i, c := range m.path.Saddles {
		row(fmt.Sprintf("saddle%d", i+1), fmt.Sprintf("saddle %d", i+1), c)
	}
	for i, c := range m.path.Minima {
		row(fmt.Sprintf("minimum%d", i+1), fmt.Sprintf("minimum %d on the way", i+1), c)
	}
	ek, err := stationary.EyringKramers(loss.MullerBrown{}, 10, m.path.States[0], m.path.Saddles[m.path.Highest].Theta)
	if err != nil {
		return err
	}
	s.Report.Note("Eyring–Kramers over the highest saddle at T = 10: %.6g.", ek.Time)
	s.Report.Note("Measured times are of the chain at h = %g; its bias is of order h.", s.Step)
	return nil
}
