// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// AdaptiveEuler is EulerMaruyama with steps of each particle's own, shorter where
// the drift is large:
//
//	h(θ) = H min(1, max(R, |θ|)/(τ|a(θ)|))
//
// rounded down to H/2^l, with H the ensemble's Step. So a step of the drift never
// takes a particle further than H/τ times its distance from the origin, or R, and losses
// that grow faster than quadratically are safe from any start, if H < τ and far out the
// gradient points outwards. If it does not, Squared takes the square of the second term, by which ⟨θ,a⟩ +
// (h/2)|a|² ≤ α|θ|² + β follows from the same without h, but from far out takes many more steps. A step is chosen from where the particle is,
// before its noise is seen, and never taken back. Within a step of the ensemble the
// Brownian path is refined by bridges that are functions of the particle, the step and
// the place alone: Adaptive follows the same path.
//
// It serves every class of noise. Orders are in H and those of EulerMaruyama: strong
// ½, and 1 for additive noise; weak 1. Where h = H it is EulerMaruyama to the bit. On a
// quadratic of any curvature it is stable for H < 2τ. On a coupled path
// (Ensemble.Pieces) increments and areas of the step are those of the pieces, and what is between is not.
// A flow's domain is looked at after each step of the ensemble.
//
// A particle that needs a step below Floor ends the run, or is dropped, with a
// *FloorError.
//
// At least one gradient and two normals for each component of noise a step; two more
// normals for each halving. Source: Fang & Giles, 2020, Adaptive Euler–Maruyama
// method for SDEs with nonglobally Lipschitz drift, Ann. Appl. Probab. 30, § 2: the
// rule for τ = 1 and R = 1.
type AdaptiveEuler struct {
	// Time is τ, in units of the flow's time; 0 means 1.
	Time float64
	// Radius is R, in units of θ, the size of what is to be resolved; 0 means 1.
	Radius float64
	// Squared squares max(R, |θ|)/(τ|a|).
	Squared bool
	// Floor is the shortest step; 0 means Ensemble.Step/2³⁰.
	Floor float64
}

var (
	_ Scheme    = AdaptiveEuler{}
	_ Explainer = (*adaptiveEuler)(nil)
)

// Properties returns what the scheme is; it serves every class.
func (AdaptiveEuler) Properties(class sde.NoiseClass) (Properties, error) {
	p, err := EulerMaruyama{}.Properties(class)
	p.Name, p.Stability, p.Normals = "adaptive Euler", 0, 2
	return p, err
}

// Bind returns the scheme's kernel for a system. It refuses a Time, a Radius or a
// Floor that is not positive.
func (a AdaptiveEuler) Bind(s *System) (Kernel, error) {
	for _, f := range []struct {
		name  string
		value *float64
		what  string
	}{{"Time", &a.Time, "time"}, {"Radius", &a.Radius, "radius"}} {
		if *f.value == 0 {
			*f.value = 1
		}
		if !(*f.value > 0) || math.IsInf(*f.value, 1) {
			return nil, invalid("AdaptiveEuler."+f.name, *f.value, "a positive, finite "+f.what+", or 0 for 1", nil)
		}
	}
	levels, err := levelsOf("AdaptiveEuler", a.Floor, s.Step, 30)
	if err != nil {
		return nil, err
	}
	n := s.Rows * s.Noise
	return &adaptiveEuler{floors: newFloors(s.Rows, s.State), a: a, s: s, bridge: newBridge(s.Noise, levels), drift: sde.NewBatch(s.Rows, s.State),
		noise: sde.NewBatch(1, s.State), z: make([]float64, n), u: make([]float64, n), words: make([]uint64, 2*s.Rows)}, nil
}

type adaptiveEuler struct {
	floors
	a      AdaptiveEuler
	s      *System
	bridge *bridge
	drift  sde.Batch
	noise  sde.Batch // B z of one particle
	z, u   []float64
	words  []uint64
}

func (k *adaptiveEuler) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, m := k.s, k.s.Noise
	clear(k.hit)
	if m > 0 {
		stream.SpaceTime(k.z[:x.Rows*m], k.u[:x.Rows*m])
		stream.Words(k.words[:2*x.Rows])
	}
	// At the start of the step all are at the same time.
	c := s.Slope(k.drift.Slice(0, x.Rows), x, t)
	for i := range x.Rows {
		if m > 0 {
			k.bridge.start(stream, [2]uint64{k.words[2*i], k.words[2*i+1]}, k.z[i*m:(i+1)*m], k.u[i*m:(i+1)*m])
		}
		k.particle(i, x.Slice(i, i+1), c, t)
	}
}

// particle takes row i, which is x and has the drift c·k.drift, through the step.
func (k *adaptiveEuler) particle(i int, x sde.Batch, c, t float64) {
	s, levels := k.s, k.bridge.levels
	row, a := x.Row(0), k.drift.Row(i)
	last := int64(1) << levels
	for at := int64(0); at < last; {
		now := t + float64(s.Step*(float64(at)/float64(last)))
		if at > 0 {
			c = s.Slope(k.drift.Slice(i, i+1), x, now)
		}
		fraction := k.fraction(row, a)
		level := levelOf(fraction)
		if level > levels {
			k.fail(i, row, row, now, fraction*s.Step, math.Ldexp(s.Step, -levels))
			return
		}
		for at&(last>>level-1) != 0 {
			level++ // a longer one does not start here
		}
		k.euler(x, a, c, now, level, at>>(levels-level))
		at += last >> level
	}
}

// euler takes a step of the given level and node.
func (k *adaptiveEuler) euler(x sde.Batch, a []float64, c, t float64, level int, node int64) {
	s, row := k.s, x.Row(0)
	h := math.Ldexp(s.Step, -level)
	if s.Noise == 0 {
		for j, v := range a {
			row[j] = math.FMA(h*c, v, row[j])
		}
		return
	}
	z, _ := k.bridge.at(level, node)
	scale, ok := s.Isotropic(t)
	if !ok {
		s.Spread(k.noise, x, t, z)
		z, scale = k.noise.Data, 1
	}
	scale *= math.Sqrt(h)
	for j, v := range a {
		row[j] = math.FMA(scale, z[j], math.FMA(h*c, v, row[j]))
	}
}

// fraction returns h(θ)/H for a multiple ±1 of the drift.
func (k *adaptiveEuler) fraction(theta, a []float64) float64 {
	f := max(k.a.Radius, norm(theta)) / (k.a.Time * norm(a))
	if k.a.Squared {
		f *= f
	}
	return f
}
