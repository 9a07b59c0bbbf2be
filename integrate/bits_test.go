// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"sync/atomic"
	"testing"

	//lint:ignore SA1019 the source interface is fixed by the project, see sde.Source
	"golang.org/x/exp/rand"
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// bitsCase is a run whose bits are compared.
type bitsCase struct {
	name     string
	ensemble integrate.Ensemble
	schedule integrate.Schedule
}

func bitsCases(t testing.TB) []bitsCase {
	t.Helper()
	hessian, diffusion, _ := lyapunov5(0.05)
	quadratic, err := loss.NewQuadratic(hessian, nil)
	if err != nil {
		t.Fatal(err)
	}
	constant, err := noise.NewConstant(diffusion)
	if err != nil {
		t.Fatal(err)
	}
	normal := integrate.StartFunc(func(theta []float64, _ int, s *sde.Stream) { s.Normals(theta) })
	c := newCommuting()
	x, y := loss.LogisticTeacher(500, []float64{1, -1, 0.5}, 1)
	logistic, err := loss.NewLogistic(x, y, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	return []bitsCase{
		{"SGD", integrate.Ensemble{Equation: sde.Flow{Loss: logistic}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: logistic, BatchSize: 11}},
			Step: 0.25, Particles: 2000, Seed: 6, Start: normal}, integrate.Schedule{Time: 10, Every: 2.5}},
		{"double well", integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}},
			Step: 0.01, Particles: 9*1024 + 77, Seed: 1, Start: normal}, integrate.Schedule{BurnIn: 0.1, Time: 0.4, Every: 0.1}},
		{"dense", integrate.Ensemble{Equation: sde.Flow{Loss: quadratic, Diffusion: constant},
			Step: 0.05, Particles: 1000, Seed: 2, Start: normal}, integrate.Schedule{Time: 2, Every: 0.5}},
		{"Stratonovich", integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: growing{0.1}, Calculus: sde.Stratonovich},
			Step: 0.02, Particles: 4096, Seed: 3}, integrate.Schedule{Time: 0.4, Every: 0.2}},
		{"Milstein", integrate.Ensemble{Equation: c, Scheme: integrate.Milstein{}, Step: 0.01, Particles: 3000, Seed: 4,
			Start: integrate.Points{{1, 0.5}, {-1, 2}}}, integrate.Schedule{BurnIn: 0.05, Time: 0.2, Every: 0.1}},
		{"box, pieces", integrate.Ensemble{Equation: sde.Flow{Loss: flat{3}, Diffusion: noise.Temperature{T: 0.5},
			Domain: sde.Box{Lo: []float64{-1, -1, -1}, Hi: []float64{1, 1, 1}}},
			Step: 0.1, Particles: 2000, Seed: 5, Pieces: 3}, integrate.Schedule{Time: 2, Every: 0.5}},
		{"delayed SGD", integrate.Ensemble{Equation: sde.Flow{Loss: logistic}, Scheme: integrate.DelayedSGD{Gradient: noise.WithReplacement{Loss: logistic, BatchSize: 4},
			Delays: integrate.GeometricDelays(2, 6)}, Step: 0.25, Particles: 1500, Seed: 7, Start: normal}, integrate.Schedule{Time: 5, Every: 2.5}},
		{"average of Adam", integrate.Ensemble{Equation: sde.Flow{Loss: logistic}, Scheme: integrate.Averaged{Of: integrate.Adam{Gradient: noise.WithReplacement{Loss: logistic, BatchSize: 4}, Decay: 0.1},
			From: 1}, Step: 0.05, Particles: 1500, Seed: 8, Start: normal}, integrate.Schedule{Time: 2, Every: 0.5}},
		{"implicit", integrate.Ensemble{Equation: sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 15}}, Scheme: integrate.DriftImplicit{},
			Step: 2e-4, Particles: 1100, Seed: 9, Start: integrate.Points{{-0.55, 1.45}, {0.6, 0}}}, integrate.Schedule{Time: 0.008, Every: 0.002}},
		{"split step", integrate.Ensemble{Equation: c, Scheme: integrate.SplitStepBackwardEuler{}, Step: 0.02, Particles: 1100, Seed: 10,
			Start: integrate.Points{{1, 0.5}, {-1, 2}}}, integrate.Schedule{Time: 0.4, Every: 0.2}},
		{"heavy ball", integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: growing{0.1}}, Scheme: integrate.HeavyBall{LearningRate: 0.1, Momentum: 0.9},
			Step: 0.25, Particles: 3000, Seed: 11, Start: normal}, integrate.Schedule{BurnIn: 0.5, Time: 4, Every: 1}},
		{"Nesterov", integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: growing{0.1}}, Scheme: integrate.Nesterov{LearningRate: 0.1, Momentum: 0.9},
			Step: 0.25, Particles: 3000, Seed: 12, Start: normal}, integrate.Schedule{BurnIn: 0.5, Time: 4, Every: 1}},
		{"SGLD", integrate.Ensemble{Equation: sde.Flow{Loss: logistic, Diffusion: noise.Temperature{T: 0.002}}, Scheme: integrate.SGLD{Gradient: noise.WithReplacement{Loss: logistic, BatchSize: 12}},
			Step: 0.5, Particles: 1500, Seed: 13, Start: normal}, integrate.Schedule{BurnIn: 1, Time: 10, Every: 2.5}},
	}
}

