// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "sync"

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
				func() {
					defer p.done.Done() // also if a person's code ends the goroutine
					p.work(w)
				}()
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
