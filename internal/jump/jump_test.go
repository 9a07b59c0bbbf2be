// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package jump

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// newProcess returns a process of n states, to be built by add and next.
func newProcess(n int) *Process {
	return &Process{Start: make([]int, 1, n+1), Kill: make([]float64, n)}
}

func (p *Process) add(to int, rate float64) {
	p.To, p.Rate = append(p.To, int32(to)), append(p.Rate, rate)
}

func (p *Process) next() { p.Start = append(p.Start, len(p.To)) }

// random returns a process on a grid with jumps to some of the eight neighbours, its
// rates spread over so many decades.
func random(src *rand.Rand, nx, ny int, wrapX, wrapY bool, decades, kill float64) *Process {
	p := newProcess(nx * ny)
	for i := range nx {
		for j := range ny {
			for di := -1; di <= 1; di++ {
				for dj := -1; dj <= 1; dj++ {
					a, b := i+di, j+dj
					if wrapX {
						a = (a + nx) % nx
					}
					if wrapY {
						b = (b + ny) % ny
					}
					if a < 0 || nx <= a || b < 0 || ny <= b || a == i && b == j || di*dj != 0 && src.Float64() < 0.5 {
						continue
					}
					p.add(a*ny+b, math.Pow(10, decades*(src.Float64()-0.5)))
				}
			}
			if src.Float64() < kill {
				p.Kill[i*ny+j] = src.Float64()
			}
			p.next()
		}
	}
	return p
}

// dense returns −Q.
func dense(p *Process) *mat.Dense {
	n := p.States()
	q := mat.NewDense(n, n, nil)
	for i := range n {
		q.Set(i, i, q.At(i, i)+p.Kill[i])
		for k := p.Start[i]; k < p.Start[i+1]; k++ {
			j := int(p.To[k])
			q.Set(i, j, q.At(i, j)-p.Rate[k])
			q.Set(i, i, q.At(i, i)+p.Rate[k])
		}
	}
	return q
}

func worst(got, want []float64) float64 {
	e, size := 0.0, 0.0
	for i, w := range want {
		e = math.Max(e, math.Abs(got[i]-w))
		size = math.Max(size, math.Abs(w))
	}
	return e / size
}

// Against gonum's dense LU.
func TestAgainstDense(t *testing.T) {
	t.Parallel()
	src := rand.New(rand.NewPCG(1, 2))
	for _, g := range [][2]int{{1, 1}, {1, 7}, {40, 1}, {5, 4}, {13, 17}, {20, 11}} {
		for wrap := range 4 {
			wrapX, wrapY := wrap&1 != 0, wrap&2 != 0
			nx, ny := g[0], g[1]
			name := fmt.Sprintf("%d×%d, wrap %t %t", nx, ny, wrapX, wrapY)
			p := random(src, nx, ny, wrapX, wrapY, 2, 0.1)
			p.Kill[0] = 0.3
			n := nx * ny
			f, err := GridOrder(nx, ny, wrapX, wrapY).Factor(p)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !f.Ends() {
				t.Errorf("%s: does not end", name)
			}
			b := make([]float64, n)
			for i := range b {
				b[i] = src.NormFloat64()
			}
			var lu mat.LU
			lu.Factorize(dense(p))
			for _, forward := range []bool{false, true} {
				var want mat.VecDense
				if err := lu.SolveVecTo(&want, forward, mat.NewVecDense(n, append([]float64(nil), b...))); err != nil {
					t.Fatal(err)
				}
				got := append([]float64(nil), b...)
				if forward {
					f.Forward(got)
				} else {
					f.Backward(got)
				}
				if e := worst(got, want.RawVector().Data); e > 1e-11 {
					t.Errorf("%s, forward %t: off by %.2g", name, forward, e)
				}
				// And the residual, by the process itself.
				q := make([]float64, n)
				if forward {
					p.Forward(q, got)
				} else {
					p.Backward(q, got)
				}
				for i := range q {
					q[i] = -q[i]
				}
				if e := worst(q, b); e > 1e-10 {
					t.Errorf("%s, forward %t: residual %.2g", name, forward, e)
				}
			}
		}
	}
}

