// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/optimize/functions"
)

var all = []losstest.Upgrade{losstest.BatchGradient, losstest.Hessian, losstest.Laplacian,
	losstest.Curvature, losstest.Normalizable, losstest.Charted}

// spd returns a random symmetric matrix with the given eigenvalues.
func spd(values []float64, seed uint64) *mat.SymDense {
	d := len(values)
	rng := rand.New(rand.NewPCG(seed, 1))
	a := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			a.Set(i, j, rng.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(a)
	var q, b mat.Dense
	qr.QTo(&q)
	b.Mul(&q, mat.NewDiagDense(d, values))
	a.Mul(&b, q.T())
	h := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			h.SetSym(i, j, a.At(i, j))
		}
	}
	return h
}

func spread(d int, lo, hi float64) []float64 {
	v := make([]float64, d)
	for i := range v {
		v[i] = lo + (hi-lo)*float64(i)/math.Max(1, float64(d-1))
	}
	return v
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestConformance(t *testing.T) {
	t.Parallel()
	exact := losstest.Options{Exact: true, Wants: all}
	for _, c := range []struct {
		name string
		loss sde.Loss
		o    losstest.Options
	}{
		{"double well", loss.DoubleWell{}, exact},
		{"double well of barrier 3", loss.DoubleWell{Barrier: 3}, exact},
		{"Müller–Brown", loss.MullerBrown{}, losstest.Options{Exact: true, Wants: all, Scale: 0.3}},
		{"quadratic 1", must(loss.NewQuadratic(mat.NewSymDense(1, []float64{2}), nil)), exact},
		{"quadratic 5", must(loss.NewQuadratic(spd(spread(5, 0.1, 2), 1), []float64{1, 2, 3, 4, 5})), exact},
		{"quadratic 100", must(loss.NewQuadratic(spd(spread(100, 0.1, 2), 2), nil)), exact},
		{"indefinite quadratic", must(loss.NewQuadratic(spd([]float64{-2, -1, 3}, 3), []float64{0.1, 0.2, 0.3})), exact},
		{"diagonal quadratic 1", must(loss.NewDiagonalQuadratic([]float64{3}, []float64{0.7})), exact},
		{"diagonal quadratic 7", must(loss.NewDiagonalQuadratic(spread(7, -1, 5), spread(7, 0, 1))), exact},
		{"semi-definite quadratic", must(loss.NewDiagonalQuadratic([]float64{0, 1, 2}, nil)), exact},
		{"func", loss.Func{N: 2, F: functions.ExtendedRosenbrock{}.Func, Grad: functions.ExtendedRosenbrock{}.Grad}, losstest.Options{}},
		{"func by differences", loss.Func{N: 3, F: functions.ExtendedRosenbrock{}.Func}, losstest.Options{Tolerance: 1e-6}},
		{"problem with a Hessian", must(loss.FromProblem(optimize.Problem{
			Func: functions.BrownBadlyScaled{}.Func, Grad: functions.BrownBadlyScaled{}.Grad, Hess: functions.BrownBadlyScaled{}.Hess}, 2)),
			losstest.Options{Wants: []losstest.Upgrade{losstest.Hessian}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			losstest.Test(t, c.loss, c.o)
		})
	}
}

// TestBealeHessian holds the battery to a fault that it would have found: gonum's
// Beale has an x[1] where an x[0] belongs in its Hessian (v0.17.0).
func TestBealeHessian(t *testing.T) {
	t.Parallel()
	b := functions.Beale{}
	l := must(loss.FromProblem(optimize.Problem{Func: b.Func, Grad: b.Grad, Hess: b.Hess}, 2))
	err := losstest.Check(l, losstest.Options{Points: [][]float64{{3, 0.5}}})
	if err == nil {
		t.Skip("gonum has mended Beale's Hessian")
	}
	t.Log(err)
	l = must(loss.FromProblem(optimize.Problem{Func: b.Func, Grad: b.Grad}, 2))
	losstest.Test(t, l, losstest.Options{Points: [][]float64{{3, 0.5}}})
}

func TestFromProblem(t *testing.T) {
	t.Parallel()
	f := functions.ExtendedRosenbrock{}
	l := must(loss.FromProblem(optimize.Problem{Func: f.Func, Grad: f.Grad}, 4))
	if _, ok := l.(sde.Hessian); ok {
		t.Error("a problem without a Hess became a loss with a Hessian")
	}
	if l.Dim() != 4 {
		t.Errorf("Dim() = %d, want 4", l.Dim())
	}
	for _, c := range []struct {
		p   optimize.Problem
		dim int
	}{{optimize.Problem{}, 2}, {optimize.Problem{Func: f.Func}, 0}} {
		if _, err := loss.FromProblem(c.p, c.dim); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("dim %d: error %v, want one that wraps sde.ErrInvalid", c.dim, err)
		}
	}
}

