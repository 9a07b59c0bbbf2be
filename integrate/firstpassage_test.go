// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// slopes is a loss whose gradient is the same everywhere.
type slopes []float64

func (l slopes) Dim() int { return len(l) }
func (l slopes) Value(theta []float64) float64 {
	return mat.Dot(mat.NewVecDense(len(l), l), mat.NewVecDense(len(l), theta))
}
func (l slopes) Gradient(dst, theta []float64) { copy(dst, l) }

func passages(t *testing.T, e integrate.Ensemble, time float64, f *integrate.FirstPassage) integrate.Passages {
	t.Helper()
	mustRun(t, e, integrate.Schedule{Time: time}, f)
	return f.Passages(0)
}

// firsts returns the first passage times of all particles, which must have passed.
func firsts(t *testing.T, f *integrate.FirstPassage, n int) []float64 {
	t.Helper()
	times := make([]float64, n)
	for i := range times {
		var ok bool
		if times[i], ok = f.First(i); !ok {
			t.Fatalf("particle %d has not passed in %g", i, times[i])
		}
	}
	return times
}

// TestBridgeIsExact: of a Brownian motion with drift into a half-space the
// passage times have the inverse Gaussian law, at a step as long as the mean.
func TestBridgeIsExact(t *testing.T) {
	d := mat.NewSymDense(2, []float64{0.5, 0.2, 0.2, 0.3})
	diffusion, err := noise.NewConstant(d)
	if err != nil {
		t.Fatal(err)
	}
	half := sde.HalfSpace{Normal: []float64{2, -1}, Offset: 1}
	// Along the normal the drift is 2·0.7 + 0.4 = 1.8 and the variance 2nᵀDn.
	mean, v := 1/1.8, 2*(4*0.5-4*0.2+0.3)
	shape := 1 / v
	cdf := func(t float64) float64 {
		s := math.Sqrt(shape / t)
		phi := distuv.UnitNormal.CDF
		return phi(s*(t/mean-1)) + math.Exp(2*shape/mean)*phi(-s*(t/mean+1))
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: slopes{-0.7, 0.4}, Diffusion: diffusion}, Step: 0.5, Particles: 8192, Seed: 11}
	for _, bridge := range []bool{true, false} {
		f := &integrate.FirstPassage{Target: half, Bridge: bridge}
		passages(t, e, 40, f)
		u := firsts(t, f, e.Particles)
		for i := range u {
			u[i] = cdf(u[i])
		}
		s, p := uniformP(u, 0, 1)
		if bridge {
			accept(t, "passage times with the bridge", e.Seed, s, p)
		} else {
			reject(t, "passage times at the ends of steps", e.Seed, s, p)
		}
	}
}

// chainPassage returns the mean first passage time from start of Euler–Maruyama's
// chain for dX = −X dt + √(2T) dW into x ≥ 1, and x ≤ −1 if twoSided, from its transition kernel,
//
//	m(x) = h ∫₀¹ S_x(s) ds + ∫ K(x, y) (1 − p(x, y)) m(y) dy
//
// with S_x the probability not to have crossed in a part of the step and p that of crossing
// between x and y; plainly the first term is h and p is 0.
func chainPassage(start, temperature, h float64, twoSided, bridge bool) float64 {
	lo := -7.0
	if twoSided {
		lo = -1
	}
	const panels, order = 60, 16
	var x, w []float64
	px, pw := make([]float64, order), make([]float64, order)
	for i := range panels { // finer towards the ends, where the solution has layers
		edge := func(i int) float64 { return lo + (1-lo)*(1-math.Cos(math.Pi*float64(i)/panels))/2 }
		quad.Legendre{}.FixedLocations(px, pw, edge(i), edge(i+1))
		x, w = append(x, px...), append(w, pw...)
	}
	n := len(x)
	v := 2 * temperature * h
	phi := distuv.UnitNormal.CDF
	sides := []float64{1}
	if twoSided {
		sides = append(sides, -1)
	}
	// stays is the probability of no crossing in a part s of the step, from x with drift −x.
	stays := func(x, s float64) float64 {
		p := 1.0
		for _, side := range sides {
			a, drift, sd := 1-side*x, -side*x*h*s, math.Sqrt(v*s) // distance, and the drift towards it
			p *= phi((a-drift)/sd) - math.Exp(2*a*drift/(v*s))*phi((-a-drift)/sd)
		}
		return p
	}
	row := func(dst []float64, from float64) (first float64) {
		for j, y := range x {
			z := y - (from - h*from)
			k := math.Exp(-z*z/(2*v)) / math.Sqrt(2*math.Pi*v)
			if bridge {
				for _, side := range sides {
					k *= -math.Expm1(-2 * (1 - side*from) * (1 - side*y) / v)
				}
			}
			dst[j] = k * w[j]
		}
		if !bridge {
			return h
		}
		// In r = √s the integrand is smooth.
		return h * quad.Fixed(func(r float64) float64 { return 2 * r * stays(from, r*r) }, 0, 1, 60, nil, 0)
	}
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		r := a.RawRowView(i)
		b.SetVec(i, row(r, x[i]))
		for j := range r {
			r[j] = -r[j]
		}
		r[i]++
	}
	var m mat.VecDense
	if err := m.SolveVec(a, b); err != nil {
		panic(err)
	}
	last := make([]float64, n)
	first := row(last, start)
	return first + mat.Dot(mat.NewVecDense(n, last), &m)
}

