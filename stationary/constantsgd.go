// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// ConstantSGD is SGD of a constant learning rate as a sampler of a posterior: about a
// minimum where the loss of N samples has the Hessian A and a sample's gradient the
// covariance Σ,
//
//	posterior   N(c, (NA)⁻¹), ∝ exp(−N L)
//	SGD         N(c, S),   AS + SA = (ε/B) Σ
//
// for small learning rates ε and batches of B. Source: Mandt, Hoffman & Blei, 2017,
// Stochastic gradient descent as approximate Bayesian inference, Journal of Machine
// Learning Research 18(134), 1–35; the sections are named below.
//
// A and Σ are taken to be constant where SGD is: it is exact on a quadratic whose
// samples differ by shifts, and an approximation at other minima. A direction without
// noise has no law, and is refused where one is asked for.
type ConstantSGD struct {
	// Hessian is A, positive definite, and Noise is Σ = BBᵀ, of one sample.
	Hessian, Noise mat.Symmetric
	// Samples is N and BatchSize is B, at least 1.
	Samples, BatchSize int
	// WithoutReplacement says that the samples of a batch differ: their gradient has the
	// covariance (N−B)/(N−1) Σ/B then, not Σ/B.
	WithoutReplacement bool
	// Center is the minimum; nil is 0.
	Center []float64
}

// ConstantSGDAt returns what SGD with batches drawn with replacement does at a minimum of
// a finite sum: A from the loss's Hessian or differences of its gradient, and Σ from its
// samples. A place where the gradient is not 0, by the standard of the noise of all
// samples' mean, is refused, as is one that is not a minimum.
func ConstantSGDAt(sum sde.FiniteSum, minimum []float64, batch int) (ConstantSGD, error) {
	const field = "stationary: ConstantSGDAt "
	if sum == nil {
		return ConstantSGD{}, &sde.SettingError{Field: field + "sum", Value: nil, Want: "a finite sum"}
	}
	d, n := sum.Dim(), sum.Samples()
	if err := checkVector(field+"minimum", minimum, d); err != nil {
		return ConstantSGD{}, err
	}
	mean, one := make([]float64, d), make([]float64, d)
	for i := range n {
		sum.SampleGradient(one, minimum, i)
		for j, v := range one {
			mean[j] += v / float64(n)
		}
	}
	noise := mat.NewSymDense(d, nil)
	for i := range n {
		sum.SampleGradient(one, minimum, i)
		for j := range one {
			one[j] -= mean[j]
		}
		noise.SymRankOne(noise, 1/float64(n), mat.NewVecDense(d, one))
	}
	if g, scale := math.Sqrt(norm2(mean)), math.Sqrt(mat.Trace(noise)/float64(n)); !(g <= 1e-3*scale+1e-12) {
		return ConstantSGD{}, &sde.SettingError{Field: field + "minimum", Value: fmt.Sprintf("%.6g, where |∇L| = %.3g", minimum, g),
			Want: fmt.Sprintf("a minimum: |∇L| below a thousandth of its sampling error √(tr Σ/N) = %.3g", scale)}
	}
	s := ConstantSGD{Hessian: hessianAt(sum, minimum), Noise: noise, Samples: n, BatchSize: batch, Center: slices.Clone(minimum)}
	return s, s.Validate()
}

// hessianAt returns the Hessian of a loss, its own or by differences of the gradient.
func hessianAt(l sde.Loss, theta []float64) *mat.SymDense {
	d := l.Dim()
	m := make([]float64, d*d)
	if h, ok := l.(sde.Hessian); ok {
		h.Hessian(m, theta)
	} else {
		x := slices.Clone(theta)
		up, down := make([]float64, d), make([]float64, d)
		for j, v := range theta {
			h := cbrtEpsilon * math.Max(1, math.Abs(v))
			x[j] = v + h
			l.Gradient(up, x)
			x[j] = v - h
			l.Gradient(down, x)
			x[j] = v
			for i := range d {
				m[i*d+j] = (up[i] - down[i]) / (2 * h)
			}
		}
	}
	s := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			s.SetSym(i, j, (m[i*d+j]+m[j*d+i])/2)
		}
	}
	return s
}

