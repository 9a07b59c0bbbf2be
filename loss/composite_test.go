// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

// bare is a loss of the three methods alone.
type bare struct{ sde.Loss }

// TestBareParts: composites of a loss that knows nothing more than its gradient give what
// those of one that knows all do.
func TestBareParts(t *testing.T) {
	t.Parallel()
	inner := loss.Himmelblau{}
	for name, make := range map[string]func(l sde.Loss) sde.Loss{
		"sum":     func(l sde.Loss) sde.Loss { return loss.Sum{l, l} },
		"scaled":  func(l sde.Loss) sde.Loss { return loss.Scaled{Loss: l, Factor: 0.1} },
		"shifted": func(l sde.Loss) sde.Loss { return loss.Shifted{Loss: l, Shift: []float64{1, 2}} },
		"tilted":  func(l sde.Loss) sde.Loss { return loss.Tilted{Loss: l, Slope: []float64{1, 2}} },
		"ridge":   func(l sde.Loss) sde.Loss { return loss.Ridge{Loss: l, Decay: 2} },
		"rippled": func(l sde.Loss) sde.Loss { return loss.Rippled{Loss: l, Amplitude: 0.1} },
		"rotated": func(l sde.Loss) sde.Loss { return must(loss.NewRotated(l, loss.RandomRotation(2, 5))) },
	} {
		t.Run(name, func(t *testing.T) {
			l := make(bare{inner})
			losstest.Test(t, l, losstest.Options{Exact: true, Tolerance: 1e-6, Points: [][]float64{{0.3, -1}, {2, 2.5}}})
			if c, ok := l.(sde.Charted); ok && c.CriticalPoints() != nil {
				t.Error("critical points of a loss that declares none")
			}
			if c, ok := l.(sde.Curvature); ok && c.Curvature() != 0 {
				t.Error("the curvature of a loss that declares none")
			}
			if n, ok := l.(sde.Normalizable); ok && !n.Normalizable(1) {
				t.Error("not normalisable, though nobody said so")
			}
		})
	}
	if (loss.Scaled{Loss: loss.ABFactorisation{}, Factor: 2}).Normalizable(1) {
		t.Error("a multiple of what cannot be normalised is said to be normalisable")
	}
}

// TestCompositesAllocate nothing once they have run.
func TestCompositesAllocate(t *testing.T) {
	well := loss.DoubleWells{D: 3}
	for _, l := range []sde.Loss{
		loss.Sum{well, loss.Quartic{D: 3}}, loss.Scaled{Loss: well, Factor: 2}, loss.Shifted{Loss: well, Shift: make([]float64, 3)},
		loss.Tilted{Loss: well, Slope: make([]float64, 3)}, loss.Ridge{Loss: well, Decay: 1}, loss.Rippled{Loss: well, Amplitude: 1},
		must(loss.NewRotated(well, loss.RandomRotation(3, 1))), must(loss.NewLinearNet(mat.NewDense(1, 1, []float64{1}), 1, 1, 1, 1)),
		mixture3(), loss.SaddleChain{}, loss.MatrixFactorisation{}, must(loss.NewSpinGlass(5, 1, 1)),
	} {
		d := l.Dim()
		x, dst := sde.NewBatch(65, d), sde.NewBatch(65, d)
		if n := testing.AllocsPerRun(100, func() {
			l.(sde.BatchGradient).BatchGradient(dst, x)
			l.Gradient(dst.Row(0), x.Row(0))
			l.Value(x.Row(1))
		}); n != 0 {
			t.Errorf("%T allocates %v times", l, n)
		}
	}
}

// TestRidgeFactorisation: weight decay λ leaves of the valley ab = 1 the two minima
// a = b = ±√(1−λ) of value λ − λ²/2.
func TestRidgeFactorisation(t *testing.T) {
	const decay = 0.3
	l := loss.Ridge{Loss: loss.ABFactorisation{}, Decay: decay}
	a, g := math.Sqrt(1-decay), make([]float64, 2)
	l.Gradient(g, []float64{-a, -a})
	if math.Hypot(g[0], g[1]) > 1e-15 {
		t.Errorf("∇L = %v at the minimum", g)
	}
	if v := l.Value([]float64{a, a}); math.Abs(v-(decay-decay*decay/2)) > 1e-15 {
		t.Errorf("L = %v at the minimum, want %v", v, decay-decay*decay/2)
	}
}

