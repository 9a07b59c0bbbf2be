// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/lyapunov"
	"github.com/sgflow/sgflow/sde"
)

// Linear is a linear flow, the Ornstein–Uhlenbeck process
//
//	dθ = −A (θ−c) dt + B dW,   B Bᵀ = 2D
//
// with a constant A, whose eigenvalues have positive real parts, and a constant D
// that can be singular. It settles in N(c, S), S being the solution of Lyapunov's
// equation
//
//	A S + S Aᵀ = 2D
//
// A need not be symmetric: an underdamped flow of Hessian H, friction γ and
// temperature T is the linear flow of (q, p) with A = [0 −I; H γI] and
// D = diag(0, γT I). Source: Gardiner, 2009, Stochastic Methods, § 4.5.6.
type Linear struct {
	a      *mat.Dense
	d, s   *mat.SymDense
	center []float64
}

// NewLinear returns the linear flow of A, D and the centre c; a nil centre is 0.
// It returns an error unless D is positive semi-definite and the flow is stable.
func NewLinear(drift mat.Matrix, diffusion mat.Symmetric, center []float64) (*Linear, error) {
	if err := checkMatrix("stationary: Linear drift", drift); err != nil {
		return nil, err
	}
	if err := checkSymmetric("stationary: Linear diffusion", diffusion); err != nil {
		return nil, err
	}
	n, _ := drift.Dims()
	if m := diffusion.SymmetricDim(); m != n {
		return nil, &sde.SettingError{Field: "stationary: Linear diffusion", Value: fmt.Sprintf("a matrix of order %d", m), Want: fmt.Sprintf("%d, that of the drift", n), Err: sde.ErrDimension}
	}
	if err := checkSemidefinite("stationary: Linear diffusion", diffusion); err != nil {
		return nil, err
	}
	l := &Linear{a: mat.DenseCopyOf(drift), d: mat.NewSymDense(n, nil), center: make([]float64, n)}
	l.d.CopySym(diffusion)
	if center != nil {
		if err := checkVector("stationary: Linear center", center, n); err != nil {
			return nil, err
		}
		copy(l.center, center)
	}
	var q mat.SymDense
	q.ScaleSym(2, l.d)
	s, slowest, ok := lyapunov.Continuous(l.a, &q)
	if !ok {
		return nil, &sde.SettingError{Field: "stationary: Linear drift", Value: fmt.Sprintf("a matrix with an eigenvalue of real part %.6g", slowest),
			Want: "real parts above 0: otherwise the flow does not settle", Err: sde.ErrNotNormalizable}
	}
	l.s = s
	return l, nil
}

// checkSemidefinite refuses a matrix with an eigenvalue below 0.
func checkSemidefinite(field string, m mat.Symmetric) error {
	var e mat.EigenSym
	if !e.Factorize(m, false) {
		return &sde.SettingError{Field: field, Value: "a matrix", Want: "one whose eigenvalues can be computed"}
	}
	v := e.Values(nil)
	n := len(v)
	if top := math.Max(math.Abs(v[0]), math.Abs(v[n-1])); v[0] < -16*float64(n)*epsilon*top {
		return &sde.SettingError{Field: field, Value: fmt.Sprintf("a matrix with the eigenvalue %g", v[0]), Want: "a positive semi-definite matrix, with no eigenvalue below 0"}
	}
	return nil
}

// LinearOf returns the linear flow that an sde.Flow is whose loss declares itself a
// quadratic form (sde.Harmonic) and whose noise declares itself constant. Others,
// and flows in a domain, are refused.
func LinearOf(eq sde.Equation) (*Linear, error) {
	const field = "stationary: LinearOf equation"
	d, m, err := checkEquation(field, eq)
	if err != nil {
		return nil, err
	}
	h, ok := sde.LossOf(eq).(sde.Harmonic)
	if !ok {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("a loss %T", sde.LossOf(eq)), Want: "a quadratic form that declares itself one (sde.Harmonic)", Err: sde.ErrUnsupported}
	}
	if c := sde.ClassOf(sde.DiffusionOf(eq)); c != sde.Constant {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("%v noise", c), Want: "noise that declares itself constant (sde.Classified)", Err: sde.ErrUnsupported}
	}
	if c, ok := eq.(sde.Confined); ok && c.Confinement() != nil {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("a flow in %T", c.Confinement()), Want: "no domain", Err: sde.ErrUnsupported}
	}
	a, center := h.Harmonic()
	root := make([]float64, d*m)
	eq.Root(root, center, 0)
	b := mat.NewDense(d, m, root)
	diffusion := mat.NewSymDense(d, nil)
	diffusion.SymOuterK(0.5, b)
	return NewLinear(mat.NewDense(d, d, append([]float64(nil), a...)), diffusion, center)
}