// digest hashes the bits of numbers.
func digest(v ...float64) string {
	h := sha256.New()
	var b [8]byte
	for _, x := range v {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(x))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// bitsOf runs an ensemble and returns the digest of its final state and of what
// Moments and Mean make of it.
func bitsOf(t *testing.T, e integrate.Ensemble, s integrate.Schedule, others ...sde.Observer) (state, estimates string) {
	t.Helper()
	var final integrate.Final
	var moments integrate.Moments
	mean := integrate.NewMean(1, func(dst, theta []float64) {
		dst[0] = 0
		for _, x := range theta {
			dst[0] += float64(x * x * x)
		}
	})
	mustRun(t, e, s, append(others, &final, &moments, mean)...)
	var v []float64
	for _, e := range []sde.Estimate{moments.Mean(0), moments.Variance(0), moments.SecondMoment(0, moments.Dims()-1), mean.Estimate(0)} {
		v = append(v, e.Value, e.StdErr)
	}
	return digest(final.States().Data...), digest(v...)
}

// drawing draws from the observers' stream, more at some times than at others.
type drawing struct{ burnIn bool }

func (drawing) Start(sde.Run) error    { return nil }
func (d drawing) ObservesBurnIn() bool { return d.burnIn }
func (drawing) Observe(s sde.Sample) error {
	s.Stream.Normals(make([]float64, 1+s.Index*7+s.Group))
	s.Stream.Words(make([]uint64, 5))
	return nil
}

func TestBitsDoNotDependOn(t *testing.T) {
	for _, test := range bitsCases(t) {
		t.Run(test.name, func(t *testing.T) {
			e := test.ensemble
			e.Workers = 1
			state, estimates := bitsOf(t, e, test.schedule)
			for _, workers := range []int{0, 2, 3, 7} {
				e.Workers = workers
				if s, m := bitsOf(t, e, test.schedule); s != state || m != estimates {
					t.Errorf("%d workers: state %s, estimates %s, want %s, %s", workers, s, m, state, estimates)
				}
			}
			e.Workers = 2
			// Other observers, whatever they draw and whenever they look.
			for _, others := range [][]sde.Observer{
				{drawing{}}, {drawing{true}, drawing{}},
				{&integrate.Trajectories{Particles: []int{3, 700}, BurnIn: true}, integrate.NewSeries(func() *integrate.Moments { return new(integrate.Moments) })},
			} {
				if s, m := bitsOf(t, e, test.schedule, others...); s != state || m != estimates {
					t.Errorf("with %T: state %s, estimates %s, want %s, %s", others[0], s, m, state, estimates)
				}
			}
			// Progress.
			e.Progress = func(integrate.Progress) {}
			if s, m := bitsOf(t, e, test.schedule); s != state || m != estimates {
				t.Errorf("with Progress: state %s, estimates %s, want %s, %s", s, m, state, estimates)
			}
			e.Progress = nil
			// The state does not depend on the schedule of observations, and neither
			// it nor the estimates' values on the groups.
			total := test.schedule.BurnIn + test.schedule.Time
			for _, schedule := range []integrate.Schedule{{Time: total}, {Time: total, Every: e.Step}, {BurnIn: total - e.Step, Time: e.Step}} {
				if s, _ := bitsOf(t, e, schedule); s != state {
					t.Errorf("%+v: state %s, want %s", schedule, s, state)
				}
			}
			e.Groups = 1
			if s, _ := bitsOf(t, e, test.schedule); s != state {
				t.Errorf("one group: state %s, want %s", s, state)
			}
			// Fewer particles: those that are left are the same.
			e.Groups = 0
			all := finals(t, e, test.schedule)
			e.Particles = e.Particles*2/3 + 1
			if few := finals(t, e, test.schedule); digest(few.Data...) != digest(all.Data[:len(few.Data)]...) {
				t.Error("a run of fewer particles has other ones")
			}
			// Another seed.
			e = test.ensemble
			e.Seed += 1 << 32
			if s, m := bitsOf(t, e, test.schedule); s == state || m == estimates {
				t.Error("another seed, same bits")
			}
		})
	}
}

func TestPiecesOneIsUnset(t *testing.T) {
	test := bitsCases(t)[1]
	state, _ := bitsOf(t, test.ensemble, test.schedule)
	test.ensemble.Pieces = 1
	if s, _ := bitsOf(t, test.ensemble, test.schedule); s != state {
		t.Errorf("Pieces = 1: %s, unset: %s", s, state)
	}
	test.ensemble.Pieces = 2
	if s, _ := bitsOf(t, test.ensemble, test.schedule); s == state {
		t.Error("Pieces = 2 gives the bits of Pieces = 1")
	}
}

func TestReplay(t *testing.T) {
	for _, test := range bitsCases(t) {
		n := test.ensemble.Particles
		particles := []int{0, 1, 63, n / 2, n - 1}
		full := &integrate.Trajectories{Particles: particles, BurnIn: true}
		mustRun(t, test.ensemble, test.schedule, full)
		for i, p := range particles {
			one := &integrate.Trajectories{Particles: []int{p}, BurnIn: true}
			var calls []integrate.Progress
			e := test.ensemble
			e.Progress = func(p integrate.Progress) { calls = append(calls, p) }
			r, err := e.Replay(context.Background(), test.schedule, p, one)
			if err != nil {
				t.Fatal(err)
			}
			times, path := one.Path(0)
			wantTimes, want := full.Path(i)
			if digest(path.Data...) != digest(want.Data...) || digest(times...) != digest(wantTimes...) || len(times) < 3 {
				t.Errorf("%s: replay of particle %d differs", test.name, p)
			}
			if r.Partial || r.Steps == 0 {
				t.Errorf("%s: result of a replay: %+v", test.name, r)
			}
			if last := calls[len(calls)-1]; last.Done != last.Total {
				t.Errorf("%s: replay's progress ends at %d of %d", test.name, last.Done, last.Total)
			}
		}
	}
	test := bitsCases(t)[0]
	for _, p := range []int{-1, test.ensemble.Particles} {
		if _, err := test.ensemble.Replay(context.Background(), test.schedule, p); !isInvalid(err) {
			t.Errorf("replay of particle %d: error %v", p, err)
		}
	}
}

// counted counts what is drawn from a source.
type counted struct {
	rand.PCGSource
	words *atomic.Int64
}

func (c *counted) Uint64() uint64 { c.words.Add(1); return c.PCGSource.Uint64() }

func TestNewSource(t *testing.T) {
	var words atomic.Int64
	var made atomic.Int64
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}},
		Step: 0.05, Particles: 1<<14 + 5, Seed: 1}
	s := integrate.Schedule{Time: 1}
	builtin, _ := bitsOf(t, e, s)
	e.NewSource = func(uint64) sde.Source {
		made.Add(1)
		return &counted{words: &words}
	}
	e.Workers = 1
	state, estimates := bitsOf(t, e, s)
	if state == builtin {
		t.Error("another source, same bits")
	}
	// A group of 16 normals takes 16 words, and nothing else draws any.
	if want := int64(20 * (1<<14 + 16)); words.Load() != want {
		t.Errorf("%d words were drawn from the source, want %d", words.Load(), want)
	}
	if made.Load() == 0 {
		t.Error("no source was made")
	}
	for _, workers := range []int{2, 7} {
		e.Workers = workers
		if s, m := bitsOf(t, e, s); s != state || m != estimates {
			t.Errorf("%d workers with a source of one's own: other bits", workers)
		}
	}
	// Its law: the variance of Brownian motion.
	seed := 700 + *seedShift
	e.Seed, e.Equation, e.Particles = seed, sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 0.5}}, 1<<16
	x := finals(t, e, s)
	var q float64
	for _, v := range x.Data {
		q += v * v
	}
	accept(t, "variance of Brownian motion on PCG", seed, q, chiSquaredP(q, 1<<16))
}

