// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Shards splits one simulation over processes that know nothing of one another, and
// puts their results together to the bits of a single run: stochastic gradient flow
// between a flat and a sharp minimum of the same depth.
//
//	go run ./examples/shards -shard 3/8 -out DIR     # part 3 of 0 … 7, on any machine
//	go run ./examples/shards -merge -out DIR         # all parts in DIR
//
// Without -shard, the variables of a Slurm array (SLURM_ARRAY_TASK_ID, _MIN and
// _COUNT) say which part it is, or that of a Kubernetes indexed job
// (JOB_COMPLETION_INDEX, and SHARDS for how many there are). A part that is killed goes on
// from its last checkpoint when it is started again. Without any of these the
// program is its own cluster: it starts four processes, kills one, starts it again, merges,
// and compares the bits with those of one process.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

func main() { example.Main(program()) }

// options are the program's own flags.
type options struct {
	shard       string
	merge       bool
	processes   int
	temperature float64
}

func program() example.Program {
	o := options{processes: 4, temperature: 0.3}
	return example.Program{
		Name:     "shards",
		About:    "Splits a simulation over processes, one of which is killed and resumed, and merges them to the bits of one run.",
		Defaults: example.Settings{Seed: 1, Particles: 1_048_576, Time: 40, Step: 0.01},
		Quick:    example.Settings{Particles: 131_072, Time: 20},
		Flags: func(f *flag.FlagSet) {
			f.StringVar(&o.shard, "shard", "", "run part `i/n` alone, i from 0 to n−1")
			f.BoolVar(&o.merge, "merge", false, "merge the parts in the folder -out")
			f.IntVar(&o.processes, "processes", o.processes, "`number` of processes to start where nothing says which part this is, from 2 to 64")
			f.Float64Var(&o.temperature, "temperature", o.temperature, "temperature `T` of the noise")
		},
		Run: func(ctx context.Context, s *example.Session) error { return run(ctx, s, o) },
	}
}

// study is what all processes agree on.
type study struct {
	ensemble integrate.Ensemble
	schedule integrate.Schedule
	law      *stationary.Density
}

func newStudy(s *example.Session, temperature float64) (*study, error) {
	l := loss.FlatSharp{}
	law, err := stationary.Boltzmann(l, temperature)
	if err != nil {
		return nil, err
	}
	e := s.Ensemble(sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}})
	e.Start = integrate.Points{{0}, {2}} // half in each well
	return &study{e, integrate.Schedule{BurnIn: s.Multiple(30), Time: s.Time, Every: s.Every(0.5)}, law}, nil
}

func (*study) histogram() *stationary.Histogram { return stationary.NewHistogram(-2, 3.5, 150) }

// checkpoints returns the time between checkpoints: about a twentieth of the run.
func (st *study) checkpoints(s *example.Session) float64 { return s.Every(s.Time / 20) }

func run(ctx context.Context, s *example.Session, o options) error {
	st, err := newStudy(s, o.temperature)
	if err != nil {
		return err
	}
	part, err := assigned(o.shard, os.Getenv)
	switch {
	case err != nil:
		return err
	case o.merge:
		return st.merge(s)
	case part != nil:
		return st.shard(ctx, s, *part)
	}
	return st.cluster(ctx, s, o)
}

// file returns the path of a part's result.
func file(folder string, part integrate.Shard) string {
	return filepath.Join(folder, fmt.Sprintf("shard-%d-of-%d.sgflow", part.Index, part.Count))
}

// checkpoint returns the path of a part's checkpoint.
func checkpoint(folder string, part integrate.Shard) string {
	return filepath.Join(folder, fmt.Sprintf("shard-%d-of-%d.checkpoint", part.Index, part.Count))
}

// shard runs one part, from its checkpoint if there is one, and saves its result.
func (st *study) shard(ctx context.Context, s *example.Session, part integrate.Shard) error {
	e := st.ensemble
	e.Shard = part
	e.Checkpoint = integrate.Checkpoint{Path: checkpoint(s.Out, part), Every: st.checkpoints(s)}
	h, m := st.histogram(), new(integrate.Moments)
	result, err := s.Simulate(ctx, fmt.Sprintf("shard %d of %d", part.Index, part.Count), e, st.schedule, h, m)
	if err != nil {
		return err
	}
	t := s.Report.Table("shard", fmt.Sprintf("Shard %d of %d", part.Index, part.Count))
	t.Row("index", "part", part.Index)
	t.Row("count", "of", part.Count)
	t.Row("particles", "particles", result.Particles)
	t.Row("resumed", "resumed at time", result.Resumed)
	t.Row("time", "simulated to time", result.Time)
	t.Row("seconds", "seconds", example.Number{Value: result.Elapsed.Seconds(), Format: "%.2g"})
	if result.Partial {
		s.Report.Note("Start it again to go on from its last checkpoint.")
		return nil
	}
	if err := result.Save(file(s.Out, part)); err != nil {
		return err
	}
	s.Report.Note("Result: %s", file(s.Out, part))
	// What is complete needs no checkpoint.
	if err := os.Remove(checkpoint(s.Out, part)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// merge puts together the parts that are in the folder.
func (st *study) merge(s *example.Session) error {
	paths, err := filepath.Glob(filepath.Join(s.Out, "shard-*-of-*.sgflow"))
	if err != nil {
		return err
	}
	h, m := st.histogram(), new(integrate.Moments)
	result, err := st.ensemble.Merge(st.schedule, paths, h, m)
	if err != nil {
		return err
	}
	return st.report(s, measured{result: result, hist: h, moments: m, parts: len(paths)})
}
