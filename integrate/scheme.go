// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// Scheme is a numerical method for an equation. A scheme is a small struct whose
// fields are its settings; bound to an equation it gives the Kernel that
// advances blocks of particles.
type Scheme interface {
	// Properties states what the scheme is for noise of the given class. If it
	// does not serve that class the error says so, wraps sde.ErrUnsupported and
	// names a scheme that does.
	Properties(class sde.NoiseClass) (Properties, error)
	// Bind returns a kernel for the system. It is called once for each worker; a
	// kernel holds scratch memory and serves one goroutine at a time.
	Bind(s *System) (Kernel, error)
}

// Kernel advances the particles of a block by one step of System.Step, from time
// t, with the noise of the stream, which has been placed at the block and step.
// It takes the Brownian increments from Stream.Increments, at most once, and
// whatever else it needs from the stream's other methods. It allocates nothing.
type Kernel interface {
	Step(x sde.Batch, t float64, s *sde.Stream)
}

// Augmented is an upgrade of a Scheme whose particles are more than θ: velocities,
// second moments, the last step's noise. That history is part of a particle's row,
// behind its d coordinates; it is saved and resumed with them. Starts and domains
// see θ alone, and observers find the rest in Sample.History. The kernel's batches have Width(d) columns.
type Augmented interface {
	// Width returns how many columns a row has for d coordinates, d included.
	Width(d int) int
}

// Starter is an upgrade of a Kernel that sets the history in the rows of x, whose
// coordinates are those of the start, drawing from the start stream. Without it
// the history starts at zero.
type Starter interface {
	Start(x sde.Batch, s *sde.Stream)
}

// Resident is an upgrade of a Kernel that keeps the particles of a block in a
// layout of its own while they are advanced. Load takes in the rows of x,
// StepLoaded advances what was loaded, and Store puts it back, all to the bits of
// Step, which stands alone.
type Resident interface {
	Load(x sde.Batch)
	StepLoaded(t float64, s *sde.Stream)
	Store(x sde.Batch)
}

// Explainer is an upgrade of a Kernel with steps that can fail. A kernel marks the
// row of a particle that it cannot advance with NaN; the run locates it, as it does
// a particle that diverged, and asks why. Explain returns the reason for row i of
// the last step, or nil; it becomes DivergenceError.Err.
type Explainer interface {
	Explain(i int) error
}

// Tuned is an upgrade of a Scheme that changes itself in the first TuningTime of a
// run, which has to be within the burn-in: averages are of the tuned scheme alone.
type Tuned interface {
	TuningTime() float64
}

// StableDriven is an upgrade of a Scheme whose noise is symmetric α-stable. An
// equation that declares such noise (sde.Stable) is refused to all others.
type StableDriven interface {
	// StableDriven returns an error if the scheme does not serve the index α.
	StableDriven(alpha float64) error
}

// increments returns the strong order of the scheme's increments from step to step.
func (p Properties) increments() float64 {
	if p.Shared {
		return 0
	}
	return p.Strong
}

// Properties is what a scheme states of itself for one class of noise.
type Properties struct {
	// Name is the scheme's name, as in "Euler–Maruyama".
	Name string
	// Calculus is the convention whose drift the scheme takes. The conversion
	// from the equation's own is done by System.
	Calculus sde.Calculus
	// Strong and Weak are the orders of convergence in h of a path and of an
	// expectation at a fixed time. Invariant is that of the stationary law, +Inf if
	// that is exact. An order of 0 means that none is claimed, as where the scheme's
	// paths are not those of the equation.
	Strong, Weak, Invariant float64
	// Shared says that a step shares noise with the next: what a path does from one step to
	// the next is then not what the equation does in that time, and is not to be
	// interpolated (FirstPassage.Bridge), though the path converges.
	Shared bool
	// Heat is by what factor the temperature of the stationary law is above that of the
	// equation, for D = T I; 0 means 1. Momentum makes SGD hotter, say.
	Heat float64
	// Stability is the largest h·λ for which the scheme is linearly stable on a
	// quadratic of curvature λ; 0 means that it is not known, +Inf that there is none.
	Stability float64
	// Gradients and Normals are the evaluations of the drift and the normals for
	// each component of noise that a step takes, the fewest if their number depends on
	// the state.
	Gradients, Normals float64
}
