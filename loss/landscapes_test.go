// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

var (
	sharp     = []losstest.Upgrade{losstest.BatchGradient, losstest.Hessian, losstest.Laplacian, losstest.Normalizable}
	landscape = []struct {
		loss   sde.Loss
		scale  float64
		wants  []losstest.Upgrade
		points int // critical points, all that are declared
	}{
		{loss.FlatSharp{}, 0.5, all, 3},
		{loss.TiltedDoubleWell{Tilt: 0.1}, 1, all, 3},
		{loss.TiltedDoubleWell{Tilt: -0.384}, 1, all, 3},
		{loss.TiltedDoubleWell{Tilt: 0.4}, 1, all, 1},
		{loss.TiltedDoubleWell{Tilt: -30}, 1, all, 1},
		{loss.TiltedDoubleWell{}, 1, all, 3},
		{loss.Prinz{}, 0.2, all, 7},
		{loss.ThreeHole{}, 0.5, all, 7},
		{loss.Himmelblau{}, 1, all, 9},
		{loss.QuadrupleWell{}, 1, all, 9},
		{loss.EntropicBarrier{}, 0.5, all, 1},
		{loss.EntropicBarrier{Narrow: 3, Width: 2}, 1, all, 1},
		{loss.Banana{}, 3, all, 1},
		{loss.Banana{Sigma: 0.5, Bend: -1}, 0.5, all, 1},
		{loss.ABFactorisation{}, 1, charted, 1},
		{loss.DoubleWells{}, 1, all, 9},
		{loss.DoubleWells{D: 5, Barrier: 2}, 1, all, 243},
		{loss.DoubleWells{D: 40}, 1, all, 0},
		{loss.Channel{}, 0.3, all, 3},
		{loss.Channel{D: 7, Stiffness: 1}, 1, all, 3},
		{loss.StyblinskiTang{}, 1, all, 9},
		{loss.StyblinskiTang{D: 4}, 1, all, 81},
		{loss.Rosenbrock{}, 0.5, append([]losstest.Upgrade{losstest.Charted}, sharp...), 1},
		{loss.Rosenbrock{D: 10}, 0.5, sharp, 0},
		{loss.Rastrigin{D: 1}, 0.1, all, 125},
		{loss.Rastrigin{D: 1, Amplitude: 0.04}, 0.1, all, 1},
		{loss.Rastrigin{D: 3, Amplitude: 1}, 0.1, all, 2197},
		{loss.Ackley{}, 0.1, sharp, 0},
		{loss.Ackley{D: 5}, 0.1, sharp, 0},
		{loss.Funnel{}, 1, charted, 1},
		{loss.Quartic{}, 1, append([]losstest.Upgrade{losstest.Charted}, sharp...), 1},
		{loss.Quartic{D: 6}, 1, append([]losstest.Upgrade{losstest.Charted}, sharp...), 1},
		{loss.LogCosh{}, 1, all, 1},
		{loss.LogCosh{D: 3}, 0.01, all, 1},
		{loss.Chain{Coupling: 2}, 1, sharp, 3},
		{loss.Chain{D: 7, Coupling: 0.1}, 1, sharp, 0},
		{loss.Chain{D: 3}, 1, sharp, 27},
		{loss.PhaseRetrieval{}, 0.5, all, 5},
		{loss.PhaseRetrieval{Signal: []float64{2}}, 0.5, all, 3},
		{loss.PhaseRetrieval{Signal: []float64{1, -2, 0.5}}, 0.5, all, 3},
		{loss.SaddleChain{}, 1, all, 27},
		{loss.SaddleChain{D: 5, Ratio: 0.5}, 1, all, 243},
		{loss.SaddleChain{D: 11, Ratio: 1}, 1, all, 0},
		{loss.MatrixFactorisation{}, 1, charted, 5},
		{loss.MatrixFactorisation{M: mat.NewSymDense(3, []float64{1, 0.5, 0, 0.5, -1, 2, 0, 2, 0.3})}, 1, charted, 5},
		{loss.MatrixFactorisation{M: mat.NewSymDense(3, []float64{1, 0.5, 0, 0.5, 4, 2, 0, 2, 3}), Rank: 2}, 1, charted, 1},
		{must(loss.NewSpinGlass(12, 1.5, 1)), 1, sharp, 0},
		{mixture1(), 0.5, all, 5},
		{mixture2(), 0.5, all, 3},
		{mixture3(), 0.5, all, 0},
		{must(loss.NewGaussianMixture(nil, [][]float64{{1, 2, 3}}, nil)), 1, all, 1},
		{must(loss.NewLinearNet(mat.NewDense(1, 1, []float64{1}), 1, 1, 1)), 1, sharp, 0},
		{must(loss.NewLinearNet(mat.NewDense(2, 3, []float64{1, -2, 0.5, 0.3, 0, 1}), 3, 4, 2, 2)), 0.7, sharp, 0},
		{must(loss.NewRandomQuadratic([]float64{3, 0.1, 1}, 7)), 1, all, 1},
		{loss.Sum{loss.DoubleWell{}, loss.LogCosh{D: 1}, loss.FlatSharp{}}, 0.5, composite, 0},
		{loss.Sum{loss.Himmelblau{}}, 1, composite, 0},
		{loss.Scaled{Loss: loss.ThreeHole{}, Factor: 0.3}, 0.5, all, 7},
		{loss.Scaled{Loss: loss.Chain{Coupling: 2}, Factor: 7}, 1, all, 3},
		{loss.Shifted{Loss: loss.Himmelblau{}, Shift: []float64{1.5, -7}}, 1, all, 9},
		{loss.Tilted{Loss: loss.DoubleWells{}, Slope: []float64{0.1, -3}}, 1, composite, 0},
		{loss.Ridge{Loss: loss.ABFactorisation{}, Decay: 0.3}, 1, composite, 0},
		{loss.Ridge{Loss: loss.Ackley{}, Decay: 1}, 0.1, composite, 0},
		{loss.Rippled{Loss: loss.DoubleWell{}, Amplitude: 0.05, Wavelength: 0.3}, 0.05, append([]losstest.Upgrade{losstest.Normalizable}, composite...), 0},
		{must(loss.NewRotated(loss.Channel{D: 4}, loss.RandomRotation(4, 3))), 0.3, all, 3},
		{must(loss.NewRotated(loss.Rosenbrock{D: 3}, loss.RandomRotation(3, 3))), 0.5, append([]losstest.Upgrade{losstest.Curvature}, charted...), 1},
	}

	rosenbrocks = []loss.Rosenbrock{{D: 4}, {D: 5}, {D: 6}, {D: 7}} // not in the list of golden bits

	charted   = append([]losstest.Upgrade{losstest.Charted}, sharp...)
	composite = []losstest.Upgrade{losstest.BatchGradient, losstest.Hessian, losstest.Laplacian}
)

