// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Adaptive takes steps of each particle's own, as long as an estimate of the error of
// each stays below a tolerance. The steps are those of SRA1 for additive noise, and of
// SRIW1 for diagonal noise and noise of one component. The ensemble's Step H is the
// longest; others are H/2^l. The error of a step of h is what it does beyond the scheme
// of order 1 that is embedded in it,
//
//	e = max_i (|h Σ_j α_j a(H0_j) − h a(θ)|_i + |Σ_j (β3_j I_10/h + β4_j I_111/h) g(H1_j)|_i) / (Tolerance · max(1, |θ_i|))
//
// (for SRA1 the second term is Σ β2_j g_j I_10/h, 0 for constant noise). A step of e > 1
// is taken back and tried shorter; after one that is kept the next may be
//
//	h′ = 0.9 h e^(−0.7/k) e_last^(0.4/k),   k = 3/2,   0.2 ≤ h′/h ≤ 2
//
// (Söderlind's PI control), where e is taken to what it would be for the step that was
// allowed if that was rounded down. An estimate is small by chance now and then, and
// so steps grow by no more than a factor of 2, from the floor at the start. Within a step of the ensemble the Brownian path is
// refined by bridges that are functions of the particle, the step and the place alone,
// and is not drawn again when a step is taken back, which would favour the noise
// that makes small errors: the path is the same for every tolerance, and so are
// the bits for any number of workers and whatever other particles do.
//
// With the tolerance the steps shrink as Tolerance^(2/3), and so do the errors, at
// least: those of paths were measured to vanish with powers of 0.69 to 1.1, those of E x²
// with 0.65 to 1.2 at a fixed time and 0.9 under a stationary law. That can be less than a
// strong order of 1.5 would give, since the errors of steps that were chosen by their
// noise do not average out. No order in the ensemble's step is claimed.
//
// A particle that needs a step below Floor ends the run, or is dropped, with a
// *FloorError. On a coupled path (Ensemble.Pieces) increments and areas of the step are
// those of the pieces, and what is between is not. A flow's domain is
// looked at after each step of the ensemble. Two columns of history: the logarithms of
// the step that is next over the floor, and of the last error.
//
// Two gradients at least and two normals for each component of noise a step, and as
// many for each step that is taken back; two normals for each halving. Source:
// Rackauckas & Nie, 2017, Adaptive methods for stochastic differential equations via
// natural embeddings and rejection sampling with memory, Discrete Contin. Dyn. Syst.
// Ser. B 22, § 3, for the errors; Söderlind, 2003, Digital filters in adaptive
// time-stepping; paths that are refined by a tree: Gaines & Lyons, 1997.
type Adaptive struct {
	// Tolerance is what the error of a step may be, in units of θ, and times |θ_i| where
	// that is above 1; it must be positive.
	Tolerance float64
	// Floor is the shortest step; 0 means Ensemble.Step/2²⁰.
	Floor float64
}

var (
	_ Scheme    = Adaptive{}
	_ Augmented = Adaptive{}
	_ Explainer = (*adaptive)(nil)
)

// Properties returns what the scheme is, and an error for general noise.
func (Adaptive) Properties(class sde.NoiseClass) (Properties, error) {
	if class == sde.General {
		return Properties{}, refusal("Adaptive", "general noise, only scalar, diagonal and additive", "AdaptiveEuler, or Milstein")
	}
	return Properties{Name: "adaptive SRA1/SRIW1", Calculus: sde.Ito, Gradients: 2, Normals: 2}, nil
}

// Width returns d + 2.
func (Adaptive) Width(d int) int { return d + 2 }

// Bind returns the scheme's kernel for a system. It refuses a tolerance or a floor
// that is not positive, and commutative noise of more than one component.
func (a Adaptive) Bind(s *System) (Kernel, error) {
	if !(a.Tolerance > 0) || math.IsInf(a.Tolerance, 1) {
		return nil, invalid("Adaptive.Tolerance", a.Tolerance, "a positive, finite tolerance", nil)
	}
	levels, err := levelsOf("Adaptive", a.Floor, s.Step, 20)
	if err != nil {
		return nil, err
	}
	one := NewSystem(s.Equation, sde.Ito, s.Step, 1)
	scheme := SRIW1{}.Tableau()
	scheme.Name, scheme.Additive.Name = "Adaptive", "Adaptive"
	inner, err := scheme.Bind(one)
	if err != nil {
		return nil, err
	}
	k := &adaptive{floors: newFloors(s.Rows, s.State), s: s, one: one, inner: inner, tolerance: a.Tolerance, bridge: newBridge(s.Noise, levels),
		x: sde.NewBatch(1, s.State), err: make([]float64, s.State), z: make([]float64, s.Rows*s.Noise), u: make([]float64, s.Rows*s.Noise), words: make([]uint64, 2*s.Rows)}
	k.stream = sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) { copy(dst, k.nodeZ) }, Areas: func(dst []float64) { copy(dst, k.nodeU) }})
	return k, nil
}

type adaptive struct {
	floors
	s         *System
	one       *System // of one particle, whose Step is changed
	inner     Kernel
	tolerance float64
	bridge    *bridge
	x         sde.Batch // the particle after a step that is tried
	err       []float64
	z, u      []float64
	words     []uint64

	stream       *sde.Stream // gives the inner kernel a node's noise
	nodeZ, nodeU []float64

	rejected func(level int) // nil but in tests
}

