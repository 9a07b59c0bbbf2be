// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// TestSamplerBits: SGD with any sampler gives the same bits for one worker and for three, observed at each step or at the
// end alone.
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

// TestNoiseScaleObserver feeds two places to an observer and holds it to the exact scale of both together; a saved group is
// what it was.
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
