// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"strconv"

	"github.com/sgflow/sgflow/integrate"
)

// assigned returns which part this process is, from the flag or from the variables that
// a cluster sets, and nil if there are none.
func assigned(shard string, getenv func(string) string) (*integrate.Shard, error) {
	if shard != "" {
		var p integrate.Shard
		if n, err := fmt.Sscanf(shard+" ", "%d/%d ", &p.Index, &p.Count); n != 2 || err != nil || shard != fmt.Sprintf("%d/%d", p.Index, p.Count) {
			return nil, fmt.Errorf("-shard %q: want i/n, as 0/4", shard)
		}
		return check("-shard "+shard, p)
	}
	number := func(name string) (int, error) {
		n, err := strconv.Atoi(getenv(name))
		if err != nil {
			return 0, fmt.Errorf("%s=%q: want a whole number", name, getenv(name))
		}
		return n, nil
	}
	switch {
	case getenv("SLURM_ARRAY_TASK_ID") != "":
		var v [3]int // array tasks count from a number that is often not 0
		for i, name := range []string{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"} {
			var err error
			if v[i], err = number(name); err != nil {
				return nil, err
			}
		}
		return check("SLURM_ARRAY_TASK_ID", integrate.Shard{Index: v[0] - v[1], Count: v[2]})
	case getenv("JOB_COMPLETION_INDEX") != "":
		index, err := number("JOB_COMPLETION_INDEX")
		if err != nil {
			return nil, err
		}
		count, err := number("SHARDS")
		if err != nil {
			return nil, fmt.Errorf("%w: the number of completions of the job, which Kubernetes does not tell its pods", err)
		}
		return check("JOB_COMPLETION_INDEX", integrate.Shard{Index: index, Count: count})
	}
	return nil, nil
}

// check returns an error that names the source of a part that does not exist.
func check(source string, p integrate.Shard) (*integrate.Shard, error) {
	if p.Count < 1 || p.Index < 0 || p.Index >= p.Count {
		return nil, fmt.Errorf("%s: part %d of %d: want 0 to %d (array tasks must be numbered without gaps)", source, p.Index, p.Count, max(p.Count-1, 0))
	}
	return &p, nil
}
