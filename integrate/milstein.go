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

// Milstein is the Itô scheme of strong order 1 for commutative noise,
//
//	θ′ = θ + h a + B ΔW + ½ Σ_jk L^j b_k (ΔW_j ΔW_k − δ_jk h),   L^j b_k = Σ_l B_lj ∂_l b_k
//
// with b_k the columns of B. For diagonal noise the last term is
// ½ b_i ∂_i b_i (ΔW_i² − h), for additive noise it vanishes and the scheme is
// EulerMaruyama. Weak order and order of the stationary law are 1.
//
// Derivatives of the root come from the diffusion's RootJacobian or
// DiagonalDerivative, otherwise by central differences (slow: two roots for
// each coordinate and particle, or two in all for diagonal noise). General noise
// needs Lévy areas and is refused: take EulerMaruyama.
//
// One gradient and one normal for each component of noise a step. Source:
// Milstein, 1974, Approximate integration of stochastic differential equations;
// Kloeden & Platen, 1992, § 10.3, eqs. 3.3 and 3.16.
type Milstein struct{}

var _ Scheme = Milstein{}

// Properties returns what the scheme is, and an error for general noise.
func (Milstein) Properties(class sde.NoiseClass) (Properties, error) {
	if class == sde.General {
		return Properties{}, fmt.Errorf("integrate: Milstein does not serve general noise, whose Lévy areas it would need: "+
			"take EulerMaruyama, or declare the diffusion's class if it is commutative (%w)", sde.ErrUnsupported)
	}
	return Properties{Name: "Milstein", Calculus: sde.Ito, Strong: 1, Weak: 1, Invariant: 1,
		Stability: 2, Gradients: 1, Normals: 1}, nil
}

// Bind returns the scheme's kernel for a system.
func (Milstein) Bind(s *System) (Kernel, error) {
	if s.Noise == 0 || s.Class >= sde.Additive {
		return EulerMaruyama{}.Bind(s)
	}
	d, m := s.State, s.Noise
	k := &milstein{s: s, drift: sde.NewBatch(s.Rows, d), noise: sde.NewBatch(s.Rows, d),
		z: make([]float64, s.Rows*m), sqrtH: math.Sqrt(s.Step), db: make([]float64, d)}
	if s.Class == sde.Diagonal {
		k.derivative = diagonalDerivative(s)
		k.b = make([]float64, d)
	} else {
		k.jacobian = sde.JacobianOf(s.diffusion, d, m)
		k.root, k.dB = make([]float64, d*m), make([]float64, d*m*d)
	}
	return k, nil
}

type milstein struct {
	s            *System
	drift, noise sde.Batch
	z            []float64
	sqrtH        float64

	// diagonal noise
	derivative func(dst, theta []float64, t float64)
	b, db      []float64
	// commutative noise
	jacobian func(dst, theta []float64, t float64)
	root, dB []float64
}

func (k *milstein) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n := k.s, x.Rows*x.Cols
	h := s.Step * s.Slope(k.drift.Slice(0, x.Rows), x, t)
	z := k.z[:x.Rows*s.Noise]
	stream.Increments(z)
	for i := 0; i < x.Rows; i++ {
		s.row = i
		dw := z[i*s.Noise : (i+1)*s.Noise]
		for j := range dw {
			dw[j] *= k.sqrtH
		}
		if k.derivative != nil {
			k.diagonalRow(k.noise.Row(i), x.Row(i), t, dw)
		} else {
			k.commutativeRow(k.noise.Row(i), x.Row(i), t, dw)
		}
	}
	s.row = -1
	kernel.Euler(x.Data[:n], k.drift.Data[:n], k.noise.Data[:n], h, 1)
}

// diagonalRow stores b ΔW + ½ b b′ (ΔW² − h).
func (k *milstein) diagonalRow(dst, theta []float64, t float64, dw []float64) {
	k.s.diagonal(k.b, theta, t)
	k.derivative(k.db, theta, t)
	for i, b := range k.b {
		dst[i] = float64(b*dw[i]) + float64(b*k.db[i]*(float64(dw[i]*dw[i])-k.s.Step))/2
	}
}

// commutativeRow stores B ΔW + ½ Σ_jk L^j b_k (ΔW_j ΔW_k − δ_jk h).
func (k *milstein) commutativeRow(dst, theta []float64, t float64, dw []float64) {
	d, m := k.s.State, k.s.Noise
	k.s.diffusion.Root(k.root, theta, t)
	k.jacobian(k.dB, theta, t)
	multiply(dst, k.root, dw)
	for j := range m {
		for c := range m {
			w := float64(dw[j] * dw[c])
			if j == c {
				w -= k.s.Step
			}
			for i := range d {
				var l float64
				for p, g := range k.dB[(i*m+c)*d : (i*m+c+1)*d] {
					l += float64(k.root[p*m+j] * g)
				}
				dst[i] += float64(l*w) / 2
			}
		}
	}
}

// diagonalDerivative returns ∂b_i/∂θ_i of diagonal noise: the diffusion's own, or
// central differences of all coordinates at once, since b_i depends on θ_i alone.
func diagonalDerivative(s *System) func(dst, theta []float64, t float64) {
	if dd, ok := s.diffusion.(sde.DiagonalDerivative); ok {
		return dd.DiagonalDerivative
	}
	up, down := make([]float64, s.State), make([]float64, s.State)
	low := make([]float64, s.State)
	const step = 6.055454452393343e-06 // cube root of 2⁻⁵²
	return func(dst, theta []float64, t float64) {
		for i, v := range theta {
			h := step * math.Max(1, math.Abs(v))
			up[i], down[i] = v+h, v-h
		}
		s.diagonal(dst, up, t)
		s.diagonal(low, down, t)
		for i := range dst {
			dst[i] = (dst[i] - low[i]) / (up[i] - down[i])
		}
	}
}
