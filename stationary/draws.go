// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// Draws are chains of numbers that several runs of one sampler, or several particles, gave in the
// course of time: a chain a row, all of one length. Diagnose says how far they can be
// trusted. They are held in memory; what is too long for that is observed by a Histogram
// or integrate.Mean, whose errors need no chains.
type Draws [][]float64

// check returns an error unless there are enough chains, of one length that is long enough,
// of finite numbers.
func (c Draws) check(function string, least int) error {
	bad := func(field string, value any, want string, err error) error {
		return &sde.SettingError{Field: "stationary: " + function + " " + field, Value: value, Want: want, Err: err}
	}
	if len(c) < least {
		return bad("chains", fmt.Sprintf("%d of them", len(c)), fmt.Sprintf("at least %d", least), nil)
	}
	for i, x := range c {
		if len(x) < 4 {
			return bad(fmt.Sprintf("chains[%d]", i), fmt.Sprintf("%d numbers", len(x)), "at least 4", nil)
		}
		if len(x) != len(c[0]) {
			return bad(fmt.Sprintf("chains[%d]", i), fmt.Sprintf("%d numbers", len(x)), fmt.Sprintf("%d, as many as in the first", len(c[0])), sde.ErrDimension)
		}
		for k, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return bad(fmt.Sprintf("chains[%d][%d]", i, k), v, "a finite number", nil)
			}
		}
	}
	return nil
}

// split returns the first and the last half of each chain as chains of their own; of an odd
// number the middle is left out.
func (c Draws) split() Draws {
	var s Draws
	for _, x := range c {
		half := len(x) / 2
		s = append(s, x[:half], x[len(x)-half:])
	}
	return s
}

// each returns chains of a function of the numbers.
func (c Draws) each(f func(v float64) float64) Draws {
	s := make(Draws, len(c))
	for i, x := range c {
		s[i] = make([]float64, len(x))
		for k, v := range x {
			s[i][k] = f(v)
		}
	}
	return s
}

// sorted returns all numbers in ascending order.
func (c Draws) sorted() []float64 {
	var all []float64
	for _, x := range c {
		all = append(all, x...)
	}
	sort.Float64s(all)
	return all
}

// quantileOf returns the quantile of sorted numbers, linear between them.
func quantileOf(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	k := int(at)
	if k+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}

// normalised returns the normal scores of the numbers' ranks among all S of them, ties
// sharing their mean rank,
//
//	z = Φ⁻¹((rank − 3/8)/(S + 1/4))
func (c Draws) normalised() Draws {
	all := c.sorted()
	s := float64(len(all))
	return c.each(func(v float64) float64 {
		first := sort.SearchFloat64s(all, v)
		last := sort.Search(len(all), func(i int) bool { return all[i] > v })
		rank := float64(first+1+last) / 2
		return distuv.UnitNormal.Quantile((rank - 0.375) / (s + 0.25))
	})
}

// moments returns the mean and the variance (of divisor n−1) of each chain.
func (c Draws) moments() (means, variances []float64) {
	for _, x := range c {
		mean, squares := meanOf(x)
		means, variances = append(means, mean), append(variances, squares/float64(len(x)-1))
	}
	return means, variances
}

// meanOf returns the mean and the sum of squared deviations from it.
func meanOf(x []float64) (mean, squares float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return mean, squares
}

// autocovariance returns the autocovariances of each lag, of divisor n, by Fourier
// transform.
func autocovariance(x []float64) []float64 {
	n := len(x)
	size := 1
	for size < 2*n {
		size *= 2
	}
	mean, _ := meanOf(x)
	padded := make([]float64, size)
	for i, v := range x {
		padded[i] = v - mean
	}
	f := fourier.NewFFT(size)
	c := f.Coefficients(nil, padded)
	for i, v := range c {
		c[i] = complex(real(v)*real(v)+imag(v)*imag(v), 0)
	}
	a := f.Sequence(padded, c)[:n]
	for i := range a {
		a[i] /= float64(n) * float64(size)
	}
	return a
}
