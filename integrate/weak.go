// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// WeakRungeKutta is the stochastic Runge–Kutta scheme of a tableau, of weak order 2
// for any noise, in Itô's calculus. With g_k the columns of the root
//
//	H0_i  = θ + h Σ_j A0_ij a(H0_j) + Σ_j Σ_l B0_ij g_l(H1_j^l) Î_l
//	H1_i^k = θ + h Σ_j A1_ij a(H0_j) + √h Σ_j B1_ij g_k(H1_j^k)
//	H2_i^k = θ + h Σ_j A2_ij a(H0_j) + Σ_j Σ_(l≠k) B2_ij g_l(H1_j^l) Î_kl/√h
//	θ′ = θ + h Σ_i α_i a(H0_i) + Σ_i Σ_k (β1_i Î_k + β2_i Î_kk/√h) g_k(H1_i^k)
//	       + Σ_i Σ_k (β3_i Î_k + β4_i √h) g_k(H2_i^k)
//
// taken at times t + c0_i h, t + c1_i h and t + c2_i h. Î_k = √h ẑ_k has three
// points or is normal, Ĩ_k = ±√h has two, and
//
//	Î_kl = ½(Î_k Î_l − √h Ĩ_k) for k < l, ½(Î_k Î_l + √h Ĩ_l) for l < k, ½(Î_k² − h) for k = l
//
// RI6 and DRI1 are its instances. Source: Rößler, 2009, Second order Runge–Kutta
// methods for Itô stochastic differential equations, eqs. 4.1–4.4; Debrabant &
// Rößler, 2009, Families of efficient second order Runge–Kutta methods for the weak
// approximation of Itô stochastic differential equations.
type WeakRungeKutta struct {
	// Name is what the scheme is called.
	Name string
	// The coefficients of three stages, named as in the formula; rows of matrices
	// may be shorter than they are wide.
	Alpha, C0, C1, C2          []float64
	A0, B0, A1, B1, A2, B2     [][]float64
	Beta1, Beta2, Beta3, Beta4 []float64
	// Gaussian takes normal increments instead of three-point ones.
	Gaussian bool
	// Stability is what the scheme states of itself.
	Stability float64
}

// RI6 is Rößler's scheme of weak order 2 with two gradients a step, for any noise
// in Itô's calculus; see WeakRungeKutta for its form. The order of the stationary
// law is 2. Three-point variables have no paths, hence no strong order; of the
// Gaussian variant it is ½, for commutative noise 1.
//
// Stable on a quadratic of curvature k for hk < 2. Two gradients, 4m+1 roots (two
// for additive noise, when it is Heun's scheme) and one number for each component
// of noise a step, besides m bits. Source: Rößler, 2009, Second order Runge–Kutta
// methods for Itô stochastic differential equations, table 3.
type RI6 struct {
	// Gaussian takes normal increments instead of three-point ones.
	Gaussian bool
}

// DRI1 is RI6 with a third gradient and smaller error constants; without noise it
// is of order 3, and stable on a quadratic of curvature k for hk < 2.5127. Three
// gradients, and as many numbers and bits as RI6 takes. Source:
// Debrabant & Rößler, 2009, Families of efficient second order Runge–Kutta methods
// for the weak approximation of Itô stochastic differential equations, table 4.
type DRI1 struct {
	// Gaussian takes normal increments instead of three-point ones.
	Gaussian bool
}

var (
	_ Scheme = WeakRungeKutta{}
	_ Scheme = RI6{}
	_ Scheme = DRI1{}
)

// Tableau returns the scheme's coefficients.
func (r RI6) Tableau() WeakRungeKutta {
	b1 := [][]float64{{}, {1}, {-1}}
	return WeakRungeKutta{Name: "RI6", Alpha: []float64{1. / 2, 1. / 2, 0}, C0: []float64{0, 1, 0}, C1: []float64{0, 1, 1}, C2: []float64{0, 0, 0},
		A0: [][]float64{{}, {1}}, B0: [][]float64{{}, {1}}, A1: [][]float64{{}, {1}, {1}}, B1: b1, B2: b1,
		Beta1: []float64{1. / 2, 1. / 4, 1. / 4}, Beta2: []float64{0, 1. / 2, -1. / 2},
		Beta3: []float64{-1. / 2, 1. / 4, 1. / 4}, Beta4: []float64{0, 1. / 2, -1. / 2},
		Gaussian: r.Gaussian, Stability: 2}
}

