// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// rotating is the flow of which everything is known in fractions.
func rotating() *stationary.Linear {
	return must(stationary.NewLinear(mat.NewDiagDense(2, []float64{1, 2}), mat.NewSymDense(2, []float64{1, 0.5, 0.5, 1}), nil))
}

// F = diag(1, 2), D = [1 ½; ½ 1]: S = [1 ⅓; ⅓ ½], Q₁₂ = −1/6, entropy production 1/9.
func TestLinearRotating(t *testing.T) {
	t.Parallel()
	l := rotating()
	s, q := l.Covariance(), l.Circulation()
	for _, c := range []struct{ got, want float64 }{
		{s.At(0, 0), 1}, {s.At(0, 1), 1.0 / 3}, {s.At(1, 1), 0.5},
		{q.At(0, 0), 0}, {q.At(0, 1), -1.0 / 6}, {q.At(1, 0), 1.0 / 6}, {q.At(1, 1), 0},
		{must(l.EntropyProduction()), 1.0 / 9},
		// U = S⁻¹ = [1/2 −1/3; −1/3 1]·36/14
		{must(l.Precision()).At(0, 0), 18.0 / 14}, {must(l.Precision()).At(0, 1), -12.0 / 14}, {must(l.Precision()).At(1, 1), 36.0 / 14},
	} {
		within(t, "rotating", c.got, c.want, 1e-15)
	}
	// j = vp has no divergence: tr(QU) = 0, and v·∇log p = 0 everywhere.
	law := must(l.Law())
	for _, theta := range [][]float64{{1, 0}, {0.3, -2}, {-4, 5}} {
		v, score := make([]float64, 2), make([]float64, 2)
		if err := l.Velocity(v, theta); err != nil {
			t.Fatal(err)
		}
		law.Score(score, theta)
		within(t, "v·∇log p", v[0]*score[0]+v[1]*score[1], 0, 1e-13)
		// v = −Fθ − D∇log p, the drift less what diffusion makes.
		within(t, "v₁", v[0], -theta[0]-score[0]-score[1]/2, 1e-14*10)
		within(t, "v₂", v[1], -2*theta[1]-score[0]/2-score[1], 1e-14*10)
	}
	// E θ_t θ_0ᵀ = e^(−Ft) S.
	c := l.Autocovariance(0.7)
	within(t, "C₂₁(0.7)", c.At(1, 0), math.Exp(-1.4)/3, 1e-15)
	within(t, "C₁₂(−0.7)", l.Autocovariance(-0.7).At(0, 1), c.At(1, 0), 1e-16)
}

// Where D follows the Hessian the law is isotropic; where it is a temperature, it is
// Boltzmann's and there is no current.
func TestLinearGradient(t *testing.T) {
	t.Parallel()
	h := mat.NewSymDense(3, []float64{2, 0.5, -0.3, 0.5, 1, 0.2, -0.3, 0.2, 0.5})
	var d mat.SymDense
	d.ScaleSym(0.05, h)
	l := must(stationary.NewLinear(h, &d, nil))
	s := l.Covariance()
	for i := range 3 {
		for j := range 3 {
			want := 0.0
			if i == j {
				want = 0.05
			}
			within(t, "isotropic", s.At(i, j), want, 1e-16)
		}
	}
	flow := sde.Flow{Loss: harmonic{h, []float64{1, -2, 3}}, Diffusion: thermal(0.3)}
	l = must(stationary.LinearOf(flow))
	within(t, "Q", mat.Norm(l.Circulation(), 1), 0, 1e-15)
	within(t, "entropy production", must(l.EntropyProduction()), 0, 1e-15)
	var hs mat.Dense
	hs.Mul(h, l.Covariance())
	for i := range 3 {
		for j := range 3 {
			want := 0.0
			if i == j {
				want = 0.3
			}
			within(t, "HS", hs.At(i, j), want, 1e-14)
		}
	}
	law := must(l.Law())
	x, score, grad := []float64{0.5, 0.1, 2}, make([]float64, 3), make([]float64, 3)
	law.Score(score, x)
	flow.Loss.Gradient(grad, x)
	for i := range x {
		within(t, "score", score[i], -grad[i]/0.3, 1e-13)
	}
	// With friction: positions of covariance TH⁻¹, momenta of T, and nothing between.
	a, n := mat.NewDense(6, 6, nil), mat.NewSymDense(6, nil)
	const gamma = 0.8
	for i := range 3 {
		a.Set(i, 3+i, -1)
		a.Set(3+i, 3+i, gamma)
		n.SetSym(3+i, 3+i, gamma*0.3)
		for j := range 3 {
			a.Set(3+i, j, h.At(i, j))
		}
	}
	under := must(stationary.NewLinear(a, n, nil)).Covariance()
	over := l.Covariance()
	for i := range 3 {
		for j := range 3 {
			p := 0.0
			if i == j {
				p = 0.3
			}
			within(t, "qq", under.At(i, j), over.At(i, j), 1e-14)
			within(t, "qp", under.At(i, 3+j), 0, 1e-14)
			within(t, "pp", under.At(3+i, 3+j), p, 1e-14)
		}
	}
}

