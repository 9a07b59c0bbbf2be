// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// keeper keeps all samples of a run, by group.
type keeper struct {
	facts sde.Run
	rows  [][]float64 // by group, row by row
}

func (k *keeper) Start(r sde.Run) error {
	k.facts, k.rows = r, make([][]float64, r.Groups)
	return nil
}
func (k *keeper) Observe(s sde.Sample) error {
	for i := range s.X.Rows {
		k.rows[s.Group] = append(k.rows[s.Group], s.X.Row(i)...)
	}
	return nil
}

// column returns f of all rows, and its means by group with their weights.
func (k *keeper) column(f func(row []float64) float64) (all, means, weights []float64) {
	d := k.facts.Dim
	for _, rows := range k.rows {
		var v []float64
		for i := 0; i < len(rows); i += d {
			v = append(v, f(rows[i:i+d]))
		}
		if len(v) > 0 {
			all = append(all, v...)
			means, weights = append(means, stat.Mean(v, nil)), append(weights, float64(len(v)))
		}
	}
	return all, means, weights
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
		t.Errorf("%s: %.17g, want %.17g", what, got, want)
	}
}

// stderr is the standard error of a mean from groups' means.
func stderr(means, weights []float64) float64 {
	mean := stat.Mean(means, weights)
	var q, w float64
	for i, m := range means {
		q += weights[i] * weights[i] * (m - mean) * (m - mean)
		w += weights[i]
	}
	g := float64(len(means))
	return math.Sqrt(g/(g-1)*q) / w
}

func TestMomentsAndMean(t *testing.T) {
	hessian, diffusion, _ := lyapunov5(0.1)
	constant, err := noise.NewConstant(diffusion)
	if err != nil {
		t.Fatal(err)
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: denseQuadratic{hessian}, Diffusion: constant}, Step: 0.1, Particles: 6000, Seed: 3}
	k, m := new(keeper), new(integrate.Moments)
	features := &integrate.Moments{Dim: 2, Features: func(dst, x sde.Batch) {
		for i := range x.Rows {
			dst.Row(i)[0], dst.Row(i)[1] = x.Row(i)[0]*x.Row(i)[1], math.Abs(x.Row(i)[2])
		}
	}}
	one := &integrate.Moments{Dim: 1, Features: func(dst, x sde.Batch) {
		for i := range x.Rows {
			dst.Row(i)[0] = math.Abs(x.Row(i)[2])
		}
	}}
	mean := integrate.NewMean(2, func(dst, x []float64) { dst[0], dst[1] = x[0]*x[1], math.Abs(x[2]) })
	mustRun(t, e, integrate.Schedule{BurnIn: 0.5, Time: 2, Every: 0.5}, k, m, features, one, mean)
	n := int64(4 * 6000)
	if m.Samples() != n || mean.Samples() != n || features.Samples() != n || m.Dims() != 5 || features.Dims() != 2 {
		t.Errorf("samples %d, %d, %d of %d; dims %d, %d", m.Samples(), mean.Samples(), features.Samples(), n, m.Dims(), features.Dims())
	}
	for i := range 5 {
		x, means, weights := k.column(func(r []float64) float64 { return r[i] })
		near(t, fmt.Sprint("mean ", i), m.Mean(i).Value, stat.Mean(x, nil), 1e-13)
		near(t, fmt.Sprint("its error ", i), m.Mean(i).StdErr, stderr(means, weights), 1e-12)
		if m.Mean(i).Groups != len(means) {
			t.Errorf("%d groups, want %d", m.Mean(i).Groups, len(means))
		}
		mi := stat.Mean(x, nil)
		for j := range 5 {
			y, _, _ := k.column(func(r []float64) float64 { return r[j] })
			mj := stat.Mean(y, nil)
			xy, means, weights := k.column(func(r []float64) float64 { return (r[i] - mi) * (r[j] - mj) })
			near(t, fmt.Sprint("covariance ", i, j), m.Covariance(i, j).Value, stat.Mean(xy, nil), 1e-13)
			near(t, fmt.Sprint("its error ", i, j), m.Covariance(i, j).StdErr, stderr(means, weights), 1e-12)
			xy, means, weights = k.column(func(r []float64) float64 { return r[i] * r[j] })
			near(t, fmt.Sprint("second moment ", i, j), m.SecondMoment(i, j).Value, stat.Mean(xy, nil), 1e-13)
			near(t, fmt.Sprint("its error ", i, j), m.SecondMoment(i, j).StdErr, stderr(means, weights), 1e-12)
		}
		if m.Variance(i) != m.Covariance(i, i) {
			t.Errorf("variance %v, covariance %v", m.Variance(i), m.Covariance(i, i))
		}
	}
	for j, f := range []func(r []float64) float64{func(r []float64) float64 { return r[0] * r[1] }, func(r []float64) float64 { return math.Abs(r[2]) }} {
		v, means, weights := k.column(f)
		for _, e := range []sde.Estimate{mean.Estimate(j), features.Mean(j), one.Mean(0)} {
			if j == 0 && e == one.Mean(0) {
				continue
			}
			near(t, fmt.Sprint("function ", j), e.Value, stat.Mean(v, nil), 1e-13)
			near(t, fmt.Sprint("its error ", j), e.StdErr, stderr(means, weights), 1e-12)
		}
		if j == 1 {
			mv := stat.Mean(v, nil)
			s, _, _ := k.column(func(r []float64) float64 { return (f(r) - mv) * (f(r) - mv) })
			near(t, "variance of a feature", one.Variance(0).Value, stat.Mean(s, nil), 1e-13)
		}
	}
}

