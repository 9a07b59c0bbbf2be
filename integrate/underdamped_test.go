// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"strings"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// affine returns the matrix M and the vector v of a one-step scheme's kernel
// x′ = M x + v z on dθ = −kθ dt + √(2T) dW in one dimension, with rows of the
// given width, found by stepping basis vectors without noise and the origin with it.
func affine(t *testing.T, scheme integrate.Scheme, k, temperature, h float64, width int) (m *mat.Dense, v []float64) {
	t.Helper()
	bind := func(temperature float64) (integrate.Kernel, *sde.Stream) {
		s := integrate.NewSystem(sde.Flow{Loss: quadratic{k}, Diffusion: noise.Temperature{T: temperature}}, sde.Ito, h, width)
		kernel, err := scheme.Bind(s)
		if err != nil {
			t.Fatal(err)
		}
		stream := sde.NewStream(1, nil)
		stream.At(sde.Steps, 0, 0)
		return kernel, stream
	}
	kernel, stream := bind(0)
	x := sde.NewBatch(width, width)
	for i := range width {
		x.Row(i)[i] = 1
	}
	kernel.Step(x, 0, stream)
	m = mat.NewDense(width, width, nil)
	for i := range width {
		for j := range width {
			m.Set(i, j, x.Row(j)[i])
		}
	}
	kernel, stream = bind(temperature)
	x = sde.NewBatch(width, width)
	kernel.Step(x, 0, stream)
	z := make([]float64, width)
	stream.At(sde.Steps, 0, 0)
	stream.Increments(z)
	v = make([]float64, width)
	for i := range v {
		v[i] = x.Row(0)[i] / z[0]
	}
	return m, v
}

// stationaryCovariance solves S = M S Mᵀ + v vᵀ by doubling.
func stationaryCovariance(m *mat.Dense, v []float64) *mat.Dense {
	n := len(v)
	s, a := mat.NewDense(n, n, nil), mat.DenseCopyOf(m)
	for i := range n {
		for j := range n {
			s.Set(i, j, v[i]*v[j])
		}
	}
	for range 60 {
		var next, power mat.Dense
		next.Product(a, s, a.T())
		s.Add(s, &next)
		power.Mul(a, a)
		a.Copy(&power)
	}
	return s
}

// momentum is a splitting with where it cuts its step: the row's p is the
// scheme's plus lead·∇L.
type momentum struct {
	name   string
	of     func(friction float64) integrate.Scheme
	lead   func(h float64) float64
	q2, p2 func(t, k, z float64) float64 // z = h²k/4
	after  bool                          // half an O is to follow
}

func momenta() []momentum {
	half := func(h float64) float64 { return h / 2 }
	return []momentum{
		{"BAOAB", func(g float64) integrate.Scheme { return integrate.BAOAB{Friction: g} }, half,
			func(t, k, z float64) float64 { return t / k }, func(t, k, z float64) float64 { return t * (1 - z) }, false},
		{"ABOBA", func(g float64) integrate.Scheme { return integrate.ABOBA{Friction: g} }, func(float64) float64 { return 0 },
			func(t, k, z float64) float64 { return t / k }, func(t, k, z float64) float64 { return t / (1 - z) }, false},
		{"OBABO", func(g float64) integrate.Scheme { return integrate.OBABO{Friction: g} }, half,
			func(t, k, z float64) float64 { return t / (k * (1 - z)) }, func(t, k, z float64) float64 { return t }, true},
	}
}

