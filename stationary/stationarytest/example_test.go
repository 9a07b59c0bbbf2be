// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest_test

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
	"github.com/sgflow/sgflow/stationary/stationarytest"
)

// Six optimizers of somebody's own, with a generator of their own, meant to be SGD in
// L = (x²−1)²/4 with gradient noise of variance C and so to settle in exp(−L/T) at
// T = ηC/2 = 0.2. The first does; the others have what people get wrong. In a test it is
// stationarytest.Boltzmann(t, replicas, law, options).
func Example() {
	const (
		eta    = 0.01
		c      = 40.0
		chains = 400
	)
	random := rand.New(rand.NewPCG(1, 2))
	gradient := func(x float64) float64 { return x*x*x - x }
	noisy := func(x float64) float64 { return gradient(x) + math.Sqrt(c)*random.NormFloat64() }
	velocity := make([]float64, chains)

	law, err := stationary.Boltzmann(loss.DoubleWell{}, eta*c/2)
	if err != nil {
		log.Fatal(err)
	}
	for _, optimizer := range []struct {
		name string
		step func(chain int, x float64) float64
	}{
		{"SGD", func(_ int, x float64) float64 { return x - eta*noisy(x) }},
		{"SGD, the noise added twice", func(_ int, x float64) float64 { return x - eta*(noisy(x)+noisy(x)-gradient(x)) }},
		{"SGD, batches of twice the size", func(_ int, x float64) float64 { return x - eta*(noisy(x)+noisy(x))/2 }},
		{"momentum, its rate not divided by 1/(1−μ)", func(i int, x float64) float64 {
			velocity[i] = 0.5*velocity[i] - eta*noisy(x)
			return x + velocity[i]
		}},
		{"SGD with clipped gradients", func(_ int, x float64) float64 { return x - eta*max(-5, min(5, noisy(x))) }},
		{"SGD with weight decay", func(_ int, x float64) float64 { return x - eta*(noisy(x)+0.1*x) }},
	} {
		replicas := stationarytest.Replicas{Dim: 1, Chains: chains,
			Start: func(theta sde.Batch) {
				for i := range theta.Rows {
					theta.Row(i)[0] = float64(1 - 2*(i%2)) // half of them in each well
				}
			},
			Advance: func(theta sde.Batch) {
				for range 50 {
					for i := range theta.Rows {
						theta.Row(i)[0] = optimizer.step(i, theta.Row(i)[0])
					}
				}
			}}
		options := stationarytest.Options{BurnIn: 40, Observations: 600, Temperature: 0.1, TotalVariation: 0.05, FalseAlarms: 1e-4, Step: eta}
		report, err := stationarytest.CheckBoltzmann(replicas, law, options)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", optimizer.name, report.Verdict)
		for _, e := range report.Explanations {
			fmt.Printf("  %s\n", e)
		}
	}
	// Output:
	// SGD: pass
	// SGD, the noise added twice: fail
	//   the temperature is 2.023 ± 0.014 times that of the law: a factor 2 in D: √(4D) for √(2D), or the covariance C for D = (η/2)C?
	//   0.114 ± 0.0014 of the probability is not where the law has it
	// SGD, batches of twice the size: fail
	//   the temperature is 0.5113 ± 0.0072 times that of the law: a factor ½ in D: √D for √(2D), or noise of variance T h for 2T h?
	//   0.132 ± 0.0025 of the probability is not where the law has it
	// momentum, its rate not divided by 1/(1−μ): fail
	//   the temperature is 1.998 ± 0.012 times that of the law: a factor 2 in D: √(4D) for √(2D), or the covariance C for D = (η/2)C?
	//   0.115 ± 0.0012 of the probability is not where the law has it
	// SGD with clipped gradients: fail
	//   the temperature is 0.6837 ± 0.0097 times that of the law: a factor 1/√2 in D?
	// SGD with weight decay: fail
	//   the temperature is 0.6485 ± 0.0078 times that of the law
}
