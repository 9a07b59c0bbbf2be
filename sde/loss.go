// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Loss is a landscape L(θ) on ℝᵈ: what the flow descends. These three methods
// are all that is needed to run; the upgrades below make a run faster or a
// result sharper, and are looked for once, when a run is set up.
//
// A Loss must be safe for concurrent use: Value and Gradient are called from
// many goroutines and must not write to theta or keep it.
type Loss interface {
	// Dim returns d, the number of coordinates of θ.
	Dim() int
	// Value returns L(θ).
	Value(theta []float64) float64
	// Gradient stores ∇L(θ) into dst, of length d like theta.
	Gradient(dst, theta []float64)
}

// BatchGradient is an upgrade of a Loss that takes the gradients of many
// particles in one call. Row i of dst receives ∇L at row i of x. Both are
// batches of d columns; dst does not overlap x.
type BatchGradient interface {
	BatchGradient(dst, x Batch)
}

// Hessian is an upgrade of a Loss that knows its second derivatives. It stores
// the d×d matrix row-major into dst:
//
//	dst[i*d+j] = ∂²L/∂θ_i∂θ_j
type Hessian interface {
	Hessian(dst, theta []float64)
}

// Laplacian is an upgrade of a Loss that knows ΔL = Σ_i ∂²L/∂θ_i².
type Laplacian interface {
	Laplacian(theta []float64) float64
}

// Curvature is an upgrade of a Loss that knows the largest eigenvalue of its
// Hessian over its minima (for a quadratic, everywhere). An explicit scheme of
// step h is linearly unstable there when h·Curvature() ≥ 2. It is 0 where it is not known.
type Curvature interface {
	Curvature() float64
}

// Harmonic is an upgrade of a Loss that is a quadratic form,
//
//	L(θ) = ½(θ−c)ᵀH(θ−c) + const,   ∇L = H(θ−c)
//
// with a symmetric H of eigenvalues of any sign. It returns H, d×d and row-major,
// and c; callers must not change them. What can be said of a quadratic exactly is
// said of a loss that declares itself one, and of no other: a constant Hessian at a
// few points proves nothing.
type Harmonic interface {
	Harmonic() (h, center []float64)
}

// Normalizable is an upgrade of a Loss that knows whether exp(−L/T) has a finite
// integral over ℝᵈ. It returns false only where that is known; true is still looked at
// by whoever normalises.
type Normalizable interface {
	Normalizable(temperature float64) bool
}

// CriticalPoint is a place where the gradient of a loss vanishes.
type CriticalPoint struct {
	Theta []float64
	Value float64 // L(θ)
	// Index is the number of negative eigenvalues of the Hessian: 0 at a
	// minimum, 1 at a saddle that separates two minima, d at a maximum.
	Index int
}

// Charted is an upgrade of a Loss that knows its critical points: all minima that
// are isolated, and as many others as are known. Callers must not change what is returned.
type Charted interface {
	CriticalPoints() []CriticalPoint
}

// Minima returns the minima that l declares as a Charted loss, nil if it is none.
func Minima(l Loss) []CriticalPoint {
	c, ok := l.(Charted)
	if !ok {
		return nil
	}
	var m []CriticalPoint
	for _, p := range c.CriticalPoints() {
		if p.Index == 0 {
			m = append(m, p)
		}
	}
	return m
}
