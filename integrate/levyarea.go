// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// LevyArea simulates the Lévy areas of a Brownian motion of m components over a
// step, given its increment, as scaled to a step of 1,
//
//	A_jk = ½ (∫ W_j dW_k − ∫ W_k dW_j)/h,   j, k = 0 … m−1
//
// from a series that is cut off after n terms. What the areas lack then has a
// standard deviation that each implementation states.
type LevyArea interface {
	// Terms returns the number of terms that keep the root mean square error of
	// every A_jk below a tolerance; at least 1.
	Terms(m int, tolerance float64) int
	// Normals returns how many standard normals the areas of m components take.
	Normals(m, terms int) int
	// Area stores the antisymmetric matrix A into dst, of length m², given the unit
	// normals w of the increment and Normals(m, terms) others.
	// It may change the normals, and must not allocate.
	Area(dst, w, normals []float64, terms int)
}

// MrongowiusRossler is the series of FourierArea with a Gaussian tail of the right
// covariance given W, for which no matrix root is needed. Error after n terms:
//
//	√m / (√12 π n)
//
// Source: Mrongowius & Rößler, 2022, On the approximation and simulation of
// iterated stochastic integrals and the corresponding Lévy areas in terms of a
// multidimensional Brownian motion, algorithm 4 and theorem 4.
type MrongowiusRossler struct{}

// Wiktorsson is the series of FourierArea with a Gaussian tail whose covariance
// root is known in closed form. Error after n terms:
//
//	√(5m) / (√12 π n)
//
// Source: Wiktorsson, 2001, Joint characteristic function and simultaneous
// simulation of iterated Itô integrals for multiple independent Brownian motions,
// eqs. 4.5–4.8.
type Wiktorsson struct{}

// FourierArea is the truncated Fourier series of the Brownian bridge, without a tail:
//
//	A = (1/2π) Σ_r (1/r) (X_r (Y_r − √2 W)ᵀ − (Y_r − √2 W) X_rᵀ),   X_r, Y_r ~ N(0, I)
//
// Its areas have too small a variance. Error after n terms, for which it needs
// the square of the others' terms:
//
//	√3 / (√2 π √n)
//
// Source: Kloeden, Platen & Wright, 1992, The approximation of multiple stochastic
// integrals; the error by Mrongowius & Rößler, 2022, theorem 1.
type FourierArea struct{}

// ZeroArea leaves the areas out. Milstein's scheme is then "truncated": for general
// noise of strong order ½ only, as it is without its last term, but with antithetic
// paths (Multilevel.Antithetic) what is missing cancels.
type ZeroArea struct{}

var (
	_ LevyArea = ZeroArea{}
	_ LevyArea = MrongowiusRossler{}
	_ LevyArea = Wiktorsson{}
	_ LevyArea = FourierArea{}
)

// Terms implements LevyArea.
func (ZeroArea) Terms(m int, tolerance float64) int { return 1 }

// Normals implements LevyArea.
func (ZeroArea) Normals(m, terms int) int { return 0 }

// Area implements LevyArea.
func (ZeroArea) Area(dst, w, normals []float64, terms int) { clear(dst) }

const maxTerms = 1 << 20

func terms(n float64) int { return int(math.Min(math.Max(math.Ceil(n), 1), maxTerms)) }

// Terms implements LevyArea.
func (MrongowiusRossler) Terms(m int, tolerance float64) int {
	return terms(math.Sqrt(float64(m)/12) / (math.Pi * tolerance))
}

// Normals implements LevyArea.
func (MrongowiusRossler) Normals(m, terms int) int { return 2*m*terms + m + m*(m-1)/2 }

// Area implements LevyArea.
func (MrongowiusRossler) Area(dst, w, normals []float64, terms int) {
	m := len(w)
	rest := fourier(dst, w, normals, terms)
	a := math.Sqrt(2 * tail(terms))
	psi, upper := rest[:m], rest[m:]
	for i := range m {
		for j := i + 1; j < m; j++ {
			dst[i*m+j] += float64(a * (float64(w[i]*psi[j]) - float64(w[j]*psi[i]) + upper[0]))
			upper = upper[1:]
		}
	}
	antisymmetric(dst, m)
}

// Terms implements LevyArea.
func (Wiktorsson) Terms(m int, tolerance float64) int {
	return terms(math.Sqrt(5*float64(m)/12) / (math.Pi * tolerance))
}

// Normals implements LevyArea.
func (Wiktorsson) Normals(m, terms int) int { return 2*m*terms + m*(m-1)/2 + m }

// Area implements LevyArea.
func (Wiktorsson) Area(dst, w, normals []float64, terms int) {
	m := len(w)
	rest := fourier(dst, w, normals, terms)
	// √Σ G = (ΣG + 2√(1+|W|²) G)/(√2 (1+√(1+|W|²))), ΣG = 2G + 2(GWWᵀ + WWᵀG).
	upper, gw := rest[:m*(m-1)/2], rest[m*(m-1)/2:][:m]
	q := 1.0
	for _, v := range w {
		q += float64(v * v)
	}
	q = math.Sqrt(q)
	clear(gw)
	n := 0
	for i := range m {
		for j := i + 1; j < m; j++ {
			gw[i] += float64(upper[n] * w[j])
			gw[j] -= float64(upper[n] * w[i])
			n++
		}
	}
	a := math.Sqrt(tail(terms)) / (math.Sqrt2 * (1 + q))
	n = 0
	for i := range m {
		for j := i + 1; j < m; j++ {
			g := upper[n]
			// (WWᵀG)_ij = −w_i (GW)_j, as G is antisymmetric.
			s := float64(2*g*(1+q)) + float64(2*(float64(gw[i]*w[j])-float64(w[i]*gw[j])))
			dst[i*m+j] += float64(a * s)
			n++
		}
	}
	antisymmetric(dst, m)
}

