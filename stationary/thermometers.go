// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/sde"
)

// Thermometers is an observer that reads the temperature off in three ways which differ where
// something else than the temperature is wrong. For any vector field v, under exp(−L/T) on
// all of ℝᵈ,
//
//	E v·∇L = T E ∇·v
//
// and taken are
//
//	v = θ         equipartition            T₁ = E θ·∇L / d
//	v = ∇L        configurational          T₂ = E|∇L|² / E ΔL
//	v = |∇L|²∇L   hyperconfigurational     T₃ = E|∇L|⁴ / E(|∇L|² ΔL + 2 ∇LᵀH∇L)
//
// Noise of the wrong size makes all three read the same, wrong temperature. The bias of a
// step of Euler–Maruyama, or a run that has not settled, makes them differ: on a quadratic of
// curvatures k_j the step alone changes each to a mean of T/(1−hk_j/2) with weights that favour large k the
// more the later it stands in the list. A single curvature (d = 1) hides it: then all three read T/(1−hk/2).
//
// H. Rugh, 1997, Dynamical approach to temperature, Physical Review Letters 78, 772–774; O.
// Jepps, G. Ayton & D. Evans, 2000, Microscopic expressions for the thermodynamic temperature,
// Physical Review E 62, 4757–4763, eq. 9.
//
// It needs a loss with a Hessian. The zero value takes the loss of the run itself.
type Thermometers struct {
	// Loss is the landscape; nil means that of the run's equation.
	Loss sde.Loss

	loss   sde.Loss
	sums   [][readings]float64 // by group
	memory []thermal
}

// readings are the sums that a group keeps: the number of samples, then numerator and
// denominator of each thermometer.
const readings = 7

// thermal is one group's room for derivatives.
type thermal struct{ gradient, hessian []float64 }

var (
	_ sde.Observer   = (*Thermometers)(nil)
	_ sde.GroupSaver = (*Thermometers)(nil)
)

// Start forgets all sums. It returns an error if there is no loss, it has no Hessian, or its
// dimension is not the run's.
func (m *Thermometers) Start(r sde.Run) error {
	loss := m.Loss
	if loss == nil && r.Equation != nil {
		loss = sde.LossOf(r.Equation)
	}
	if loss == nil {
		return &sde.SettingError{Field: "stationary: Thermometers.Loss", Value: nil, Want: "a loss, as the run's equation has none of its own"}
	}
	if _, ok := loss.(sde.Hessian); !ok {
		return &sde.SettingError{Field: "stationary: Thermometers.Loss", Value: fmt.Sprintf("a %T without a Hessian", loss), Want: "an sde.Hessian, or a Thermometer instead", Err: sde.ErrUnsupported}
	}
	if d := loss.Dim(); d != r.Dim {
		return &sde.SettingError{Field: "stationary: Thermometers.Loss.Dim()", Value: d, Want: fmt.Sprintf("%d, the number of the particles' coordinates", r.Dim), Err: sde.ErrDimension}
	}
	if err := checkRun("stationary: Thermometers", r); err != nil {
		return err
	}
	m.loss = loss
	m.sums, m.memory = make([][readings]float64, r.Groups), make([]thermal, r.Groups)
	for g := range m.memory {
		m.memory[g] = thermal{make([]float64, r.Dim), make([]float64, r.Dim*r.Dim)}
	}
	return nil
}

// Observe adds the particles of a block.
func (m *Thermometers) Observe(s sde.Sample) error {
	h, t, sums := m.loss.(sde.Hessian), &m.memory[s.Group], &m.sums[s.Group]
	d := len(t.gradient)
	for i := range s.X.Rows {
		theta := s.X.Row(i)
		m.loss.Gradient(t.gradient, theta)
		h.Hessian(t.hessian, theta)
		var virial, square, trace, bent float64
		for j, g := range t.gradient {
			virial += float64(g * theta[j])
			square += float64(g * g)
			trace += t.hessian[j*d+j]
			var hg float64
			for k, v := range t.gradient {
				hg += float64(t.hessian[j*d+k] * v)
			}
			bent += float64(g * hg)
		}
		for k, v := range [readings]float64{1, virial, float64(d), square, trace, square * square, float64(square*trace) + 2*bent} {
			sums[k] += v
		}
	}
	return nil
}

// Temperatures returns T₁, T₂ and T₃ with their standard errors from the scatter between
// groups.
func (m *Thermometers) Temperatures() [3]sde.Estimate {
	var t [3]sde.Estimate
	for k := range t {
		sums, weights := make([]float64, len(m.sums)), make([]float64, len(m.sums))
		for g, s := range m.sums {
			sums[g], weights[g] = s[1+2*k], s[2+2*k]
		}
		v, se, n := ratioOf(sums, weights)
		t[k] = sde.Estimate{Value: v, StdErr: se, Groups: n}
	}
	return t
}

// ratioOf is groups.Mean for weights of any sign: the ratio of totals with the error of a
// ratio estimator.
func ratioOf(sums, weights []float64) (ratio, stderr float64, n int) {
	positive := true
	for _, w := range weights {
		positive = positive && w >= 0
	}
	if positive {
		return groups.Mean(sums, weights)
	}
	var s, w float64
	for g, v := range sums {
		s, w = s+v, w+weights[g]
	}
	n = len(sums)
	ratio = s / w
	var q float64
	for g, v := range sums {
		r := v - ratio*weights[g]
		q += r * r
	}
	return ratio, math.Sqrt(q*float64(n)/float64(n-1)) / math.Abs(w), n
}

// Consistent tests whether the three read one temperature, by Hotelling's T² of the two
// differences from groups. It returns nil with fewer than three groups, or in one dimension for
// a quadratic, where they cannot differ.
func (m *Thermometers) Consistent() *Test {
	t := m.Temperatures()
	var means [3]float64 // of the denominators
	var total float64
	for _, s := range m.sums {
		total += s[0]
		for k := range means {
			means[k] += s[2+2*k]
		}
	}
	// A group's deviation of each ratio, to first order.
	var y [][]float64
	var w []float64
	for _, s := range m.sums {
		if s[0] == 0 {
			continue
		}
		var dev [3]float64
		for k := range dev {
			dev[k] = t[k].Value + (s[1+2*k]-t[k].Value*s[2+2*k])/s[0]/(means[k]/total)
		}
		y = append(y, []float64{dev[1] - dev[0], dev[2] - dev[0]})
		w = append(w, s[0])
	}
	return hotelling(y, w, []float64{0, 0}, []float64{0, 0})
}

// AppendGroup appends group g's sums to dst.
func (m *Thermometers) AppendGroup(dst []byte, g int) []byte {
	for _, v := range m.sums[g] {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// LoadGroup sets group g's sums to what AppendGroup wrote.
func (m *Thermometers) LoadGroup(g int, data []byte) error {
	if len(data) != 8*readings {
		return fmt.Errorf("stationary: saved thermometers of %d bytes, want %d", len(data), 8*readings)
	}
	var sums [readings]float64
	for k := range sums {
		sums[k] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*k:]))
	}
	if n := sums[0]; !(n >= 0) || n != math.Floor(n) || math.IsInf(n, 1) {
		return fmt.Errorf("stationary: saved thermometers of %v samples", n)
	}
	m.sums[g] = sums
	return nil
}
