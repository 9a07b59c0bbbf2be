// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// cosine is a loss of one's own, L = ½x² + a cos x.
type cosine struct{ a float64 }

func (cosine) Dim() int                    { return 1 }
func (l cosine) Value(x []float64) float64 { return x[0]*x[0]/2 + l.a*math.Cos(x[0]) }
func (l cosine) Gradient(dst, x []float64) { dst[0] = x[0] - l.a*math.Sin(x[0]) }

// growing is noise of one's own, D = T (1 + x²).
type growing struct{ t float64 }

func (growing) Dims() (state, noise int)                 { return 1, 1 }
func (n growing) Root(dst, x []float64, _ float64)       { dst[0] = math.Sqrt(2 * n.t * (1 + x[0]*x[0])) }
func (growing) Class() sde.NoiseClass                    { return sde.Diagonal }
func (n growing) Divergence(dst, x []float64, _ float64) { dst[0] = 2 * n.t * x[0] }

// The same loss and the same noise are three equations, one for each calculus: what
// changes is the drift that goes with the root in Itô's form.
func ExampleFlow() {
	flow := sde.Flow{Loss: cosine{a: 2}, Diffusion: growing{t: 0.25}}
	for _, flow.Calculus = range []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich} {
		if err := flow.Validate(); err != nil {
			fmt.Println(err)
			return
		}
		drift, x := make([]float64, 1), []float64{1}
		flow.Drift(drift, x, 0)
		if c := sde.NewConversion(flow.Diffusion, 1, 1, flow.Calculus, sde.Ito); c != nil {
			c.Add(drift, x, 0)
		}
		fmt.Printf("%v: Itô drift %.4f at x = 1\n", flow.Calculus, drift[0])
	}
	// Output:
	// Itô: Itô drift 0.6829 at x = 1
	// Stratonovich: Itô drift 0.9329 at x = 1
	// Klimontovich: Itô drift 1.1829 at x = 1
}

// A setting that is wrong is refused by an error that says what would be right.
func ExampleFlow_Validate() {
	flow := sde.Flow{Loss: cosine{a: 2}, Domain: sde.Box{Lo: []float64{1}, Hi: []float64{-1}}}
	fmt.Println(flow.Validate())
	// Output:
	// sde: Box side 0 = [1, -1]: want a lower end below the upper
}

// Noise is a function of the place, not of what was drawn before: a coarse step can
// follow the path of four fine ones.
func ExampleStream() {
	fine, coarse := sde.NewStream(1, nil), sde.NewStream(1, nil)
	coarse.Couple(4)
	const h = 0.01
	dw := make([]float64, 1)
	var sum float64
	for step := range 4 {
		fine.At(sde.Steps, 0, step)
		fine.Increments(dw)
		sum += math.Sqrt(h) * dw[0]
	}
	coarse.At(sde.Steps, 0, 0)
	coarse.Increments(dw)
	fmt.Printf("%.6f in four steps, %.6f in one\n", sum, math.Sqrt(4*h)*dw[0])
	// Output:
	// -0.521042 in four steps, -0.521042 in one
}
