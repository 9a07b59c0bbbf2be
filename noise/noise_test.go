// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/noise/noisetest"
	"github.com/sgflow/sgflow/sde"
	"gonum.org/v1/gonum/mat"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// geometric is the root of geometric Brownian motion, b_i = σθ_i.
func geometric(dst, theta []float64, t float64) {
	for i, v := range theta {
		dst[i] = 0.5 * v
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	isotropic := []noisetest.Upgrade{noisetest.Classified, noisetest.Thermal, noisetest.DiagonalRoot}
	diagonal := []noisetest.Upgrade{noisetest.Classified, noisetest.DiagonalRoot}
	classified := []noisetest.Upgrade{noisetest.Classified}
	for _, c := range []struct {
		name  string
		noise sde.Diffusion
		class sde.NoiseClass
		o     noisetest.Options
	}{
		{"temperature", noise.Temperature{T: 0.2}, sde.Constant, noisetest.Options{Wants: isotropic}},
		{"temperature in 1-D", noise.Temperature{T: 3}, sde.Constant, noisetest.Options{Wants: isotropic, Dim: 1}},
		{"no temperature", noise.Temperature{}, sde.Constant, noisetest.Options{Wants: isotropic}},
		{"stable", noise.Stable{Alpha: 1.5, Scale: 0.7}, sde.Constant, noisetest.Options{Wants: diagonal}},
		{"annealing", noise.Annealing{Schedule: func(t float64) float64 { return 1 / (1 + t) }}, sde.Additive, noisetest.Options{Wants: isotropic}},
		{"mini-batch", noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: 32}, sde.Constant, noisetest.Options{Wants: isotropic}},
		{"diagonal", noise.Diagonal{D: []float64{1, 0, 3}}, sde.Constant, noisetest.Options{Wants: diagonal}},
		{"constant", must(noise.NewConstant(mat.NewSymDense(2, []float64{2, 1, 1, 3}))), sde.Constant, noisetest.Options{Wants: classified}},
		{"root", must(noise.NewRoot(mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}))), sde.Constant, noisetest.Options{Wants: classified}},
		{"func", noise.Func{State: 2, Noise: 3, B: func(dst, theta []float64, t float64) {
			for i := range dst {
				dst[i] = math.Sin(theta[0]+float64(i)*theta[1]) * math.Exp(-t)
			}
		}}, sde.General, noisetest.Options{Wants: classified}},
		{"one component", noise.Func{State: 2, Noise: 1, B: func(dst, theta []float64, t float64) {
			dst[0], dst[1] = theta[1], 1
		}}, sde.Commutative, noisetest.Options{}},
		{"commutative", noise.Func{State: 1, Noise: 2, Of: sde.Commutative, B: func(dst, theta []float64, t float64) {
			dst[0], dst[1] = theta[0], 2*theta[0]
		}}, sde.Commutative, noisetest.Options{}},
		{"diagonal func", noise.DiagonalFunc{State: 3, Of: sde.Diagonal, B: geometric}, sde.Diagonal, noisetest.Options{Wants: diagonal}},
		{"diagonal func in 1-D", noise.DiagonalFunc{State: 1, B: geometric}, sde.Diagonal, noisetest.Options{Wants: diagonal}},
		{"diagonal func of all coordinates", noise.DiagonalFunc{State: 2, B: func(dst, theta []float64, t float64) {
			dst[0], dst[1] = theta[1], theta[0]
		}}, sde.General, noisetest.Options{Wants: diagonal}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			noisetest.Test(t, c.noise, c.o)
			if got := sde.ClassOf(c.noise); got != c.class {
				t.Errorf("class %v, want %v", got, c.class)
			}
		})
	}
}

// TestMinibatchTemperature: η = 0.1, s² = 32, B = 8 make T = ηs²/(2B) = 0.2.
func TestMinibatchTemperature(t *testing.T) {
	t.Parallel()
	n := noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: 32}
	if got := n.Temperature(3); math.Abs(got-0.2) > 0x1p-54 {
		t.Errorf("T = %.17g, want 0.2", got)
	}
	// D = (η/2B) Σ with Σ = s²I.
	b := make([]float64, 4)
	n.Root(b, []float64{1, 2}, 0)
	if want := math.Sqrt(2 * 0.2); math.Abs(b[0]-want) > 2*0x1p-53 || b[1] != 0 || b[2] != 0 || b[3] != b[0] {
		t.Errorf("root %v, want %v times the identity", b, want)
	}
}

