// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/sde"
)

// Sweep runs one study at several values of a setting, the learning rate, the batch size, the
// temperature or any other, with common random numbers: all runs have the Sweep's seed, so
// that the noise of a block's step is the same in each, and the change of a quantity from
// the first value has a standard error of its own, from the change in each group of
// particles. Where the noise acts alike that error is much smaller than those of the two.
type Sweep struct {
	// Setting names what changes, as in "η".
	Setting string
	// Values are what it takes; changes are from the first.
	Values []float64
	// Study returns the ensemble and schedule of a value. The ensembles' particles and
	// groups are the same for all; their seed is the Sweep's.
	Study func(value float64) (Ensemble, Schedule, error)
	// Functions of the state are averaged over particles and observations by F, as Mean's.
	Functions int
	F         func(dst, theta []float64)
	// Quantities are what is reported; nil means the averages themselves.
	Quantities []Quantity
	// Seed selects the noise of all runs.
	Seed uint64
	// Progress, if it is not nil, is called before each run with how many are done.
	Progress func(done, runs int)
}

// Quantity is a number that is made of a Sweep's averages.
type Quantity struct {
	Name string
	// Of returns it, for a run's averages E F.
	Of func(value float64, mean []float64) float64
	// Exact returns what theory says for a value of the setting; nil means nothing.
	Exact func(value float64) float64
}

// Swept is the table that a Sweep makes.
type Swept struct {
	Setting    string
	Quantities []string
	Rows       []SweptRow // one for each value that was run
}

// SweptRow is what was found at one value of the setting.
type SweptRow struct {
	Value     float64
	Estimates []sde.Estimate // by quantity
	Changes   []sde.Estimate // from the first row; paired errors
	Exact     []float64      // NaN where theory says nothing
	Result    *Result
}

// Validate returns an error if there are no values or functions, a value is not finite, or
// something is missing.
func (s Sweep) Validate() error {
	switch {
	case s.Study == nil:
		return invalid("Sweep.Study", nil, "a function that returns the ensemble of a value", nil)
	case len(s.Values) == 0:
		return invalid("Sweep.Values", "none", "one or more values of the setting", nil)
	case s.Functions < 1:
		return invalid("Sweep.Functions", s.Functions, "at least 1", nil)
	case s.F == nil:
		return invalid("Sweep.F", nil, "a function of the state", nil)
	}
	for i, v := range s.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid(fmt.Sprintf("Sweep.Values[%d]", i), v, "a finite number", nil)
		}
	}
	for i, q := range s.Quantities {
		if q.Of == nil {
			return invalid(fmt.Sprintf("Sweep.Quantities[%d].Of", i), nil, "a function of the averages", nil)
		}
	}
	return nil
}

// Run runs the study at each value. All are checked before the first is run. An error of a
// run ends the sweep: what is returned with it are the rows of the runs that were complete.
func (s Sweep) Run(ctx context.Context) (*Swept, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	quantities := s.Quantities
	if quantities == nil {
		for k := range s.Functions {
			quantities = append(quantities, Quantity{Name: fmt.Sprintf("E f%d", k), Of: func(_ float64, mean []float64) float64 { return mean[k] }})
		}
	}
	ensembles, schedules := make([]Ensemble, len(s.Values)), make([]Schedule, len(s.Values))
	for i, v := range s.Values {
		e, schedule, err := s.Study(v)
		if err != nil {
			return nil, fmt.Errorf("integrate: %s = %g: %w", s.Setting, v, err)
		}
		e.Seed = s.Seed
		if err := e.Validate(schedule); err != nil {
			return nil, fmt.Errorf("integrate: %s = %g: %w", s.Setting, v, err)
		}
		if i > 0 && (e.Particles != ensembles[0].Particles || e.Groups != ensembles[0].Groups) {
			return nil, invalid(fmt.Sprintf("Sweep.Study(%g)", v), fmt.Sprintf("%d particles in %d groups", e.Particles, e.Groups),
				fmt.Sprintf("%d in %d as for %g, so that changes can be paired", ensembles[0].Particles, ensembles[0].Groups, s.Values[0]), nil)
		}
		ensembles[i], schedules[i] = e, schedule
	}
	t := &Swept{Setting: s.Setting}
	for _, q := range quantities {
		t.Quantities = append(t.Quantities, q.Name)
	}
	var first *Mean
	for i, v := range s.Values {
		if s.Progress != nil {
			s.Progress(i, len(s.Values))
		}
		m := NewMean(s.Functions, s.F)
		r, err := ensembles[i].Run(ctx, schedules[i], m)
		if err != nil {
			return t, fmt.Errorf("integrate: %s = %g: %w", s.Setting, v, err)
		}
		if first == nil {
			first = m
		}
		row := SweptRow{Value: v, Result: r}
		for _, q := range quantities {
			here := func(mean []float64) float64 { return q.Of(v, mean) }
			row.Estimates = append(row.Estimates, jackknife(here, m, nil, nil))
			row.Changes = append(row.Changes, jackknife(here, m, func(mean []float64) float64 { return q.Of(s.Values[0], mean) }, first))
			exact := math.NaN()
			if q.Exact != nil {
				exact = q.Exact(v)
			}
			row.Exact = append(row.Exact, exact)
		}
		t.Rows = append(t.Rows, row)
	}
	if s.Progress != nil {
		s.Progress(len(s.Values), len(s.Values))
	}
	return t, nil
}

