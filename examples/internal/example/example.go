// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package example is what sgflow's example programs share: flags, progress,
// tables and JSON, the theme of their plots, and how they end.
//
// A program says what it is in a Program and calls Main. What it has found goes
// into the session's Report, from which the table and the JSON object are both
// made, so that neither holds what the other lacks.
package example

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/sgflow/sgflow/sde"
)

// Settings are the flags that every example has.
type Settings struct {
	Seed       uint64
	Particles  int
	Time, Step float64
	Workers    int // 0 means one a processor
	Out        string
	Data       string // "npy" or "csv", empty for none
	Quick      bool
	JSON       bool
}

// Program is an example.
type Program struct {
	// Name is that of the program's folder.
	Name string
	// About says in a sentence what it shows.
	About string
	// Defaults are those of the flags.
	Defaults Settings
	// Quick holds the Particles, Time and Step that -quick sets unless they are
	// given as well; 0 leaves the default.
	Quick Settings
	// Flags, if it is not nil, defines the program's own flags.
	Flags func(*flag.FlagSet)
	// Run does the work. ctx is done when the user interrupts the program.
	Run func(ctx context.Context, s *Session) error
}

// Session is one run of a program.
type Session struct {
	Settings
	// Report is what the program found. It is printed when Run returns.
	Report *Report

	stderr io.Writer
	ended  error // why a simulation ended early, nil if none did
}

// Exit codes.
const (
	exitFailed = 1 // the work failed or was interrupted
	exitUsage  = 2 // a flag or a setting was refused before any work
)

// Main runs the program with the command line's arguments and exits. A first
// interrupt ends the simulation and shows what there is; a second one kills.
func Main(p Program) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(p.Execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Execute runs the program with the given arguments and returns its exit code:
// 0, 1 if it failed or was interrupted, 2 if a flag or setting was refused.
func (p Program) Execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := &Session{Settings: p.Defaults, Report: &Report{name: p.Name}, stderr: stderr}
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return code
	}
	switch err := p.parse(s, args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return fail(exitUsage, fmt.Errorf("%w (see -help)", err))
	}
	if err := checkFolder(s.Out); err != nil {
		return fail(exitFailed, err)
	}
	if err := p.Run(ctx, s); err != nil {
		if errors.Is(err, sde.ErrInvalid) {
			return fail(exitUsage, err)
		}
		return fail(exitFailed, err)
	}
	if s.ended != nil {
		s.Report.Partial = s.ended.Error()
	}
	print := s.Report.WriteText
	if s.JSON {
		print = s.Report.WriteJSON
	}
	if err := print(stdout); err != nil {
		return fail(exitFailed, err)
	}
	if s.ended != nil {
		return fail(exitFailed, fmt.Errorf("%w; what is shown is partial", s.ended))
	}
	return 0
}

// parse sets the session's settings from the arguments.
func (p Program) parse(s *Session, args []string) error {
	f := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are Execute's to print, once
	f.Uint64Var(&s.Seed, "seed", s.Seed, "`seed` of the noise")
	f.IntVar(&s.Particles, "particles", s.Particles, "`number` of particles")
	f.Float64Var(&s.Time, "time", s.Time, "`time` that is simulated and observed, in units in which a step of SGD takes its learning rate")
	f.Float64Var(&s.Step, "step", s.Step, "the scheme's step `h`, in units of time")
	f.IntVar(&s.Workers, "workers", s.Workers, "`number` of goroutines that simulate, 0 for one a processor; changes no result")
	f.StringVar(&s.Out, "out", ".", "a `folder` for pictures and data, made if there is none")
	f.StringVar(&s.Data, "data", "", "write the numbers behind the pictures too, in this `format`: npy or csv")
	f.BoolVar(&s.Quick, "quick", false, "be done within seconds"+p.quickly())
	f.BoolVar(&s.JSON, "json", false, "print one JSON object instead of the table")
	if p.Flags != nil {
		p.Flags(f)
	}
	f.Usage = func() {
		fmt.Fprintf(s.stderr, "%s\n\nUsage: go run ./examples/%s [flags]\n\n", p.About, p.Name)
		f.SetOutput(s.stderr)
		f.PrintDefaults()
		f.SetOutput(io.Discard)
	}
	usage := f.Usage
	f.Usage = func() {} // on errors a line serves better than the whole of it
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		usage()
	}
	if err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if s.Data != "" && s.Data != "npy" && s.Data != "csv" {
		return fmt.Errorf("-data %q: want npy or csv", s.Data)
	}
	if s.Quick {
		given := map[string]bool{}
		f.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
		if p.Quick.Particles != 0 && !given["particles"] {
			s.Particles = p.Quick.Particles
		}
		if p.Quick.Time != 0 && !given["time"] {
			s.Time = p.Quick.Time
		}
		if p.Quick.Step != 0 && !given["step"] {
			s.Step = p.Quick.Step
		}
	}
	return nil
}

// quickly says what -quick sets.
func (p Program) quickly() (text string) {
	if p.Quick.Particles != 0 {
		text += fmt.Sprintf(" -particles %d", p.Quick.Particles)
	}
	if p.Quick.Time != 0 {
		text += fmt.Sprintf(" -time %g", p.Quick.Time)
	}
	if p.Quick.Step != 0 {
		text += fmt.Sprintf(" -step %g", p.Quick.Step)
	}
	if text != "" {
		text = ", with" + text + " unless given"
	}
	return text
}

// checkFolder makes the folder if there is none, and returns an error unless files
// can be written to it.
func checkFolder(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return fmt.Errorf("-out needs a folder: %w", err)
	}
	probe, err := os.CreateTemp(path, ".sgflow-*")
	if err != nil {
		return fmt.Errorf("-out needs a folder that can be written to: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
