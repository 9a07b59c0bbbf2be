// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// What mini-batches do to SGD in a double well: 100,000 particles, half of them
// started in each well, and the mean of x² with its standard error. Boltzmann's law
// has 0.8309; Euler–Maruyama at this step is off by about −0.155 h.
func Example() {
	run := integrate.Ensemble{
		Equation: sde.Flow{
			Loss:      loss.DoubleWell{},
			Diffusion: noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: 32},
		},
		Start: integrate.Points{{-1}, {1}},
		Step:  0.05, Particles: 100_000, Seed: 1,
	}
	square := integrate.NewMean(1, func(dst, x []float64) { dst[0] = x[0] * x[0] })
	result, err := run.Run(context.Background(), integrate.Schedule{BurnIn: 10, Time: 20, Every: 1}, square)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("⟨x²⟩ = %v after %d steps\n", square.Estimate(0), result.Steps)
	// Output:
	// ⟨x²⟩ = 0.82260 ± 0.00058 after 600 steps
}

// A scheme says what it is, and is refused where it does not serve, by an error that
// names one that does.
func ExampleScheme() {
	growing := noise.DiagonalFunc{State: 1, B: func(dst, x []float64, _ float64) { dst[0] = 1 + x[0]*x[0] }, Of: sde.Diagonal}
	run := integrate.Ensemble{
		Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: growing},
		Scheme:   integrate.LeimkuhlerMatthews{},
		Step:     0.01, Particles: 1000,
	}
	fmt.Println(run.Validate(integrate.Schedule{Time: 1}))
	p, _ := integrate.Milstein{}.Properties(sde.Diagonal)
	fmt.Printf("%s: strong order %g, weak order %g\n", p.Name, p.Strong, p.Weak)
	// Output:
	// integrate: Ensemble.Scheme = integrate.LeimkuhlerMatthews: want a scheme for diagonal noise (integrate: LeimkuhlerMatthews does not serve diagonal noise, only constant: take EulerMaruyama (method does not serve this equation))
	// Milstein: strong order 1, weak order 1
}

// A run is split into shards, which different machines may run: merged, they have the
// bits of the run in one piece.
func ExampleEnsemble_Merge() {
	run := integrate.Ensemble{
		Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}},
		Step:     0.01, Particles: 10_000, Seed: 1,
	}
	schedule := integrate.Schedule{Time: 1, Every: 0.5}
	ctx := context.Background()

	var whole integrate.Moments
	if _, err := run.Run(ctx, schedule, &whole); err != nil {
		log.Fatal(err)
	}

	dir, err := os.MkdirTemp("", "shards")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var paths []string
	for i := range 3 {
		part := run
		part.Shard = integrate.Shard{Index: i, Count: 3}
		result, err := part.Run(ctx, schedule, new(integrate.Moments))
		if err != nil {
			log.Fatal(err)
		}
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i)))
		if err := result.Save(paths[i]); err != nil {
			log.Fatal(err)
		}
	}
	var merged integrate.Moments
	if _, err := run.Merge(schedule, paths, &merged); err != nil {
		log.Fatal(err)
	}
	fmt.Println("variance", whole.Variance(0))
	fmt.Println("the same bits:", merged.Variance(0) == whole.Variance(0))
	// Output:
	// variance 0.391 ± 0.029
	// the same bits: true
}

// A run that was stopped goes on from its last checkpoint, and ends with the bits of
// one that was not.
func ExampleEnsemble_Resume() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	run := integrate.Ensemble{
		Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}},
		Step:     0.01, Particles: 10_000, Seed: 1,
		Checkpoint: integrate.Checkpoint{Path: filepath.Join(dir, "run"), Every: 1},
	}
	schedule := integrate.Schedule{Time: 5, Every: 0.5}
	var whole, resumed integrate.Moments
	if _, err := run.Run(context.Background(), schedule, &whole); err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	stopped := run
	stopped.Progress = func(p integrate.Progress) {
		if p.Time >= 3 {
			cancel() // as a signal would
		}
	}
	_, err = stopped.Run(ctx, schedule, new(integrate.Moments))
	var interrupted *integrate.InterruptedError
	if err != nil && !errors.As(err, &interrupted) {
		log.Fatal(err)
	}
	if _, err := run.Resume(context.Background(), schedule, &resumed); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same bits:", resumed.Variance(0) == whole.Variance(0))
	// Output:
	// the same bits: true
}
