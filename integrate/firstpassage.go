// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mathext"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// FirstPassage measures how long particles take from their start into a target
// set. It sees each step, and a particle that has arrived stays where it is, or
// with Restart begins again. Times are counted from the start of the run, whose
// schedule must have no burn-in; what has not arrived when the run ends is
// censored, which Passages and Survival take into account.
//
// A simulated path is known at its steps alone. Plainly, a passage is the end of
// the first step after which the particle stands in the target: what crosses and
// comes back within a step is missed, and the mean passage time is too long by
// O(√h). With Bridge the path within a step is taken for the Brownian bridge that it is if drift and
// root are held fixed, and the bias is O(h): with φ the level of the target
// (sde.Smooth), positive at both ends of the step,
//
//	P(crossed) = exp(−2 φ₀ φ₁ / v),   v = h |Bᵀ∇φ|²
//
// and the time of the crossing is drawn from its law, h s/(1+s) with s inverse
// Gaussian of mean φ₀/|φ₁| and shape φ₀²/v. For a half-space, constant noise and constant drift
// this is exact at any step. Sources: Gobet, 2000, Weak approximation of
// killed diffusion using Euler schemes, theorem 2.3 (and 2001, Euler schemes and half-space
// approximation for the simulation of diffusion in a domain); Mannella, 1999,
// Absorbing boundaries and optimal stopping in a stochastic differential equation.
//
// Its memory is 40 bytes for each particle, with Restart 8 more for each
// coordinate, whatever the number of steps.
type FirstPassage struct {
	// Target is the set; the run is refused if a particle starts inside.
	Target sde.Set
	// Bridge corrects for what happens within a step. It needs a target that is a
	// union of smooth sets (sde.FacesOf) and a scheme with a strong order, whose
	// increments between steps are those of the equation; those of LeimkuhlerMatthews, which
	// states one, are not, and what is taken off is not its bias.
	Bridge bool
	// Restart puts a particle that arrived back to its start, where its clock
	// begins again at the end of the step.
	Restart bool
	// Edges, if not nil, are those of the bins of a histogram of all passage times,
	// rising.
	Edges []float64

	run       sde.Run
	bounds    []int
	faces     []sde.Smooth
	starts    sde.Batch
	particles []passage
	counts    [][]int64 // by group and bin, one more on either side
	scratch   []bridging
}

// passage is what is known of a particle.
type passage struct {
	age   int64   // steps since its clock began
	exits int64   // passages
	sum   float64 // of their times
	first float64 // the first of them; if there is none, NaN, or −t if it was dropped at t
	state passageState
}

type passageState uint8

const (
	unseen passageState = iota
	underway
	arrived // and stays
	lost    // was dropped
)

// bridging is what a group needs to look into a step.
type bridging struct {
	gradient, root []float64
	times          int // of the numbers below, how many have been drawn in this step
	u, z, w        []float64
}

var (
	_ sde.StepObserver   = (*FirstPassage)(nil)
	_ sde.BurnInObserver = (*FirstPassage)(nil)
	_ sde.GroupSaver     = (*FirstPassage)(nil)
)

