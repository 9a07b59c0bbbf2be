// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/floats"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

// TestSets holds each set to its definition on a lattice, its level's sign to
// Contains and its gradient to differences.
func TestSets(t *testing.T) {
	well := loss.ThreeHole{}
	half := sde.HalfSpace{Normal: []float64{1, -2}, Offset: 0.3}
	ball := sde.Ball{Center: []float64{0.2, -0.4}, Radius: 0.9}
	box := sde.Box{Lo: []float64{-0.5, math.Inf(-1)}, Hi: []float64{0.75, 0.6}}
	in := func(x, y float64) bool { return -0.5 <= x && x <= 0.75 && y <= 0.6 }
	for _, test := range []struct {
		name  string
		set   sde.Set
		want  func(x, y float64) bool
		faces int
	}{
		{"half-space", half, func(x, y float64) bool { return x-2*y >= 0.3 }, 1},
		{"ball", ball, func(x, y float64) bool { return math.Hypot(x-0.2, y+0.4) <= 0.9 }, 1},
		{"box", box, in, 1},
		{"above", sde.LevelSet{Loss: well, Value: -1}, func(x, y float64) bool { return well.Value([]float64{x, y}) >= -1 }, 1},
		{"below", sde.LevelSet{Loss: well, Value: -1, Below: true}, func(x, y float64) bool { return well.Value([]float64{x, y}) < -1 }, 1},
		{"function", sde.SetFunc(func(theta []float64) bool { return theta[0] > theta[1] }), func(x, y float64) bool { return x > y }, 0},
		{"outside a ball", sde.Complement{Of: ball}, func(x, y float64) bool { return math.Hypot(x-0.2, y+0.4) > 0.9 }, 1},
		{"outside a box", sde.Complement{Of: box}, func(x, y float64) bool { return !in(x, y) }, 3},
		{"inside again", sde.Complement{Of: sde.Complement{Of: ball}}, ball2, 1},
		{"outside a function", sde.Complement{Of: sde.SetFunc(func([]float64) bool { return true })}, func(x, y float64) bool { return false }, 0},
		{"union", sde.Union{half, sde.Union{ball}, sde.Complement{Of: box}}, func(x, y float64) bool { return x-2*y >= 0.3 || ball2(x, y) || !in(x, y) }, 5},
		{"union of anything", sde.Union{half, sde.SetFunc(func([]float64) bool { return true })}, func(x, y float64) bool { return true }, 0},
	} {
		if err := sde.ValidateSet(test.set, 2); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		faces := sde.FacesOf(test.set)
		if len(faces) != test.faces {
			t.Errorf("%s: %d faces, want %d", test.name, len(faces), test.faces)
		}
		for i := range 400 {
			theta := []float64{-1.513 + 0.15*float64(i%20), -1.497 + 0.15*float64(i/20)}
			want := test.want(theta[0], theta[1])
			if got := test.set.Contains(theta); got != want {
				t.Fatalf("%s contains %v: %v", test.name, theta, got)
			}
			any := false
			for _, f := range faces {
				any = any || f.Level(theta) <= 0
				g := make([]float64, 2)
				f.LevelGradient(g, theta)
				num := fd.Gradient(nil, f.Level, theta, &fd.Settings{Formula: fd.Central})
				if !floats.EqualApprox(g, num, 1e-6*(1+floats.Norm(num, 2))) {
					t.Fatalf("%s at %v: gradient %v, by differences %v", test.name, theta, g, num)
				}
			}
			if faces != nil && any != want {
				t.Fatalf("%s at %v: in a face: %v", test.name, theta, any)
			}
		}
	}
}

func ball2(x, y float64) bool { return math.Hypot(x-0.2, y+0.4) <= 0.9 }

