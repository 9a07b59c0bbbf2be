// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

// poisson is a loss of one's own: Poisson regression of counts on one feature,
// ℓ_i = exp(θ₀ + θ₁x_i) − y_i (θ₀ + θ₁x_i) + ½λ|θ|².
type poisson struct {
	x, y  []float64
	decay float64
}

func (poisson) Dim() int { return 2 }

func (l poisson) Value(theta []float64) float64 {
	v := l.decay / 2 * (theta[0]*theta[0] + theta[1]*theta[1])
	for i, x := range l.x {
		t := theta[0] + theta[1]*x
		v += (math.Exp(t) - l.y[i]*t) / float64(len(l.x))
	}
	return v
}

func (l poisson) Gradient(dst, theta []float64) {
	dst[0], dst[1] = l.decay*theta[0], l.decay*theta[1]
	for i, x := range l.x {
		r := (math.Exp(theta[0]+theta[1]*x) - l.y[i]) / float64(len(l.x))
		dst[0] += r
		dst[1] += r * x
	}
}

// Samples and SampleGradient make it a finite sum. Here the samples forget the weight
// decay.
func (l poisson) Samples() int { return len(l.x) }

func (l poisson) SampleGradient(dst, theta []float64, i int) {
	dst[0] = math.Exp(theta[0]+theta[1]*l.x[i]) - l.y[i]
	dst[1] = dst[0] * l.x[i]
}

// withDecay is poisson with the decay in each sample.
type withDecay struct{ poisson }

func (l withDecay) SampleGradient(dst, theta []float64, i int) {
	l.poisson.SampleGradient(dst, theta, i)
	dst[0] += l.decay * theta[0]
	dst[1] += l.decay * theta[1]
}

// A finite sum of one's own is one method more than a loss, and how many samples there are. A
// battery holds its samples to its gradient.
func Example_finiteSum() {
	l := poisson{x: []float64{-1, 0, 1, 2}, y: []float64{0, 2, 1, 5}, decay: 0.25}
	o := losstest.Options{Points: [][]float64{{0, 1}}, Wants: []losstest.Upgrade{losstest.FiniteSum}}
	fmt.Println(losstest.Check(l, o))
	fmt.Println(losstest.Check(withDecay{l}, o))
	// Output:
	// losstest: samples: the samples' mean of ∂ℓ_i/∂θ_1 at θ = [0 1] is 1.53212864629, ∂L/∂θ_1 is 1.78212864629: they differ by 0.25, and should be equal; is what all samples share, such as weight decay, in each ℓ_i?
	// <nil>
}

func ExampleFuncSum() {
	y := []float64{1, 2, 6}
	l := loss.FuncSum{Coordinates: 1, Count: len(y),
		F:    func(theta []float64, i int) float64 { return (theta[0] - y[i]) * (theta[0] - y[i]) / 2 },
		Grad: func(dst, theta []float64, i int) { dst[0] = theta[0] - y[i] },
	}
	g := make([]float64, 1)
	l.Gradient(g, []float64{0})
	fmt.Println(g)
	sde.BindMinibatches(l, 1)(sde.Batch{Data: g, Rows: 1, Cols: 1, Stride: 1}, sde.NewBatch(1, 1), []uint32{0, 2})
	fmt.Println(g)
	// Output:
	// [-3]
	// [-3.5]
}

// The features of BreastCancer are on very different scales, so they are standardised.
func ExampleBreastCancer() {
	data := loss.BreastCancer().Standardized()
	l, err := loss.NewLogistic(data.X, data.Y, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Samples(), "samples,", l.WithIntercept().Dim(), "parameters")
	// Output:
	// 569 samples, 31 parameters
}

// A network on data of a teacher of the same form: at the teacher the loss is half the variance
// of the noise.
func ExampleNewTwoLayer() {
	x := loss.NormalFeatures(10_000, 3, 1)
	net := loss.TwoLayerSettings{Units: 2, Activation: loss.Tanh}
	teacher := []float64{1, 0.5, 1, -1, -2, 1, 0, 0.3} // (a, w) of each unit
	y, err := loss.TwoLayerTargets(x, net, teacher, 0.2, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := loss.NewTwoLayer(x, y, net)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f\n", l.Value(teacher))
	// Output:
	// 0.020
}

// The gradients of all samples at one θ, of which the covariance is the noise of SGD.
func ExampleLeastSquares_SampleGradients() {
	l, err := loss.NewLeastSquares(mat.NewDense(2, 1, []float64{1, 2}), []float64{1, 1}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	g := sde.NewBatch(l.Samples(), l.Dim())
	l.SampleGradients(g, []float64{0}, 0)
	fmt.Println(g.Data)
	// Output:
	// [-1 -2]
}
