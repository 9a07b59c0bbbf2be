// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/sde"
)

// Thermometer is an observer that takes the averages from which a temperature
// can be read off, with no need of a normalised law and in any dimension:
//
//	E[θ·∇L],   E|∇L|²,   E[ΔL] if the loss knows its Laplacian
//
// In the stationary state of a flow with D = T·I on all of ℝᵈ
//
//	E[θ·∇L] = dT                    continuous time (virial theorem)
//	E|∇L|²  = T E[ΔL]               continuous time (configurational temperature)
//	E[θ·∇L] = dT + (h/2) E|∇L|²     Euler–Maruyama, exact at any step h
//
// (Yaida, 2019, Fluctuation-dissipation relations for stochastic gradient
// descent, eq. 7, for the last; it is the balance of E|θ|² over one step, and so
// holds of SGD at a constant learning rate h = η too, with T = (η/2d) E tr Cov g whatever
// the noise). A domain with walls adds to them, unless the walls are out of reach.
//
// The zero value takes the loss of the run itself.
type Thermometer struct {
	// Loss is the landscape; nil means that of the run's equation.
	Loss sde.Loss

	run       sde.Run
	loss      sde.Loss
	batch     sde.BatchGradient // nil if there is none
	laplacian sde.Laplacian     // nil if there is none
	groups    []heat
}

// heat is one group's sums, and its room for gradients.
type heat struct {
	n                            uint64
	virial, gradient2, curvature float64
	gradient                     sde.Batch
}

var (
	_ sde.Observer   = (*Thermometer)(nil)
	_ sde.GroupSaver = (*Thermometer)(nil)
)

// Start forgets all sums. It returns an error if there is no loss, or its
// dimension is not the run's.
func (m *Thermometer) Start(r sde.Run) error {
	loss := m.Loss
	if loss == nil && r.Equation != nil {
		loss = sde.LossOf(r.Equation)
	}
	if loss == nil {
		return &sde.SettingError{Field: "stationary: Thermometer.Loss", Value: nil, Want: "a loss, as the run's equation has none of its own"}
	}
	if d := loss.Dim(); d != r.Dim || d < 1 {
		return &sde.SettingError{Field: "stationary: Thermometer.Loss.Dim()", Value: d,
			Want: fmt.Sprintf("%d, the number of the particles' coordinates", r.Dim), Err: sde.ErrDimension}
	}
	if err := checkRun("stationary: Thermometer", r); err != nil {
		return err
	}
	m.run, m.loss = r, loss
	m.batch, _ = loss.(sde.BatchGradient)
	m.laplacian, _ = loss.(sde.Laplacian)
	m.groups = make([]heat, r.Groups)
	for g := range m.groups {
		m.groups[g].gradient = sde.NewBatch(max(1, min(chunk, 2048/r.Dim)), r.Dim)
	}
	return nil
}

// Observe adds the particles of a block.
func (m *Thermometer) Observe(s sde.Sample) error {
	t := &m.groups[s.Group]
	for i := 0; i < s.X.Rows; i += t.gradient.Rows {
		n := min(t.gradient.Rows, s.X.Rows-i)
		x, g := s.X.Slice(i, i+n), t.gradient.Slice(0, n)
		if m.batch != nil {
			m.batch.BatchGradient(g, x)
		} else {
			for k := range n {
				m.loss.Gradient(g.Row(k), x.Row(k))
			}
		}
		var virial, gradient2, curvature float64
		for k := range n {
			theta, grad := x.Row(k), g.Row(k)
			for j, v := range grad {
				virial += float64(v * theta[j])
				gradient2 += float64(v * v)
			}
			if m.laplacian != nil {
				curvature += m.laplacian.Laplacian(theta)
			}
		}
		t.n += uint64(n)
		t.virial += virial
		t.gradient2 += gradient2
		t.curvature += curvature
	}
	return nil
}

// ratio estimates the ratio of two sums over the samples.
func (m *Thermometer) ratio(sum, weight func(*heat) float64) sde.Estimate {
	s, w := make([]float64, len(m.groups)), make([]float64, len(m.groups))
	for g := range m.groups {
		s[g], w[g] = sum(&m.groups[g]), weight(&m.groups[g])
	}
	v, se, n := groups.Mean(s, w)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}
}

func samplesOf(t *heat) float64 { return float64(t.n) }

