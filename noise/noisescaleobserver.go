// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// NoiseScaleObserver observes the gradient noise scale where the particles of a run are, by pairs
// of batches of its own as NoiseScale takes them: one pair for each particle and observation time,
// of samples with replacement. What it draws disturbs nothing. Sums of S and Q are pooled over
// particles and times,
//
//	B_simple = E tr Σ(θ)/E|∇L(θ)|²
//
// with standard errors from the scatter between groups. In an integrate.Series there is a scale for
// each time.
type NoiseScaleObserver struct {
	Loss       sde.FiniteSum
	Small, Big int // the batch sizes, 1 ≤ Small < Big

	groups []noiseScaleGroup
}

type noiseScaleGroup struct {
	n, s, q    float64
	small, big sde.GradientFunc
	rows       int
	g          [2]sde.Batch
}

var (
	_ sde.Observer   = (*NoiseScaleObserver)(nil)
	_ sde.GroupSaver = (*NoiseScaleObserver)(nil)
)

// Start refuses a loss without samples, batch sizes that are not in order, and a run of another
// dimension.
func (o *NoiseScaleObserver) Start(r sde.Run) error {
	if err := checkBatches("NoiseScaleObserver", o.Loss, 1, 1); err != nil {
		return err
	}
	if err := (&NoiseScale{Small: o.Small, Big: o.Big}).Validate(); err != nil {
		return err
	}
	if d := o.Loss.Dim(); d != r.Dim {
		return &sde.SettingError{Field: "noise: NoiseScaleObserver.Loss", Value: fmt.Sprintf("a loss of dimension %d", d),
			Want: fmt.Sprintf("%d, that of the run", r.Dim), Err: sde.ErrDimension}
	}
	o.groups = make([]noiseScaleGroup, r.Groups)
	return nil
}

// Observe takes a pair for each particle. It returns an error for a sample without a stream.
func (o *NoiseScaleObserver) Observe(s sde.Sample) error {
	if s.Stream == nil {
		return errors.New("noise: a noise scale is observed with batches of its own, and the sample has no stream to draw them from")
	}
	a, x := &o.groups[s.Group], s.X
	if x.Rows > a.rows {
		a.rows = x.Rows
		a.small = WithReplacement{o.Loss, o.Small}.BindGradients(a.rows)
		a.big = WithReplacement{o.Loss, o.Big}.BindGradients(a.rows)
		a.g[0], a.g[1] = sde.NewBatch(a.rows, x.Cols), sde.NewBatch(a.rows, x.Cols)
	}
	small, big := a.g[0].Slice(0, x.Rows), a.g[1].Slice(0, x.Rows)
	a.small(small, x, s.Stream)
	a.big(big, x, s.Stream)
	bs, bb := float64(o.Small), float64(o.Big)
	for r := range x.Rows {
		p, q := kernel.Dot(small.Row(r), small.Row(r)), kernel.Dot(big.Row(r), big.Row(r))
		a.n++
		a.s += (p - q) / (1/bs - 1/bb)
		a.q += (float64(bb*q) - float64(bs*p)) / (bb - bs)
	}
	return nil
}

// sums returns each group's number of pairs, and sums of S and Q.
func (o *NoiseScaleObserver) sums() (n, s, q []float64) {
	for g := range o.groups {
		a := &o.groups[g]
		n, s, q = append(n, a.n), append(s, a.s), append(q, a.q)
	}
	return n, s, q
}

// Trace returns E tr Σ(θ).
func (o *NoiseScaleObserver) Trace() sde.Estimate {
	n, s, _ := o.sums()
	return ratio(s, n)
}

// SquaredGradient returns E|∇L(θ)|².
func (o *NoiseScaleObserver) SquaredGradient() sde.Estimate {
	n, _, q := o.sums()
	return ratio(q, n)
}

// Scale returns B_simple; it is of no use where E|∇L|² is not several standard errors above 0.
func (o *NoiseScaleObserver) Scale() sde.Estimate {
	n, s, q := o.sums()
	trace, squared := ratio(s, n), ratio(q, n)
	b := trace.Value / squared.Value
	// The ratio to first order: the scatter of S − bQ, in units of Q.
	for g := range s {
		s[g] -= float64(b * q[g])
	}
	return sde.Estimate{Value: b, StdErr: ratio(s, n).StdErr / math.Abs(squared.Value), Groups: trace.Groups}
}

func ratio(sums, weights []float64) sde.Estimate {
	v, se, n := groups.Mean(sums, weights)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

// AppendGroup implements sde.GroupSaver.
func (o *NoiseScaleObserver) AppendGroup(dst []byte, g int) []byte {
	a := &o.groups[g]
	for _, v := range []float64{a.n, a.s, a.q} {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// LoadGroup implements sde.GroupSaver.
func (o *NoiseScaleObserver) LoadGroup(g int, data []byte) error {
	if len(data) != 24 {
		return errors.New("noise: saved group of a noise scale is of another length")
	}
	v := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])) }
	if n := v(0); !(n >= 0) || math.IsInf(n, 1) {
		return fmt.Errorf("noise: saved noise scale of %v pairs", n)
	}
	a := &o.groups[g]
	a.n, a.s, a.q = v(0), v(1), v(2)
	return nil
}
