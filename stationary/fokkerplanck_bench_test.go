// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"fmt"
	"testing"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// Müller–Brown at T = 15, from the settings to the answer.
func BenchmarkFokkerPlanck(b *testing.B) {
	target := setFunc(func(x []float64) bool { return 0.5 <= x[0] && x[0] <= 0.75 && -0.1 <= x[1] && x[1] <= 0.15 })
	for _, n := range []int{100, 200, 400} {
		for _, c := range []struct {
			name string
			run  func(g *stationary.Generator) error
		}{
			{"Stationary", func(g *stationary.Generator) error { _, err := g.Stationary(); return err }},
			{"PassageTime", func(g *stationary.Generator) error { _, err := g.MeanFirstPassageTime(target); return err }},
			{"Spectrum", func(g *stationary.Generator) error { _, err := g.Spectrum(3); return err }},
			{"Evolve100", func(g *stationary.Generator) error { _, err := g.Evolve(g.At(0, 0.5), 1, 100); return err }},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				for b.Loop() {
					g, err := stationary.FokkerPlanck{Equation: sde.Flow{Loss: plane(mullerBrown), Diffusion: thermal(15)},
						Box: sde.Box{Lo: []float64{-1.5, -0.5}, Hi: []float64{1.25, 2.25}}, Cells: []int{n, n}}.Generator()
					if err != nil {
						b.Fatal(err)
					}
					if err := c.run(g); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n*n), "ns/cell")
			})
		}
	}
}
