// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// NoiseScale estimates the gradient noise scale, the batch size at which the noise of a gradient is
// as large as the gradient, from pairs of a small and a large mini-batch at one θ or along a run:
//
//	B_simple = tr Σ/|G|²,   G = ∇L
//
// Of each pair two numbers are taken that are unbiased whatever the batches have in common,
//
//	S = (|G_small|² − |G_big|²)/(1/B_small − 1/B_big),   E S = tr Σ
//	Q = (B_big |G_big|² − B_small |G_small|²)/(B_big − B_small),   E Q = |G|²
//
// and averaged apart, since the mean of a ratio is not the ratio of means. For batches without
// replacement of N samples they estimate tr Σ N/(N−1) and |G|² − tr Σ/(N−1) instead, and the
// methods correct for it.
//
// With Metric, every square is gᵀHg: the ratio is then B_noise = tr(HΣ)/(GᵀHG), which the
// best learning rate of a batch follows, η_max/(1 + B_noise/B).
//
// Source: S. McCandlish, J. Kaplan, D. Amodei et al., 2018, An empirical model of large-batch
// training, section 2.2 and appendix A.1.
type NoiseScale struct {
	Small, Big int // the batch sizes, 1 ≤ Small < Big
	// Samples is N if each batch is drawn without replacement, 0 for with.
	Samples int
	// Metric stores H g into dst, if it is not nil.
	Metric func(dst, g []float64)

	n          float64
	s, q       float64 // means
	ss, qq, sq float64 // Σ of products about them
	hg         []float64
}

// Validate returns an error if sizes are below 1 or not in order, or above the number of samples.
func (e *NoiseScale) Validate() error {
	switch {
	case e.Small < 1:
		return &sde.SettingError{Field: "noise: NoiseScale.Small", Value: e.Small, Want: "at least 1"}
	case e.Big <= e.Small:
		return &sde.SettingError{Field: "noise: NoiseScale.Big", Value: e.Big, Want: fmt.Sprintf("more than Small, %d", e.Small)}
	case e.Samples != 0 && e.Samples < e.Big:
		return &sde.SettingError{Field: "noise: NoiseScale.Samples", Value: e.Samples, Want: fmt.Sprintf("at least Big, %d, or 0 for batches with replacement", e.Big)}
	}
	return nil
}

// Add takes in the gradients of two batches, of Small and of Big samples. It panics if lengths
// differ, or sizes are not in order.
func (e *NoiseScale) Add(small, big []float64) {
	if e.Small < 1 || e.Big <= e.Small {
		panic("noise: a noise scale needs 1 ≤ Small < Big")
	}
	if len(small) != len(big) {
		panic(badGradient)
	}
	a, b := e.square(small), e.square(big)
	bs, bb := float64(e.Small), float64(e.Big)
	s, q := (a-b)/(1/bs-1/bb), (float64(bb*b)-float64(bs*a))/(bb-bs)
	e.n++
	ds, dq := s-e.s, q-e.q
	e.s += ds / e.n
	e.q += dq / e.n
	e.ss += float64(ds * (s - e.s))
	e.qq += float64(dq * (q - e.q))
	e.sq += float64(ds * (q - e.q))
}

func (e *NoiseScale) square(g []float64) float64 {
	if e.Metric == nil {
		return kernel.Dot(g, g)
	}
	if len(e.hg) != len(g) {
		e.hg = make([]float64, len(g))
	}
	e.Metric(e.hg, g)
	return kernel.Dot(g, e.hg)
}

// Merge takes in all that o has, of the same settings.
func (e *NoiseScale) Merge(o *NoiseScale) {
	if o.n == 0 {
		return
	}
	n := e.n + o.n
	ds, dq, w := o.s-e.s, o.q-e.q, e.n*o.n/n
	e.s += ds * o.n / n
	e.q += dq * o.n / n
	e.ss += o.ss + float64(ds*ds*w)
	e.qq += o.qq + float64(dq*dq*w)
	e.sq += o.sq + float64(ds*dq*w)
	e.n = n
}

// Pairs returns how many pairs there were.
func (e *NoiseScale) Pairs() int { return int(e.n) }

// parts returns tr Σ and |G|² with the variances and the covariance of the estimates.
func (e *NoiseScale) parts() (s, q, vs, vq, c float64) {
	f, g := 1.0, 0.0 // tr Σ = f S, |G|² = Q + g S
	if n := float64(e.Samples); n > 0 {
		f, g = (n-1)/n, 1/n
	}
	if e.n == 0 {
		nan := math.NaN()
		return nan, nan, nan, nan, nan
	}
	w := 1 / (e.n * (e.n - 1))
	return f * e.s, e.q + float64(g*e.s), f * f * e.ss * w, (e.qq + float64(2*g*e.sq) + float64(g*g*e.ss)) * w, f * (e.sq + float64(g*e.ss)) * w
}

// Trace returns tr Σ, or tr(HΣ), with its standard error, which is NaN for one pair; all is for
// none.
func (e *NoiseScale) Trace() sde.Estimate {
	s, _, v, _, _ := e.parts()
	return sde.Estimate{Value: s, StdErr: math.Sqrt(v), Groups: int(e.n)}
}

// SquaredGradient returns |G|², or GᵀHG, with its standard error. Being unbiased it can be
// negative where the gradient is small.
func (e *NoiseScale) SquaredGradient() sde.Estimate {
	_, q, _, v, _ := e.parts()
	return sde.Estimate{Value: q, StdErr: math.Sqrt(v), Groups: int(e.n)}
}

// Scale returns the ratio of the two, B_simple or B_noise, with the standard error of a ratio to
// first order; it is of no use where |G|² is not several standard errors above 0.
func (e *NoiseScale) Scale() sde.Estimate {
	s, q, vs, vq, c := e.parts()
	r := s / q
	return sde.Estimate{Value: r, StdErr: math.Sqrt(math.Max(vs-float64(2*r*c)+float64(r*r*vq), 0)) / math.Abs(q), Groups: int(e.n)}
}

// NoiseScales returns B_simple = tr Σ/|G|² and B_noise = tr(HΣ)/(GᵀHG) of a finite sum at θ, from
// all of its samples. Both grow without bound towards a minimum, where G vanishes: take them
// where SGD is, as NoiseScaleObserver does. B_noise is NaN for a loss that is not a sde.Hessian.
func NoiseScales(l sde.FiniteSum, theta []float64) (simple, noise float64) {
	d := len(theta)
	var sigma mat.SymDense
	SampleCovariance(&sigma, l, theta)
	g := mat.NewVecDense(d, nil)
	l.Gradient(g.RawVector().Data, theta)
	simple, noise = mat.Trace(&sigma)/mat.Dot(g, g), math.NaN()
	if h, ok := l.(sde.Hessian); ok {
		m := mat.NewDense(d, d, nil)
		h.Hessian(m.RawMatrix().Data, theta)
		var hs mat.Dense
		hs.Mul(m, &sigma)
		noise = mat.Trace(&hs) / mat.Inner(g, m, g)
	}
	return simple, noise
}
