// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// Boltzmann tests an optimizer as CheckBoltzmann does, and fails t, in words, unless it
// passes.
func Boltzmann(t testing.TB, r Replicas, law stationary.Law, o Options) {
	t.Helper()
	rep, err := CheckBoltzmann(r, law, o)
	report(t, rep, err)
}

// CheckBoltzmann holds an optimizer's replicas to a law: Boltzmann's, that of its own
// discrete update (stationary.Discretized), or any other.
//
// Two things are looked at. The temperature, if the law knows its score s = ∇log p
// (stationary.Scorer) and is of the parameters' dimension, is that of the virial
//
//	T̂/T = −E (θ − c)·s(θ) / d
//
// which is 1 under the law whatever c is, if p vanishes at the ends (a mean over the
// burn-in is taken for c). Of a stationary.Density that does not, as in a box that cuts it
// off, the temperature is not looked at. The shape, of a law in one or two dimensions: frequencies in up
// to 16 cells, which hold as many states of the burn-in each, and as their departure from the
// law the total variation. So that chance does not add to it, half of the groups say which cells
// have too much, and the other half by how much, Σ_too much (p̂ − p), which is at most the total
// variation on average, and less by what happens inside a cell; and the other way round.
//
// The law must have density where the chains go. It returns an *sde.SettingError for
// settings that are wrong, and an error if a chain diverges.
func CheckBoltzmann(r Replicas, law stationary.Law, o Options) (*Report, error) {
	o, r, err := o.withDefaults(r)
	if err != nil {
		return nil, err
	}
	if law == nil {
		return nil, &sde.SettingError{Field: "stationarytest: law", Value: nil, Want: "a law, such as stationary.Boltzmann's"}
	}
	shape := law.Dim() == 1 || law.Dim() == 2 && r.Dim == 2 && o.Project == nil
	scorer, thermal := law.(stationary.Scorer)
	thermal = thermal && law.Dim() == r.Dim && o.Project == nil
	walled := thermal && endsAtWalls(law, scorer, o.Temperature/10)
	thermal = thermal && !walled
	if law.Dim() != r.Dim && law.Dim() != 1 {
		return nil, &sde.SettingError{Field: "stationarytest: law", Value: fmt.Sprintf("a law in %d dimensions", law.Dim()),
			Want: fmt.Sprintf("%d, that of the chains, or 1 for a projection", r.Dim), Err: sde.ErrDimension}
	}
	if walled && !shape {
		return nil, &sde.SettingError{Field: "stationarytest: law", Value: "a law that has density at walls", Want: "one whose density vanishes at the ends, or a law in one or two dimensions"}
	}
	if !shape && !thermal {
		return nil, &sde.SettingError{Field: "stationarytest: law", Value: fmt.Sprintf("a law in %d dimensions without a score", law.Dim()),
			Want: "a stationary.Scorer, or a law in one or two dimensions"}
	}
	groups := r.groups(o.Observations)
	m := &measurement{law: law, o: o, groups: groups, stretches: r.Chains < leastIn, score: make([]float64, r.Dim)}
	if thermal {
		m.scorer = scorer
	}
	m.virial, m.count = [2][]float64{make([]float64, groups), make([]float64, groups)}, [2][]float64{make([]float64, groups), make([]float64, groups)}
	err = r.watch(o, func(early sde.Batch) error {
		m.center = middle(early)
		if shape {
			m.cut(early)
		}
		for h := range m.cells {
			m.cells[h] = make([][]float64, groups)
			for g := range groups {
				m.cells[h][g] = make([]float64, len(m.probability))
			}
		}
		return nil
	}, m.see)
	if err != nil {
		return nil, err
	}
	return m.report(), nil
}

// endsAtWalls reports whether the virial of a law that can tell is not 1, by more than a
// tolerance, about 0 or about (1, …, 1).
func endsAtWalls(law stationary.Law, scorer stationary.Scorer, tolerance float64) bool {
	l, ok := law.(*stationary.Density)
	if !ok {
		return false
	}
	score := make([]float64, law.Dim())
	for c := range 2 {
		v, _ := l.Mean(func(theta []float64) (virial float64) {
			scorer.Score(score, theta)
			for j, s := range score {
				virial -= (theta[j] - float64(c)) * s / float64(len(score))
			}
			return virial
		})
		if math.Abs(v-1) > tolerance {
			return true
		}
	}
	return false
}

// measurement is what the chains were seen to do.
type measurement struct {
	law    stationary.Law
	scorer stationary.Scorer // nil if the temperature is not looked at
	o      Options
	groups int
	// stretches says that the groups are stretches of time.
	stretches bool
	center    []float64
	score     []float64

	edges       []float64 // of the first coordinate, or the projection
	across      [][]float64
	probability []float64 // of the cells

	virial, count [2][]float64   // by half and group
	cells         [2][][]float64 // by half, group and cell
}

