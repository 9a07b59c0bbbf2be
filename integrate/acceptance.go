// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Acceptance observes how many proposals a Metropolis chain (MALA,
// RandomWalkMetropolis) accepts, and with what steps: the mean, over particles and
// observation times, of the acceptance probability of the step that led to each
// observation,
//
//	E min(1, e^r)
//
// which has the mean of the accepted fraction and less scatter. As with all
// observers sums belong to groups, so the result has the same bits for any number of
// workers and is merged over shards; the standard error is that of the scatter
// between groups. Its memory is three numbers for each group.
type Acceptance struct {
	h                  float64
	rates, steps, seen []float64 // by group
}

var (
	_ sde.Observer   = (*Acceptance)(nil)
	_ sde.GroupSaver = (*Acceptance)(nil)
)

// Start refuses a run of another scheme.
func (a *Acceptance) Start(r sde.Run) error {
	if r.Scheme != malaName && r.Scheme != randomWalkName {
		return invalid("Acceptance", r.Scheme, "a run of MALA or RandomWalkMetropolis", sde.ErrUnsupported)
	}
	a.h = r.Step
	a.rates, a.steps, a.seen = make([]float64, r.Groups), make([]float64, r.Groups), make([]float64, r.Groups)
	return nil
}

// Observe adds a block.
func (a *Acceptance) Observe(s sde.Sample) error {
	for i := range s.History.Rows {
		row, step := s.History.Row(i), a.h
		if len(row) > averageColumn {
			step *= kernel.Exp1(row[averageColumn])
		}
		a.rates[s.Group] += row[acceptanceColumn]
		a.steps[s.Group] += step
	}
	a.seen[s.Group] += float64(s.History.Rows)
	return nil
}

// Rate returns the mean acceptance probability and its standard error.
func (a *Acceptance) Rate() sde.Estimate { return a.mean(a.rates) }

// Step returns the mean step of the particles, tuned or not, and its standard error.
func (a *Acceptance) Step() sde.Estimate { return a.mean(a.steps) }

func (a *Acceptance) mean(sums []float64) sde.Estimate {
	v, se, n := groups.Mean(sums, a.seen)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

// AppendGroup implements sde.GroupSaver.
func (a *Acceptance) AppendGroup(dst []byte, g int) []byte {
	return appendFloats(dst, a.seen[g], a.rates[g], a.steps[g])
}

// LoadGroup implements sde.GroupSaver.
func (a *Acceptance) LoadGroup(g int, data []byte) error {
	v, err := loadFloats(data, 3)
	if err != nil {
		return err
	}
	a.seen[g], a.rates[g], a.steps[g] = v[0], v[1], v[2]
	return nil
}