// TestUnderdampedExact holds the covariance of each splitting on a harmonic
// oscillator, from its kernel, to the closed forms.
func TestUnderdampedExact(t *testing.T) {
	for _, m := range momenta() {
		for _, test := range []struct{ k, temperature, h, friction float64 }{
			{1, 0.3, 0.1, 1}, {2, 1, 0.5, 0.3}, {0.5, 0.2, 1.7, 2}, {4, 0.7, 0.9, 50},
		} {
			a, v := affine(t, m.of(test.friction), test.k, test.temperature, test.h, 2)
			s := stationaryCovariance(a, v)
			// The momentum of the scheme itself.
			lead := m.lead(test.h) * test.k
			q2, qp := s.At(0, 0), s.At(0, 1)-lead*s.At(0, 0)
			p2 := s.At(1, 1) - 2*lead*s.At(0, 1) + lead*lead*s.At(0, 0)
			if m.after {
				c := math.Exp(-test.friction * test.h / 2)
				p2, qp = c*c*p2+test.temperature*(1-c*c), c*qp
			}
			z := test.h * test.h * test.k / 4
			for _, e := range []struct {
				what      string
				have, exp float64
			}{{"⟨q²⟩", q2, m.q2(test.temperature, test.k, z)}, {"⟨p²⟩", p2, m.p2(test.temperature, test.k, z)}, {"⟨qp⟩", qp, 0}} {
				if math.Abs(e.have-e.exp) > 1e-12*test.temperature*(1+1/test.k) {
					t.Errorf("%s %+v: %s = %.15g, exact %.15g", m.name, test, e.what, e.have, e.exp)
				}
			}
		}
	}
}

// TestUnderdampedQuadratic is the same by Monte Carlo through the engine, with the
// planted fault of a wrong coefficient in O.
func TestUnderdampedQuadratic(t *testing.T) {
	const k, temperature, h, friction = 2.0, 0.3, 0.6, 0.8
	particles := 1 << 15
	if testing.Short() {
		particles = 1 << 13
	}
	run := func(scheme integrate.Scheme, seed uint64) []float64 {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{k}, Diffusion: noise.Temperature{T: temperature}}, Scheme: scheme,
			Step: h, Particles: particles, Seed: seed}
		return finals(t, e, integrate.Schedule{Time: 100 * h}).Data
	}
	for i, m := range momenta() {
		seed := uint64(2000+i) + *seedShift
		v := m.q2(temperature, k, h*h*k/4)
		var s float64
		for _, q := range run(m.of(friction), seed) {
			s += q * q
		}
		accept(t, m.name+": ⟨q²⟩", seed, s/v, chiSquaredP(s/v, float64(particles)))
		s = 0
		for _, q := range run(wrongO{m.of(friction)}, seed) {
			s += q * q
		}
		reject(t, m.name+": √(1−c) for √(1−c²) in O", seed, s/v, chiSquaredP(s/v, float64(particles)))
	}
}

// wrongO is a splitting whose noise in O has the scale √(1−c) of a first-order
// Ornstein–Uhlenbeck step's half for √(1−c²): it has another temperature.
type wrongO struct{ integrate.Scheme }

func (wrongO) Width(d int) int { return 2 * d }
func (w wrongO) Bind(s *integrate.System) (integrate.Kernel, error) {
	eq := s.Equation.(sde.Flow)
	th := eq.Diffusion.(noise.Temperature)
	c := math.Exp(-0.8 * s.Step)
	th.T *= (1 - c) / (1 - c*c)
	eq.Diffusion = th
	return w.Scheme.Bind(integrate.NewSystem(eq, sde.Ito, s.Step, s.Rows))
}

