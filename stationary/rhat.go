// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import "math"

// leastChains is how many chains R̂ takes: with fewer, chains that are stuck in the same
// place go unnoticed.
const leastChains = 4

// RHat returns the potential scale reduction R̂ of chains, which is near 1 if they have come to
// the same law: the ratio, of the numbers' normal scores in the halves of each chain, of the
// standard deviation of all of them to that within them,
//
//	R̂ = √((B/W + n − 1)/n)
//
// with W the mean variance within a half of n numbers and B n times the variance between
// their means; or, if larger, that of the distances from the median, which sees
// chains of the same place and different width. Above 1.01 the chains should not be trusted.
//
// A. Vehtari et al., 2021 (see EffectiveSampleSize), §§ 3.1 and 4.
//
// It returns an *sde.SettingError for fewer than four chains, chains of different lengths or of
// fewer than 4 numbers, or numbers that are not finite.
func RHat(c Draws) (float64, error) {
	if err := c.check("RHat", leastChains); err != nil {
		return 0, err
	}
	halves := c.split()
	median := quantileOf(halves.sorted(), 0.5)
	folded := halves.each(func(v float64) float64 { return math.Abs(v - median) })
	return math.Max(rhat(halves.normalised()), rhat(folded.normalised())), nil
}

// rhat is R̂ of chains that have been cut.
func rhat(c Draws) float64 {
	n := float64(len(c[0]))
	means, variances := c.moments()
	within, _ := meanOf(variances)
	_, squares := meanOf(means)
	between := n * squares / float64(len(c)-1)
	return math.Sqrt((between/within + n - 1) / n)
}