// Start refuses what Validate does and a schedule with a burn-in.
func (f *FirstPassage) Start(r sde.Run) error {
	if f.Target == nil {
		return invalid("FirstPassage.Target", nil, "a set", nil)
	}
	if err := sde.ValidateSet(f.Target, r.Dim); err != nil {
		return err
	}
	if r.BurnIn != 0 {
		return invalid("Schedule.BurnIn", r.BurnIn, "0, as passages are timed from the start", nil)
	}
	for i, e := range f.Edges {
		if len(f.Edges) < 2 || math.IsNaN(e) || math.IsInf(e, 0) || i > 0 && e <= f.Edges[i-1] {
			return invalid("FirstPassage.Edges", f.Edges, "nil, or at least two finite numbers that rise", nil)
		}
	}
	f.faces = nil
	if f.Bridge {
		if f.faces = sde.FacesOf(f.Target); f.faces == nil {
			return invalid("FirstPassage.Bridge", fmt.Sprintf("true for a target %T", f.Target), "a target that is a union of smooth sets (sde.Smooth), or false", nil)
		}
		if r.Equation == nil || !(r.Strong > 0) {
			return invalid("FirstPassage.Bridge", fmt.Sprintf("true for scheme %q", r.Scheme), "false, or a scheme whose increments are those of the equation, such as EulerMaruyama", nil)
		}
	}
	f.run, f.bounds = r, r.Bounds
	if f.bounds == nil {
		if r.Groups > 1 {
			return invalid("sde.Run.Bounds", nil, "the bounds of the groups, as there are several", nil)
		}
		f.bounds = []int{0, r.Particles}
	}
	f.particles = make([]passage, r.Particles)
	for i := range f.particles {
		f.particles[i].first = math.NaN()
	}
	f.starts = sde.Batch{}
	if f.Restart {
		f.starts = sde.NewBatch(r.Particles, r.Dim)
	}
	f.counts, f.scratch = make([][]int64, r.Groups), make([]bridging, r.Groups)
	for g := range f.scratch {
		f.counts[g] = make([]int64, len(f.Edges)+1)
		if f.Bridge {
			_, m := r.Equation.Dims()
			f.scratch[g] = bridging{gradient: make([]float64, r.Dim), root: make([]float64, r.Dim*m)}
		}
	}
	return nil
}

// ObservesBurnIn returns true: it needs to see the start.
func (f *FirstPassage) ObservesBurnIn() bool { return true }

// Observe looks at the start, which must be outside the target.
func (f *FirstPassage) Observe(s sde.Sample) error {
	if s.Index > 0 {
		return nil
	}
	for i := range s.X.Rows {
		p := s.Particle(i)
		if f.Target.Contains(s.X.Row(i)) {
			return invalid(fmt.Sprintf("start of particle %d", p), slices.Clone(s.X.Row(i)), "a point outside the target", nil)
		}
		f.particles[p].state = underway
		if f.Restart {
			copy(f.starts.Row(p), s.X.Row(i))
		}
	}
	return nil
}

// ObserveStep looks for passages.
func (f *FirstPassage) ObserveStep(s sde.Step) error {
	k := &f.scratch[s.Group]
	k.times = 0
	for i := range s.After.Rows {
		p := &f.particles[s.First+i]
		if p.state == arrived {
			copy(s.After.Row(i), s.Before.Row(i))
		}
		if p.state != underway {
			continue
		}
		if s.Dropped != nil && s.Dropped[i] {
			p.state = lost
			if p.exits == 0 {
				p.first = -float64(p.age) * f.run.Step
			}
			continue
		}
		part, in := 1.0, false
		if f.Bridge {
			part, in = f.within(k, &s, i)
		} else {
			in = f.Target.Contains(s.After.Row(i))
		}
		if !in {
			p.age++
			continue
		}
		t := float64((float64(p.age) + part) * f.run.Step)
		p.age = 0
		p.exits++
		p.sum += t
		if p.exits == 1 {
			p.first = t
		}
		f.counts[s.Group][sort.Search(len(f.Edges), func(i int) bool { return t < f.Edges[i] })]++
		if f.Restart {
			copy(s.After.Row(i), f.starts.Row(s.First+i))
			s.Renewed[i] = true
		} else {
			p.state = arrived
		}
	}
	return nil
}

// Passages is what a FirstPassage has seen.
type Passages struct {
	// Particles were watched; Exits is how many passages were seen, Censored how
	// many particles were underway when their watch ended.
	Particles, Exits, Censored int
	// Exposure is the time that particles were underway, all together.
	Exposure float64
	// Mean is the maximum-likelihood estimate of the mean of passage times that are
	// exponentially distributed, Exposure/Exits, right whether or not some are
	// censored. Without exits it is +Inf.
	Mean float64
	// Low and High are the ends of the interval that holds the true mean with the given
	// Confidence (Garwood, 1936, Fiducial limits for the Poisson distribution; Cox,
	// 1953, Some simple approximate tests for Poisson variates): if there is no exit, Low is a
	// lower bound of that confidence and High is +Inf.
	Low, High, Confidence float64
	// Average is the plain mean of the first passage times, with its standard error, whatever
	// their law. It is NaN if any is censored.
	Average sde.Estimate
	// Warnings say what the numbers do not mean.
	Warnings []error
}

