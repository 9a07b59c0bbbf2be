// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func isInvalid(err error) bool {
	var s *sde.SettingError
	return errors.Is(err, sde.ErrInvalid) && errors.As(err, &s)
}

// setting is a run that is about to be spoilt.
type setting struct {
	integrate.Ensemble
	integrate.Schedule
	flow      sde.Flow
	observers []sde.Observer
}

// thermal is isotropic noise that claims dimensions of its own.
type thermal struct{ d, m int }

func (n thermal) Dims() (state, noise int)           { return n.d, n.m }
func (thermal) Root(dst, theta []float64, t float64) {}
func (thermal) Temperature(t float64) float64        { return 1 }
func (thermal) Class() sde.NoiseClass                { return sde.Constant }

// boxed is an equation of one's own in a domain.
type boxed struct {
	additive
	domain sde.Domain
}

func (b boxed) Confinement() sde.Domain { return b.domain }

// dims is an equation of the given dimensions.
type dims struct{ d, m int }

func (e dims) Dims() (state, noise int)            { return e.d, e.m }
func (dims) Drift(dst, theta []float64, t float64) {}
func (dims) Root(dst, theta []float64, t float64)  {}

var (
	nan, inf = math.NaN(), math.Inf(1)
	vanish   = func(dst, theta []float64, t float64) { clear(dst) }
)

