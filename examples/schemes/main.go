// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Schemes draws work–precision diagrams: how far each scheme is from an exact
// stationary average for the gradients that it takes, and from the path of the
// equation for its step, on a double well, the Müller–Brown surface and a stiff
// quadratic. Where a law can be had without Monte Carlo it is.
package main

import (
	"context"
	"flag"
	"image/color"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func main() { example.Main(program()) }

func program() example.Program {
	levels := 5
	return example.Program{
		Name:     "schemes",
		About:    "Draws work–precision diagrams of all schemes for constant noise.",
		Defaults: example.Settings{Seed: 1, Particles: 1024, Time: 3.2, Step: 0.2},
		Quick:    example.Settings{Particles: 256, Time: 0.8},
		Flags: func(f *flag.FlagSet) {
			f.IntVar(&levels, "levels", levels, "`number` of steps, each half of the one before; the first is -step, in the units of each landscape; at most 4 with -quick")
		},
		Run: func(ctx context.Context, s *example.Session) error {
			if s.Quick && levels > quickLevels {
				levels = quickLevels
			}
			return run(ctx, s, levels)
		},
	}
}

// quickLevels is how many steps -quick takes at most.
const quickLevels = 4

// method is a scheme and how its curve looks.
type method struct {
	key, name string
	scheme    integrate.Scheme
	colour    color.NRGBA
	dashes    []float64
}

func methods() []method {
	return []method{
		{"euler_maruyama", "Euler–Maruyama", integrate.EulerMaruyama{}, example.Blue, nil},
		{"leimkuhler_matthews", "Leimkuhler–Matthews", integrate.LeimkuhlerMatthews{}, example.Orange, nil},
		{"stochastic_heun", "stochastic Heun", integrate.StochasticHeun{}, example.Purple, nil},
		{"sra1", "SRA1", integrate.SRA1{}, example.Yellow, nil},
		{"sra3", "SRA3", integrate.SRA3{}, example.Sky, nil},
		{"shark", "ShARK", integrate.ShARK{}, example.Green, nil},
		{"tamed", "tamed Euler", integrate.Tamed{}, example.Blue, []float64{4, 3}},
		{"implicit", "drift-implicit, Θ = ½", integrate.DriftImplicit{}, example.Orange, []float64{4, 3}},
		{"split_step", "split-step backward Euler", integrate.SplitStepBackwardEuler{}, example.Grey, []float64{4, 3}},
	}
}

// landscape is a flow and in which units it is stepped.
type landscape struct {
	key, name string
	flow      sde.Flow
	unit      float64 // -step and -time are in this
	times     float64 // the time of paths, over -time
	what      string  // the average that is looked at
}

func landscapes() ([]landscape, error) {
	stiff, err := loss.NewQuadratic(stiffness, nil)
	if err != nil {
		return nil, err
	}
	return []landscape{
		{"double_well", "double well, T = 0.2", sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}, 1, 1, "x²"},
		{"muller_brown", "Müller–Brown, T = 15", sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 15}}, 1e-3, 16, "L"},
		{"quadratic", "quadratic, λ = 1 and 100", sde.Flow{Loss: stiff, Diffusion: noise.Temperature{T: 1}}, 0.08, 1, "L"},
	}, nil
}

func run(ctx context.Context, s *example.Session, levels int) error {
	all, err := landscapes()
	if err != nil {
		return err
	}
	if err := check(s, all, levels); err != nil {
		return err
	}
	var found []*diagram
	for _, l := range all {
		d, err := measure(ctx, s, l, levels)
		if err != nil {
			return err
		}
		found = append(found, d)
	}
	table(s, found)
	return picture(s, found)
}