// mixture1 has three modes on the line, mixture2 two parts of the plane, mixture3 three in
// four dimensions.
func mixture1() *loss.GaussianMixture {
	one := func(v float64) mat.Symmetric { return mat.NewSymDense(1, []float64{v}) }
	return must(loss.NewGaussianMixture([]float64{1, 2, 1}, [][]float64{{-3}, {0}, {4}}, []mat.Symmetric{one(0.5), one(1), one(0.8)}))
}

func mixture2() *loss.GaussianMixture {
	return must(loss.NewGaussianMixture([]float64{0.3, 0.7}, [][]float64{{-1, 1}, {2, 0}},
		[]mat.Symmetric{mat.NewSymDense(2, []float64{1, 0.3, 0.3, 0.5}), mat.NewSymDense(2, []float64{0.5, -0.2, -0.2, 1})}))
}

func mixture3() *loss.GaussianMixture {
	return must(loss.NewGaussianMixture(nil, [][]float64{{1, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, -1, 1}}, []mat.Symmetric{nil, must(loss.NewRandomQuadratic([]float64{1, 2, 3, 0.5}, 9)).Matrix(), nil}))
}

func TestLandscapes(t *testing.T) {
	t.Parallel()
	for _, c := range landscape {
		t.Run(fmt.Sprintf("%T%+v", c.loss, c.loss), func(t *testing.T) {
			losstest.Test(t, c.loss, losstest.Options{Exact: true, Scale: c.scale, Wants: c.wants})
			if l, ok := c.loss.(sde.Charted); ok {
				if n := len(l.CriticalPoints()); n != c.points {
					t.Errorf("%d critical points, want %d", n, c.points)
				}
			} else if c.points != 0 {
				t.Errorf("no critical points, want %d", c.points)
			}
		})
	}
}