// TestMullerBrownTable holds the critical points to being zeros of the gradient
// to the last places: a Newton step moves none by more than 8 units in the last
// place, which is what the rounding of a gradient of terms of 10³ times the
// inverse Hessian allows.
func TestMullerBrownTable(t *testing.T) {
	t.Parallel()
	l := loss.MullerBrown{}
	eigenvalues := [][2]float64{ // by 40-digit arithmetic
		{410.53113469288937, 4068.1989550264855},
		{543.83618901861974, 3005.3958645326762},
		{221.03747287232117, 1479.1970220128343},
		{-750.86266283927737, 490.24070805963072},
		{-735.24726211136452, 510.88656547254721},
	}
	for i, p := range l.CriticalPoints() {
		var g [2]float64
		var h [4]float64
		l.Gradient(g[:], p.Theta)
		l.Hessian(h[:], p.Theta)
		det := h[0]*h[3] - h[1]*h[2]
		step := math.Hypot(h[3]*g[0]-h[1]*g[1], h[0]*g[1]-h[2]*g[0]) / math.Abs(det)
		if step > 8*0x1p-52*math.Hypot(p.Theta[0], p.Theta[1]) {
			t.Errorf("point %d: the Newton step is %.2g", i, step)
		}
		// The sum of four terms of some hundreds: 1e-13 is 5 units of 2⁻⁵² of 100.
		if v := l.Value(p.Theta); math.Abs(v-p.Value) > 2e-13 {
			t.Errorf("point %d: L = %.17g, want %.17g", i, v, p.Value)
		}
		mean, r := (h[0]+h[3])/2, math.Hypot((h[0]-h[3])/2, h[1])
		for k, e := range [2]float64{mean - r, mean + r} {
			if math.Abs(e-eigenvalues[i][k]) > 1e-11*4068 { // condition of θ: L‴ ~ 10⁵ over 1e-16
				t.Errorf("point %d: eigenvalue %.14g, want %.14g", i, e, eigenvalues[i][k])
			}
		}
	}
	if got := l.Curvature(); math.Abs(got-eigenvalues[0][1]) > 1e-12*got {
		t.Errorf("Curvature() = %.17g, want %.17g", got, eigenvalues[0][1])
	}
}

func TestMullerBrownProbes(t *testing.T) {
	t.Parallel()
	l := loss.MullerBrown{}
	for _, c := range []struct{ x, y, v, gx, gy float64 }{
		{0, 0, -48.401274173183879, -120.445285237139, -108.791489863122},
		{-0.5, 1, -22.0000346796767997, 190.224844399245, -148.279791449603},
	} {
		theta, g := []float64{c.x, c.y}, make([]float64, 2)
		l.Gradient(g, theta)
		if v := l.Value(theta); math.Abs(v-c.v) > 1e-13 {
			t.Errorf("L%v = %.17g, want %.17g", theta, v, c.v)
		}
		if math.Hypot(g[0]-c.gx, g[1]-c.gy) > 2e-12 { // the oracle has 12 decimals
			t.Errorf("∇L%v = %v, want [%v %v]", theta, g, c.gx, c.gy)
		}
	}
}

func TestDoubleWellNormalisation(t *testing.T) {
	t.Parallel()
	// Trapezoids converge faster than any power for an analytic integrand that
	// vanishes at the ends: here to rounding.
	for _, c := range []struct{ barrier, temperature, z, x2 float64 }{
		{0, 0.05, 0.83405880410691, 0.93683394041183},
		{0, 0.2, 1.7894594923549, 0.83089535266521},
		{0.25, 1, 3.0413238858861, 1.0417972964872},
		{1, 0.25, 0.94783783298135, 0.91767086074523},
		{1, 1, 1.9737321500898, 0.83274548712838},
	} {
		l := loss.DoubleWell{Barrier: c.barrier}
		var z, x2 float64
		const h = 0x1p-7
		for i := -640; i <= 640; i++ {
			x := float64(i) * h
			p := h * math.Exp(-l.Value([]float64{x})/c.temperature)
			z, x2 = z+p, x2+p*x*x
		}
		if math.Abs(z-c.z) > 1e-13*c.z*10 || math.Abs(x2/z-c.x2) > 1e-12 {
			t.Errorf("%+v at T = %v: Z = %.15g, ⟨x²⟩ = %.15g, want %.15g, %.15g", l, c.temperature, z, x2/z, c.z, c.x2)
		}
	}
}