// settingTests are settings that are wrong, each with the field, the value and
// what would be right as the error has to name them.
var settingTests = []struct {
	name  string
	spoil func(*setting)
	texts []string
}{
	{"no equation", func(s *setting) { s.Equation = nil }, []string{"Ensemble.Equation", "<nil>", "sde.Flow"}},
	{"equation of no coordinates", func(s *setting) { s.Equation = dims{0, 1} }, []string{"Ensemble.Equation", "0 coordinates", "at least one"}},
	{"equation of negative noise", func(s *setting) { s.Equation = dims{1, -1} }, []string{"Ensemble.Equation", "-1 noise"}},
	{"no loss", func(s *setting) { s.flow.Loss = nil }, []string{"Flow.Loss", "<nil>", "a loss"}},
	{"loss of no coordinates", func(s *setting) { s.flow.Loss = flat{0} }, []string{"Loss.Dim()", "0", "at least 1"}},
	{"loss of negative coordinates", func(s *setting) { s.flow.Loss = flat{-3} }, []string{"Loss.Dim()", "-3", "at least 1"}},
	{"calculus below", func(s *setting) { s.flow.Calculus = -1 }, []string{"Flow.Calculus", "-1", "Stratonovich"}},
	{"calculus above", func(s *setting) { s.flow.Calculus = 3 }, []string{"Flow.Calculus", "3", "Klimontovich"}},
	{"barrier", func(s *setting) { s.flow.Loss = loss.DoubleWell{Barrier: -1} }, []string{"DoubleWell.Barrier", "-1", "above 0"}},
	{"T NaN", func(s *setting) { s.flow.Diffusion = noise.Temperature{T: nan} }, []string{"Temperature.T", "NaN", "finite"}},
	{"T negative", func(s *setting) { s.flow.Diffusion = noise.Temperature{T: -0.1} }, []string{"Temperature.T", "-0.1", "not negative"}},
	{"T infinite", func(s *setting) { s.flow.Diffusion = noise.Temperature{T: inf} }, []string{"Temperature.T", "+Inf", "finite"}},
	{"η zero", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: 0, BatchSize: 8, Variance: 32} }, []string{"Minibatch.LearningRate", "0", "above 0"}},
	{"η NaN", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: nan, BatchSize: 8, Variance: 32} }, []string{"Minibatch.LearningRate", "NaN", "above 0"}},
	{"η infinite", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: inf, BatchSize: 8, Variance: 32} }, []string{"Minibatch.LearningRate", "+Inf", "finite"}},
	{"B zero", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: 0.1, BatchSize: 0, Variance: 32} }, []string{"Minibatch.BatchSize", "0", "at least 1"}},
	{"B negative", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: 0.1, BatchSize: -8, Variance: 32} }, []string{"Minibatch.BatchSize", "-8", "at least 1"}},
	{"variance zero", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: 0} }, []string{"Minibatch.Variance", "0", "above 0"}},
	{"variance negative", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: -1} }, []string{"Minibatch.Variance", "-1", "above 0"}},
	{"variance NaN", func(s *setting) { s.flow.Diffusion = noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: nan} }, []string{"Minibatch.Variance", "NaN", "above 0"}},
	{"no diagonal", func(s *setting) { s.flow.Diffusion = noise.Diagonal{} }, []string{"Diagonal.D", "one element for each coordinate"}},
	{"diagonal negative", func(s *setting) { s.flow.Diffusion = noise.Diagonal{D: []float64{-2}} }, []string{"Diagonal.D[0]", "-2", "not negative"}},
	{"diagonal of another dimension", func(s *setting) { s.flow.Diffusion = noise.Diagonal{D: []float64{1, 2}} }, []string{"Flow.Diffusion", "2 coordinates", "1, the dimension of the loss"}},
	{"root of another dimension", func(s *setting) {
		s.flow.Diffusion = noise.Func{State: 3, Noise: 2, B: vanish}
	}, []string{"Flow.Diffusion", "3 coordinates", "1, the dimension of the loss"}},
	{"root function nil", func(s *setting) { s.flow.Diffusion = noise.Func{State: 1, Noise: 2} }, []string{"Func.B", "a function"}},
	{"schedule of temperature nil", func(s *setting) { s.flow.Diffusion = noise.Annealing{} }, []string{"Annealing.Schedule", "a function"}},
	{"unmade constant", func(s *setting) { s.flow.Diffusion = new(noise.Constant) }, []string{"noise: Constant", "NewConstant"}},
	{"class that is none", func(s *setting) { s.flow.Diffusion = noise.Func{State: 1, Noise: 1, B: vanish, Of: 9} }, []string{"Func.Of", "9", "General"}},
	{"no noise components", func(s *setting) { s.flow.Diffusion = thermal{1, 0} }, []string{"Flow.Diffusion", "0 noise components", "at least 1"}},
	{"temperature of two components for one coordinate", func(s *setting) { s.flow.Diffusion = thermal{1, 2} }, []string{"Ensemble.Equation", "2 components", "one a coordinate"}},
	{"box of another dimension", func(s *setting) { s.flow.Domain = sde.Box{Lo: []float64{0, 0}, Hi: []float64{1, 1}} }, []string{"Box", "2 lower", "1 of each"}},
	{"box upside down", func(s *setting) { s.flow.Domain = sde.Box{Lo: []float64{2}, Hi: []float64{-2}} }, []string{"Box side 0", "[2, -2]", "below"}},
	{"box of NaN", func(s *setting) { s.flow.Domain = sde.Box{Lo: []float64{nan}, Hi: []float64{2}} }, []string{"Box side 0", "NaN", "below"}},
	{"box periodic and infinite", func(s *setting) {
		s.flow.Domain = sde.Box{Lo: []float64{math.Inf(-1)}, Hi: []float64{2}, Boundary: sde.Periodic}
	}, []string{"Box side 0", "[-Inf, 2]", "finite"}},
	{"box boundary", func(s *setting) {
		s.flow.Domain = sde.Box{Lo: []float64{-2}, Hi: []float64{2}, Boundary: 7}
	}, []string{"Box.Boundary", "7", "Reflecting"}},
	{"box of an equation of one's own", func(s *setting) {
		s.Equation = boxed{additive{1, 1}, sde.Box{Lo: []float64{0, 0}, Hi: []float64{1, 1}}}
	}, []string{"Box", "2 lower", "1 of each"}},
	{"Leimkuhler–Matthews on general noise", func(s *setting) {
		s.Scheme, s.flow.Loss, s.flow.Diffusion = integrate.LeimkuhlerMatthews{}, flat{2}, noise.Func{State: 2, Noise: 2, B: vanish}
		s.Start, s.observers = nil, nil
	}, []string{"Ensemble.Scheme", "LeimkuhlerMatthews", "EulerMaruyama", "general"}},
	{"step zero", func(s *setting) { s.Step = 0 }, []string{"Ensemble.Step", "= 0:", "positive"}},
	{"step negative", func(s *setting) { s.Step = -0.01 }, []string{"Ensemble.Step", "-0.01", "positive"}},
	{"step NaN", func(s *setting) { s.Step = nan }, []string{"Ensemble.Step", "NaN", "positive"}},
	{"step infinite", func(s *setting) { s.Step = inf }, []string{"Ensemble.Step", "+Inf", "finite"}},
	{"no particles", func(s *setting) { s.Particles = 0 }, []string{"Ensemble.Particles", "0", "at least 1"}},
	{"negative particles", func(s *setting) { s.Particles = -5 }, []string{"Ensemble.Particles", "-5", "at least 1"}},
	{"particles overflow", func(s *setting) { s.Particles = math.MaxInt / 4 }, []string{"Ensemble.Particles", "fewer", "GiB"}},
	{"particles×d overflow", func(s *setting) {
		s.flow.Loss, s.Particles, s.Start, s.observers = flat{1 << 20}, math.MaxInt/8/(1<<20)+1, nil, nil
	}, []string{"Ensemble.Particles", "fewer", "1048576 numbers"}},
	{"too many blocks", func(s *setting) { s.Particles = 1024*sde.MaxBlocks + 1 }, []string{"Ensemble.Particles", "17179869185", "at most 17179869184"}},
	{"groups negative", func(s *setting) { s.Groups = -1 }, []string{"Ensemble.Groups", "-1", "0 for the default"}},
	{"more groups than blocks", func(s *setting) { s.Groups = 5 }, []string{"Ensemble.Groups", "5", "at most 4, the number of blocks of 1024"}},
	{"workers negative", func(s *setting) { s.Workers = -2 }, []string{"Ensemble.Workers", "-2", "positive"}},
	{"policy", func(s *setting) { s.OnDivergence = 2 }, []string{"Ensemble.OnDivergence", "2", "Fail or Drop"}},
	{"policy negative", func(s *setting) { s.OnDivergence = -1 }, []string{"Ensemble.OnDivergence", "-1", "Fail or Drop"}},
	{"pieces negative", func(s *setting) { s.Pieces = -3 }, []string{"Ensemble.Pieces", "-3", "0 for 1"}},
	{"time zero", func(s *setting) { s.Time = 0 }, []string{"Schedule.Time", "= 0:", "positive"}},
	{"time negative", func(s *setting) { s.Time = -1 }, []string{"Schedule.Time", "-1", "positive"}},
	{"time NaN", func(s *setting) { s.Time = nan }, []string{"Schedule.Time", "NaN", "positive"}},
	{"time infinite", func(s *setting) { s.Time = inf }, []string{"Schedule.Time", "+Inf", "finite"}},
	{"time no multiple", func(s *setting) { s.Step, s.Time, s.Every, s.BurnIn = 0.3, 1, 0, 0 }, []string{"Schedule.Time", "1", "multiple of the step 0.3", "nearest is 0.9"}},
	{"time below a step", func(s *setting) { s.Step, s.Time, s.Every, s.BurnIn = 0.3, 0.01, 0, 0 }, []string{"Schedule.Time", "0.01", "nearest is 0.3"}},
	{"time nearly a multiple", func(s *setting) { s.Time = 1.0000001 }, []string{"Schedule.Time", "1.0000001", "nearest is 1"}},
	{"too many steps", func(s *setting) { s.Step, s.Time, s.Every, s.BurnIn = 1e-12, 1, 0, 0 }, []string{"Schedule.Time", "at most 68719476736 steps"}},
	{"too many steps in pieces", func(s *setting) { s.Step, s.Pieces, s.Time, s.Every, s.BurnIn = 1e-9, 1000, 1, 0, 0 }, []string{"Schedule.Time", "1", "at most 68719476 steps"}},
	{"burn-in negative", func(s *setting) { s.BurnIn = -1 }, []string{"Schedule.BurnIn", "-1", "positive"}},
	{"burn-in NaN", func(s *setting) { s.BurnIn = nan }, []string{"Schedule.BurnIn", "NaN"}},
	{"burn-in no multiple", func(s *setting) { s.BurnIn = 0.105 }, []string{"Schedule.BurnIn", "0.105", "multiple of the step 0.01", "nearest is 0.1"}},
	{"every negative", func(s *setting) { s.Every = -0.1 }, []string{"Schedule.Every", "-0.1", "positive"}},
	{"every NaN", func(s *setting) { s.Every = nan }, []string{"Schedule.Every", "NaN", "positive"}},
	{"every no multiple", func(s *setting) { s.Every = 0.015 }, []string{"Schedule.Every", "0.015", "multiple of the step"}},
	{"every does not divide", func(s *setting) { s.Every = 0.3 }, []string{"Schedule.Every", "0.3", "divisor of Time = 1, or Time = 1.2"}},
	{"every longer than time", func(s *setting) { s.Every = 2 }, []string{"Schedule.Every", "2", "divisor of Time = 1, or Time = 2"}},
	{"no start points", func(s *setting) { s.Start = integrate.Points{} }, []string{"Points", "at least one"}},
	{"start of another dimension", func(s *setting) { s.Start = integrate.Points{{0}, {1, 2}} }, []string{"Points[1]", "[1 2]", "1 coordinates"}},
	{"start NaN", func(s *setting) { s.Start = integrate.Points{{nan}} }, []string{"Points[0]", "NaN", "finite"}},
	{"start infinite", func(s *setting) { s.Start = integrate.Points{{0}, {0}, {inf}} }, []string{"Points[2]", "+Inf", "finite"}},
	{"states of another shape", func(s *setting) { s.Start = integrate.States(sde.NewBatch(7, 1)) }, []string{"States", "7×1", "4096×1"}},
	{"states NaN", func(s *setting) {
		b := sde.NewBatch(4096, 1)
		b.Data[77] = nan
		s.Start = integrate.States(b)
	}, []string{"States row 77", "NaN", "finite"}},
	{"final of no run", func(s *setting) { s.Start = new(integrate.Final) }, []string{"States", "0×0", "4096×1"}},
	{"start function nil", func(s *setting) { s.Start = integrate.StartFunc(nil) }, []string{"StartFunc", "<nil>", "a function"}},
	{"start outside the domain", func(s *setting) {
		s.flow.Domain, s.Start = sde.Box{Lo: []float64{-2}, Hi: []float64{2}}, integrate.Points{{0}, {3}}
	}, []string{"Ensemble.Start, particle 1", "[3]", "inside the flow's domain"}},
	{"start function NaN", func(s *setting) {
		s.Start = integrate.StartFunc(func(theta []float64, p int, _ *sde.Stream) { theta[0] = 1 / float64(p-2000) })
	}, []string{"Ensemble.Start, particle 2000", "Inf", "finite"}},
	{"observer nil", func(s *setting) { s.observers = []sde.Observer{new(integrate.Moments), nil} }, []string{"observers[1]", "<nil>", "an observer"}},
	{"observer twice", func(s *setting) {
		m := new(integrate.Moments)
		s.observers = []sde.Observer{m, new(integrate.Final), m}
	}, []string{"observers[2]", "observers[0] again, a *integrate.Moments", "each observer once"}},
	{"no trajectories", func(s *setting) { s.observers = []sde.Observer{&integrate.Trajectories{}} }, []string{"Trajectories.Particles", "[]", "at least one"}},
	{"trajectory of no particle", func(s *setting) {
		s.observers = []sde.Observer{&integrate.Trajectories{Particles: []int{0, 4096}}}
	}, []string{"Trajectories.Particles[1]", "4096", "0 to 4095"}},
	{"trajectory twice", func(s *setting) {
		s.observers = []sde.Observer{&integrate.Trajectories{Particles: []int{5, 5}}}
	}, []string{"Trajectories.Particles[1]", "5", "distinct"}},
	{"moments without features", func(s *setting) { s.observers = []sde.Observer{&integrate.Moments{Dim: 2}} }, []string{"Moments.Dim", "2", "Features"}},
	{"moments without dimension", func(s *setting) {
		s.observers = []sde.Observer{&integrate.Moments{Features: func(dst, x sde.Batch) {}}}
	}, []string{"Moments.Dim", "0", "Features"}},
	{"moments of negative dimension", func(s *setting) {
		s.observers = []sde.Observer{&integrate.Moments{Dim: -1, Features: func(dst, x sde.Batch) {}}}
	}, []string{"Moments.Dim", "-1", "Features"}},
	{"mean of no functions", func(s *setting) { s.observers = []sde.Observer{integrate.NewMean(0, func(_, _ []float64) {})} }, []string{"Mean.Functions", "0", "at least 1"}},
	{"mean of nil", func(s *setting) { s.observers = []sde.Observer{integrate.NewMean(1, nil)} }, []string{"Mean.F", "<nil>", "a function"}},
	{"series of nothing", func(s *setting) {
		s.observers = []sde.Observer{&integrate.Series[*integrate.Mean]{}}
	}, []string{"Series.New", "<nil>", "a function"}},
	{"series of one observer", func(s *setting) {
		m := new(integrate.Moments)
		s.observers = []sde.Observer{integrate.NewSeries(func() *integrate.Moments { return m })}
	}, []string{"Series.New", "the same *integrate.Moments twice", "an observer of its own for each time"}},
	{"more shards than blocks", func(s *setting) { s.Shard.Count = 5 }, []string{"Ensemble.Shard.Count", "5", "at most 4", "more particles, or fewer shards"}},
	{"more shards than groups", func(s *setting) { s.Groups, s.Shard.Count = 2, 4 }, []string{"Ensemble.Shard.Count", "4", "at most 2", "set Ensemble.Groups to 4 or more"}},
	{"series of what refuses", func(s *setting) {
		s.observers = []sde.Observer{integrate.NewSeries(func() *integrate.Mean { return integrate.NewMean(1, nil) })}
	}, []string{"Mean.F", "<nil>", "a function"}},
}