const (
	ouTwoSided = 1.445245613388347 // 0 → ±1
	ouOneSided = 5.184965439133721 // −1 → 1
)

// TestPassageOrder: the bias of the mean passage time is of order ½ in h, and 1
// with the bridge: no Monte Carlo.
func TestPassageOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds of dense solves")
	}
	for _, two := range []bool{true, false} {
		start, exact := -1.0, ouOneSided
		if two {
			start, exact = 0, ouTwoSided
		}
		for _, bridge := range []bool{false, true} {
			var logH, logE []float64
			for _, h := range []float64{0.08, 0.04, 0.02, 0.01, 0.005} {
				bias := chainPassage(start, 0.5, h, two, bridge) - exact
				logH, logE = append(logH, math.Log(h)), append(logE, math.Log(math.Abs(bias)))
				t.Logf("two-sided %v, bridge %v, h = %g: bias %.3g %%", two, bridge, h, 100*bias/exact)
			}
			_, slope := stat.LinearRegression(logH, logE, nil, false)
			want := 0.5
			if bridge {
				want = 1
			}
			n := len(logE)
			local := (logE[n-2] - logE[n-1]) / math.Ln2
			t.Logf("slope %.3f, last %.3f", slope, local)
			if math.Abs(local-want) > 0.06 {
				t.Errorf("two-sided %v, bridge %v: order %.3f, want %g", two, bridge, local, want)
			}
		}
	}
}

// TestPassageOfTheChain: simulated passage times against the chain's own.
func TestPassageOfTheChain(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for _, test := range []struct {
		target sde.Set
		start  float64
		two    bool
	}{
		{sde.Complement{Of: sde.Box{Lo: []float64{-1}, Hi: []float64{1}}}, 0, true},
		{sde.HalfSpace{Normal: []float64{1}, Offset: 1}, -1, false},
		{sde.LevelSet{Loss: slopes{3}, Value: 3}, -1, false},
	} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 0.5}}, Step: 0.1, Particles: 4096, Seed: 12,
			Start: integrate.Points{{test.start}}}
		for _, bridge := range []bool{false, true} {
			f := &integrate.FirstPassage{Target: test.target, Bridge: bridge}
			r := passages(t, e, 150, f)
			firsts(t, f, e.Particles)
			z := (r.Average.Value - chainPassage(test.start, 0.5, e.Step, test.two, bridge)) / r.Average.StdErr
			accept(t, fmt.Sprintf("%T, bridge %v", test.target, bridge), e.Seed, z, normalP(z))
			z = (r.Average.Value - chainPassage(test.start, 0.5, e.Step, test.two, !bridge)) / r.Average.StdErr
			reject(t, fmt.Sprintf("%T, bridge %v taken for the other", test.target, bridge), e.Seed, z, normalP(z))
		}
	}
}

// TestBridgeOnBall: out of the unit disc a Brownian motion takes R²/(2dT); at a
// curved boundary the bridge leaves a bias of order h, which extrapolation removes.
func TestBridgeOnBall(t *testing.T) {
	if testing.Short() {
		t.Skip("a second of simulation")
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{2}, Diffusion: noise.Temperature{T: 0.5}}, Particles: 16384, Seed: 13}
	mean := func(h float64, bridge bool) sde.Estimate {
		e.Step, e.Seed = h, e.Seed+1
		f := &integrate.FirstPassage{Target: sde.Complement{Of: sde.Ball{Center: []float64{0, 0}, Radius: 1}}, Bridge: bridge}
		r := passages(t, e, 10, f)
		firsts(t, f, e.Particles)
		return r.Average
	}
	for _, bridge := range []bool{true, false} {
		a, b := mean(0.04, bridge), mean(0.01, bridge)
		z := ((4*b.Value-a.Value)/3 - 0.5) / math.Hypot(4*b.StdErr/3, a.StdErr/3)
		t.Logf("bridge %v: %v at h = 0.04, %v at h = 0.01", bridge, a, b)
		if bridge {
			accept(t, "exit from a disc", e.Seed, z, normalP(z))
		} else {
			reject(t, "exit from a disc at the ends of steps", e.Seed, z, normalP(z))
		}
	}
}

