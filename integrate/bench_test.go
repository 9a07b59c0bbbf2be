// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// The workloads are those of DESIGN.md, Speed: one worker unless their name says
// otherwise, at full size. Run them with
//
//	go test ./integrate -run '^$' -bench . -benchtime 3x

// benchmark measures a run of so many steps, per particle-step and coordinate.
func benchmark(b *testing.B, e integrate.Ensemble, steps int, unit string, coordinates int) {
	b.Helper()
	b.ReportAllocs()
	s := integrate.Schedule{Time: float64(steps) * e.Step}
	for b.Loop() {
		mustRun(b, e, s)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*steps*coordinates*e.Particles), unit)
}

func doubleWellEnsemble() integrate.Ensemble {
	return integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}},
		Step: 0.01, Particles: 65_536, Seed: 1, Workers: 1}
}

func BenchmarkDoubleWell(b *testing.B) {
	benchmark(b, doubleWellEnsemble(), 2000, "ns/particle-step", 1)
}

func BenchmarkMullerBrown(b *testing.B) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Temperature{T: 15}},
		Step: 1e-5, Particles: 16_384, Seed: 1, Workers: 1, Start: integrate.Points{{-0.558224, 1.441726}}}
	benchmark(b, e, 2000, "ns/particle-step", 1)
}

// basis returns a random orthogonal matrix.
func basis(d int, seed uint64) *mat.Dense {
	r := rand.New(rand.NewPCG(seed, 1))
	a := mat.NewDense(d, d, nil)
	a.Apply(func(int, int, float64) float64 { return r.NormFloat64() }, a)
	var qr mat.QR
	qr.Factorize(a)
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

// spectrum returns d numbers that go evenly from a to b.
func spectrum(d int, a, b float64) *mat.DiagDense {
	m := mat.NewDiagDense(d, nil)
	for i := range d {
		m.SetDiag(i, a+(b-a)*float64(i)/float64(d-1))
	}
	return m
}

func BenchmarkDenseOU(b *testing.B) {
	const d = 100
	var full, root mat.Dense
	q := basis(d, 1)
	full.Product(q, spectrum(d, 0.1, 2), q.T())
	h := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			h.SetSym(i, j, (full.At(i, j)+full.At(j, i))/2)
		}
	}
	root.Product(basis(d, 2), spectrum(d, 0.2, 0.1), basis(d, 3).T())
	l, err := loss.NewQuadratic(h, nil)
	if err != nil {
		b.Fatal(err)
	}
	constant, err := noise.NewRoot(&root)
	if err != nil {
		b.Fatal(err)
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: constant}, Step: 0.01, Particles: 4096, Seed: 1, Workers: 1}
	benchmark(b, e, 200, "ns/coord-step", d)
}

// logisticSGD is the workload LogisticSGD of the named number of replicas.
func logisticSGD(b testing.TB, replicas int) (integrate.Ensemble, *loss.Logistic) {
	b.Helper()
	w := make([]float64, 20)
	for j := range w {
		w[j] = float64(1-2*(j%2)) * (1 + float64(j)/10) / 4
	}
	x, y := loss.LogisticTeacher(10_000, w, 1)
	l, err := loss.NewLogistic(x, y, 1e-3)
	if err != nil {
		b.Fatal(err)
	}
	return integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 32}},
		Step: 0.1, Particles: replicas, Seed: 1, Workers: 1}, l
}

func BenchmarkLogisticSGD(b *testing.B) {
	e, _ := logisticSGD(b, 1024)
	benchmark(b, e, 500, "ns/sample-gradient", 32)
}

// BenchmarkUpdates is LogisticSGD for 100 steps of each update: what its history adds.
func BenchmarkUpdates(b *testing.B) {
	e, l := logisticSGD(b, 1024)
	g := noise.WithReplacement{Loss: l, BatchSize: 32}
	for _, u := range []integrate.Scheme{
		integrate.SGD{Gradient: g}, integrate.SGDMomentum{Gradient: g, Momentum: 0.9}, integrate.Adam{Gradient: g}, integrate.RMSprop{Gradient: g},
		integrate.DelayedSGD{Gradient: g, Delay: 4}, integrate.Averaged{Of: integrate.SGD{Gradient: g}}, integrate.SVRG{Gradient: g},
		integrate.LocalSGD{Workers: []sde.GradientSampler{g, g}, LocalSteps: 4},
	} {
		b.Run(strings.TrimPrefix(fmt.Sprintf("%T", u), "integrate."), func(b *testing.B) {
			e.Scheme = u
			benchmark(b, e, 100, "ns/particle-step", 1)
		})
	}
}