// Tableau returns the scheme's coefficients.
func (r DRI1) Tableau() WeakRungeKutta {
	sqrt := math.Sqrt
	c, b := 342./491, 3*sqrt(38./491)
	p, q := 214./513*sqrt(1105./991), 491./513*sqrt(221./4955)
	return WeakRungeKutta{Name: "DRI1", Alpha: []float64{1. / 6, 2. / 3, 1. / 6}, C0: []float64{0, 1. / 2, 1}, C1: []float64{0, c, c}, C2: []float64{0, 0, 0},
		A0: [][]float64{{}, {1. / 2}, {-1, 2}}, B0: [][]float64{{}, {(6 - sqrt(6)) / 10}, {(3 + 2*sqrt(6)) / 5}},
		A1: [][]float64{{}, {c}, {c}}, B1: [][]float64{{}, {b}, {-b}}, B2: [][]float64{{}, {-p, -q, -q}, {p, q, q}},
		Beta1: []float64{193. / 684, 491. / 1368, 491. / 1368}, Beta2: []float64{0, sqrt(491./38) / 6, -sqrt(491./38) / 6},
		Beta3: []float64{-4955. / 7072, 4955. / 14144, 4955. / 14144}, Beta4: []float64{0, -sqrt(4955./221) / 8, sqrt(4955./221) / 8},
		Gaussian: r.Gaussian, Stability: rk3Limit}
}

// Properties returns what the scheme is; it serves every class.
func (r RI6) Properties(class sde.NoiseClass) (Properties, error) {
	return r.Tableau().Properties(class)
}

// Bind returns the scheme's kernel for a system.
func (r RI6) Bind(s *System) (Kernel, error) { return r.Tableau().Bind(s) }

// Properties returns what the scheme is; it serves every class.
func (r DRI1) Properties(class sde.NoiseClass) (Properties, error) {
	return r.Tableau().Properties(class)
}

// Bind returns the scheme's kernel for a system.
func (r DRI1) Bind(s *System) (Kernel, error) { return r.Tableau().Bind(s) }

// Properties returns what the tableau states; it serves every class.
func (r WeakRungeKutta) Properties(class sde.NoiseClass) (Properties, error) {
	strong := 1.0
	if class == sde.General {
		strong = 0.5
	}
	p := weakProperties(r.Name, class, r.Gaussian, strong)
	p.Stability, p.Gradients = r.Stability, 0
	for i := range r.Alpha {
		if r.used(i) {
			p.Gradients++
		}
	}
	return p, nil
}

// used reports whether the drift of stage i is looked at.
func (r *WeakRungeKutta) used(i int) bool {
	used := r.Alpha[i] != 0
	for j := range r.Alpha {
		used = used || entry(r.A0, j, i) != 0 || entry(r.A1, j, i) != 0 || entry(r.A2, j, i) != 0
	}
	return used
}

// Bind returns the scheme's kernel for a system.
func (r WeakRungeKutta) Bind(s *System) (Kernel, error) {
	if s.Noise == 0 || s.Class >= sde.Additive {
		return AdditiveRungeKutta{Name: r.Name, Alpha: r.Alpha, C0: r.C0, A: r.A0, C1: r.C1, BW: r.B0, Beta1: r.Beta1}.bind(s, weakLaw(r.Gaussian))
	}
	d, m, n := s.State, s.Noise, len(r.Alpha)
	k := &weakRungeKutta{r: r, s: s, law: weakLaw(r.Gaussian), words: (m + 63) / 64,
		f: make([][]float64, n), g: make([][]float64, n), root: make([]float64, d*m),
		z: make([]float64, s.Rows*m), y: sde.NewBatch(1, d), sum: make([]float64, d), pair: make([]float64, m*m), slope: sde.NewBatch(1, d)}
	k.bits = make([]uint64, s.Rows*k.words)
	for i := range n {
		k.f[i], k.g[i] = make([]float64, d), make([]float64, d*m)
	}
	return k, nil
}

// weakRungeKutta takes one particle at a time: what costs is 4m+1 roots.
type weakRungeKutta struct {
	r     WeakRungeKutta
	s     *System
	law   func(z []float64)
	words int
	bits  []uint64
	z     []float64

	f     [][]float64 // a(H0_i)
	g     [][]float64 // g_k(H1_i^k), column after column
	root  []float64
	y     sde.Batch
	slope sde.Batch
	sum   []float64
	pair  []float64 // Î_kl/√h
}