// Validate returns an error if a field is wrong.
func (s ConstantSGD) Validate() error {
	const field = "stationary: ConstantSGD."
	if err := checkSymmetric(field+"Hessian", s.Hessian); err != nil {
		return err
	}
	if err := checkSymmetric(field+"Noise", s.Noise); err != nil {
		return err
	}
	d := s.Hessian.SymmetricDim()
	var c mat.Cholesky
	switch n := s.Noise.SymmetricDim(); {
	case n != d:
		return &sde.SettingError{Field: field + "Noise", Value: fmt.Sprintf("a matrix of order %d", n), Want: fmt.Sprint(d), Err: sde.ErrDimension}
	case !c.Factorize(s.Hessian):
		return &sde.SettingError{Field: field + "Hessian", Value: "a matrix that is not positive definite", Want: "one that is: the posterior has no width in a flat direction"}
	case s.Samples < 1:
		return &sde.SettingError{Field: field + "Samples", Value: s.Samples, Want: "at least 1"}
	case s.BatchSize < 1:
		return &sde.SettingError{Field: field + "BatchSize", Value: s.BatchSize, Want: "at least 1"}
	case s.WithoutReplacement && s.BatchSize >= s.Samples:
		return &sde.SettingError{Field: field + "BatchSize", Value: s.BatchSize, Want: fmt.Sprintf("below the number of samples, %d: a batch of all of them has no noise", s.Samples)}
	}
	if s.Center != nil {
		if err := checkVector(field+"Center", s.Center, d); err != nil {
			return err
		}
	}
	return checkSemidefinite(field+"Noise", s.Noise)
}

// batchNoise returns C, the covariance of a batch's gradient.
func (s ConstantSGD) batchNoise() *mat.SymDense {
	factor := 1 / float64(s.BatchSize)
	if s.WithoutReplacement {
		factor *= float64(s.Samples-s.BatchSize) / float64(s.Samples-1)
	}
	var c mat.SymDense
	c.ScaleSym(factor, s.Noise)
	return &c
}

// Posterior returns N(c, (NA)⁻¹) (§ 3.2).
func (s ConstantSGD) Posterior() (*Gaussian, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	var na mat.SymDense
	na.ScaleSym(float64(s.Samples), s.Hessian)
	var c mat.Cholesky
	c.Factorize(&na)
	inverse := mat.NewSymDense(na.SymmetricDim(), nil)
	if err := c.InverseTo(inverse); err != nil {
		if _, ill := err.(mat.Condition); !ill {
			return nil, err
		}
	}
	return NewGaussian(s.Center, inverse)
}

// Flow returns the linear flow that SGD follows, D = (ε/2) C.
func (s ConstantSGD) Flow(rate float64) (*Linear, error) { return s.flow(rate, nil) }

// flow is Flow with the gradient multiplied by a matrix.
func (s ConstantSGD) flow(rate float64, preconditioner mat.Matrix) (*Linear, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if !(rate > 0) || math.IsInf(rate, 1) {
		return nil, &sde.SettingError{Field: "stationary: ConstantSGD rate", Value: rate, Want: "a finite number above 0"}
	}
	var d mat.SymDense
	d.ScaleSym(rate/2, s.batchNoise())
	if preconditioner == nil {
		return NewLinear(s.Hessian, &d, s.Center)
	}
	n := s.Hessian.SymmetricDim()
	if err := checkMatrix("stationary: ConstantSGD preconditioner", preconditioner); err != nil {
		return nil, err
	}
	if r, _ := preconditioner.Dims(); r != n {
		return nil, &sde.SettingError{Field: "stationary: ConstantSGD preconditioner", Value: fmt.Sprintf("a matrix of order %d", r), Want: fmt.Sprint(n), Err: sde.ErrDimension}
	}
	var a, t, pdp mat.Dense
	a.Mul(preconditioner, s.Hessian)
	t.Mul(preconditioner, &d)
	pdp.Mul(&t, preconditioner.T())
	for i := range n {
		for j := i; j < n; j++ {
			d.SetSym(i, j, (pdp.At(i, j)+pdp.At(j, i))/2)
		}
	}
	return NewLinear(&a, &d, s.Center)
}

// Law returns SGD's stationary law for a small learning rate (eq. 13).
func (s ConstantSGD) Law(rate float64) (*Gaussian, error) {
	l, err := s.Flow(rate)
	if err != nil {
		return nil, err
	}
	return l.Law()
}

