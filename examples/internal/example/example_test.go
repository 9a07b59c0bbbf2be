// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package example

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// counter cancels a run at one of its observations.
type counter struct {
	at     int
	cancel context.CancelFunc
}

func (c counter) Start(sde.Run) error { return nil }

func (c counter) Observe(s sde.Sample) error {
	if s.Index == c.at {
		c.cancel()
	}
	return nil
}

// TestPartial interrupts a run in the middle: what was observed is shown, as
// partial, and the program fails.
func TestPartial(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := Program{Name: "test", Defaults: Settings{Particles: 1000, Time: 100, Step: 0.1}}
	p.Run = func(ctx context.Context, s *Session) error {
		e := s.Ensemble(sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}})
		r, err := s.Simulate(ctx, "test", e, integrate.Schedule{Time: s.Time, Every: s.Every(1)}, counter{5, cancel})
		if err != nil {
			return err
		}
		s.Report.Table("end", "End").Row("time", "time", r.Time)
		return nil
	}
	for _, form := range []string{"-json=false", "-json"} {
		var out, errs bytes.Buffer
		code := p.Execute(ctx, []string{"-out", t.TempDir(), form}, &out, &errs)
		if form == "-json" { // ctx is done by now: nothing is observed
			if code != 1 || out.Len() > 0 || !strings.Contains(errs.String(), "interrupted") {
				t.Errorf("before the start: exit code %d, stdout %q, stderr %q", code, out.String(), errs.String())
			}
			continue
		}
		if code != 1 || !strings.HasPrefix(out.String(), "PARTIAL RESULT") || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", form, code, out.String(), errs.String())
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	var got Settings
	own := 0
	p := Program{Name: "test", About: "Tests.", Defaults: Settings{Seed: 3, Particles: 10, Time: 5, Step: 0.5}, Quick: Settings{Particles: 2, Step: 1},
		Flags: func(f *flag.FlagSet) { f.IntVar(&own, "own", 1, "") },
		Run:   func(_ context.Context, s *Session) error { got = s.Settings; return nil }}
	for _, test := range []struct {
		args string
		want Settings
	}{
		{"", Settings{Seed: 3, Particles: 10, Time: 5, Step: 0.5}},
		{"-quick", Settings{Seed: 3, Particles: 2, Time: 5, Step: 1, Quick: true}},
		{"-quick -particles 7 -time 2", Settings{Seed: 3, Particles: 7, Time: 2, Step: 1, Quick: true}},
		{"-seed 9 -workers 2 -json -own 4 -data npy", Settings{Seed: 9, Particles: 10, Time: 5, Step: 0.5, Workers: 2, JSON: true, Data: "npy"}},
	} {
		test.want.Out = t.TempDir()
		var out, errs bytes.Buffer
		if code := p.Execute(t.Context(), append(strings.Fields(test.args), "-out", test.want.Out), &out, &errs); code != 0 || got != test.want {
			t.Errorf("%q: exit code %d, %q, settings %+v, want %+v", test.args, code, errs.String(), got, test.want)
		}
		if left, _ := os.ReadDir(test.want.Out); len(left) > 0 {
			t.Errorf("%q: left %v in -out", test.args, left)
		}
	}
	if own != 4 {
		t.Errorf("own flag %d, want 4", own)
	}
	var out, errs bytes.Buffer
	if code := p.Execute(t.Context(), []string{"-help"}, &out, &errs); code != 0 || !strings.Contains(errs.String(), "-own") || !strings.Contains(errs.String(), "Tests.") {
		t.Errorf("-help: exit code %d, %q", code, errs.String())
	}
	p.Run = func(context.Context, *Session) error { return errors.New("it broke") }
	errs.Reset()
	if code := p.Execute(t.Context(), nil, &out, &errs); code != 1 || errs.String() != "test: it broke\n" {
		t.Errorf("a failure: exit code %d, %q", code, errs.String())
	}
}

