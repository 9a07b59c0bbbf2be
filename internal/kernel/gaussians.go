// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

// Gaussian2 is one term of a sum of Gaussians of the plane,
//
//	A·exp(A11·dx² + A12·dx·dy + A22·dy²),   dx = x−X, dy = y−Y,
//
// the form of the Müller–Brown surface. The quadratic form may have any sign.
//
// Source: K. Müller and L. D. Brown, Location of Saddle Points and Minimum
// Energy Paths by a Constrained Simplex Optimization Procedure, Theoretica
// Chimica Acta 53, 1979.
type Gaussian2 struct{ A, A11, A12, A22, X, Y float64 }

// A gaussian2 is a term made ready: the form to base 2, halved off the diagonal,
//
//	hx = a11·dx + a12·dy, hy = a12·dx + a22·dy:   A·2^(dx·hx + dy·hy), gradient c·2^(…)·(hx, hy).
type gaussian2 struct{ x, y, a11, a12, a22, c float64 }

func (g *Gaussian2) ready() gaussian2 {
	return gaussian2{
		x: g.X, y: g.Y,
		a11: float64(log2e * g.A11), a12: float64(log2e * float64(0.5*g.A12)), a22: float64(log2e * g.A22),
		c: float64(2 * ln2 * g.A),
	}
}

const (
	maxPow = 1000 // exponents to base 2 are cut off at ±maxPow

	// Minimax on |r| ≤ 1/32: 2ʳ = 1 + r·(powA + powB r + …), 9e-18 relative.
	powA = 0x1.62e42fefa39fdp-1
	powB = 0x1.ebfbdff82c5b1p-3
	powC = 0x1.c6b08d6e854fcp-5
	powD = 0x1.3b2ab6f8945d2p-7
	powE = 0x1.5d89c0bdc3372p-10
	powF = 0x1.430cbb4d15e14p-13
)

// pow2Bits holds the bits of 2^(j/16) less j·2⁴⁸, so that k·2⁴⁸ added to entry
// k mod 16 makes the bits of 2^(k/16).
var pow2Bits = func() (b [16]uint64) {
	for j := range b {
		b[j] = math.Float64bits(pow2[j]) - uint64(j)<<48
	}
	return b
}()

// at returns hx, hy and 2^(dx·hx + dy·hy) at a point.
func (g *gaussian2) at(x, y float64) (hx, hy, e float64) {
	dx, dy := x-g.x, y-g.y
	hx = math.FMA(g.a12, dy, float64(g.a11*dx))
	hy = math.FMA(g.a12, dx, float64(g.a22*dy))
	t := math.FMA(dx, hx, float64(dy*hy))
	if !(t > -maxPow) {
		t = -maxPow
	}
	if t > maxPow {
		t = maxPow
	}
	s := t + round
	r := t - (s - round)
	k := math.Float64bits(s)
	e = math.Float64frombits(pow2Bits[k&15] + k<<48)
	p := math.FMA(r, powF, powE)
	p = math.FMA(r, p, powD)
	p = math.FMA(r, p, powC)
	p = math.FMA(r, p, powB)
	p = math.FMA(r, p, powA)
	return hx, hy, math.FMA(e, float64(r*p), e)
}

// Gaussians2 sets the rows of dst to the gradient of the sum of terms at the
// rows of xy; rows are two numbers, so both slices hold x0, y0, x1, y1, …. A
// point's gradient has the bits of Gaussians2One.
//
// Exponents beyond ±693 are cut off there. Against exact arithmetic the error of
// a term is about ε·(2 + 2|exponent|) of it. The slices must be of one even
// length, or Gaussians2 panics; they may be the same slice.
func Gaussians2(dst, xy []float64, terms []Gaussian2) {
	if len(dst) != len(xy) || len(xy)%2 != 0 {
		panic(badLength)
	}
	var buf [16]gaussian2
	if len(terms) <= len(buf) {
		ready := buf[:len(terms)]
		for i := range ready {
			ready[i] = terms[i].ready()
		}
		n := gaussiansASM(dst, xy, ready)
		dst, xy = dst[n:], xy[n:]
		for ; len(xy) >= 2; dst, xy = dst[2:], xy[2:] {
			dst[0], dst[1] = gradient2(xy[0], xy[1], ready)
		}
		return
	}
	for ; len(xy) >= 2; dst, xy = dst[2:], xy[2:] {
		dst[0], dst[1] = Gaussians2One(xy[0], xy[1], terms)
	}
}

func gradient2(x, y float64, terms []gaussian2) (gx, gy float64) {
	for i := range terms {
		hx, hy, e := terms[i].at(x, y)
		e *= terms[i].c
		gx = math.FMA(e, hx, gx)
		gy = math.FMA(e, hy, gy)
	}
	return gx, gy
}

// Gaussians2One returns the gradient of the sum of terms at (x, y).
func Gaussians2One(x, y float64, terms []Gaussian2) (gx, gy float64) {
	for i := range terms {
		g := terms[i].ready()
		hx, hy, e := g.at(x, y)
		e *= g.c
		gx = math.FMA(e, hx, gx)
		gy = math.FMA(e, hy, gy)
	}
	return gx, gy
}

// Gaussians2Value returns the sum of terms at (x, y).
func Gaussians2Value(x, y float64, terms []Gaussian2) float64 {
	var v float64
	for i := range terms {
		g := terms[i].ready()
		_, _, e := g.at(x, y)
		v = math.FMA(terms[i].A, e, v)
	}
	return v
}
