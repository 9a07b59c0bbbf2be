// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

// Student1 returns a variate of Student's law of nu degrees of freedom from two independent
// uniforms of (0, 1),
//
//	√(ν (u^(−2/ν) − 1)) cos 2πv
//
// It is infinite where u^(−2/ν) overflows, for ν below 1/10.
//
// Source: R. W. Bailey, Polar Generation of Random Variates with the t-Distribution,
// Mathematics of Computation 62, 1994.
func Student1(nu, u, v float64) float64 {
	_, cos := SinCos1(2 * math.Pi * v)
	return math.Sqrt(nu*(Exp1(-2/nu*Log1(u))-1)) * cos
}