// BenchmarkPlainGradient is DoubleWell for a loss of the three required methods.
func BenchmarkPlainGradient(b *testing.B) {
	e := doubleWellEnsemble()
	e.Equation = sde.Flow{Loss: doubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	benchmark(b, e, 2000, "ns/particle-step", 1)
}

// BenchmarkMultiplicative has diagonal noise that depends on the state.
func BenchmarkMultiplicative(b *testing.B) {
	for _, scheme := range []integrate.Scheme{integrate.EulerMaruyama{}, integrate.Milstein{}} {
		b.Run(strings.TrimPrefix(fmt.Sprintf("%T", scheme), "integrate."), func(b *testing.B) {
			e := doubleWellEnsemble()
			e.Equation = sde.Flow{Loss: loss.DoubleWell{}, Diffusion: growing{0.2}}
			e.Scheme = scheme
			benchmark(b, e, 1000, "ns/particle-step", 1)
		})
	}
}

// BenchmarkStreaming runs in a process of its own, so that the peak is not that
// of another benchmark.
func BenchmarkStreaming(b *testing.B) {
	sums := map[string]float64{}
	for b.Loop() {
		for unit, v := range streamed(b, 1000) {
			sums[unit] += v
		}
	}
	for unit, v := range sums {
		b.ReportMetric(v/float64(b.N), unit)
	}
}

// TestMemory holds a run of 1,000,000 particles with moments and a histogram to what
// memory it may take, which does not grow with its steps.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("not under the race detector, which takes memory of its own")
	}
	const state = 8e6 / (1 << 20) // MiB
	figures := streamed(t, 50)
	if heap := figures["heap-MiB"]; !(heap >= state && heap <= 1.5*state) {
		t.Errorf("a heap of %.3g MiB, want at most 1.5 times the state's %.3g", heap, state)
	}
	if peak, ok := figures["peak-MiB"]; ok && !(peak <= 1.5*state+16) {
		t.Errorf("%.3g MiB resident, want at most that and 16", peak)
	}
}

// streamed runs the workload Streaming for so many steps in a process of its own and
// returns its figures.
func streamed(t testing.TB, steps int) map[string]float64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", streamingChild, steps))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]float64{}
	for line := range bytes.Lines(out) {
		var v float64
		var unit string
		if _, err := fmt.Sscan(string(line), &v, &unit); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		figures[unit] = v
	}
	return figures
}

// streamingChild is the environment variable that makes the test binary run the
// workload Streaming, for so many steps, and print its figures.
const streamingChild = "SGFLOW_BENCHMARK_STREAMING"

// heapPeak is an observer that samples the Go heap.
type heapPeak struct{ bytes atomic.Uint64 }

func (*heapPeak) Start(sde.Run) error { return nil }
func (p *heapPeak) Observe(s sde.Sample) error {
	if s.First == 0 {
		p.sample()
	}
	return nil
}
func (p *heapPeak) sample() {
	v := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(v)
	p.bytes.Store(max(p.bytes.Load(), v[0].Value.Uint64()))
}

func streaming() error {
	const particles, every, h = 1_000_000, 10, 0.01
	steps, err := strconv.Atoi(os.Getenv(streamingChild))
	if err != nil {
		return err
	}
	e := doubleWellEnsemble()
	e.Particles = particles
	moments, squares := new(integrate.Moments), &integrate.Moments{Dim: 1, Features: func(dst, x sde.Batch) {
		y := dst.Data[:x.Rows]
		for i, v := range x.Data[:x.Rows] {
			y[i] = v * v
		}
	}}
	histogram := stationary.NewHistogram(-2.5, 2.5, 200)
	peak := new(heapPeak)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	m, err := e.Run(context.Background(), integrate.Schedule{Time: float64(steps) * h, Every: every * h}, moments, squares, histogram, peak)
	elapsed := time.Since(start)
	if err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	if x2 := squares.Mean(0).Value; m.Observations != steps/every || steps >= 1000 && math.Abs(x2-0.75) > 0.1 {
		return fmt.Errorf("%d observations, E x² = %v", m.Observations, x2)
	}
	fmt.Println(float64(elapsed.Nanoseconds())/float64(particles*steps), "ns/particle-step")
	fmt.Println(float64(peak.bytes.Load())/(1<<20), "heap-MiB")
	fmt.Println(after.Mallocs-before.Mallocs, "run-allocs")
	if hwm, ok := peakResident(); ok {
		fmt.Println(hwm, "peak-MiB")
	}
	return nil
}

