// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

// sound is a loss in three dimensions with every upgrade, which the faulty ones
// below are made of:
//
//	L = Σ_i (θ_i²−1)²/4 + θ_0θ_1/8
type sound struct{}

func (sound) Dim() int { return 3 }

func (sound) Value(x []float64) float64 {
	v := x[0] * x[1] / 8
	for _, t := range x {
		v += (t*t - 1) * (t*t - 1) / 4
	}
	return v
}

func (sound) Gradient(dst, x []float64) {
	for i, t := range x {
		dst[i] = t * (t*t - 1)
	}
	dst[0] += x[1] / 8
	dst[1] += x[0] / 8
}

func (l sound) BatchGradient(dst, x sde.Batch) {
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

func (sound) Hessian(dst, x []float64) {
	clear(dst)
	for i, t := range x {
		dst[i*3+i] = 3*t*t - 1
	}
	dst[1], dst[3] = 1./8, 1./8
}

func (sound) Laplacian(x []float64) float64 {
	return 3*(x[0]*x[0]+x[1]*x[1]+x[2]*x[2]) - 3
}

// Where θ_0 = −θ_1 = t the gradient is t(t²−1) − t/8: t = ±√(9/8).
var t0 = math.Sqrt(9. / 8)

func (sound) CriticalPoints() []sde.CriticalPoint {
	v := -t0*t0/8 + (t0*t0-1)*(t0*t0-1)/2
	return []sde.CriticalPoint{
		{Theta: []float64{t0, -t0, 1}, Value: v, Index: 0},
		{Theta: []float64{-t0, t0, 1}, Value: v, Index: 0},
		{Theta: []float64{t0, -t0, 0}, Value: v + 0.25, Index: 1},
		{Theta: []float64{0, 0, 0}, Value: 0.75, Index: 3},
	}
}

// At the minima the block of θ_0, θ_1 is [a ⅛; ⅛ a] with a = 3·9/8 − 1.
func (sound) Curvature() float64          { return 3*9./8 - 1 + 1./8 }
func (sound) Normalizable(t float64) bool { return t > 0 }

var everything = []losstest.Upgrade{losstest.BatchGradient, losstest.Hessian, losstest.Laplacian,
	losstest.Curvature, losstest.Normalizable, losstest.Charted}

func TestSound(t *testing.T) {
	losstest.Test(t, sound{}, losstest.Options{Wants: everything, Exact: true})
	losstest.Test(t, plain{sound{}}, losstest.Options{})
	losstest.Test(t, noHessian{}, losstest.Options{})
	losstest.Test(t, wide{}, losstest.Options{})
}

// plain has the three methods only.
type plain struct{ l sound }

func (p plain) Dim() int                  { return 3 }
func (p plain) Value(x []float64) float64 { return p.l.Value(x) }
func (p plain) Gradient(dst, x []float64) { p.l.Gradient(dst, x) }

// noHessian has all but the Hessian, so that second derivatives are differences.
type noHessian struct{ plain }

func (noHessian) Laplacian(x []float64) float64       { return sound{}.Laplacian(x) }
func (noHessian) CriticalPoints() []sde.CriticalPoint { return sound{}.CriticalPoints() }
func (noHessian) Curvature() float64                  { return sound{}.Curvature() }

// wide has more coordinates than are checked one by one.
type wide struct{}

func (wide) Dim() int { return 200 }
func (wide) Value(x []float64) float64 {
	var v float64
	for i, t := range x {
		v += math.Cos(t) * float64(1+i%3)
	}
	return v
}
func (wide) Gradient(dst, x []float64) {
	for i, t := range x {
		dst[i] = -math.Sin(t) * float64(1+i%3)
	}
}
func (wide) Hessian(dst, x []float64) {
	clear(dst)
	for i, t := range x {
		dst[i*200+i] = -math.Cos(t) * float64(1+i%3)
	}
}
func (w wide) Laplacian(x []float64) float64 { return -w.Value(x) }

// The faults, one planted in each.

type wrongSign struct{ sound }

func (l wrongSign) Gradient(dst, x []float64) { l.sound.Gradient(dst, x); dst[1] = -dst[1] }

type nearlyRight struct{ plain }

func (l nearlyRight) Gradient(dst, x []float64) { l.plain.Gradient(dst, x); dst[2] *= 1 + 1e-7 }

type wideWrongSign struct{ wide }

func (l wideWrongSign) Gradient(dst, x []float64) { l.wide.Gradient(dst, x); dst[77] = -dst[77] }

type wrongHessian struct{ sound }

func (l wrongHessian) Hessian(dst, x []float64) { l.sound.Hessian(dst, x); dst[4] = 3*x[0]*x[1] - 1 }

type lopsided struct{ sound }

func (l lopsided) Hessian(dst, x []float64) { l.sound.Hessian(dst, x); dst[1] = 0.13 }

type addsHessian struct{ sound }

func (l addsHessian) Hessian(dst, x []float64) {
	for i, t := range x {
		dst[i*3+i] = 3*t*t - 1
	}
	dst[1], dst[3] = 1./8, 1./8 // the others are left as they were
}

type wrongLaplacian struct{ sound }

func (l wrongLaplacian) Laplacian(x []float64) float64 { return l.sound.Laplacian(x) + 1e-6 }

type wrongLaplacianAlone struct{ noHessian }

func (wrongLaplacianAlone) Laplacian(x []float64) float64 { return sound{}.Laplacian(x) + 1e-6 }

type batchOff struct{ sound }

func (l batchOff) BatchGradient(dst, x sde.Batch) {
	l.sound.BatchGradient(dst, x)
	for i := range x.Rows {
		dst.Row(i)[2] += 1e-10
	}
}

type batchLastBit struct{ sound }

func (l batchLastBit) BatchGradient(dst, x sde.Batch) {
	l.sound.BatchGradient(dst, x)
	for i := range x.Rows {
		dst.Row(i)[2] = math.Nextafter(dst.Row(i)[2], 9)
	}
}

type batchFlat struct{ sound }

func (l batchFlat) BatchGradient(dst, x sde.Batch) { // takes it that there are no gaps
	for i := range x.Rows {
		l.Gradient(dst.Data[3*i:3*i+3], x.Data[3*i:3*i+3])
	}
}

type batchEven struct{ sound }

func (l batchEven) BatchGradient(dst, x sde.Batch) { // loses the odd row
	for i := range x.Rows &^ 1 {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

type batchInPlace struct{ sound }

func (l batchInPlace) BatchGradient(dst, x sde.Batch) {
	l.sound.BatchGradient(dst, x)
	for i := range x.Rows {
		x.Row(i)[0] = 0
	}
}

type batchAdds struct{ sound }

func (l batchAdds) BatchGradient(dst, x sde.Batch) {
	g := make([]float64, 3)
	for i := range x.Rows {
		l.Gradient(g, x.Row(i))
		for j, v := range g {
			dst.Row(i)[j] += v
		}
	}
}

type writesTheta struct{ sound }

func (l writesTheta) Gradient(dst, x []float64) { l.sound.Gradient(dst, x); x[0] *= 1 + 0x1p-52 }

type writesInValue struct{ sound }

func (l writesInValue) Value(x []float64) float64 { v := l.sound.Value(x); x[0] = 0; return v }

type stateful struct {
	sound
	calls *atomic.Int64
}

func (l stateful) Value(x []float64) float64 {
	return l.sound.Value(x) + 1e-13*float64(l.calls.Add(1)%7)
}

// remembers caches its last gradient by the slice that holds θ.
type remembers struct {
	plain
	last *[]float64
	g    *[3]float64
}

func (l remembers) Gradient(dst, x []float64) {
	if len(*l.last) == 0 || &(*l.last)[0] != &x[0] {
		l.plain.Gradient(l.g[:], x)
		*l.last = x
	}
	copy(dst, l.g[:])
}

// shared keeps its scratch where all calls meet. (It is read and written
// atomically so that this package's own tests pass under -race.)
type shared struct {
	sound
	scratch *[3]atomic.Uint64
}

func (l shared) Gradient(dst, x []float64) {
	for i, t := range x {
		l.scratch[i].Store(math.Float64bits(t))
	}
	runtime.Gosched()
	y := make([]float64, 3)
	for i := range y {
		y[i] = math.Float64frombits(l.scratch[i].Load())
	}
	l.sound.Gradient(dst, y)
}

type infinite struct{ sound }

func (l infinite) Value(x []float64) float64 { return math.Log(x[0]) }

type charts struct {
	sound
	points []sde.CriticalPoint
}

func (l charts) CriticalPoints() []sde.CriticalPoint { return l.points }

type wrongCurvature struct{ sound }

func (l wrongCurvature) Curvature() float64 { return 3*9./8 - 1 }

type noHessianSignature struct{ plain }

func (noHessianSignature) Hessian(dst []float64, x []float64) []float64 { return dst }

type pointerUpgrade struct{ plain }

func (*pointerUpgrade) Laplacian(x []float64) float64 { return sound{}.Laplacian(x) }

type noDimension struct{ sound }

func (noDimension) Dim() int { return 0 }

type refuses struct{ sound }

func (refuses) Validate() error { return errors.New("no") }

type panics struct{ sound }

func (panics) Hessian(dst, x []float64) { panic("not yet") }

type alwaysALaw struct{ sound }

func (alwaysALaw) Normalizable(float64) bool { return true }

func TestFaults(t *testing.T) {
	good := sound{}.CriticalPoints()
	moved := []sde.CriticalPoint{{Theta: []float64{t0, -t0 + 1e-5, 1}, Value: good[0].Value}}
	value := []sde.CriticalPoint{{Theta: good[0].Theta, Value: good[0].Value + 1e-6}}
	index := []sde.CriticalPoint{{Theta: good[2].Theta, Value: good[2].Value, Index: 0}}
	under := []sde.CriticalPoint{{Theta: good[3].Theta, Value: good[3].Value, Index: 2}}
	short := []sde.CriticalPoint{{Theta: []float64{0, 0}, Value: good[3].Value, Index: 3}}
	for _, c := range []struct {
		name string
		loss sde.Loss
		o    losstest.Options
		want string // what the explanation says
	}{
		{"nil", nil, losstest.Options{}, "nil"},
		{"a wrong sign", wrongSign{}, losstest.Options{}, "gradient: the derivative along θ_1"},
		{"a gradient off by 1e-7", nearlyRight{}, losstest.Options{}, "gradient: the derivative along θ_2"},
		{"a wrong sign among 200", wideWrongSign{}, losstest.Options{}, "gradient: the derivative along"},
		{"a wrong entry of the Hessian", wrongHessian{}, losstest.Options{}, "Hessian: the derivative of ∂L/∂θ_1 along θ_1"},
		{"a Hessian that is not symmetric", lopsided{}, losstest.Options{}, "Hessian: not symmetric"},
		{"a Hessian that leaves zeros out", addsHessian{}, losstest.Options{}, "Hessian: two answers"},
		{"a wrong Laplacian", wrongLaplacian{}, losstest.Options{}, "Laplacian: "},
		{"a wrong Laplacian without a Hessian", wrongLaplacianAlone{}, losstest.Options{}, "Laplacian: "},
		{"a batch off by 1e-10", batchOff{}, losstest.Options{}, "batch gradient: 1 rows"},
		{"a batch off by one bit", batchLastBit{}, losstest.Options{Exact: true}, "the bits should be the same"},
		{"a batch that knows no gaps", batchFlat{}, losstest.Options{}, "batch gradient: 2 rows, stride 6"},
		{"a batch that loses the odd row", batchEven{}, losstest.Options{}, "batch gradient: 1 rows"},
		{"a batch that writes to x", batchInPlace{}, losstest.Options{}, "row 0 of x was written to"},
		{"a batch that adds", batchAdds{}, losstest.Options{}, "batch gradient: 1 rows"},
		{"a gradient that writes to θ", writesTheta{}, losstest.Options{}, "method Gradient wrote to theta"},
		{"a value that writes to θ", writesInValue{}, losstest.Options{}, "method Value wrote to theta"},
		{"a state", stateful{calls: new(atomic.Int64)}, losstest.Options{}, "when first asked"},
		{"a memory of slices", remembers{last: new([]float64), g: new([3]float64)}, losstest.Options{}, "when first asked"},
		{"shared scratch", shared{scratch: new([3]atomic.Uint64)}, losstest.Options{}, "from many goroutines"},
		{"a value that is not finite", infinite{}, losstest.Options{}, "should be finite"},
		{"a minimum beside the minimum", charts{points: moved}, losstest.Options{}, "is not critical"},
		{"a wrong value", charts{points: value}, losstest.Options{}, "declares the value"},
		{"a saddle called a minimum", charts{points: index}, losstest.Options{}, "declares 0 negative eigenvalues"},
		{"a wrong Morse index", charts{points: under}, losstest.Options{}, "declares 2 negative eigenvalues"},
		{"a critical point of two coordinates", charts{points: short}, losstest.Options{}, "has 2 coordinates"},
		{"a wrong curvature", wrongCurvature{}, losstest.Options{}, "curvature: "},
		{"another signature", noHessianSignature{}, losstest.Options{}, "has a method Hessian that is func([]float64, []float64) []float64"},
		{"an upgrade of the pointer", pointerUpgrade{}, losstest.Options{}, "pass a pointer"},
		{"a missing upgrade", plain{}, losstest.Options{Wants: everything}, "does not have the upgrade sde.BatchGradient"},
		{"an unknown upgrade", sound{}, losstest.Options{Wants: []losstest.Upgrade{"Hessians"}}, "Hessians"},
		{"no dimension", noDimension{}, losstest.Options{}, "Dim() = 0"},
		{"a loss that refuses itself", refuses{}, losstest.Options{}, "refuses itself"},
		{"a panic", panics{}, losstest.Options{}, "panicked: not yet"},
		{"a law at T = 0", alwaysALaw{}, losstest.Options{}, "temperature 0 is accepted"},
		{"a point of two coordinates", sound{}, losstest.Options{Points: [][]float64{{1, 2}}}, "Points[0]"},
		{"a scale that is not a number", sound{}, losstest.Options{Scale: math.NaN()}, "Options.Scale"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := losstest.Check(c.loss, c.o)
			if err == nil {
				t.Fatal("not found")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the explanation is %q: want %q in it", err, c.want)
			}
		})
	}
}

// TestRough has a loss whose differences cannot settle: it is said, not passed.
func TestRough(t *testing.T) {
	err := losstest.Check(rough{}, losstest.Options{})
	if err == nil || !strings.Contains(err.Error(), "gradient: ") {
		t.Errorf("error %v, want one of the gradient", err)
	}
}

type rough struct{ wide }

func (rough) Dim() int { return 1 }
func (r rough) Value(x []float64) float64 {
	return r.wide.Value(x) + 1e-3*math.Sin(1e7*x[0])
}

// sum is sound as the mean of three samples, two of which are off by as much.
type sum struct{ sound }

func (sum) Samples() int { return 3 }
func (l sum) SampleGradient(dst, x []float64, i int) {
	l.Gradient(dst, x)
	dst[1] += float64(i - 1)
}
func (l sum) BindMinibatches(rows int) func(dst, x sde.Batch, samples []uint32) {
	return func(dst, x sde.Batch, samples []uint32) {
		for r := range x.Rows {
			b := len(samples) / x.Rows
			l.Gradient(dst.Row(r), x.Row(r))
			for _, i := range samples[r*b : (r+1)*b] {
				dst.Row(r)[1] += (float64(i) - 1) / float64(b)
			}
		}
	}
}

func (l sum) SampleGradients(dst sde.Batch, x []float64, from int) {
	for r := range dst.Rows {
		l.SampleGradient(dst.Row(r), x, from+r)
	}
}

// fromZero forgets where the rows of samples begin, and noGaps that dst may have gaps.
type fromZero struct{ sum }

func (l fromZero) SampleGradients(dst sde.Batch, x []float64, _ int) {
	l.sum.SampleGradients(dst, x, 0)
}

type noGaps struct{ sum }

func (l noGaps) SampleGradients(dst sde.Batch, x []float64, from int) {
	for r := range dst.Rows {
		l.SampleGradient(dst.Data[3*r:3*r+3], x, from+r)
	}
}

// decayed forgets in its samples what its gradient has.
type decayed struct{ sum }

func (l decayed) Value(x []float64) float64 { return l.sum.Value(x) + 0.005*x[2]*x[2] }
func (l decayed) Gradient(dst, x []float64) { l.sum.Gradient(dst, x); dst[2] += 0.01 * x[2] }

type summed struct{ sum }

func (l summed) BindMinibatches(rows int) func(dst, x sde.Batch, samples []uint32) {
	f := l.sum.BindMinibatches(rows)
	return func(dst, x sde.Batch, samples []uint32) {
		f(dst, x, samples)
		for i := range dst.Rows {
			dst.Row(i)[1] *= float64(len(samples) / x.Rows)
		}
	}
}

type writing struct{ sum }

func (l writing) SampleGradient(dst, x []float64, i int) {
	l.sum.SampleGradient(dst, x, i)
	x[0] += 1e-9
}

type half struct{ sound }

func (half) Samples() int { return 3 }

type none struct{ sum }

func (none) Samples() int { return 0 }

type addsOutput struct{ sum }

func (addsOutput) OutputGradient(dst, x []float64, i int) { dst[0]++; dst[1], dst[2] = 0, 0 }

type bends struct{ sum }

func (bends) Classes() int                               { return 2 }
func (bends) FlippedGradient(dst, x []float64, i, k int) { clear(dst); x[1]++ }

type oneClass struct{ bends }

func (oneClass) Classes() int { return 1 }

// bowl is a quadratic, ½(x−1)² + (y+2)² + xy, and says so.
type bowl struct{}

func (bowl) Dim() int { return 2 }
func (bowl) Value(x []float64) float64 {
	return (x[0]-1)*(x[0]-1)/2 + (x[1]+2)*(x[1]+2) + x[0]*x[1]
}
func (bowl) Gradient(dst, x []float64) { dst[0], dst[1] = x[0]-1+x[1], 2*(x[1]+2)+x[0] }

// At the center x + y = 1 and x + 2y = −4.
func (bowl) Harmonic() (h, center []float64) { return []float64{1, 1, 1, 2}, []float64{6, -5} }

type offCenter struct{ bowl }

func (offCenter) Harmonic() (h, center []float64) { return []float64{1, 1, 1, 2}, []float64{6, -5.001} }

type skew struct{ bowl }

func (skew) Harmonic() (h, center []float64) { return []float64{1, 0, 1, 2}, []float64{6, -5} }

type shortCenter struct{ bowl }

func (shortCenter) Harmonic() (h, center []float64) { return []float64{1, 1, 1, 2}, []float64{6} }

type notQuadratic struct{ sound }

func (l notQuadratic) Harmonic() (h, center []float64) {
	h = make([]float64, 9)
	l.Hessian(h, l.CriticalPoints()[0].Theta)
	return h, l.CriticalPoints()[0].Theta
}

func TestHarmonic(t *testing.T) {
	losstest.Test(t, bowl{}, losstest.Options{Wants: []losstest.Upgrade{losstest.Harmonic}})
	for want, l := range map[string]sde.Loss{
		"H(θ−c)":                       offCenter{},
		"not symmetric":                skew{},
		"the center 1":                 shortCenter{},
		"only a quadratic may declare": notQuadratic{},
	} {
		if err := losstest.Check(l, losstest.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: error %v, want one with %q", l, err, want)
		}
	}
}

func TestSamples(t *testing.T) {
	losstest.Test(t, sum{}, losstest.Options{Wants: []losstest.Upgrade{losstest.FiniteSum, losstest.Minibatches, losstest.SampleGradients}, Exact: true})
	for want, l := range map[string]sde.Loss{
		"should be equal":                       decayed{},
		"the mini-batch":                        summed{},
		"wrote to theta":                        writing{},
		"and not all others":                    half{},
		"at least one":                          none{},
		"of OutputGradient(0)":                  addsOutput{},
		"method FlippedGradient wrote to theta": bends{},
		"method Classes() = 1":                  oneClass{},
		"samples from 1":                        fromZero{},
		"between its rows":                      noGaps{},
	} {
		if err := losstest.Check(l, losstest.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: error %v, want one with %q", l, err, want)
		}
	}
}