// harmonic is ½(θ−c)ᵀH(θ−c).
type harmonic struct {
	h *mat.SymDense
	c []float64
}

func (l harmonic) Dim() int { return len(l.c) }
func (l harmonic) Value(theta []float64) float64 {
	g := make([]float64, len(theta))
	l.Gradient(g, theta)
	s := 0.0
	for i, v := range g {
		s += v * (theta[i] - l.c[i]) / 2
	}
	return s
}
func (l harmonic) Gradient(dst, theta []float64) {
	for i := range dst {
		dst[i] = 0
		for j := range theta {
			dst[i] += l.h.At(i, j) * (theta[j] - l.c[j])
		}
	}
}
func (l harmonic) Harmonic() ([]float64, []float64) {
	return mat.DenseCopyOf(l.h).RawMatrix().Data, l.c
}
func (l harmonic) Hessian(dst, theta []float64) {
	copy(dst, mat.DenseCopyOf(l.h).RawMatrix().Data)
}

// The variance that each scheme has on dx = −kx dt + √(2T) dW, in units of T/k: closed
// forms in z = kh.
func TestChainSchemes(t *testing.T) {
	t.Parallel()
	const k, T = 1.7, 0.4
	l := must(stationary.NewLinear(mat.NewDense(1, 1, []float64{k}), mat.NewSymDense(1, []float64{T}), []float64{3}))
	for _, z := range []float64{0.01, 0.3, 1, 1.8} {
		h := z / k
		b := math.Sqrt(2 * T * h)
		for name, c := range map[string]struct {
			chain *stationary.Chain
			want  float64
		}{
			"Euler–Maruyama":      {must(l.EulerMaruyama(h)), 1 / (1 - z/2)},
			"stochastic Heun":     {must(l.StochasticHeun(h)), (1 - z/2) / (1 - z/2 + z*z/4)},
			"Leimkuhler–Matthews": {must(l.LeimkuhlerMatthews(h)), 1},
			"exact":               {must(l.Sampled(h)), 1},
			"θ-method": {must(stationary.AffineChain(func(dst, x, xi []float64) {
				dst[0] = (x[0] - 0.25*z*x[0] + b*xi[0]) / (1 + 0.75*z)
			}, 1, 1)), 1 / (1 + 0.25*z)},
			"SRA1": {must(stationary.AffineChain(func(dst, x, xi []float64) {
				w := b * xi[0]
				i10 := b * (xi[0]/2 + xi[1]/math.Sqrt(12))
				stage := x[0] - 0.75*z*x[0] + 1.5*i10
				dst[0] = x[0] - z*(x[0]+2*stage)/3 + w
			}, 1, 2)), 8 * (z*z - 3*z + 3) / (3 * (2 - z) * (z*z - 2*z + 4))},
			"shifted Euler": {must(stationary.AffineChain(func(dst, x, xi []float64) {
				w, area := b*xi[0], b*xi[1]/math.Sqrt(12)
				dst[0] = x[0] - z*(x[0]+w/2+area) + w
			}, 1, 2)), 2 * (z*z - 3*z + 3) / (3 * (2 - z))},
		} {
			within(t, fmt.Sprintf("%s at z = %g", name, z), c.chain.Covariance().At(0, 0)*k/T, c.want, 2e-14*c.want)
		}
	}
}

