// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/sgflow/sgflow/internal/snapshot"
	"github.com/sgflow/sgflow/sde"
)

// Checkpoint says where and how often a run saves itself, so that Resume can go
// on from there with the same bits. The zero value saves nothing.
//
// The file is replaced atomically: whenever the process dies, what stands at
// Path is a complete checkpoint, and at most Every is lost. It holds the
// particles' state, the observers' accumulators (all observers must be
// sde.GroupSavers), a checksum, and everything that decides the run's bits. While
// it is being written, a file beside it takes as much again, of the same name and
// .tmp with eight digits.
//
// A checkpoint that could not be written, on a full disk for instance, leaves the
// one before in its place; the run goes on, and its result has a warning.
type Checkpoint struct {
	// Path is the file.
	Path string
	// Every is the flow's time between checkpoints, a multiple of the step.
	Every float64
}

// Errors that Resume and Merge wrap when a file cannot be used. One of another
// run gives a *MismatchError.
var (
	// ErrForeign is a file that is something else.
	ErrForeign = snapshot.ErrForeign
	// ErrVersion is a file of another version of the format.
	ErrVersion = snapshot.ErrVersion
	// ErrCorrupt is a file that is truncated or damaged.
	ErrCorrupt = snapshot.ErrCorrupt
)

const (
	kindCheckpoint = 1
	kindShard      = 2
)

// Resume goes on from the checkpoint at Ensemble.Checkpoint.Path, and ends as Run
// would have if it had never been interrupted, to the bit, observers included. The
// settings and the observers must be those of the run that was saved; Workers,
// Progress and Checkpoint may differ. It is an error, which wraps fs.ErrNotExist,
// if there is no checkpoint: a program that may be started again calls Resume first,
// and Run on that error.
func (e Ensemble) Resume(ctx context.Context, s Schedule, observers ...sde.Observer) (*Result, error) {
	p, err := e.plan(s)
	if err != nil {
		return nil, err
	}
	if e.Checkpoint.Path == "" {
		return nil, invalid("Ensemble.Checkpoint.Path", "", "the file to resume from", nil)
	}
	return p.run(ctx, observers, mode{only: -1, resume: true})
}

// checkSavable returns an error if there is an observer that cannot be saved.
func (r *run) checkSavable() error {
	for _, o := range r.observers {
		if _, err := saver(o.Observer); err != nil {
			return err
		}
	}
	return nil
}

