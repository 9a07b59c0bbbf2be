// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
)

// areaCovariance returns the covariance of the areas above the diagonal given the
// increment. They are polynomials of the normals without squares, whose coefficients
// are found one after another.
func areaCovariance(t *testing.T, a integrate.LevyArea, w []float64, terms int) [][]float64 {
	t.Helper()
	m := len(w)
	n := a.Normals(m, terms)
	at := func(scale float64, which ...int) []float64 {
		z, dst := make([]float64, n), make([]float64, m*m)
		for _, i := range which {
			z[i] = scale
		}
		a.Area(dst, w, z, terms)
		var upper []float64
		for i := range m {
			for j := range m {
				if s := dst[i*m+j] + dst[j*m+i]; s != 0 {
					t.Errorf("%T: A_%d%d + A_%d%d = %g", a, i, j, j, i, s)
				}
				if j > i {
					upper = append(upper, dst[i*m+j])
				}
			}
		}
		return upper
	}
	var coefficients [][]float64
	single := make([][]float64, n)
	for i := range n {
		single[i] = at(1, i)
		coefficients = append(coefficients, single[i])
		for k, v := range at(2, i) {
			if math.Abs(v-2*single[i][k]) > 1e-14 {
				t.Errorf("%T: an area is not linear in normal %d", a, i)
			}
		}
		for j := range i {
			c := at(1, i, j)
			for k := range c {
				c[k] -= single[i][k] + single[j][k]
			}
			coefficients = append(coefficients, c)
		}
	}
	for _, v := range at(0) {
		if v != 0 {
			t.Errorf("%T: areas have the mean %g", a, v)
		}
	}
	pairs := m * (m - 1) / 2
	s := make([][]float64, pairs)
	for k := range s {
		s[k] = make([]float64, pairs)
		for l := range s[k] {
			for _, c := range coefficients {
				s[k][l] += c[k] * c[l]
			}
		}
	}
	return s
}

// areaTail is Σ_(r>n) 1/r².
func areaTail(n int) float64 {
	s := math.Pi * math.Pi / 6
	for r := 1; r <= n; r++ {
		s -= 1 / float64(r*r)
	}
	return s
}

// TestLevyAreaCovariance: given the increment w, areas have the covariance
//
//	12 E A_ij A_kl = δ_ik (δ_jl + w_j w_l) + δ_jl w_i w_k − δ_il w_j w_k − δ_jk w_i w_l,   i < j, k < l
//
// with a tail after any number of terms; without one the part Σ_(r>n) 6/(π²r²) is missing.
func TestLevyAreaCovariance(t *testing.T) {
	w := []float64{0.7, -1.3, 0.4, 2.1}
	for m := 2; m <= len(w); m++ {
		w := w[:m]
		var pairs [][2]int
		for i := range m {
			for j := i + 1; j < m; j++ {
				pairs = append(pairs, [2]int{i, j})
			}
		}
		delta := func(i, j int) float64 {
			if i == j {
				return 1
			}
			return 0
		}
		for _, terms := range []int{1, 2, 5} {
			for _, test := range []struct {
				area  integrate.LevyArea
				share float64
			}{
				{integrate.MrongowiusRossler{}, 1}, {integrate.Wiktorsson{}, 1}, {integrate.FourierArea{}, 1 - 6/(math.Pi*math.Pi)*areaTail(terms)},
				{integrate.ZeroArea{}, 0},
			} {
				s := areaCovariance(t, test.area, w, terms)
				for a, p := range pairs {
					for b, q := range pairs {
						i, j, k, l := p[0], p[1], q[0], q[1]
						want := delta(i, k)*(delta(j, l)+w[j]*w[l]) + delta(j, l)*w[i]*w[k] - delta(i, l)*w[j]*w[k] - delta(j, k)*w[i]*w[l]
						if want *= test.share / 12; math.Abs(s[a][b]-want) > 1e-13 {
							t.Errorf("%T, m = %d, %d terms: E A_%d%d A_%d%d = %.15g given the increment, exact %.15g", test.area, m, terms, i, j, k, l, s[a][b], want)
						}
					}
				}
			}
		}
	}
	// The planted fault: Davie's area of doubled variance.
	if s := areaCovariance(t, doubled{}, w[:2], 1)[0][0]; math.Abs(s-(1+w[0]*w[0]+w[1]*w[1])/12) < 0.05 {
		t.Errorf("planted fault not found: a doubled variance gives %g", s)
	}
}