// TestRosenbrockMinima holds the chart of a bent valley, which from D = 4 on has two minima, to what
// losses are held to; its points beyond those known from the literature were searched for by Newton's
// method from 20,000 places for each D.
func TestRosenbrockMinima(t *testing.T) {
	t.Parallel()
	for _, l := range rosenbrocks {
		losstest.Test(t, l, losstest.Options{Exact: true, Scale: 0.5, Wants: charted})
		if err := digits(l); err != nil {
			t.Error(err)
		}
		if n := len(l.CriticalPoints()); n != 3 {
			t.Errorf("D = %d: %d critical points, want 3", l.D, n)
		}
	}
}

// digits returns an error unless all critical points of a loss are known to ten digits and more: a step of
// Newton's method, in the directions of some curvature, moves none of them by more than 1e-10, and
// the value there is what is declared, to as much.
func digits(l sde.Loss) error {
	c, ok := l.(sde.Charted)
	if !ok {
		return nil
	}
	d := l.Dim()
	g, h := make([]float64, d), mat.NewSymDense(d, nil)
	for _, p := range c.CriticalPoints() {
		l.Gradient(g, p.Theta)
		l.(sde.Hessian).Hessian(h.RawSymmetric().Data, p.Theta)
		var e mat.EigenSym
		if !e.Factorize(h, true) {
			return fmt.Errorf("%T: no eigenvalues at %v", l, p.Theta)
		}
		var v mat.Dense
		e.VectorsTo(&v)
		values := e.Values(nil)
		size, step, largest := 1.0, 0.0, math.Max(math.Abs(values[0]), math.Abs(values[d-1]))
		for _, x := range p.Theta {
			size = math.Max(size, math.Abs(x))
		}
		for k, curvature := range values {
			if math.Abs(curvature) > 1e-9*largest {
				step = math.Hypot(step, mat.Dot(v.ColView(k), mat.NewVecDense(d, g))/curvature)
			}
		}
		if !(step <= 1e-10*size) {
			return fmt.Errorf("%T: a step of Newton's method moves %v by %.2g", l, p.Theta, step)
		}
		if got := l.Value(p.Theta); !(math.Abs(got-p.Value) <= 1e-10*math.Max(1, math.Abs(got))) {
			return fmt.Errorf("%T: the value at %v is %.15g and declared as %.15g", l, p.Theta, got, p.Value)
		}
	}
	return nil
}

// misplaced has critical points of which a coordinate or the value is off by so much.
type misplaced struct {
	loss.Himmelblau
	place, value float64
}

func (l misplaced) CriticalPoints() []sde.CriticalPoint {
	all := l.Himmelblau.CriticalPoints()
	all[3].Theta[1] += l.place
	all[5].Value += l.value
	return all
}

func TestDigits(t *testing.T) {
	t.Parallel()
	for _, c := range landscape {
		if err := digits(c.loss); err != nil {
			t.Error(err)
		}
	}
	for _, l := range []misplaced{{place: 1e-9}, {value: 1e-7}} {
		if digits(l) == nil {
			t.Errorf("%+v passes", l)
		}
	}
	if err := digits(misplaced{}); err != nil {
		t.Error(err)
	}
}

// TestMorse counts critical points: where L grows to infinity in all directions
// and no point is degenerate, their signs (−1)^index add up to 1.
func TestMorse(t *testing.T) {
	for _, c := range landscape {
		l, ok := c.loss.(sde.Charted)
		if !ok || len(l.CriticalPoints()) < 2 {
			continue
		}
		if p, ok := c.loss.(loss.PhaseRetrieval); ok && len(p.Signal) > 2 {
			continue // whose saddles are a sphere
		}
		sum := 0
		for _, p := range l.CriticalPoints() {
			sum += 1 - 2*(p.Index%2)
		}
		if sum != 1 {
			t.Errorf("%T%+v: the signs of the critical points add up to %d", c.loss, c.loss, sum)
		}
	}
}

