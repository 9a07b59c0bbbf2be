// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sgflow/sgflow/sde"
)

// Multilevel is Giles's multilevel Monte Carlo estimator of an expectation at a
// fixed time, for a given root mean square error ε. With P_l = f(θ(Time)) by steps
// of h_l = Step/2^l,
//
//	E f ≈ Σ_l (1/N_l) Σ_n Y_l^(n),   Y_0 = P_0,   Y_l = P_l − P_(l−1)
//
// where both paths of a difference follow the same Brownian path, so that their
// variance V_l falls as h_l^β, with β twice the strong order if f is Lipschitz.
// Samples are shared out so that the sum has the variance ε²/2 at the least cost,
//
//	N_l = (2/ε²) √(V_l/C_l) Σ_k √(V_k C_k),   C_l the steps that a sample of Y_l takes
//
// and levels are added until the bias, extrapolated from the last three levels
// with the weak order α, is below ε/√2:
//
//	|E(f − P_L)| ≈ max_(i<3) 2^(−αi) |E Y_(L−i)| / (2^α − 1)
//
// α is what the scheme states, or less if the levels show less (not below ½). The
// cost is of order ε⁻² if β > 1, as with Euler–Maruyama for additive noise and with
// Milstein or SRIW1 for diagonal noise; ε⁻² log² ε if β = 1.
//
// Noise that does not commute needs Lévy areas for β = 2, or Antithetic, which does
// without. The variances come from samples, at least Pilot a level, and those from
// which N_l was found are used again: the estimate has a bias of order 1/Pilot of
// its error, and rare large values of f that no sample shows are missed.
//
// The scheme must follow the Brownian path (a strong order above 0). Gradients are
// counted as it states them, the least if its steps adapt. Bits depend on
// the seed and the settings, not on the workers. Source: Giles, 2008, Multilevel
// Monte Carlo path simulation, Operations Research 56, eqs. 3–12; Giles, 2015,
// Multilevel Monte Carlo methods, Acta Numerica 24, algorithm 1.
type Multilevel struct {
	// Equation is what is simulated.
	Equation sde.Equation
	// Scheme is the numerical method; nil means EulerMaruyama.
	Scheme Scheme
	// Start is where the particles start; nil means the origin. Points are taken
	// in turn by the particles of each batch: with more than one, take a StartFunc.
	Start Start
	// Time is when f is looked at, a multiple of Step, the step of level 0.
	Time, Step float64
	// F is the function f of the state. It is called from many goroutines.
	F func(theta []float64) float64
	// Tolerance is ε.
	Tolerance float64
	// Antithetic takes Y_l = ½(P_l + P_l^a) − P_(l−1), with P_l^a from fine steps that
	// exchange their increments in pairs. If the scheme is Milstein{Area: ZeroArea{}},
	// which leaves out Lévy areas, and f is smooth, then β = 2 where the strong order
	// is ½. It is for general noise alone. Source: Giles & Szpruch, 2014, Antithetic multilevel
	// Monte Carlo estimation for multi-dimensional SDEs without Lévy area
	// simulation, Ann. Appl. Probab. 24, § 2.
	Antithetic bool
	// MaxLevels is the most levels that may be used; 0 means 16. At least 3: the bias
	// is judged by differences.
	MaxLevels int
	// Pilot is how many samples a level has at first; 0 means 256.
	Pilot int
	// Seed, NewSource and Workers are as in Ensemble.
	Seed      uint64
	NewSource func(seed uint64) sde.Source
	Workers   int
	// Progress, if it is not nil, is called about ten times a second, as in Ensemble.
	// It counts steps of paths; Total grows as levels and samples are added.
	Progress func(Progress)
}

// MultilevelLevel is what was found on one level.
type MultilevelLevel struct {
	Step    float64 // h_l
	Samples int64   // N_l
	// Mean is of Y_l with its standard error, Variance is V_l with that.
	Mean, Variance sde.Estimate
	// Fine is the mean of P_l alone.
	Fine sde.Estimate
	// Gradients is how many evaluations of the drift the samples took.
	Gradients float64
}