// TestBAOABSuperconvergence takes the friction to infinity, where the points m
// between two half drifts of BAOAB are a Markov chain,
//
//	m′ = q + (h/2)(√T z − h L′(q)),   q = m + (h/2)√T z
//
// whose stationary law comes from its transition matrix, without Monte Carlo. E q²
// then errs at fourth order in h, and the scheme run with a friction of 50/h has
// that expectation.
func TestBAOABSuperconvergence(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const temperature, exact = 0.2, 0.83089535266521
	quad := func(h float64) float64 { return baoabLimit(h, temperature) }
	steps := []float64{0.4, 0.35, 0.3, 0.25}
	var errs []float64
	for _, h := range steps {
		errs = append(errs, quad(h)-exact)
	}
	for i := range steps[1:] {
		order := math.Log(errs[i+1]/errs[i]) / math.Log(steps[i+1]/steps[i])
		t.Logf("h = %g to %g: error %.3g to %.3g, order %.2f", steps[i], steps[i+1], errs[i], errs[i+1], order)
		if math.Abs(order-4) > 0.35 {
			t.Errorf("order %.3f of E q² for γ → ∞ from h = %g to %g, want 4", order, steps[i], steps[i+1])
		}
	}
	particles := 1 << 14
	const h = 0.4
	seed := 2010 + *seedShift
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: temperature}}, Scheme: integrate.BAOAB{Friction: 50 / h},
		Step: h, Particles: particles, Seed: seed, Start: integrate.Points{{-1}, {1}}, Groups: min(64, particles/1024)}
	var m integrate.Moments
	mustRun(t, e, integrate.Schedule{BurnIn: 20, Time: 160, Every: 3.2}, &m)
	s, p := estimateP(m.SecondMoment(0, 0), quad(h))
	accept(t, "BAOAB of large friction: E q² against its quadrature", seed, s, p)
}

// baoabLimit returns E q² of BAOAB on (x²−1)²/4 for γ → ∞.
func baoabLimit(h, temperature float64) float64 {
	const lo, hi, n = -2.8, 2.8, 600
	dx := (hi - lo) / n
	r := h / 2 * math.Sqrt(temperature)
	grad := func(x float64) float64 { return x * (x*x - 1) }
	curv := func(x float64) float64 { return 3*x*x - 1 }
	at := func(i int) float64 { return lo + (float64(i)+0.5)*dx }
	// q = m + rz, m′ = q + rz − (h²/2)L′(q) = 2q − m − (h²/2) L′(q): from m and m′ to q by Newton.
	trans := make([]float64, n*n) // from m (row) to m′
	second := make([]float64, n)  // E q² given m, over the grid's m′
	for i := range n {
		m := at(i)
		var all, sq float64
		q := m
		for j := range n {
			to := at(j)
			for range 50 {
				f := 2*q - m - h*h/2*grad(q) - to
				d := f / (2 - h*h/2*curv(q))
				q -= d
				if math.Abs(d) < 1e-14 {
					break
				}
			}
			z := (q - m) / r
			w := math.Exp(-z*z/2) / (r * math.Abs(2-h*h/2*curv(q))) * dx
			if math.Abs(2*q-m-h*h/2*grad(q)-to) > 1e-10 || 2-h*h/2*curv(q) <= 0 {
				w, q = 0, m
			}
			trans[i*n+j] = w
			all += w
			sq += w * q * q
		}
		for j := range n {
			trans[i*n+j] /= all
		}
		second[i] = sq / all
	}
	p := make([]float64, n)
	for i := range p {
		p[i] = math.Exp(-(at(i)*at(i) - 1) * (at(i)*at(i) - 1) / 4 / temperature)
	}
	next := make([]float64, n)
	for range 1500 {
		clear(next)
		for i, w := range p {
			if w < 1e-30 {
				continue
			}
			for j, k := range trans[i*n : (i+1)*n] {
				next[j] += w * k
			}
		}
		var all, change float64
		for j, v := range next {
			all += v
			change += math.Abs(v - p[j])
		}
		for j := range next {
			p[j] = next[j] / all
		}
		if change < 1e-13*all {
			break
		}
	}
	var all, sum float64
	for i, w := range p {
		all += w
		sum += w * second[i]
	}
	return sum / all
}

// phaseSpace is a density of (q, p) on a periodic grid, carried by the parts of a
// splitting on the double well to spectral accuracy: A and B are shifts by Fourier
// series, O is Mehler's kernel.
type phaseSpace struct {
	n       int
	width   float64 // of q and of p
	f       []float64
	fft     *fourier.FFT
	coeff   []complex128
	row     []float64
	mehler  []float64
	scratch []float64
}

