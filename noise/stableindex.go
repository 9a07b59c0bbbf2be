// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"errors"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// StableIndex estimates the index α of numbers with a symmetric α-stable law, one after the other,
// by two methods. The law is assumed, not tested: numbers of finite variance give 2 by the first
// method where Block is large, and what the second makes of them need not mean anything.
//
// Sums grows with how sums of K = Block numbers spread, wider than one by K^{1/α}:
//
//	1/α = E [log|x_1 + … + x_K| − (1/K) Σ_j log|x_j|]/log K
//
// (M. Mohammadi, A. Mohammadpour & H. Ogata, 2015, On estimating the tail index and the spectral
// measure of multivariate α-stable distributions, Metrika 78, 549–561, corollary 2.4.) Logs is what
// the spread of the logarithms says,
//
//	Var log|x| = (π²/6)(1/α² + ½)
//
// (X. Ma & C. L. Nikias, 1995, Parameter estimation and blind channel identification in impulsive
// signal environments, IEEE Transactions on Signal Processing 43, 2884–2897.)
type StableIndex struct {
	Block int // K, at least 2; 0 means 32

	inBlock   int
	sum, logs float64
	blocks    powerSums // of the bracket
	each      powerSums // of log|x|
	zeros     int
}

// Validate returns an error if Block is 1 or negative.
func (e *StableIndex) Validate() error {
	if e.Block < 0 || e.Block == 1 {
		return &sde.SettingError{Field: "noise: StableIndex.Block", Value: e.Block, Want: "at least 2, or 0 for 32"}
	}
	return nil
}

func (e *StableIndex) block() int {
	if e.Block == 0 {
		return 32
	}
	return e.Block
}

// Add takes a number in. It panics if Block is 1 or negative.
func (e *StableIndex) Add(x float64) {
	if e.Block < 0 || e.Block == 1 {
		panic("noise: sums of blocks of fewer than two numbers")
	}
	if x == 0 {
		e.zeros++
		return
	}
	l := math.Log(math.Abs(x))
	e.each.add(l)
	e.sum += x
	e.logs += l
	if e.inBlock++; e.inBlock == e.block() {
		if e.sum == 0 {
			e.zeros++
		} else {
			e.blocks.add(math.Log(math.Abs(e.sum)) - e.logs/float64(e.block()))
		}
		e.inBlock, e.sum, e.logs = 0, 0, 0
	}
}

// Merge takes in all that o has, of the same Block, but what does not fill a block of o's.
func (e *StableIndex) Merge(o *StableIndex) {
	e.blocks.merge(&o.blocks)
	e.each.merge(&o.each)
	e.zeros += o.zeros
}

// Count returns how many numbers there were.
func (e *StableIndex) Count() int { return int(e.each.p[0]) }

var errStable = errors.New("noise: an index needs two full blocks and no zeros, whose logarithm is infinite")

// Sums returns α by the sums of blocks, with its standard error from the scatter between blocks, or
// an error if there are fewer than two full blocks, or a number or a sum was 0.
func (e *StableIndex) Sums() (sde.Estimate, error) {
	n := e.blocks.p[0]
	if n < 2 || e.zeros > 0 {
		return sde.Estimate{}, errStable
	}
	m := e.blocks.central()
	k := math.Log(float64(e.block()))
	alpha := k / (e.blocks.center + e.blocks.p[1]/n)
	return sde.Estimate{Value: alpha, StdErr: alpha * alpha / k * math.Sqrt(m[2]/(n-1)), Groups: int(n)}, nil
}

// Logs returns α by the variance of the logarithms, with its standard error for independent
// numbers, or an error as Sums does, or if the variance is below that of any stable law.
func (e *StableIndex) Logs() (sde.Estimate, error) {
	n := e.each.p[0]
	if n < 2 || e.zeros > 0 {
		return sde.Estimate{}, errStable
	}
	m := e.each.central()
	v := m[2] * n / (n - 1)
	inverse := 6*v/(math.Pi*math.Pi) - 0.5 // 1/α²
	if inverse <= 0 {
		return sde.Estimate{}, errors.New("noise: the logarithms spread less than those of any stable law do")
	}
	alpha := 1 / math.Sqrt(inverse)
	return sde.Estimate{Value: alpha, StdErr: 3 / (math.Pi * math.Pi) * alpha * alpha * alpha * math.Sqrt((m[4]-float64(m[2]*m[2]))/n), Groups: int(n)}, nil
}
