// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/sde"
)

// toy is a scheme for tests: properties, the least class that is served, and a step.
type toy struct {
	stated integrate.Properties
	least  sde.NoiseClass
	step   func(s *integrate.System) func(x sde.Batch, t float64, stream *sde.Stream)
}

func (s toy) Properties(class sde.NoiseClass) (integrate.Properties, error) {
	if class < s.least {
		return integrate.Properties{}, fmt.Errorf("toy: %v noise: take EulerMaruyama (%w)", class, sde.ErrUnsupported)
	}
	return s.stated, nil
}

func (s toy) Bind(sys *integrate.System) (integrate.Kernel, error) { return kernel(s.step(sys)), nil }

type kernel func(x sde.Batch, t float64, stream *sde.Stream)

func (k kernel) Step(x sde.Batch, t float64, stream *sde.Stream) { k(x, t, stream) }

// milsteinOfTwo is Milstein's scheme for two components of noise, with areas that are
// multiplied by a factor: 1 is right.
func milsteinOfTwo(factor float64) integrate.Scheme {
	area := integrate.MrongowiusRossler{}
	return toy{integrate.Properties{Name: "Milstein", Strong: 1, Weak: 1, Invariant: 1, Gradients: 1, Normals: 1}, sde.General,
		func(s *integrate.System) func(x sde.Batch, t float64, stream *sde.Stream) {
			d, m := s.State, s.Noise
			jacobian := sde.JacobianOf(s.Equation, d, m)
			root, rate, drift, z, fine, sum := make([]float64, d*m), make([]float64, d*m*d), sde.NewBatch(s.Rows, d), make([]float64, s.Rows*m), make([]float64, s.Rows*m), make([]float64, s.Rows*m)
			areas, one := make([]float64, s.Rows*m*m), make([]float64, m*m)
			var normals []float64
			return func(x sde.Batch, t float64, stream *sde.Stream) {
				a, pieces, z := drift.Slice(0, x.Rows), stream.Pieces(), z[:x.Rows*m]
				c := s.Slope(a, x, t)
				stream.Increments(z)
				// Chen's relation over the pieces of a coupled step.
				clear(areas)
				clear(sum)
				if m > 1 {
					terms := area.Terms(m, math.Sqrt(s.Step/float64(pieces)))
					if n := area.Normals(m, terms); len(normals) != n {
						normals = make([]float64, n)
					}
					for p := range pieces {
						from := stream
						if pieces > 1 {
							from = stream.Piece(p)
							from.Increments(fine[:len(z)])
						} else {
							copy(fine, z)
						}
						for i := range x.Rows {
							from.Normals(normals)
							w, u := fine[i*m:(i+1)*m], sum[i*m:(i+1)*m]
							area.Area(one, w, normals, terms)
							for j := range m * m {
								areas[i*m*m+j] += (one[j] + (u[j/m]*w[j%m]-u[j%m]*w[j/m])/2) / float64(pieces)
							}
							for j := range m {
								u[j] += w[j]
							}
						}
					}
				}
				for i := range x.Rows {
					row, w := x.Row(i), z[i*m:(i+1)*m]
					s.Equation.Root(root, row, t)
					jacobian(rate, row, t)
					for k := range d {
						row[k] += s.Step * c * a.Row(i)[k]
						for j := range m {
							row[k] += root[k*m+j] * math.Sqrt(s.Step) * w[j]
						}
					}
					for j := range m {
						for l := range m {
							v := w[j]*w[l]/2 + factor*areas[i*m*m+j*m+l]
							if j == l {
								v -= 0.5
							}
							for k := range d {
								for p := range d {
									row[k] += s.Step * v * root[p*m+j] * rate[(k*m+l)*d+p]
								}
							}
						}
					}
				}
			}
		}}
}

// davie is the area of Davie and of Foster: ½ of it by the space-time areas, and the
// rest, of variance 1/12 if it is right, an independent normal.
type davie struct{ rest float64 }

