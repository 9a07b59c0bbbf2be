// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"runtime"
	"sync/atomic"
)

// pool runs a method of its workers over all blocks, each group by one worker.
// The calling goroutine is the first worker, so that one worker starts none.
type pool struct {
	workers []*worker
	run     *run
	shares  []share // of the workers
	task    func(w *worker, g, b int)
	start   []chan struct{}
	done    chan struct{}
}

// share is the groups that a worker takes before it helps others: the same ones
// each time, because their particles are in its processor's cache.
type share struct {
	next atomic.Int64
	end  int64
	_    [112]byte // keeps shares on cache lines of their own
}

func newPool(workers []*worker, r *run) *pool {
	p := &pool{workers: workers, run: r, shares: make([]share, len(workers)), done: make(chan struct{}, len(workers))}
	for i, w := range workers[1:] {
		start := make(chan struct{}, 1)
		p.start = append(p.start, start)
		go func() {
			for await(start) {
				func() {
					defer func() { p.done <- struct{}{} }() // also if a person's code ends the goroutine
					p.work(w, i+1)
				}()
			}
		}()
	}
	return p
}

// await receives from c and reports whether it is still open. For a moment it
// looks again and again, because to sleep and be woken takes some 50 µs, which is
// a good part of the time between two observations of a small ensemble.
func await(c <-chan struct{}) bool {
	for range 1000 {
		select {
		case _, ok := <-c:
			return ok
		default:
			runtime.Gosched()
		}
	}
	_, ok := <-c
	return ok
}

// each runs the task for every block and returns when all are done.
func (p *pool) each(task func(w *worker, g, b int)) {
	p.task = task
	groups := p.run.endGroup - p.run.firstGroup
	for i := range p.shares {
		s := &p.shares[i]
		s.next.Store(int64(p.run.firstGroup + i*groups/len(p.shares)))
		s.end = int64(p.run.firstGroup + (i+1)*groups/len(p.shares))
	}
	for _, s := range p.start {
		s <- struct{}{}
	}
	p.work(p.workers[0], 0)
	for range p.start {
		await(p.done)
	}
}

// work does the worker's own share and then what is left of those of others.
func (p *pool) work(w *worker, own int) {
	for i := range p.shares {
		s := &p.shares[(own+i)%len(p.shares)]
		for {
			g := s.next.Add(1) - 1
			if g >= s.end {
				break
			}
			first, end := w.blocksOf(int(g))
			for b := max(first, w.firstBlock); b < min(end, w.endBlock); b++ {
				w.guard(p.task, int(g), b)
			}
		}
	}
}

// close ends the pool's goroutines.
func (p *pool) close() {
	for _, s := range p.start {
		close(s)
	}
}