func TestSettings(t *testing.T) {
	if len(settingTests) < 45 {
		t.Errorf("only %d settings", len(settingTests))
	}
	for _, test := range settingTests {
		t.Run(test.name, func(t *testing.T) {
			var calls atomic.Int64
			s := &setting{
				Ensemble: integrate.Ensemble{Step: 0.01, Particles: 4096, Start: integrate.Points{{0}}},
				Schedule: integrate.Schedule{BurnIn: 0.1, Time: 1, Every: 0.1},
				flow:     sde.Flow{Loss: counting{doubleWell{}, &calls}, Diffusion: noise.Temperature{T: 0.2}},
			}
			unset := dims{-7, -7}
			s.Equation = unset
			s.observers = []sde.Observer{new(integrate.Moments)}
			test.spoil(s)
			if s.Equation == sde.Equation(unset) {
				s.Equation = s.flow
			}
			r, err := s.Ensemble.Run(context.Background(), s.Schedule, s.observers...)
			if err == nil {
				t.Fatal("not refused")
			}
			if r != nil {
				t.Errorf("result %+v", r)
			}
			if !isInvalid(err) {
				t.Errorf("%T is no SettingError: %v", err, err)
			}
			for _, text := range test.texts {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
			if n := calls.Load(); n != 0 {
				t.Errorf("the loss was called %d times", n)
			}
		})
	}
}

// TestSettingSentinels holds errors to the more particular ones they wrap.
func TestSettingSentinels(t *testing.T) {
	valid := integrate.Ensemble{Equation: sde.Flow{Loss: doubleWell{}}, Step: 0.1, Particles: 10}
	s := integrate.Schedule{Time: 1}
	if err := valid.Validate(s); err != nil {
		t.Errorf("valid: %v", err)
	}
	e := valid
	e.Start = integrate.Points{{1, 2}}
	if err := e.Validate(s); !errors.Is(err, sde.ErrDimension) {
		t.Errorf("start of another dimension: %v", err)
	}
	e = valid
	e.Scheme = integrate.LeimkuhlerMatthews{}
	e.Equation = sde.Flow{Loss: flat{2}, Diffusion: noise.Func{State: 2, Noise: 2, B: vanish}}
	if err := e.Validate(s); !errors.Is(err, sde.ErrUnsupported) {
		t.Errorf("Leimkuhler–Matthews on general noise: %v", err)
	}
	var setting *sde.SettingError
	e = valid
	e.Step = -2
	if err := e.Validate(s); !errors.As(err, &setting) || setting.Field != "integrate: Ensemble.Step" || setting.Value != -2.0 || setting.Want == "" {
		t.Errorf("step −2: %#v", setting)
	}
}

func TestStabilityWarning(t *testing.T) {
	h := mat.NewSymDense(2, []float64{3, 1, 1, 3}) // eigenvalues 2 and 4
	l, err := loss.NewQuadratic(h, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		step float64
		warn bool
	}{{0.49, false}, {0.5, true}, {0.6, true}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Step: test.step, Particles: 3, Start: integrate.Points{{0.1, 0.2}}}
		r := mustRun(t, e, integrate.Schedule{Time: 3 * test.step})
		if !test.warn {
			if len(r.Warnings) != 0 {
				t.Errorf("step %g: %v", test.step, r.Warnings)
			}
			continue
		}
		if len(r.Warnings) != 1 {
			t.Fatalf("step %g: warnings %v", test.step, r.Warnings)
		}
		for _, text := range []string{"stability", "h·λ", "below 0.5", "Euler–Maruyama"} {
			if !strings.Contains(r.Warnings[0].Error(), text) {
				t.Errorf("%q does not say %q", r.Warnings[0], text)
			}
		}
	}
}
