// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noisetest_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sgflow/sgflow/noise/noisetest"
	"github.com/sgflow/sgflow/sde"
)

// sound is diagonal noise of two coordinates with all upgrades that it can have,
// which the faulty ones below are made of: b_i = √(1+θ_i²) (2+cos t).
type sound struct{}

func (sound) Dims() (int, int)      { return 2, 2 }
func (sound) Class() sde.NoiseClass { return sde.Diagonal }

func (n sound) Root(dst, theta []float64, t float64) {
	clear(dst)
	var b [2]float64
	n.DiagonalRoot(b[:], theta, t)
	dst[0], dst[3] = b[0], b[1]
}

func (sound) DiagonalRoot(dst, theta []float64, t float64) {
	for i, x := range theta {
		dst[i] = math.Sqrt(1+x*x) * (2 + math.Cos(t))
	}
}

func (sound) DiagonalDerivative(dst, theta []float64, t float64) {
	for i, x := range theta {
		dst[i] = x / math.Sqrt(1+x*x) * (2 + math.Cos(t))
	}
}

func (n sound) RootJacobian(dst, theta []float64, t float64) {
	clear(dst)
	var b [2]float64
	n.DiagonalDerivative(b[:], theta, t)
	dst[0], dst[7] = b[0], b[1]
}

// D_ii = (1+θ_i²)(2+cos t)²/2.
func (sound) Divergence(dst, theta []float64, t float64) {
	for i, x := range theta {
		dst[i] = x * (2 + math.Cos(t)) * (2 + math.Cos(t))
	}
}

// hot is T I for any dimension.
type hot struct{}

func (hot) Dims() (int, int)              { return 0, 0 }
func (hot) Temperature(t float64) float64 { return 2 + t }
func (hot) Root(dst, x []float64, t float64) {
	clear(dst)
	for i := range x {
		dst[i*len(x)+i] = math.Sqrt(2 * (2 + t))
	}
}

// dense is general noise of 2×3.
type dense struct{}

func (dense) Dims() (int, int) { return 2, 3 }
func (dense) Root(dst, x []float64, t float64) {
	for k := range dst {
		dst[k] = math.Sin(x[0] + float64(k)*x[1] + t)
	}
}
func (dense) RootJacobian(dst, x []float64, t float64) {
	for k := range 6 {
		c := math.Cos(x[0] + float64(k)*x[1] + t)
		dst[2*k], dst[2*k+1] = c, float64(k)*c
	}
}
func (n dense) Divergence(dst, x []float64, t float64) {
	var b [6]float64
	var j [12]float64
	n.Root(b[:], x, t)
	n.RootJacobian(j[:], x, t)
	for i := range dst {
		dst[i] = 0
		for l := range 2 {
			for k := range 3 {
				dst[i] += 0.5 * (b[l*3+k]*j[(i*3+k)*2+l] + b[i*3+k]*j[(l*3+k)*2+l])
			}
		}
	}
}

// commuting is θ_0 times a constant matrix in the first coordinate alone.
type commuting struct{}

func (commuting) Dims() (int, int)      { return 2, 2 }
func (commuting) Class() sde.NoiseClass { return sde.Commutative }
func (commuting) Root(dst, x []float64, t float64) {
	dst[0], dst[1], dst[2], dst[3] = x[0], 2*x[0], 0, 0
}

func TestSound(t *testing.T) {
	noisetest.Test(t, sound{}, noisetest.Options{Wants: []noisetest.Upgrade{noisetest.Classified, noisetest.DiagonalRoot,
		noisetest.DiagonalDerivative, noisetest.RootJacobian, noisetest.Divergence}})
	noisetest.Test(t, hot{}, noisetest.Options{Wants: []noisetest.Upgrade{noisetest.Thermal}})
	noisetest.Test(t, dense{}, noisetest.Options{})
	noisetest.Test(t, commuting{}, noisetest.Options{})
}

// The faults, one planted in each.

type halfTemperature struct{ hot }