// Splittings of the underdamped harmonic oscillator, whatever the friction.
func TestChainUnderdamped(t *testing.T) {
	t.Parallel()
	const k, T, h = 2.0, 0.7, 0.5
	for _, gamma := range []float64{0.1, 1, 10} {
		c := math.Exp(-gamma * h)
		half := math.Exp(-gamma * h / 2)
		o := func(p *float64, c, xi float64) { *p = c**p + math.Sqrt(T*(1-c*c))*xi }
		for name, s := range map[string]struct {
			step   func(dst, x, xi []float64)
			qq, pp float64
		}{
			"BAOAB": {func(dst, x, xi []float64) {
				q, p := x[0], x[1]
				p -= h / 2 * k * q
				q += h / 2 * p
				o(&p, c, xi[0])
				q += h / 2 * p
				dst[0], dst[1] = q, p-h/2*k*q
			}, T / k, T * (1 - h*h*k/4)},
			"ABOBA": {func(dst, x, xi []float64) {
				q, p := x[0], x[1]
				q += h / 2 * p
				p -= h / 2 * k * q
				o(&p, c, xi[0])
				p -= h / 2 * k * q
				dst[0], dst[1] = q+h/2*p, p
			}, T / k, T / (1 - h*h*k/4)},
			"OBABO": {func(dst, x, xi []float64) {
				q, p := x[0], x[1]
				o(&p, half, xi[0])
				p -= h / 2 * k * q
				q += h * p
				p -= h / 2 * k * q
				o(&p, half, xi[1])
				dst[0], dst[1] = q, p
			}, T / (k * (1 - h*h*k/4)), T},
		} {
			v := must(stationary.AffineChain(s.step, 2, 2)).Covariance()
			within(t, name+" qq", v.At(0, 0), s.qq, 1e-13)
			within(t, name+" pp", v.At(1, 1), s.pp, 1e-13)
			within(t, name+" qp", v.At(0, 1), 0, 1e-13)
		}
	}
}

// SGD with momentum: closed forms in one dimension, the matrix equation in more.
func TestHeavyBall(t *testing.T) {
	t.Parallel()
	const h, c = 1.3, 0.6
	for _, mu := range []float64{0, 0.5, 0.9, 0.99} {
		for _, eta := range []float64{0.01, 0.5, 1.4} {
			v := must(stationary.HeavyBall{Hessian: mat.NewSymDense(1, []float64{h}), Noise: mat.NewSymDense(1, []float64{c}), LearningRate: eta, Momentum: mu}.Chain()).Covariance()
			den := (1 - mu) * (2*(1+mu) - eta*h)
			within(t, "Var x", v.At(0, 0)/(eta*c*(1+mu)/(h*den)), 1, 1e-12)
			if mu > 0 {
				within(t, "Cov(x, v)", v.At(0, 1)/(eta*eta*c/den), 1, 1e-11)
				within(t, "Var v", v.At(1, 1)/(2*eta*eta*c/den), 1, 1e-12)
			}
		}
	}
	// The bound 0 < ηh < 2(1+μ).
	ball := stationary.HeavyBall{Hessian: mat.NewSymDense(1, []float64{1}), Noise: mat.NewSymDense(1, []float64{1}), LearningRate: 2.999, Momentum: 0.5}
	if _, err := ball.Chain(); err != nil {
		t.Error(err)
	}
	ball.LearningRate = 3.001
	if _, err := ball.Chain(); !errors.Is(err, sde.ErrNotNormalizable) {
		t.Errorf("beyond the bound: %v", err)
	}
	// (1−μ)(ΛHS+SHΛ) − (1+μ²)/(1−μ²) ΛHSHΛ + μ/(1−μ²)(ΛHΛHS+SHΛHΛ) = ΛCΛ
	hessian := mat.NewSymDense(2, []float64{2, 0.7, 0.7, 1})
	noise := mat.NewSymDense(2, []float64{1, -0.4, -0.4, 0.5})
	rate := mat.NewSymDense(2, []float64{0.2, 0.05, 0.05, 0.3})
	const mu = 0.6
	s := must(stationary.HeavyBall{Hessian: hessian, Noise: noise, LearningRate: 1, Preconditioner: rate, Momentum: mu}.Chain()).Covariance().SliceSym(0, 2)
	product := func(m ...mat.Matrix) *mat.Dense {
		p := mat.DenseCopyOf(m[0])
		for _, f := range m[1:] {
			var q mat.Dense
			q.Mul(p, f)
			p = &q
		}
		return p
	}
	var residual mat.Dense
	residual.Sub(residualOf(mu, rate, hessian, s, product), product(rate, noise, rate))
	within(t, "residual", mat.Norm(&residual, 2), 0, 1e-14)
	var wrong mat.Dense
	wrong.Sub(residualOf(mu+0.01, rate, hessian, s, product), product(rate, noise, rate))
	if mat.Norm(&wrong, 2) < 1e-4 {
		t.Error("the residual does not see the momentum")
	}
}