// TestRandomRotation: the matrix is orthogonal, another for another seed, and uniform: of
// Haar's measure on O(d), d ≥ 2, the trace has the mean 0 and the variance 1, and each sign
// of the determinant is as likely.
func TestRandomRotation(t *testing.T) {
	t.Parallel()
	const n, alpha = 4000, 1e-6 / 9
	for _, d := range []int{2, 3, 6} {
		var sum, squares, positive float64
		for seed := range uint64(n) {
			q := loss.RandomRotation(d, seed)
			if seed < 20 {
				var p mat.Dense
				p.Mul(q, q.T())
				for i := range d {
					p.Set(i, i, p.At(i, i)-1)
				}
				if e := mat.Max(&p) - mat.Min(&p); e > 1e-14 {
					t.Fatalf("d = %d: QQᵀ is off the identity by %v", d, e)
				}
			}
			tr := mat.Trace(q)
			sum, squares = sum+tr, squares+tr*tr
			if mat.Det(q) > 0 {
				positive++
			}
		}
		// The variance of tr² is 2 for d ≥ 4 and at most 2 below: E tr⁴ ≤ 3 (Diaconis & Shahshahani, 1994).
		for what, z := range map[string]float64{
			"E tr Q":    sum / math.Sqrt(n),
			"E (tr Q)²": (squares - n) / math.Sqrt(2*n),
			"det Q > 0": (positive - n/2) / math.Sqrt(n/4),
		} {
			if p := 2 * distuv.UnitNormal.Survival(math.Abs(z)); !(p >= alpha) {
				t.Errorf("d = %d: %s: z = %.3g, p = %.3g", d, what, z, p)
			}
		}
	}
}

// TestMixtureLaw: exp(−L) is the density of the mixture, with the mass of each weight.
func TestMixtureLaw(t *testing.T) {
	l := mixture1()
	density := func(x float64) float64 { return math.Exp(-l.Value([]float64{x})) }
	if z := quad.Fixed(density, -20, 20, 2000, nil, 0); math.Abs(z-1) > 1e-13 {
		t.Errorf("∫ exp(−L) = %v", z)
	}
	want := 0.25*distuv.Normal{Mu: -3, Sigma: math.Sqrt(0.5)}.Prob(0.7) + 0.5*distuv.Normal{Mu: 0, Sigma: 1}.Prob(0.7) + 0.25*distuv.Normal{Mu: 4, Sigma: math.Sqrt(0.8)}.Prob(0.7)
	if got := density(0.7); math.Abs(got-want) > 1e-15 {
		t.Errorf("density %v, want %v", got, want)
	}
	if w := l.Weights(); w[0] != 0.25 || w[1] != 0.5 || w[2] != 0.25 {
		t.Errorf("weights %v", w)
	}
	// Far out the nearest part alone counts, in logarithms.
	if v := l.Value([]float64{1e8}); math.IsInf(v, 0) || math.IsNaN(v) {
		t.Errorf("L(1e8) = %v", v)
	}
}

// TestLinearNetChain: of widths 1 the loss is ½(w_K⋯w_1 − m)², and of one hidden layer that
// of ABFactorisation.
func TestLinearNetChain(t *testing.T) {
	l := must(loss.NewLinearNet(mat.NewDense(1, 1, []float64{1}), 1, 1, 1))
	x, g, want := []float64{0.7, -1.3}, make([]float64, 2), make([]float64, 2)
	l.Gradient(g, x)
	loss.ABFactorisation{}.Gradient(want, x)
	if math.Hypot(g[0]-want[0], g[1]-want[1]) > 1e-15 || math.Abs(l.Value(x)-loss.ABFactorisation{}.Value(x)) > 1e-15 {
		t.Errorf("gradient %v, want %v", g, want)
	}
	// Balanced layers at the target: the trace of the Hessian is that of the fast modes.
	deep := must(loss.NewLinearNet(mat.NewDense(1, 1, []float64{8}), 1, 1, 1, 1))
	if tr := deep.Laplacian([]float64{2, 2, 2}); math.Abs(tr-48) > 1e-13 {
		t.Errorf("tr H = %v at 2·2·2 = 8, want 3·4² = 48", tr)
	}
}