// TestConstant holds the root of a matrix to B Bᵀ = 2D, for full rank, for a rank
// of one, whose other eigenvalues are rounding of either sign, and for 0.
func TestConstant(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	const d = 30
	for _, rank := range []int{d, 7, 1, 0} {
		a := mat.NewDense(d, max(rank, 1), nil)
		for i := range d {
			for k := range rank {
				a.Set(i, k, rng.NormFloat64())
			}
		}
		want := mat.NewSymDense(d, nil)
		want.SymOuterK(1, a)
		n := must(noise.NewConstant(want))
		if i, k := n.Dims(); i != d || k != d {
			t.Errorf("Dims() = %d, %d", i, k)
		}
		var diff mat.Dense
		diff.Sub(n.D(), want)
		// Backward stability of the eigen-decomposition: some d roundings of |D|.
		if off, size := mat.Norm(&diff, 2), mat.Norm(want, 2); off > 20*d*0x1p-53*size {
			t.Errorf("rank %d: ½BBᵀ is off by %.2g of %.2g", rank, off, size)
		}
		b := make([]float64, d*d)
		n.Root(b, nil, 0)
		for i := range d {
			for j := range i {
				if b[i*d+j] != b[j*d+i] {
					t.Fatalf("rank %d: the root is not symmetric", rank)
				}
			}
		}
	}
	_, err := noise.NewConstant(mat.NewSymDense(2, []float64{1, 2, 2, 1}))
	var e *sde.SettingError
	if !errors.As(err, &e) || e.Field != "noise: Constant.D" || !strings.Contains(fmt.Sprint(e.Value), "the eigenvalue -") {
		t.Errorf("a matrix of eigenvalues 3 and −1 gives %v", err)
	}
	b := []float64{1, 2, 3, 4, 5, 6}
	n := must(noise.NewRoot(mat.NewDense(2, 3, b)))
	b[0] = 9
	got := make([]float64, 6)
	n.Root(got, nil, 0)
	if [6]float64(got) != [6]float64{1, 2, 3, 4, 5, 6} {
		t.Errorf("root %v: it was not copied", got)
	}
	if d := n.D(); d.At(0, 0) != 7 || d.At(0, 1) != 16 || d.At(1, 1) != 38.5 {
		t.Errorf("D = %v", mat.Formatted(d))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	second := func(_ any, err error) error { return err }
	batch := func(eta float64, b int, s2 float64) error {
		return noise.Minibatch{LearningRate: eta, BatchSize: b, Variance: s2}.Validate()
	}
	b := func(dst, theta []float64, t float64) {}
	for _, c := range []struct {
		field string
		err   error
	}{
		{"noise: Temperature.T", noise.Temperature{T: nan}.Validate()},
		{"noise: Temperature.T", noise.Temperature{T: inf}.Validate()},
		{"noise: Temperature.T", noise.Temperature{T: -1}.Validate()},
		{"noise: Stable.Alpha", noise.Stable{Scale: 1}.Validate()},
		{"noise: Stable.Alpha", noise.Stable{Alpha: 2.1, Scale: 1}.Validate()},
		{"noise: Stable.Alpha", noise.Stable{Alpha: nan, Scale: 1}.Validate()},
		{"noise: Stable.Scale", noise.Stable{Alpha: 1, Scale: -1}.Validate()},
		{"noise: Annealing.Schedule", noise.Annealing{}.Validate()},
		{"noise: Annealing.Schedule(0)", noise.Annealing{Schedule: func(t float64) float64 { return 1 / t }}.Validate()},
		{"noise: Minibatch.LearningRate", batch(0, 8, 1)},
		{"noise: Minibatch.LearningRate", batch(-1, 8, 1)},
		{"noise: Minibatch.LearningRate", batch(nan, 8, 1)},
		{"noise: Minibatch.LearningRate", batch(inf, 8, 1)},
		{"noise: Minibatch.BatchSize", batch(0.1, 0, 1)},
		{"noise: Minibatch.BatchSize", batch(0.1, -8, 1)},
		{"noise: Minibatch.Variance", batch(0.1, 8, 0)},
		{"noise: Minibatch.Variance", batch(0.1, 8, nan)},
		{"noise: Minibatch.Variance", batch(0.1, 8, inf)},
		{"noise: Minibatch", batch(1e200, 8, 1e200)},
		{"noise: Minibatch", batch(1e-200, 8, 1e-200)},
		{"noise: Diagonal.D", noise.Diagonal{}.Validate()},
		{"noise: Diagonal.D[1]", noise.Diagonal{D: []float64{1, -1}}.Validate()},
		{"noise: Diagonal.D[0]", noise.Diagonal{D: []float64{nan}}.Validate()},
		{"noise: Constant.D", second(noise.NewConstant(nil))},
		{"noise: Constant.D", second(noise.NewConstant(&mat.SymDense{}))},
		{"noise: Constant.D[0,1]", second(noise.NewConstant(mat.NewSymDense(2, []float64{1, nan, nan, 1})))},
		{"noise: Constant.D", second(noise.NewConstant(mat.NewSymDense(1, []float64{-1e-300})))},
		{"noise: Constant.B", second(noise.NewRoot(nil))},
		{"noise: Constant.B", second(noise.NewRoot(&mat.Dense{}))},
		{"noise: Constant.B[1,0]", second(noise.NewRoot(mat.NewDense(2, 1, []float64{1, inf})))},
		{"noise: Constant", (&noise.Constant{}).Validate()},
		{"noise: Func.State", noise.Func{Noise: 1, B: b}.Validate()},
		{"noise: Func.Noise", noise.Func{State: 1, B: b}.Validate()},
		{"noise: Func.B", noise.Func{State: 1, Noise: 1}.Validate()},
		{"noise: Func.Of", noise.Func{State: 1, Noise: 2, B: b, Of: sde.Diagonal}.Validate()},
		{"noise: Func.Of", noise.Func{State: 1, Noise: 2, B: b, Of: 9}.Validate()},
		{"noise: DiagonalFunc.State", noise.DiagonalFunc{B: b}.Validate()},
		{"noise: DiagonalFunc.B", noise.DiagonalFunc{State: 1}.Validate()},
		{"noise: DiagonalFunc.Of", noise.DiagonalFunc{State: 1, B: b, Of: -1}.Validate()},
	} {
		var e *sde.SettingError
		if !errors.As(c.err, &e) || e.Field != c.field || e.Want == "" || !errors.Is(c.err, sde.ErrInvalid) {
			t.Errorf("error %q, want an *sde.SettingError of field %q", fmt.Sprint(c.err), c.field)
		}
	}
	if err := (noise.Diagonal{D: []float64{0, 0}}).Validate(); err != nil {
		t.Errorf("no noise at all is refused: %v", err)
	}
}

func TestPanics(t *testing.T) {
	t.Parallel()
	two, three := make([]float64, 2), make([]float64, 3)
	f := noise.Func{State: 2, Noise: 1, B: geometric}
	g := noise.DiagonalFunc{State: 2, B: geometric}
	for name, call := range map[string]func(){
		"root":          func() { noise.Temperature{T: 1}.Root(three, two, 0) },
		"diagonal root": func() { noise.Temperature{T: 1}.DiagonalRoot(three, two, 0) },
		"diagonal":      func() { noise.Diagonal{D: two}.Root(three, two, 0) },
		"constant":      func() { must(noise.NewConstant(mat.NewDiagDense(2, []float64{1, 1}))).Root(three, two, 0) },
		"func θ":        func() { f.Root(two, three, 0) },
		"func dst":      func() { f.Root(three, two, 0) },
		"diagonal func": func() { g.DiagonalRoot(three, two, 0) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || len(s) < 6 || s[:6] != "noise:" {
					t.Errorf("%s: a slice of the wrong length should panic with \"noise: …\", and gave %q", name, s)
				}
			}()
			call()
		}()
	}
}

