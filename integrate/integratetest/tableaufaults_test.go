// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest_test

import (
	"math"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/sde"
)

// negated returns −v.
func negated(v []float64) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = -x
	}
	return w
}

func sriw1(change func(r *integrate.DiagonalRungeKutta)) integrate.Scheme {
	r := integrate.SRIW1{}.Tableau()
	change(&r)
	return r
}

func ri6(gaussian bool, change func(r *integrate.WeakRungeKutta)) integrate.Scheme {
	r := integrate.RI6{Gaussian: gaussian}.Tableau()
	change(&r)
	return r
}

// averaging is the scheme of Leimkuhler and Matthews with a normal of its own for the
// next step's.
var averaging = toy{integrate.Properties{Name: "averaging", Weak: 1, Invariant: 2, Stability: 2, Gradients: 1, Normals: 2}, sde.Constant,
	func(s *integrate.System) func(x sde.Batch, t float64, stream *sde.Stream) {
		a, z, next := sde.NewBatch(s.Rows, s.State), make([]float64, s.Rows*s.State), make([]float64, s.Rows*s.State)
		return func(x sde.Batch, t float64, stream *sde.Stream) {
			a, z, next := a.Slice(0, x.Rows), z[:x.Rows*s.State], next[:x.Rows*s.State]
			c := s.Slope(a, x, t)
			stream.Increments(z)
			stream.Normals(next)
			scale, _ := s.Isotropic(t)
			for i, v := range z {
				x.Data[i] += s.Step*c*a.Data[i] + math.Sqrt(s.Step)*scale*(v+next[i])/2
			}
		}
	}}

// decaying is the exact step of an Ornstein–Uhlenbeck process but for its noise, of
// variance T/k (1−e^(−kh)) for T/k (1−e^(−2kh)).
var decaying = toy{integrate.Properties{Name: "decaying", Weak: 1, Invariant: math.Inf(1), Stability: math.Inf(1), Gradients: 1, Normals: 1}, sde.Constant,
	func(s *integrate.System) func(x sde.Batch, t float64, stream *sde.Stream) {
		one, z := sde.NewBatch(1, 1), make([]float64, s.Rows)
		one.Data[0] = 1
		a := sde.NewBatch(1, 1)
		k := -s.Slope(a, one, 0) * a.Data[0]
		return func(x sde.Batch, t float64, stream *sde.Stream) {
			stream.Increments(z[:x.Rows])
			scale, _ := s.Isotropic(t)
			c := math.Exp(-k * s.Step)
			for i, v := range z[:x.Rows] {
				x.Data[i] = c*x.Data[i] + scale*math.Sqrt((1-c)/(2*k))*v
			}
		}
	}}

// itoHeun is StochasticHeun that takes its limit for Itô's, so that no drift is converted.
type itoHeun struct{ integrate.StochasticHeun }

func (h itoHeun) Properties(class sde.NoiseClass) (integrate.Properties, error) {
	p, err := h.StochasticHeun.Properties(class)
	p.Calculus = sde.Ito
	return p, err
}

// platen is Platen's scheme of weak order 2 for one component and coordinate, its last
// term times a factor: 1 is right.
func platen(factor float64) integrate.Scheme {
	return toy{integrate.Properties{Name: "Platen", Weak: 2, Invariant: 2, Stability: 2, Gradients: 2, Normals: 1}, sde.Diagonal,
		func(s *integrate.System) func(x sde.Batch, t float64, stream *sde.Stream) {
			h, z, one, v := s.Step, make([]float64, s.Rows*s.Noise), sde.NewBatch(1, s.State), sde.NewBatch(1, s.State)
			return func(x sde.Batch, t float64, stream *sde.Stream) {
				stream.Increments(z[:x.Rows*s.Noise])
				for i := range x.Rows {
					for k, x0 := range x.Row(i) { // coordinates of diagonal noise that do not depend on each other
						at := func(y float64, t float64) (a, b float64) {
							copy(one.Data, x.Row(i))
							one.Data[k] = y
							a = s.Slope(v, one, t) * v.Data[k]
							unit := make([]float64, s.Noise)
							unit[k] = 1
							s.Spread(v, one, t, unit)
							return a, v.Data[k]
						}
						w, r := math.Sqrt(h)*z[i*s.Noise+k], math.Sqrt(h)
						a, b := at(x0, t)
						a1, _ := at(x0+a*h+b*w, t+h)
						_, up := at(x0+a*h+b*r, t+h)
						_, down := at(x0+a*h-b*r, t+h)
						x.Row(i)[k] = x0 + (a+a1)*h/2 + (up+down+2*b)*w/4 + factor*(up-down)*(w*w-h)/(4*r)
					}
				}
			}
		}}
}

// TestTableauFaults: faults of schemes that are in TestSchemes without them, found
// without any Monte Carlo.
func TestTableauFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for _, test := range []struct {
		name  string
		wrong integrate.Scheme
		found string
	}{
		{"SRIW1 with β₃ of the other sign", sriw1(func(r *integrate.DiagonalRungeKutta) { r.Beta3 = negated(r.Beta3) }), "weak order"},
		{"SRIW1 with β₂ of the other sign", sriw1(func(r *integrate.DiagonalRungeKutta) { r.Beta2 = negated(r.Beta2) }), "weak order"},
		{"SRIW1 with ½ for B0's 3/2", sriw1(func(r *integrate.DiagonalRungeKutta) { r.B0 = [][]float64{{}, {0.5}} }), "weak order"},
		{"RI6 without β₂", ri6(false, func(r *integrate.WeakRungeKutta) { r.Beta2 = nil }), "weak order"},
		{"RI6 with β₄ of the other sign", ri6(false, func(r *integrate.WeakRungeKutta) { r.Beta4 = negated(r.Beta4) }), "weak order"},
		{"RI6 with β₃ of the other sign, normal increments", ri6(true, func(r *integrate.WeakRungeKutta) { r.Beta3 = negated(r.Beta3) }), "weak order"},
		{"DRI1 with B0 of RI6", func() integrate.Scheme {
			r := integrate.DRI1{}.Tableau()
			r.B0 = integrate.RI6{}.Tableau().B0
			return r
		}(), "weak order"},
		{"Leimkuhler–Matthews with noise that is not used again", averaging, "quadratic"},
		{"Stratonovich's limit taken for Itô's", itoHeun{}, "consistency"},
		{"Platen's last term of the other sign", platen(-1), "weak order: the difference of expectations at time 1, between steps of h and h/2, of double well, uneven noise"},
		{"an exact step with 1−e^(−kh) for 1−e^(−2kh)", decaying, "quadratic"},
	} {
		err := integratetest.Check(test.wrong, integratetest.Options{Skip: []string{"strong order", "invariance", "areas", "invariant measure", "increments"}})
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+test.found) {
			t.Errorf("%s: the planted fault was not found by %s: %v", test.name, test.found, err)
		}
	}
	// What is planted in Platen's scheme is all that is wrong on wells.
	o := integratetest.Options{Skip: []string{"strong order", "invariance", "areas", "increments", "gradients"}}
	if err := integratetest.Check(platen(1), o); err != nil && strings.Contains(err.Error(), "double well") {
		t.Errorf("Platen's scheme without a fault: %v", err)
	}
}
