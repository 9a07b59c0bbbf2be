// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// wells is L = Σ (x_i²−1)²/4 + ½ Σ (x_i − x_{i+1})².
type wells struct{ d int }

func (l wells) Dim() int { return l.d }

func (l wells) Value(theta []float64) (v float64) {
	for i, x := range theta {
		v += (x*x - 1) * (x*x - 1) / 4
		if i > 0 {
			v += (x - theta[i-1]) * (x - theta[i-1]) / 2
		}
	}
	return v
}

func (l wells) Gradient(dst, theta []float64) {
	for i, x := range theta {
		dst[i] = float64(x*x*x) - x
		if i > 0 {
			dst[i] += x - theta[i-1]
		}
		if i+1 < len(theta) {
			dst[i] += x - theta[i+1]
		}
	}
}

// scenario is a run whose bits must not depend on how it is carried out.
type scenario struct {
	integrate.Ensemble
	integrate.Schedule
	burnIn bool // whether observers see the burn-in
}

// newScenario returns scenario number n.
func newScenario(n uint64) scenario {
	r := rand.New(rand.NewPCG(n, 1))
	d := []int{1, 2, 5, 40}[n%4]
	c := scenario{burnIn: r.IntN(2) == 0}
	const h = 0.02
	flow := sde.Flow{Loss: wells{d}}
	switch r.IntN(5) {
	case 0:
		flow.Diffusion = noise.Temperature{T: 0.3}
	case 1:
		flow.Diffusion = noise.DiagonalFunc{State: d, Of: sde.Diagonal, B: func(dst, theta []float64, _ float64) {
			for i, x := range theta {
				dst[i] = 0.2 + 0.1*x*x
			}
		}}
		c.Scheme = integrate.Milstein{}
	case 2:
		root := make([]float64, d*d)
		for i := range root {
			root[i] = r.NormFloat64() / float64(d)
		}
		flow.Diffusion = general{d, root}
	case 3:
		flow.Diffusion = noise.Temperature{T: 0.3}
		box := sde.Box{Lo: make([]float64, d), Hi: make([]float64, d)}
		for i := range d {
			box.Lo[i], box.Hi[i] = -0.8, 0.9
		}
		flow.Domain = box
	case 4: // some particles diverge
		flow.Diffusion = noise.Temperature{T: 20}
		c.OnDivergence = integrate.Drop
	}
	c.Equation, c.Step, c.Seed = flow, h, r.Uint64()
	rows := integrate.BlockRows(d)
	c.Particles = 1 + r.IntN(7*rows)
	if c.OnDivergence == integrate.Drop {
		c.Step = 0.08
	}
	blocks := (c.Particles + rows - 1) / rows
	if r.IntN(2) == 0 {
		c.Groups = 1 + r.IntN(blocks)
	}
	if r.IntN(3) == 0 {
		c.Pieces = 3
	}
	c.Start = integrate.StartFunc(uniformStart)
	every := 1 + r.IntN(6)
	steps := every * (1 + r.IntN(8))
	c.Every, c.Time = float64(every)*c.Step, float64(steps)*c.Step
	if r.IntN(2) == 0 {
		c.BurnIn = float64(r.IntN(20)) * c.Step
	}
	return c
}

func uniformStart(theta []float64, _ int, s *sde.Stream) {
	s.Uniforms(theta)
	for i := range theta {
		theta[i] -= 0.5
	}
}

// general is a constant root that does not say so.
type general struct {
	d    int
	root []float64
}

func (g general) Dims() (state, noise int)             { return g.d, g.d }
func (g general) Root(dst, theta []float64, _ float64) { copy(dst, g.root) }
func (c scenario) steps() int                          { return int((c.BurnIn+c.Time)/c.Step + 0.5) }
func (c scenario) blocks() int                         { n := integrate.BlockRows(c.dim()); return (c.Particles + n - 1) / n }
func (c scenario) dim() int                            { d, _ := c.Equation.Dims(); return d }
func (c scenario) groups() int                         { return min(64, max(c.Groups, c.blocks()*btoi(c.Groups == 0))) }
func (c scenario) String() string {
	return fmt.Sprintf("%d × %d, groups %d, %+v", c.Particles, c.dim(), c.Groups, c.Schedule)
}
func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// squares is x_0 and x_0 x_{d−1}, within what a float64 holds: a particle on its
// way out has large finite coordinates.
func squares(dst, theta []float64) {
	x, y := min(max(theta[0], -9), 9), min(max(theta[len(theta)-1], -9), 9)
	dst[0], dst[1] = x, x*y
}

// trip ends a run at one of its calls, by an error or by what it calls. It is an
// observer that can be saved and holds nothing.
type trip struct {
	at    int64 // the call, 0 for none
	do    func() error
	burn  bool
	calls atomic.Int64
	facts sde.Run
}

