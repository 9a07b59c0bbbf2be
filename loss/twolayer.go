// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// TwoLayerSettings says what a TwoLayer network is. The zero value of all but Units serves.
type TwoLayerSettings struct {
	Units      int // m, 1 or more
	Activation Activation
	// MeanField divides the output by m and multiplies the loss by it, see TwoLayer.
	MeanField bool
	Ridge     float64 // λ
}

// TwoLayer is the mean squared error of a network with one hidden layer on N samples
// (x_i, y_i), with weight decay λ. θ holds m units (a_k, w_k), of 1 + p coordinates each:
//
//	f(x; θ) = Σ_k a_k φ(w_k·x)
//	L(θ) = (1/N) Σ_i ½ (f(x_i) − y_i)² + ½ λ|θ|²
//
// With TwoLayerSettings.MeanField
//
//	f(x; θ) = (1/m) Σ_k a_k φ(w_k·x)
//	L(θ) = m (1/N) Σ_i ½ (f(x_i) − y_i)² + ½ λ|θ|²
//
// so that ∂L/∂θ_k, the gradient m ∂R/∂θ_k of the mean-field theory, stays of one size as m
// grows: the units are particles in the field of all, and at temperature T their density ρ
// follows the gradient flow of R(ρ) + (λ/2)∫|θ|²ρ + T∫ρ log ρ.
//
// There are no biases: give x a column of ones. The Hessian is not offered. Use NewTwoLayer.
//
// S. Mei, A. Montanari & P.-M. Nguyen, 2018, A mean field view of the landscape of two-layer
// neural networks, Proceedings of the National Academy of Sciences 115, E7665–E7671,
// eqs. 1, 3 and 5.
type TwoLayer struct {
	sampled
	rows     *kernel.Rows
	y        []float64
	settings TwoLayerSettings
	inputs   int     // p
	output   float64 // what the units' sum is multiplied by
	factor   float64 // what the squared error is
}

var (
	_ sde.FiniteSum       = (*TwoLayer)(nil)
	_ sde.Minibatches     = (*TwoLayer)(nil)
	_ sde.SampleGradients = (*TwoLayer)(nil)
	_ sde.BatchGradient   = (*TwoLayer)(nil)
	_ sde.OutputGradient  = (*TwoLayer)(nil)
	_ sde.Normalizable    = (*TwoLayer)(nil)
)

// NewTwoLayer returns the loss of the rows of x and their targets y, which it copies. It
// returns an error if there are no samples, numbers differ, an x is not finite (naming row
// and column), or a y, Units is not positive, Activation unknown, or Ridge negative or not
// finite.
func NewTwoLayer(x *mat.Dense, y []float64, s TwoLayerSettings) (*TwoLayer, error) {
	if err := checkData("NewTwoLayer", x, y); err != nil {
		return nil, err
	}
	if s.Units < 1 {
		return nil, &sde.SettingError{Field: "loss: TwoLayerSettings.Units", Value: s.Units, Want: "1 or more"}
	}
	if err := s.Activation.check("TwoLayerSettings.Activation"); err != nil {
		return nil, err
	}
	if err := checkFrom0("TwoLayerSettings.Ridge", s.Ridge); err != nil {
		return nil, err
	}
	n, p := x.Dims()
	l := &TwoLayer{rows: kernel.NewRows(n, p, mat.DenseCopyOf(x).RawMatrix().Data), y: slices.Clone(y), settings: s, inputs: p, output: 1, factor: 1}
	if s.MeanField {
		l.output, l.factor = 1/float64(s.Units), float64(s.Units)
	}
	l.set(s.Units*(1+p), n, 32, s.Ridge, func() pass { return newTwoLayerPass(l) })
	return l, nil
}

// Predict returns f(x; θ). It panics if x is not of the length of a row of the data, or
// theta not of the dimension.
func (l *TwoLayer) Predict(theta, x []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	if len(x) != l.inputs {
		panic("loss: length of x is not that of the data's rows")
	}
	p := newTwoLayerPass(&TwoLayer{rows: kernel.NewRows(1, l.inputs, x), settings: l.settings, inputs: l.inputs, output: l.output, sampled: sampled{most: 1}})
	p.load(theta)
	p.forward([]uint32{0})
	return p.f[0]
}

type twoLayerPass struct {
	planes
	l *TwoLayer
	a []float64 // the outer weights
	c []float64 // the slopes at the units
	f []float64 // outputs of the samples
}

func newTwoLayerPass(l *TwoLayer) *twoLayerPass {
	m := l.settings.Units
	return &twoLayerPass{planes: newPlanes(l.rows, m, l.most), l: l, a: make([]float64, m), c: make([]float64, m*l.most), f: make([]float64, l.most)}
}

func (p *twoLayerPass) load(theta []float64) {
	step := 1 + p.l.inputs
	for k := range p.a {
		p.a[k] = theta[k*step]
	}
	p.planes.load(theta[1:], step, p.l.inputs)
}

// forward stores f of the samples and returns φ of unit k and sample s at k·b+s.
func (p *twoLayerPass) forward(samples []uint32) []float64 {
	b := len(samples)
	phi := p.dots(samples)
	p.l.settings.Activation.apply(phi)
	f := p.f[:b]
	clear(f)
	for k, a := range p.a {
		kernel.Axpy(f, a, phi[k*b:(k+1)*b])
	}
	kernel.Scale(f, p.l.output, f)
	return phi
}

func (p *twoLayerPass) value(samples []uint32) (v float64) {
	p.forward(samples)
	for s, i := range samples {
		r := p.f[s] - p.l.y[i]
		v = math.FMA(r/2, r, v)
	}
	return float64(v * p.l.factor)
}

func (p *twoLayerPass) add(dst []float64, samples []uint32, scale float64) {
	phi := p.forward(samples)
	for s, i := range samples {
		p.f[s] = float64((p.f[s] - p.l.y[i]) * scale)
	}
	p.back(dst, phi)
}

// back adds to dst the gradient of factor·Σ_s c_s f_s, the c_s being in the place of f.
func (p *twoLayerPass) back(dst, phi []float64) {
	b := len(phi) / len(p.a)
	step := 1 + p.l.inputs
	r := p.f[:b]
	kernel.Scale(r, float64(p.l.factor*p.l.output), r)
	c := p.c[:len(phi)]
	for k, a := range p.a {
		dst[k*step] += kernel.Dot(r, phi[k*b:(k+1)*b])
		kernel.Scale(c[k*b:(k+1)*b], a, r)
	}
	p.l.settings.Activation.slope(c, phi)
	p.planes.add(dst[1:], step, p.l.inputs, c)
}

// OutputGradient implements sde.OutputGradient: it stores the gradient of f(x_i; θ) into
// dst, with MeanField m times it, as the loss has it. It panics as SampleGradient does.
func (l *TwoLayer) OutputGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.d)
	p := l.pass().(*twoLayerPass)
	defer l.passes.Put(p)
	p.load(theta)
	phi := p.forward(l.order[i : i+1])
	p.f[0] = 1
	clear(dst)
	p.back(dst, phi)
}

// Normalizable reports whether temperature and weight decay are above 0.
func (l *TwoLayer) Normalizable(temperature float64) bool {
	return temperature > 0 && l.settings.Ridge > 0
}