// The most cells, and the fewest states of the burn-in for each.
const (
	mostCells = 16
	perCell   = 4
)

// cut divides the space into cells that hold about as many of the early states each: by
// quantiles, and in two dimensions by those of the first coordinate, and in each strip by
// those of the second. The law gives their probabilities.
func (m *measurement) cut(early sde.Batch) {
	n := max(2, min(mostCells, early.Rows/perCell))
	rows := make([][]float64, early.Rows)
	for i := range rows {
		rows[i] = early.Row(i)
	}
	inf := math.Inf(1)
	if m.law.Dim() == 1 {
		m.edges = quantiles(rows, m.number, n)
		ends := append(append([]float64{-inf}, m.edges...), inf)
		for k := 1; k < len(ends); k++ {
			m.probability = append(m.probability, m.law.Probability(ends[k-1:k], ends[k:k+1]))
		}
		return
	}
	n = max(2, int(math.Sqrt(float64(n))))
	first := func(theta []float64) float64 { return theta[0] }
	second := func(theta []float64) float64 { return theta[1] }
	m.edges = quantiles(rows, first, n)
	ends := append(append([]float64{-inf}, m.edges...), inf)
	for k := range n {
		ys := quantiles(rows[k*len(rows)/n:max((k+1)*len(rows)/n, k*len(rows)/n+1)], second, n)
		m.across = append(m.across, ys)
		yEnds := append(append([]float64{-inf}, ys...), inf)
		for j := range n {
			m.probability = append(m.probability, m.law.Probability([]float64{ends[k], yEnds[j]}, []float64{ends[k+1], yEnds[j+1]}))
		}
	}
}

// number returns what the law in one dimension is of.
func (m *measurement) number(theta []float64) float64 {
	if m.o.Project != nil {
		return m.o.Project(theta)
	}
	return theta[0]
}

// quantiles sorts the rows by a number and returns n−1 of it that divide them evenly.
func quantiles(rows [][]float64, number func(theta []float64) float64, n int) []float64 {
	sort.Slice(rows, func(i, j int) bool { return number(rows[i]) < number(rows[j]) })
	var edges []float64
	for k := 1; k < n; k++ {
		edges = append(edges, number(rows[k*len(rows)/n]))
	}
	return edges
}

// find returns which of the intervals between edges holds x.
func find(edges []float64, x float64) int {
	k := 0
	for k < len(edges) && x >= edges[k] {
		k++
	}
	return k
}

// see takes in one state of a chain.
func (m *measurement) see(g, half int, theta []float64) {
	m.count[half][g]++
	if m.scorer != nil {
		m.scorer.Score(m.score, theta)
		for j, s := range m.score {
			m.virial[half][g] -= (theta[j] - m.center[j]) * s / float64(len(theta))
		}
	}
	if m.probability == nil {
		return
	}
	var k int
	if m.across == nil {
		k = find(m.edges, m.number(theta))
	} else {
		k = find(m.edges, theta[0])
		k = k*len(m.across) + find(m.across[k], theta[1])
	}
	m.cells[half][g][k]++
}

// frequency returns that of a cell in a group, over both halves.
func (m *measurement) frequency(g, k int) float64 {
	return (m.cells[0][g][k] + m.cells[1][g][k]) / (m.count[0][g] + m.count[1][g])
}

// report judges what was seen.
func (m *measurement) report() *Report {
	rep := &Report{Ratio: math.NaN(), RatioStdErr: math.NaN()}
	checks := 0.0
	if m.scorer != nil {
		checks++
	}
	if m.probability != nil {
		checks++
	}
	if !m.stretches {
		checks++ // of having settled
	}
	alpha := m.o.FalseAlarms / checks
	ratio := make([]float64, m.groups)
	if m.scorer != nil {
		for g := range ratio {
			ratio[g] = (m.virial[0][g]+m.virial[1][g])/(m.count[0][g]+m.count[1][g]) - 1
		}
		c := equivalence("temperature, relative,", ratio, m.stretches, m.o.Temperature, alpha)
		rep.Checks = append(rep.Checks, c)
		mean, se := errorOf(ratio, m.stretches)
		rep.Ratio, rep.RatioStdErr = 1+mean, se
		if c.Verdict == Fail {
			rep.explain("the temperature is %.4g ± %.2g times that of the law%s", rep.Ratio, se, m.guess(rep.Ratio, se))
		}
	}
	if m.probability != nil {
		c := m.shape(alpha)
		rep.Checks = append(rep.Checks, c)
		if c.Verdict == Fail {
			rep.explain("%.3g ± %.2g of the probability is not where the law has it", c.Departure, c.StdErr)
		}
	}
	if !m.stretches { // of one chain, what looks like drift may be memory
		m.settling(rep, alpha)
	} else if m.scorer != nil {
		rep.remember(ratio, m.o.Observations)
	}
	return rep.conclude()
}

