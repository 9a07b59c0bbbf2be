// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// gradientFunc is a loss in one dimension of which only the gradient is a
// person's.
type gradientFunc func(dst, theta []float64)

func (gradientFunc) Dim() int                        { return 1 }
func (gradientFunc) Value(theta []float64) float64   { return 0 }
func (f gradientFunc) Gradient(dst, theta []float64) { f(dst, theta) }

// observerFunc is an observer that is a function.
type observerFunc func(sde.Sample) error

func (observerFunc) Start(sde.Run) error          { return nil }
func (f observerFunc) Observe(s sde.Sample) error { return f(s) }

// witness is what all of these tests watch a run with.
func witness() (*integrate.Moments, *integrate.Series[*integrate.Final]) {
	return new(integrate.Moments), integrate.NewSeries(func() *integrate.Final { return new(integrate.Final) })
}

// checkPartial holds a partial result and its observers to those of a shorter run
// that nothing interrupts.
func checkPartial(t *testing.T, e integrate.Ensemble, s integrate.Schedule, r *integrate.Result, m *integrate.Moments, f *integrate.Series[*integrate.Final]) {
	t.Helper()
	if r == nil || !r.Partial {
		t.Fatalf("result %+v, want a partial one", r)
	}
	if math.Abs(r.Time-float64(r.Steps)*e.Step) > 1e-12 || r.Steps%int(math.Round(s.Every/e.Step)) != 0 {
		t.Fatalf("stopped at time %g after %d steps", r.Time, r.Steps)
	}
	if want := int(math.Round((r.Time - s.BurnIn) / s.Every)); r.Observations != max(0, want) {
		t.Errorf("%d observations up to time %g", r.Observations, r.Time)
	}
	if got := m.Samples(); got != int64(r.Observations)*int64(e.Particles-r.Dropped) {
		t.Errorf("%d samples in %d observations", got, r.Observations)
	}
	if got := f.Len(); got != int(math.Round(r.Time/s.Every))+1 {
		t.Errorf("series of %d times up to %g", got, r.Time)
	}
	if r.Observations == 0 {
		return
	}
	// Moments of a run of other length group time differently only where there are
	// few groups, which these tests avoid.
	s.Time = r.Time - s.BurnIn
	want, wantSeries := witness()
	mustRun(t, e, s, want, wantSeries)
	for _, pair := range [][2]sde.Estimate{{m.Mean(0), want.Mean(0)}, {m.Variance(0), want.Variance(0)}} {
		if pair[0] != pair[1] {
			t.Errorf("partial run: %v, shorter run: %v", pair[0], pair[1])
		}
	}
	for i := range f.Len() {
		at, a := f.At(i)
		wantAt, b := wantSeries.At(i)
		if at != wantAt || digest(a.States().Data...) != digest(b.States().Data...) {
			t.Errorf("time %g: state differs from that of the shorter run at %g", at, wantAt)
		}
	}
}

// endsEnsemble is a double well that counts the gradients of the block-0 particles
// only through what breaks it: broken is called for every gradient.
func endsEnsemble(workers int, broken func(x float64)) integrate.Ensemble {
	return integrate.Ensemble{
		Equation: sde.Flow{Loss: gradientFunc(func(dst, theta []float64) {
			broken(theta[0])
			x := theta[0]
			dst[0] = float64(x*x*x) - x
		}), Diffusion: noise.Temperature{T: 0.2}},
		Step: 0.01, Particles: 20*1024 + 5, Seed: 9, Workers: workers,
	}
}

var endsSchedule = integrate.Schedule{BurnIn: 0.2, Time: 1, Every: 0.1}

