// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// MLPSettings says what an MLP is. The zero value is a linear model with a bias, under the
// squared error.
type MLPSettings struct {
	Hidden     []int // the numbers of units of the hidden layers, from the input on
	Activation Activation
	// CrossEntropy takes the outputs for logits of classes, and Y for the probabilities
	// of each: rows that are not negative and sum to 1, see OneHot. Otherwise the
	// loss is the squared error.
	CrossEntropy bool
	NoBias       bool
	Ridge        float64 // λ, of weights and biases alike
}

// MLP is the mean loss of a fully connected network of any depth on N samples (x_i, y_i),
// with weight decay λ. With A₀ = x and W_l of the size of layer l−1 times that of layer l
//
//	A_l = φ(A_{l−1} W_l + b_l),   f = A_{L−1} W_L + b_L
//	L(θ) = (1/N) Σ_i ½ |f(x_i) − y_i|² + ½ λ|θ|²
//
// and with MLPSettings.CrossEntropy ℓ_i = log Σ_k exp f_k − Σ_k y_ik f_k. θ holds W_1 row by
// row, b_1, W_2, b_2 and so on. The gradient is taken by reverse mode, all samples of a
// mini-batch at once as products of matrices: about 6 d operations a sample, and 2 d numbers to
// move for each θ whatever the batch, so that batches of 16 or more pay. The memory of a goroutine is
// about 3 d numbers, and up to 64 rows of activations; the Hessian is not offered. Use NewMLP.
//
// D. E. Rumelhart, G. E. Hinton & R. J. Williams, 1986, Learning representations by
// back-propagating errors, Nature 323, 533–536.
type MLP struct {
	sampled
	x, y     *mat.Dense
	settings MLPSettings
	widths   []int // of the layers, the input first
	at       []int // where the parameters of layer l begin in θ, l = 1 … L; at[L+1] is d
}

var (
	_ sde.FiniteSum       = (*MLP)(nil)
	_ sde.Minibatches     = (*MLP)(nil)
	_ sde.SampleGradients = (*MLP)(nil)
	_ sde.BatchGradient   = (*MLP)(nil)
	_ sde.Normalizable    = (*MLP)(nil)
	_ eachPass            = (*mlpPass)(nil)
)

// NewMLP returns the loss of the rows of x and the rows of y, the targets or probabilities of
// the outputs, which it copies. It returns an error if there are no samples, numbers of rows
// differ, a number is not finite (naming row and column), a hidden layer has no units,
// Activation is unknown, probabilities are negative or do not sum to 1, or Ridge is negative or
// not finite.
func NewMLP(x, y *mat.Dense, s MLPSettings) (*MLP, error) {
	if err := checkFeatures("NewMLP", "x", x); err != nil {
		return nil, err
	}
	if err := checkFeatures("NewMLP", "y", y); err != nil {
		return nil, err
	}
	n, inputs := x.Dims()
	rows, outputs := y.Dims()
	if rows != n {
		return nil, &sde.SettingError{Field: "loss: NewMLP y", Value: fmt.Sprintf("%d rows", rows),
			Want: fmt.Sprintf("%d, one for each row of x", n), Err: sde.ErrDimension}
	}
	widths := []int{inputs}
	for i, m := range s.Hidden {
		if m < 1 {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: MLPSettings.Hidden[%d]", i), Value: m, Want: "1 or more"}
		}
		widths = append(widths, m)
	}
	if err := s.Activation.check("MLPSettings.Activation"); err != nil {
		return nil, err
	}
	if err := checkFrom0("MLPSettings.Ridge", s.Ridge); err != nil {
		return nil, err
	}
	if s.CrossEntropy {
		for i := range n {
			if err := checkProbabilities(i, y.RawRowView(i)); err != nil {
				return nil, err
			}
		}
	}
	l := &MLP{x: mat.DenseCopyOf(x), y: mat.DenseCopyOf(y), settings: s, widths: append(widths, outputs)}
	l.at = make([]int, len(l.widths)+1)
	for i := 1; i < len(l.widths); i++ {
		l.at[i+1] = l.at[i] + l.fan(i)*l.widths[i]
	}
	l.set(l.at[len(l.widths)], n, 64, s.Ridge, func() pass { return newMLPPass(l) })
	return l, nil
}

// checkProbabilities returns an error unless row i of y is a law.
func checkProbabilities(i int, y []float64) error {
	var sum float64
	for j, v := range y {
		if v < 0 {
			return &sde.SettingError{Field: fmt.Sprintf("loss: NewMLP y, row %d, column %d", i, j), Value: v, Want: "a probability"}
		}
		sum += v
	}
	if math.Abs(sum-1) > 1e-9 {
		return &sde.SettingError{Field: fmt.Sprintf("loss: NewMLP y, row %d", i), Value: fmt.Sprintf("a sum of %v", sum), Want: "probabilities that sum to 1"}
	}
	return nil
}

