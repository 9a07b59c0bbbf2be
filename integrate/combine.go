// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/internal/kernel"

// A combination is a sum Σ c v of multiples of vectors, gathered term by term.
type combination struct {
	c []float64
	v [][]float64
}

func newCombination(terms int) combination {
	return combination{make([]float64, 0, terms), make([][]float64, 0, terms)}
}

func (l *combination) reset() { l.c, l.v = l.c[:0], l.v[:0] }

// add adds a term, unless its factor is 0.
func (l *combination) add(c float64, v []float64) {
	if c != 0 {
		l.c, l.v = append(l.c, c), append(l.v, v)
	}
}

// addTo adds the combination to y, in order, two terms in a pass.
func (l *combination) addTo(y []float64) {
	n, i := len(y), 0
	for ; i+1 < len(l.c); i += 2 {
		kernel.Euler(y, l.v[i][:n], l.v[i+1][:n], l.c[i], l.c[i+1])
	}
	if i < len(l.c) {
		kernel.Axpy(y, l.c[i], l.v[i][:n])
	}
}