// peakResident returns the most memory that the process ever had resident, in
// MiB, where the system tells.
func peakResident() (mib float64, ok bool) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, found := strings.CutPrefix(s.Text(), "VmHWM:"); found {
			_, err := fmt.Sscan(rest, &mib)
			return mib / 1024, err == nil
		}
	}
	return 0, false
}

// BenchmarkWorkers alternates one and two workers. speedup is the ratio of the
// best times, lost the share of two processors' time that waiting, dispatch and
// what processors do to one another take: 1 − speedup/2. It needs two processors
// with nothing else to do.
func BenchmarkWorkers(b *testing.B) {
	if runtime.GOMAXPROCS(0) < 2 {
		b.Skip("one processor")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	e := doubleWellEnsemble()
	s := integrate.Schedule{Time: 1000 * e.Step, Every: 10 * e.Step}
	var one, two float64
	for b.Loop() {
		one, two = math.Inf(1), math.Inf(1)
		for range 7 {
			for i, best := range []*float64{&one, &two} {
				e.Workers = i + 1
				start := time.Now()
				mustRun(b, e, s, new(integrate.Moments))
				*best = min(*best, time.Since(start).Seconds())
			}
		}
	}
	b.ReportMetric(one/two, "speedup")
	b.ReportMetric(1-one/two/2, "lost")
}

// BenchmarkSchemes measures every scheme on DoubleWell. Short runs alternate with
// Euler–Maruyama's, and ×EulerMaruyama is the ratio of the best of each, so that what
// else the machine does spoils neither. Gradients are counted.
func BenchmarkSchemes(b *testing.B) {
	const particles, steps, rounds = 8192, 250, 31
	for _, row := range everyScheme {
		ensemble := func(scheme integrate.Scheme) integrate.Ensemble {
			e := doubleWellEnsemble()
			e.Particles, e.Scheme = particles, scheme
			return e
		}
		var calls atomic.Int64
		counted := ensemble(row.scheme)
		counted.Equation = sde.Flow{Loss: countingBatch{loss.DoubleWell{}, &calls}, Diffusion: noise.Temperature{T: 0.2}}
		gradients := func(steps int) float64 {
			calls.Store(0)
			if _, err := counted.Run(b.Context(), integrate.Schedule{Time: float64(steps) * counted.Step}); err != nil {
				return math.NaN() // refused: on this flow there is nothing to measure
			}
			return float64(calls.Load()) / particles
		}
		each := (gradients(20) - gradients(10)) / 10
		if math.IsNaN(each) {
			continue
		}
		b.Run(schemeName(row.scheme), func(b *testing.B) {
			// nanoseconds a particle-step
			measure := func(scheme integrate.Scheme, steps int) float64 {
				e := ensemble(scheme)
				start := time.Now()
				mustRun(b, e, integrate.Schedule{Time: float64(steps) * e.Step})
				return float64(time.Since(start).Nanoseconds()) / float64(steps*particles)
			}
			n, k := steps, rounds
			if measure(row.scheme, 10) > 20*measure(nil, 10) {
				n, k = steps/10, rounds/6
			}
			best, euler := math.Inf(1), math.Inf(1)
			for b.Loop() {
				for range k {
					euler = min(euler, measure(nil, steps))
					best = min(best, measure(row.scheme, n))
				}
			}
			b.ReportMetric(best, "ns/particle-step")
			b.ReportMetric(best/euler, "×EulerMaruyama")
			b.ReportMetric(each, "gradients/step")
		})
	}
}
