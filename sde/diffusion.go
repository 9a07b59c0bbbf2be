// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Diffusion is the noise of a flow, given by a root B(θ, t) of the diffusion
// matrix D(θ, t):
//
//	B Bᵀ = 2 D,   dθ = … + B dW
//
// with W a Brownian motion of m components. These two methods are all that is
// needed to run. A Diffusion must be safe for concurrent use.
type Diffusion interface {
	// Dims returns d, the number of coordinates of θ, and m, the number of
	// components of the noise. A diffusion that serves any dimension, such as a
	// temperature, returns 0, 0: both are then the loss's.
	Dims() (state, noise int)
	// Root stores B(θ, t) row-major into dst, of length d·m:
	//
	//	dst[i*m+k] = B_ik
	Root(dst, theta []float64, t float64)
}

// NoiseClass says how B depends on θ and t; schemes are of different order, or
// do not apply at all, for different classes. Each class contains those after it.
type NoiseClass int

const (
	// General noise is what an undeclared diffusion has.
	General NoiseClass = iota
	// Commutative noise satisfies Σ_l B_lj ∂_l B_ik = Σ_l B_lk ∂_l B_ij for all
	// i, j, k. Noise of one component (m = 1) is always commutative.
	Commutative
	// Diagonal noise has a diagonal B whose entry b_i depends on θ_i and t alone.
	// A diagonal B whose entries depend on other coordinates is General.
	Diagonal
	// Additive noise does not depend on θ; it may depend on t.
	Additive
	// Constant noise depends neither on θ nor on t.
	Constant
)

// String returns the name of the class in lower case.
func (c NoiseClass) String() string {
	switch c {
	case General:
		return "general"
	case Commutative:
		return "commutative"
	case Diagonal:
		return "diagonal"
	case Additive:
		return "additive"
	case Constant:
		return "constant"
	}
	return "unknown noise class"
}

// Classified is an upgrade of a Diffusion that declares its class.
type Classified interface {
	Class() NoiseClass
}

// Thermal is an upgrade of a Diffusion that is isotropic and independent of θ:
//
//	D(t) = T(t) I,   B(t) = √(2T(t)) I
//
// It is additive, and constant if it is Classified so.
type Thermal interface {
	Temperature(t float64) float64
}

// DiagonalRoot is an upgrade of a Diffusion whose root is a diagonal matrix
// (m = d), whatever its entries depend on. It stores b_i(θ, t) = B_ii into dst.
type DiagonalRoot interface {
	DiagonalRoot(dst, theta []float64, t float64)
}

// DiagonalDerivative is an upgrade of a Diffusion of class Diagonal. It stores
// ∂b_i/∂θ_i into dst.
type DiagonalDerivative interface {
	DiagonalDerivative(dst, theta []float64, t float64)
}

// RootJacobian is an upgrade of a Diffusion that knows the derivatives of its
// root. It stores them into dst, of length d·m·d:
//
//	dst[(i*m+k)*d+l] = ∂B_ik/∂θ_l
type RootJacobian interface {
	RootJacobian(dst, theta []float64, t float64)
}

// Divergence is an upgrade of a Diffusion that knows the divergence of D. It
// stores (∇·D)_i = Σ_j ∂D_ij/∂θ_j into dst.
type Divergence interface {
	Divergence(dst, theta []float64, t float64)
}

// Stable is an upgrade of a Diffusion whose noise is not Brownian but symmetric
// α-stable,
//
//	dθ = a dt + B dL,   E exp(i k·L_t) = exp(−t Σ_j |k_j|^α),   0 < α ≤ 2
//
// with independent components, or exp(−t|k|^α) if the law is rotationally
// invariant. For α = 2 both are √2 times a Brownian motion, so that D = BBᵀ. For
// α < 2 the increments have no variance and D no meaning: what rests on one (a
// temperature, Boltzmann's law) does not apply. Class says how B depends on θ and t.
type Stable interface {
	// StableLaw returns α, and whether the law is rotationally invariant.
	StableLaw() (alpha float64, rotational bool)
}

// ClassOf returns the class of a diffusion in d dimensions: Constant for nil (no
// noise), what it declares if it is Classified, Additive if it is Thermal,
// Commutative if it has a single component, otherwise General.
func ClassOf(diffusion Diffusion) NoiseClass {
	if diffusion == nil {
		return Constant
	}
	if c, ok := diffusion.(Classified); ok {
		return c.Class()
	}
	if _, ok := diffusion.(Thermal); ok {
		return Additive
	}
	if _, m := diffusion.Dims(); m == 1 {
		return Commutative
	}
	return General
}