func TestEvery(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ time, step, about, want float64 }{
		{200, 0.01, 1, 1},
		{7, 0.5, 2, 1},     // 14 steps: 1, 2 or 7 of them
		{1.1, 0.1, 1, 0.1}, // 11 steps
		{1, 0.1, 0.001, 0.1},
		{math.NaN(), 0.1, 1, 0},
		{1, 0, 1, 0},
	} {
		s := &Session{Settings: Settings{Time: test.time, Step: test.step}}
		if got := s.Every(test.about); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("every %g of %g by %g: %g, want %g", test.about, test.time, test.step, got, test.want)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := &Report{name: "test"}
	r.Warn("careful", "careful")
	r.Note("A %s.", "note")
	facts := r.Table("facts", "Facts")
	facts.Row("t", "temperature T", 0.2)
	facts.Row("none", "unknown", math.NaN())
	table := r.Table("table", "Table", Column{"a", "first"}, Column{"b", "second"})
	table.Row("x2", "⟨x²⟩", sde.Estimate{Value: 0.829, StdErr: 0.002}, Number{1.25, "%.1f"})
	table.Row("y", "y", "words", nil)

	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	const text = `Facts
  temperature T  0.2
  unknown        –

Table             first  second
  ⟨x²⟩  0.8290 ± 0.0020     1.2
  y               words       –

A note.
Warning: careful
`
	if b.String() != text {
		t.Errorf("text:\n%s\nwant:\n%s", b.String(), text)
	}
	b.Reset()
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b.Bytes()); err != nil {
		t.Fatal(err)
	}
	const object = `{"example":"test","partial":false,"facts":{"t":0.2,"none":null},"table":{"x2":{"a":{"value":0.829,"stderr":0.002},"b":1.25},` +
		`"y":{"a":"words","b":null}},"notes":["A note."],"warnings":["careful"],"pictures":[],"data":[]}`
	if strings.TrimSpace(compact.String()) != object {
		t.Errorf("JSON %s\nwant %s", compact.String(), object)
	}
	facts.Row("t", "the same key again", 1)
	if err := r.WriteJSON(&b); err == nil {
		t.Error("a key that occurs twice is not refused")
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	labels := func(ticks []plot.Tick) (s []string) {
		for _, t := range ticks {
			if t.Label != "" {
				s = append(s, t.Label)
			}
		}
		return s
	}
	for _, test := range []struct {
		ticker plot.Ticker
		lo, hi float64
		want   string
	}{
		{Ticks(6), 0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{Ticks(6), -2.4, 2.4, "−2 −1 0 1 2"},
		{Ticks(6), 0, 200, "0 50 100 150 200"},
		{Ticks(2), 0, 0.5, "0.0 0.5"},
		{Ticks(4), 0, 1, "0.0 0.5 1.0"},
		{Ticks(6), -0.003, 0.003, "−0.003 −0.002 −0.001 0.000 0.001 0.002 0.003"},
		{Decades{}, -2.3, 0, "0.01 0.1 1"},
		{Decades{}, -7, -5, "1e-07 1e-06 1e-05"},
	} {
		if got := strings.Join(labels(test.ticker.Ticks(test.lo, test.hi)), " "); got != test.want {
			t.Errorf("%v from %g to %g: %s, want %s", test.ticker, test.lo, test.hi, got, test.want)
		}
	}
}

func TestSaveData(t *testing.T) {
	t.Parallel()
	b := Columns([]float64{1, 2}, []float64{3, 4.5})
	for format, want := range map[string]string{"": "", "csv": "a,b\n1,3\n2,4.5\n", "npy": "\x93NUMPY"} {
		s := &Session{Settings: Settings{Out: t.TempDir(), Data: format}, Report: new(Report)}
		if err := s.SaveData("numbers", b, "a", "b"); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(s.Out, "numbers."+format))
		if format == "" {
			if !os.IsNotExist(err) || len(s.Report.data) > 0 {
				t.Error("data was written though none was asked for")
			}
			continue
		}
		if err != nil || !strings.HasPrefix(string(text), want) || len(s.Report.data) != 1 {
			t.Errorf("%s: %q, %v", format, text, err)
		}
	}
}
