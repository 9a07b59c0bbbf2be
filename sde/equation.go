// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Equation is what schemes and the ensemble engine are written against:
//
//	dθ = a(θ, t) dt + B(θ, t) dW
//
// A Flow is an Equation whose drift is −∇L. An Equation of one's own is a
// Diffusion with a Drift; its Dims must return the true dimensions, and a noise
// dimension of 0 means that there is no noise and Root is never called. An
// Equation must be safe for concurrent use.
//
// The stochastic integral is Itô's unless the equation is Interpreted. The
// upgrades of a Diffusion (class, diagonal root, temperature, derivatives) are
// looked for on the equation itself, or on its parts if it is a Gradient system.
type Equation interface {
	Diffusion
	// Drift stores a(θ, t) into dst, under the equation's own calculus.
	Drift(dst, theta []float64, t float64)
}

// Interpreted is an upgrade of an Equation that declares its calculus.
type Interpreted interface {
	Interpretation() Calculus
}

// Confined is an upgrade of an Equation that lives in a domain; nil means none.
type Confined interface {
	Confinement() Domain
}

// BatchDrift is an upgrade of an Equation that computes the drift of many
// particles in one call. dst does not overlap x.
type BatchDrift interface {
	BatchDrift(dst, x Batch, t float64)
}

// GradientSystem is an upgrade of an Equation whose drift is −∇L and whose root
// is that of a Diffusion (nil: no noise). The upgrades of both then take the
// place of the equation's own.
type GradientSystem interface {
	Parts() (Loss, Diffusion)
}

// DiffusionOf returns where the upgrades of the equation's noise are looked for:
// the diffusion of a GradientSystem, the equation itself otherwise, and nil if
// it has no noise.
func DiffusionOf(eq Equation) Diffusion {
	if g, ok := eq.(GradientSystem); ok {
		_, d := g.Parts()
		return d
	}
	if _, m := eq.Dims(); m == 0 {
		return nil
	}
	return eq
}

// LossOf returns the loss whose negative gradient is the drift, nil if there is none.
func LossOf(eq Equation) Loss {
	if g, ok := eq.(GradientSystem); ok {
		l, _ := g.Parts()
		return l
	}
	return nil
}

// InterpretationOf returns the calculus of an equation, Ito unless it says otherwise.
func InterpretationOf(eq Equation) Calculus {
	if i, ok := eq.(Interpreted); ok {
		return i.Interpretation()
	}
	return Ito
}

// Identified is an upgrade of anything that decides a run's bits (an equation, a
// loss, a diffusion, a start, a scheme, an observer): what it returns stands for
// it when a checkpoint or a shard is held against the run it is to belong to.
//
// Without it, the type and all fields do, of an observer those that are exported,
// as they were before the run's first step; of functions it is where they are
// defined, but not what they capture. So two things need an Identity of their
// own: a closure over numbers that vary (better a struct with the numbers as
// fields and a method), and a struct that a run changes, by filling a cache behind
// a pointer for instance, and that is used again in the same process. A type
// that embeds one that is Identified, without an Identity of its own, is known by
// all its fields.
type Identified interface {
	Identity() string
}