// Dim returns d.
func (l *Linear) Dim() int { return len(l.center) }

// Covariance returns a copy of S.
func (l *Linear) Covariance() *mat.SymDense {
	s := mat.NewSymDense(l.Dim(), nil)
	s.CopySym(l.s)
	return s
}

// Law returns N(c, S), or an error if S is singular because noise does not reach all
// directions.
func (l *Linear) Law() (*Gaussian, error) { return NewGaussian(l.center, l.s) }

// Autocovariance returns E (θ_t−c)(θ_0−c)ᵀ in the stationary state,
//
//	C(t) = e^(−At) S  for t ≥ 0,   C(−t) = C(t)ᵀ
func (l *Linear) Autocovariance(t float64) *mat.Dense {
	c := mat.NewDense(l.Dim(), l.Dim(), nil)
	c.Mul(l.propagator(math.Abs(t)), l.s)
	if t < 0 {
		return mat.DenseCopyOf(c.T())
	}
	return c
}

// propagator returns e^(−At).
func (l *Linear) propagator(t float64) *mat.Dense {
	var at, e mat.Dense
	at.Scale(-t, l.a)
	e.Exp(&at)
	return &e
}

// Precision returns U = S⁻¹, the matrix of the effective potential
//
//	Φ(θ) = ½ (θ−c)ᵀ U (θ−c),   p ∝ exp(−Φ)
//
// in which a flow with D ≠ T·I settles instead of in its loss (Chaudhari & Soatto,
// 2018, Stochastic gradient descent performs variational inference, ICLR, § 3). It
// returns an error if S is singular.
func (l *Linear) Precision() (*mat.SymDense, error) {
	g, err := l.Law()
	if err != nil {
		return nil, err
	}
	u := mat.NewSymDense(l.Dim(), nil)
	if err := g.chol.InverseTo(u); err != nil && u.At(0, 0) == 0 {
		return nil, &sde.SettingError{Field: "stationary: Linear covariance", Value: err, Want: "a matrix that can be inverted"}
	}
	return u, nil
}

// Circulation returns the antisymmetric matrix
//
//	Q = A S − D,   A = (D+Q) U
//
// which is 0 if and only if the flow satisfies detailed balance.
func (l *Linear) Circulation() *mat.Dense {
	n := l.Dim()
	q := mat.NewDense(n, n, nil)
	q.Mul(l.a, l.s)
	// AS − D = (AS − (AS)ᵀ)/2, without what rounding leaves on the diagonal.
	for i := range n {
		q.Set(i, i, 0)
		for j := range i {
			v := (q.At(i, j) - q.At(j, i)) / 2
			q.Set(i, j, v)
			q.Set(j, i, -v)
		}
	}
	return q
}

// Velocity stores the mean velocity at θ in the stationary state into dst: the
// probability current divided by the density,
//
//	v(θ) = j(θ)/p(θ) = −Q S⁻¹ (θ−c)
//
// It returns an error if S is singular, and panics if dst or theta is not of length d.
func (l *Linear) Velocity(dst, theta []float64) error {
	if len(dst) != l.Dim() || len(theta) != l.Dim() {
		panic(badDim)
	}
	g, err := l.Law()
	if err != nil {
		return err
	}
	score := make([]float64, l.Dim())
	g.Score(score, theta)
	mat.NewVecDense(l.Dim(), dst).MulVec(l.Circulation(), mat.NewVecDense(l.Dim(), score))
	return nil
}

// EntropyProduction returns the rate at which the stationary state produces entropy,
// in nats a unit of time,
//
//	σ = E vᵀD⁻¹v = tr(Qᵀ D⁻¹ Q S⁻¹) ≥ 0
//
// which is 0 if and only if the flow satisfies detailed balance (Chaudhari & Soatto,
// 2018; Seifert, 2012, Stochastic thermodynamics, Rep. Prog. Phys. 75, eq. 63). All
// coordinates count as even under time reversal. It returns an error if D or S is
// singular.
func (l *Linear) EntropyProduction() (float64, error) {
	var d mat.Cholesky
	if !d.Factorize(l.d) {
		return math.NaN(), &sde.SettingError{Field: "stationary: Linear diffusion", Value: "a singular matrix",
			Want: "a positive definite one: entropy production divides by D, and momenta are odd under time reversal"}
	}
	u, err := l.Precision()
	if err != nil {
		return math.NaN(), err
	}
	q := l.Circulation()
	var dq, qdq, e mat.Dense
	if err := d.SolveTo(&dq, q); err != nil && dq.IsEmpty() {
		return math.NaN(), err
	}
	qdq.Mul(q.T(), &dq)
	e.Mul(&qdq, u)
	return mat.Trace(&e), nil
}