// TestSurvival holds the product-limit estimate to the remission times of
// Freireich et al. (1963), as in Klein & Moeschberger, Survival Analysis, table 4.1.
func TestSurvival(t *testing.T) {
	exits := []int{6, 6, 6, 7, 10, 13, 16, 22, 23}
	censored := []int{6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35}
	n := len(exits) + len(censored)
	f := &integrate.FirstPassage{Target: sde.HalfSpace{Normal: []float64{1}, Offset: 1}, Edges: []float64{6.5, 10, 22}}
	if err := f.Start(sde.Run{Dim: 1, Particles: n, Groups: 1, Step: 1}); err != nil {
		t.Fatal(err)
	}
	if err := f.Observe(sde.Sample{X: sde.NewBatch(n, 1)}); err != nil {
		t.Fatal(err)
	}
	s := sde.Step{Size: 1, Before: sde.NewBatch(n, 1), Dropped: make([]bool, n), Renewed: make([]bool, n)}
	for step := range 36 {
		s.Index, s.Time, s.After = step, float64(step), sde.NewBatch(n, 1)
		for i, t := range exits {
			if step == t-1 {
				s.After.Data[i] = 2
			}
		}
		for i, t := range censored {
			s.Dropped[len(exits)+i] = step >= t
		}
		if err := f.ObserveStep(s); err != nil {
			t.Fatal(err)
		}
	}
	km := f.Survival()
	want := [][3]float64{{6, .857, .0764}, {7, .807, .0869}, {10, .753, .0963}, {13, .690, .1068}, {16, .627, .1141}, {22, .538, .1282}, {23, .448, .1346}}
	for i, w := range want {
		if km.Times[i] != w[0] || math.Abs(km.Probability[i]-w[1]) > 5e-4 || math.Abs(km.StdErr[i]-w[2]) > 5e-5 {
			t.Errorf("S(%g) = %.4f ± %.4f, want %v", km.Times[i], km.Probability[i], km.StdErr[i], w)
		}
	}
	if p, _ := km.At(5); p != 1 {
		t.Error("S(5) =", p)
	}
	if p, _ := km.At(12.5); p != km.Probability[2] || km.AtRisk[2] != 15 {
		t.Error("S(12.5) =", p, km.AtRisk)
	}
	r := f.Passages(0.9)
	if r.Exits != 9 || r.Censored != 12 || r.Exposure != 359 || r.Mean != 359./9 || !math.IsNaN(r.Average.Value) || len(r.Warnings) != 1 {
		t.Errorf("%+v", r)
	}
	// Poisson limits of 9 events: 4.695 and 15.705 (Garwood, 90 %).
	if math.Abs(359/r.High-4.695) > 5e-4 || math.Abs(359/r.Low-15.705) > 5e-4 {
		t.Errorf("interval of %v", r)
	}
	if c := f.Counts(); fmt.Sprint(c) != "[3 1 3 2]" {
		t.Error("histogram", c)
	}
}