// jackknife returns a function of a run's averages, less that of another's if there is one,
// with the standard error that leaving out each group gives: groups of both runs go together
// if there are as many.
func jackknife(f func(mean []float64) float64, a *Mean, g func(mean []float64) float64, b *Mean) sde.Estimate {
	value, parts := leaveOut(f, a)
	e := sde.Estimate{Value: value, Groups: len(parts)}
	if b != nil {
		other, others := leaveOut(g, b)
		e.Value -= other
		if len(others) != len(parts) { // other stretches of time: nothing to pair
			e.StdErr = math.Hypot(spread(parts), spread(others))
			e.Groups = min(len(parts), len(others))
			return e
		}
		for i := range parts {
			parts[i] -= others[i]
		}
	}
	e.StdErr = spread(parts)
	return e
}

// leaveOut returns f of the averages of all groups, and of all but each that has any.
func leaveOut(f func(mean []float64) float64, m *Mean) (value float64, parts []float64) {
	mean := make([]float64, m.Functions)
	sums := make([]float64, m.Functions)
	for k := range sums {
		sums[k] = total(m.sums[k])
	}
	n := total(m.counts)
	for k := range mean {
		mean[k] = sums[k] / n
	}
	value = f(mean)
	for g, c := range m.counts {
		if c == 0 {
			continue
		}
		for k := range mean {
			mean[k] = (sums[k] - m.sums[k][g]) / (n - c)
		}
		parts = append(parts, f(mean))
	}
	return value, parts
}

// spread returns the jackknife's standard error, NaN for fewer than two parts.
func spread(parts []float64) float64 {
	ones := make([]float64, len(parts))
	for i := range ones {
		ones[i] = 1
	}
	_, se, n := groups.Mean(parts, ones)
	return float64(n-1) * se
}

// String returns the table: a line for each value, with each quantity, what theory says of it
// and its change from the first.
func (t *Swept) String() string {
	header := []string{t.Setting}
	for k, q := range t.Quantities {
		header = append(header, q)
		if t.known(k) {
			header = append(header, "exact")
		}
		header = append(header, "change")
	}
	cells := [][]string{header}
	for i, r := range t.Rows {
		line := []string{fmt.Sprintf("%.6g", r.Value)}
		for k, e := range r.Estimates {
			line = append(line, e.String())
			if t.known(k) {
				exact := ""
				if !math.IsNaN(r.Exact[k]) {
					exact = fmt.Sprintf("%.6g", r.Exact[k])
				}
				line = append(line, exact)
			}
			if i == 0 {
				line = append(line, "")
			} else {
				line = append(line, r.Changes[k].String())
			}
		}
		cells = append(cells, line)
	}
	widths := make([]int, len(header))
	for _, line := range cells {
		for j, c := range line {
			widths[j] = max(widths[j], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, line := range cells {
		var row strings.Builder
		for j, c := range line {
			row.WriteString(strings.Repeat(" ", widths[j]-utf8.RuneCountInString(c)))
			row.WriteString(c)
			row.WriteString("  ")
		}
		b.WriteString(strings.TrimRight(row.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// known reports whether theory says anything of quantity k.
func (t *Swept) known(k int) bool {
	for _, r := range t.Rows {
		if !math.IsNaN(r.Exact[k]) {
			return true
		}
	}
	return false
}