func TestNoAllocation(t *testing.T) {
	theta, b := []float64{1, 2}, make([]float64, 4)
	for _, n := range []sde.Diffusion{noise.Temperature{T: 1}, noise.Annealing{Schedule: math.Exp},
		noise.Minibatch{LearningRate: 1, BatchSize: 1, Variance: 1}, noise.Diagonal{D: theta},
		must(noise.NewConstant(mat.NewDiagDense(2, theta))), noise.DiagonalFunc{State: 2, B: geometric}} {
		if a := testing.AllocsPerRun(10, func() { n.Root(b, theta, 1) }); a != 0 {
			t.Errorf("%T allocates %v times", n, a)
		}
	}
}

func ExampleMinibatch() {
	n := noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: 32}
	fmt.Println("T =", n.Temperature(0))
	fmt.Println(noise.Minibatch{LearningRate: 0.1, Variance: 32}.Validate())
	// Output:
	// T = 0.2
	// noise: Minibatch.BatchSize = 0: want at least 1
}

func ExampleNewConstant() {
	_, err := noise.NewConstant(mat.NewSymDense(2, []float64{1, 0, 0, -2}))
	fmt.Println(err)
	// Output: noise: Constant.D = a matrix with the eigenvalue -2: want a positive semi-definite matrix, with no eigenvalue below 0
}

func ExampleDiagonalFunc() {
	// Geometric Brownian motion: b_i = σθ_i.
	n := noise.DiagonalFunc{
		State: 2,
		Of:    sde.Diagonal,
		B: func(dst, theta []float64, t float64) {
			for i, v := range theta {
				dst[i] = 0.5 * v
			}
		},
	}
	fmt.Println(noisetest.Check(n, noisetest.Options{}), n.Class())
	// Output: <nil> diagonal
}
