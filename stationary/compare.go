// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/sgflow/sgflow/sde"
)

// resolved is the p-value below which a difference counts as one in a Report's
// words. The p-values themselves are there for a level of one's own.
const resolved = 1e-3

// Compare holds what was observed against a law. It takes one Histogram or
// Histogram2D and, if there is one, a Thermometer of the same run.
//
// A law of the histogram's dimension is compared with what was counted, whatever
// it is; a law of the particles' dimension with the coordinates that were
// counted, through its marginals.
//
// # How the numbers come about
//
// All error bars come from the scatter between groups, so they need no model of
// the samples' correlation in time; they rest on the groups being independent,
// which stretches of time are only nearly (a warning says so).
//
// The p-value (Report.Fit) is that of Hotelling's T² test. With y_g the frequencies
// in group g of m ≤ G/4 cells of about equal probability (as bins allow), but for one cell, w_g the
// group's samples, μ the cells' probabilities under the law and q = m−1,
//
//	ȳ  = Σ w_g y_g / W,   W = Σ w_g,   S = Σ w_g (y_g − ȳ)(y_g − ȳ)ᵀ / (G−1)
//	F  = (G−q)/(q (G−1)) · W (ȳ − μ)ᵀ S⁻¹ (ȳ − μ)
//
// has the distribution F(q, G−q) if the law is right, however samples of one group
// depend on one another, so that p is uniform (Hotelling, 1931, The generalization
// of Student's ratio). Cells in which fewer than 10 effective samples
// are expected go with a neighbour, so that frequencies are nearly normal; where that leaves one
// cell there is no test.
//
// Distances have a standard error by the jackknife over groups, and a floor, what
// they would be on average by sampling alone: the mean over 100 sets of normal
// weights on the groups' deviations (the multiplier bootstrap).
//
// Given a Thermometer, Compare also says what explains a difference, in
// Report.Cause. Its words are on the side of the law: a difference counts as one if
// its p-value is below 0.001. The p-values are there for a level of one's own.
//
// It returns an *sde.SettingError for a nil law, without a histogram or with two of a kind,
// for samples and a law of different dimension (sde.ErrDimension), and if nothing was counted.
func Compare(law Law, observations ...sde.Observer) (*Report, error) {
	o, therm, err := gather(law, observations)
	if err != nil {
		return nil, err
	}
	r := &Report{Law: nameOf(law), Samples: o.samples, Below: o.below, Above: o.above, NaN: o.nan, Groups: len(o.size)}
	if r.Samples == r.NaN {
		return nil, &sde.SettingError{Field: "stationary: Compare", Value: fmt.Sprintf("%d samples, %d of them NaN", r.Samples, r.NaN), Want: "a histogram that has counted numbers"}
	}
	p := o.probabilities(law)
	f := o.frequencies(0, 1)
	cells, m := o.partition(r, p)
	r.Cells = m
	r.Fit = o.fit(p, cells, m)
	r.Stationarity = o.drift(cells, m)
	o.distances(r, f, p)
	o.attribute(r, law, therm, cells, m)
	o.warn(r, f, p)
	return r, nil
}

// partition chooses the cells of the tests, a quarter as many as there are groups
// and fewer if there are not 10 effective samples for each, or two, and sets the report's
// effective sample size.
func (o *observed) partition(r *Report, p []float64) (of []int, m int) {
	parts := max(2, len(o.size)/4)
	of, m = o.cells(p, parts, 0)
	o.effective(r, of, m)
	if len(o.size) < 8 {
		return of, m
	}
	n := r.EffectiveSamples
	if n == 0 { // all are in one cell
		n = o.total
	}
	return o.cells(p, max(2, min(parts, int(n/10))), min(10/n, 0.125))
}

// observed is what a histogram has counted, group by group: cells are, in one
// dimension, below the range, the bins, above, NaN; in two the bins, outside, NaN.
// Groups without samples are left out.
type observed struct {
	run               sde.Run
	counts            [][2][]float64 // of each group, by halves
	size              []float64      // samples of each group
	total             float64
	edges             [][]float64 // one list a dimension
	widths            []float64   // of the bins, in one dimension
	coordinates       []int       // what was counted; nil for a projection
	samples           uint64
	below, above, nan uint64
}

