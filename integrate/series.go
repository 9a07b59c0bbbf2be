// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// Series keeps an observer of its own for each observation time, where a plain
// observer pools over time: the mean against time, the histogram against time.
// Its memory is that of one such observer times the observation times.
type Series[O sde.Observer] struct {
	// New returns the observer of one time.
	New func() O
	// BurnIn observes the start and the burn-in as well.
	BurnIn bool

	at    []O
	times []float64
	n     int
}

var (
	_ sde.Observer       = (*Series[*Mean])(nil)
	_ sde.BurnInObserver = (*Series[*Mean])(nil)
)

// NewSeries returns a series of the observers that f returns, with the burn-in.
func NewSeries[O sde.Observer](f func() O) *Series[O] { return &Series[O]{New: f, BurnIn: true} }

// Start makes and starts an observer for each observation time.
func (s *Series[O]) Start(r sde.Run) error {
	if s.New == nil {
		return invalid("Series.New", nil, "a function that returns an observer", nil)
	}
	n := r.Observations
	r.Observations = 1
	s.at, s.times, s.n = make([]O, n), make([]float64, n), 0
	for i := range s.at {
		s.at[i] = s.New()
		if err := s.at[i].Start(r); err != nil {
			return err
		}
	}
	return nil
}

// ObservesBurnIn reports whether BurnIn is set.
func (s *Series[O]) ObservesBurnIn() bool { return s.BurnIn }

// Observe passes a block to the observer of its time.
func (s *Series[O]) Observe(x sde.Sample) error {
	i := x.Index
	if x.First == 0 {
		s.times[i], s.n = x.Time, i+1
	}
	x.Index = 0
	return s.at[i].Observe(x)
}

// Len returns how many times were observed.
func (s *Series[O]) Len() int { return s.n }

// At returns the i-th time and the observer of it.
func (s *Series[O]) At(i int) (t float64, o O) { return s.times[i], s.at[i] }
