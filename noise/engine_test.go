// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// TestSamplerBits: SGD with any sampler gives the same bits for one worker and for three, observed
// at each step or at the end alone.
func TestSamplerBits(t *testing.T) {
	t.Parallel()
	for name, s := range samplers(t) {
		const eta = 1e-4 // some losses are steep
		e := integrate.Ensemble{Equation: sde.Flow{Loss: s.Objective()}, Scheme: integrate.SGD{Gradient: s}, Step: eta,
			Particles: 2*integrate.BlockRows(s.Objective().Dim()) + 5, Seed: 3}
		var want []float64
		for _, workers := range []int{1, 3} {
			for _, every := range []float64{5 * eta, eta} {
				e.Workers = workers
				var f integrate.Final
				if _, err := e.Run(t.Context(), integrate.Schedule{Time: 5 * eta, Every: every}, &f); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got, _ := f.States().Flat()
				if want == nil {
					want = got
				}
				for i, v := range got {
					if math.Float64bits(v) != math.Float64bits(want[i]) {
						t.Fatalf("%s: number %d is %v with %d workers and an observation every %v, and %v with one at the end", name, i, v, workers, every, want[i])
					}
				}
			}
		}
	}
}

// TestLabelNoiseStationary runs SGD on a regression that interpolates, all samples in each step and
// fresh noise of the labels: with C = (σ²/N) H for every θ the stationary covariance is diagonal
// where H is, and in a direction of curvature h
//
//	S = (1−ηh)² S + η²σ²h/N = ησ²/(N(2−ηh))
//
// which for η → 0 is the same in all directions.
func TestLabelNoiseStationary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long")
	}
	l := regression{x: [][]float64{{2, 1}, {2, -1}, {-2, 1}, {-2, -1}}, y: make([]float64, 4)} // H = diag(4, 1)
	const eta, sigma = 0.3, 0.5
	s := noise.LabelNoise{Gradient: noise.WithoutReplacement{Loss: l, BatchSize: 4}, StdDev: sigma}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: s}, Step: eta, Particles: 1 << 14, Seed: 8 + *seedShift}
	var m integrate.Moments
	if _, err := e.Run(t.Context(), integrate.Schedule{BurnIn: 12, Time: 12, Every: 3}, &m); err != nil {
		t.Fatal(err)
	}
	for j, h := range []float64{4, 1} {
		accept(t, "the variance", m.SecondMoment(j, j), eta*sigma*sigma/(4*(2-eta*h)))
		refuse(t, "the variance of the flow", m.SecondMoment(j, j), eta*sigma*sigma/8)
	}
	accept(t, "the covariance", m.SecondMoment(0, 1), 0)
}

// TestSamplerGolden holds the bits of samplers to what they were, by the FNV sum of three places:
// they change only in a release that says so.
func TestSamplerGolden(t *testing.T) {
	t.Parallel()
	of := harmonicSum{} // no product of its own is rounded
	with := noise.WithReplacement{Loss: of, BatchSize: 2}
	full := noise.FullGradient{Loss: of}
	member := []noise.Client{{Gradient: with, Weight: 0.5}, {Gradient: full, Weight: 0.5}}
	for _, c := range []struct {
		s    sde.GradientSampler
		want uint64
	}{
		{with, 0x2243efcdfa3ac412},
		{noise.WithoutReplacement{Loss: of, BatchSize: 2}, 0x20127ebb9427a3f1},
		{noise.Reshuffling{Loss: of, BatchSize: 1}, 0xa5b91d12287877e6},
		{noise.ClippedSamples{Gradient: with, Norm: 0.7}, 0x27cd4724c0038d25},
		{noise.Clipped{Gradient: with, Norm: 0.7}, 0x6c58df06842db7c8},
		{noise.DPSGD{Gradient: with, Norm: 0.7, Multiplier: 2}, 0x2ea3facf505599cc},
		{noise.Quantised{Gradient: with, Spacing: 0.3}, 0x80e7ce3eb07950fd},
		{noise.Dropout{Gradient: full, Rate: 0.4}, 0x2432b7b340629098},
		{noise.Scaled{Gradient: full, StdDev: 0.4}, 0x3a4ef1a111b1c915},
		{noise.GradientNoise{Gradient: full, Diffusion: noise.Temperature{T: 0.3}, LearningRate: 0.1}, 0x458aca244b347b30},
		{noise.StableNoise{Gradient: full, Alpha: 1.5, Scale: 0.3}, 0xa4e1ac91812cebc2},
		{noise.StudentNoise{Gradient: full, DegreesOfFreedom: 3, Scale: 0.3}, 0xab2616466091e314},
		{noise.SVAG{Gradient: with, L: 3}, 0x6d2cb620067180c1},
		{noise.Averaged{Gradient: with, Count: 3}, 0x313eee46e92ed07f},
		{noise.Clients{Members: member, Participants: 1, LocalSteps: 2, LocalRate: 0.1}, 0x4523ead78e0231a3},
	} {
		const rows = 5
		f, stream, x, g := c.s.BindGradients(rows), sde.NewStream(42, nil), sde.NewBatch(rows, 2), sde.NewBatch(rows, 2)
		for i := range x.Data {
			x.Data[i] = float64(i) / 4
		}
		sum := fnv.New64a()
		for _, p := range [][2]int{{0, 0}, {0, 1}, {3, 7}} {
			stream.At(sde.Steps, p[0], p[1])
			f(g, x, stream)
			for _, v := range g.Data {
				binary.Write(sum, binary.LittleEndian, v)
			}
		}
		if got := sum.Sum64(); got != c.want {
			t.Errorf("%T: the bits have the FNV sum %#x, and had %#x", c.s, got, c.want)
		}
	}
}