func gather(law Law, observations []sde.Observer) (o *observed, therm *Thermometer, err error) {
	if law == nil {
		return nil, nil, &sde.SettingError{Field: "stationary: Compare law", Value: nil, Want: "a law"}
	}
	for _, ob := range observations {
		switch h := ob.(type) {
		case *Histogram:
			if o != nil {
				return nil, nil, &sde.SettingError{Field: "stationary: Compare", Value: "two histograms", Want: "one at a time"}
			}
			o = &observed{run: h.run, edges: [][]float64{h.Edges()}, coordinates: []int{h.Coordinate}}
			if h.Project != nil {
				o.coordinates = nil
			}
			o.below, o.above, o.nan = h.Outside()
			for i := range h.Bins {
				o.widths = append(o.widths, o.edges[0][i+1]-o.edges[0][i])
			}
			o.take(h.groups)
		case *Histogram2D:
			if o != nil {
				return nil, nil, &sde.SettingError{Field: "stationary: Compare", Value: "two histograms", Want: "one at a time"}
			}
			o = &observed{run: h.run, edges: [][]float64{h.Edges(0), h.Edges(1)}, coordinates: h.Coordinates[:]}
			if h.Project != nil {
				o.coordinates = nil
			}
			o.above, o.nan = h.Outside()
			o.take(h.groups)
		case *Thermometer:
			if therm != nil {
				return nil, nil, &sde.SettingError{Field: "stationary: Compare", Value: "two thermometers", Want: "at most one"}
			}
			therm = h
		default:
			return nil, nil, &sde.SettingError{Field: "stationary: Compare", Value: fmt.Sprintf("%T", ob), Want: "a *Histogram or *Histogram2D and, if there is one, a *Thermometer"}
		}
	}
	if o == nil {
		return nil, nil, &sde.SettingError{Field: "stationary: Compare", Value: fmt.Sprintf("%d observations", len(observations)), Want: "a *Histogram or *Histogram2D among them"}
	}
	if o.total == 0 && o.nan == 0 {
		return nil, nil, &sde.SettingError{Field: "stationary: Compare", Value: "a histogram without samples", Want: "one that a run, or Add, has filled"}
	}
	if d := law.Dim(); d != len(o.edges) && (d != o.run.Dim || o.coordinates == nil) {
		return nil, nil, &sde.SettingError{Field: "stationary: Compare law", Value: fmt.Sprintf("%s of %d coordinates", nameOf(law), d),
			Want: fmt.Sprintf("%d, the dimension of the histogram, or %d, that of the particles", len(o.edges), o.run.Dim), Err: sde.ErrDimension}
	}
	return o, therm, nil
}

// take copies the counts.
func (o *observed) take(t []tally) {
	for g := range t {
		var c [2][]float64
		n := 0.0
		for h := range 2 {
			c[h] = make([]float64, len(t[g].half[h])+1)
			for k, v := range t[g].half[h] {
				c[h][k] = float64(v)
				n += float64(v)
				o.samples += v
			}
			v := t[g].nan[h]
			c[h][len(c[h])-1] = float64(v)
			n += float64(v)
			o.samples += v
		}
		if n > 0 {
			o.counts = append(o.counts, c)
			o.size = append(o.size, n)
			o.total += n
		}
	}
}

// probabilities returns those of the cells under the law.
func (o *observed) probabilities(law Law) []float64 {
	p := make([]float64, len(o.counts[0][0]))
	d := law.Dim()
	lo, hi := make([]float64, d), make([]float64, d)
	for i := range d {
		lo[i], hi[i] = math.Inf(-1), math.Inf(1)
	}
	axis := func(a int) int { // the law's coordinate that is the histogram's axis a
		if d == len(o.edges) && (o.coordinates == nil || o.run.Dim != d) {
			return a
		}
		return o.coordinates[a]
	}
	if len(o.edges) == 1 {
		e, c := o.edges[0], axis(0)
		all := append(append([]float64{math.Inf(-1)}, e...), math.Inf(1))
		if l, ok := law.(edged); ok {
			l.edgeProbabilities(p[:len(all)-1], all, c)
		} else {
			for i := range len(all) - 1 {
				lo[c], hi[c] = all[i], all[i+1]
				p[i] = law.Probability(lo, hi)
			}
		}
	} else {
		x, y := o.edges[0], o.edges[1]
		n := (len(x) - 1) * (len(y) - 1)
		a, b := axis(0), axis(1)
		if l, ok := law.(grid); ok && a == 0 && b == 1 {
			l.gridProbabilities(p[:n], x, y)
		} else {
			for i := range len(x) - 1 {
				for j := range len(y) - 1 {
					lo[a], hi[a], lo[b], hi[b] = x[i], x[i+1], y[j], y[j+1]
					p[i*(len(y)-1)+j] = law.Probability(lo, hi)
				}
			}
		}
		inside := 0.0
		for _, v := range p[:n] {
			inside += v
		}
		p[n] = max(0, 1-inside)
	}
	for k, v := range p {
		p[k] = max(0, v)
	}
	return p
}

