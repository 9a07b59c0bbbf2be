// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/sde"
)

// table reports the errors by the shortest step and the orders.
func table(s *example.Session, found []*diagram) {
	t := s.Report.Table("setting", "Work and precision of schemes for constant noise")
	t.Row("particles", "paths", s.Particles)
	t.Row("seed", "seed", s.Seed)
	for _, d := range found {
		n := len(d.steps) - 1
		t := s.Report.Table(d.key, fmt.Sprintf("%s, h = %.3g … %.3g, paths to t = %.3g", d.name, d.steps[0], d.steps[n], s.Time*d.unit*d.times), []example.Column{
			{Key: "gradients", Label: "gradients a step"},
			{Key: "average", Label: "mean " + d.what + " off by"}, {Key: "average_order", Label: "order"},
			{Key: "path", Label: "path off by"}, {Key: "path_order", Label: "order"}, {Key: "path_stated", Label: "stated"}}...)
		for i, m := range d.methods {
			c := d.curves[i]
			average, order := any(short(c.average[n])), any(brief(c.averageRate))
			if c.exact {
				average, order = "exact", nil
			}
			stated, err := m.scheme.Properties(sde.Constant)
			if err != nil {
				stated.Strong = math.NaN()
			}
			t.Row(m.key, m.name, example.Number{Value: c.gradients, Format: "%.3g"}, average, order, short(c.path[n]), brief(c.pathRate), stated.Strong)
		}
		curves := s.Report.Table(d.key+"_curves", d.name+": errors by step, of the average and of paths", columns(d)...)
		for i, m := range d.methods {
			var a, p []any
			for k := range d.steps {
				a, p = append(a, short(d.curves[i].average[k])), append(p, short(d.curves[i].path[k]))
			}
			curves.Row(m.key+"_average", m.name+", average", a...)
			curves.Row(m.key+"_path", m.name+", path", p...)
		}
	}
	s.Report.Note("Averages are of the scheme's own stationary law, by its transition kernel on the double well and in closed form on the quadratic; on the " +
		"Müller–Brown surface they are differences from a path of SRA3 with a sixteenth of the shortest step, after starting in exp(−L/T), with standard errors. " +
		"Paths are held to the same reference, on the same Brownian motion, by the median distance. Orders are of the shorter steps. A Hessian counts as as many gradients as it has rows. " +
		"Tamed Euler is not linear on a quadratic, and has no closed form there; BAOAB, whose paths are others, is exact on it.")
}

func columns(d *diagram) (c []example.Column) {
	for i, h := range d.steps {
		c = append(c, example.Column{Key: fmt.Sprintf("h%d", i), Label: fmt.Sprintf("h = %.3g", h)})
	}
	return c
}

// short is an error to two digits, with its own if it has one.
func short(e sde.Estimate) any {
	if e.StdErr > 0 && e.Value < 3*e.StdErr {
		return sde.Estimate{Value: e.Value, StdErr: e.StdErr}
	}
	return example.Number{Value: e.Value, Format: "%.2g"}
}

// brief is an order.
func brief(e sde.Estimate) any {
	if e.StdErr > 0 {
		return e
	}
	return example.Number{Value: e.Value, Format: "%.2f"}
}