func TestQuadratic(t *testing.T) {
	t.Parallel()
	values := spread(30, 0.1, 2)
	h := spd(values, 5)
	center := spread(30, 1e3, 2e3)
	q := must(loss.NewQuadratic(h, center))
	q.Offset = 7
	if err := q.Validate(); err != nil {
		t.Error(err)
	}
	g := make([]float64, 30)
	q.Gradient(g, center)
	for i, v := range g {
		if v != 0 {
			t.Errorf("∂L/∂θ_%d = %v at the centre, want 0", i, v)
		}
	}
	if v := q.Value(center); v != 7 {
		t.Errorf("L(c) = %v, want the offset 7", v)
	}
	if got := q.Curvature(); math.Abs(got-2) > 30*0x1p-52*2 {
		t.Errorf("Curvature() = %v, want 2", got)
	}
	if !q.Normalizable(1) || q.Normalizable(0) {
		t.Error("a positive definite quadratic should be normalisable at T = 1 and not at 0")
	}
	if !mat.Equal(q.Matrix(), h) {
		t.Error("Matrix() is not H")
	}
	center[0] = 0
	if q.Center()[0] != 1e3 {
		t.Error("the centre was not copied")
	}
	for _, v := range [][]float64{{1, 0}, {-1, 1}} {
		if must(loss.NewDiagonalQuadratic(v, nil)).Normalizable(1) {
			t.Errorf("H = diag(%v) should not be normalisable", v)
		}
	}
	// Dense and diagonal forms of one H agree: a product of zeros adds nothing.
	d := must(loss.NewDiagonalQuadratic([]float64{1, 2, 3}, nil))
	e := must(loss.NewQuadratic(mat.NewDiagDense(3, []float64{1, 2, 3}), nil))
	x, a, b := []float64{0.1, 0.2, 0.3}, make([]float64, 3), make([]float64, 3)
	d.Gradient(a, x)
	e.Gradient(b, x)
	if [3]float64(a) != [3]float64(b) || math.Abs(d.Value(x)-e.Value(x)) > 2*0x1p-52 || d.Laplacian(x) != e.Laplacian(x) {
		t.Errorf("diagonal and dense differ: gradients %v, %v, values %v, %v", a, b, d.Value(x), e.Value(x))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	h := mat.NewSymDense(2, []float64{1, 0, 0, 1})
	second := func(_ any, err error) error { return err }
	offset := must(loss.NewDiagonalQuadratic([]float64{1}, nil))
	offset.Offset = nan
	f := func([]float64) float64 { return 0 }
	for _, c := range []struct {
		field string
		err   error
	}{
		{"loss: DoubleWell.Barrier", loss.DoubleWell{Barrier: -1}.Validate()},
		{"loss: DoubleWell.Barrier", loss.DoubleWell{Barrier: nan}.Validate()},
		{"loss: DoubleWell.Barrier", loss.DoubleWell{Barrier: inf}.Validate()},
		{"loss: Quadratic.H", second(loss.NewQuadratic(nil, nil))},
		{"loss: Quadratic.H", second(loss.NewQuadratic(&mat.SymDense{}, nil))},
		{"loss: Quadratic.H[0,1]", second(loss.NewQuadratic(mat.NewSymDense(2, []float64{1, nan, nan, 1}), nil))},
		{"loss: Quadratic.Center", second(loss.NewQuadratic(h, []float64{1}))},
		{"loss: Quadratic.Center[1]", second(loss.NewQuadratic(h, []float64{1, inf}))},
		{"loss: Quadratic.H", second(loss.NewDiagonalQuadratic(nil, nil))},
		{"loss: Quadratic.H[1]", second(loss.NewDiagonalQuadratic([]float64{1, inf}, nil))},
		{"loss: Quadratic.Center", second(loss.NewDiagonalQuadratic([]float64{1}, []float64{1, 2}))},
		{"loss: Quadratic", (&loss.Quadratic{}).Validate()},
		{"loss: Quadratic.Offset", offset.Validate()},
		{"loss: Func.N", loss.Func{F: f}.Validate()},
		{"loss: Func.F", loss.Func{N: 1}.Validate()},
		{"loss: Func.N", loss.FuncHessian{}.Validate()},
		{"loss: FuncHessian.Hess", loss.FuncHessian{Func: loss.Func{N: 1, F: f}}.Validate()},
	} {
		var e *sde.SettingError
		if !errors.As(c.err, &e) || e.Field != c.field || e.Want == "" || !errors.Is(c.err, sde.ErrInvalid) {
			t.Errorf("error %q, want an *sde.SettingError of field %q", fmt.Sprint(c.err), c.field)
		}
	}
	if err := (sde.Flow{Loss: loss.DoubleWell{Barrier: -1}}).Validate(); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("a flow accepts a double well of barrier −1: %v", err)
	}
}