// shape tests the total variation.
func (m *measurement) shape(alpha float64) Check {
	best := Check{}
	for side := range 2 {
		// Half of the groups say where there is too much, the others by how much.
		excess := make([]float64, len(m.probability))
		for g := range m.groups {
			if trains(g, m.groups, side, m.stretches) {
				for k, p := range m.probability {
					excess[k] += m.frequency(g, k) - p
				}
			}
		}
		var values []float64
		for g := range m.groups {
			if trains(g, m.groups, side, m.stretches) {
				continue
			}
			var v float64
			for k, e := range excess {
				if e > 0 {
					v += m.frequency(g, k) - m.probability[k]
				}
			}
			values = append(values, v)
		}
		mean, se := errorOf(values, m.stretches)
		c := judge("total variation from the law", mean, se, len(values), m.o.TotalVariation, alpha/2)
		c.PValue = math.Min(1, 2*c.PValue)
		if side == 0 || c.PValue < best.PValue {
			best = c
		}
	}
	return best
}

// settling adds a failure if the halves of the run differ, which explains any other.
func (m *measurement) settling(rep *Report, alpha float64) {
	worst := 1.0
	look := func(value func(half, g int) float64) {
		d := make([]float64, m.groups)
		for g := range d {
			d[g] = value(1, g) - value(0, g)
		}
		p, _ := settled(d, 0)
		worst = math.Min(worst, p)
	}
	n := len(m.probability)
	for k := range n {
		look(func(h, g int) float64 { return m.cells[h][g][k] / m.count[h][g] })
	}
	if m.scorer != nil {
		n++
		look(func(h, g int) float64 { return m.virial[h][g] / m.count[h][g] })
	}
	if p := math.Min(1, worst*float64(n)); p < alpha {
		rep.Checks = append(rep.Checks, Check{What: "second half of the run against the first,", PValue: p, Power: 1, Groups: m.groups, Departure: math.NaN(), StdErr: math.NaN(), Margin: 0, Verdict: Fail})
		rep.Explanations = append([]string{fmt.Sprintf("the chains had not settled: the second half of the observations differs from the first (p = %.2g); take a longer BurnIn than %d, or start in all wells", p, m.o.BurnIn)}, rep.Explanations...)
	}
}

// guess names the slip that explains a ratio of temperatures.
func (m *measurement) guess(ratio, se float64) string {
	type slip struct {
		ratio float64
		text  string
	}
	slips := []slip{
		{2, "a factor 2 in D: √(4D) for √(2D), or the covariance C for D = (η/2)C"},
		{0.5, "a factor ½ in D: √D for √(2D), or noise of variance T h for 2T h"},
		{4, "twice the noise, a factor 4 in D"},
		{0.25, "half the noise, a factor ¼ in D"},
		{math.Sqrt2, "a factor √2 in D"},
		{math.Sqrt2 / 2, "a factor 1/√2 in D"},
		{0, "no noise at all"},
	}
	if t, ok := m.law.(stationary.Thermal); ok {
		if T := t.Temperature(); T > 0 {
			slips = append(slips, slip{2 * T, "the variance taken for the standard deviation, 2T for √(2T)"})
		}
	}
	if h := m.o.Step; h > 0 {
		slips = append(slips, slip{h, "noise of h for √h in a step"}, slip{1 / h, "noise that lacks its √h in a step"})
	}
	best, text := 2.5, ""
	for _, s := range slips {
		// Within what is not resolved, or 1.5 %, which a step may add.
		if z := math.Abs(ratio-s.ratio) / math.Hypot(se, 0.015*math.Max(s.ratio, 0.003)); z < best {
			best, text = z, ": "+s.text+"?"
		}
	}
	// The variance of plain SGD on a quadratic of curvature k is too large by 1/(1 − hk/2). Beyond
	// half as much again, hk > 2/3, a step is hardly the whole story.
	if h := m.o.Step; h > 0 && ratio > 1+2*se && ratio < 1.5 {
		if text == "" {
			text = ": "
		} else {
			text = strings.TrimSuffix(text, "?") + ", or "
		}
		text += fmt.Sprintf("the step? One of h = %g does as much where the curvature is %.3g; its own law (stationary.Discretized) or a wider margin allows for it", h, 2*(1-1/ratio)/h)
	}
	return text
}