// MultilevelResult is an expectation and how it was found.
type MultilevelResult struct {
	// Estimate is the expectation, with the standard error of sampling.
	sde.Estimate
	// Bias is the bound of the error of steps, extrapolated.
	Bias float64
	// Tolerance is what was asked for.
	Tolerance float64
	Levels    []MultilevelLevel
	// WeakRate and VarianceRate are α and β, fitted to the levels from 1 on. Their
	// errors are those of sampling.
	WeakRate, VarianceRate sde.Estimate
	// Gradients is how many evaluations of the drift all samples took.
	Gradients float64
	// Plain is how many a plain Monte Carlo run would take for the same errors:
	// samples of the last level until their mean is as certain.
	Plain    float64
	Elapsed  time.Duration
	Partial  bool
	Warnings []error
}

// String returns a table of the levels under the estimate.
func (r *MultilevelResult) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "multilevel Monte Carlo: %v, bias up to %.2g, tolerance %.3g", r.Estimate, r.Bias, r.Tolerance)
	if r.Partial {
		b.WriteString(", PARTIAL")
	}
	fmt.Fprintf(&b, "\n%5s %12s %12s %26s %12s %12s\n", "level", "step", "samples", "mean of the difference", "variance", "gradients")
	for l, v := range r.Levels {
		fmt.Fprintf(&b, "%5d %12.6g %12d %26s %12.4g %12.4g\n", l, v.Step, v.Samples, v.Mean, v.Variance.Value, v.Gradients)
	}
	fmt.Fprintf(&b, "mean falls as the step to the power %v, variance to %v; %.4g gradients, %.4g by plain Monte Carlo",
		r.WeakRate, r.VarianceRate, r.Gradients, r.Plain)
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "\nWarning: %v", w)
	}
	return b.String()
}

// ToleranceError reports that the bias was still above what the tolerance allows
// with the most levels that were allowed.
type ToleranceError struct {
	Bias, Tolerance float64
	Levels          int
}

// Error names bias, tolerance and levels.
func (e *ToleranceError) Error() string {
	return fmt.Sprintf("integrate: with %d levels the bias is %.3g, above tolerance/√2 = %.3g: allow more levels, a smaller step or a larger tolerance",
		e.Levels, e.Bias, e.Tolerance/math.Sqrt2)
}

const (
	defaultLevels = 16
	defaultPilot  = 256
	firstLevels   = 3 // before the bias is judged
	// batchNumbers bounds the numbers that the state of one batch of samples takes.
	batchNumbers = 1 << 21
)

// Validate returns an error that names the first setting that is wrong and what
// would be right, or nil. Run calls it.
func (m Multilevel) Validate() error {
	_, err := m.plan()
	return err
}

func (m Multilevel) plan() (*plan, error) {
	if m.F == nil {
		return nil, invalid("Multilevel.F", nil, "a function of the state", nil)
	}
	if !(m.Tolerance > 0) || math.IsInf(m.Tolerance, 1) {
		return nil, invalid("Multilevel.Tolerance", m.Tolerance, "a positive, finite root mean square error", nil)
	}
	if m.MaxLevels != 0 && m.MaxLevels < firstLevels || m.MaxLevels > 32 {
		return nil, invalid("Multilevel.MaxLevels", m.MaxLevels, fmt.Sprintf("%d to 32, or 0 for %d: fewer do not show the bias", firstLevels, defaultLevels), nil)
	}
	if m.Pilot != 0 && m.Pilot < 16 {
		return nil, invalid("Multilevel.Pilot", m.Pilot, fmt.Sprintf("at least 16 samples, or 0 for %d: fewer do not show a variance", defaultPilot), nil)
	}
	p, err := m.ensemble(0, 1).plan(m.schedule())
	if err != nil {
		return nil, err
	}
	if p.properties.Strong == 0 {
		return nil, invalid("Multilevel.Scheme", p.properties.Name, "a scheme whose steps follow the Brownian path (Properties.Strong above 0), so that levels can be coupled: "+
			"take EulerMaruyama or SRA1, or TalayTubaro with this one", sde.ErrUnsupported)
	}
	if p.properties.Weak == 0 {
		return nil, invalid("Multilevel.Scheme", p.properties.Name, "a scheme that states a weak order, from which the bias is extrapolated: take EulerMaruyama", sde.ErrUnsupported)
	}
	if t, ok := m.Scheme.(Tuned); ok && t.TuningTime() > 0 {
		return nil, invalid("Multilevel.Scheme", p.properties.Name, "a scheme that is not tuned in a burn-in: take EulerMaruyama", sde.ErrUnsupported)
	}
	if class := classOf(p.Equation); m.Antithetic && class != sde.General {
		return nil, invalid("Multilevel.Antithetic", true, fmt.Sprintf("false: it is for general noise, and this is %v; take Milstein or SRA1, whose variance falls as fast without", class), sde.ErrUnsupported)
	}
	return p, nil
}

