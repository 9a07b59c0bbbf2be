// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// lapped puts a particle that is beyond 1 back to a place that it draws, and
// folds what it sees into a hash for each particle.
type lapped struct {
	BurnIn bool
	Passes bool // looks on and moves nothing

	run    sde.Run
	hash   []uint64 // by particle, as are the next two
	laps   []uint64
	steps  []uint64
	u      [][]float64
	broken func(sde.Step) error
}

func (l *lapped) ObservesBurnIn() bool { return l.BurnIn }
func (l *lapped) Start(r sde.Run) error {
	if len(r.Bounds) != r.Groups+1 {
		return fmt.Errorf("%d bounds of %d groups", len(r.Bounds), r.Groups)
	}
	l.run, l.hash, l.laps, l.steps = r, make([]uint64, r.Particles), make([]uint64, r.Particles), make([]uint64, r.Particles)
	l.u = make([][]float64, r.Groups)
	for g := range l.u {
		l.u[g] = make([]float64, integrate.BlockRows(r.Dim))
	}
	return nil
}
func (l *lapped) Observe(sde.Sample) error { return nil }

func (l *lapped) ObserveStep(s sde.Step) error {
	if l.broken != nil {
		if err := l.broken(s); err != nil {
			return err
		}
	}
	if s.First < l.run.Bounds[s.Group] || l.run.Bounds[s.Group+1] < s.First+s.After.Rows {
		return fmt.Errorf("particle %d in group %d", s.First, s.Group)
	}
	u := l.u[s.Group][:s.Place+s.After.Rows]
	s.Stream.Uniforms(u)
	for i := range s.After.Rows {
		if s.Dropped != nil && s.Dropped[i] {
			continue
		}
		p := s.First + i
		l.hash[p] = l.hash[p]*0x9e3779b97f4a7c15 + math.Float64bits(s.After.Row(i)[0]) ^ math.Float64bits(s.Before.Row(i)[0])<<1
		l.steps[p]++
		if x := s.After.Row(i); !l.Passes && x[0] > 1 {
			x[0] = u[s.Place+i] - 1
			s.Renewed[i] = true
			l.laps[p]++
		}
	}
	return nil
}

func (l *lapped) AppendGroup(dst []byte, g int) []byte {
	for p := l.run.Bounds[g]; p < l.run.Bounds[g+1]; p++ {
		for _, v := range []uint64{l.hash[p], l.laps[p], l.steps[p]} {
			dst = binary.LittleEndian.AppendUint64(dst, v)
		}
	}
	return dst
}

func (l *lapped) LoadGroup(g int, data []byte) error {
	if len(data) != 24*(l.run.Bounds[g+1]-l.run.Bounds[g]) {
		return errors.New("wrong length")
	}
	for p := l.run.Bounds[g]; p < l.run.Bounds[g+1]; p++ {
		for _, v := range []*uint64{&l.hash[p], &l.laps[p], &l.steps[p]} {
			*v, data = binary.LittleEndian.Uint64(data), data[8:]
		}
	}
	return nil
}

var (
	_ sde.StepObserver = (*lapped)(nil)
	_ sde.GroupSaver   = (*lapped)(nil)
)

// stepsEnsembles are runs of one scheme without history and one with it.
func stepsEnsembles() map[string]integrate.Ensemble {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: doubleWell{}, Diffusion: noise.Temperature{T: 0.5}},
		Step: 0.05, Particles: 4*1024 + 100, Seed: 3, Groups: 3, Start: integrate.Points{{-0.5}, {0.5}}}
	u := e
	u.Scheme = integrate.BAOAB{Friction: 1}
	return map[string]integrate.Ensemble{"Euler–Maruyama": e, "BAOAB": u}
}

var stepsSchedule = integrate.Schedule{BurnIn: 0.5, Time: 2, Every: 0.25}