func (halfTemperature) Temperature(t float64) float64 { return (2 + t) / 2 }

type coldTemperature struct{ hot }

func (coldTemperature) Temperature(t float64) float64 { return -1 }

type notConstant struct{ hot }

func (notConstant) Class() sde.NoiseClass { return sde.Constant }

type notAdditive struct{ dense }

func (notAdditive) Class() sde.NoiseClass { return sde.Additive }

type notDiagonal struct{ crossed }

func (notDiagonal) Root(dst, x []float64, t float64) {
	dst[0], dst[1], dst[2], dst[3] = x[0], 0.1, 0, x[1]
}

type crossed struct{} // diagonal, but of the other coordinate

func (crossed) Dims() (int, int)                 { return 2, 2 }
func (crossed) Class() sde.NoiseClass            { return sde.Diagonal }
func (crossed) Root(dst, x []float64, t float64) { clear(dst); dst[0], dst[3] = x[1], x[0] }

type notCommutative struct{ dense }

func (notCommutative) Class() sde.NoiseClass { return sde.Commutative }

type notSquare struct{ dense }

func (notSquare) Class() sde.NoiseClass { return sde.Diagonal }

type noClass struct{ dense }

func (noClass) Class() sde.NoiseClass { return 17 }

type otherDiagonal struct{ sound }

func (n otherDiagonal) DiagonalRoot(dst, x []float64, t float64) {
	n.sound.DiagonalRoot(dst, x, t)
	dst[1] *= 1 + 1e-12
}

type wrongSlope struct{ sound }

func (n wrongSlope) DiagonalDerivative(dst, x []float64, t float64) {
	n.sound.DiagonalDerivative(dst, x, t)
	dst[1] = -dst[1]
}

type transposed struct{ dense }

func (n transposed) RootJacobian(dst, x []float64, t float64) { // [l][i][k]
	var j [12]float64
	n.dense.RootJacobian(j[:], x, t)
	for ik := range 6 {
		for l := range 2 {
			dst[l*6+ik] = j[ik*2+l]
		}
	}
}

type halfDivergence struct{ sound }

func (n halfDivergence) Divergence(dst, x []float64, t float64) {
	n.sound.Divergence(dst, x, t)
	dst[0] /= 2
}

type writesTheta struct{ dense }

func (n writesTheta) Root(dst, x []float64, t float64) { n.dense.Root(dst, x, t); x[1] = 0 }

type sparse struct{ hot } // leaves the zeros to the caller

func (sparse) Root(dst, x []float64, t float64) {
	for i := range x {
		dst[i*len(x)+i] = math.Sqrt(2 * (2 + t))
	}
}

type stateful struct {
	dense
	calls *atomic.Int64
}

func (n stateful) Root(dst, x []float64, t float64) {
	n.dense.Root(dst, x, t)
	dst[0] += 1e-13 * float64(n.calls.Add(1)%7)
}

// shared keeps its scratch where all calls meet. (It is read and written
// atomically so that this package's own tests pass under -race.)
type shared struct {
	dense
	scratch *[2]atomic.Uint64
}

func (n shared) Root(dst, x []float64, t float64) {
	for i, v := range x {
		n.scratch[i].Store(math.Float64bits(v))
	}
	runtime.Gosched()
	n.dense.Root(dst, []float64{math.Float64frombits(n.scratch[0].Load()), math.Float64frombits(n.scratch[1].Load())}, t)
}

type infinite struct{ dense }

func (infinite) Root(dst, x []float64, t float64) { fillLog(dst, x) }

func fillLog(dst, x []float64) {
	for i := range dst {
		dst[i] = math.Log(x[0])
	}
}

type otherSignature struct{ dense }

func (otherSignature) Divergence(dst, x []float64) {}

type halfDims struct{ dense }

func (halfDims) Dims() (int, int) { return 2, 0 }

type refuses struct{ dense }

func (refuses) Validate() error { return errors.New("no") }