func TestLandscapesRefuse(t *testing.T) {
	nan := math.NaN()
	for _, l := range []interface{ Validate() error }{
		loss.TiltedDoubleWell{Tilt: nan}, loss.TiltedDoubleWell{Tilt: math.Inf(1)},
		loss.EntropicBarrier{Narrow: -1}, loss.EntropicBarrier{Width: nan},
		loss.Banana{Sigma: -1}, loss.Banana{Bend: nan},
		loss.DoubleWells{D: -1}, loss.DoubleWells{Barrier: -1},
		loss.Channel{D: 1}, loss.Channel{Stiffness: -1},
		loss.StyblinskiTang{D: -1}, loss.Rosenbrock{D: 1}, loss.Rosenbrock{D: -2},
		loss.Rastrigin{D: -1}, loss.Rastrigin{Amplitude: -1}, loss.Rastrigin{Amplitude: 1e9},
		loss.Ackley{D: -3}, loss.Funnel{D: 1}, loss.Quartic{D: -1}, loss.LogCosh{D: -1},
		loss.Chain{D: 2}, loss.Chain{Coupling: -1},
		loss.SaddleChain{D: -1}, loss.SaddleChain{Ratio: -0.1}, loss.SaddleChain{Ratio: 1.5}, loss.SaddleChain{D: 14}, loss.SaddleChain{Ratio: nan},
		loss.MatrixFactorisation{Rank: 3}, loss.MatrixFactorisation{Rank: -1}, loss.MatrixFactorisation{M: &mat.SymDense{}}, loss.MatrixFactorisation{M: mat.NewSymDense(1, []float64{nan})},
		&loss.SpinGlass{}, &loss.GaussianMixture{}, &loss.LinearNet{}, &loss.Rotated{},
		loss.Sum{}, loss.Sum{nil}, loss.Sum{loss.DoubleWell{}, loss.Himmelblau{}}, loss.Sum{loss.DoubleWell{Barrier: -1}},
		loss.Scaled{Factor: 1}, loss.Scaled{Loss: loss.DoubleWell{}}, loss.Scaled{Loss: loss.DoubleWell{}, Factor: -1},
		loss.Shifted{Loss: loss.DoubleWell{}}, loss.Shifted{Loss: loss.DoubleWell{}, Shift: []float64{nan}}, loss.Shifted{},
		loss.Tilted{Loss: loss.DoubleWell{}}, loss.Tilted{Loss: loss.DoubleWell{}, Slope: []float64{math.Inf(1)}}, loss.Tilted{},
		loss.Ridge{Decay: 1}, loss.Ridge{Loss: loss.DoubleWell{}, Decay: -1},
		loss.Rippled{}, loss.Rippled{Loss: loss.DoubleWell{}, Amplitude: nan}, loss.Rippled{Loss: loss.DoubleWell{}, Wavelength: -1},
		loss.PhaseRetrieval{Signal: []float64{0, 0}}, loss.PhaseRetrieval{Signal: []float64{}}, loss.PhaseRetrieval{Signal: []float64{nan}},
	} {
		if err := l.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%T%+v: error %v, want one that wraps sde.ErrInvalid", l, l, err)
		}
	}
}

// TestLandscapeBits holds values and gradients to golden bits, on every machine: those of
// the first so many landscapes. To add one, append it, and its hash.
func TestLandscapeBits(t *testing.T) {
	golden := map[int]string{40: "5df750192230ac4b", 65: "a60424ced57de734"}
	h := sha256.New()
	for k, c := range landscape {
		d := c.loss.Dim()
		x, g := make([]float64, d), make([]float64, d)
		r := rand.New(rand.NewPCG(1, uint64(d)))
		for range 100 {
			for i := range x {
				x[i] = 3 * (2*r.Float64() - 1)
			}
			c.loss.Gradient(g, x)
			for _, v := range append(g, c.loss.Value(x)) {
				h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
			}
		}
		want, ok := golden[k+1]
		if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); ok && got != want || !ok && k+1 == len(landscape) {
			t.Errorf("bits of the first %d: %s, want %s", k+1, got, want)
		}
	}
}