// TestStepObserverBits: the same bits for any number of workers, other
// observation times, after a resume, in shards, and of one particle in a replay.
func TestStepObserverBits(t *testing.T) {
	for name, e := range stepsEnsembles() {
		ref, final := new(lapped), new(integrate.Final)
		mustRun(t, e, stepsSchedule, ref, final)
		laps := 0
		for p, n := range ref.laps {
			laps += int(n)
			if ref.steps[p] != 40 {
				t.Fatalf("%s: particle %d was seen %d times in 40 steps", name, p, ref.steps[p])
			}
		}
		if laps < 1000 {
			t.Fatalf("%s: %d laps", name, laps)
		}
		same := func(what string, o *lapped, f *integrate.Final) {
			t.Helper()
			if !slices.Equal(o.hash, ref.hash) || !slices.Equal(o.laps, ref.laps) || !slices.Equal(f.States().Data, final.States().Data) {
				t.Errorf("%s: other bits: %s", name, what)
			}
		}
		for _, workers := range []int{1, 2, 3} {
			w, o, f := e, new(lapped), new(integrate.Final)
			w.Workers = workers
			s := stepsSchedule
			s.Every *= float64(workers * workers % 5) // 1, 4 and 4 times
			mustRun(t, w, s, f, o, new(integrate.Moments))
			same(fmt.Sprintf("%d workers, observed every %g", workers, s.Every), o, f)
		}

		c, o, f := e, new(lapped), new(integrate.Final)
		c.Checkpoint = integrate.Checkpoint{Path: filepath.Join(t.TempDir(), "c"), Every: 0.35}
		ctx, cancel := context.WithCancel(context.Background())
		_, err := c.Run(ctx, stepsSchedule, o, f, &trip{at: 5, do: func() error { cancel(); return nil }})
		cancel()
		if _, ok := errors.AsType[*integrate.InterruptedError](err); !ok {
			t.Fatalf("%s: %v", name, err)
		}
		o, f = new(lapped), new(integrate.Final)
		r, err := c.Resume(context.Background(), stepsSchedule, o, f, new(trip))
		if err != nil || r.Resumed == 0 {
			t.Fatalf("%s: resumed at %v, %v", name, r, err)
		}
		same("resumed", o, f)

		var paths []string
		for i := range 3 {
			s := e
			s.Shard = integrate.Shard{Index: i, Count: 3}
			paths = append(paths, filepath.Join(t.TempDir(), "s"))
			if err := mustRun(t, s, stepsSchedule, new(lapped), new(integrate.Final)).Save(paths[i]); err != nil {
				t.Fatal(err)
			}
		}
		o, f = new(lapped), new(integrate.Final)
		if _, err := e.Merge(stepsSchedule, paths, o, f); err != nil {
			t.Fatal(err)
		}
		same("shards", o, f)

		for _, p := range []int{0, 777, e.Particles - 1} {
			o, f = new(lapped), new(integrate.Final)
			if _, err := e.Replay(context.Background(), stepsSchedule, p, o, f); err != nil {
				t.Fatal(err)
			}
			if o.hash[p] != ref.hash[p] || o.laps[p] != ref.laps[p] || f.States().Row(p)[0] != final.States().Row(p)[0] {
				t.Errorf("%s: a replay of particle %d has other bits", name, p)
			}
		}

		// One that only looks on changes nothing; the burn-in is seen if asked for.
		plain := finals(t, e, stepsSchedule)
		f = new(integrate.Final)
		look := &lapped{Passes: true, BurnIn: true}
		mustRun(t, e, stepsSchedule, look, f)
		if !slices.Equal(f.States().Data, plain.Data) {
			t.Errorf("%s: an observer of steps that changes nothing changes the bits", name)
		}
		if look.steps[5] != 50 {
			t.Errorf("%s: %d steps seen, 50 with the burn-in", name, look.steps[5])
		}
	}
}

// TestRenewed: history begins anew exactly where a row is marked: momenta of
// particles that were put back have variance T and no memory of the way there.
func TestRenewed(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 2}}, Scheme: integrate.BAOAB{Friction: 1e-9},
		Step: 1, Particles: 4096, Seed: 1}
	displacement := func(mark bool) (sum, product float64) {
		type pair struct{ first, second float64 }
		var all = make([]pair, e.Particles)
		o := &stepFunc{func(s sde.Step) error {
			for i := range s.After.Rows {
				x := s.After.Row(i)
				if s.Index == 0 {
					all[s.First+i].first = x[0]
					x[0], s.Renewed[i] = 0, mark
				} else {
					all[s.First+i].second = x[0]
				}
			}
			return nil
		}}
		mustRun(t, e, integrate.Schedule{Time: 2}, o)
		for _, p := range all {
			sum += p.second * p.second
			product += p.first * p.second
		}
		n := float64(e.Particles)
		return sum / n / 2, product / n / 2
	}
	n := float64(e.Particles)
	v, c := displacement(true)
	for _, z := range []float64{(v - 1) / math.Sqrt(2/n), c * math.Sqrt(n)} {
		accept(t, "renewed momenta", e.Seed, z, normalP(z))
	}
	_, c = displacement(false)
	z := c * math.Sqrt(n)
	reject(t, "momenta that are kept", e.Seed, z, normalP(z))
}