func TestSetsRefuse(t *testing.T) {
	for _, s := range []sde.Set{
		sde.HalfSpace{Normal: []float64{1}}, sde.HalfSpace{Normal: []float64{0, 0}}, sde.HalfSpace{Normal: []float64{1, 0}, Offset: math.NaN()},
		sde.Ball{Center: []float64{1, 2, 3}, Radius: 1}, sde.Ball{Center: []float64{1, 2}}, sde.Ball{Center: []float64{1, math.Inf(1)}, Radius: 1},
		sde.LevelSet{}, sde.LevelSet{Loss: loss.DoubleWell{}}, sde.LevelSet{Loss: loss.ThreeHole{}, Value: math.NaN()},
		sde.Union{}, sde.Union{nil}, sde.Union{sde.Ball{}}, sde.Complement{}, sde.Complement{Of: sde.Ball{}},
	} {
		if err := sde.ValidateSet(s, 2); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for name, f := range map[string]func() (*sde.Basins, error){
		"no loss":      func() (*sde.Basins, error) { return sde.NewBasins(nil) },
		"no minima":    func() (*sde.Basins, error) { return sde.NewBasins(loss.ABFactorisation{}) },
		"a saddle":     func() (*sde.Basins, error) { return sde.NewBasins(loss.DoubleWell{}, []float64{0}, []float64{1}) },
		"twice":        func() (*sde.Basins, error) { return sde.NewBasins(loss.DoubleWell{}, []float64{1}, []float64{1}) },
		"no dimension": func() (*sde.Basins, error) { return sde.NewBasins(loss.DoubleWell{}, []float64{1, 0}) },
	} {
		if _, err := f(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("basins, %s: %v", name, err)
		}
	}
	b, err := sde.NewBasins(loss.DoubleWell{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{b.Grid([]float64{0}, []float64{1}, 0), b.Grid([]float64{0}, []float64{1}, 1<<27), b.Grid([]float64{0, 0}, []float64{1, 1}, 9),
		b.Grid([]float64{0}, []float64{math.Inf(1)}, 9)} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("grid: %v", err)
		}
	}
}

// TestBasins: on the double well in each of two coordinates the
// basins are the signs of coordinates; a grid answers the same; a place that leads nowhere is −1.
func TestBasins(t *testing.T) {
	b, err := sde.NewBasins(loss.DoubleWells{})
	if err != nil {
		t.Fatal(err)
	}
	want := func(x []float64) int {
		for i := range b.Len() {
			m := b.Minimum(i)
			if m[0]*x[0] > 0 && m[1]*x[1] > 0 {
				return i
			}
		}
		return -1
	}
	check := func(n int) {
		t.Helper()
		for i := range n {
			x := []float64{-1.487 + 0.13*float64(i%23), -1.501 + 0.13*float64(i/23)}
			if got := b.Index(x); got != want(x) {
				t.Errorf("%v is in basin %d", x, got)
			}
		}
	}
	check(23 * 23)
	if err := b.Grid([]float64{-2, -2}, []float64{2, 2}, 40); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() { check(23 * 23) })
	}
	wait.Wait()
	x := []float64{0.5, 0.5}
	if n := testing.AllocsPerRun(100, func() { b.Index(x) }); n != 0 {
		t.Errorf("an answer from the grid allocates %g times", n)
	}
	dst := make([]int, 2)
	b.Indices(dst, sde.Batch{Data: []float64{1, 1, -1, 1}, Rows: 2, Cols: 2, Stride: 2})
	if dst[0] == dst[1] || !b.Basin(dst[0]).Contains(x) || b.Basin(dst[1]).Contains(x) {
		t.Error("basins of two minima:", dst)
	}
	one, err := sde.NewBasins(loss.DoubleWell{}, []float64{1})
	if err != nil {
		t.Fatal(err)
	}
	if i := one.Index([]float64{-0.5}); i != -1 {
		t.Errorf("a place that leads elsewhere is in basin %d", i)
	}
}

// Müller–Brown's three basins, which meet at its two saddles.
func ExampleBasins() {
	b, err := sde.NewBasins(loss.MullerBrown{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range [][]float64{{-0.82, 0.63}, {-0.82, 0.62}, {0.21, 0.3}, {0.22, 0.29}} {
		fmt.Printf("%v leads to %.3f\n", x, b.Minimum(b.Index(x)))
	}
	// Output:
	// [-0.82 0.63] leads to [-0.558 1.442]
	// [-0.82 0.62] leads to [-0.050 0.467]
	// [0.21 0.3] leads to [-0.050 0.467]
	// [0.22 0.29] leads to [0.623 0.028]
}