// TestDraws holds them to what a particle of its own sees, step by step.
func TestDraws(t *testing.T) {
	t.Parallel()
	s := noise.Reshuffling{Loss: newRegression(7, 2, 0.2, 1), BatchSize: 2}
	theta := []float64{1, 2}
	var want [][]float64
	draws(s, theta, 1, 9, 1-*seedShift, func(_ int, g []float64) { want = append(want, append([]float64(nil), g...)) })
	k := 0
	for g := range noise.Draws(s, theta, 9, 1) {
		if g[0] != want[k][0] || g[1] != want[k][1] {
			t.Errorf("draw %d is %v, want %v", k, g, want[k])
		}
		k++
	}
	for range noise.Draws(s, theta, 9, 1) {
		k++
		break
	}
	if k != 10 {
		t.Errorf("%d draws, want 10", k)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for another dimension")
		}
	}()
	noise.Draws(s, []float64{1}, 1, 1)
}

// TestScheduledBatches holds the variance in a step to Σ/B of its time, for two sizes.
func TestScheduledBatches(t *testing.T) {
	t.Parallel()
	l := newRegression(7, 2, 0.2, 1)
	theta := []float64{0.4, -1}
	s := noise.ScheduledBatches{Loss: l, Size: noise.BatchFor{Decay: noise.Stepwise{Times: []float64{10, 20}, Values: []float64{0.1, 0.05, 0.001}}, LearningRate: 0.1, BatchSize: 3},
		LearningRate: 0.1, Most: 16}
	var sigma mat.SymDense
	noise.SampleCovariance(&sigma, l, theta)
	f, stream := s.BindGradients(256), sde.NewStream(6+*seedShift, nil)
	x, g := sde.NewBatch(256, 2), sde.NewBatch(256, 2)
	for r := range x.Rows {
		copy(x.Row(r), theta)
	}
	for _, c := range []struct{ first, size int }{{0, 3}, {101, 6}, {201, 16}} {
		if got := s.BatchSize(c.first); got != c.size {
			t.Errorf("step %d has batches of %d, want %d", c.first, got, c.size)
		}
		var m noise.GradientMoments
		for k := range 40 {
			stream.At(sde.Steps, 0, c.first+k)
			f(g, x, stream)
			for r := range g.Rows {
				m.Add(g.Row(r))
			}
		}
		accept(t, "the variance", m.Trace(), mat.Trace(&sigma)/float64(c.size))
		refuse(t, "the variance", m.Trace(), mat.Trace(&sigma)/float64(c.size)*1.2)
	}
}

// TestNoiseScaleObserver feeds two places to an observer and holds it to the exact scale of both
// together; a saved group is what it was.
func TestNoiseScaleObserver(t *testing.T) {
	t.Parallel()
	l := newRegression(12, 2, 0, 1)
	places := [][]float64{{2, 1}, {-1, 0.5}}
	var trace, squared float64
	for _, p := range places {
		var sigma mat.SymDense
		noise.SampleCovariance(&sigma, l, p)
		trace += mat.Trace(&sigma) / 2
		g := make([]float64, 2)
		l.Gradient(g, p)
		squared += (g[0]*g[0] + g[1]*g[1]) / 2
	}
	o := &noise.NoiseScaleObserver{Loss: l, Small: 2, Big: 8}
	run := sde.Run{Dim: 2, Groups: 32}
	if err := o.Start(run); err != nil {
		t.Fatal(err)
	}
	x, stream := sde.NewBatch(256, 2), sde.NewStream(7+*seedShift, nil)
	for r := range x.Rows {
		copy(x.Row(r), places[r%2])
	}
	for g := range run.Groups {
		for k := range 3 {
			stream.At(sde.Observers, g, k)
			if err := o.Observe(sde.Sample{Group: g, Index: k, X: x, Stream: stream}); err != nil {
				t.Fatal(err)
			}
		}
	}
	accept(t, "tr Σ", o.Trace(), trace)
	accept(t, "|∇L|²", o.SquaredGradient(), squared)
	refuse(t, "|∇L|² with the noise of the large batch", o.SquaredGradient(), squared+trace/8)
	accept(t, "the scale", o.Scale(), trace/squared)
	refuse(t, "the scale", o.Scale(), trace/squared/2)
	other := &noise.NoiseScaleObserver{Loss: l, Small: 2, Big: 8}
	if err := other.Start(run); err != nil {
		t.Fatal(err)
	}
	for g := range run.Groups {
		saved := o.AppendGroup(nil, g)
		if err := other.LoadGroup(g, saved); err != nil || !bytes.Equal(other.AppendGroup(nil, g), saved) {
			t.Fatalf("group %d is another after loading: %v", g, err)
		}
	}
	if other.Scale() != o.Scale() {
		t.Errorf("loaded %v, saved %v", other.Scale(), o.Scale())
	}
	if other.LoadGroup(0, []byte{1}) == nil || other.LoadGroup(0, bytes.Repeat([]byte{0xff}, 24)) == nil {
		t.Error("nonsense is loaded")
	}
	if o.Observe(sde.Sample{X: x}) == nil {
		t.Error("no error for a sample without a stream")
	}
	for name, o := range map[string]*noise.NoiseScaleObserver{
		"no loss": {Small: 1, Big: 2}, "sizes out of order": {Loss: l, Small: 2, Big: 2}, "another dimension": {Loss: newRegression(2, 1, 0, 1), Small: 1, Big: 2},
	} {
		if err := o.Start(run); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: error %v, want one that wraps sde.ErrInvalid", name, err)
		}
	}
}