// frequencies returns the pooled frequencies of the cells over some halves.
func (o *observed) frequencies(halves ...int) []float64 {
	f := make([]float64, len(o.counts[0][0]))
	n := 0.0
	for _, c := range o.counts {
		for _, h := range halves {
			for k, v := range c[h] {
				f[k] += v
				n += v
			}
		}
	}
	for k := range f {
		f[k] /= n
	}
	return f
}

// cells merges the bins into m cells, or fewer, of about equal probability under
// the law and of least at the least, and returns each bin's cell and their number. In one dimension they
// are intervals, in two rectangles: strips of the first coordinate, each divided
// by the second. What is outside or NaN falls into the end cells.
func (o *observed) cells(p []float64, m int, least float64) (of []int, n int) {
	of = make([]int, len(p))
	slot := func(parts int, before, here, all float64) int {
		if !(all > 0) {
			return 0
		}
		return min(parts-1, int(float64(parts)*(before+here/2)/all))
	}
	if len(o.edges) == 1 {
		cum, all := 0.0, 0.0
		for _, v := range p {
			all += v
		}
		for k, v := range p {
			of[k] = slot(m, cum, v, all)
			cum += v
		}
	} else {
		nx, ny := len(o.edges[0])-1, len(o.edges[1])-1
		strips := max(1, int(math.Sqrt(float64(m))))
		each := m / strips
		column := make([]float64, nx)
		all := 0.0
		for i := range nx {
			for j := range ny {
				column[i] += p[i*ny+j]
			}
			all += column[i]
		}
		strip, cum := make([]int, nx), 0.0
		rows := make([][]float64, strips)
		whole := make([]float64, strips)
		for s := range rows {
			rows[s] = make([]float64, ny)
		}
		for i := range nx {
			s := slot(strips, cum, column[i], all)
			strip[i] = s
			cum += column[i]
			whole[s] += column[i]
			for j := range ny {
				rows[s][j] += p[i*ny+j]
			}
		}
		for i := range nx {
			s, c := strip[i], 0.0
			for j := range ny {
				of[i*ny+j] = s*each + slot(each, c, rows[s][j], whole[s])
				c += rows[s][j]
			}
		}
		for k := nx * ny; k < len(p); k++ {
			of[k] = strips*each - 1
		}
	}
	// Cells in which too little is expected, as where bins are wide, go with the next ones: few
	// counts are far from normal, and none at all make the test singular. Where nothing is
	// expected but samples are, a cell stands for itself.
	mass, met := make([]float64, m), make([]bool, m)
	for k, c := range of {
		mass[c] += p[k]
		met[c] = met[c] || o.met(k)
	}
	alone := func(c int) bool { return met[c] && mass[c]*o.total < 1e-9 }
	number, sum := make([]int, m), 0.0
	for c, v := range mass {
		number[c] = n
		if sum += v; sum > 0 && sum >= least && !alone(c) {
			n, sum = n+1, 0
		}
	}
	last := max(1, n) - 1 // what is left goes with the last
	n = last + 1
	for c := range mass {
		number[c] = min(number[c], last)
		if alone(c) {
			number[c] = n
			n++
		}
	}
	for k, c := range of {
		of[k] = number[c]
	}
	return of, n
}

// met reports whether any sample fell into a bin.
func (o *observed) met(k int) bool {
	for _, c := range o.counts {
		if c[0][k] > 0 || c[1][k] > 0 {
			return true
		}
	}
	return false
}