// String says what was found in a line.
func (p Passages) String() string {
	if p.Exits == 0 {
		return fmt.Sprintf("no passage in %d particles; mean above %.4g (%g %% confidence)", p.Particles, p.Low, 100*p.Confidence)
	}
	return fmt.Sprintf("%d passages, %d censored; mean %.5g, %g %% in [%.5g, %.5g]", p.Exits, p.Censored, p.Mean, 100*p.Confidence, p.Low, p.High)
}

// within looks into the step of row i: whether the particle has been in the target,
// and at which part of the step.
func (f *FirstPassage) within(k *bridging, s *sde.Step, i int) (part float64, in bool) {
	before, after := s.Before.Row(i), s.After.Row(i)
	// The face that is entered deepest at the end of the step, if there is one.
	entered, deepest := -1, 0.0
	for j, face := range f.faces {
		if level := face.Level(after); level <= 0 && (entered < 0 || level < deepest) {
			entered, deepest = j, level
		}
	}
	if entered >= 0 {
		face := f.faces[entered]
		return f.crossing(k, s, i, face.Level(before), deepest, f.variance(k, s, before, face)), true
	}
	u, drawn := 0.0, false
	for _, face := range f.faces {
		a, c := face.Level(before), face.Level(after)
		if far := a * c; far > 0 {
			v := f.variance(k, s, before, face)
			if !(far/v < 22.5) { // e⁻⁴⁵ = 3·10⁻²⁰
				continue
			}
			p := kernel.Exp1(-2 * far / v)
			if !drawn {
				f.draw(k, s, 1)
				u, drawn = k.u[s.Place+i], true
			}
			if u < p {
				return f.crossing(k, s, i, a, c, v), true
			}
			u = (u - p) / (1 - p) // uniform again, for the next face
		}
	}
	return 0, false
}

// variance returns h |Bᵀ∇φ|², that of the level in a step.
func (f *FirstPassage) variance(k *bridging, s *sde.Step, theta []float64, face sde.Smooth) float64 {
	m := len(k.root) / len(theta)
	if m == 0 {
		return 0
	}
	face.LevelGradient(k.gradient, theta)
	f.run.Equation.Root(k.root, theta, s.Time)
	var v float64
	for j := range m {
		var b float64
		for i, g := range k.gradient {
			b += float64(k.root[i*m+j] * g)
		}
		v += float64(b * b)
	}
	return v * s.Size
}

// crossing draws at which part of the step of row i a level that goes from a > 0 to
// c crosses 0, given that it does. In the time s = τ/(h−τ) the bridge is a
// Brownian motion with drift c, whence 1/s is drawn by the transformation of
// Michael, Schucany & Haas, 1976, Generating random variates using transformations with multiple roots.
func (f *FirstPassage) crossing(k *bridging, s *sde.Step, i int, a, c, v float64) float64 {
	if !(a > 0) {
		return 0 // someone else has put it inside
	}
	r := math.Abs(c) / a
	if v == 0 {
		return 1 / (1 + r)
	}
	f.draw(k, s, 2)
	z := k.z[s.Place+i]
	q := float64(z*z) * v / (2 * a) / a
	inverse := r + q + math.Sqrt(float64(q*q)+float64(2*q*r))
	if inverse > 0 && k.w[s.Place+i]*(1+r/inverse) > 1 {
		inverse = r * (r / inverse)
	}
	return 1 / (1 + inverse)
}

// draw draws what a step needs for all rows of the block, in a fixed order: the
// uniforms that decide crossings, then what their times are made of.
func (f *FirstPassage) draw(k *bridging, s *sde.Step, stages int) {
	// As many for a block with rows to spare, or a single row.
	n := max(BlockRows(s.After.Cols), s.Place+s.After.Rows)
	if len(k.u) < n {
		k.u, k.z, k.w = make([]float64, n), make([]float64, n), make([]float64, n)
	}
	if k.times < 1 {
		k.times = 1
		s.Stream.Uniforms(k.u[:n])
	}
	if k.times < 2 && stages == 2 {
		k.times = 2
		s.Stream.Uniforms(k.w[:n])
		s.Stream.Normals(k.z[:n])
	}
}