func (k *adaptive) Step(x sde.Batch, t float64, stream *sde.Stream) {
	m := k.s.Noise
	clear(k.hit)
	if m > 0 {
		stream.SpaceTime(k.z[:x.Rows*m], k.u[:x.Rows*m])
		stream.Words(k.words[:2*x.Rows])
	}
	for i := range x.Rows {
		if m > 0 {
			k.bridge.start(stream, [2]uint64{k.words[2*i], k.words[2*i+1]}, k.z[i*m:(i+1)*m], k.u[i*m:(i+1)*m])
		}
		k.s.row = i
		k.particle(i, x.Row(i), t)
	}
	k.s.row = -1
}

// particle takes row i through the step.
func (k *adaptive) particle(i int, row []float64, t float64) {
	const order = 1.5
	d, levels := k.s.State, k.bridge.levels
	theta, history := row[:d], row[d:]
	floor := float64(-ln2 * float64(levels))
	next, lastError := floor+history[0], history[1] // logarithms, of the floor and of 1 at the start
	last := int64(1) << levels
	for at := int64(0); at < last; {
		now := t + float64(k.s.Step*(float64(at)/float64(last)))
		level := min(levelOf(kernel.Exp1(next)), levels)
		for at&(last>>level-1) != 0 {
			level++ // a longer one does not start here
		}
		copy(k.x.Data, theta)
		e := k.try(theta, now, level, at>>(levels-level))
		if !(e <= 1) {
			if k.rejected != nil {
				k.rejected(level)
			}
			shrink := -log5 // also where the error is no number
			if e < math.MaxFloat64 {
				shrink = max(shrink, log09-kernel.Log1(e)/order)
			}
			next = shrink - float64(ln2*float64(level))
			if level == levels {
				k.fail(i, row, theta, now, k.s.Step*kernel.Exp1(next), math.Ldexp(k.s.Step, -levels))
				return
			}
			continue
		}
		at += last >> level
		copy(theta, k.x.Data)
		// What was taken may be shorter than what was allowed.
		logE := kernel.Log1(max(e, 1e-10)) + float64(order*(next+float64(ln2*float64(level))))
		factor := log09 - float64(0.7/order*logE) + float64(0.4/order*lastError)
		next = max(floor, min(next+max(-log5, min(ln2, factor)), 0))
		lastError = logE
	}
	history[0], history[1] = next-floor, lastError
}

const (
	ln2   = 0.693147180559945309417
	log5  = 1.609437912434100374600
	log09 = -0.105360515657826301227
)

// try sets k.x to the state after a step of the given level and node, and returns its error.
func (k *adaptive) try(theta []float64, t float64, level int, node int64) (e float64) {
	k.one.Step = math.Ldexp(k.s.Step, -level)
	if k.s.Noise > 0 {
		k.nodeZ, k.nodeU = k.bridge.at(level, node)
	}
	k.stream.At(sde.Steps, 0, 0)
	k.inner.Step(k.x, t, k.stream)
	if !kernel.AllFinite(k.x.Data) {
		return math.Inf(1)
	}
	switch inner := k.inner.(type) {
	case *additiveRungeKutta:
		inner.embedded(k.err)
	case *diagonalRungeKutta:
		inner.embedded(k.err)
	}
	for j, v := range k.err {
		v /= k.tolerance * max(1, math.Abs(theta[j]))
		if !(v <= e) {
			e = v
		}
	}
	return e
}

// embedded stores what the last step, of one particle, did beyond the scheme of order
// 1 that is in it.
func (k *additiveRungeKutta) embedded(dst []float64) {
	k.sum.reset()
	k.sum.add(-k.h[0], k.f[0].Data)
	for i, a := range k.r.Alpha {
		if a != 0 {
			k.sum.add(a*k.h[i], k.f[i].Data)
		}
	}
	clear(dst)
	k.sum.addTo(dst)
	for j, v := range dst {
		dst[j] = math.Abs(v)
	}
	if k.s.Noise == 0 || k.u == nil {
		return
	}
	h := math.Sqrt(k.s.Step)
	for j := range dst {
		var v float64
		for n := range k.r.C1 {
			b := h * element(k.r.Beta2, n)
			switch {
			case b == 0:
			case k.gz != nil:
				v += float64(b * (float64(k.gz[n].Data[j]/2) + k.gu[n].Data[j]/sqrt12))
			default:
				v += float64(b * k.scale[n] * (float64(k.z[j]/2) + k.u[j]/sqrt12))
			}
		}
		dst[j] += math.Abs(v)
	}
}

// embedded stores what the last step, of one particle, did beyond the scheme of order
// 1 that is in it.
func (k *diagonalRungeKutta) embedded(dst []float64) {
	k.sum.reset()
	k.sum.add(-k.h[0], k.f[0].Data)
	for i, a := range k.r.Alpha {
		if a != 0 {
			k.sum.add(a*k.h[k.stage(i)], k.f[k.stage(i)].Data)
		}
	}
	clear(dst)
	k.sum.addTo(dst)
	p := k.product.Data
	clear(p)
	for i := range k.r.Alpha {
		k.spread(k.product, k.g[i].Data, k.z[:k.s.Noise], k.u[:k.s.Noise], 0, 0, element(k.r.Beta3, i), element(k.r.Beta4, i))
	}
	for j, v := range dst {
		dst[j] = math.Abs(v) + math.Abs(p[j])
	}
}
