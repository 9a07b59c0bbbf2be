// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// wells is a loss of one's own: L = (x²−1)²/4.
type wells struct{}

func (wells) Dim() int                      { return 1 }
func (wells) Value(theta []float64) float64 { q := theta[0]*theta[0] - 1; return q * q / 4 }
func (wells) Gradient(dst, theta []float64) { dst[0] = theta[0] * (theta[0]*theta[0] - 1) }

// multiplicative is noise of one component in one dimension with D(x).
type multiplicative func(x float64) float64

func (multiplicative) Dims() (state, noise int) { return 1, 1 }
func (d multiplicative) Root(dst, theta []float64, t float64) {
	dst[0] = math.Sqrt(2 * d(theta[0]))
}

// thermal is D = T·I.
type thermal float64

func (thermal) Dims() (state, noise int)      { return 0, 0 }
func (thermal) Class() sde.NoiseClass         { return sde.Constant }
func (n thermal) Temperature(float64) float64 { return float64(n) }
func (n thermal) Root(dst, theta []float64, _ float64) {
	clear(dst)
	for i := range theta {
		dst[i*len(theta)+i] = math.Sqrt(2 * float64(n))
	}
}

func ExampleBoltzmann() {
	law, err := stationary.Boltzmann(wells{}, 0.2)
	if err != nil {
		fmt.Println(err)
		return
	}
	x2, _ := law.Mean(func(theta []float64) float64 { return theta[0] * theta[0] })
	fmt.Printf("Z    = %.10f\n", math.Exp(law.LogZ()))
	fmt.Printf("⟨x²⟩ = %.10f\n", x2)
	fmt.Printf("p(1) = %.4f\n", law.Density(1))
	fmt.Printf("80%% of it lies in [%.4f, %.4f]\n", law.Quantile(0.1), law.Quantile(0.9))
	// Output:
	// Z    = 1.7894594924
	// ⟨x²⟩ = 0.8308953527
	// p(1) = 0.5588
	// 80% of it lies in [-1.1584, 1.1584]
}

// Noise that grows with the distance from the minimum makes power laws, and the
// calculus decides the power.
func ExampleZeroFlux() {
	noise := multiplicative(func(x float64) float64 { return 0.5 * (1 + x*x) })
	for _, calculus := range []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich} {
		law, err := stationary.ZeroFlux(sde.Flow{Loss: parabola{}, Diffusion: noise, Calculus: calculus})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v: P(|x| > 10) = %.4f\n", calculus, 2*law.CDF(-10))
	}
	// Output:
	// Itô: P(|x| > 10) = 0.0004
	// Stratonovich: P(|x| > 10) = 0.0050
	// Klimontovich: P(|x| > 10) = 0.0635
}