func (m Multilevel) schedule() Schedule { return Schedule{Time: m.Time} }

// ensemble returns n particles with the steps of a level, for a batch with the given seed.
func (m Multilevel) ensemble(level, n int) Ensemble {
	return Ensemble{Equation: m.Equation, Scheme: m.Scheme, Step: math.Ldexp(m.Step, -level), Particles: n, Start: m.Start,
		NewSource: m.NewSource, Workers: m.Workers}
}

// Run estimates the expectation. Nothing is done if a setting is wrong: the result
// is then nil and the error wraps sde.ErrInvalid. Whatever else ends the run early,
// a *ToleranceError among it, returns the error and the result of the samples so far,
// marked Partial.
func (m Multilevel) Run(ctx context.Context) (*MultilevelResult, error) {
	p, err := m.plan()
	if err != nil {
		return nil, err
	}
	r := newMultilevelRun(ctx, m, p)
	err = r.run()
	return r.result(err), err
}

// Level takes n samples on one level, to see how variances and means fall from level
// to level. They are those that Run would take first.
func (m Multilevel) Level(ctx context.Context, level, n int) (MultilevelLevel, error) {
	p, err := m.plan()
	if err != nil {
		return MultilevelLevel{}, err
	}
	if level < 0 || 32 < level {
		return MultilevelLevel{}, invalid("Level level", level, "0 to 32", nil)
	}
	if n < 2 {
		return MultilevelLevel{}, invalid("Level n", n, "at least 2 samples", nil)
	}
	r := newMultilevelRun(ctx, m, p)
	for range level + 1 {
		r.levels = append(r.levels, new(levelSums))
	}
	r.planned = []int64{}
	err = r.sample(level, int64(n))
	return r.level(level), err
}

// multilevelRun is the state of a run.
type multilevelRun struct {
	Multilevel
	ctx      context.Context
	plan     *plan
	seeds    *sde.Stream
	levels   []*levelSums
	planned  []int64 // samples that are still to be taken, by level
	done     int64   // steps of paths
	started  time.Time
	bias     float64
	warnings []error
}

// levelSums are the samples of a level.
type levelSums struct {
	y, fine central
	batches int
}

func newMultilevelRun(ctx context.Context, m Multilevel, p *plan) *multilevelRun {
	if m.MaxLevels == 0 {
		m.MaxLevels = defaultLevels
	}
	if m.Pilot == 0 {
		m.Pilot = defaultPilot
	}
	return &multilevelRun{Multilevel: m, ctx: ctx, plan: p, seeds: sde.NewStream(m.Seed, m.NewSource), started: time.Now(),
		bias: math.NaN(), warnings: p.warnings}
}

func (r *multilevelRun) run() error {
	for range firstLevels {
		r.add()
	}
	for {
		for l, n := range r.planned {
			if err := r.sample(l, n); err != nil {
				return err
			}
		}
		if r.share() {
			continue
		}
		alpha := r.order()
		r.bias = r.extrapolate(alpha)
		if r.bias <= r.Tolerance/math.Sqrt2 {
			return nil
		}
		if len(r.levels) == r.MaxLevels {
			return &ToleranceError{Bias: r.bias, Tolerance: r.Tolerance, Levels: len(r.levels)}
		}
		r.add()
		r.share()
	}
}

// add adds a level.
func (r *multilevelRun) add() {
	r.levels, r.planned = append(r.levels, new(levelSums)), append(r.planned, int64(r.Pilot))
}

// steps returns how many steps a sample of a level takes on all of its paths.
func (r *multilevelRun) steps(level int) float64 {
	n := math.Ldexp(math.Round(r.Time/r.Step), level)
	switch {
	case level == 0:
		return n
	case r.Antithetic:
		return 2.5 * n
	}
	return 1.5 * n
}