// TestMomentsOffset has a mean of 1e8 and a variance of 1, which sums of squares
// cannot tell: their unit in the last place is 2.
func TestMomentsOffset(t *testing.T) {
	const offset, n = 1e8, 40
	for _, d := range []int{1, 3} {
		m := new(integrate.Moments)
		if err := m.Start(sde.Run{Dim: d, Groups: 2}); err != nil {
			t.Fatal(err)
		}
		var values []float64
		for block := range n {
			x := sde.NewBatch(10+block, d)
			for i := range x.Rows {
				v := math.Sin(float64(block*100+i)) * math.Sqrt2
				values = append(values, v)
				for j := range d {
					x.Row(i)[j] = offset + v*float64(1+j)
				}
			}
			if err := m.Observe(sde.Sample{Group: block * 2 / n, X: x}); err != nil {
				t.Fatal(err)
			}
		}
		mean, variance := stat.PopMeanVariance(values, nil)
		for j := range d {
			k := float64(1 + j)
			if e := m.Mean(j); math.Abs(e.Value-offset-k*mean) > 3e-8 {
				t.Errorf("d=%d: mean %.10f, want %.10f", d, e.Value-offset, k*mean)
			}
			// An error of 1.5e-8 (half an ulp of the offset) in each value is allowed for.
			if e := m.Covariance(0, j); math.Abs(e.Value/(k*variance)-1) > 1e-7 {
				t.Errorf("d=%d: covariance %.12f, want %.12f", d, e.Value, k*variance)
			}
		}
	}
}

// TestStandardErrors: over many small runs of a stationary chain, the estimates'
// distances from the exact values in standard errors have the variance of
// Student's t.
func TestStandardErrors(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	runs := 150
	const d, h, k, temperature = 16, 0.5, 1, 0.5
	v := temperature / (k * (1 - h*k/2))
	curvatures := make([]float64, d)
	for i := range curvatures {
		curvatures[i] = k
	}
	l, err := loss.NewDiagonalQuadratic(curvatures, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct {
		name         string
		blocks       int
		observations float64
		groups       int
	}{
		{"groups of blocks", 24, 4, 24},
		// Stretches of time are groups: they are long against the correlation time.
		{"one block, batches of time", 1, 3200, 16},
		{"three blocks and batches", 3, 960, 18},
	} {
		seed := uint64(900+i) + *seedShift
		var mean, second, n float64
		for run := range runs {
			e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}, Step: h,
				Particles: test.blocks * integrate.BlockRows(d), Seed: seed<<20 + uint64(run),
				Start: integrate.StartFunc(func(theta []float64, _ int, s *sde.Stream) {
					s.Normals(theta)
					for j := range theta {
						theta[j] *= math.Sqrt(v)
					}
				})}
			if test.blocks == 1 {
				e.Particles = 4
			}
			m := integrate.NewMean(2*d, func(dst, theta []float64) {
				for j, x := range theta {
					dst[j], dst[d+j] = x, x*x
				}
			})
			mustRun(t, e, integrate.Schedule{Time: test.observations * h, Every: h}, m)
			for j := range d {
				a, b := m.Estimate(j), m.Estimate(d+j)
				if a.Groups != test.groups {
					t.Fatalf("%s: %d groups, want %d", test.name, a.Groups, test.groups)
				}
				mean += math.Pow(a.Value/a.StdErr, 2)
				second += math.Pow((b.Value-v)/b.StdErr, 2)
				n++
			}
		}
		// t² with ν degrees of freedom: mean ν/(ν−2), variance 2ν²(ν−1)/((ν−2)²(ν−4)).
		nu := float64(test.groups - 1)
		expect, dev := nu/(nu-2), math.Sqrt(2*nu*nu*(nu-1)/((nu-2)*(nu-2)*(nu-4))/n)
		z := (mean/n - expect) / dev
		accept(t, test.name+": standard error of the mean", seed, z, normalP(z))
		z = (second/n - expect) / dev
		accept(t, test.name+": standard error of the second moment", seed, z, normalP(z))
		z = (mean/n*1.15*1.15 - expect) / dev
		reject(t, test.name+": standard errors too small by 15 %", seed, z, normalP(z))
	}
}

