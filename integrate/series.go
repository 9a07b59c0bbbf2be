// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/sgflow/sgflow/sde"
)

// Series keeps an observer of its own for each observation time, where a plain
// observer pools over time: the mean against time, the histogram against time.
// Its memory is that of one such observer times the observation times.
type Series[O sde.Observer] struct {
	// New returns the observer of one time, a new one at each call. It may be called more often than there
	// are times.
	New func() O
	// BurnIn observes the start and the burn-in as well.
	BurnIn bool

	at    []O
	times []atomic.Uint64 // bits; NaN until observed
}

var (
	_ sde.Observer       = (*Series[*Mean])(nil)
	_ sde.BurnInObserver = (*Series[*Mean])(nil)
	_ sde.GroupSaver     = (*Series[*Mean])(nil)
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
	s.at, s.times = make([]O, n), make([]atomic.Uint64, n)
	for i := range s.at {
		s.times[i].Store(math.Float64bits(math.NaN()))
		s.at[i] = s.New()
		if _, ok := any(s.at[i]).(sde.StepObserver); ok {
			return invalid("Series.New", fmt.Sprintf("%T", s.at[i]), "an observer that need not see each step (sde.StepObserver)", nil)
		}
		if i > 0 && sameObserver(s.at[i], s.at[0]) {
			return invalid("Series.New", fmt.Sprintf("a function that returned the same %T twice", s.at[i]), "an observer of its own for each time", nil)
		}
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
	s.times[i].Store(math.Float64bits(x.Time))
	x.Index = 0
	return s.at[i].Observe(x)
}

// Len returns how many times were observed.
func (s *Series[O]) Len() int {
	n := len(s.times)
	for n > 0 && math.IsNaN(math.Float64frombits(s.times[n-1].Load())) {
		n--
	}
	return n
}

// At returns the i-th time and the observer of it.
func (s *Series[O]) At(i int) (t float64, o O) {
	return math.Float64frombits(s.times[i].Load()), s.at[i]
}

// element returns one of the series' observers, nil if there are none.
func (s *Series[O]) element() sde.Observer {
	if s.New == nil {
		return nil
	}
	return s.New()
}

// AppendGroup implements sde.GroupSaver. It panics if the series' observers do not.
func (s *Series[O]) AppendGroup(dst []byte, g int) []byte {
	for i := range s.at {
		dst = binary.LittleEndian.AppendUint64(dst, s.times[i].Load())
		length := len(dst)
		dst = append(dst, make([]byte, 8)...)
		dst = any(s.at[i]).(sde.GroupSaver).AppendGroup(dst, g)
		binary.LittleEndian.PutUint64(dst[length:], uint64(len(dst)-length-8))
	}
	return dst
}

// LoadGroup implements sde.GroupSaver. It panics if the series' observers do not.
func (s *Series[O]) LoadGroup(g int, data []byte) error {
	for i := range s.at {
		if len(data) < 16 {
			return errTruncated
		}
		t, n := binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])
		data = data[16:]
		if n > uint64(len(data)) {
			return errTruncated
		}
		if err := any(s.at[i]).(sde.GroupSaver).LoadGroup(g, data[:n]); err != nil {
			return err
		}
		if !math.IsNaN(math.Float64frombits(t)) {
			s.times[i].Store(t)
		}
		data = data[n:]
	}
	if len(data) > 0 {
		return errTruncated
	}
	return nil
}

var errTruncated = errors.New("integrate: saved group is of another length")
