// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"io"
	"strings"

	"github.com/sgflow/sgflow/internal/snapshot"
	"github.com/sgflow/sgflow/sde"
)

// Shard is a part of an ensemble: shard Index of Count runs the groups from
// Groups·Index/Count to Groups·(Index+1)/Count, and takes memory for their
// particles alone. The zero value is the whole. Results that shards save
// (Result.Save) are put together by Ensemble.Merge, to the bits of one run.
type Shard struct {
	Index, Count int
}

func (p *plan) planShard() error {
	s := p.Shard
	switch {
	case s == Shard{}:
		p.Shard.Count = 1
	case s.Count < 1:
		return invalid("Ensemble.Shard.Count", s.Count, "at least 1", nil)
	case s.Index < 0 || s.Count <= s.Index:
		return invalid("Ensemble.Shard.Index", s.Index, fmt.Sprintf("0 to %d, as there are %d shards", s.Count-1, s.Count), nil)
	case s.Count > p.groups:
		more := fmt.Sprintf("set Ensemble.Groups to %d or more", s.Count)
		if s.Count > p.blocks {
			more = "take more particles, or fewer shards"
		}
		return invalid("Ensemble.Shard.Count", s.Count, fmt.Sprintf("at most %d, the number of groups, of %d blocks of %d particles; %s",
			p.groups, p.blocks, p.rows, more), nil)
	}
	s = p.Shard
	p.firstGroup, p.endGroup = p.groups*s.Index/s.Count, p.groups*(s.Index+1)/s.Count
	p.firstBlock, _ = p.blocksOf(p.firstGroup)
	_, p.endBlock = p.blocksOf(p.endGroup - 1)
	return nil
}

// Save writes what a complete run of a shard (or of a whole ensemble) measured to
// a file for Merge. All its observers must be sde.GroupSavers, and must not have
// been used again since. It refuses a partial result, an observer that cannot be saved and a
// path that cannot be written; the file is replaced atomically, like a Checkpoint.
func (res *Result) Save(path string) error {
	r := res.run
	if r == nil || res.Partial {
		return invalid("Result.Save", "a partial result", "that of a run that was completed", nil)
	}
	if err := r.checkSavable(); err != nil {
		return err
	}
	if err := snapshot.Writable(path); err != nil {
		return invalid("Result.Save path", path, "a file that can be written", err)
	}
	if r.prints == nil {
		r.prints = r.fingerprint(r.bare())
	}
	err := snapshot.Replace(path, func(out io.Writer) error {
		w := snapshot.NewWriter(out, kindShard)
		w.Bytes("settings", encodeSettings(r.prints))
		w.Bytes("shard", fmt.Appendf(nil, "%d/%d", r.Shard.Index, r.Shard.Count))
		r.writeResults(w)
		return w.Close()
	})
	if err != nil {
		return fmt.Errorf("integrate: result was not saved: %w", err)
	}
	return nil
}

// ShardError reports result files that do not make up a run.
type ShardError struct {
	Path   string // empty if files are missing
	Reason string
}

// Error names the file and what is wrong.
func (e *ShardError) Error() string {
	if e.Path == "" {
		return "integrate: " + e.Reason
	}
	return fmt.Sprintf("integrate: %s: %s", e.Path, e.Reason)
}

// Merge puts together the results that the shards of a run saved, given in any
// order, into the observers and the result that one run of the whole ensemble
// gives, to the bit. e, s and the observers must be those of the shards;
// e.Shard is not looked at. Files of another run, damaged ones, two of the same
// shard and missing shards are refused by name.
func (e Ensemble) Merge(s Schedule, paths []string, observers ...sde.Observer) (*Result, error) {
	e.Shard, e.Checkpoint = Shard{}, Checkpoint{}
	p, err := e.plan(s)
	if err != nil {
		return nil, err
	}
	r := newRun(p, mode{only: -1})
	r.prints = r.fingerprint(observers)
	if err := r.startObservers(observers); err != nil {
		return nil, err
	}
	if err := r.checkSavable(); err != nil {
		return nil, err
	}
	var from []string // path by shard
	for _, path := range paths {
		if err := r.mergeFile(path, &from); err != nil {
			return nil, err
		}
	}
	var missing []string
	for i, path := range from {
		if path == "" {
			missing = append(missing, fmt.Sprint(i))
		}
	}
	if len(from) == 0 {
		return nil, &ShardError{Reason: "no files to merge"}
	}
	if len(missing) > 0 {
		return nil, &ShardError{Reason: fmt.Sprintf("missing shards of %d: %s", len(from), strings.Join(missing, ", "))}
	}
	r.Shard, r.seen = Shard{}, r.n
	if err := r.planShard(); err != nil {
		return nil, err
	}
	return r.result(nil)
}

// mergeFile reads one shard into its groups.
func (r *run) mergeFile(path string, from *[]string) error {
	f, err := open(path, kindShard, "what Result.Save writes")
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := f.Bytes("settings")
	if err != nil {
		return fmt.Errorf("integrate: %s: %w", path, err)
	}
	if err := compareSettings(path, b, r.prints); err != nil {
		return err
	}
	if b, err = f.Bytes("shard"); err != nil {
		return fmt.Errorf("integrate: %s: %w", path, err)
	}
	var shard Shard
	if _, err := fmt.Sscanf(string(b), "%d/%d", &shard.Index, &shard.Count); err != nil || shard.Index < 0 || shard.Count <= shard.Index || r.groups < shard.Count {
		return fmt.Errorf("integrate: %s: %w: shard %q", path, ErrCorrupt, b)
	}
	if *from == nil {
		*from = make([]string, shard.Count)
	}
	if len(*from) != shard.Count {
		return &ShardError{path, fmt.Sprintf("shard %d of %d, where the other files are of %d shards", shard.Index, shard.Count, len(*from))}
	}
	if other := (*from)[shard.Index]; other != "" {
		return &ShardError{path, fmt.Sprintf("shard %d of %d overlaps %s", shard.Index, shard.Count, other)}
	}
	(*from)[shard.Index] = path
	r.Shard = shard
	if err := r.planShard(); err != nil {
		return err
	}
	if err := r.readResults(f); err != nil {
		return fmt.Errorf("integrate: %s: %w", path, err)
	}
	if err := f.End(); err != nil {
		return fmt.Errorf("integrate: %s: %w", path, err)
	}
	return nil
}

// bare returns the observers themselves.
func (r *run) bare() []sde.Observer {
	list := make([]sde.Observer, len(r.observers))
	for i, o := range r.observers {
		list[i] = o.Observer
	}
	return list
}
