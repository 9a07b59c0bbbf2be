// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"fmt"
	"math"
	"sync"
)

// Circulation is an antisymmetric matrix Q(θ), which turns probability round without
// changing the law: see Restore. It must be safe for concurrent use.
type Circulation interface {
	// Circulation stores Q(θ) row-major into dst, of length d².
	Circulation(dst, theta []float64)
	// CirculationDivergence stores (∇·Q)_i = Σ_j ∂Q_ij/∂θ_j into dst, of length d.
	CirculationDivergence(dst, theta []float64)
}

// ConstantCirculation is a Q that does not depend on θ, d×d and row-major.
type ConstantCirculation []float64

var _ Circulation = ConstantCirculation(nil)

// Circulation copies Q into dst.
func (q ConstantCirculation) Circulation(dst, theta []float64) { copy(dst, q) }

// CirculationDivergence stores 0 into dst.
func (q ConstantCirculation) CirculationDivergence(dst, theta []float64) { clear(dst) }

// Restore returns the equation with the noise of a diffusion, whatever it is, that has
// the stationary law exp(−L/T),
//
//	dθ = −(D+Q)∇L/T dt + ∇·(D+Q) dt + B dW   (Itô),   B Bᵀ = 2D
//
// as a plain flow has it only if D = T·I. ∇·D is left to the calculus: the equation is
// Klimontovich's, and is converted to what a scheme needs with the derivatives that
// the diffusion declares, or by differences. Without Q, which can be nil, it satisfies
// detailed balance; with it, a current of velocity −Q∇L/T + ∇·Q flows. Source: Ma, Chen
// & Fox, 2015, A complete recipe for stochastic gradient MCMC, NeurIPS, eq. 3.
//
// It returns an error if the temperature is not a positive number, dimensions do not
// match, or Q is not antisymmetric where it is looked at.
func Restore(loss Loss, temperature float64, diffusion Diffusion, q Circulation) (Equation, error) {
	flow := Flow{Loss: loss, Diffusion: diffusion}
	if err := flow.Validate(); err != nil {
		return nil, err
	}
	if !(temperature > 0) || math.IsInf(temperature, 1) {
		return nil, &SettingError{"sde: Restore temperature", temperature, "a finite number above 0", nil}
	}
	if diffusion == nil {
		return nil, &SettingError{"sde: Restore diffusion", nil, "a diffusion: without noise there is no law to restore", nil}
	}
	d, m := flow.Dims()
	if c, ok := q.(ConstantCirculation); ok && len(c) != d*d {
		return nil, &SettingError{"sde: Restore circulation", fmt.Sprintf("%d elements", len(c)), fmt.Sprintf("%d", d*d), ErrDimension}
	}
	if q != nil {
		theta, at := make([]float64, d), make([]float64, d*d)
		for i := range theta {
			theta[i] = 0.7 - float64(0.3*float64(i%3))
		}
		q.Circulation(at, theta)
		for i := range d {
			for j := range i + 1 {
				if a, b := at[i*d+j], at[j*d+i]; !(math.Abs(a+b) <= 1e-12*(math.Abs(a)+math.Abs(b))) {
					return nil, &SettingError{"sde: Restore circulation", fmt.Sprintf("Q[%d,%d] = %g and Q[%d,%d] = %g", i, j, a, j, i, b), "an antisymmetric matrix: Q_ij = −Q_ji", nil}
				}
			}
		}
	}
	r := restored{Loss: loss, Temperature: temperature, Noise: diffusion, Q: q, d: d, m: m}
	_, hasDivergence := diffusion.(Divergence)
	_, isDiagonal := diffusion.(DiagonalRoot)
	switch {
	case hasDivergence && isDiagonal:
		return restoredBoth{restoredDivergence{r}}, nil
	case hasDivergence:
		return restoredDivergence{r}, nil
	case isDiagonal:
		return restoredDiagonal{r}, nil
	}
	return r, nil
}

// restored is what Restore returns, here without and below with the upgrades of its
// diffusion.
type restored struct {
	Loss        Loss
	Temperature float64
	Noise       Diffusion
	Q           Circulation
	d, m        int
}

type (
	restoredDivergence struct{ restored }
	restoredDiagonal   struct{ restored }
	restoredBoth       struct{ restoredDivergence }
)

var (
	_ Equation     = restored{}
	_ Classified   = restored{}
	_ Interpreted  = restored{}
	_ Divergence   = restoredDivergence{}
	_ DiagonalRoot = restoredDiagonal{}
	_ Divergence   = restoredBoth{}
	_ DiagonalRoot = restoredBoth{}
)

func (r restored) Dims() (state, noise int)             { return r.d, r.m }
func (r restored) Class() NoiseClass                    { return ClassOf(r.Noise) }
func (r restored) Interpretation() Calculus             { return Klimontovich }
func (r restored) Root(dst, theta []float64, t float64) { r.Noise.Root(dst, theta, t) }
func (r restored) Validate() error                      { return Flow{Loss: r.Loss, Diffusion: r.Noise}.Validate() }

func (r restoredDivergence) Divergence(dst, theta []float64, t float64) {
	r.Noise.(Divergence).Divergence(dst, theta, t)
}

func (r restoredDiagonal) DiagonalRoot(dst, theta []float64, t float64) {
	r.Noise.(DiagonalRoot).DiagonalRoot(dst, theta, t)
}

func (r restoredBoth) DiagonalRoot(dst, theta []float64, t float64) {
	r.Noise.(DiagonalRoot).DiagonalRoot(dst, theta, t)
}

// restoreScratch holds *[]float64.
var restoreScratch sync.Pool

// Drift stores −(D+Q)∇L/T + ∇·Q into dst.
func (r restored) Drift(dst, theta []float64, t float64) {
	d, m := r.d, r.m
	need := d + m + d*max(d, m)
	buffer, _ := restoreScratch.Get().(*[]float64)
	if buffer == nil || cap(*buffer) < need {
		b := make([]float64, need)
		buffer = &b
	}
	s := (*buffer)[:need]
	g, w, matrix := s[:d], s[d:d+m], s[d+m:]
	r.Loss.Gradient(g, theta)
	root := matrix[:d*m]
	r.Noise.Root(root, theta, t)
	clear(w) // Bᵀ∇L
	for i, v := range g {
		for k, b := range root[i*m : (i+1)*m] {
			w[k] += float64(b * v)
		}
	}
	for i := range d {
		sum := 0.0
		for k, b := range root[i*m : (i+1)*m] {
			sum += float64(b * w[k])
		}
		dst[i] = -sum / (2 * r.Temperature)
	}
	if r.Q != nil {
		q := matrix[:d*d]
		r.Q.Circulation(q, theta)
		for i := range d {
			sum := 0.0
			for j, v := range q[i*d : (i+1)*d] {
				sum += float64(v * g[j])
			}
			dst[i] -= sum / r.Temperature
		}
		r.Q.CirculationDivergence(g, theta)
		for i, v := range g {
			dst[i] += v
		}
	}
	restoreScratch.Put(buffer)
}
