// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest_test

import (
	"fmt"
	"log"
	"math"
	"strings"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/sde"
)

// Midpoint is a scheme of one's own, for additive noise: it takes the drift in the
// middle of the step, on the path, and claims a weak order for that.
type Midpoint struct{ Order float64 }

func (m Midpoint) Properties(class sde.NoiseClass) (integrate.Properties, error) {
	if class < sde.Additive {
		return integrate.Properties{}, fmt.Errorf("midpoint: %v noise: take StochasticHeun (%w)", class, sde.ErrUnsupported)
	}
	return integrate.Properties{Name: "midpoint", Calculus: sde.Ito, Strong: 1, Weak: m.Order, Invariant: m.Order, Stability: 2, Gradients: 2, Normals: 1}, nil
}

func (Midpoint) Bind(s *integrate.System) (integrate.Kernel, error) {
	return &midpoint{s, sde.NewBatch(s.Rows, s.State), sde.NewBatch(s.Rows, s.State), sde.NewBatch(s.Rows, s.State), make([]float64, s.Rows*s.Noise)}, nil
}

type midpoint struct {
	system      *integrate.System
	y, drift, b sde.Batch
	z           []float64
}

func (k *midpoint) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, y, drift, b, z := k.system, k.y.Slice(0, x.Rows), k.drift.Slice(0, x.Rows), k.b.Slice(0, x.Rows), k.z[:x.Rows*k.system.Noise]
	h := s.Step
	stream.Increments(z)
	s.Spread(b, x, t+h/2, z)
	c := s.Slope(drift, x, t) // drift holds the drift, up to the factor c
	for i, v := range x.Data[:x.Rows*x.Cols] {
		y.Data[i] = v + h/2*c*drift.Data[i] + math.Sqrt(h)/2*b.Data[i]
	}
	c = s.Slope(drift, y, t+h/2)
	for i := range x.Data[:x.Rows*x.Cols] {
		x.Data[i] += h*c*drift.Data[i] + math.Sqrt(h)*b.Data[i]
	}
}

// On quadratics the scheme is of order 2; what it is elsewhere the battery finds. In
// a test, Test(t, Midpoint{Order: 2}, integratetest.Options{}) does this and calls
// t.Error for each fault.
func ExampleCheck() {
	for _, scheme := range []Midpoint{{Order: 2}, {Order: 1}} {
		err := integratetest.Check(scheme, integratetest.Options{Skip: []string{"strong order"}})
		if err == nil {
			fmt.Println("order", scheme.Order, "is true")
			continue
		}
		fmt.Println("order", scheme.Order, "is not true:")
		for fault := range strings.Lines(err.Error()) {
			text, _, _ := strings.Cut(fault, ": the errors are")
			fmt.Println("-", text)
		}
	}
	// Output:
	// order 2 is not true:
	// - weak order: the difference of expectations at time 1, between steps of h and h/2, of double well does not vanish with order 2
	// - invariant measure: the error of ⟨x²⟩ under the stationary law of double well does not vanish with order 2
	// order 1 is true
}

// The zoo serves other tests too: here, geometric Brownian motion, of which the path is
// known.
func ExampleStrongOrder() {
	p := integratetest.Geometric(0.3, 0.7)
	for _, scheme := range []integrate.Scheme{integrate.EulerMaruyama{}, integrate.Milstein{}, integrate.SRIW1{}} {
		stated, err := scheme.Properties(sde.Diagonal)
		if err != nil {
			log.Fatal(err)
		}
		order, err := integratetest.StrongOrder(scheme, p, 1024, 1)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(stated.Strong, math.Abs(order.Value-stated.Strong) < order.Margin())
	}
	// Output:
	// 0.5 true
	// 1 true
	// 1.5 true
}