func (k *weakRungeKutta) Step(x sde.Batch, t float64, stream *sde.Stream) {
	m := k.s.Noise
	z := k.z[:x.Rows*m]
	stream.Increments(z)
	if k.law != nil {
		k.law(z)
	}
	bits := k.bits[:x.Rows*k.words]
	if m > 1 {
		stream.Words(bits)
	}
	for i := 0; i < x.Rows; i++ {
		k.particle(x, i, t, z[i*m:(i+1)*m], bits[i*k.words:(i+1)*k.words])
	}
	k.s.row = -1
}

// column stores g_c at θ into dst.
func (k *weakRungeKutta) column(dst, theta []float64, t float64, c int) {
	k.s.diffusion.Root(k.root, theta, t)
	for i := range dst {
		dst[i] = k.root[i*k.s.Noise+c]
	}
}

func (k *weakRungeKutta) particle(x sde.Batch, row int, t float64, z []float64, bits []uint64) {
	s, r, d, m := k.s, &k.r, k.s.State, k.s.Noise
	theta, y := x.Row(row), k.y.Data
	h, sqrtH := s.Step, math.Sqrt(s.Step)
	for a := range m {
		for b := range m {
			w := float64(z[a] * z[b])
			switch sign := func(c int) float64 { return 1 - 2*float64(bits[c/64]>>(c%64)&1) }; {
			case a == b:
				w--
			case a < b:
				w -= sign(a)
			default:
				w += sign(b)
			}
			k.pair[a*m+b] = w / 2 * sqrtH
		}
	}
	for i := range r.Alpha {
		if r.used(i) {
			copy(y, theta)
			k.drift(y, r.A0, i)
			for j := range i {
				if b := entry(r.B0, i, j) * sqrtH; b != 0 {
					for l, v := range z {
						accumulate(y, float64(b*v), k.g[j][l*d:(l+1)*d])
					}
				}
			}
			// The rows of a particle's own batch are what a person's code is asked about.
			c := s.Slope(k.slope, k.y, t+float64(element(r.C0, i)*h))
			for j, v := range k.slope.Data {
				k.f[i][j] = float64(c * v)
			}
		}
		s.row = row
		at := t + float64(element(r.C1, i)*h)
		if i == 0 {
			s.diffusion.Root(k.root, theta, at)
			for l := range m {
				for j := range d {
					k.g[0][l*d+j] = k.root[j*m+l]
				}
			}
			continue
		}
		for l := range m {
			copy(y, theta)
			k.drift(y, r.A1, i)
			for j := range i {
				accumulate(y, sqrtH*entry(r.B1, i, j), k.g[j][l*d:(l+1)*d])
			}
			k.column(k.g[i][l*d:(l+1)*d], y, at, l)
		}
	}
	clear(k.sum)
	for i, a := range r.Alpha {
		accumulate(k.sum, a*h, k.f[i])
		for l, v := range z {
			w := float64(element(r.Beta1, i)*sqrtH*v) + float64(element(r.Beta2, i)*k.pair[l*m+l])
			accumulate(k.sum, w, k.g[i][l*d:(l+1)*d])
		}
	}
	if m > 1 {
		k.cross(theta, t, z)
	}
	for j, v := range k.sum {
		theta[j] += v
	}
}

// cross adds what the components do to each other's roots.
func (k *weakRungeKutta) cross(theta []float64, t float64, z []float64) {
	s, r, d, m, y := k.s, &k.r, k.s.State, k.s.Noise, k.y.Data
	h, sqrtH := s.Step, math.Sqrt(s.Step)
	column := k.slope.Data
	for i := range r.Alpha {
		b3, b4 := element(r.Beta3, i), element(r.Beta4, i)
		if b3 == 0 && b4 == 0 {
			continue
		}
		for c, v := range z {
			copy(y, theta)
			k.drift(y, r.A2, i)
			for j := range r.Alpha {
				if b := entry(r.B2, i, j); b != 0 {
					for l := range m {
						if l != c {
							accumulate(y, float64(b*k.pair[c*m+l]), k.g[j][l*d:(l+1)*d])
						}
					}
				}
			}
			k.column(column, y, t+float64(element(r.C2, i)*h), c)
			accumulate(k.sum, sqrtH*(float64(b3*v)+b4), column)
		}
	}
}

// drift adds h Σ_j a_ij a(H0_j) to y.
func (k *weakRungeKutta) drift(y []float64, a [][]float64, i int) {
	for j := range i {
		accumulate(y, entry(a, i, j)*k.s.Step, k.f[j])
	}
}

// accumulate adds c v to y.
func accumulate(y []float64, c float64, v []float64) {
	if c == 0 {
		return
	}
	for i, x := range v[:len(y)] {
		y[i] = math.FMA(c, x, y[i])
	}
}