// Samples returns how many particles were seen.
func (m *Thermometer) Samples() uint64 {
	var n uint64
	for g := range m.groups {
		n += m.groups[g].n
	}
	return n
}

// Virial returns E[θ·∇L].
func (m *Thermometer) Virial() sde.Estimate {
	return m.ratio(func(t *heat) float64 { return t.virial }, samplesOf)
}

// SquaredGradient returns E|∇L|².
func (m *Thermometer) SquaredGradient() sde.Estimate {
	return m.ratio(func(t *heat) float64 { return t.gradient2 }, samplesOf)
}

// Laplacian returns E[ΔL], all NaN if the loss does not know its Laplacian.
func (m *Thermometer) Laplacian() sde.Estimate {
	if m.laplacian == nil {
		return sde.Estimate{Value: math.NaN(), StdErr: math.NaN()}
	}
	return m.ratio(func(t *heat) float64 { return t.curvature }, samplesOf)
}

// VirialTemperature returns the temperature of the samples
//
//	E[θ·∇L] / d
func (m *Thermometer) VirialTemperature() sde.Estimate { return m.Temperature(0) }

// ConfigurationalTemperature returns the temperature of the samples
//
//	E|∇L|² / E[ΔL]
//
// all NaN if the loss does not know its Laplacian.
func (m *Thermometer) ConfigurationalTemperature() sde.Estimate {
	if m.laplacian == nil {
		return sde.Estimate{Value: math.NaN(), StdErr: math.NaN()}
	}
	// The ratio is of the totals; a group's own E[ΔL] need not be positive.
	s, w := m.SquaredGradient(), m.Laplacian()
	t := s.Value / w.Value
	e := m.ratio(func(h *heat) float64 { return h.gradient2 - t*h.curvature }, samplesOf)
	return sde.Estimate{Value: t, StdErr: e.StdErr / math.Abs(w.Value), Groups: e.Groups}
}

// Temperature returns the temperature of the noise that drives Euler–Maruyama at
// step h, without the bias that its step gives to the samples:
//
//	(E[θ·∇L] − (h/2) E|∇L|²) / d
//
// It is exact at any step. The same holds of discrete SGD with h = η and a
// gradient noise of covariance (2T/η)·I.
func (m *Thermometer) Temperature(h float64) sde.Estimate {
	d := float64(m.run.Dim)
	return m.ratio(func(t *heat) float64 { return (t.virial - h/2*t.gradient2) / d }, samplesOf)
}

const heatMagic = "sgfheat1"

var errHeat = errors.New("stationary: not what a thermometer of this loss wrote for a group")

// AppendGroup appends group g's sums to dst.
func (m *Thermometer) AppendGroup(dst []byte, g int) []byte {
	t := &m.groups[g]
	dst = append(dst, heatMagic...)
	for _, v := range m.header() {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	dst = binary.LittleEndian.AppendUint64(dst, t.n)
	for _, v := range []float64{t.virial, t.gradient2, t.curvature} {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// header is what must agree: the dimension and whether there is a Laplacian.
func (m *Thermometer) header() [2]uint64 {
	h := [2]uint64{uint64(m.run.Dim), 0}
	if m.laplacian != nil {
		h[1] = 1
	}
	return h
}

// LoadGroup sets group g's sums to what AppendGroup wrote.
func (m *Thermometer) LoadGroup(g int, data []byte) error {
	if g < 0 || len(m.groups) <= g {
		return fmt.Errorf("stationary: no group %d in a thermometer of %d groups", g, len(m.groups))
	}
	if want := len(heatMagic) + 8*6; len(data) != want {
		return fmt.Errorf("%w: %d bytes, want %d", errHeat, len(data), want)
	}
	if string(data[:len(heatMagic)]) != heatMagic {
		return fmt.Errorf("%w: it begins with %q, want %q", errHeat, data[:len(heatMagic)], heatMagic)
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(data[len(heatMagic)+8*i:]) }
	for i, v := range m.header() {
		if word(i) != v {
			return fmt.Errorf("%w: the dimension, or whether the Laplacian is known, differs", errHeat)
		}
	}
	if word(2) > 1<<53 {
		return fmt.Errorf("%w: more than 2⁵³ samples", errHeat)
	}
	t := &m.groups[g]
	t.n = word(2)
	t.virial, t.gradient2, t.curvature = math.Float64frombits(word(3)), math.Float64frombits(word(4)), math.Float64frombits(word(5))
	return nil
}
