// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func TestResultString(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}, Step: 0.1, Particles: 10}
	r, err := e.Run(t.Context(), integrate.Schedule{Time: 1, Every: 0.5}, new(integrate.Moments))
	if err != nil {
		t.Fatal(err)
	}
	if s := r.String(); !strings.HasPrefix(s, "time 1 after 10 steps of 10 particles, observed 2 times, in ") || strings.Contains(s, "partial") {
		t.Errorf("a whole run is %q", s)
	}
	// A step of twice the stability limit is a warning; who is interrupted has a partial result.
	e.Step = 2
	ctx, cancel := context.WithCancel(t.Context())
	r, err = e.Run(ctx, integrate.Schedule{Time: 20, Every: 2}, counter(func() { cancel() }))
	var interrupted *integrate.InterruptedError
	if !errors.As(err, &interrupted) || r == nil {
		t.Fatalf("result %v, error %v", r, err)
	}
	if s := r.String(); !strings.HasPrefix(s, "partial: time ") || !strings.Contains(s, "; warning: ") {
		t.Errorf("an interrupted run above the stability limit is %q", s)
	}
}

// counter is an observer that calls a function.
type counter func()

func (counter) Start(sde.Run) error        { return nil }
func (c counter) Observe(sde.Sample) error { c(); return nil }