// doubled is the tail of MrongowiusRossler with a planted fault.
type doubled struct{ integrate.MrongowiusRossler }

func (d doubled) Area(dst, w, normals []float64, terms int) {
	tail := normals[2*len(w)*terms:]
	for i := range tail {
		tail[i] *= math.Sqrt2
	}
	d.MrongowiusRossler.Area(dst, w, normals, terms)
}

// TestLevyAreaTerms: as many terms as keep the error that is stated below the tolerance,
// and no fewer than the fewest. What FourierArea lacks is known exactly.
func TestLevyAreaTerms(t *testing.T) {
	for _, m := range []int{2, 5} {
		for _, tolerance := range []float64{0.3, 0.03, 0.002} {
			for _, test := range []struct {
				area integrate.LevyArea
				err  func(n float64) float64
			}{
				{integrate.MrongowiusRossler{}, func(n float64) float64 { return math.Sqrt(float64(m)/12) / (math.Pi * n) }},
				{integrate.Wiktorsson{}, func(n float64) float64 { return math.Sqrt(5*float64(m)/12) / (math.Pi * n) }},
				{integrate.FourierArea{}, func(n float64) float64 { return math.Sqrt(1.5/n) / math.Pi }},
			} {
				n := test.area.Terms(m, tolerance)
				if !(test.err(float64(n)) <= tolerance) || n > 1 && test.err(float64(n-1)) < tolerance {
					t.Errorf("%T: %d terms for m = %d and a tolerance of %g", test.area, n, m, tolerance)
				}
				if _, ok := test.area.(integrate.FourierArea); ok && n < 1e5 {
					if lacks := math.Sqrt(1.5*areaTail(n)) / math.Pi; lacks > tolerance {
						t.Errorf("Fourier's series of %d terms lacks %g, more than %g", n, lacks, tolerance)
					}
				}
			}
		}
	}
}

// TestLevyAreaLaw holds areas of two components to their density 1/cosh(πx); a series
// without its tail is rejected.
func TestLevyAreaLaw(t *testing.T) {
	const n = 1 << 13
	seed := 340 + *seedShift
	for i, test := range []struct {
		area  integrate.LevyArea
		terms int
		right bool
	}{{integrate.MrongowiusRossler{}, 10, true}, {integrate.Wiktorsson{}, 10, true}, {integrate.FourierArea{}, 1, false}, {doubled{}, 1, false}} {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w, z, dst := make([]float64, 2), make([]float64, test.area.Normals(2, test.terms)), make([]float64, 4)
		u := make([]float64, n)
		for j := range u {
			for k := range w {
				w[k] = r.NormFloat64()
			}
			for k := range z {
				z[k] = r.NormFloat64()
			}
			test.area.Area(dst, w, z, test.terms)
			u[j] = 2 / math.Pi * math.Atan(math.Exp(math.Pi*dst[1]))
		}
		slices.Sort(u)
		var d float64
		for j, v := range u {
			d = math.Max(d, math.Max(float64(j+1)/n-v, v-float64(j)/n))
		}
		// Kolmogorov's law, to its first term, which bounds it (Massart, 1990).
		p := math.Min(1, 2*math.Exp(-2*n*d*d))
		what := fmt.Sprintf("%T of %d terms: largest distance from the law %.4f", test.area, test.terms, d)
		if test.right {
			accept(t, what, seed, d, p)
		} else {
			reject(t, what, seed, d, p)
		}
	}
}

// TestLevyAreaMilstein: Milstein's scheme has the right iterated integrals with each.
func TestLevyAreaMilstein(t *testing.T) {
	for _, area := range []integrate.LevyArea{integrate.MrongowiusRossler{}, integrate.Wiktorsson{}, integrate.FourierArea{}} {
		integratetest.Test(t, integrate.Milstein{Area: area}, integratetest.Options{
			Skip: []string{"strong order", "weak order", "invariant measure", "quadratic", "consistency", "gradients"}})
	}
}
