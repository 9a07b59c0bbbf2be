// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/sde"
)

// Splitting is adaptive multilevel splitting: of a number of paths from the gate,
// those that have come the least far, as ξ measures it, are killed again and again, and replaced by
// copies of others from where these first went beyond the killed ones' level. If K_q of N are
// killed in round q,
//
//	P = Π_q (1 − K_q/N) × (share of paths that end in To)
//
// is unbiased for any coordinate and any N, also in discrete time, where levels can
// tie: all paths at the killed level are killed with it. With the ideal coordinate its relative variance is
// about log(1/P)/N. It cannot be used where no path has more than one way to go on that the coordinate separates: then a few runs carry the mean, which is a warning.
//
// Its memory is the states at which each path set its records. Sources: Cérou &
// Guyader, 2007, Adaptive multilevel splitting for rare event analysis; Bréhier, Gazeau, Goudenège,
// Lelièvre & Rousset, 2016, Unbiasedness of some generalized adaptive multilevel splitting algorithms, theorem 3.2.
type Splitting struct {
	RareEvent
	// Clones is N, the paths of a run; 0 means 128.
	Clones int
	// Kill is how many paths at least are killed in a round; 0 means 1.
	Kill int
}

// path is what a branch needs to know of a path: its records.
type path struct {
	xi    []float64 // rising
	rows  []float64 // the state of each record, one after the other
	ages  []int
	level float64 // the last record, +Inf if it arrived in To
	age   int     // steps since the gate, at its end
}

// Estimate finds the mean time. Wrong settings are refused before any work.
func (s Splitting) Estimate(ctx context.Context) (*RareResult, error) {
	if s.Clones == 0 {
		s.Clones = 128
	}
	if s.Kill == 0 {
		s.Kill = 1
	}
	if s.Clones < 2 {
		return nil, invalid("Splitting.Clones", s.Clones, "at least 2, or 0 for 128", nil)
	}
	if s.Kill < 1 || s.Clones <= s.Kill {
		return nil, invalid("Splitting.Kill", s.Kill, fmt.Sprintf("1 to %d, fewer than there are clones", s.Clones-1), nil)
	}
	return s.estimate(ctx, "Splitting", s.probability)
}

func (s Splitting) probability(w *walker, entries []sde.Batch) (float64, error) {
	n := s.Clones
	paths := make([]path, n)
	w.random.At(sde.Observers, 0, 0)
	row := make([]float64, len(w.x.Data))
	for i := range paths {
		b := entries[w.choose(len(entries))]
		clear(row)
		copy(row, b.Row(w.choose(b.Rows)))
		paths[i].record(w.event.Coordinate(row[:w.d]), row, 0)
		if err := paths[i].goOn(w, row); err != nil {
			return 0, err
		}
	}
	p := 1.0
	levels := make([]float64, n)
	var dead, alive []int
	for {
		for i := range paths {
			levels[i] = paths[i].level
		}
		slices.Sort(levels)
		z := levels[s.Kill-1]
		if math.IsInf(z, 1) {
			break
		}
		dead, alive = dead[:0], alive[:0]
		for i := range paths {
			if paths[i].level <= z {
				dead = append(dead, i)
			} else {
				alive = append(alive, i)
			}
		}
		p *= float64(len(alive)) / float64(n)
		if len(alive) == 0 {
			return 0, nil
		}
		for _, i := range dead {
			paths[i].branch(&paths[alive[w.choose(len(alive))]], z, len(row))
			last := paths[i].rows[len(paths[i].rows)-len(row):]
			if err := paths[i].goOn(w, last); err != nil {
				return 0, err
			}
		}
	}
	arrived := 0
	for _, q := range paths {
		if math.IsInf(q.level, 1) {
			arrived++
			w.duration += float64(float64(q.age) * w.step)
		}
	}
	w.arrivals = float64(arrived)
	return p * float64(arrived) / float64(n), nil
}

func (q *path) record(xi float64, row []float64, age int) {
	q.xi, q.rows, q.ages = append(q.xi, xi), append(q.rows, row...), append(q.ages, age)
	q.level = xi
}

// branch makes q a copy of another path up to its first record above z.
func (q *path) branch(of *path, z float64, width int) {
	k := 0
	for of.xi[k] <= z { // the last record of a path that arrived is +Inf
		k++
	}
	q.xi, q.ages = append(q.xi[:0], of.xi[:k+1]...), append(q.ages[:0], of.ages[:k+1]...)
	q.rows = append(q.rows[:0], of.rows[:(k+1)*width]...)
	q.level = of.xi[k]
}

// goOn walks from the path's last record, at the given row, to its end.
func (q *path) goOn(w *walker, row []float64) error {
	start := q.ages[len(q.ages)-1]
	if q.age = start; math.IsInf(q.level, 1) {
		return nil // the copy begins where the other arrived
	}
	if w.event.To.Contains(row[:w.d]) {
		q.arrive(row)
		return nil
	}
	end, age, err := w.walk(row, math.Inf(1), func(xi float64, row []float64, age int) {
		if xi > q.level {
			q.record(xi, row, start+age)
		}
	})
	q.age = start + age
	if end == reached {
		q.arrive(w.x.Data)
	}
	return err
}

// arrive makes the state in which the path has arrived its last record.
func (q *path) arrive(row []float64) {
	if last := len(q.xi) - 1; q.ages[last] == q.age {
		q.xi[last], q.level = math.Inf(1), math.Inf(1)
		return
	}
	q.record(math.Inf(1), row, q.age)
}
