// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Milstein is the Itô scheme of strong order 1,
//
//	θ′ = θ + h a + B ΔW + Σ_jk L^j b_k I_jk,   L^j b_k = Σ_l B_lj ∂_l b_k,
//	I_jk = ½ (ΔW_j ΔW_k − δ_jk h) + h A_jk
//
// with b_k the columns of B and A the Lévy areas between the components of the
// noise. They cancel for commutative noise. For diagonal noise the last
// term is ½ b_i ∂_i b_i (ΔW_i² − h), for additive noise it vanishes and the
// scheme is EulerMaruyama. Weak order and order of the stationary law are 1.
//
// Only general noise needs areas, and pays for them: by default
// MrongowiusRossler's with so many terms that what they lack is below h^(3/2),
// as the strong order asks. Without them (ZeroArea) the strong order is ½. On a coupled stream (sde.Stream.Couple) the areas are
// composed of those of the finer steps, as the increments are.
//
// Derivatives of the root come from the diffusion's RootJacobian or
// DiagonalDerivative, otherwise by central differences (slow: two roots for
// each coordinate and particle, or two in all for diagonal noise).
//
// One gradient and one normal for each component of noise a step; for general
// noise of m components and areas of n terms 2mn + m(m+1)/2 normals more. Source:
// Milstein, 1974, Approximate integration of stochastic differential equations;
// Kloeden & Platen, 1992, § 10.3, eqs. 3.3 and 3.16.
type Milstein struct {
	// Area is how areas are simulated; nil means MrongowiusRossler, ZeroArea that there
	// are none.
	Area LevyArea
	// Accuracy bounds the root mean square error of an area by Accuracy·h^(3/2), with
	// h in the equation's unit of time; 0 means 1.
	Accuracy float64
}

var _ Scheme = Milstein{}

// Properties returns what the scheme is; it serves every class.
func (s Milstein) Properties(class sde.NoiseClass) (Properties, error) {
	if !(s.Accuracy >= 0) || math.IsInf(s.Accuracy, 1) {
		return Properties{}, invalid("Milstein.Accuracy", s.Accuracy, "a positive, finite number, or 0 for 1", nil)
	}
	p := Properties{Name: "Milstein", Calculus: sde.Ito, Strong: 1, Weak: 1, Invariant: 1,
		Stability: 2, Gradients: 1, Normals: 1}
	if _, none := s.Area.(ZeroArea); none && class == sde.General {
		p.Strong = 0.5
	}
	return p, nil
}

// Bind returns the scheme's kernel for a system.
func (s Milstein) Bind(sys *System) (Kernel, error) {
	if sys.Noise == 0 || sys.Class >= sde.Additive {
		return EulerMaruyama{}.Bind(sys)
	}
	d, m := sys.State, sys.Noise
	k := &milstein{s: sys, drift: sde.NewBatch(sys.Rows, d), noise: sde.NewBatch(sys.Rows, d),
		z: make([]float64, sys.Rows*m), sqrtH: math.Sqrt(sys.Step), db: make([]float64, d)}
	if _, none := s.Area.(ZeroArea); sys.Class == sde.General && m > 1 && !none {
		method, accuracy := s.Area, s.Accuracy
		if method == nil {
			method = MrongowiusRossler{}
		}
		if accuracy == 0 {
			accuracy = 1
		}
		k.areas = newAreas(method, m, sys.Rows, sys.Step, accuracy)
	}
	if sys.Class == sde.Diagonal {
		k.derivative = diagonalDerivative(sys)
		k.b = make([]float64, d)
	} else {
		k.jacobian = sde.JacobianOf(sys.diffusion, d, m)
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
	// commutative and general noise
	areas    *areas // nil unless general
	jacobian func(dst, theta []float64, t float64)
	root, dB []float64
}

func (k *milstein) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n := k.s, x.Rows*x.Cols
	h := s.Step * s.Slope(k.drift.Slice(0, x.Rows), x, t)
	z := k.z[:x.Rows*s.Noise]
	if k.areas != nil {
		k.areas.draw(z, stream)
	} else {
		stream.Increments(z)
	}
	for i := 0; i < x.Rows; i++ {
		s.row = i
		dw := z[i*s.Noise : (i+1)*s.Noise]
		for j := range dw {
			dw[j] *= k.sqrtH
		}
		if k.derivative != nil {
			k.diagonalRow(k.noise.Row(i), x.Row(i), t, dw)
		} else {
			k.fullRow(k.noise.Row(i), x.Row(i), t, dw, i)
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
		dst[i] = float64(b*dw[i]) + float64(b*k.db[i]*(float64(dw[i]*dw[i])-k.s.Step)/2)
	}
}

// fullRow stores B ΔW + Σ_jk L^j b_k I_jk of the particle in a row.
func (k *milstein) fullRow(dst, theta []float64, t float64, dw []float64, row int) {
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
			w = float64(w / 2)
			if k.areas != nil {
				w += float64(k.s.Step * k.areas.area[(row*m+j)*m+c])
			}
			for i := range d {
				var l float64
				for p, g := range k.dB[(i*m+c)*d : (i*m+c+1)*d] {
					l += float64(k.root[p*m+j] * g)
				}
				dst[i] += float64(l * w)
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
			h := float64(step * math.Max(1, math.Abs(v)))
			up[i], down[i] = v+h, v-h
		}
		s.diagonal(dst, up, t)
		s.diagonal(low, down, t)
		for i := range dst {
			dst[i] = (dst[i] - low[i]) / (up[i] - down[i])
		}
	}
}