// A process that does not end: its law is the null vector, and it is grounded in one
// state for all else.
func TestStationary(t *testing.T) {
	t.Parallel()
	src := rand.New(rand.NewPCG(3, 4))
	for _, g := range [][2]int{{1, 9}, {9, 12}, {31, 6}} {
		p := random(src, g[0], g[1], true, false, 3, 0)
		n := p.States()
		f, err := GridOrder(g[0], g[1], true, false).Factor(p)
		if err != nil {
			t.Fatal(err)
		}
		pi, flow := make([]float64, n), make([]float64, n)
		for i := range pi {
			pi[i] = math.NaN() // what was there before does not matter
		}
		f.Stationary(pi)
		p.Forward(flow, pi)
		sum := 0.0
		for i, v := range pi {
			sum += v
			leaving := 0.0
			for k := p.Start[i]; k < p.Start[i+1]; k++ {
				leaving += p.Rate[k] * v
			}
			if math.Abs(flow[i]) > 1e-14*leaving {
				t.Errorf("state %d: flow %g of %g", i, flow[i], leaving)
			}
		}
		if math.Abs(sum-1) > 1e-14 || f.Ends() {
			t.Errorf("sum %g, ends %t", sum, f.Ends())
		}
		// −Q u = b has a solution if π·b = 0.
		b, mean := make([]float64, n), 0.0
		for i := range b {
			b[i] = src.NormFloat64()
			mean += pi[i] * b[i]
		}
		for i := range b {
			b[i] -= mean
		}
		u, q := append([]float64(nil), b...), make([]float64, n)
		f.Backward(u)
		p.Backward(q, u)
		for i := range q {
			q[i] = -q[i]
		}
		if e := worst(q, b); e > 1e-8 {
			t.Errorf("grounded: residual %.2g", e)
		}
	}
}

// Each number keeps its digits over hundreds of powers of ten, where a matrix of
// condition 1e300 would be singular to any solver that subtracts: a walk up a hill of
// height e^300 and down, whose law and passage time are sums of powers.
func TestManyDecades(t *testing.T) {
	t.Parallel()
	const n, up = 301, 0.1 // ten steps up for each factor of ten
	p := newProcess(n)
	middle := n / 2
	for i := range n {
		out := 1.0
		if i > 0 {
			r := out
			if i <= middle {
				r = 1
			} else {
				r = up
			}
			p.add(i-1, r)
		}
		if i < n-1 {
			r := up
			if i >= middle {
				r = 1
			}
			p.add(i+1, r)
		}
		p.next()
	}
	o := GridOrder(n, 1, false, false)
	f, err := o.Factor(p)
	if err != nil {
		t.Fatal(err)
	}
	pi := make([]float64, n)
	f.Stationary(pi)
	for i, v := range pi { // up one step costs a factor of ten
		want := pi[0] * math.Pow(up, float64(min(i, n-1-i)))
		if math.Abs(v/want-1) > 1e-12 {
			t.Fatalf("π_%d = %g, want %g", i, v, want)
		}
	}
	p.Kill[n-1] = 1
	f, err = o.Factor(p)
	if err != nil {
		t.Fatal(err)
	}
	tau := make([]float64, n)
	for i := range tau {
		tau[i] = 1
	}
	f.Backward(tau)
	// τ_i − τ_{i+1} = Σ_{j≤i} π_j / (π_i r_i)
	sum, want := 0.0, 0.0
	for i := range n - 1 {
		sum += pi[i]
		r := up
		if i >= middle {
			r = 1
		}
		want += sum / (pi[i] * r)
	}
	want += (sum + pi[n-1]) / pi[n-1]
	if math.Abs(tau[0]/want-1) > 1e-12 || want < 1e140 {
		t.Errorf("τ = %g, want %g", tau[0], want)
	}
}

func TestTrapped(t *testing.T) {
	t.Parallel()
	p := newProcess(4) // two pairs that do not meet
	for i := range 4 {
		p.add(i^1, 1)
		p.next()
	}
	if _, err := GridOrder(4, 1, false, false).Factor(p); !errors.Is(err, ErrTrapped) {
		t.Errorf("got %v", err)
	}
}

// What Bytes says is what the factors hold.
func TestBytes(t *testing.T) {
	t.Parallel()
	p := random(rand.New(rand.NewPCG(5, 6)), 60, 60, false, false, 1, 0)
	o := GridOrder(60, 60, false, false)
	f, err := o.Factor(p)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, b := range f.blocks {
		kept += len(b.inner) + len(b.out) + len(b.in) + len(b.wait)
	}
	if int64(kept) != o.numbers || o.Bytes() < 8*o.numbers {
		t.Errorf("%d numbers kept, %d said, %d bytes", kept, o.numbers, o.Bytes())
	}
}

func BenchmarkFactor(b *testing.B) {
	for _, n := range []int{100, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := random(rand.New(rand.NewPCG(7, 8)), n, n, false, false, 1, 0)
			o := GridOrder(n, n, false, false)
			for b.Loop() {
				if _, err := o.Factor(p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n*n), "ns/state")
			b.ReportMetric(float64(o.Bytes())/float64(n*n), "B/state")
		})
	}
}