// share plans the samples that the levels lack, and reports whether any lacks more
// than a hundredth of what it has.
func (r *multilevelRun) share() (any bool) {
	variance := make([]float64, len(r.levels))
	var sum float64
	for l, s := range r.levels {
		if variance[l] = s.y.variance(); s.y.n == 0 {
			variance[l] = variance[l-1] / 2 // at least: until its own samples say more
		}
		sum += math.Sqrt(variance[l] * r.steps(l))
	}
	for l, s := range r.levels {
		want := 2 / (r.Tolerance * r.Tolerance) * math.Sqrt(variance[l]/r.steps(l)) * sum
		if want > maxSamples {
			want = maxSamples
		}
		lack := max(int64(math.Ceil(want))-int64(s.y.n), 0)
		if s.y.n == 0 {
			lack = max(lack, int64(r.Pilot))
		}
		r.planned[l] = lack
		any = any || float64(lack) > 0.01*s.y.n
	}
	return any
}

// maxSamples bounds the samples of a level, far above what can be waited for.
const maxSamples = 1 << 50

// order returns the weak order to extrapolate with.
func (r *multilevelRun) order() float64 {
	alpha := r.plan.properties.Weak
	if fitted := r.weakRate(); fitted.Value < alpha {
		alpha = math.Max(fitted.Value, 0.5)
	}
	return alpha
}

func (r *multilevelRun) extrapolate(alpha float64) (bias float64) {
	if math.IsInf(alpha, 1) {
		return 0
	}
	for i := range 3 {
		if l := len(r.levels) - 1 - i; l > 0 {
			bias = math.Max(bias, math.Exp2(-alpha*float64(i))*math.Abs(r.levels[l].y.mean)/(math.Exp2(alpha)-1))
		}
	}
	return bias
}

// sample takes n more samples on a level.
func (r *multilevelRun) sample(level int, n int64) error {
	width := r.plan.width
	if level > 0 {
		width *= 2
		if r.Antithetic {
			width = width / 2 * 3
		}
	}
	batch := int64(max(batchNumbers/width, 1024))
	for ; n > 0; n -= batch {
		if err := r.batch(level, int(min(n, batch))); err != nil {
			if _, ok := err.(*InterruptedError); ok {
				return err
			}
			return fmt.Errorf("integrate: level %d of multilevel Monte Carlo: %w", level, err)
		}
	}
	return nil
}

// batch runs an ensemble of n samples. Each has a seed of its own: a word of the
// stream of the seed at the place of (level, batch).
func (r *multilevelRun) batch(level, n int) error {
	s := r.levels[level]
	var seed [1]uint64
	r.seeds.At(sde.Steps, level, s.batches)
	r.seeds.Words(seed[:])
	e := r.ensemble(level, n)
	o := &differences{f: r.F, d: r.plan.d, paths: 1}
	if level > 0 {
		p, err := r.ensemble(level-1, n).plan(r.schedule())
		if err != nil {
			return err
		}
		e, o.paths = p.couple(r.Antithetic), 2
		if r.Antithetic {
			o.paths = 3
		}
	}
	e.Seed = seed[0]
	steps := r.steps(level) * float64(n)
	if r.Progress != nil {
		e.Progress = func(p Progress) { r.tick(steps * float64(p.Done) / float64(p.Total)) }
	}
	if _, err := e.Run(r.ctx, r.schedule(), o); err != nil {
		return err
	}
	for g := range o.y {
		s.y.merge(o.y[g])
		s.fine.merge(o.fine[g])
	}
	s.batches++
	r.done += int64(steps)
	if level < len(r.planned) {
		r.planned[level] -= int64(n)
	}
	return nil
}

// tick reports progress, so many steps into a batch.
func (r *multilevelRun) tick(steps float64) {
	total := float64(r.done)
	for l, n := range r.planned {
		total += float64(r.steps(l) * float64(n))
	}
	done := r.done + int64(steps)
	r.Progress(Progress{Done: done, Total: max(done, int64(total)), Time: r.Time * float64(done) / math.Max(total, 1), Elapsed: time.Since(r.started)})
}

// differences observes Y_l and P_l of one level.
type differences struct {
	f        func(theta []float64) float64
	d, paths int
	y, fine  []central // by group
	scratch  [][2][]float64
}

func (o *differences) Start(r sde.Run) error {
	o.y, o.fine, o.scratch = make([]central, r.Groups), make([]central, r.Groups), make([][2][]float64, r.Groups)
	return nil
}