func residualOf(mu float64, l, h, s mat.Matrix, product func(m ...mat.Matrix) *mat.Dense) *mat.Dense {
	var sum mat.Dense
	sum.Add(product(l, h, s), product(s, h, l))
	sum.Scale(1-mu, &sum)
	var t, u mat.Dense
	t.Scale((1+mu*mu)/(1-mu*mu), product(l, h, s, h, l))
	sum.Sub(&sum, &t)
	u.Add(product(l, h, l, h, s), product(s, h, l, h, l))
	u.Scale(mu/(1-mu*mu), &u)
	sum.Add(&sum, &u)
	return &sum
}

// The covariance of a mean of states is the sum of their covariances.
func TestChainAverage(t *testing.T) {
	t.Parallel()
	c := must(rotating().EulerMaruyama(0.3))
	for _, n := range []int{1, 2, 7} {
		want := mat.NewDense(2, 2, nil)
		for i := range n {
			for j := range n {
				if i >= j {
					want.Add(want, c.Autocovariance(i-j))
				} else {
					want.Add(want, c.Autocovariance(j-i).T())
				}
			}
		}
		want.Scale(1/float64(n*n), want)
		got := c.AverageCovariance(n)
		for i := range 2 {
			for j := range 2 {
				within(t, fmt.Sprintf("mean of %d", n), got.At(i, j), want.At(i, j), 1e-14)
			}
		}
	}
	// For long means M no longer matters: (I−M)⁻¹V(I−M)⁻ᵀ/n = 2A⁻¹DA⁻ᵀ/(nh).
	const n = 100000
	within(t, "long mean", c.AverageCovariance(n).At(0, 1)*n*0.3, 2*0.5/2, 1e-4)
}

