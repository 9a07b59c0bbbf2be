// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"runtime/debug"
	"sync"
)

// pool runs a method of its workers over all blocks, each group by one worker.
// The calling goroutine is the first worker, so that one worker starts none.
type pool struct {
	workers []*worker
	run     *run
	task    func(w *worker, g, b int)
	start   []chan struct{}
	done    sync.WaitGroup
}

func newPool(workers []*worker, r *run) *pool {
	p := &pool{workers: workers, run: r}
	for _, w := range workers[1:] {
		start := make(chan struct{})
		p.start = append(p.start, start)
		go func() {
			for range start {
				p.work(w)
				p.done.Done()
			}
		}()
	}
	return p
}

// each runs the task for every block and returns when all are done.
func (p *pool) each(task func(w *worker, g, b int)) {
	p.task = task
	p.run.next.Store(int64(p.run.firstGroup))
	p.done.Add(len(p.start))
	for _, s := range p.start {
		s <- struct{}{}
	}
	p.work(p.workers[0])
	p.done.Wait()
}

func (p *pool) work(w *worker) {
	for {
		g := int(p.run.next.Add(1)) - 1
		if g >= p.run.endGroup {
			return
		}
		first, end := w.blocksOf(g)
		for b := max(first, w.firstBlock); b < min(end, w.endBlock); b++ {
			w.guard(p.task, g, b)
		}
	}
}

// close ends the pool's goroutines.
func (p *pool) close() {
	for _, s := range p.start {
		close(s)
	}
}

// guard runs the task and turns a panic into an error of the run that says where it was.
func (w *worker) guard(task func(w *worker, g, b int), g, b int) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		e := &PanicError{Value: v, Stack: debug.Stack(), Block: b, Step: w.step, Particle: -1}
		if i := w.system.row; i >= 0 {
			e.Particle = b*w.rows + i
			w.system.row = -1
		}
		if w.observer == nil {
			w.fail(b, e)
			return
		}
		w.fail(b, &ObserverError{Observer: w.observer, Time: float64(w.from) * w.Step, Err: e})
		w.observer = nil
	}()
	task(w, g, b)
}