func newPhaseSpace(n int, width, temperature, c float64) *phaseSpace {
	s := &phaseSpace{n: n, width: width, f: make([]float64, n*n), fft: fourier.NewFFT(n), row: make([]float64, n),
		mehler: make([]float64, n*n), scratch: make([]float64, n*n)}
	v := temperature * (1 - c*c)
	for i := range n {
		for j := range n {
			q, p := s.at(i), s.at(j)
			s.f[i*n+j] = math.Exp(-((q*q-1)*(q*q-1)/4 + p*p/2) / temperature)
			u := p - c*q // from momentum i to j
			s.mehler[i*n+j] = math.Exp(-u*u/(2*v)) / math.Sqrt(2*math.Pi*v) * width / float64(n)
		}
	}
	return s
}

func (s *phaseSpace) at(i int) float64 { return (float64(i)/float64(s.n) - 0.5) * s.width }

// shift moves s.row by x.
func (s *phaseSpace) shift(x float64) {
	s.coeff = s.fft.Coefficients(s.coeff, s.row)
	for k := range s.coeff {
		phase := cmplx.Exp(complex(0, -2*math.Pi*float64(k)*x/s.width))
		if 2*k == s.n {
			phase = complex(real(phase), 0)
		}
		s.coeff[k] *= phase / complex(float64(s.n), 0)
	}
	s.row = s.fft.Sequence(s.row, s.coeff)
}

func (s *phaseSpace) a(h float64) {
	for j := range s.n {
		for i := range s.n {
			s.row[i] = s.f[i*s.n+j]
		}
		s.shift(h * s.at(j))
		for i := range s.n {
			s.f[i*s.n+j] = s.row[i]
		}
	}
}

func (s *phaseSpace) b(h float64) {
	for i := range s.n {
		q := s.at(i)
		copy(s.row, s.f[i*s.n:(i+1)*s.n])
		s.shift(-h * q * (q*q - 1))
		copy(s.f[i*s.n:(i+1)*s.n], s.row)
	}
}

func (s *phaseSpace) o() {
	out := mat.NewDense(s.n, s.n, s.scratch)
	out.Mul(mat.NewDense(s.n, s.n, s.f), mat.NewDense(s.n, s.n, s.mehler))
	copy(s.f, s.scratch)
}

// splittingLaw returns E q² of a splitting's stationary law on (x²−1)²/4.
func splittingLaw(name string, h, temperature, friction float64) float64 {
	s := newPhaseSpace(96, 6.4, temperature, math.Exp(-friction*h))
	var last float64
	for {
		for range int(math.Ceil(2 / h)) {
			switch name {
			case "BAOAB":
				s.b(h / 2)
				s.a(h / 2)
				s.o()
				s.a(h / 2)
				s.b(h / 2)
			case "ABOBA":
				s.a(h / 2)
				s.b(h / 2)
				s.o()
				s.b(h / 2)
				s.a(h / 2)
			case "OBABO": // O in one, which leaves q's law
				s.b(h / 2)
				s.a(h)
				s.b(h / 2)
				s.o()
			}
		}
		var all, sum float64
		for i, f := range s.f {
			q := s.at(i / s.n)
			all += f
			sum += f * q * q
		}
		if e := sum / all; math.Abs(e-last) < 3e-8 {
			return e
		} else {
			last = e
		}
	}
}