// Passages returns what was seen, with an interval of the given confidence, 0
// meaning 0.95. It panics unless that is in [0, 1).
func (f *FirstPassage) Passages(confidence float64) Passages {
	if !(confidence >= 0 && confidence < 1) {
		panic("integrate: confidence is not in [0, 1)")
	}
	if confidence == 0 {
		confidence = 0.95
	}
	r := Passages{Confidence: confidence, Average: sde.Estimate{Value: math.NaN(), StdErr: math.NaN()}}
	var first, squares float64
	never := 0
	for _, p := range f.particles {
		if p.state == unseen {
			continue
		}
		r.Particles++
		r.Exits += int(p.exits)
		r.Exposure += p.sum + float64(float64(p.age)*f.run.Step)
		if p.state == underway || p.state == lost {
			r.Censored++
		}
		if p.exits == 0 {
			never++
			continue
		}
		d := p.first - first // Welford's updates of mean and squares
		first += d / float64(r.Particles-never)
		squares += float64(d * (p.first - first))
	}
	n := float64(r.Particles)
	r.Low, r.High = exposureInterval(r.Exposure, r.Exits, confidence)
	r.Mean = r.Exposure / float64(r.Exits)
	if r.Particles == 0 {
		r.Mean = math.NaN()
		return r
	}
	if never == 0 {
		r.Average = sde.Estimate{Value: first, StdErr: math.Sqrt(squares / (n - 1) / n), Groups: r.Particles}
		if r.Particles == 1 {
			r.Average.StdErr = math.NaN()
		}
	}
	switch {
	case r.Exits == 0:
		r.Mean = math.Inf(1)
		r.Warnings = append(r.Warnings, fmt.Errorf("no particle has reached the target: the mean passage time is above %.4g with %g %% confidence, "+
			"if it is much longer than it takes to settle in the well", r.Low, 100*confidence))
	case never > 0:
		r.Warnings = append(r.Warnings, fmt.Errorf("%d of %d first passages are censored: the mean holds if passage times are exponential", never, r.Particles))
	}
	if f.run.Step > 0 && r.Exits > 0 && r.Mean < 20*f.run.Step {
		r.Warnings = append(r.Warnings, fmt.Errorf("the mean passage takes %.3g steps: the chain's passages are not those of the equation", r.Mean/f.run.Step))
	}
	return r
}

// exposureInterval returns the interval of the mean time between n events that
// were seen in a total time.
func exposureInterval(exposure float64, n int, confidence float64) (low, high float64) {
	if n == 0 {
		return exposure / -math.Log1p(-confidence), math.Inf(1)
	}
	tail := float64((1 - confidence) / 2)
	shape := float64(n)
	return exposure / gammaQuantile(shape+1, 1-tail), exposure / gammaQuantile(shape, tail)
}

// gammaQuantile is that of a gamma variate of the given shape, for large ones by
// Wilson and Hilferty's cube, whose relative error is below 10⁻⁶ there.
func gammaQuantile(shape, p float64) float64 {
	if shape < 1e4 {
		return mathext.GammaIncRegInv(shape, p)
	}
	z := math.Sqrt2 * math.Erfinv(float64(2*p)-1)
	c := 1 - 1/float64(9*shape) + z/float64(3*math.Sqrt(shape))
	return shape * c * c * c
}

// Survival is the estimate of the probability that a first passage takes longer
// than a time, from particles some of which are censored.
type Survival struct {
	// Times are those of the passages, rising; at and after Times[i], before the next, the
	// probability is Probability[i], with the standard error StdErr[i].
	Times, Probability, StdErr []float64
	// AtRisk is how many particles were underway just before each of the times.
	AtRisk []int
}