func TestDivergenceFail(t *testing.T) {
	defer goleak.VerifyNone(t)
	// x′ = x − hx³: 10 → −90 → 72810 → …, the seventh step leaves the numbers.
	const odd, step = 7000, 6
	start := integrate.StartFunc(func(theta []float64, p int, _ *sde.Stream) {
		if p == odd {
			theta[0] = 10
		}
	})
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quartic{}, Diffusion: noise.Temperature{T: 1e-6}},
		Step: 0.1, Particles: 20 * 1024, Start: start}
	before, after := 10.0, 10.0
	steps := 0
	for ; !math.IsInf(after, 0); steps++ {
		before, after = after, after-0.1*after*after*after
	}
	s := integrate.Schedule{Time: 3, Every: 0.3}
	var first *integrate.DivergenceError
	for _, workers := range []int{1, 2, 4} {
		e.Workers = workers
		m, f := witness()
		r, err := e.Run(context.Background(), s, m, f)
		var d *integrate.DivergenceError
		if !errors.As(err, &d) {
			t.Fatalf("error %v", err)
		}
		if d.Particle != odd || d.Step != steps-1 || math.Abs(d.Time-float64(steps-1)*0.1) > 1e-12 || !math.IsInf(d.After[0], 0) && !math.IsNaN(d.After[0]) {
			t.Errorf("%v; want step %d, which leads from %g to %g", d, steps-1, before, after)
		}
		if math.Abs(d.Before[0]/before-1) > 1e-3 {
			t.Errorf("before: %g, want %g", d.Before[0], before)
		}
		for _, want := range []string{"particle 7000", fmt.Sprint("step ", steps-1), "time 0."} {
			if !strings.Contains(d.Error(), want) {
				t.Errorf("%q does not say %q", d, want)
			}
		}
		if first == nil {
			first = d
		} else if d.Error() != first.Error() || digest(d.Before...) != digest(first.Before...) {
			t.Errorf("%d workers: %v, one worker: %v", workers, d, first)
		}
		if r.Steps != (steps-1)/3*3 {
			t.Errorf("stopped at step %d", r.Steps)
		}
		checkPartial(t, e, s, r, m, f)
	}
	// Several at once: the lowest block is named, whoever comes first.
	e.Start = integrate.StartFunc(func(theta []float64, p int, _ *sde.Stream) {
		if p > 5000 && p%10 == 0 {
			theta[0] = 10
		}
	})
	for _, workers := range []int{1, 3} {
		e.Workers = workers
		_, err := e.Run(context.Background(), s)
		var d *integrate.DivergenceError
		if !errors.As(err, &d) || d.Particle != 5010 {
			t.Errorf("%d workers: %v, want particle 5010", workers, err)
		}
	}
}

// TestDivergenceHints: a step that is too large comes by large numbers, what is not
// finite by itself does not.
func TestDivergenceHints(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		before, after float64
		want          string
	}{{-2e195, inf, "the step may be too large"}, {-2e103, nan, "the step may be too large"}, {1.05, nan, "may not be finite"}, {3, inf, "the step may be too large"}} {
		d := &integrate.DivergenceError{Before: []float64{0, c.before}, After: []float64{0, c.after}}
		if !strings.Contains(d.Error(), c.want) {
			t.Errorf("%g to %g: %q does not say %q", c.before, c.after, d, c.want)
		}
	}
}

func TestDivergenceDrop(t *testing.T) {
	defer goleak.VerifyNone(t)
	// Every 100th particle from 50 on starts where Euler–Maruyama diverges.
	far := func(p int) bool { return p%100 == 50 }
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quartic{}, Diffusion: noise.Temperature{T: 0.1}}, Step: 0.1, Particles: 20 * 1024,
		OnDivergence: integrate.Drop, Start: integrate.StartFunc(func(theta []float64, p int, _ *sde.Stream) {
			theta[0] = 0.5
			if far(p) {
				theta[0] = 10
			}
		})}
	lost := (20*1024 + 49) / 100
	s := integrate.Schedule{Time: 30, Every: 1}
	var final integrate.Final
	m, counts := new(integrate.Moments), make([]atomic.Int64, 30)
	var wrong atomic.Int64
	r := mustRun(t, e, s, m, &final, observerFunc(func(s sde.Sample) error {
		counts[s.Index].Add(int64(s.X.Rows))
		for i := range s.X.Rows {
			if far(s.Particle(i)) || math.Abs(s.X.Row(i)[0]) > 5 {
				wrong.Add(1)
			}
		}
		return nil
	}))
	if r.Partial || r.Dropped != lost || final.Dropped() != lost {
		t.Errorf("%d dropped, Final says %d, want %d; partial: %v", r.Dropped, final.Dropped(), lost, r.Partial)
	}
	if wrong.Load() > 0 {
		t.Errorf("%d samples of dropped particles were observed", wrong.Load())
	}
	for i := range counts {
		if n := counts[i].Load(); n != int64(e.Particles-lost) {
			t.Errorf("observation %d: %d particles, want %d", i, n, e.Particles-lost)
		}
	}
	if m.Samples() != 30*int64(e.Particles-lost) {
		t.Errorf("%d samples", m.Samples())
	}
	if len(r.Divergences) == 0 || len(r.Divergences) > lost {
		t.Fatalf("%d located", len(r.Divergences))
	}
	for i, d := range r.Divergences {
		if d.Particle != 50+100*i || d.Step > 10 || d.Before == nil {
			t.Errorf("located %v, want particle %d", d, 50+100*i)
		}
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "conditioned on survival") || !strings.Contains(r.Warnings[0].Error(), fmt.Sprint(lost)) {
		t.Errorf("warnings %v", r.Warnings)
	}
	if err := final.Check(1, e.Particles); !isInvalid(err) {
		t.Errorf("a Final that lost particles as a start: %v", err)
	}
	// The survivors are what they are where nobody diverges.
	e.Start = integrate.Points{{0.5}}
	all := finals(t, e, s)
	for p := range e.Particles {
		if !far(p) && all.Row(p)[0] != final.States().Row(p)[0] {
			t.Fatalf("particle %d was disturbed by those that were dropped", p)
		}
	}
	// The same for any number of workers.
	e.Start = integrate.StartFunc(func(theta []float64, p int, _ *sde.Stream) { theta[0] = float64(p % 20) })
	var want string
	for _, workers := range []int{1, 2, 5} {
		e.Workers = workers
		m := new(integrate.Moments)
		r := mustRun(t, e, s, m)
		got := fmt.Sprint(r.Dropped, r.Divergences[0], m.Mean(0), m.Variance(0))
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d workers: %s, want %s", workers, got, want)
		}
	}
	// All of them.
	e.Start = integrate.Points{{10}}
	r = mustRun(t, e, s, m)
	if r.Dropped != e.Particles || m.Samples() != 0 || !math.IsNaN(m.Mean(0).Value) {
		t.Errorf("%d of %d dropped, mean %v", r.Dropped, e.Particles, m.Mean(0))
	}
}