func TestSeries(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}}, Step: 0.125, Particles: 3, Start: integrate.Points{{1}, {2}, {3}}}
	s := integrate.Schedule{BurnIn: 0.625, Time: 1, Every: 0.25}
	all := integrate.NewSeries(func() *integrate.Moments { return new(integrate.Moments) })
	after := &integrate.Series[*integrate.Moments]{New: all.New}
	mustRun(t, e, s, all, after)
	check := func(series *integrate.Series[*integrate.Moments], times ...float64) {
		t.Helper()
		if series.Len() != len(times) {
			t.Fatalf("%d times, want %d", series.Len(), len(times))
		}
		for i, want := range times {
			at, m := series.At(i)
			x := 2 * math.Pow(1-0.125, want/0.125)
			if at != want || m.Samples() != 3 || math.Abs(m.Mean(0).Value-x) > 1e-14 {
				t.Errorf("time %g of %d samples: %v; want %g: %v", at, m.Samples(), m.Mean(0), want, x)
			}
		}
	}
	// The burn-in is no multiple of Every: its end is seen as well.
	check(all, 0, 0.25, 0.5, 0.625, 0.875, 1.125, 1.375, 1.625)
	check(after, 0.875, 1.125, 1.375, 1.625)
}

func TestTrajectories(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: denseQuadratic{mat.NewSymDense(2, []float64{1, 0, 0, 2})}},
		Step: 0.25, Particles: 2000, Start: integrate.StartFunc(func(theta []float64, p int, _ *sde.Stream) { theta[0], theta[1] = float64(p), 1 })}
	path := &integrate.Trajectories{Particles: []int{1999, 3}, BurnIn: true}
	mustRun(t, e, integrate.Schedule{BurnIn: 0.5, Time: 1, Every: 0.5}, path)
	for i, p := range path.Particles {
		times, x := path.Path(i)
		if len(times) != 4 || x.Rows != 4 || x.Cols != 2 {
			t.Fatalf("%v, %d×%d", times, x.Rows, x.Cols)
		}
		for k, at := range times {
			if at != 0.5*float64(k) {
				t.Errorf("time %g", at)
			}
			near(t, "coordinate 0", x.Row(k)[0], float64(p)*math.Pow(0.75, at/0.25), 1e-14)
			near(t, "coordinate 1", x.Row(k)[1], math.Pow(0.5, at/0.25), 1e-14)
		}
	}
	if b := path.Bytes(sde.Run{Observations: 4, Dim: 2}); b != 2*4*(8*2+12) {
		t.Errorf("%g bytes", b)
	}
	if err := path.Start(sde.Run{Particles: 2000, Observations: 1 << 40, Dim: 1 << 10}); !isInvalid(err) || !strings.Contains(err.Error(), "GiB") {
		t.Errorf("error %v", err)
	}
}