// OneHot returns the rows of probabilities that labels stand for, 1 in the column of the
// label and 0 elsewhere. It returns an error if a label is not a whole number from 0 and below
// classes, or there are fewer than two classes or no labels.
func OneHot(labels []float64, classes int) (*mat.Dense, error) {
	whole, err := classLabels("OneHot", labels, classes)
	if err != nil {
		return nil, err
	}
	if len(labels) == 0 {
		return nil, &sde.SettingError{Field: "loss: OneHot y", Value: "no labels", Want: "1 or more"}
	}
	y := mat.NewDense(len(labels), classes, nil)
	for i, k := range whole {
		y.Set(i, k, 1)
	}
	return y, nil
}

// fan returns how many rows the parameters of layer i have: its inputs, and one for the bias.
func (l *MLP) fan(i int) int {
	if l.settings.NoBias {
		return l.widths[i-1]
	}
	return l.widths[i-1] + 1
}

// Start stores into theta a start of the usual size: weights that are independent normals of
// mean 0 and variance 1/fan-in, for ReLU 2/fan-in, drawn from s, and no biases. It panics if theta is not of
// the dimension.
//
// K. He, X. Zhang, S. Ren & J. Sun, 2015, Delving deep into rectifiers, IEEE International
// Conference on Computer Vision, 1026–1034.
func (l *MLP) Start(theta []float64, s *sde.Stream) {
	if len(theta) != l.d {
		panic(badTheta)
	}
	s.Normals(theta)
	for i := 1; i < len(l.widths); i++ {
		gain := 1.0
		if l.settings.Activation == ReLU && i < len(l.widths)-1 {
			gain = 2
		}
		in := l.widths[i-1]
		w := theta[l.at[i]:l.at[i+1]]
		kernel.Scale(w, math.Sqrt(gain/float64(in)), w)
		clear(w[in*l.widths[i]:])
	}
}

// Predict stores f(x; θ) into dst. It panics if dst or x is not of the length of a row of
// the data, or theta not of the dimension.
func (l *MLP) Predict(dst, theta, x []float64) {
	outputs := l.widths[len(l.widths)-1]
	if len(theta) != l.d {
		panic(badTheta)
	}
	if len(x) != l.widths[0] || len(dst) != outputs {
		panic("loss: lengths of x and dst are not those of the data's rows")
	}
	one := &MLP{x: mat.NewDense(1, len(x), x), settings: l.settings, widths: l.widths, at: l.at, sampled: sampled{most: 1}}
	p := newMLPPass(one)
	p.load(theta)
	copy(dst, p.forward([]uint32{0}))
}

// Normalizable reports whether temperature and weight decay are above 0.
func (l *MLP) Normalizable(temperature float64) bool {
	return temperature > 0 && l.settings.Ridge > 0
}

// mlpPass has for each layer the packed weights and the activations of up to most samples,
// behind each of which stands a 1 that multiplies the bias.
type mlpPass struct {
	l        *MLP
	theta    []float64
	forth    []kernel.Matrix // of layer i, inputs × outputs
	back     []kernel.Matrix // its transpose, without the bias
	hasBack  bool
	a        [][]float64 // activations of layer i, a row of fan(i+1) numbers each
	delta    [2][]float64
	across   []float64 // activations, transposed
	slopes   kernel.Matrix
	gradient []float64 // where multiply adds
}

func newMLPPass(l *MLP) *mlpPass {
	p := &mlpPass{l: l, forth: make([]kernel.Matrix, len(l.widths)), back: make([]kernel.Matrix, len(l.widths)), a: make([][]float64, len(l.widths))}
	widest := 0
	for i := range l.widths {
		fan := l.widths[i]
		if i+1 < len(l.widths) {
			fan = l.fan(i + 1)
		}
		p.a[i] = make([]float64, fan*l.most)
		for s := fan - 1; s < len(p.a[i]) && fan > l.widths[i]; s += fan {
			p.a[i][s] = 1
		}
		widest = max(widest, fan)
	}
	for i := range p.delta {
		p.delta[i] = make([]float64, widest*l.most)
	}
	p.across = make([]float64, widest*l.most)
	return p
}

func (p *mlpPass) load(theta []float64) {
	l := p.l
	p.theta, p.hasBack = theta, false
	for i := 1; i < len(l.widths); i++ {
		p.forth[i].Set(l.fan(i), l.widths[i], theta[l.at[i]:l.at[i+1]])
	}
}