// TestImpureGradient has a gradient that gives NaN once and never again.
func TestImpureGradient(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, policy := range []integrate.DivergencePolicy{integrate.Fail, integrate.Drop} {
		var calls atomic.Int64
		e := endsEnsemble(1, func(float64) {})
		inner := e.Equation.(sde.Flow).Loss
		e.Equation = sde.Flow{Loss: gradientFunc(func(dst, theta []float64) {
			inner.Gradient(dst, theta)
			if calls.Add(1) == 500_000 {
				dst[0] = math.NaN()
			}
		})}
		e.OnDivergence = policy
		_, err := e.Run(context.Background(), endsSchedule)
		var d *integrate.DivergenceError
		if !errors.As(err, &d) || d.Err == nil {
			t.Errorf("policy %d: error %v, want one that says that the gradient is impure", policy, err)
		}
	}
}

type panicValue struct{ error }

func TestPanicInGradient(t *testing.T) {
	defer goleak.VerifyNone(t)
	value := panicValue{errors.New("gradient gives up")}
	const particle, step = 13*1024 + 17, 45
	// The state of that particle before that step tells the gradient when.
	quiet := endsEnsemble(0, func(float64) {})
	path := &integrate.Trajectories{Particles: []int{particle}, BurnIn: true}
	if _, err := quiet.Replay(context.Background(), integrate.Schedule{Time: 1, Every: 0.01}, particle, path); err != nil {
		t.Fatal(err)
	}
	_, states := path.Path(0)
	trigger := states.Row(step)[0]
	for _, workers := range []int{1, 4} {
		for _, burnIn := range []float64{0, 0.2} {
			var armed atomic.Bool
			armed.Store(true)
			e := endsEnsemble(workers, func(x float64) {
				if x == trigger && armed.Load() {
					panic(value)
				}
			})
			s := endsSchedule
			s.BurnIn = burnIn
			m, f := witness()
			r, err := e.Run(context.Background(), s, m, f)
			var p *integrate.PanicError
			if !errors.As(err, &p) || !errors.Is(err, value) {
				t.Fatalf("error %v", err)
			}
			if p.Particle != particle || p.Step != step || p.Block != 13 || !strings.Contains(string(p.Stack), "ends_test.go") {
				t.Errorf("panic at particle %d, step %d, block %d; want %d, %d, 13; stack %s", p.Particle, p.Step, p.Block, particle, step, p.Stack)
			}
			for _, want := range []string{"gives up", "step 45", fmt.Sprint("particle ", particle), "block 13"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if r.Steps != 40 {
				t.Errorf("stopped at step %d", r.Steps)
			}
			armed.Store(false)
			checkPartial(t, e, s, r, m, f)
		}
	}
}

func TestPanicInRoot(t *testing.T) {
	defer goleak.VerifyNone(t)
	e := endsEnsemble(2, func(float64) {})
	flow := e.Equation.(sde.Flow)
	for _, class := range []sde.NoiseClass{sde.General, sde.Diagonal, sde.Additive, sde.Constant} {
		flow.Diffusion = noise.Func{State: 1, Noise: 1, Of: class, B: func(_, _ []float64, _ float64) { panic("no root") }}
		e.Equation = flow
		r, err := e.Run(context.Background(), endsSchedule)
		var p *integrate.PanicError
		if !errors.As(err, &p) || r == nil || !r.Partial {
			t.Errorf("%v: result %v, error %v", class, r, err)
		}
	}
}

func TestPanicInStart(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, workers := range []int{1, 4} {
		e := endsEnsemble(workers, func(float64) {})
		e.Start = integrate.StartFunc(func(_ []float64, p int, _ *sde.Stream) {
			if p >= 3000 {
				panic("no start")
			}
		})
		m, _ := witness()
		r, err := e.Run(context.Background(), endsSchedule, m)
		var p *integrate.PanicError
		if !errors.As(err, &p) || p.Step != -1 || p.Block != 2 || r == nil || !r.Partial || m.Samples() != 0 {
			t.Errorf("error %v, result %+v", err, r)
		}
	}
}

func TestObserverEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	sentinel := errors.New("enough")
	for _, test := range []struct {
		name string
		end  func() error
	}{
		{"error", func() error { return sentinel }},
		{"panic", func() error { panic(sentinel) }},
	} {
		for _, workers := range []int{1, 4} {
			e := endsEnsemble(workers, func(float64) {})
			bad := observerFunc(func(s sde.Sample) error {
				if s.Index == 3 && s.First == 5*1024 {
					return test.end()
				}
				return nil
			})
			m, f := witness()
			m2, f2 := witness()
			// Observers before and behind the bad one see the same.
			r, err := e.Run(context.Background(), endsSchedule, m, f, bad, m2, f2)
			var o *integrate.ObserverError
			if !errors.As(err, &o) || !errors.Is(err, sentinel) || fmt.Sprintf("%T", o.Observer) != "integrate_test.observerFunc" {
				t.Fatalf("%s: error %v", test.name, err)
			}
			if math.Abs(o.Time-0.6) > 1e-12 || r.Steps != 60 || !strings.Contains(err.Error(), "0.6") {
				t.Errorf("%s: error %v, time %g, stopped at step %d", test.name, err, o.Time, r.Steps)
			}
			if p := new(integrate.PanicError); test.name == "panic" && (!errors.As(err, &p) || p.Block != 5) {
				t.Errorf("%s: error %v", test.name, err)
			}
			checkPartial(t, e, endsSchedule, r, m, f)
			checkPartial(t, e, endsSchedule, r, m2, f2)
		}
	}
	// At the very last observation, and at the first of the burn-in.
	for _, index := range []int{0, 12} {
		e := endsEnsemble(2, func(float64) {})
		bad := burnInFunc{observerFunc(func(s sde.Sample) error {
			if s.Index == index {
				return sentinel
			}
			return nil
		})}
		m, f := witness()
		r, err := e.Run(context.Background(), endsSchedule, bad, m, f)
		if !errors.Is(err, sentinel) || r.Steps != index*10 {
			t.Errorf("error %v at step %d", err, r.Steps)
		}
		checkPartial(t, e, endsSchedule, r, m, f)
	}
}