func (o *differences) Observe(s sde.Sample) error {
	y, fine := o.scratch[s.Group][0][:0], o.scratch[s.Group][1][:0]
	for i := range s.X.Rows {
		var p [3]float64
		for k := range o.paths {
			p[k] = o.f(s.X.Row(i)[k*o.d : (k+1)*o.d])
			if math.IsNaN(p[k]) || math.IsInf(p[k], 0) {
				return fmt.Errorf("function F of particle %d is %v", s.Particle(i), p[k])
			}
		}
		fine = append(fine, p[0])
		switch o.paths {
		case 2:
			p[0] -= p[1]
		case 3:
			p[0] = float64((p[0]+p[2])/2) - p[1]
		}
		y = append(y, p[0])
	}
	o.scratch[s.Group] = [2][]float64{y, fine}
	o.y[s.Group].add(y)
	o.fine[s.Group].add(fine)
	return nil
}

// level returns what was found on a level.
func (r *multilevelRun) level(l int) MultilevelLevel {
	s := r.levels[l]
	return MultilevelLevel{Step: math.Ldexp(r.Step, -l), Samples: int64(s.y.n), Mean: s.y.estimate(), Variance: s.y.spread(), Fine: s.fine.estimate(),
		Gradients: s.y.n * r.steps(l) * r.plan.properties.Gradients}
}

// result returns the run's result, having ended with an error or nil.
func (r *multilevelRun) result(err error) *MultilevelResult {
	res := &MultilevelResult{Bias: r.bias, Tolerance: r.Tolerance, Elapsed: time.Since(r.started), Partial: err != nil, Warnings: r.warnings}
	var variance float64
	n := int64(math.MaxInt32)
	for l, s := range r.levels {
		if s.y.n == 0 {
			break // a run that was ended has no samples on its last levels
		}
		level := r.level(l)
		res.Levels = append(res.Levels, level)
		res.Value += s.y.mean
		variance += s.y.variance() / s.y.n
		res.Gradients += level.Gradients
		n = min(n, level.Samples)
	}
	if len(res.Levels) == 0 {
		res.Value, res.StdErr = math.NaN(), math.NaN()
		return res
	}
	res.StdErr, res.Groups = math.Sqrt(variance), int(n)
	last := len(res.Levels) - 1
	res.Plain = r.levels[last].fine.variance() / variance * math.Ldexp(r.steps(0), last) * r.plan.properties.Gradients
	res.WeakRate, res.VarianceRate = r.weakRate(), r.varianceRate()
	if len(res.Levels) >= firstLevels && res.VarianceRate.Value < 0.5 {
		res.Warnings = append(res.Warnings, fmt.Errorf("the variance of the differences falls as the step to the power %v only: "+
			"a finer and a coarser path are hardly closer than two that are independent", res.VarianceRate))
	}
	return res
}

// weakRate returns the slope of −log₂|E Y_l| over l.
func (r *multilevelRun) weakRate() sde.Estimate {
	return r.rate(func(y *central) (v, stderr float64) { return math.Abs(y.mean), y.estimate().StdErr })
}

// varianceRate returns the slope of −log₂ V_l over l.
func (r *multilevelRun) varianceRate() sde.Estimate {
	return r.rate(func(y *central) (v, stderr float64) { e := y.spread(); return e.Value, e.StdErr })
}

// rate fits a line to logarithms, weighted by what errors they have; it is NaN unless
// two levels show a value above 0.
func (r *multilevelRun) rate(of func(y *central) (v, stderr float64)) sde.Estimate {
	var w, wx, wy, wxx, wxy float64
	n := 0
	for l, s := range r.levels {
		if l == 0 || s.y.n < 2 {
			continue
		}
		v, se := of(&s.y)
		if !(v > 0) || !(se > 0) {
			continue
		}
		n++
		x, y, q := float64(l), -math.Log2(v), v*math.Ln2/se
		q = float64(q * q)
		w, wx, wy, wxx, wxy = w+q, wx+float64(q*x), wy+float64(q*y), wxx+float64(q*x*x), wxy+float64(q*x*y)
	}
	if n < 2 {
		return sde.Estimate{Value: math.NaN(), StdErr: math.NaN()}
	}
	det := float64(w*wxx) - float64(wx*wx)
	return sde.Estimate{Value: (float64(w*wxy) - float64(wx*wy)) / det, StdErr: math.Sqrt(w / det), Groups: n}
}
