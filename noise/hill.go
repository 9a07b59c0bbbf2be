// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/sde"
)

// Hill estimates the tail index α of a law with P(|x| > t) ∝ t^{−α} for large t, from the k largest
// of the numbers by magnitude and the one after them,
//
//	1/α = (1/k) Σ_{i≤k} log(|x|_(i)/|x|_(k+1)),   standard error α/√k
//
// It is biased where the tail is no power yet: look at several k. For a law whose tail falls faster
// than any power it grows with the number of samples. It returns an error unless 1 ≤ k < len(x), or
// if the one after the k largest is 0, or one is not finite. x is not changed. Source: B. M. Hill,
// 1975, A simple general approach to inference about the tail of a distribution, Annals of
// Statistics 3, 1163–1174.
func Hill(x []float64, k int) (sde.Estimate, error) {
	if k < 1 || len(x) <= k {
		return sde.Estimate{}, &sde.SettingError{Field: "noise: Hill k", Value: k, Want: fmt.Sprintf("at least 1, and fewer than the %d numbers", len(x))}
	}
	size := make([]float64, len(x))
	for i, v := range x {
		if size[i] = math.Abs(v); v-v != 0 {
			return sde.Estimate{}, &sde.SettingError{Field: fmt.Sprintf("noise: Hill x[%d]", i), Value: v, Want: "a finite number"}
		}
	}
	slices.Sort(size)
	top := size[len(size)-k-1:]
	if top[0] == 0 {
		return sde.Estimate{}, &sde.SettingError{Field: "noise: Hill k", Value: k, Want: "fewer than there are numbers other than 0"}
	}
	var sum float64
	for _, v := range top[1:] {
		sum += math.Log(v / top[0])
	}
	if sum == 0 {
		return sde.Estimate{}, errors.New("noise: the largest numbers are all the same: they have no tail")
	}
	alpha := float64(k) / sum
	return sde.Estimate{Value: alpha, StdErr: alpha / math.Sqrt(float64(k)), Groups: k}, nil
}