type burnInFunc struct{ observerFunc }

func (burnInFunc) ObservesBurnIn() bool { return true }

// startError is an observer that refuses to start.
type startError struct{ observerFunc }

var errStart = errors.New("observer will not start")

func (startError) Start(sde.Run) error { return errStart }

func TestObserverRefusesToStart(t *testing.T) {
	defer goleak.VerifyNone(t)
	e := endsEnsemble(2, func(float64) { panic("the run began") })
	r, err := e.Run(context.Background(), endsSchedule, startError{})
	if !errors.Is(err, errStart) || r != nil {
		t.Errorf("result %v, error %v", r, err)
	}
}

func TestGoexit(t *testing.T) {
	defer goleak.VerifyNone(t)
	// A test that calls t.Fatal in an observer ends the goroutine that observes.
	for range 20 {
		done := make(chan error)
		go func() {
			err := errors.New("the caller's goroutine was ended")
			defer func() { done <- err }()
			e := endsEnsemble(2, func(float64) {})
			_, err = e.Run(context.Background(), endsSchedule, observerFunc(func(s sde.Sample) error {
				if s.First == 19*1024 {
					runtime.Goexit()
				}
				return nil
			}))
		}()
		select {
		case err := <-done:
			if err == nil {
				t.Error("a run whose observer ended the goroutine did not fail")
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the run hangs")
		}
	}
}

func TestCancel(t *testing.T) {
	cause := errors.New("changed my mind")
	for _, workers := range []int{1, 4} {
		for _, how := range []string{"goroutine", "progress", "observer"} {
			t.Run(fmt.Sprint(how, workers), func(t *testing.T) {
				defer goleak.VerifyNone(t)
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				var seen atomic.Int64
				first := make(chan struct{}) // closed at the first observation
				e := endsEnsemble(workers, func(float64) {})
				long := endsSchedule
				long.Time = 1e6
				var others []sde.Observer
				switch how {
				case "goroutine":
					go func() {
						<-first
						cancel(cause)
					}()
				case "progress":
					e.Progress = func(integrate.Progress) {
						if seen.Load() > 0 {
							cancel(cause)
						}
					}
				case "observer":
					others = append(others, observerFunc(func(s sde.Sample) error {
						if s.Index == 2 {
							cancel(cause)
						}
						return nil
					}))
				}
				f := integrate.NewSeries(func() *integrate.Final { return new(integrate.Final) })
				f.BurnIn = true
				// A series of a million years has too many times: keep the moments only.
				m := new(integrate.Moments)
				others = append(others, m, observerFunc(func(sde.Sample) error {
					if seen.Add(1) == 1 {
						close(first)
					}
					return nil
				}))
				start := time.Now()
				r, err := e.Run(ctx, long, others...)
				var i *integrate.InterruptedError
				if !errors.As(err, &i) || !errors.Is(err, cause) || i.Time != r.Time || !r.Partial {
					t.Fatalf("error %v", err)
				}
				if d := time.Since(start); d > 20*time.Second {
					t.Errorf("took %v to stop", d)
				}
				if r.Observations < 1 || m.Samples() != int64(r.Observations*e.Particles) {
					t.Errorf("%d samples in %d observations", m.Samples(), r.Observations)
				}
				short := integrate.Schedule{BurnIn: long.BurnIn, Time: r.Time - long.BurnIn, Every: long.Every}
				e.Progress = nil
				want := new(integrate.Moments)
				mustRun(t, e, short, want)
				if m.Mean(0) != want.Mean(0) || m.Variance(0) != want.Variance(0) {
					t.Errorf("cancelled: %v, shorter run: %v", m.Mean(0), want.Mean(0))
				}
			})
		}
	}
}

func TestDeadline(t *testing.T) {
	defer goleak.VerifyNone(t)
	// A context that is done: no gradient is taken.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := endsEnsemble(2, func(float64) { panic("the run began") })
	m, _ := witness()
	r, err := e.Run(ctx, endsSchedule, m)
	if !errors.Is(err, context.Canceled) || r == nil || !r.Partial || r.Steps != 0 || m.Samples() != 0 {
		t.Errorf("result %+v, error %v", r, err)
	}
	// One that will be, in the middle of a step whose gradient waits for that, hours
	// before the next observation.
	s := integrate.Schedule{Time: 1e6, Every: 1e6}
	for _, workers := range []int{1, 2} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		e := endsEnsemble(workers, func(float64) { <-ctx.Done() })
		m, f := witness()
		start := time.Now()
		r, err := e.Run(ctx, s, m, f)
		var i *integrate.InterruptedError
		if !errors.As(err, &i) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("took %v to stop", d)
		}
		checkPartial(t, e, s, r, m, f)
	}
}