// Noise that is not a temperature drives a current round the minimum of a quadratic
// loss, and the law is not exp(−L/T) for any T.
func ExampleLinear() {
	flow, err := stationary.NewLinear(mat.NewDiagDense(2, []float64{1, 2}), mat.NewSymDense(2, []float64{1, 0.5, 0.5, 1}), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	entropy, err := flow.EntropyProduction()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("S = %.4f\n", mat.Formatted(flow.Covariance(), mat.Prefix("    ")))
	fmt.Printf("Q = %.4f\n", mat.Formatted(flow.Circulation(), mat.Prefix("    ")))
	fmt.Printf("entropy production %.4f\n", entropy)
	// Output:
	// S = ⎡1.0000  0.3333⎤
	//     ⎣0.3333  0.5000⎦
	// Q = ⎡ 0.0000  -0.1667⎤
	//     ⎣ 0.1667   0.0000⎦
	// entropy production 0.1111
}

// The exact covariance that an update of one's own settles in, from the code that
// makes a step: gradient descent on x²/2 with Nesterov's momentum and noise.
func ExampleAffineChain() {
	const rate, momentum = 0.1, 0.9
	nesterov := func(dst, x, xi []float64) { // the state is (x, v)
		look := x[0] + momentum*x[1]
		v := momentum*x[1] - rate*(look+xi[0])
		dst[0], dst[1] = x[0]+v, v
	}
	chain, err := stationary.AffineChain(nesterov, 2, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("Var x = %.6f, correlations fall by %.4f a step\n", chain.Covariance().At(0, 0), chain.SpectralRadius())
	// Output:
	// Var x = 0.270634, correlations fall by 0.9000 a step
}

// How long it takes to leave a well, and from where it is as likely to return as not.
func ExampleFokkerPlanck() {
	flow := sde.Flow{Loss: wells{}, Diffusion: thermal(0.1)}
	generator, err := stationary.FokkerPlanck{Equation: flow, Box: sde.Box{Lo: []float64{-3}, Hi: []float64{3}}, Cells: []int{1200}}.Generator()
	if err != nil {
		fmt.Println(err)
		return
	}
	time, err := generator.MeanFirstPassageTime(sde.HalfSpace{Normal: []float64{1}, Offset: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	committor, err := generator.Committor(sde.HalfSpace{Normal: []float64{-1}, Offset: 1}, sde.HalfSpace{Normal: []float64{1}, Offset: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	modes, err := generator.Spectrum(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("from −1 to 1 in %.2f on average\n", time.At(-1))
	fmt.Printf("from 0 first to 1 with probability %.3f\n", committor.At(0))
	fmt.Printf("slowest rate %.4f\n", real(modes[0].Rate))
	// Output:
	// from −1 to 1 in 66.27 on average
	// from 0 first to 1 with probability 0.500
	// slowest rate 0.0335
}

// Noise that depends on θ needs ∇·D in the drift, or the law is not exp(−L/T).
func ExampleDetailedBalance() {
	noise := multiplicative(func(x float64) float64 { return 0.2 * (1 + x*x) })
	restored, err := sde.Restore(parabola{}, 0.2, noise, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, eq := range []sde.Equation{restored, sde.Flow{Loss: parabola{}, Diffusion: noise}} {
		balance, err := stationary.DetailedBalance(eq, parabola{}, 0.2, sde.Batch{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(balance.Holds(), balance.Stationary())
	}
	// Output:
	// true true
	// false false
}

// SGD whose noise follows the loss has a power law: how far out it goes depends on the
// batch.
func ExamplePowerLaw() {
	for _, batch := range []float64{1, 8} {
		law, err := stationary.PowerLaw(0.1, 1, 0.5, batch)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("B = %g: ν = %g, standard deviation %.3f, P(|x| > 1) = %.2g\n", batch, law.Nu, math.Sqrt(law.Variance()), 2*law.CDF(-1))
	}
	// Output:
	// B = 1: ν = 5, standard deviation 0.258, P(|x| > 1) = 0.0041
	// B = 8: ν = 33, standard deviation 0.080, P(|x| > 1) = 2.2e-14
}

func ExampleDiscretized() {
	for _, h := range []float64{0.02, 0.01} {
		law, err := stationary.Discretized(wells{}, 0.2, h, sde.Box{Lo: []float64{-3}, Hi: []float64{3}})
		if err != nil {
			fmt.Println(err)
			return
		}
		x2, _ := law.Mean(func(theta []float64) float64 { return theta[0] * theta[0] })
		fmt.Printf("h = %.2f: ⟨x²⟩ = %.4f\n", h, x2)
	}
	// Output:
	// h = 0.02: ⟨x²⟩ = 0.8279
	// h = 0.01: ⟨x²⟩ = 0.8294
}

// Samples of another program, in groups that do not depend on one another, held
// against a law with a twentieth more variance.
func ExampleCompare() {
	hist := stationary.NewHistogram(-4, 4, 40)
	stream := sde.NewStream(1, nil)
	x := make([]float64, 1000)
	for g := range 64 {
		stream.At(sde.Starts, g, 0)
		stream.Normals(x)
		if err := hist.Add(g, x); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, variance := range []float64{1, 1.05} {
		law := distuv.Normal{Mu: 0, Sigma: math.Sqrt(variance)}
		report, err := stationary.Compare(stationary.CDF(law.CDF), hist)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("variance %.2f: agrees %t\n", variance, report.PValue() > 1e-4)
	}
	// Output:
	// variance 1.00: agrees true
	// variance 1.05: agrees false
}

// A thermometer tells the temperature of the noise from samples alone, whatever
// the step. Here the samples are those of Euler–Maruyama on L = x²/2, whose
// variance is T/(1−h/2).
func ExampleThermometer() {
	const T, h = 0.5, 0.2
	thermometer := &stationary.Thermometer{Loss: parabola{}}
	if err := thermometer.Start(sde.Run{Dim: 1, Groups: 64}); err != nil {
		fmt.Println(err)
		return
	}
	stream := sde.NewStream(1, nil)
	x := sde.NewBatch(1000, 1)
	for g := range 64 {
		stream.At(sde.Starts, g, 0)
		stream.Normals(x.Data)
		for i := range x.Data {
			x.Data[i] *= math.Sqrt(T / (1 - h/2))
		}
		if err := thermometer.Observe(sde.Sample{Group: g, X: x}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("of the samples %.2f, of the noise %.2f\n", thermometer.VirialTemperature().Value, thermometer.Temperature(h).Value)
	// Output:
	// of the samples 0.56, of the noise 0.50
}

type parabola struct{}

func (parabola) Dim() int                      { return 1 }
func (parabola) Value(theta []float64) float64 { return theta[0] * theta[0] / 2 }
func (parabola) Gradient(dst, theta []float64) { dst[0] = theta[0] }
