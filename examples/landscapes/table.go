// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/sgflow/sgflow/examples/internal/example"
)

// table reports what is known of each landscape, and what the descents found.
func table(s *example.Session, pictures []picture) {
	facts := s.Report.Table("setting", "Landscapes")
	facts.Row("landscapes", "landscapes", len(pictures))
	facts.Row("descents", "descents for each, from all over its window", s.Particles)
	facts.Row("time", "time of a descent, in units of 1/λ", s.Time)
	facts.Row("step", "step of Euler's method, in units of 1/λ", s.Step)
	facts.Row("seed", "seed", s.Seed)

	t := s.Report.Table("landscapes", "In the windows of the picture",
		example.Column{Key: "dimensions", Label: "d"}, example.Column{Key: "minima", Label: "minima"}, example.Column{Key: "saddles", Label: "saddles"},
		example.Column{Key: "maxima", Label: "maxima"}, example.Column{Key: "curvature", Label: "largest curvature λ"},
		example.Column{Key: "gradient", Label: "|∇L|/λ at them"}, example.Column{Key: "deepest", Label: "descents to the lowest"}, example.Column{Key: "elsewhere", Label: "still on the way"})
	for _, p := range pictures {
		var n [3]int
		for _, c := range p.points {
			n[p.mark(c.Index)]++
		}
		count := func(k int) any {
			if p.points == nil {
				return math.NaN()
			}
			return n[k]
		}
		gradient := any(example.Number{Value: p.gradient, Format: "%.0e"})
		if p.points == nil {
			gradient = math.NaN()
		}
		key := strings.ToLower(strings.NewReplacer(", ", "_", " ", "_", "=", "", ".", "").Replace(p.name))
		t.Row(key, p.name, p.dimensions, count(0), count(1), count(2), example.Number{Value: p.sharpest, Format: "%.3g"}, gradient, percent(p.deepest), percent(p.elsewhere))
	}
	s.Report.Note("%s", "Minima, saddles and maxima are all that are declared, inside the windows and outside. A descent is still on the way if it has not come within 2 % of the window's width of a minimum.")
}

// percent shows a share.
func percent(v float64) any {
	if math.IsNaN(v) {
		return v
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}