// Golden values are an interface (DESIGN.md, rule 12): they change only in a
// release that says so, and hold on every architecture, with and without
// assembly and fused arithmetic. Run with -update to print them.
var goldenRuns = map[string]string{
	"SGD":             "20ec37d549c6f075 787eeab6a236be8d",
	"delayed SGD":     "e2f2390883c2d035 a05712bce1939b2c",
	"average of Adam": "55c2c2265b841812 c15aeda28bb49905",
	"double well":     "daa72dd73f730ecd cb36be6c4be27dd9",
	"dense":           "aa2403b84965d74f 8b13b00638925860",
	"Stratonovich":    "487317b6ec21dffb 65c040edbda50ee4",
	"Milstein":        "3d6a0c8efb38d759 8d14f99b6ec4418b",
	"box, pieces":     "18a21f891eb65bea 2866c19c701822f0",
	"implicit":        "758194a813ea018d aac5a254f7538490",
	"split step":      "ac479674ac4f6712 fd58c131dc88a62c",
	"heavy ball":      "36bb6ccda27154b6 0983f69e9c6d5eee",
	"Nesterov":        "d7b9cec9cfcac3db a7545c8d35b3dbb8",
	"SGLD":            "0ca72eae36676db7 64b6e81f21e43f5d",
}