type stepFunc struct{ f func(sde.Step) error }

func (*stepFunc) Start(sde.Run) error            { return nil }
func (*stepFunc) Observe(sde.Sample) error       { return nil }
func (o *stepFunc) ObserveStep(s sde.Step) error { return o.f(s) }

// TestStepsAfterDomain: an observer sees a step after the domain has had it.
func TestStepsAfterDomain(t *testing.T) {
	box := sde.Box{Lo: []float64{-0.5}, Hi: []float64{0.5}}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 1}, Domain: box}, Step: 0.1, Particles: 50, Seed: 1}
	mustRun(t, e, integrate.Schedule{Time: 5}, &stepFunc{func(s sde.Step) error {
		for i := range s.After.Rows {
			if !box.Contains(s.After.Row(i)) || !box.Contains(s.Before.Row(i)) {
				return errors.New("outside")
			}
		}
		return nil
	}})
}

// TestStepsOfTheDiverged: a step that diverged is not shown, and no more of that particle.
func TestStepsOfTheDiverged(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quartic{}, Diffusion: noise.Temperature{T: 0.1}}, Step: 0.1, Particles: 2000,
		OnDivergence: integrate.Drop, Start: integrate.Points{{0}, {10}}, Seed: 1, Workers: 2}
	o := new(lapped)
	o.broken = func(s sde.Step) error {
		for i := range s.After.Rows {
			if (s.Dropped == nil || !s.Dropped[i]) && math.IsInf(s.After.Row(i)[0], 0) {
				return errors.New("infinite")
			}
		}
		return nil
	}
	o.Passes = true
	r := mustRun(t, e, integrate.Schedule{Time: 2, Every: 1}, o)
	if r.Dropped != 1000 || o.steps[0] != 20 || o.steps[1] > 10 {
		t.Errorf("%d dropped; %d and %d steps seen", r.Dropped, o.steps[0], o.steps[1])
	}
	e.OnDivergence = integrate.Fail
	_, err := e.Run(context.Background(), integrate.Schedule{Time: 2, Every: 1}, o)
	if d, ok := errors.AsType[*integrate.DivergenceError](err); !ok || d.Particle != 1 {
		t.Errorf("divergence reported as %v", err)
	}
}

func TestStepObserverEnds(t *testing.T) {
	e := stepsEnsembles()["Euler–Maruyama"]
	boom := errors.New("boom")
	for _, f := range []func(sde.Step) error{
		func(s sde.Step) error {
			if s.Index == 13 && s.First > 2000 {
				return boom
			}
			return nil
		},
		func(s sde.Step) error {
			if s.Index == 13 && s.First > 2000 {
				panic(boom)
			}
			return nil
		},
	} {
		m := new(integrate.Moments)
		r, err := e.Run(context.Background(), stepsSchedule, m, &stepFunc{f})
		if !errors.Is(err, boom) || r == nil || !r.Partial || r.Steps != 0 {
			t.Errorf("ended with %+v, %v", r, err)
		}
	}
	_, err := e.Run(context.Background(), stepsSchedule, integrate.NewSeries(func() *lapped { return new(lapped) }))
	if !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("a series of step observers: %v", err)
	}
}

func TestStepObserverAllocations(t *testing.T) {
	for name, e := range stepsEnsembles() {
		e.Workers = 1
		observers := func() []sde.Observer { return []sde.Observer{new(lapped)} }
		once := mallocs(t, e, integrate.Schedule{Time: 3.2, Every: 0.2}, observers)
		if n := mallocs(t, e, integrate.Schedule{Time: 12.8, Every: 0.2}, observers); n > once {
			t.Errorf("%s: 256 steps allocate %d times, 64 steps %d times", name, n, once)
		}
	}
}