// TestPassageBits: restarts and bridges have the same bits after a resume, in
// shards, with other workers and in a replay; and no time is lost.
func TestPassageBits(t *testing.T) {
	for name, e := range stepsEnsembles() {
		if e.Scheme == nil {
			e.Particles = 2500
		}
		s := integrate.Schedule{Time: 5, Every: 0.5}
		bridge := name != "BAOAB"
		watch := func() *integrate.FirstPassage {
			return &integrate.FirstPassage{Target: sde.HalfSpace{Normal: []float64{1}, Offset: 1}, Bridge: bridge, Restart: true, Edges: []float64{0, 1, 2}}
		}
		ref := watch()
		mustRun(t, e, s, ref)
		want := ref.Passages(0)
		if want.Exits < 2000 {
			t.Fatalf("%s: %v", name, want)
		}
		if total := float64(e.Particles) * 5; !bridge && math.Abs(want.Exposure-total) > 1e-9*total || bridge && !(want.Exposure < total && want.Exposure > total*0.9) {
			t.Errorf("%s: %g of %g", name, want.Exposure, total)
		}
		same := func(what string, f *integrate.FirstPassage) {
			t.Helper()
			r := f.Passages(0)
			if r.Exposure != want.Exposure || r.Exits != want.Exits || fmt.Sprint(f.Counts()) != fmt.Sprint(ref.Counts()) {
				t.Errorf("%s, %s: %v, want %v", name, what, r, want)
			}
		}
		c := e
		c.Workers = 1
		c.Checkpoint = integrate.Checkpoint{Path: filepath.Join(t.TempDir(), "c"), Every: 0.75}
		ctx, cancel := context.WithCancel(context.Background())
		f := watch()
		_, err := c.Run(ctx, s, f, &trip{at: 12, do: func() error { cancel(); return nil }})
		cancel()
		if _, ok := errors.AsType[*integrate.InterruptedError](err); !ok {
			t.Fatalf("%s: %v", name, err)
		}
		f = watch()
		if _, err := c.Resume(context.Background(), s, f, new(trip)); err != nil {
			t.Fatal(err)
		}
		same("resumed", f)
		var paths []string
		for i := range 2 {
			c = e
			c.Shard = integrate.Shard{Index: i, Count: 2}
			paths = append(paths, filepath.Join(t.TempDir(), "s"))
			if err := mustRun(t, c, s, watch()).Save(paths[i]); err != nil {
				t.Fatal(err)
			}
		}
		f = watch()
		if _, err := e.Merge(s, paths, f); err != nil {
			t.Fatal(err)
		}
		same("shards", f)
		for _, p := range []int{3, e.Particles - 1} {
			f = watch()
			if _, err := e.Replay(context.Background(), s, p, f); err != nil {
				t.Fatal(err)
			}
			a, _ := f.First(p)
			if b, _ := ref.First(p); a != b || f.Passages(0).Particles != 1 {
				t.Errorf("%s: particle %d passed at %g, in a replay at %g", name, p, b, a)
			}
		}
		e.Workers = 1
		observers := func() []sde.Observer { return []sde.Observer{watch()} }
		once := mallocs(t, e, integrate.Schedule{Time: 2, Every: 0.5}, observers)
		if n := mallocs(t, e, integrate.Schedule{Time: 8, Every: 0.5}, observers); n > once {
			t.Errorf("%s: four times the steps allocate %d times, not %d", name, n, once)
		}
	}
}

func TestPassageRefuses(t *testing.T) {
	e := stepsEnsembles()["Euler–Maruyama"]
	half := sde.HalfSpace{Normal: []float64{1}, Offset: 1}
	s := integrate.Schedule{Time: 0.5}
	for name, f := range map[string]*integrate.FirstPassage{
		"no target":                          {},
		"another dimension":                  {Target: sde.Ball{Center: []float64{0, 0}, Radius: 1}},
		"bridge at a set that is not smooth": {Target: sde.SetFunc(func([]float64) bool { return false }), Bridge: true},
		"edges that fall":                    {Target: half, Edges: []float64{1, 0}},
		"one edge":                           {Target: half, Edges: []float64{1}},
		"the start":                          {Target: sde.HalfSpace{Normal: []float64{1}, Offset: 0.5}},
	} {
		if _, err := e.Run(context.Background(), s, f); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := &integrate.FirstPassage{Target: half, Bridge: true}
	if _, err := e.Run(context.Background(), integrate.Schedule{BurnIn: 0.5, Time: 0.5}, f); !errors.Is(err, sde.ErrInvalid) {
		t.Error("burn-in:", err)
	}
	// Momentum moves the particle, or steps share noise: there is no bridge between them.
	for _, e.Scheme = range []integrate.Scheme{integrate.BAOAB{Friction: 1}, integrate.LeimkuhlerMatthews{}} {
		if _, err := e.Run(context.Background(), s, f); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("bridge with %T: %v", e.Scheme, err)
		}
	}
	// Nothing arrives: a result that says so, with a lower bound.
	e.Scheme = nil
	far := &integrate.FirstPassage{Target: sde.HalfSpace{Normal: []float64{1}, Offset: 50}, Bridge: true}
	r := passages(t, e, 0.5, far)
	if r.Exits != 0 || r.Censored != e.Particles || !math.IsInf(r.Mean, 1) || !math.IsInf(r.High, 1) || len(r.Warnings) != 1 {
		t.Errorf("%+v", r)
	}
	if low := 0.5 * float64(e.Particles) / math.Log(20); math.Abs(r.Low-low) > 1e-9*low {
		t.Errorf("lower bound %g, want %g", r.Low, low)
	}
	if s := far.Survival(); len(s.Times) != 0 {
		t.Error(s)
	}
}
