// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary/stationarytest"
)

// table reports what the tests say.
func table(s *example.Session, o stationarytest.Options, all []verified) {
	facts := s.Report.Table("setting", "The law exp(−L/T) of L = (x²−1)²/4")
	facts.Row("temperature", "temperature T", temperature)
	facts.Row("rate", "learning rate", s.Step)
	facts.Row("chains", "chains", s.Particles)
	facts.Row("observations", "observations of each", o.Observations)
	facts.Row("margin", "allowed of T, relative", o.Temperature)
	facts.Row("variation", "allowed in total variation", o.TotalVariation)
	facts.Row("seed", "seed", s.Seed)

	t := s.Report.Table("optimizers", "Optimizers", example.Column{Key: "verdict", Label: "verdict"},
		example.Column{Key: "ratio", Label: "temperature / T"}, example.Column{Key: "variation", Label: "total variation"},
		example.Column{Key: "power", Label: "power"}, example.Column{Key: "wrong", Label: "what is wrong"})
	for _, v := range all {
		shape := v.report.Checks[1]
		power := min(v.report.Checks[0].Power, shape.Power)
		t.Row(key(v.name), v.name, string(v.report.Verdict), sde.Estimate{Value: v.report.Ratio, StdErr: v.report.RatioStdErr},
			sde.Estimate{Value: shape.Departure, StdErr: shape.StdErr}, example.Number{Value: power, Format: "%.2f"}, v.wrong)
	}
	for _, v := range all {
		for _, e := range v.report.Explanations {
			s.Report.Note("%s: %s", v.name, e)
		}
	}
	s.Report.Note("%s", "Power is the probability that what is off by twice what is allowed fails.")
}

// key returns a name as a key of JSON.
func key(name string) string {
	b := []byte{}
	for _, r := range name {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b = append(b, byte(r))
		case 'A' <= r && r <= 'Z':
			b = append(b, byte(r+'a'-'A'))
		case r == ' ':
			b = append(b, '_')
		}
	}
	return string(b)
}
