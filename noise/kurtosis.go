// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Kurtosis estimates the kurtosis of numbers, such as a component of gradient noise, one after the
// other:
//
//	E(x−μ)⁴/σ⁴
//
// which is 3 for a Gaussian law, and grows without bound with the number of samples if the fourth
// moment is infinite: look at a tail index then. The zero value is ready.
type Kurtosis struct{ sums powerSums }

// Add takes a number in.
func (k *Kurtosis) Add(x float64) { k.sums.add(x) }

// Merge takes in all that o has.
func (k *Kurtosis) Merge(o *Kurtosis) { k.sums.merge(&o.sums) }

// Count returns how many numbers there were.
func (k *Kurtosis) Count() int { return int(k.sums.p[0]) }

// Kurtosis returns the ratio, NaN unless two numbers differ, and its standard error to first order,
// for independent numbers of finite eighth moment: with z = (x−μ)/σ, skewness s and kurtosis κ,
//
//	n se² = E z⁸ − 4κ E z⁶ − 8s E z⁵ + 4κ³ − κ² + 16 s²(κ+1)
func (k *Kurtosis) Kurtosis() sde.Estimate {
	m := k.sums.central()
	sd := math.Sqrt(m[2])
	for i := range m {
		m[i] /= math.Pow(sd, float64(i))
	}
	s, q := m[3], m[4]
	v := m[8] - float64(4*q*m[6]) - float64(8*s*m[5]) + float64(4*q*q*q) - float64(q*q) + float64(16*s*s*(q+1))
	n := k.sums.p[0]
	return sde.Estimate{Value: q, StdErr: math.Sqrt(math.Max(v, 0) / n), Groups: int(n)}
}

// powerSums holds Σ (x−c)^k for k = 0 … 8, about the first number c.
type powerSums struct {
	center float64
	p      [9]float64
}

func (s *powerSums) add(x float64) {
	if s.p[0] == 0 {
		s.center = x
	}
	f := 1.0
	for k := range s.p {
		s.p[k] += f
		f *= x - s.center
	}
}

// about returns the sums about another center.
func (s *powerSums) about(center float64) (p [9]float64) {
	a := s.center - center
	for k := range p {
		binomial := 1.0
		for i := k; i >= 0; i-- {
			p[k] += float64(binomial * s.p[i] * math.Pow(a, float64(k-i)))
			binomial *= float64(i) / float64(k-i+1)
		}
	}
	return p
}

func (s *powerSums) merge(o *powerSums) {
	if o.p[0] == 0 {
		return
	}
	if s.p[0] == 0 {
		s.center = o.center
	}
	for k, v := range o.about(s.center) {
		s.p[k] += v
	}
}

// central returns the central moments.
func (s *powerSums) central() [9]float64 {
	m := s.about(s.center + s.p[1]/s.p[0])
	n := m[0]
	for k := range m {
		m[k] /= n
	}
	return m
}