func (davie) Terms(int, float64) int { return 1 }
func (davie) Normals(m, _ int) int   { return m + m*m }
func (a davie) Area(dst, w, n []float64, _ int) {
	m := len(w)
	for i := range m {
		for j := range i {
			v := (n[i]*w[j]-n[j]*w[i])/math.Sqrt(12) + math.Sqrt(a.rest)*n[m+i*m+j]
			dst[i*m+j], dst[j*m+i] = v, -v
		}
		dst[i*m+i] = 0
	}
}

// sra3 and sra1 are Rößler's schemes with a coefficient multiplied.
func sra3(beta2 float64) integrate.Scheme {
	r := integrate.SRA3{}.Tableau()
	r.Beta2 = []float64{-beta2, beta2, 0}
	return r
}

func sra1(b float64) integrate.Scheme {
	r := integrate.SRA1{}.Tableau()
	r.BW, r.BH = [][]float64{{}, {b / 2}}, [][]float64{{}, {b}}
	return r
}

// heun is the Runge–Kutta scheme of two stages, with its noise inside the second
// stage, where it belongs, or not.
func heun(inside bool) integrate.Scheme {
	r := integrate.AdditiveRungeKutta{Name: "Heun", Alpha: []float64{0.5, 0.5}, C0: []float64{0, 1}, A: [][]float64{{}, {1}},
		C1: []float64{0, 1}, BW: [][]float64{{}, {1}}, Beta1: []float64{0.5, 0.5}, Strong: 1, Weak: 2, Invariant: 2, Stability: 2}
	if !inside {
		r.BW = nil
	}
	return r
}

// splitting is BAOAB of friction 1 with a row of (q, p), the gradient taken twice. What
// O does to the noise is for the caller to say.
type splitting struct{ toy }

func (splitting) Width(d int) int { return 2 * d }

func baoab(spread func(c, h float64) float64) integrate.Scheme {
	return splitting{toy{integrate.Properties{Name: "BAOAB", Invariant: 2, Gradients: 2, Normals: 1}, sde.Constant,
		func(s *integrate.System) func(x sde.Batch, t float64, stream *sde.Stream) {
			g, q, z := sde.NewBatch(s.Rows, s.State), sde.NewBatch(s.Rows, s.State), make([]float64, s.Rows*s.State)
			h, c, d := s.Step, math.Exp(-s.Step), s.State
			return func(x sde.Batch, t float64, stream *sde.Stream) {
				g, q, z := g.Slice(0, x.Rows), q.Slice(0, x.Rows), z[:x.Rows*d]
				kick := func() {
					for i := range x.Rows {
						copy(q.Row(i), x.Row(i)[:d])
					}
					f := s.Slope(g, q, t)
					for i := range x.Rows {
						for j, v := range g.Row(i) {
							x.Row(i)[d+j] += h / 2 * f * v
						}
					}
				}
				drift := func() {
					for i := range x.Rows {
						for j := range d {
							x.Row(i)[j] += h / 2 * x.Row(i)[d+j]
						}
					}
				}
				scale, _ := s.Isotropic(t) // √(2T)
				stream.Increments(z)
				kick()
				drift()
				for i := range x.Rows {
					for j := range d {
						p := &x.Row(i)[d+j]
						*p = c**p + scale/math.Sqrt2*spread(c, h)*z[i*d+j]
					}
				}
				drift()
				kick()
			}
		}}}
}