// Terms implements LevyArea.
func (FourierArea) Terms(m int, tolerance float64) int {
	return terms(1.5 / (math.Pi * math.Pi * tolerance * tolerance))
}

// Normals implements LevyArea.
func (FourierArea) Normals(m, terms int) int { return 2 * m * terms }

// Area implements LevyArea.
func (FourierArea) Area(dst, w, normals []float64, terms int) {
	fourier(dst, w, normals, terms)
	antisymmetric(dst, len(w))
}

// fourier stores 2π times the truncated series into dst above the diagonal and
// returns the normals that it did not take.
func fourier(dst, w, normals []float64, terms int) (rest []float64) {
	m := len(w)
	clear(dst)
	for r := 1; r <= terms; r++ {
		x, y := normals[:m], normals[m:2*m]
		normals = normals[2*m:]
		inverse := 1 / float64(r)
		for i, v := range y {
			y[i] = float64(inverse * (v - float64(math.Sqrt2*w[i])))
		}
		for i := range m {
			for j := i + 1; j < m; j++ {
				dst[i*m+j] += float64(x[i]*y[j]) - float64(y[i]*x[j])
			}
		}
	}
	return normals
}

// antisymmetric divides what is above the diagonal by 2π and completes it.
func antisymmetric(dst []float64, m int) {
	for i := range m {
		for j := i + 1; j < m; j++ {
			dst[i*m+j] /= 2 * math.Pi
			dst[j*m+i] = -dst[i*m+j]
		}
	}
}

// tail returns Σ_(r>n) 1/r², the trigamma function at n+1.
func tail(n int) float64 {
	if n > 1000 {
		x := float64(n) + 0.5
		return 1/x - 1/(12*x*x*x)
	}
	s := math.Pi * math.Pi / 6
	for r := 1; r <= n; r++ {
		s -= 1 / float64(r*r)
	}
	return s
}

// areas draws the Lévy areas of the steps of a stream, one particle after another.
type areas struct {
	method     LevyArea
	m, n       int
	h, within  float64 // of the step; error of an area over √h, at most
	pieces     int     // that n is for
	normals    []float64
	area, fine []float64 // m² for each particle; of one piece
	fineZ, sum []float64
}

// newAreas returns areas for blocks of up to rows particles whose errors are
// below accuracy·√h, as they are scaled to a step of 1.
func newAreas(method LevyArea, m, rows int, h, accuracy float64) *areas {
	a := &areas{method: method, m: m, h: h, within: accuracy,
		area: make([]float64, rows*m*m), fine: make([]float64, m*m), fineZ: make([]float64, rows*m), sum: make([]float64, rows*m)}
	a.couple(1)
	return a
}

// couple takes as many terms as a piece of a step asks for, so that the areas of
// coarse steps are composed of those that fine steps have.
func (a *areas) couple(pieces int) {
	if pieces == a.pieces {
		return
	}
	a.pieces = pieces
	a.n = a.method.Terms(a.m, a.within*math.Sqrt(a.h/float64(pieces)))
	a.normals = make([]float64, a.method.Normals(a.m, a.n))
}

// draw fills z with the unit normals of the step's increments and a.area with the
// areas of all particles. Those of a coupled stream are composed of its pieces'
// by Chen's relation,
//
//	h A_jk = δ Σ_i A_jk^i + ½ Σ_(i'<i) (w_j^i' w_k^i − w_k^i' w_j^i),   δ = h/n
func (a *areas) draw(z []float64, stream *sde.Stream) {
	m, pieces := a.m, stream.Pieces()
	mm := m * m
	a.couple(pieces)
	if pieces == 1 {
		stream.Increments(z)
		for i := 0; i*m < len(z); i++ {
			stream.Normals(a.normals)
			a.method.Area(a.area[i*mm:(i+1)*mm], z[i*m:(i+1)*m], a.normals, a.n)
		}
		return
	}
	stream.Increments(z)
	sum, fine := a.sum[:len(z)], a.fineZ[:len(z)]
	clear(sum)
	clear(a.area)
	for p := range pieces {
		piece := stream.Piece(p)
		piece.Increments(fine)
		for i := 0; i*m < len(z); i++ {
			piece.Normals(a.normals)
			w, s, area := fine[i*m:(i+1)*m], sum[i*m:(i+1)*m], a.area[i*mm:(i+1)*mm]
			a.method.Area(a.fine, w, a.normals, a.n)
			for j := range m {
				for c := range m {
					area[j*m+c] += a.fine[j*m+c] + float64((float64(s[j]*w[c])-float64(s[c]*w[j]))/2)
				}
			}
		}
		kernel.Axpy(sum, 1, fine)
	}
	kernel.Scale(a.area, 1/float64(pieces), a.area)
}