// Survival returns the product-limit estimate of the first passages (Kaplan & Meier,
// 1958, Nonparametric estimation from incomplete observations),
//
//	S(t) = Π_{t_i ≤ t} (1 − d_i/n_i)
//
// with d_i passages at t_i of n_i particles at risk, and Greenwood's standard error
// S √Σ d_i/(n_i(n_i−d_i)). It is empty if there is no passage.
func (f *FirstPassage) Survival() Survival {
	type end struct {
		t    float64
		exit bool
	}
	var ends []end
	for _, p := range f.particles {
		switch {
		case p.state == unseen:
		case p.exits > 0:
			ends = append(ends, end{p.first, true})
		case p.state == lost:
			ends = append(ends, end{-p.first, false})
		default:
			ends = append(ends, end{float64(p.age) * f.run.Step, false})
		}
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(a.t, b.t) })
	var s Survival
	probability, sum := 1.0, 0.0
	for i := 0; i < len(ends); {
		j, exits := i, 0
		for ; j < len(ends) && ends[j].t == ends[i].t; j++ {
			if ends[j].exit {
				exits++
			}
		}
		if n := len(ends) - i; exits > 0 {
			probability *= float64(n-exits) / float64(n)
			sum += float64(exits) / (float64(n) * float64(n-exits))
			stderr := probability * math.Sqrt(sum)
			if exits == n {
				stderr = 0
			}
			s.Times, s.Probability = append(s.Times, ends[i].t), append(s.Probability, probability)
			s.StdErr, s.AtRisk = append(s.StdErr, stderr), append(s.AtRisk, n)
		}
		i = j
	}
	return s
}

// At returns the probability at time t and its standard error, 1 and 0 before the
// first passage.
func (s Survival) At(t float64) (probability, stderr float64) {
	i := sort.Search(len(s.Times), func(i int) bool { return s.Times[i] > t })
	if i == 0 {
		return 1, 0
	}
	return s.Probability[i-1], s.StdErr[i-1]
}

// Counts returns how many passages fell below the first of Edges, between one and
// the next, and above the last. The censored ones are in none.
func (f *FirstPassage) Counts() []int64 {
	sum := make([]int64, len(f.Edges)+1)
	for _, c := range f.counts {
		for i, n := range c {
			sum[i] += n
		}
	}
	return sum
}

// First returns the time of a particle's first passage, and true, or the time
// until which it was seen without one, and false. It panics if there is no such particle.
func (f *FirstPassage) First(particle int) (t float64, passed bool) {
	switch p := f.particles[particle]; {
	case p.exits > 0:
		return p.first, true
	case p.state == lost:
		return -p.first, false
	default:
		return float64(p.age) * f.run.Step, false
	}
}

// AppendGroup implements sde.GroupSaver.
func (f *FirstPassage) AppendGroup(dst []byte, g int) []byte {
	word := binary.LittleEndian.AppendUint64
	for _, n := range f.counts[g] {
		dst = word(dst, uint64(n))
	}
	for i := f.bounds[g]; i < f.bounds[g+1]; i++ {
		p := f.particles[i]
		dst = appendFloats(word(word(word(dst, uint64(p.state)), uint64(p.age)), uint64(p.exits)), p.sum, p.first)
		if f.Restart {
			dst = appendFloats(dst, f.starts.Row(i)...)
		}
	}
	return dst
}

// LoadGroup implements sde.GroupSaver.
func (f *FirstPassage) LoadGroup(g int, data []byte) error {
	width := 5
	if f.Restart {
		width += f.run.Dim
	}
	if len(data) != 8*(len(f.counts[g])+width*(f.bounds[g+1]-f.bounds[g])) {
		return errTruncated
	}
	next := func() uint64 {
		v := binary.LittleEndian.Uint64(data)
		data = data[8:]
		return v
	}
	for i := range f.counts[g] {
		f.counts[g][i] = int64(next())
	}
	for i := f.bounds[g]; i < f.bounds[g+1]; i++ {
		state, age, exits := next(), int64(next()), int64(next())
		if state > uint64(lost) || age < 0 || exits < 0 {
			return fmt.Errorf("integrate: saved passage of particle %d: state %d, %d steps, %d passages", i, state, age, exits)
		}
		p := passage{age: age, exits: exits, state: passageState(state)}
		p.sum, p.first = math.Float64frombits(next()), math.Float64frombits(next())
		f.particles[i] = p
		if f.Restart {
			for j := range f.run.Dim {
				f.starts.Row(i)[j] = math.Float64frombits(next())
			}
		}
	}
	return nil
}