// TestFinalGoesOn: a run that starts where another ended has the marginal law of
// one that went on, and its state at time 0 is that other's last.
func TestFinalGoesOn(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}, Step: 0.1, Particles: 3000, Seed: 1}
	first := new(integrate.Final)
	mustRun(t, e, integrate.Schedule{Time: 2, Every: 1}, first)
	last := digest(first.States().Data...)
	e.Start, e.Seed = first, 2
	series := integrate.NewSeries(func() *integrate.Final { return new(integrate.Final) })
	mustRun(t, e, integrate.Schedule{Time: 1}, series)
	if _, f := series.At(0); digest(f.States().Data...) != last {
		t.Error("the run did not start where the other ended")
	}
	if digest(first.States().Data...) != last {
		t.Error("the run changed the state it started from")
	}
	e.Particles--
	if _, err := e.Run(context.Background(), integrate.Schedule{Time: 1}); !isInvalid(err) || !errors.Is(err, sde.ErrDimension) {
		t.Errorf("one particle less: %v", err)
	}
}

// TestGradientFlow: without noise the flow ends in the minima that gonum finds.
func TestGradientFlow(t *testing.T) {
	l := loss.MullerBrown{}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Step: 1e-4, Start: integrate.Points{{-0.6, 1.3}, {0.6, 0.1}, {-0.1, 0.45}, {-1, 1.2}}, Particles: 4}
	x := finals(t, e, integrate.Schedule{Time: 2})
	problem := optimize.Problem{Func: l.Value, Grad: l.Gradient}
	for i := range e.Particles {
		r, err := optimize.Minimize(problem, x.Row(i), &optimize.Settings{GradientThreshold: 1e-9}, &optimize.BFGS{})
		if r == nil {
			t.Fatal(err)
		}
		if d := math.Hypot(r.X[0]-x.Row(i)[0], r.X[1]-x.Row(i)[1]); !(d < 1e-7) {
			t.Errorf("particle %d ends at %v, gonum finds %v from there", i, x.Row(i), r.X)
		}
	}
	// Three minima, one for each start but the last.
	for i, minimum := range [][]float64{{-0.558, 1.442}, {0.623, 0.028}, {-0.05, 0.467}, {-0.558, 1.442}} {
		if math.Hypot(minimum[0]-x.Row(i)[0], minimum[1]-x.Row(i)[1]) > 1e-3 {
			t.Errorf("particle %d ends at %v, want the minimum near %v", i, x.Row(i), minimum)
		}
	}
}

// savers are observers that can be saved, started for two groups.
func savers() map[string]interface {
	sde.Observer
	sde.GroupSaver
} {
	return map[string]interface {
		sde.Observer
		sde.GroupSaver
	}{
		"Moments":          new(integrate.Moments),
		"Moments of three": &integrate.Moments{Dim: 3, Features: func(dst, x sde.Batch) { clear(dst.Data) }},
		"Mean":             integrate.NewMean(2, func(dst, theta []float64) { dst[0], dst[1] = theta[0], theta[1] }),
		"Weighted":         integrate.NewWeighted(integrate.SGLD{}, 2, func(dst, theta []float64) { dst[0], dst[1] = theta[0], theta[1] }),
		"Acceptance":       new(integrate.Acceptance),
		"Occupation":       &integrate.Occupation{Regions: cells{-2, 0, 2}},
		"Transitions":      &integrate.Transitions{Regions: cells{-2, 0, 2}, Lag: 1},
		"FirstPassage":     &integrate.FirstPassage{Target: sde.HalfSpace{Normal: []float64{1, 0}, Offset: 1.5}, Edges: []float64{0, 0.1}, Restart: true},
		"Final":            new(integrate.Final),
		"Trajectories":     &integrate.Trajectories{Particles: []int{1, 5}},
		"Series":           integrate.NewSeries(func() *integrate.Moments { return new(integrate.Moments) }),
	}
}

// saverRun is of two groups of four particles, seen twice.
var saverRun = sde.Run{Dim: 2, Particles: 8, Groups: 2, Bounds: []int{0, 4, 8}, Observations: 2, Step: 0.1, Every: 0.1, Scheme: "MALA"}

