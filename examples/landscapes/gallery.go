// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

// gallery returns what is drawn, in the order in which it is.
func gallery() []picture {
	window := func(name string, l sde.Loss, x0, x1, y0, y1, top float64) picture {
		return picture{name: name, loss: l, lo: [2]float64{x0, y0}, hi: [2]float64{x1, y1}, top: top}
	}
	line := func(name string, l sde.Loss, x0, x1, top float64) picture { return window(name, l, x0, x1, 0, 1, top) }
	return []picture{
		line("DoubleWell", loss.DoubleWell{}, -1.7, 1.7, 0.6),
		line("TiltedDoubleWell, a = 0.1", loss.TiltedDoubleWell{Tilt: 0.1}, -1.8, 1.7, 0.7),
		line("FlatSharp", loss.FlatSharp{}, -1, 2.5, 1.2),
		line("Prinz", loss.Prinz{}, -1.1, 1.1, 5),
		window("MullerBrown", loss.MullerBrown{}, -1.5, 1.2, -0.4, 2, 200),
		window("ThreeHole", loss.ThreeHole{}, -2, 2, -1.5, 2.5, 7),
		window("Himmelblau", loss.Himmelblau{}, -5, 5, -5, 5, 250),
		window("QuadrupleWell", loss.QuadrupleWell{}, -1.6, 1.6, -1.6, 1.6, 4),
		window("EntropicBarrier", loss.EntropicBarrier{}, -4, 4, -2, 2, 6),
		window("Banana", loss.Banana{}, -5, 5, -4, 8, 12),
		window("ABFactorisation", loss.ABFactorisation{}, -2.5, 2.5, -2.5, 2.5, 3),
		window("Ridge of it, λ = 0.3", loss.Ridge{Loss: loss.ABFactorisation{}, Decay: 0.3}, -2.5, 2.5, -2.5, 2.5, 3),
		window("Channel", loss.Channel{}, -1.8, 1.8, -0.25, 0.25, 0.8),
		window("SaddleChain, r = 0.3", loss.SaddleChain{D: 2, Ratio: 0.3}, -1.6, 1.6, -1.6, 1.6, 0.6),
		window("DoubleWells", loss.DoubleWells{}, -1.6, 1.6, -1.6, 1.6, 0.9),
		window("StyblinskiTang", loss.StyblinskiTang{}, -4.5, 4.5, -4.5, 4.5, 120),
		window("Rosenbrock", loss.Rosenbrock{}, -2, 2, -1, 3, 800),
		window("Rastrigin", loss.Rastrigin{}, -2.5, 2.5, -2.5, 2.5, 55),
		window("Ackley", loss.Ackley{}, -4, 4, -4, 4, 12),
		window("LogCosh", loss.LogCosh{D: 2}, -4, 4, -4, 4, 6),
		window("Quartic", loss.Quartic{D: 2}, -2, 2, -2, 2, 4),
		window("Funnel, of two", loss.Funnel{D: 2}, -8, 6, -12, 12, 9),
		window("PhaseRetrieval", loss.PhaseRetrieval{}, -1.5, 1.5, -1.5, 1.5, 1.6),
		window("MatrixFactorisation", loss.MatrixFactorisation{}, -2, 2, -2, 2, 2),
		window("GaussianMixture", mixture(), -4, 4.5, -3.5, 4, 9),
		window("Rippled DoubleWells", loss.Rippled{Loss: loss.DoubleWells{}, Amplitude: 0.03, Wavelength: 0.4}, -1.6, 1.6, -1.6, 1.6, 0.9),
		window("SpinGlass, of two", glass(2), -1.8, 1.8, -1.8, 1.8, 1.4),
		window("Quadratic, turned", turned(), -3, 3, -3, 3, 9),
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the arguments are constants
	}
	return v
}

func mixture() sde.Loss {
	return must(loss.NewGaussianMixture([]float64{0.4, 0.6}, [][]float64{{-1.5, 1.2}, {1.6, -0.6}},
		[]mat.Symmetric{mat.NewSymDense(2, []float64{0.5, 0.25, 0.25, 0.6}), mat.NewSymDense(2, []float64{0.9, -0.4, -0.4, 0.5})}))
}

func glass(d int) sde.Loss { return must(loss.NewSpinGlass(d, 0.8, 4)) }

func turned() sde.Loss { return must(loss.NewRandomQuadratic([]float64{0.3, 2}, 2)) }