func TestGaussian(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	rho := 0.6
	pair := must(stationary.NewGaussian([]float64{1, -2}, mat.NewSymDense(2, []float64{4, 2 * rho, 2 * rho, 1})))
	within(t, "orthant", pair.Probability([]float64{1, -2}, []float64{inf, inf}), 0.25+math.Asin(rho)/(2*math.Pi), 1e-14)
	near := must(stationary.NewGaussian(nil, mat.NewSymDense(2, []float64{1, 0.9999, 0.9999, 1})))
	within(t, "orthant, 0.9999", near.Probability([]float64{0, 0}, []float64{inf, inf}), 0.25+math.Asin(0.9999)/(2*math.Pi), 1e-13)
	within(t, "half-plane", pair.Probability([]float64{3, -inf}, []float64{inf, inf}), math.Erfc(1/math.Sqrt2)/2, 1e-16)
	a, b, c := 0.3, -0.5, 0.2
	three := must(stationary.NewGaussian(nil, mat.NewSymDense(3, []float64{1, a, b, a, 1, c, b, c, 1})))
	within(t, "octant", three.Probability([]float64{0, 0, 0}, []float64{inf, inf, inf}), 0.125+(math.Asin(a)+math.Asin(b)+math.Asin(c))/(4*math.Pi), 1e-13)
	// With all correlations ½ the orthant has probability 1/(d+1).
	for _, d := range []int{4, 6, 10} {
		s := mat.NewSymDense(d, nil)
		lo, hi := make([]float64, d), make([]float64, d)
		for i := range d {
			hi[i] = inf
			for j := i; j < d; j++ {
				s.SetSym(i, j, 0.5)
			}
			s.SetSym(i, i, 1)
		}
		within(t, fmt.Sprintf("orthant in %d", d), must(stationary.NewGaussian(nil, s)).Probability(lo, hi), 1/float64(d+1), 1e-4)
	}
	// The density is the mixed derivative of the probability.
	const e = 1e-3
	x, y := 1.5, -1.2
	within(t, "density", pair.Probability([]float64{x - e, y - e}, []float64{x + e, y + e})/(4*e*e), math.Exp(pair.LogDensity(x, y)), 1e-6)
	score := make([]float64, 2)
	pair.Score(score, []float64{x, y})
	within(t, "score", score[0], (pair.LogDensity(x+1e-5, y)-pair.LogDensity(x-1e-5, y))/2e-5, 1e-9)
	within(t, "score", score[1], (pair.LogDensity(x, y+1e-5)-pair.LogDensity(x, y-1e-5))/2e-5, 1e-9)
	p := pair.Project([]float64{1, 3})
	within(t, "projected mean", p.Mean()[0], -5, 1e-15)
	within(t, "projected variance", p.Covariance().At(0, 0), 4+9+2*3*2*rho, 1e-14)
	// KL(N(μ, s²) ‖ N(0, 1)) = (s² + μ² − 1)/2 − log s
	q := must(stationary.NewGaussian([]float64{0.5}, mat.NewSymDense(1, []float64{4})))
	r := must(stationary.NewGaussian(nil, mat.NewSymDense(1, []float64{1})))
	within(t, "KL", q.KullbackLeibler(r), (4+0.25-1)/2-math.Log(2), 1e-15)
	within(t, "KL to itself", pair.KullbackLeibler(pair), 0, 1e-15)
}

