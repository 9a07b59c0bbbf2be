// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import "fmt"

// Flow is stochastic gradient flow, the equation
//
//	dθ = −∇L(θ) dt + B(θ, t) dW,   B Bᵀ = 2 D(θ, t)
//
// Time is counted so that one step of SGD of learning rate η takes the time η,
// whence D = (η/2) C with C the covariance of SGD's gradient noise (Li, Tai & E,
// 2017, Stochastic modified equations and adaptive stochastic gradient
// algorithms, eq. 5). Where D = T I, Itô's equation has the stationary density
// exp(−L/T), if that can be normalised.
//
// Only Loss must be set.
type Flow struct {
	// Loss is the landscape that the flow descends.
	Loss Loss
	// Diffusion is the noise; nil means none: gradient flow.
	Diffusion Diffusion
	// Calculus is how the stochastic integral is meant; the zero value is Ito. It
	// matters only where D depends on θ.
	Calculus Calculus
	// Domain confines the particles; nil means all of ℝᵈ.
	Domain Domain
}

var (
	_ Equation       = Flow{}
	_ GradientSystem = Flow{}
	_ Interpreted    = Flow{}
	_ Confined       = Flow{}
)

// Validate returns an error that names the first field that is wrong and what
// would be right, or nil. The other methods expect a valid flow.
func (f Flow) Validate() error {
	if f.Loss == nil {
		return &SettingError{"sde: Flow.Loss", nil, "a loss", nil}
	}
	d := f.Loss.Dim()
	if d < 1 {
		return &SettingError{"sde: Flow.Loss.Dim()", d, "at least 1", ErrDimension}
	}
	if f.Calculus < Ito || Klimontovich < f.Calculus {
		return &SettingError{"sde: Flow.Calculus", int(f.Calculus), "Ito, Stratonovich or Klimontovich", nil}
	}
	if v, ok := f.Loss.(validator); ok {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	if v, ok := f.Diffusion.(validator); ok {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	if f.Diffusion != nil {
		switch n, m := f.Diffusion.Dims(); {
		case n == 0 && m == 0:
		case n != d:
			return &SettingError{"sde: Flow.Diffusion", fmt.Sprintf("a diffusion of %d coordinates", n),
				fmt.Sprintf("%d, the dimension of the loss", d), ErrDimension}
		case m < 1:
			return &SettingError{"sde: Flow.Diffusion", fmt.Sprintf("a diffusion of %d noise components", m), "at least 1, or a nil Diffusion for no noise", ErrDimension}
		}
	}
	if v, ok := f.Domain.(interface{ Validate(dim int) error }); ok {
		return v.Validate(d)
	}
	return nil
}

// validator is what losses and diffusions implement whose fields can be wrong.
type validator interface{ Validate() error }

// Dims returns the loss's dimension and that of the noise, 0 if there is none.
func (f Flow) Dims() (state, noise int) {
	d := f.Loss.Dim()
	if f.Diffusion == nil {
		return d, 0
	}
	if _, m := f.Diffusion.Dims(); m > 0 {
		return d, m
	}
	return d, d
}

// Drift stores −∇L(θ) into dst.
func (f Flow) Drift(dst, theta []float64, t float64) {
	f.Loss.Gradient(dst, theta)
	for i, g := range dst {
		dst[i] = -g
	}
}

// Root stores the diffusion's root B(θ, t) into dst. It panics if there is no noise.
func (f Flow) Root(dst, theta []float64, t float64) {
	if f.Diffusion == nil {
		panic("sde: root of a flow without noise")
	}
	f.Diffusion.Root(dst, theta, t)
}

// Parts returns the loss and the diffusion.
func (f Flow) Parts() (Loss, Diffusion) { return f.Loss, f.Diffusion }

// Interpretation returns f.Calculus.
func (f Flow) Interpretation() Calculus { return f.Calculus }

// Confinement returns f.Domain.
func (f Flow) Confinement() Domain { return f.Domain }
