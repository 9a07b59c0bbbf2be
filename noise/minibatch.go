// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// Minibatch is the noise of SGD whose batches are drawn independently and with
// replacement, from samples whose gradients have the covariance s²I:
//
//	D = T I,   T = ηs²/(2B)
//
// in any dimension, in the units of time in which a step of SGD takes η. For
// batches without replacement from N samples, multiply Variance by (N−B)/(N−1).
//
// See Mandt, Hoffman & Blei, 2017, Stochastic gradient descent as approximate
// Bayesian inference, and Li, Tai & E, 2017, Stochastic modified equations and
// adaptive stochastic gradient algorithms, eq. 5. Chaudhari & Soatto (2018) write
// the same with an inverse temperature β⁻¹ = η/(2B).
//
// All three fields must be set.
type Minibatch struct {
	// LearningRate is η, above 0.
	LearningRate float64
	// BatchSize is B, at least 1.
	BatchSize int
	// Variance is s², the variance of one coordinate of the gradient of one
	// sample, above 0 (the population's, with a divisor of N).
	Variance float64
}

var (
	_ sde.Diffusion    = Minibatch{}
	_ sde.Classified   = Minibatch{}
	_ sde.Thermal      = Minibatch{}
	_ sde.DiagonalRoot = Minibatch{}
)

// Validate returns an error that names the first field which is not positive
// and finite, or says that the temperature they make is not.
func (n Minibatch) Validate() error {
	if err := positive("noise: Minibatch.LearningRate", n.LearningRate); err != nil {
		return err
	}
	if n.BatchSize < 1 {
		return &sde.SettingError{Field: "noise: Minibatch.BatchSize", Value: n.BatchSize, Want: "at least 1"}
	}
	if err := positive("noise: Minibatch.Variance", n.Variance); err != nil {
		return err
	}
	if t := n.Temperature(0); !isPositive(t) {
		return &sde.SettingError{Field: "noise: Minibatch", Value: fmt.Sprintf("%+v", n),
			Want: fmt.Sprintf("a finite temperature ηs²/(2B) above 0, which is %g", t)}
	}
	return nil
}

// Dims returns 0, 0: any dimension.
func (n Minibatch) Dims() (state, noise int) { return 0, 0 }

// Class returns sde.Constant.
func (n Minibatch) Class() sde.NoiseClass { return sde.Constant }

// Temperature returns T = ηs²/(2B) at any time.
func (n Minibatch) Temperature(float64) float64 {
	return n.LearningRate * n.Variance / (2 * float64(n.BatchSize))
}

// Root stores √(2T) I, of d×d for d = len(theta), into dst. It panics if dst is
// not of length d².
func (n Minibatch) Root(dst, theta []float64, t float64) {
	isotropicRoot(dst, len(theta), n.Temperature(t))
}

// DiagonalRoot stores √(2T) into each element of dst. It panics if dst and theta
// differ in length.
func (n Minibatch) DiagonalRoot(dst, theta []float64, t float64) {
	isotropicDiagonal(dst, len(theta), n.Temperature(t))
}
