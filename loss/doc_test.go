// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

var update = flag.Bool("update", false, "write the table of landscapes into doc.go instead of comparing it")

// listed are the landscapes in the order of the table in doc.go.
var listed = []struct {
	name, about string
	any         bool // of any dimension
	loss        sde.Loss
}{
	{"DoubleWell", "ΔL (x²−1)²", false, loss.DoubleWell{}},
	{"TiltedDoubleWell", "(x²−1)²/4 + a x, here a = 0.1", false, loss.TiltedDoubleWell{Tilt: 0.1}},
	{"FlatSharp", "two minima, equally deep, one sharp, one flat", false, loss.FlatSharp{}},
	{"Prinz", "four wells", false, loss.Prinz{}},
	{"MullerBrown", "three minima in a bent valley", false, loss.MullerBrown{}},
	{"ThreeHole", "two deep minima, one shallow, two ways between", false, loss.ThreeHole{}},
	{"Himmelblau", "four minima of value 0", false, loss.Himmelblau{}},
	{"QuadrupleWell", "four minima of different depth", false, loss.QuadrupleWell{}},
	{"EntropicBarrier", "two basins, a narrow channel, no height between", false, loss.EntropicBarrier{}},
	{"Banana", "a bent Gaussian", false, loss.Banana{}},
	{"ABFactorisation", "½(ab−1)², a valley of minima that are not isolated", false, loss.ABFactorisation{}},
	{"Quadratic", "½(θ−c)ᵀH(θ−c); dense, diagonal or of a spectrum", true, must(loss.NewRandomQuadratic([]float64{1, 3}, 1))},
	{"DoubleWells", "a double well in each coordinate", true, loss.DoubleWells{}},
	{"Channel", "a double well across a stiff valley", true, loss.Channel{}},
	{"SaddleChain", "plateaus: double wells, each softer than the last", true, loss.SaddleChain{}},
	{"StyblinskiTang", "wells of two depths in each coordinate", true, loss.StyblinskiTang{}},
	{"Rosenbrock", "a bent, narrow valley", true, loss.Rosenbrock{}},
	{"Rastrigin", "a paraboloid with waves", true, loss.Rastrigin{}},
	{"Ackley", "a cone with waves", true, loss.Ackley{}},
	{"Funnel", "Neal's", true, loss.Funnel{}},
	{"Quartic", "Σ θ⁴/4, whose gradient grows fast", true, loss.Quartic{}},
	{"LogCosh", "whose gradient is bounded", true, loss.LogCosh{}},
	{"Chain", "a ring of coupled double wells, here γ = 2", true, loss.Chain{Coupling: 2}},
	{"GaussianMixture", "−log of a mixture of normal laws, here of two", true, mixture2()},
	{"MatrixFactorisation", "¼‖UUᵀ − M‖²", true, loss.MatrixFactorisation{}},
	{"LinearNet", "½‖W_K⋯W_1 − M‖², here of widths 2, 2, 2", true, must(loss.NewLinearNet(mat.NewDense(2, 2, []float64{1, 0, 0, 1}), 2, 2, 2))},
	{"PhaseRetrieval", "from squares of projections, the population's", true, loss.PhaseRetrieval{}},
	{"SpinGlass", "random couplings of soft spins, here of 12", true, must(loss.NewSpinGlass(12, 1, 1))},
}

// table returns the table of doc.go, a comment line each.
func table() string {
	var b strings.Builder
	row := func(cells ...any) {
		fmt.Fprintf(&b, "//\t%-20s%-5v%-8v%-9v%-8v%-10v%-11v%s\n", cells...)
	}
	row("landscape", "d", "minima", "saddles", "maxima", "sharpest", "exp(−L/T)", "what it is")
	for _, l := range listed {
		d := fmt.Sprint(l.loss.Dim())
		if l.any {
			d = "(" + d + ")"
		}
		minima, saddles, maxima, sharpest, normal := "–", "–", "–", "–", "–"
		if c, ok := l.loss.(sde.Charted); ok && c.CriticalPoints() != nil {
			var n [3]int
			for _, p := range c.CriticalPoints() {
				switch p.Index {
				case 0:
					n[0]++
				case l.loss.Dim():
					n[2]++
				default:
					n[1]++
				}
			}
			minima, saddles, maxima = fmt.Sprint(n[0]), fmt.Sprint(n[1]), fmt.Sprint(n[2])
			if c, ok := l.loss.(sde.Curvature); ok {
				sharpest = fmt.Sprintf("%.4g", c.Curvature())
			}
		}
		if n, ok := l.loss.(sde.Normalizable); ok {
			normal = map[bool]string{true: "yes", false: "no"}[n.Normalizable(1)]
		}
		row(l.name, d, minima, saddles, maxima, sharpest, normal, l.about)
	}
	return b.String()
}

// TestDocTable holds the table of landscapes in doc.go to what they say of themselves. To
// write it anew: go test ./loss -run DocTable -update.
func TestDocTable(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	const first, last = "//\tlandscape", "//\n// # Composites"
	from, to := strings.Index(string(text), first), strings.Index(string(text), last)
	if from < 0 || to < from {
		t.Fatal("there is no table of landscapes before the composites")
	}
	if got := string(text[from:to]); got != table() {
		if *update {
			if err := os.WriteFile("doc.go", []byte(string(text[:from])+table()+string(text[to:])), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("the table of doc.go is\n%s\nand should be\n%s", got, table())
	}
}