func TestPanics(t *testing.T) {
	t.Parallel()
	two := make([]float64, 2)
	q := must(loss.NewDiagonalQuadratic([]float64{1, 2, 3}, nil))
	for name, f := range map[string]func(){
		"value":    func() { q.Value(two) },
		"gradient": func() { q.Gradient(make([]float64, 3), two) },
		"dst":      func() { q.Gradient(two, make([]float64, 3)) },
		"Hessian":  func() { q.Hessian(two, make([]float64, 3)) },
		"columns":  func() { q.BatchGradient(sde.NewBatch(4, 2), sde.NewBatch(4, 2)) },
		"rows":     func() { q.BatchGradient(sde.NewBatch(3, 3), sde.NewBatch(4, 3)) },
		"well":     func() { loss.DoubleWell{}.Value(two) },
		"surface":  func() { loss.MullerBrown{}.Value(make([]float64, 3)) },
		"func":     func() { loss.Func{N: 1, F: func([]float64) float64 { return 0 }}.Value(two) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || len(s) < 5 || s[:5] != "loss:" {
					t.Errorf("%s: a slice of the wrong length should panic with \"loss: …\", and gave %q", name, s)
				}
			}()
			f()
		}()
	}
}

// TestNoAllocation holds the plain and the batch form to allocating nothing.
func TestNoAllocation(t *testing.T) {
	for _, l := range []sde.Loss{loss.DoubleWell{}, loss.MullerBrown{},
		must(loss.NewQuadratic(spd(spread(20, 1, 2), 1), spread(20, 1, 2))), must(loss.NewDiagonalQuadratic(spread(20, 1, 2), nil))} {
		d := l.Dim()
		x, dst := sde.NewBatch(65, d), sde.NewBatch(65, d)
		b := l.(sde.BatchGradient)
		if n := testing.AllocsPerRun(10, func() {
			b.BatchGradient(dst, x)
			l.Gradient(dst.Row(0), x.Row(0))
			l.Value(x.Row(1))
		}); n != 0 {
			t.Errorf("%T allocates %v times", l, n)
		}
	}
}

func ExampleFunc() {
	// Rosenbrock's valley.
	l := loss.Func{
		N: 2,
		F: func(x []float64) float64 {
			a, b := 1-x[0], x[1]-x[0]*x[0]
			return a*a + 100*b*b
		},
		Grad: func(dst, x []float64) {
			a, b := 1-x[0], x[1]-x[0]*x[0]
			dst[0], dst[1] = -2*a-400*x[0]*b, 200*b
		},
	}
	fmt.Println(losstest.Check(l, losstest.Options{}))
	// Output: <nil>
}

func ExampleNewQuadratic() {
	h := mat.NewSymDense(2, []float64{2, 1, 1, 3})
	l, err := loss.NewQuadratic(h, []float64{1, 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := make([]float64, 2)
	l.Gradient(g, []float64{2, 1})
	fmt.Println(g, l.Value([]float64{2, 1}))
	fmt.Printf("stable for steps below %.4f\n", 2/l.Curvature())
	// Output:
	// [3 4] 3.5
	// stable for steps below 0.5528
}

func ExampleDoubleWell() {
	l := loss.DoubleWell{} // (x²−1)²/4
	for _, p := range l.CriticalPoints() {
		fmt.Printf("x = %2g, L = %.2f, index %d\n", p.Theta[0], p.Value, p.Index)
	}
	// Output:
	// x = -1, L = 0.00, index 0
	// x =  1, L = 0.00, index 0
	// x =  0, L = 0.25, index 1
}

func BenchmarkBatchGradient(b *testing.B) {
	for _, c := range []struct {
		name string
		loss interface {
			sde.Loss
			sde.BatchGradient
		}
	}{
		{"DoubleWell", loss.DoubleWell{}},
		{"MullerBrown", loss.MullerBrown{}},
		{"Diagonal1", must(loss.NewDiagonalQuadratic([]float64{1}, nil))},
		{"Diagonal100", must(loss.NewDiagonalQuadratic(spread(100, 0.1, 2), nil))},
		{"Dense100", must(loss.NewQuadratic(spd(spread(100, 0.1, 2), 1), nil))},
		{"Dense100Centred", must(loss.NewQuadratic(spd(spread(100, 0.1, 2), 1), spread(100, 1, 2)))},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := c.loss.Dim()
			rows := max(64, 1024/d)
			x, dst := sde.NewBatch(rows, d), sde.NewBatch(rows, d)
			rng := rand.New(rand.NewPCG(1, 1))
			for i := range x.Data {
				x.Data[i] = 0.5 * rng.NormFloat64()
			}
			b.ReportAllocs()
			for b.Loop() {
				c.loss.BatchGradient(dst, x)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/particle")
		})
	}
}
