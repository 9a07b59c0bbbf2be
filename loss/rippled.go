// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Rippled is a rough landscape: a smooth loss with small waves along each coordinate,
//
//	L(θ) = L₀(θ) + ε Σ_i cos(2πθ_i/ℓ)
//
// Where the waves are short and ε is not small against T they slow the flow as if the
// temperature and time were others: on a scale above ℓ it moves with the diffusion
// coefficient T/I₀(ε/T)², I₀ a modified Bessel function.
//
// R. Zwanzig, 1988, Diffusion in a rough potential, Proceedings of the National Academy
// of Sciences 85, 2029–2030, eq. 9 and below.
type Rippled struct {
	Loss       sde.Loss
	Amplitude  float64 // ε
	Wavelength float64 // ℓ; 0 means 1
}

var (
	_ sde.Loss          = Rippled{}
	_ sde.BatchGradient = Rippled{}
	_ sde.Hessian       = Rippled{}
	_ sde.Laplacian     = Rippled{}
	_ sde.Normalizable  = Rippled{}
)

// Validate returns an error if Loss is nil or not valid, Amplitude not finite, or
// Wavelength negative or not finite.
func (l Rippled) Validate() error {
	if math.IsNaN(l.Amplitude) || math.IsInf(l.Amplitude, 0) {
		return &sde.SettingError{Field: "loss: Rippled.Amplitude", Value: l.Amplitude, Want: "a finite number"}
	}
	if !(l.Wavelength >= 0) || math.IsInf(l.Wavelength, 1) {
		return &sde.SettingError{Field: "loss: Rippled.Wavelength", Value: l.Wavelength, Want: "a finite number above 0, or 0 for 1"}
	}
	return checkPart("Rippled.Loss", l.Loss)
}

// Dim returns the dimension of Loss.
func (l Rippled) Dim() int { return l.Loss.Dim() }

// number returns the wave number k = 2π/ℓ.
func (l Rippled) number() float64 {
	if l.Wavelength == 0 {
		return 2 * math.Pi
	}
	return 2 * math.Pi / l.Wavelength
}

// Value returns L. It panics if theta is not of the dimension.
func (l Rippled) Value(theta []float64) float64 {
	s, k := l.Loss.Value(theta), l.number()
	for _, x := range theta {
		_, c := kernel.SinCos1(k * x)
		s = math.FMA(l.Amplitude, c, s)
	}
	return s
}

// ripple adds the gradient of the waves to g.
func (l Rippled) ripple(g, theta []float64) {
	k := l.number()
	for i, x := range theta {
		s, _ := kernel.SinCos1(k * x)
		g[i] = math.FMA(-float64(l.Amplitude*k), s, g[i])
	}
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l Rippled) Gradient(dst, theta []float64) {
	l.Loss.Gradient(dst, theta)
	l.ripple(dst, theta)
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l Rippled) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	batchGradient(l.Loss, dst, x)
	for i := range x.Rows {
		l.ripple(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the d×d matrix of second derivatives into dst. It panics if dst is
// not of length d² or theta not of length d.
func (l Rippled) Hessian(dst, theta []float64) {
	d, k := l.Dim(), l.number()
	checkHessian(dst, theta, d)
	hessian(l.Loss, dst, theta)
	for i, x := range theta {
		_, c := kernel.SinCos1(k * x)
		dst[i*d+i] = math.FMA(-float64(l.Amplitude*k)*k, c, dst[i*d+i])
	}
}

// Laplacian returns ΔL. It panics if theta is not of the dimension.
func (l Rippled) Laplacian(theta []float64) float64 {
	s, k := laplacian(l.Loss, theta), l.number()
	for _, x := range theta {
		_, c := kernel.SinCos1(k * x)
		s = math.FMA(-float64(l.Amplitude*k)*k, c, s)
	}
	return s
}

// Normalizable returns what Loss says, as the waves are bounded; true if it says nothing.
func (l Rippled) Normalizable(temperature float64) bool { return normalizable(l.Loss, temperature) }