func saver(o sde.Observer) (sde.GroupSaver, error) {
	s, ok := o.(sde.GroupSaver)
	if !ok {
		return nil, invalid("observers", fmt.Sprintf("%T", o), "observers that can be saved (sde.GroupSaver), for checkpoints and shards", nil)
	}
	if n, ok := o.(nested); ok {
		if _, err := saver(n.element()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// saveCheckpoint writes the run as it stands before step.
func (r *run) saveCheckpoint(step int) {
	err := snapshot.Replace(r.Checkpoint.Path, func(out io.Writer) error {
		w := snapshot.NewWriter(out, kindCheckpoint)
		w.Bytes("settings", encodeSettings(append(r.prints, r.shardSetting())))
		w.Bytes("step", binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(step)), uint64(r.seen)))
		flat, _ := r.x.Flat()
		w.Floats("state", flat)
		r.writeResults(w)
		return w.Close()
	})
	if err != nil {
		r.unsaved++
		r.unsavedErr = fmt.Errorf("before step %d: %w", step, err)
	}
}

// unsavedWarning says that checkpoints could not be written, nil if all could.
func (r *run) unsavedWarning() error {
	if r.unsaved == 0 {
		return nil
	}
	return fmt.Errorf("integrate: %d checkpoints were not written, the last %w", r.unsaved, r.unsavedErr)
}

// open opens a file that should be what the words say.
func open(path string, kind uint32, want string) (*snapshot.Reader, error) {
	f, err := snapshot.Open(path, kind)
	switch {
	case errors.Is(err, ErrForeign):
		return nil, fmt.Errorf("integrate: %w: want %s", err, want)
	case err != nil:
		return nil, fmt.Errorf("integrate: %w", err)
	}
	return f, nil
}

// loadCheckpoint sets the run to what is saved and returns the step to go on with.
func (r *run) loadCheckpoint() (step int, err error) {
	path := r.Checkpoint.Path
	f, err := open(path, kindCheckpoint, "a checkpoint (Ensemble.Checkpoint)")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	b, err := f.Bytes("settings")
	if err == nil {
		err = compareSettings(path, b, append(r.prints, r.shardSetting()))
	}
	if err != nil {
		return 0, err
	}
	seen := 0
	if b, err = f.Bytes("step"); err == nil && len(b) == 16 {
		step, seen = int(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint64(b[8:]))
	}
	if err != nil || step <= 0 || r.n <= step || seen < 0 || step <= seen {
		return 0, fmt.Errorf("integrate: %s: %w: step %d of %d", path, ErrCorrupt, step, r.n)
	}
	r.seen = seen
	flat, _ := r.x.Flat()
	if err = f.Floats("state", flat); err == nil {
		if err = r.readResults(f); err == nil {
			err = f.End()
		}
	}
	if err != nil {
		return 0, fmt.Errorf("integrate: %s: %w", path, err)
	}
	return step, nil
}

func (p *plan) shardSetting() setting {
	return setting{"Ensemble.Shard", fmt.Sprintf("%d of %d", p.Shard.Index, p.Shard.Count)}
}

// writeResults writes what has been dropped and the accumulators of the
// observers, which checkSavable has passed.
func (r *run) writeResults(w *snapshot.Writer) {
	var dropped []byte
	for b, dead := range r.dropped {
		for i, d := range dead {
			if d {
				dropped = binary.LittleEndian.AppendUint64(dropped, uint64(b*r.rows+i))
			}
		}
	}
	w.Bytes("dropped", dropped)
	r.sortDivergences()
	var located []byte
	for _, d := range r.divergences {
		located = appendFloats(located, float64(d.Particle), float64(d.Step))
		located = appendFloats(appendFloats(located, d.Before...), d.After...)
		reason := ""
		if d.Err != nil {
			reason = d.Err.Error()
		}
		located = append(binary.LittleEndian.AppendUint64(located, uint64(len(reason))), reason...)
	}
	w.Bytes("divergences", located)
	var buf []byte
	for _, o := range r.observers {
		w.Bytes("observer", binary.LittleEndian.AppendUint64(nil, uint64(o.index)))
		s := o.Observer.(sde.GroupSaver)
		for g := r.firstGroup * o.batches; g < r.endGroup*o.batches; g++ {
			buf = s.AppendGroup(buf[:0], g)
			w.Bytes("group", buf)
		}
	}
}

// readResults is the inverse of writeResults.
func (r *run) readResults(f *snapshot.Reader) error {
	b, err := f.Bytes("dropped")
	if err != nil {
		return err
	}
	first, end := r.particles()
	for ; len(b) > 0; b = b[8:] {
		if len(b) < 8 {
			return fmt.Errorf("%w: %w", ErrCorrupt, errTruncated)
		}
		p := binary.LittleEndian.Uint64(b)
		if p < uint64(first) || uint64(end) <= p {
			return fmt.Errorf("%w: particle %d was dropped", ErrCorrupt, p)
		}
		block := int(p) / r.rows
		if r.dropped[block] == nil {
			r.dropped[block] = make([]bool, min(r.rows, r.Particles-block*r.rows))
		}
		r.dropped[block][int(p)%r.rows] = true
	}
	if b, err = f.Bytes("divergences"); err != nil {
		return err
	}
	for size := 16 * (1 + r.d); len(b) > 0; {
		if len(b) < size+8 {
			return fmt.Errorf("%w: %w", ErrCorrupt, errTruncated)
		}
		v, _ := loadFloats(b[:size], size/8)
		if !(v[0] >= float64(first) && v[0] < float64(end) && v[1] >= 0 && v[1] < float64(r.n)) {
			return fmt.Errorf("%w: particle %v diverged in step %v", ErrCorrupt, v[0], v[1])
		}
		d := &DivergenceError{Particle: int(v[0]), Step: int(v[1]), Time: v[1] * r.Step, Before: v[2 : 2+r.d], After: v[2+r.d:]}
		n := binary.LittleEndian.Uint64(b[size:])
		if b = b[size+8:]; n > uint64(len(b)) {
			return fmt.Errorf("%w: %w", ErrCorrupt, errTruncated)
		}
		if n > 0 {
			d.Err = errors.New(string(b[:n]))
		}
		b = b[n:]
		r.locate(d)
	}
	for _, o := range r.observers {
		b, err := f.Bytes("observer")
		if err != nil {
			return err
		}
		index := uint64(math.MaxUint64)
		if len(b) == 8 {
			index = binary.LittleEndian.Uint64(b)
		}
		if index > uint64(o.total) {
			return fmt.Errorf("%w: observation %d of %d", ErrCorrupt, index, o.total)
		}
		o.index = int(index)
		s := o.Observer.(sde.GroupSaver)
		for g := r.firstGroup * o.batches; g < r.endGroup*o.batches; g++ {
			b, err := f.Bytes("group")
			if err != nil {
				return err
			}
			if err := s.LoadGroup(g, b); err != nil {
				return fmt.Errorf("%w: %T, group %d: %w", ErrCorrupt, o.Observer, g, err)
			}
		}
	}
	return nil
}