// merged returns the frequencies of m cells in each group over some halves, the
// groups' sizes there, and the pooled frequencies.
func (o *observed) merged(of []int, m int, halves ...int) (y [][]float64, w []float64) {
	for _, c := range o.counts {
		v, n := make([]float64, m), 0.0
		for _, h := range halves {
			for k, x := range c[h] {
				v[of[k]] += x
				n += x
			}
		}
		for i := range v {
			v[i] /= n
		}
		y, w = append(y, v), append(w, n)
	}
	return y, w
}

// effective sets the effective sample size: how many independent samples would
// scatter as much in the m cells,
//
//	n_eff = N Σ f(1−f) / Σ_k S_kk,   S the sample covariance of a group's counts per sample
//
// at most N.
func (o *observed) effective(r *Report, of []int, m int) {
	y, w := o.merged(of, m, 0, 1)
	if len(y) < 2 {
		return
	}
	mean, total := weightedMean(y, w)
	var independent, s float64
	for i, f := range mean {
		independent += f * (1 - f)
		for g := range y {
			s += w[g] * (y[g][i] - f) * (y[g][i] - f) / float64(len(y)-1)
		}
	}
	if independent > 0 {
		r.EffectiveSamples = total
		if s > independent {
			r.EffectiveSamples = total * independent / s
		}
	}
}

// fit tests the groups' frequencies of the cells against the law's probabilities.
func (o *observed) fit(p []float64, of []int, m int) *Test {
	if m > len(o.size)/4 || m < 2 {
		return nil
	}
	mu := make([]float64, m)
	for k, v := range p {
		mu[of[k]] += v
	}
	y, w := o.merged(of, m, 0, 1)
	for g := range y {
		y[g] = y[g][:m-1]
	}
	return hotelling(y, w, mu[:m-1], mu[:m-1])
}

// drift tests whether the frequencies of the second half of the observations are
// those of the first, by the groups' differences. A group's difference has the
// variance (1/n₁ + 1/n₂), whence its weight.
func (o *observed) drift(of []int, m int) *Test {
	if m > len(o.size)/4 || m < 2 {
		return nil
	}
	var y [][]float64
	var w []float64
	first, n := o.merged(of, m, 0)
	second, k := o.merged(of, m, 1)
	base := make([]float64, m-1)
	all := 0.0
	for g := range first {
		if n[g] > 0 && k[g] > 0 {
			d := make([]float64, m-1)
			for i := range d {
				d[i] = second[g][i] - first[g][i]
				base[i] += n[g]*first[g][i] + k[g]*second[g][i]
			}
			all += n[g] + k[g]
			y, w = append(y, d), append(w, n[g]*k[g]/(n[g]+k[g]))
		}
	}
	if m > len(y)/4 {
		return nil
	}
	for i := range base {
		base[i] /= all
	}
	return hotelling(y, w, make([]float64, m-1), base)
}

// draws is how many sets of weights give the floors, and floorSeed their seed.
const (
	draws     = 100
	floorSeed = 0x7f1005
)

// distances sets the report's distances.
func (o *observed) distances(r *Report, f, p []float64) {
	value := measure(f, p, o.widths)
	groups := len(o.size)
	var stderr, floor [distances]float64
	if groups > 1 {
		n := make([][]float64, groups) // the groups' counts
		var left [][distances]float64
		without := make([]float64, len(f))
		scale := make([]float64, len(f))
		for g, c := range o.counts {
			n[g] = make([]float64, len(f))
			for k := range n[g] {
				n[g][k] = c[0][k] + c[1][k]
				without[k] = (f[k]*o.total - n[g][k]) / (o.total - o.size[g])
				if without[k] < 0.5/o.total { // rounding
					without[k] = 0
				}
			}
			left = append(left, measure(without, p, o.widths))
			for k := range n[g] { // from here on the deviations
				n[g][k] = (n[g][k] - f[k]*o.size[g]) / o.total * math.Sqrt(float64(groups)/float64(groups-1))
			}
		}
		for k := range scale {
			scale[k] = max(f[k], p[k])
		}
		for d := range stderr {
			mean, sum := 0.0, 0.0
			for _, l := range left {
				mean += l[d] / float64(groups)
			}
			for _, l := range left {
				sum += (l[d] - mean) * (l[d] - mean)
			}
			stderr[d] = math.Sqrt(sum * float64(groups-1) / float64(groups))
		}
		stream := sde.NewStream(floorSeed, nil)
		xi, dev := make([]float64, groups), make([]float64, len(f))
		for b := range draws {
			stream.At(sde.Observers, 0, b)
			stream.Normals(xi)
			clear(dev)
			for g, x := range xi {
				for k, v := range n[g] {
					dev[k] += x * v
				}
			}
			for d, v := range scatter(dev, scale, o.widths) {
				floor[d] += v / draws
			}
		}
	}
	distance := func(d int, subtract float64) *Distance {
		if v := value[d] - subtract; !math.IsInf(v, 0) && !math.IsNaN(v) {
			e := &Distance{Value: v, Floor: floor[d]}
			if !math.IsInf(stderr[d], 0) && !math.IsNaN(stderr[d]) {
				e.StdErr = stderr[d]
			}
			return e
		}
		return nil
	}
	r.TotalVariation, r.Hellinger = distance(totalVariation, 0), distance(hellinger, 0)
	r.KullbackLeibler = distance(kullbackLeibler, floor[kullbackLeibler])
	if o.widths != nil {
		r.KolmogorovSmirnov, r.Wasserstein = distance(kolmogorovSmirnov, 0), distance(wasserstein, 0)
	}
}

