// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"fmt"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// The step begins far too long and is tuned in the burn-in; what is observed then has
// the density exp(−L/T) without a bias of the step.
func ExampleMALA() {
	e := integrate.Ensemble{
		Equation:  sde.Flow{Loss: loss.DoubleWells{D: 50}, Diffusion: noise.Temperature{T: 0.5}},
		Scheme:    integrate.MALA{Tuning: 300},
		Step:      1,
		Particles: 256,
		Seed:      1,
	}
	var rate integrate.Acceptance
	if _, err := e.Run(context.Background(), integrate.Schedule{BurnIn: 300, Time: 20, Every: 1}, &rate); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("acceptance %.1f with steps of %.2f\n", rate.Rate().Value, rate.Step().Value)
	// Output:
	// acceptance 0.6 with steps of 0.10
}

// A particle far out on x⁴/4 takes steps as short as it needs, and others long ones.
func ExampleAdaptive() {
	e := integrate.Ensemble{
		Equation:  sde.Flow{Loss: loss.Quartic{}},
		Scheme:    integrate.Adaptive{Tolerance: 1e-4},
		Step:      0.5,
		Particles: 2,
		Start:     integrate.Points{{1}, {100}},
	}
	var last integrate.Final
	if _, err := e.Run(context.Background(), integrate.Schedule{Time: 2}, &last); err != nil {
		fmt.Println(err)
		return
	}
	// x(t) = 1/√(x₀⁻² + 2t)
	fmt.Printf("%.3f %.3f\n", last.States().Row(0), last.States().Row(1))
	// Output:
	// [0.447] [0.500]
}

// A quartic well under Cauchy noise, whose large jumps plain Euler does not survive.
func ExampleStableEuler() {
	e := integrate.Ensemble{
		Equation:  sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Stable{Alpha: 1, Scale: 1}},
		Scheme:    integrate.StableEuler{Tamed: true},
		Step:      0.01,
		Particles: 2048,
		Seed:      1,
	}
	within := integrate.NewMean(1, func(dst, theta []float64) {
		dst[0] = 0
		if -0.5 < theta[0] && theta[0] < 0.5 {
			dst[0] = 1
		}
	})
	if _, err := e.Run(context.Background(), integrate.Schedule{BurnIn: 3, Time: 2, Every: 1}, within); err != nil {
		fmt.Println(err)
		return
	}
	// The density is 1/(π(1−x²+x⁴)), which gives 0.344.
	fmt.Printf("P(|x| < ½) = %.1f\n", within.Estimate(0).Value)
	// Output:
	// P(|x| < ½) = 0.3
}
