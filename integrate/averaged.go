// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Averaged runs another update or scheme and shows the average of its iterates in their place:
// to observers, and in what is saved, a particle is its average. From the time From on, of
// the iterates θ_1, θ_2, … at the ends of the steps that end after it,
//
//	θ̄_n = (1/n) Σ_{k ≤ n} θ_k,   or   θ̄_n = β θ̄_{n−1} + (1−β) θ_n  if Decay = β > 0
//
// the first that of Polyak and Ruppert, or a tail average for From > 0; the second an
// exponential moving average that begins at the iterate. Before From the average is the
// iterate.
//
// The iterates themselves are those of a run of Of alone with the same seed, to the bit: noise
// is a function of the step, so the two runs can be laid side by side. The row is the
// average, Of's row and n. On a quadratic with white gradient noise Cov C the average of n
// iterates has the covariance H⁻¹CH⁻¹/n for large n whatever the learning rate, the least there
// is. A moving average of iterates whose variance is S in a direction of curvature h has in the
// long run, for SGD of learning rate η, the variance
//
//	S (1−β)/(1+β) (1+aβ)/(1−aβ),   a = 1 − ηh
//
// Sources: Polyak & Juditsky, 1992, Acceleration of stochastic approximation by averaging;
// Ruppert, 1988, Efficient estimations from a slowly convergent Robbins–Monro process.
//
// An equation with a domain is refused, since the engine applies that to what is shown; a
// sde.StepObserver that moves a particle starts it anew, average and all.
type Averaged struct {
	Of    Scheme
	From  float64 // time from which to average
	Decay float64 // β of a moving average; 0 for the mean of all
}

var (
	_ Scheme    = Averaged{}
	_ Augmented = Averaged{}
	_ Tuned     = Averaged{}
	_ Starter   = (*averaged)(nil)
	_ Explainer = (*averaged)(nil)
)

// Properties returns what Of is, without its orders, or an error that says what is wrong.
func (u Averaged) Properties(class sde.NoiseClass) (Properties, error) {
	if u.Of == nil {
		return Properties{}, invalid("Averaged.Of", nil, "an update or a scheme whose iterates are averaged", nil)
	}
	if err := within01("Averaged.Decay", u.Decay, false); err != nil {
		return Properties{}, err
	}
	if !(u.From >= 0) || math.IsInf(u.From, 1) {
		return Properties{}, invalid("Averaged.From", u.From, "a finite time from 0", nil)
	}
	p, err := u.Of.Properties(class)
	if err == nil {
		p.Name, p.Strong, p.Weak, p.Invariant = "the average of "+p.Name, 0, 0, 0
	}
	return p, err
}

func (u Averaged) width(d int) int {
	if a, ok := u.Of.(Augmented); ok {
		return a.Width(d)
	}
	return d
}

// Width returns d + w + 1, where w is the width of Of.
func (u Averaged) Width(d int) int { return d + u.width(d) + 1 }

// TuningTime returns that of Of.
func (u Averaged) TuningTime() float64 {
	if t, ok := u.Of.(Tuned); ok {
		return t.TuningTime()
	}
	return 0
}

// Bind returns the kernel for a system. It refuses an equation with a domain.
func (u Averaged) Bind(s *System) (Kernel, error) {
	if c, ok := s.Equation.(sde.Confined); ok && c.Confinement() != nil {
		return nil, invalid("Ensemble.Equation", fmt.Sprintf("a domain %T", c.Confinement()), "none for Averaged: it would be applied to the average", sde.ErrUnsupported)
	}
	k, err := u.Of.Bind(s)
	if err != nil {
		return nil, err
	}
	return &averaged{of: k, d: s.State, h: s.Step, from: u.From, beta: u.Decay, x: sde.NewBatch(s.Rows, u.width(s.State))}, nil
}

type averaged struct {
	of            Kernel
	d             int
	h, from, beta float64
	x             sde.Batch // rows of of
}

// Start begins with the start as the average of none.
func (k *averaged) Start(x sde.Batch, s *sde.Stream) {
	y := k.x.Slice(0, x.Rows)
	for i := range x.Rows {
		clear(y.Row(i)[copy(y.Row(i), x.Row(i)[:k.d]):])
		x.Row(i)[x.Cols-1] = 0
	}
	if st, ok := k.of.(Starter); ok {
		st.Start(y, s)
	}
	for i := range x.Rows {
		copy(x.Row(i), y.Row(i)[:k.d]) // of what the start has become
		copy(x.Row(i)[k.d:], y.Row(i))
	}
}

// Explain asks the kernel that is averaged.
func (k *averaged) Explain(i int) error {
	if e, ok := k.of.(Explainer); ok {
		return e.Explain(i)
	}
	return nil
}

func (k *averaged) Step(x sde.Batch, t float64, stream *sde.Stream) {
	y := k.x.Slice(0, x.Rows)
	kernel.Repack(y.Data, y.Stride, x.Data[k.d:], x.Stride, y.Cols, x.Rows)
	k.of.Step(y, t, stream)
	kernel.Repack(x.Data[k.d:], x.Stride, y.Data, y.Stride, y.Cols, x.Rows)
	// The end of the step is after From: half a step settles what rounding leaves open.
	averages := t+float64(k.h/2) >= k.from
	for i := range x.Rows {
		row := x.Row(i)
		if !averages {
			copy(row, row[k.d:2*k.d])
			continue
		}
		n := &row[len(row)-1]
		*n++
		w := 1 / *n
		if k.beta > 0 && *n > 1 {
			w = 1 - k.beta
		}
		for j, v := range row[k.d : 2*k.d] {
			row[j] += float64(w * (v - row[j]))
		}
	}
}