func TestGoldenRuns(t *testing.T) {
	for _, test := range bitsCases(t) {
		if test.name == "dense" {
			// The root is gonum's, whose bits are not ours: give one.
			root, err := noise.NewRoot(mat.NewDense(5, 2, []float64{1, 0.5, -0.25, 0.75, 0.125, 1.5, 0.5, -1, 0.25, 0.375}))
			if err != nil {
				t.Fatal(err)
			}
			flow := test.ensemble.Equation.(sde.Flow)
			h := mat.NewSymDense(5, nil)
			for i := range 5 {
				for j := i; j < 5; j++ {
					h.SetSym(i, j, 1/float64(1+i+j))
				}
			}
			if flow.Loss, err = loss.NewQuadratic(h, []float64{1, 2, 3, 4, 5}); err != nil {
				t.Fatal(err)
			}
			flow.Diffusion = root
			test.ensemble.Equation = flow
		}
		if test.name == "Milstein" || test.name == "split step" {
			// Matrices that no linear algebra has been at.
			test.ensemble.Equation = exactCommuting{&commuting{drift: mat.NewDense(2, 2, []float64{0.25, -0.5, 0.5, 0.25}),
				m: []*mat.Dense{mat.NewDense(2, 2, []float64{0.3, -0.1, 0.1, 0.3}), mat.NewDense(2, 2, []float64{-0.2, 0.4, -0.4, -0.2})}}}
		}
		state, estimates := bitsOf(t, test.ensemble, test.schedule)
		got := state + " " + estimates
		if *update {
			fmt.Printf("\t%q: %q,\n", test.name, got)
		} else if want := goldenRuns[test.name]; got != want {
			t.Errorf("%s: %s, want %s", test.name, got, want)
		}
	}
}
