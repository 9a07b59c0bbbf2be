// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package jump

// Process is a Markov jump process: from state i it jumps to To[k] at the rate
// Rate[k], Start[i] ≤ k < Start[i+1], and ends at the rate Kill[i]. Rates are not
// negative.
//
// Its generator is Q, with Q_ij the rate from i to j and Q_ii minus the sum of all
// that leaves i, what ends included.
type Process struct {
	Start []int
	To    []int32
	Rate  []float64
	Kill  []float64
}

// States returns the number of states.
func (p *Process) States() int { return len(p.Kill) }

// Backward stores Q u into dst, what the process does to a function of the state.
func (p *Process) Backward(dst, u []float64) {
	for i := range dst {
		s := -float64(p.Kill[i] * u[i])
		for k := p.Start[i]; k < p.Start[i+1]; k++ {
			s += float64(p.Rate[k] * (u[p.To[k]] - u[i]))
		}
		dst[i] = s
	}
}

// Forward stores x Q into dst, what the process does to a law.
func (p *Process) Forward(dst, x []float64) {
	for i := range dst {
		dst[i] = -float64(p.Kill[i] * x[i])
	}
	for i := range dst {
		for k := p.Start[i]; k < p.Start[i+1]; k++ {
			flux := float64(p.Rate[k] * x[i])
			dst[i] -= flux
			dst[p.To[k]] += flux
		}
	}
}

// transposed returns the rates into each state: from From[k] at Rate[k].
func (p *Process) transposed() (start []int, from []int32, rate []float64) {
	n := p.States()
	start = make([]int, n+1)
	for _, j := range p.To {
		start[j+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	next := append([]int(nil), start...)
	from, rate = make([]int32, len(p.To)), make([]float64, len(p.To))
	for i := range n {
		for k := p.Start[i]; k < p.Start[i+1]; k++ {
			j := p.To[k]
			from[next[j]], rate[next[j]] = int32(i), p.Rate[k]
			next[j]++
		}
	}
	return start, from, rate
}
