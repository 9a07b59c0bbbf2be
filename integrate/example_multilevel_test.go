// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// The chance of having left the well at −1 a while after starting there, smoothed, to
// an error of 0.002.
func ExampleMultilevel() {
	m := integrate.Multilevel{
		Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}},
		Start:    integrate.Points{{-1}},
		Time:     4, Step: 0.125,
		F:         func(theta []float64) float64 { return 1 / (1 + math.Exp(-8*theta[0])) },
		Tolerance: 0.002, Seed: 1,
	}
	r, err := m.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f by %d levels, the last of h = %g\n", r.Value, len(r.Levels), r.Levels[len(r.Levels)-1].Step)
	fmt.Println("cheaper than plain Monte Carlo:", r.Gradients < r.Plain)
	// Output:
	// 0.19 by 5 levels, the last of h = 0.0078125
	// cheaper than plain Monte Carlo: true
}

// The mean of x² under the stationary law of the double well, by steps of 0.1 and 0.05.
func ExampleTalayTubaro() {
	x := integrate.TalayTubaro{
		Ensemble: integrate.Ensemble{
			Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}},
			Start:    integrate.Points{{-1}, {1}},
			Step:     0.1, Particles: 50_000, Seed: 1,
		},
		Functions: 1, F: func(dst, theta []float64) { dst[0] = theta[0] * theta[0] },
		Stationary: true,
	}
	r, err := x.Run(context.Background(), integrate.Schedule{BurnIn: 10, Time: 20, Every: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("h = 0.1: %.3f, h = 0.05: %.3f, extrapolated: %.3f; Boltzmann: 0.831\n",
		r.Coarse[0].Value, r.Fine[0].Value, r.Extrapolated[0].Value)
	// Output:
	// h = 0.1: 0.813, h = 0.05: 0.822, extrapolated: 0.831; Boltzmann: 0.831
}