func (o *trip) Start(r sde.Run) error                { o.facts = r; return nil }
func (o *trip) ObservesBurnIn() bool                 { return o.burn }
func (o *trip) AppendGroup(dst []byte, _ int) []byte { return dst }
func (o *trip) LoadGroup(int, []byte) error          { return nil }
func (o *trip) Observe(s sde.Sample) error {
	var words [3]uint64
	s.Stream.Words(words[:]) // disturbs nothing
	if o.calls.Add(1) == o.at {
		return o.do()
	}
	return nil
}

// watch is a set of observers of every kind.
type watch struct {
	trips [2]*trip // with and without the burn-in
	final *integrate.Final
	all   []sde.Observer
}

func (c scenario) watch() *watch {
	followed := []int{c.Particles / 2}
	if c.Particles > 3 {
		followed = append(followed, 0, c.Particles-1)
	}
	w := &watch{final: new(integrate.Final)}
	w.trips[0], w.trips[1] = &trip{}, &trip{burn: true}
	w.all = []sde.Observer{w.trips[0], new(integrate.Moments), integrate.NewMean(2, squares), w.trips[1], w.final,
		&integrate.Trajectories{Particles: followed, BurnIn: c.burnIn},
		&integrate.Series[*integrate.Mean]{New: func() *integrate.Mean { return integrate.NewMean(2, squares) }, BurnIn: c.burnIn},
		stationary.NewHistogram(-2, 2, 10)}
	return w
}

// bits returns everything that was observed, and the result.
func (w *watch) bits(res *integrate.Result) []byte {
	var b []byte
	for _, o := range w.all {
		facts := w.trips[0].facts
		if u, ok := o.(sde.BurnInObserver); ok && u.ObservesBurnIn() {
			facts = w.trips[1].facts
		}
		for g := range facts.Groups {
			b = o.(sde.GroupSaver).AppendGroup(b, g)
		}
	}
	for _, x := range w.final.States().Data {
		b = fmt.Appendf(b, "%x ", x)
	}
	b = fmt.Appendf(b, "%v %d %d %d %d %d %v", res.Time, res.Steps, res.Observations, res.Particles, res.Groups, res.Dropped, res.Partial)
	for _, d := range res.Divergences {
		b = fmt.Appendf(b, " %v", *d)
	}
	return b
}

// reference carries a scenario out in the plainest way.
func (c scenario) reference(t testing.TB) []byte {
	t.Helper()
	c.Workers = 1
	w := c.watch()
	return w.bits(mustRun(t, c.Ensemble, c.Schedule, w.all...))
}

// ways counts what a carried out scenario went through.
type ways struct{ shards, cancelled, failed, expired, resumed, dropped int }

// vary carries a scenario out in a way chosen by r: in shards, by several
// workers, interrupted and resumed.
func (c scenario) vary(t testing.TB, r *rand.Rand, dir string, count *ways) []byte {
	t.Helper()
	shards := 1
	if r.IntN(3) > 0 {
		shards = 1 + r.IntN(min(c.groups(), 6))
	}
	var files []string
	for i := range shards {
		e := c.Ensemble
		if shards > 1 || r.IntN(2) == 0 {
			e.Shard = integrate.Shard{Index: i, Count: shards}
		}
		res, w := c.part(t, r, e, filepath.Join(dir, fmt.Sprintf("checkpoint%d", i)), count)
		if shards == 1 && r.IntN(2) == 0 {
			count.dropped += res.Dropped
			return w.bits(res)
		}
		count.shards++
		files = append(files, filepath.Join(dir, fmt.Sprintf("shard%d", i)))
		if err := res.Save(files[i]); err != nil {
			t.Fatal(err)
		}
	}
	r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	w := c.watch()
	res, err := c.Merge(c.Schedule, files, w.all...)
	if err != nil {
		t.Fatal(err)
	}
	count.dropped += res.Dropped
	return w.bits(res)
}

var errTripped = errors.New("tripped")

// part runs an ensemble, or a shard of one, to its end.
func (c scenario) part(t testing.TB, r *rand.Rand, e integrate.Ensemble, path string, count *ways) (*integrate.Result, *watch) {
	t.Helper()
	saved := r.IntN(4) > 0
	interruptions := r.IntN(4)
	for attempt := 0; ; attempt++ {
		e.Workers = 1 + r.IntN(5)
		e.Checkpoint = integrate.Checkpoint{}
		if saved {
			e.Checkpoint = integrate.Checkpoint{Path: path, Every: float64(1+r.IntN(c.steps())) * c.Step}
		}
		if r.IntN(4) == 0 {
			e.Progress = func(integrate.Progress) {}
		}
		run := e.Run
		if _, err := os.Stat(path); saved && err == nil {
			run = e.Resume
			count.resumed++
		}
		w := c.watch()
		ctx, cancel := context.WithCancel(context.Background())
		if attempt < interruptions {
			o := w.trips[r.IntN(2)]
			o.at = 1 + r.Int64N(int64(c.blocks()*c.steps())) // of what may be fewer calls
			switch r.IntN(3) {
			case 0:
				o.do = func() error { cancel(); return nil }
			case 1:
				o.do = func() error { return errTripped }
			case 2:
				ctx, cancel = context.WithTimeout(context.Background(), time.Duration(r.IntN(3000))*time.Microsecond)
				o.at = 0
			}
		}
		res, err := run(ctx, c.Schedule, w.all...)
		cancel()
		if err == nil {
			return res, w
		}
		var interrupted *integrate.InterruptedError
		var failed *integrate.ObserverError
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			count.expired++
		case errors.As(err, &interrupted):
			count.cancelled++
		case errors.As(err, &failed) && errors.Is(err, errTripped):
			count.failed++
		default:
			t.Fatal(err)
		}
		if !res.Partial {
			t.Fatalf("a run that ended with %v is not partial", err)
		}
	}
}