// TestSaddleIndices: the critical points of a factorisation have the values that the
// eigenvalues left over give, and the saddles of theory's index.
func TestSaddleIndices(t *testing.T) {
	for _, p := range (loss.MatrixFactorisation{}).CriticalPoints() {
		want := map[int]float64{0: 0.25, 1: 1, 2: 1.25}[p.Index]
		if math.Abs(p.Value-want) > 1e-15 {
			t.Errorf("index %d: value %v, want %v", p.Index, p.Value, want)
		}
	}
}

func TestConstructorsRefuse(t *testing.T) {
	second := func(_ any, err error) error { return err }
	one, nan := mat.NewDense(1, 1, []float64{1}), math.NaN()
	two := [][]float64{{0}, {1}}
	for k, err := range []error{
		second(loss.NewSpinGlass(1, 1, 1)), second(loss.NewSpinGlass(3, -1, 1)), second(loss.NewSpinGlass(3, nan, 1)),
		second(loss.NewGaussianMixture(nil, nil, nil)), second(loss.NewGaussianMixture(nil, [][]float64{{}}, nil)),
		second(loss.NewGaussianMixture([]float64{1}, two, nil)), second(loss.NewGaussianMixture([]float64{1, 0}, two, nil)),
		second(loss.NewGaussianMixture(nil, [][]float64{{0}, {1, 2}}, nil)), second(loss.NewGaussianMixture(nil, [][]float64{{nan}}, nil)),
		second(loss.NewGaussianMixture(nil, two, []mat.Symmetric{nil})), second(loss.NewGaussianMixture(nil, two, []mat.Symmetric{nil, mat.NewSymDense(1, []float64{-1})})),
		second(loss.NewGaussianMixture(nil, two, []mat.Symmetric{nil, mat.NewSymDense(2, nil)})),
		second(loss.NewLinearNet(one, 1, 1)), second(loss.NewLinearNet(one, 1, 0, 1)), second(loss.NewLinearNet(one, 2, 1, 1)), second(loss.NewLinearNet(nil, 1, 1, 1)),
		second(loss.NewLinearNet(mat.NewDense(1, 1, []float64{nan}), 1, 1, 1)),
		second(loss.NewRotated(nil, one)), second(loss.NewRotated(loss.DoubleWell{}, nil)), second(loss.NewRotated(loss.Himmelblau{}, one)),
		second(loss.NewRotated(loss.DoubleWell{}, mat.NewDense(1, 1, []float64{1.001}))), second(loss.NewRotated(loss.DoubleWell{}, mat.NewDense(1, 1, []float64{nan}))),
		second(loss.NewRandomQuadratic(nil, 1)), second(loss.NewRandomQuadratic([]float64{nan}, 1)),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("case %d: error %v, want one that wraps sde.ErrInvalid", k, err)
		}
	}
}

// A flat, shallow basin beside a deep and sharp one that is tilted and turned: composites
// are losses like any other.
func ExampleSum() {
	l := loss.Ridge{Loss: loss.Sum{
		loss.Shifted{Loss: loss.Scaled{Loss: loss.Himmelblau{}, Factor: 0.01}, Shift: []float64{1, 0}},
		loss.Rippled{Loss: loss.Quartic{D: 2}, Amplitude: 0.1},
	}, Decay: 0.5}
	g := make([]float64, 2)
	l.Gradient(g, []float64{1, 1})
	fmt.Printf("L = %.4f, ∇L = (%.4f, %.4f)\n", l.Value([]float64{1, 1}), g[0], g[1])
	// Output:
	// L = 3.0600, ∇L = (2.3800, 2.0600)
}
