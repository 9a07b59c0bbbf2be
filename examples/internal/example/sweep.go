// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package example

import (
	"context"

	"github.com/schollz/progressbar/v3"

	"github.com/sgflow/sgflow/integrate"
)

// Sweep runs a sweep with the session's seed as Simulate runs an ensemble: with a progress
// bar, the runs' warnings, and, if it ends early after a value or more, what there is.
func (s *Session) Sweep(ctx context.Context, what string, sweep integrate.Sweep) (*integrate.Swept, error) {
	sweep.Seed = s.Seed
	done := func() {}
	if isTerminal(s.stderr) {
		bar := progressbar.NewOptions(len(sweep.Values), progressbar.OptionSetWriter(s.stderr), progressbar.OptionSetDescription(what),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(40))
		sweep.Progress = func(n, _ int) { _ = bar.Set(n) }
		done = func() { _ = bar.Finish(); _ = bar.Clear() }
	}
	table, err := sweep.Run(ctx)
	done()
	if table == nil || err != nil && len(table.Rows) == 0 {
		return nil, err
	}
	s.ended = err
	for _, r := range table.Rows {
		for _, w := range r.Result.Warnings {
			s.Report.Warn(w.Error())
		}
	}
	return table, nil
}
