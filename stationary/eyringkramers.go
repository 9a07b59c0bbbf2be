// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// EyringKramers returns the mean time that a flow of temperature T, D = T I, takes
// from a minimum x over one gate z or several into whatever lies beyond, where T is small:
//
//	1/τ ≈ Σ_z |λ₋(z)|/2π · √(det H(x)/|det H(z)|) · e^(−(L(z)−L(x))/T)
//
// with H the Hessian and λ₋ its one negative eigenvalue at the gate. Rates of
// gates add up; a gate that is much higher than the lowest contributes nothing. Correction is
// the next term in T, from third and fourth derivatives at the minimum and the gates, as
// it is derived in nextorder.go. Sources: Eyring, 1935; Kramers, 1940; Bovier, Eckhoff,
// Gayrard & Klein, 2004, Metastability in reversible diffusion processes I, theorem
// 3.2; Berglund, 2013, Kramers' law: validity, derivations and generalisations.
//
// Places are refined by Newton's method before they are used. The Hessian is the
// loss's own (sde.Hessian) or by differences of the gradient. Refused are a place
// from which Newton's method moves away, a minimum or a gate with the wrong number of negative
// eigenvalues, and a Hessian that is singular, where the formula does not hold
// (Berglund & Gentz, 2010, The Eyring–Kramers law for potentials with nonquadratic
// saddles). It is a warning if the barrier is below 5 T, or if T reaches a tenth of a curvature times the squared distance between the places.
//
// It is the time to the first minimum beyond the gates that is as deep, or deeper; time spent in
// shallower wells on the way is not counted.
func EyringKramers(loss sde.Loss, temperature float64, minimum []float64, gates ...[]float64) (Prediction, error) {
	const name = "EyringKramers"
	if loss == nil {
		return Prediction{}, wrong(name+" loss", nil, "a loss")
	}
	if err := positive(name, []string{"temperature"}, temperature); err != nil {
		return Prediction{}, err
	}
	if len(gates) == 0 {
		return Prediction{}, wrong(name+" gates", nil, "at least one saddle")
	}
	x, err := criticalPoint(name+" minimum", loss, minimum, 0)
	if err != nil {
		return Prediction{}, err
	}
	rate := math.Inf(-1)
	lowest := math.Inf(1)
	var seen []critical
	for i, g := range gates {
		z, err := criticalPoint(fmt.Sprintf("%s gate %d", name, i), loss, g, 1)
		if err != nil {
			return Prediction{}, err
		}
		for _, other := range seen {
			if distance(z.theta, other.theta) < 1e-6*(1+norm(z.theta)) {
				return Prediction{}, wrong(fmt.Sprintf("%s gate %d", name, i), g, "gates that differ from one another")
			}
		}
		seen = append(seen, z)
		barrier := z.value - x.value
		if !(barrier > 0) {
			return Prediction{}, wrong(fmt.Sprintf("%s gate %d", name, i), barrier, "a saddle above the minimum")
		}
		lowest = math.Min(lowest, barrier)
		rate = logSumExp(rate, math.Log(-z.eigenvalues[0]/(2*math.Pi))+(x.logDet-z.logDet)/2-barrier/temperature)
	}
	p := predict("Eyring–Kramers", -rate, math.NaN())
	p.checkBarrier(lowest / temperature)
	// τ is the well's mass over the sum of the gates' capacities, each of its own next order.
	p.Correction = expand(loss, x, nearest(x, seen)).laplace()
	for _, z := range seen {
		share := math.Exp(math.Log(-z.eigenvalues[0]/(2*math.Pi)) + (x.logDet-z.logDet)/2 - (z.value-x.value)/temperature - rate)
		e := expand(loss, z, nearest(z, []critical{x}))
		p.Correction -= share * (e.laplace() + e.committor())
	}
	p.Correction *= temperature
	if math.Abs(p.Correction) > 0.2 {
		p.warn("the next term of the expansion is %.2g of the first", p.Correction)
	}
	for _, z := range seen {
		// The landscape should look quadratic over a few thermal lengths.
		r := distance(z.theta, x.theta)
		for _, l := range append(z.eigenvalues[:len(z.eigenvalues):len(z.eigenvalues)], x.eigenvalues...) {
			if l := math.Abs(l); l*r*r < 10*temperature {
				p.warn("the curvature %.3g is so small that the thermal length %.3g is a good part of the distance %.3g between minimum and gate", l, math.Sqrt(temperature/l), r)
				return p, nil
			}
		}
	}
	return p, nil
}