func TestMetamorphic(t *testing.T) {
	n, variations := uint64(100), 2
	if testing.Short() {
		n, variations = 56, 1
	}
	if *seedShift > 0 {
		t.Logf("scenarios from %d", *seedShift)
	}
	var count ways
	for i := range n {
		c := newScenario(i + *seedShift)
		want := c.reference(t)
		r := rand.New(rand.NewPCG(i+*seedShift, 2))
		for k := range variations {
			if got := c.vary(t, r, t.TempDir(), &count); !bytes.Equal(got, want) {
				t.Errorf("scenario %d, variation %d: bits differ: %v", i, k, c)
			}
		}
	}
	t.Logf("%+v", count)
	if count.shards == 0 || count.cancelled == 0 || count.failed == 0 || count.resumed == 0 || count.dropped == 0 {
		t.Errorf("not all ways were gone: %+v", count)
	}
}

// workerNoise is the planted fault: a scheme that gives each worker a noise of its own.
type workerNoise struct{ workers *atomic.Int64 }

func (workerNoise) Properties(c sde.NoiseClass) (integrate.Properties, error) {
	return integrate.EulerMaruyama{}.Properties(c)
}

func (f workerNoise) Bind(s *integrate.System) (integrate.Kernel, error) {
	k, err := integrate.EulerMaruyama{}.Bind(s)
	return &workerKernel{k, float64(f.workers.Add(1)-1) * 1e-12}, err
}

type workerKernel struct {
	integrate.Kernel
	shift float64
}

func (k *workerKernel) Step(x sde.Batch, t float64, s *sde.Stream) {
	k.Kernel.Step(x, t, s)
	for i := range x.Rows {
		x.Row(i)[0] += k.shift
	}
}

// leaky is a planted fault: a source that its seed does not set altogether.
type leaky struct{ state, calls uint64 }

func (l *leaky) Seed(seed uint64) { l.state = seed }
func (l *leaky) Uint64() uint64 {
	l.state += 0x9e3779b97f4a7c15
	l.calls++
	z := l.state ^ l.calls>>4
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// TestMetamorphicFaults plants faults that the comparison has to find.
func TestMetamorphicFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for name, plant := range map[string]func(*integrate.Ensemble){
		"noise of the worker":  func(e *integrate.Ensemble) { e.Scheme = workerNoise{new(atomic.Int64)} },
		"source with a memory": func(e *integrate.Ensemble) { e.NewSource = func(uint64) sde.Source { return new(leaky) } },
		"source of another state": func(e *integrate.Ensemble) {
			s := new(atomic.Uint64)
			e.NewSource = func(uint64) sde.Source { return &leaky{calls: s.Add(1 << 8)} }
		},
	} {
		found := 0
		for i := range uint64(16) {
			c := newScenario(i)
			c.Scheme = nil
			r := rand.New(rand.NewPCG(i, 3))
			plant(&c.Ensemble)
			want := c.reference(t)
			if c.Scheme != nil {
				plant(&c.Ensemble)
			}
			if !bytes.Equal(c.vary(t, r, t.TempDir(), new(ways)), want) {
				found++
			}
		}
		if t.Logf("%s: found in %d of 16 scenarios", name, found); found == 0 {
			t.Errorf("planted fault not found: %s", name)
		}
	}
}

const metamorphicChild = "SGFLOW_METAMORPHIC_CHILD"

// TestMetamorphicKernels holds the bits of this process against those of one that
// may not use the processor's vector instructions.
func TestMetamorphicKernels(t *testing.T) {
	sum := sha256.New()
	for i := range uint64(16) {
		sum.Write(newScenario(i).reference(t))
	}
	line := fmt.Sprintf("metamorphic %x", sum.Sum(nil))
	if os.Getenv(metamorphicChild) != "" {
		fmt.Println(line)
		return
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("no assembly")
	}
	for _, options := range []string{"cpu.avx512f=off,cpu.avx512=off", "cpu.avx512f=off,cpu.avx512=off,cpu.avx2=off"} {
		child := exec.Command(os.Args[0], "-test.run=^TestMetamorphicKernels$")
		child.Env = append(os.Environ(), metamorphicChild+"=1", "GODEBUG="+options)
		out, err := child.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", options, err, out)
		}
		if !strings.Contains(string(out), line) {
			t.Errorf("%s: bits differ:\n%s\nwant %s", options, out, line)
		}
	}
}
