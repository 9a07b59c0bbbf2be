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
	"github.com/sgflow/sgflow/stationary"
)

// How long the flow takes from one minimum of the double well to the other, from a
// run that ends before all have arrived, and what it is exactly.
func ExampleFirstPassage() {
	flow := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	watch := &integrate.FirstPassage{Target: sde.HalfSpace{Normal: []float64{1}, Offset: 1}, Bridge: true}
	run := integrate.Ensemble{Equation: flow, Step: 0.02, Particles: 2048, Start: integrate.Points{{-1}}, Seed: 1}
	if _, err := run.Run(context.Background(), integrate.Schedule{Time: 40}, watch); err != nil {
		fmt.Println(err)
		return
	}
	p := watch.Passages(0.99)
	exact, err := stationary.MeanFirstPassageTime(flow, -1, 1)
	fmt.Println(p.Exits > 1500, p.Censored > 0, p.Low < exact.Time && exact.Time < p.High)
	fmt.Printf("%.6f %v", exact.Time, err)
	// Output:
	// true true true
	// 19.093897 <nil>
}
