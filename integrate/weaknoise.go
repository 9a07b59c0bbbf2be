// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "math"

// threePoint is Φ⁻¹(1/6).
const threePoint = -0.9674215661017014

// threePoints turns standard normals into variables of three points with the
// moments of a normal up to the fifth,
//
//	±√3 with probability 1/6 each, 0 with probability 2/3
//
// by quantiles, so that they are a function of the path's increments.
func threePoints(z []float64) {
	sqrt3 := math.Sqrt(3)
	for i, v := range z {
		switch {
		case v < threePoint:
			z[i] = -sqrt3
		case v > -threePoint:
			z[i] = sqrt3
		default:
			z[i] = 0
		}
	}
}

// weakLaw returns what is done to unit normals for a weak scheme.
func weakLaw(gaussian bool) func(z []float64) {
	if gaussian {
		return nil
	}
	return threePoints
}
