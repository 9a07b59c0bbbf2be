// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package conformance

import (
	"fmt"
	"sync"
)

// Workers is how many goroutines Concurrently starts.
const Workers = 8

// Concurrently makes calls from many goroutines at once. Each has a call of its own from
// bind, with its scratch memory, and makes it 16 times over, told the goroutine's number
// w and the round r so that they meet the same points in different orders. It returns
// the first error, or that what was called panicked.
func Concurrently(what string, bind func() (call func(w, r int) error)) error {
	const rounds = 16
	var first error
	var once sync.Once
	report := func(err error) { once.Do(func() { first = err }) }
	var all sync.WaitGroup
	for w := range Workers {
		all.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					report(fmt.Errorf("%s panicked when called from many goroutines: %v", what, r))
				}
			}()
			call := bind()
			for r := range rounds {
				if err := call(w, r); err != nil {
					report(err)
					return
				}
			}
		})
	}
	all.Wait()
	return first
}
