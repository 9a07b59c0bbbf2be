// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func ExampleClock() {
	c := integrate.Clock{LearningRate: 0.1, BatchSize: 32, Samples: 640}
	fmt.Println(c)
	fmt.Println("ten epochs take the time", c.TimeOfEpochs(10))
	// Output:
	// time 1 = 10 steps = 320 samples = 0.5 epochs
	// ten epochs take the time 20
}

func TestClock(t *testing.T) {
	l := means{k: 1, x: make([]float64, 640)}
	g := noise.WithReplacement{Loss: l, BatchSize: 32}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: g}, Step: 0.1}
	c := integrate.ClockOf(e, g)
	if want := (integrate.Clock{LearningRate: 0.1, BatchSize: 32, Samples: 640}); c != want {
		t.Errorf("clock %+v, want %+v", c, want)
	}
	for _, time := range []float64{0, 0.1, 7, 1e6} {
		agree(t, "back from steps", c.TimeOfSteps(c.Steps(time)), time, 1e-15)
		agree(t, "back from epochs", c.TimeOfEpochs(c.Epochs(time)), time, 1e-15)
	}
	if z := (integrate.Clock{}); z.Epochs(1) != 0 || z.Drawn(1) != 0 || z.TimeOfEpochs(1) != 0 {
		t.Error("the zero clock is not 0")
	}
}