// warn sets the report's warnings.
func (o *observed) warn(r *Report, f, p []float64) {
	warn := func(format string, a ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, a...)) }
	if r.NaN > 0 {
		warn("%d samples are NaN; they count as outside", r.NaN)
	}
	inLaw := 0.0
	n := len(p)
	outside := r.Below + r.Above
	if len(o.edges) == 1 {
		inLaw = p[0] + p[n-2]
	} else {
		inLaw = p[n-2]
	}
	if share := float64(outside) / float64(r.Samples); share > 1e-3 {
		warn("%.3g %% of the samples lie outside the histogram's range, where the law has %.3g %%", 100*share, 100*inLaw)
	} else if inLaw > 1e-3 {
		warn("the law has %.3g %% of its mass outside the histogram's range", 100*inLaw)
	}
	if len(o.edges) == 1 {
		widest := 0.0
		for _, v := range p[1 : n-2] {
			widest = max(widest, v)
		}
		if widest > 0.1 {
			warn("one bin holds %.2g of the law: finer bins would see more", widest)
		}
	}
	for k, v := range p {
		if v == 0 && f[k] > 0 && k < n-1 {
			warn("there are samples where the law has none; KL is infinite")
			break
		}
	}
	switch g := r.Groups; {
	case g >= 8 && r.Cells < 2:
		warn("the law has all but nothing in all bins but one, for so many samples: there is no p-value; finer bins would see more")
	case g < 8:
		warn("%d groups are too few for a p-value: 8 at the least, 64 for a sharp one", g)
	case g < 16:
		warn("%d groups make coarse error bars; 64 are better", g)
	}
	if o.stretches() {
		warn("groups are stretches of time, as there are few particles: error bars and p-values hold if a stretch is long against the correlation time")
	}
	if r.Fit != nil && r.Cells < 8 {
		warn("p-values look at no more than %d cells: more groups, of more particles, or more independent samples would see finer differences", r.Cells)
	}
	if r.Groups > 1 && r.EffectiveSamples < 200 {
		warn("%.3g effective samples: too few for distances to mean much, and the p-value is approximate", r.EffectiveSamples)
	}
	if r.Stationarity != nil && r.Stationarity.PValue < resolved {
		warn("not yet stationary: the two halves of the run differ (p = %.2g); burn in for longer", r.Stationarity.PValue)
	}
}

// stretches reports whether groups are stretches of time and not of particles: most
// have seen only one half of the observations.
func (o *observed) stretches() bool {
	var seen [2]bool
	single := 0
	for _, c := range o.counts {
		first, second := floats.Sum(c[0]) > 0, floats.Sum(c[1]) > 0
		seen[0], seen[1] = seen[0] || first, seen[1] || second
		if first != second {
			single++
		}
	}
	return seen[0] && seen[1] && 2*single > len(o.counts)
}

// nameOf returns the name of a law, or of its type.
func nameOf(law Law) string {
	if s, ok := law.(fmt.Stringer); ok {
		return s.String()
	}
	return strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", law), "*"), "stationary.")
}