// critical is a critical point with its Hessian's spectrum, rising.
type critical struct {
	theta       []float64
	value       float64
	eigenvalues []float64
	logDet      float64 // log |det H|
}

// criticalPoint refines a place by Newton's method and refuses it if it is not of the index.
func criticalPoint(field string, loss sde.Loss, at []float64, index int) (critical, error) {
	d := loss.Dim()
	if len(at) != d {
		return critical{}, &sde.SettingError{Field: "stationary: " + field, Value: at, Want: fmt.Sprintf("%d coordinates", d), Err: sde.ErrDimension}
	}
	c := critical{theta: append([]float64(nil), at...)}
	hessian := hessianOf(loss)
	h := mat.NewSymDense(d, nil)
	g := make([]float64, d)
	var eig mat.EigenSym
	solve := func() error {
		hessian(h, c.theta)
		for _, v := range h.RawSymmetric().Data {
			if !isNumber(v) {
				return wrong(field, at, "a place where the Hessian is finite")
			}
		}
		if !eig.Factorize(h, true) {
			return wrong(field, at, "a place where the Hessian has eigenvalues")
		}
		return nil
	}
	var vectors mat.Dense
	for range 50 {
		if err := solve(); err != nil {
			return critical{}, err
		}
		loss.Gradient(g, c.theta)
		eig.VectorsTo(&vectors)
		c.eigenvalues = eig.Values(nil)
		moved := 0.0
		for k, l := range c.eigenvalues {
			dot := 0.0
			for i := range g {
				dot += vectors.At(i, k) * g[i]
			}
			if l == 0 {
				continue
			}
			for i := range c.theta {
				c.theta[i] -= dot / l * vectors.At(i, k)
			}
			moved += dot / l * dot / l
		}
		if r := distance(c.theta, at); !(r <= 0.1*(1+norm(at))) {
			return critical{}, wrong(field, at, "a place near a critical point of the loss")
		}
		if math.Sqrt(moved) <= 1e-14*(1+norm(c.theta)) {
			break
		}
	}
	if err := solve(); err != nil {
		return critical{}, err
	}
	c.eigenvalues = eig.Values(nil)
	c.value = loss.Value(c.theta)
	negative := 0
	largest := math.Max(math.Abs(c.eigenvalues[0]), math.Abs(c.eigenvalues[d-1]))
	for _, l := range c.eigenvalues {
		if l < 0 {
			negative++
		}
		if math.Abs(l) <= 1e-8*largest {
			return critical{}, wrong(field, at, fmt.Sprintf("a Hessian that is not singular: the eigenvalues are %.4g", c.eigenvalues))
		}
		c.logDet += math.Log(math.Abs(l))
	}
	if negative != index {
		return critical{}, wrong(field, at, fmt.Sprintf("a critical point with %d negative eigenvalues of the Hessian: they are %.4g", index, c.eigenvalues))
	}
	return c, nil
}

// hessianOf returns the loss's Hessian, or central differences of its gradient.
func hessianOf(loss sde.Loss) func(dst *mat.SymDense, theta []float64) {
	d := loss.Dim()
	full := make([]float64, d*d)
	if h, ok := loss.(sde.Hessian); ok {
		return func(dst *mat.SymDense, theta []float64) {
			h.Hessian(full, theta)
			symmetric(dst, full)
		}
	}
	x, low, high := make([]float64, d), make([]float64, d), make([]float64, d)
	return func(dst *mat.SymDense, theta []float64) {
		copy(x, theta)
		for j, v := range theta {
			step := 6e-6 * math.Max(1, math.Abs(v))
			x[j] = v + step
			loss.Gradient(high, x)
			x[j] = v - step
			loss.Gradient(low, x)
			x[j] = v
			for i := range high {
				full[i*d+j] = (high[i] - low[i]) / (2 * step)
			}
		}
		symmetric(dst, full)
	}
}

func symmetric(dst *mat.SymDense, full []float64) {
	d := dst.SymmetricDim()
	for i := range d {
		for j := i; j < d; j++ {
			dst.SetSym(i, j, (full[i*d+j]+full[j*d+i])/2)
		}
	}
}

func norm(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

func distance(x, y []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum += (v - y[i]) * (v - y[i])
	}
	return math.Sqrt(sum)
}

// nearest returns the distance to the nearest of other critical points, over which the loss
// changes its shape.
func nearest(p critical, others []critical) float64 {
	least := math.Inf(1)
	for _, o := range others {
		least = math.Min(least, distance(p.theta, o.theta))
	}
	return least
}