// adaptive is Euler–Maruyama that takes two steps of half the length where the
// increment is large, on the same Brownian path, or on another one drawn instead.
func adaptive(redraw bool) integrate.Scheme {
	return toy{integrate.Properties{Name: "adaptive", Strong: 0.5, Weak: 1, Invariant: 1, Gradients: 2, Normals: 2}, sde.Additive,
		func(s *integrate.System) func(x sde.Batch, t float64, stream *sde.Stream) {
			n := s.Rows * s.State
			a, b, z, more := sde.NewBatch(s.Rows, s.State), sde.NewBatch(s.Rows, s.State), make([]float64, n), make([]float64, n)
			return func(x sde.Batch, t float64, stream *sde.Stream) {
				z, more, a, b := z[:x.Rows*s.Noise], more[:x.Rows*s.Noise], a.Slice(0, x.Rows), b.Slice(0, x.Rows)
				stream.Increments(z)
				stream.Normals(more)
				h := s.Step / 2
				for half := range 2 {
					c := s.Slope(a, x, t+float64(half)*h)
					for i, v := range z {
						// A bridge: halves of the increment, plus and minus an independent normal.
						w := (v + more[i]*float64(1-2*half)) / math.Sqrt2
						if redraw && math.Abs(v) > 1 {
							w = more[i] // and the second half as well
						}
						z[i], more[i] = w, v
					}
					s.Spread(b, x, t+float64(half)*h, z)
					for i := range x.Rows {
						for j := range x.Cols {
							x.Row(i)[j] += h*c*a.Row(i)[j] + math.Sqrt(h)*b.Row(i)[j]
						}
					}
					// What z was, and the bridge's normal, for the second half.
					for i, w := range z {
						v := more[i]
						z[i], more[i] = v, math.Sqrt2*w-v
						if redraw && math.Abs(v) > 1 {
							more[i] = w
						}
					}
				}
			}
		}}
}

// TestFaults: each fault that is known from other libraries, or from students, is
// found by the checks named, and the same scheme without it passes.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for _, test := range []struct {
		name         string
		right, wrong integrate.Scheme
		found        []string // the checks that must find it; others may
		skip         []string // what is not looked at, to save time or since the toy does not claim it
		paths        int
	}{
		{"Lévy areas with the sign swapped", milsteinOfTwo(1), milsteinOfTwo(-1), []string{"strong order"}, []string{"weak order", "invariant measure", "consistency", "invariance"}, 1024},
		{"no Lévy areas", nil, milsteinOfTwo(0), []string{"areas"}, []string{"strong order", "weak order", "invariant measure", "consistency", "invariance"}, 0},
		{"Davie's area of doubled variance", integrate.Milstein{Area: davie{1. / 12}}, integrate.Milstein{Area: davie{1. / 6}}, []string{"areas"}, []string{"strong order"}, 0},
		{"SRA3 with β₂ of the other sign", sra3(1), sra3(-1), []string{"weak order: the error of mean and variance at time 1 of dX = t dW", "strong order: dX = t dW"}, nil, 0},
		{"SRA1 with ½ for 3/2", sra1(1.5), sra1(0.5), []string{"quadratic", "weak order", "invariant measure", "strong order"}, nil, 0},
		{"noise outside of the stage", heun(true), heun(false), []string{"quadratic", "weak order", "invariant measure"}, nil, 0},
		{"an O-step of √(2γh) for √(1−c²)", baoab(func(c, _ float64) float64 { return math.Sqrt(1 - c*c) }), baoab(func(_, h float64) float64 { return math.Sqrt(2 * h) }), []string{"quadratic"}, nil, 0},
		{"an O-step of 1−c for 1−c²", baoab(func(c, _ float64) float64 { return math.Sqrt(1 - c*c) }), baoab(func(c, _ float64) float64 { return math.Sqrt(1 - c) }), []string{"quadratic"}, nil, 0},
		{"steps that are rejected and drawn again", adaptive(false), adaptive(true), []string{"consistency", "increments"}, []string{"invariant measure", "quadratic"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := integratetest.Options{Skip: test.skip, Paths: test.paths}
			if test.right != nil {
				integratetest.Test(t, test.right, o)
			}
			err := integratetest.Check(test.wrong, o)
			for _, check := range test.found {
				if err == nil || !strings.Contains("\n"+err.Error(), "\n"+check) {
					t.Errorf("%s did not find the planted fault: %v", check, err)
				}
			}
		})
	}
}