// Preconditioned returns the stationary law of SGD whose gradient is multiplied by
// εP, for small ε (§ 4.2).
func (s ConstantSGD) Preconditioned(rate float64, p mat.Matrix) (*Gaussian, error) {
	l, err := s.flow(rate, p)
	if err != nil {
		return nil, err
	}
	return l.Law()
}

// Update returns SGD itself as a chain, exact at any learning rate, with momentum μ if
// that is not 0.
func (s ConstantSGD) Update(rate, momentum float64) (*Chain, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return HeavyBall{Hessian: s.Hessian, Noise: s.batchNoise(), LearningRate: rate, Momentum: momentum, Center: s.Center}.Chain()
}

// KullbackLeibler returns KL(SGD‖posterior) at a learning rate,
//
//	½ [ (εN/2) tr C − d − log det(N A S) ]
func (s ConstantSGD) KullbackLeibler(rate float64) (float64, error) {
	q, err := s.Law(rate)
	if err != nil {
		return math.NaN(), err
	}
	p, err := s.Posterior()
	if err != nil {
		return math.NaN(), err
	}
	return q.KullbackLeibler(p), nil
}

// OptimalRate returns the learning rate at which that divergence is least,
//
//	ε* = 2d/(N tr C) = 2Bd/(N tr Σ)
//
// the latter for batches drawn with replacement (theorem 1).
func (s ConstantSGD) OptimalRate() (float64, error) {
	if err := s.Validate(); err != nil {
		return math.NaN(), err
	}
	trace := mat.Trace(s.batchNoise())
	if !(trace > 0) {
		return math.NaN(), &sde.SettingError{Field: "stationary: ConstantSGD.Noise", Value: "0", Want: "noise: without it no learning rate widens the law"}
	}
	return 2 * float64(s.Hessian.SymmetricDim()) / (float64(s.Samples) * trace), nil
}

// OptimalPreconditioner returns the matrix P by which the gradient is multiplied, the
// learning rate being in it, so that SGD's law is the posterior itself (theorem 2),
//
//	P* = (2/N) C⁻¹ = (2B/N) Σ⁻¹
//
// and if diagonal is set the diagonal one of their corollary, (2/N)/C_ii, which is best if
// A and Σ are diagonal themselves and near the best otherwise.
func (s ConstantSGD) OptimalPreconditioner(diagonal bool) (*mat.SymDense, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := s.batchNoise()
	n := c.SymmetricDim()
	p := mat.NewSymDense(n, nil)
	if diagonal {
		for i := range n {
			if !(c.At(i, i) > 0) {
				return nil, &sde.SettingError{Field: "stationary: ConstantSGD.Noise", Value: fmt.Sprintf("no noise in coordinate %d", i), Want: "noise in all coordinates"}
			}
			p.SetSym(i, i, 2/(float64(s.Samples)*c.At(i, i)))
		}
		return p, nil
	}
	var chol mat.Cholesky
	if !chol.Factorize(c) {
		return nil, &sde.SettingError{Field: "stationary: ConstantSGD.Noise", Value: "a singular matrix", Want: "noise in all directions: a preconditioner cannot widen the law where there is none"}
	}
	if err := chol.InverseTo(p); err != nil {
		if _, ill := err.(mat.Condition); !ill {
			return nil, err
		}
	}
	p.ScaleSym(2/float64(s.Samples), p)
	return p, nil
}

// IterateAverage returns the law of the mean of n successive iterates of SGD in its
// stationary state, exact at any learning rate. For n ≫ 1/(ε λ_min) it is
//
//	N(c, (1/n) A⁻¹ C A⁻¹)
//
// whatever the learning rate, which after an epoch, n = N/B, is the posterior if Σ = A,
// as for a model that is right (§ 5).
func (s ConstantSGD) IterateAverage(rate float64, n int) (*Gaussian, error) {
	if n < 1 {
		return nil, &sde.SettingError{Field: "stationary: ConstantSGD.IterateAverage n", Value: n, Want: "at least 1"}
	}
	c, err := s.Update(rate, 0)
	if err != nil {
		return nil, err
	}
	return NewGaussian(s.Center, c.AverageCovariance(n))
}