func TestProgress(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, workers := range []int{1, 4} {
		var calls []integrate.Progress
		var inside atomic.Int64
		e := endsEnsemble(workers, func(float64) {})
		e.Progress = func(p integrate.Progress) {
			if inside.Add(1) != 1 {
				t.Error("two calls at once")
			}
			calls = append(calls, p)
			inside.Add(-1)
		}
		s := endsSchedule
		s.Time = 20
		r := mustRun(t, e, s)
		if len(calls) < 2 {
			t.Fatalf("%d calls", len(calls))
		}
		total := int64(e.Particles) * int64(r.Steps)
		if !slices.IsSortedFunc(calls, func(a, b integrate.Progress) int { return int(a.Done - b.Done) }) ||
			!slices.IsSortedFunc(calls, func(a, b integrate.Progress) int { return int(a.Elapsed - b.Elapsed) }) {
			t.Errorf("progress goes back: %v", calls)
		}
		for _, p := range calls {
			if p.Total != total || p.Done > p.Total || p.Time > r.Time+1e-9 {
				t.Errorf("%+v of %d in all", p, total)
			}
		}
		if last := calls[len(calls)-1]; last.Done != total || math.Abs(last.Time-r.Time) > 1e-9 {
			t.Errorf("ends at %+v, want %d, time %g", last, total, r.Time)
		}
	}
}
