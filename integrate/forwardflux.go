// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// ForwardFlux is forward flux sampling: from the states in which paths arrived at
// one level of the coordinate, many are begun, and it is counted how many reach the
// next level before they are back in From:
//
//	P = Π_i (reached level i+1)/(begun at level i)
//
// the last level being To. It is unbiased, and its levels are fixed in advance, where
// Splitting's find themselves; levels such that about one path in five goes on are good.
// Source: Allen, Frenkel & ten Wolde, 2006, Simulating rare events in equilibrium or nonequilibrium stochastic systems.
type ForwardFlux struct {
	RareEvent
	// Levels are those of the coordinate between the gate and To, rising.
	Levels []float64
	// Trials is how many paths are begun at each level in a run; 0 means 128.
	Trials int
}

// Estimate finds the mean time. Wrong settings are refused before any work.
func (f ForwardFlux) Estimate(ctx context.Context) (*RareResult, error) {
	if f.Trials == 0 {
		f.Trials = 128
	}
	if f.Trials < 1 {
		return nil, invalid("ForwardFlux.Trials", f.Trials, "at least 1, or 0 for 128", nil)
	}
	last := f.Gate
	for _, l := range f.Levels {
		if !(l > last) || math.IsInf(l, 1) {
			return nil, invalid("ForwardFlux.Levels", f.Levels, "finite numbers that rise from above the gate", nil)
		}
		last = l
	}
	return f.estimate(ctx, "ForwardFlux", f.probability)
}

func (f ForwardFlux) probability(w *walker, entries []sde.Batch) (float64, error) {
	type arrival struct {
		row []float64
		age int
	}
	var here, next []arrival
	w.random.At(sde.Observers, 0, 0)
	for range f.Trials {
		b := entries[w.choose(len(entries))]
		row := make([]float64, len(w.x.Data))
		copy(row, b.Row(w.choose(b.Rows)))
		here = append(here, arrival{row, 0})
	}
	p := 1.0
	for i := range len(f.Levels) + 1 {
		level := math.Inf(1)
		if i < len(f.Levels) {
			level = f.Levels[i]
		}
		next = nil
		for t := range f.Trials {
			from := here[t%len(here)]
			if i > 0 {
				from = here[w.choose(len(here))]
			}
			if w.event.Coordinate(from.row[:w.d]) >= level || w.event.To.Contains(from.row[:w.d]) {
				next = append(next, from) // it jumped two levels at once
				continue
			}
			end, age, err := w.walk(from.row, level, nil)
			if err != nil {
				return 0, err
			}
			if end == reached {
				next = append(next, arrival{append([]float64(nil), w.x.Data...), from.age + age})
			}
		}
		p *= float64(len(next)) / float64(f.Trials)
		if len(next) == 0 {
			return 0, nil
		}
		here = next
	}
	for _, a := range here {
		w.duration += float64(float64(a.age) * w.step)
	}
	w.arrivals = float64(len(here))
	return p, nil
}