type panics struct{ dense }

func (panics) RootJacobian(dst, x []float64, t float64) { panic("not yet") }

type slopeOfGeneral struct{ dense }

func (slopeOfGeneral) DiagonalDerivative(dst, x []float64, t float64) {}

type pointerClass struct{ hot }

func (*pointerClass) Class() sde.NoiseClass { return sde.Additive }

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		noise sde.Diffusion
		o     noisetest.Options
		want  string // what the explanation says
	}{
		{"nil", nil, noisetest.Options{}, "nil"},
		{"half the temperature", halfTemperature{}, noisetest.Options{}, "temperature: entry B[0,0]"},
		{"a negative temperature", coldTemperature{}, noisetest.Options{}, "should be finite and not negative"},
		{"not constant", notConstant{}, noisetest.Options{}, "class: the class is constant"},
		{"not additive", notAdditive{}, noisetest.Options{}, "class: the class is additive"},
		{"not diagonal", notDiagonal{}, noisetest.Options{}, "the class is diagonal, and B[0,1] = 0.1"},
		{"diagonal of the other coordinate", crossed{}, noisetest.Options{}, "b_i should depend on θ_i alone"},
		{"not commutative", notCommutative{}, noisetest.Options{}, "the class is commutative"},
		{"diagonal of 2×3", notSquare{}, noisetest.Options{}, "the root is of 2×3"},
		{"no class", noClass{}, noisetest.Options{}, "method Class() = 17"},
		{"another diagonal root", otherDiagonal{}, noisetest.Options{}, "diagonal root: entry B[1,1]"},
		{"a wrong slope", wrongSlope{}, noisetest.Options{}, "derivatives: the derivative of b_1"},
		{"a transposed Jacobian", transposed{}, noisetest.Options{}, "derivatives: the derivative of B[0,0] by θ_1"},
		{"half a divergence", halfDivergence{}, noisetest.Options{}, "the divergence of D, element 0"},
		{"a root that writes to θ", writesTheta{}, noisetest.Options{}, "method Root wrote to theta"},
		{"a root that leaves zeros out", sparse{}, noisetest.Options{}, "full of NaN"},
		{"a state", stateful{calls: new(atomic.Int64)}, noisetest.Options{}, "when first asked"},
		{"shared scratch", shared{scratch: new([2]atomic.Uint64)}, noisetest.Options{}, "from many goroutines"},
		{"a root that is not finite", infinite{}, noisetest.Options{}, "should be finite"},
		{"another signature", otherSignature{}, noisetest.Options{}, "has a method Divergence that is func([]float64, []float64)"},
		{"a class of the pointer", pointerClass{}, noisetest.Options{}, "pass a pointer"},
		{"half of the dimensions", halfDims{}, noisetest.Options{}, "method Dims() = 2, 0"},
		{"a diffusion that refuses itself", refuses{}, noisetest.Options{}, "refuses itself"},
		{"a panic", panics{}, noisetest.Options{}, "panicked: not yet"},
		{"a slope of general noise", slopeOfGeneral{}, noisetest.Options{}, "is for noise of class diagonal"},
		{"a missing upgrade", dense{}, noisetest.Options{Wants: []noisetest.Upgrade{noisetest.Thermal}}, "does not have the upgrade sde.Thermal"},
		{"an unknown upgrade", dense{}, noisetest.Options{Wants: []noisetest.Upgrade{"Heat"}}, "Heat"},
		{"a point of one coordinate", dense{}, noisetest.Options{Points: [][]float64{{1}}}, "Points[0]"},
		{"a negative dimension", hot{}, noisetest.Options{Dim: -1}, "Options.Dim"},
		{"a tolerance that is not a number", hot{}, noisetest.Options{Tolerance: math.NaN()}, "Options.Tolerance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := noisetest.Check(c.noise, c.o)
			if err == nil {
				t.Fatal("not found")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the explanation is %q: want %q in it", err, c.want)
			}
		})
	}
}