func TestLinearRefuses(t *testing.T) {
	t.Parallel()
	one := mat.NewSymDense(1, []float64{1})
	two := mat.NewSymDense(2, []float64{1, 0, 0, 1})
	step := func(dst, x, xi []float64) { dst[0] = 0.5*x[0]*x[0] + xi[0] }
	flow := func(l sde.Loss, d sde.Diffusion) error {
		_, err := stationary.LinearOf(sde.Flow{Loss: l, Diffusion: d})
		return err
	}
	second := func(_ any, err error) error { return err }
	for name, c := range map[string]struct{ got, want error }{
		"nil drift":        {second(stationary.NewLinear(nil, one, nil)), sde.ErrInvalid},
		"nil diffusion":    {second(stationary.NewLinear(one, nil, nil)), sde.ErrInvalid},
		"dimensions":       {second(stationary.NewLinear(two, one, nil)), sde.ErrDimension},
		"centre":           {second(stationary.NewLinear(one, one, []float64{1, 2})), sde.ErrDimension},
		"NaN":              {second(stationary.NewLinear(mat.NewDense(1, 1, []float64{math.NaN()}), one, nil)), sde.ErrInvalid},
		"unstable":         {second(stationary.NewLinear(mat.NewDense(1, 1, []float64{-1}), one, nil)), sde.ErrNotNormalizable},
		"indefinite":       {second(stationary.NewLinear(one, mat.NewSymDense(1, []float64{-1}), nil)), sde.ErrInvalid},
		"step":             {second(rotating().EulerMaruyama(0)), sde.ErrInvalid},
		"long step":        {second(rotating().EulerMaruyama(1.01)), sde.ErrNotNormalizable},
		"nil equation":     {second(stationary.LinearOf(nil)), sde.ErrInvalid},
		"not harmonic":     {flow(well, thermal(1)), sde.ErrUnsupported},
		"not constant":     {flow(harmonic{one, []float64{0}}, multiplicative(func(x float64) float64 { return 1 })), sde.ErrUnsupported},
		"nil step":         {second(stationary.AffineChain(nil, 1, 1)), sde.ErrInvalid},
		"not affine":       {second(stationary.AffineChain(step, 1, 1)), sde.ErrUnsupported},
		"no coordinates":   {second(stationary.AffineChain(step, 0, 1)), sde.ErrDimension},
		"Hessian":          {second(stationary.HeavyBall{Noise: one, LearningRate: 1}.Chain()), sde.ErrInvalid},
		"rate":             {second(stationary.HeavyBall{Hessian: one, Noise: one}.Chain()), sde.ErrInvalid},
		"momentum":         {second(stationary.HeavyBall{Hessian: one, Noise: one, LearningRate: 1, Momentum: 1}.Chain()), sde.ErrInvalid},
		"singular law":     {second(stationary.NewGaussian(nil, mat.NewSymDense(2, []float64{1, 1, 1, 1}))), sde.ErrInvalid},
		"singular entropy": {second(must(stationary.NewLinear(mat.NewDense(2, 2, []float64{0, -1, 1, 1}), mat.NewSymDense(2, []float64{0, 0, 0, 1}), nil)).EntropyProduction()), sde.ErrInvalid},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}

// What the engine's schemes do to a quadratic, found from their own code, is what the
// chains say.
func TestChainAgainstSchemes(t *testing.T) {
	t.Parallel()
	const k, T = 1.7, 0.4
	l := must(stationary.NewLinear(mat.NewDense(1, 1, []float64{k}), mat.NewSymDense(1, []float64{T}), nil))
	for _, h := range []float64{0.05, 0.9} {
		for name, c := range map[string]struct {
			chain  *stationary.Chain
			scheme integrate.Scheme
		}{
			"Euler–Maruyama":      {must(l.EulerMaruyama(h)), integrate.EulerMaruyama{}},
			"stochastic Heun":     {must(l.StochasticHeun(h)), integrate.StochasticHeun{}},
			"Leimkuhler–Matthews": {must(l.LeimkuhlerMatthews(h)), integrate.LeimkuhlerMatthews{}},
		} {
			want, err := integrate.QuadraticVariance(c.scheme, k, T, h)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			within(t, name, c.chain.Covariance().At(0, 0)/want, 1, 1e-13)
		}
	}
}

// The engine's particles on the rotating flow have the covariance of the chain at their
// step, which that of the flow is not.
func TestChainReplicas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("replicas are run in long tests")
	}
	const h = 0.25
	eq := constantly{field{func(x, y float64) (float64, float64) { return -x, -2 * y }, skew}}
	run := integrate.Ensemble{Equation: eq, Scheme: integrate.EulerMaruyama{}, Step: h, Particles: 64 * 128, Seed: 9}
	var m integrate.Moments
	if _, err := run.Run(context.Background(), integrate.Schedule{BurnIn: 100 * h, Time: 400 * h, Every: 8 * h}, &m); err != nil {
		t.Fatal(err)
	}
	accept(t, "chain", covarianceP(&m, must(rotating().EulerMaruyama(h)).Covariance()))
	reject(t, "flow", covarianceP(&m, rotating().Covariance()))
}

// constantly declares that a field's noise is constant.
type constantly struct{ field }

func (constantly) Class() sde.NoiseClass { return sde.Constant }

// covarianceP tests the covariance of two coordinates that a run observed.
func covarianceP(m *integrate.Moments, want *mat.SymDense) float64 {
	least := 1.0
	for i := range 2 {
		for j := i; j < 2; j++ {
			e := m.Covariance(i, j)
			student := stationary.StudentT{Scale: 1, Nu: float64(e.Groups - 1)}
			least = math.Min(least, 3*2*student.CDF(-math.Abs(e.Value-want.At(i, j))/e.StdErr))
		}
	}
	return math.Min(least, 1)
}