// TestUnderdampedOrder finds the stationary law of each splitting on the double
// well by quadrature, its error at second order in h, and holds the scheme run in
// the engine to that law.
func TestUnderdampedOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const temperature, exact, friction, big = 0.2, 0.83089535266521, 1.0, 0.4
	particles := 1 << 17
	steps := []float64{0.4, 0.32, 0.25, 0.2, 0.16}
	for i, m := range momenta() {
		var errs []float64
		for _, h := range steps {
			errs = append(errs, splittingLaw(m.name, h, temperature, friction)-exact)
		}
		for l := range steps[1:] {
			// Of C h² + D h⁴ the even order shows in the differences already.
			order := math.Log(errs[l+1]/errs[l]) / math.Log(steps[l+1]/steps[l])
			t.Logf("%s, h = %g: E q² − exact = %.3e, order %.3f", m.name, steps[l+1], errs[l+1], order)
			if math.Abs(order-2) > 0.3 || l == 3 && math.Abs(order-2) > 0.05 {
				t.Errorf("%s, h = %g to %g: order %.3f, want 2", m.name, steps[l], steps[l+1], order)
			}
		}
		seed := uint64(2020+i) + *seedShift
		e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: temperature}}, Scheme: m.of(friction),
			Step: big, Particles: particles, Seed: seed, Start: integrate.Points{{-1}, {1}}, Groups: min(64, particles/1024)}
		var mo integrate.Moments
		mustRun(t, e, integrate.Schedule{BurnIn: 100 * big, Time: 800 * big, Every: 8 * big}, &mo)
		v := mo.SecondMoment(0, 0)
		s, p := estimateP(v, exact+errs[0])
		accept(t, fmt.Sprintf("%s: E q² %v against its quadrature %.6f", m.name, v, exact+errs[0]), seed, s, p)
		s, p = estimateP(v, exact)
		reject(t, m.name+": Boltzmann's E q² for that of the step", seed, s, p)
	}
}

// TestUnderdampedRefusals tables what the splittings refuse.
func TestUnderdampedRefusals(t *testing.T) {
	flow := sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 1}}
	anisotropic := flow
	anisotropic.Diffusion = noise.Func{State: 1, Noise: 1, Of: sde.Constant, B: func(dst, _ []float64, _ float64) { dst[0] = 1 }}
	multiplicative := flow
	multiplicative.Diffusion = noise.Func{State: 1, Noise: 1, Of: sde.Diagonal, B: func(dst, x []float64, _ float64) { dst[0] = x[0] }}
	reflecting := flow
	reflecting.Domain = sde.Box{Lo: []float64{-1}, Hi: []float64{1}}
	for _, m := range momenta() {
		for _, test := range []struct {
			name   string
			scheme integrate.Scheme
			flow   sde.Flow
			says   string
		}{
			{"friction 0", m.of(0), flow, "Friction"},
			{"friction < 0", m.of(-1), flow, "Friction"},
			{"friction NaN", m.of(math.NaN()), flow, "Friction"},
			{"friction Inf", m.of(math.Inf(1)), flow, "Friction"},
			{"noise that is no temperature", m.of(1), anisotropic, "HeavyBall"},
			{"multiplicative noise", m.of(1), multiplicative, "HeavyBall"},
			{"reflecting box", m.of(1), reflecting, "EulerMaruyama"},
		} {
			_, err := integrate.Ensemble{Equation: test.flow, Scheme: test.scheme, Step: 0.1, Particles: 1}.Run(context.Background(), integrate.Schedule{Time: 1})
			if !errors.Is(err, sde.ErrInvalid) || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("%s, %s: error %v", m.name, test.name, err)
			}
		}
		periodic := flow
		periodic.Domain = sde.Box{Lo: []float64{-1}, Hi: []float64{1}, Boundary: sde.Periodic}
		if _, err := (integrate.Ensemble{Equation: periodic, Scheme: m.of(1), Step: 0.1, Particles: 1}).Run(context.Background(), integrate.Schedule{Time: 1}); err != nil {
			t.Errorf("%s, periodic box: %v", m.name, err)
		}
	}
}

// BenchmarkUnderdamped is BenchmarkDoubleWell with the splittings, and momentum SGD's.
func BenchmarkUnderdamped(b *testing.B) {
	for _, scheme := range []integrate.Scheme{integrate.EulerMaruyama{}, integrate.BAOAB{Friction: 1}, integrate.ABOBA{Friction: 1}, integrate.OBABO{Friction: 1},
		integrate.HeavyBall{LearningRate: 0.1, Momentum: 0.9}, integrate.Nesterov{LearningRate: 0.1, Momentum: 0.9}} {
		b.Run(strings.TrimPrefix(fmt.Sprintf("%T", scheme), "integrate."), func(b *testing.B) {
			e := doubleWellEnsemble()
			e.Scheme = scheme
			benchmark(b, e, 2000, "ns/particle-step", 1)
		})
	}
}