// feed shows an observer two times of two groups of four particles.
func feed(t testing.TB, o sde.Observer) {
	t.Helper()
	if err := o.Start(saverRun); err != nil {
		t.Fatal(err)
	}
	for at := range 2 {
		for g := range 2 {
			x := sde.NewBatch(4, 2)
			for i := range x.Data {
				x.Data[i] = math.Sin(float64(at*100 + g*10 + i))
			}
			if err := o.Observe(sde.Sample{Group: g, Index: at, Time: float64(at), First: 4 * g, X: x, History: x}); err != nil {
				t.Fatal(err)
			}
			steps, ok := o.(sde.StepObserver)
			if !ok {
				continue
			}
			after := sde.NewBatch(4, 2)
			for i := range after.Data {
				after.Data[i] = 2 * x.Data[i] // some within the target of FirstPassage
			}
			if err := steps.ObserveStep(sde.Step{Group: g, Index: at, Time: 0.1 * float64(at), Size: 0.1, First: 4 * g, Before: x, After: after,
				Renewed: make([]bool, 4)}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestGroupSavers(t *testing.T) {
	fresh := savers()
	for name, o := range savers() {
		feed(t, o)
		other := fresh[name]
		if err := other.Start(saverRun); err != nil {
			t.Fatal(err)
		}
		for g := range 2 {
			saved := o.AppendGroup([]byte("before"), g)
			if string(saved[:6]) != "before" {
				t.Errorf("%s: AppendGroup does not append", name)
			}
			saved = saved[6:]
			if err := other.LoadGroup(g, saved); err != nil {
				t.Errorf("%s: group %d: %v", name, g, err)
			}
			if again := other.AppendGroup(nil, g); string(again) != string(saved) {
				t.Errorf("%s: group %d saved again differs", name, g)
			}
			// Every shorter or longer length is refused. (Some save
			// lists: what ends between two of their records is another list.)
			records := map[string]int{"Final": 32, "Trajectories": 40, "Transitions": 32}
			for n := range saved {
				if r := records[name]; r > 0 && n%r == 0 {
					continue
				}
				if err := savedInto(t, name, g, saved[:n]); err == nil {
					t.Errorf("%s: %d of %d bytes are not refused", name, n, len(saved))
				}
			}
			if err := savedInto(t, name, g, append(saved[:len(saved):len(saved)], 0)); err == nil {
				t.Errorf("%s: a byte too many is not refused", name)
			}
		}
	}
}

func savedInto(t testing.TB, name string, g int, data []byte) error {
	t.Helper()
	o := savers()[name]
	if err := o.Start(saverRun); err != nil {
		t.Fatal(err)
	}
	return o.LoadGroup(g, data)
}

// FuzzLoadGroup: whatever the bytes, there is an error or what was loaded can be
// saved and loaded again.
func FuzzLoadGroup(f *testing.F) {
	names := slices.Sorted(maps.Keys(savers()))
	for i, name := range names {
		o := savers()[name]
		feed(f, o)
		f.Add(uint8(i), o.AppendGroup(nil, 1))
		f.Add(uint8(i), binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN())))
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		name := names[int(which)%len(names)]
		o := savers()[name]
		if err := o.Start(saverRun); err != nil {
			t.Fatal(err)
		}
		if o.LoadGroup(1, data) != nil {
			return
		}
		saved := o.AppendGroup(nil, 1)
		if err := savedInto(t, name, 1, saved); err != nil {
			t.Errorf("%s: loaded %x, saved %x, which is refused: %v", name, data, saved, err)
		}
	})
}

// TestNotFiniteFeatures: a person's function that is not finite ends the run,
// instead of turning an average into NaN.
func TestNotFiniteFeatures(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{1}}, Step: 0.1, Particles: 3000,
		Start: integrate.StartFunc(func(theta []float64, p int, _ *sde.Stream) { theta[0] = float64(p) - 1234 })}
	for _, o := range []sde.Observer{
		integrate.NewMean(1, func(dst, theta []float64) { dst[0] = 1 / math.Abs(theta[0]) }),
		&integrate.Moments{Dim: 1, Features: func(dst, x sde.Batch) {
			for i := range x.Rows {
				dst.Row(i)[0] = 1 / x.Row(i)[0]
			}
		}},
		&integrate.Moments{Dim: 2, Features: func(dst, x sde.Batch) {
			for i := range x.Rows {
				dst.Row(i)[0], dst.Row(i)[1] = 1, math.Log(math.Abs(x.Row(i)[0]))
			}
		}},
	} {
		_, err := e.Run(context.Background(), integrate.Schedule{Time: 1}, o)
		var oe *integrate.ObserverError
		if !errors.As(err, &oe) || !strings.Contains(err.Error(), "1234") || !strings.Contains(err.Error(), "Inf") {
			t.Errorf("%T: %v", o, err)
		}
	}
}