// forward returns the outputs of the samples, row by row.
func (p *mlpPass) forward(samples []uint32) []float64 {
	l := p.l
	last := len(l.widths) - 1
	fan := l.fan(1)
	for s, i := range samples {
		copy(p.a[0][s*fan:], l.x.RawRowView(int(i)))
	}
	for i := 1; i <= last; i++ {
		out := l.widths[i]
		ld := out
		if i < last {
			ld = l.fan(i + 1)
		}
		p.forth[i].Mul(p.a[i], ld, p.a[i-1], fan, len(samples), false)
		if i < last {
			for s := range samples {
				l.settings.Activation.apply(p.a[i][s*ld:][:out])
			}
		}
		fan = ld
	}
	return p.a[last][:len(samples)*l.widths[last]]
}

func (p *mlpPass) value(samples []uint32) (v float64) {
	f := p.forward(samples)
	for s, i := range samples {
		y := p.l.y.RawRowView(int(i))
		row := f[s*len(y):][:len(y)]
		if p.l.settings.CrossEntropy {
			var own float64
			for k, q := range y {
				own = math.FMA(q, row[k], own)
			}
			var largest, total [1]float64
			softmax(row, largest[:], total[:])
			v += kernel.Log1(total[0]) + (largest[0] - own)
			continue
		}
		for k, q := range y {
			r := row[k] - q
			v = math.FMA(r/2, r, v)
		}
	}
	return v
}

// outputs stores into the first of delta the slopes of scale times the samples' losses at the
// outputs, after forward.
func (p *mlpPass) outputs(samples []uint32, scale float64) {
	last := len(p.l.widths) - 1
	for s, i := range samples {
		y := p.l.y.RawRowView(int(i))
		row := p.a[last][s*len(y):][:len(y)]
		if p.l.settings.CrossEntropy {
			var largest, total [1]float64
			softmax(row, largest[:], total[:])
		}
		for k, q := range y {
			p.delta[0][s*len(y)+k] = float64((row[k] - q) * scale)
		}
	}
}

// layers calls visit for each layer from the last on, with the slopes at what goes into its
// activation, a row for each of n samples: what remains is to multiply them with
// the activations before it.
func (p *mlpPass) layers(n int, visit func(p *mlpPass, i int, delta []float64)) {
	l := p.l
	if !p.hasBack {
		p.hasBack = true
		for i := 2; i < len(l.widths); i++ { // nobody wants the slopes at the inputs
			in, out := l.widths[i-1], l.widths[i]
			p.back[i].SetTransposed(out, in, p.theta[l.at[i]:][:in*out])
		}
	}
	delta, next := p.delta[0], p.delta[1]
	for i := len(l.widths) - 1; i > 0; i-- {
		in, out := l.widths[i-1], l.widths[i]
		visit(p, i, delta[:n*out])
		if i == 1 {
			break
		}
		p.back[i].Mul(next, in, delta, out, n, false)
		fan := l.fan(i)
		for s := range n {
			l.settings.Activation.slope(next[s*in:][:in], p.a[i-1][s*fan:][:in])
		}
		delta, next = next, delta
	}
}

func (p *mlpPass) add(dst []float64, samples []uint32, scale float64) {
	p.forward(samples)
	p.outputs(samples, scale)
	p.into(dst, len(samples))
}

// into adds the gradient to dst that the slopes of n samples at the outputs give.
func (p *mlpPass) into(dst []float64, n int) {
	p.gradient = dst
	p.layers(n, (*mlpPass).multiply)
	p.gradient = nil
}

// multiply adds the activations before layer i, transposed, times the slopes to the gradient.
func (p *mlpPass) multiply(i int, delta []float64) {
	l := p.l
	fan, out := l.fan(i), l.widths[i]
	n := len(delta) / out
	for s := range n {
		for j, v := range p.a[i-1][s*fan:][:fan] {
			p.across[j*n+s] = v
		}
	}
	p.slopes.Set(n, out, delta)
	p.slopes.Mul(p.gradient[l.at[i]:], out, p.across, n, fan, true)
}

func (p *mlpPass) each(dst sde.Batch, samples []uint32) {
	l := p.l
	p.forward(samples)
	p.outputs(samples, 1)
	p.layers(len(samples), func(p *mlpPass, i int, delta []float64) {
		fan, out := l.fan(i), l.widths[i]
		for s := range samples {
			g, d := dst.Row(s)[l.at[i]:l.at[i+1]], delta[s*out:][:out]
			for j, v := range p.a[i-1][s*fan:][:fan] {
				kernel.Axpy(g[j*out:][:out], v, d)
			}
		}
	})
}
