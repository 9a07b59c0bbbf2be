// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"time"
)

// Result is how a run ended. What it measured is in the observers.
type Result struct {
	Time         float64 // of the last complete observation, burn-in included
	Steps        int     // that this took
	Observations int     // complete, since the burn-in
	Particles    int     // of the shard, or all
	Groups       int     // of blocks
	Partial      bool
	// Resumed is the time of the checkpoint that Resume went on from, 0 for Run.
	Resumed float64
	// Dropped counts the particles removed under the policy Drop, of which
	// Divergences locates the first few by number.
	Dropped     int
	Divergences []*DivergenceError
	Elapsed     time.Duration
	Warnings    []error

	run *run // for Save, if the run is complete
}

// String says how the run ended in a line.
func (res *Result) String() string {
	s := fmt.Sprintf("time %g after %d steps of %d particles, observed %d times, in %v", res.Time, res.Steps, res.Particles, res.Observations, res.Elapsed.Round(time.Millisecond))
	if res.Partial {
		s = "partial: " + s
	}
	if res.Dropped > 0 {
		s += fmt.Sprintf("; %d particles dropped", res.Dropped)
	}
	for _, w := range res.Warnings {
		s += "; warning: " + w.Error()
	}
	return s
}
