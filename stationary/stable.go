// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"sort"

	"github.com/sgflow/sgflow/sde"
)

// Stable is the symmetric α-stable law in one dimension, that of Lévy noise:
//
//	E exp(ik(X−μ)) = exp(−|σk|^α)
//
// Cauchy's law for α = 1, and N(μ, 2σ²) for α = 2. For α < 2 moments exist below α
// only, and P(X−μ > x) → C_α/α (σ/x)^α with C_α = Γ(1+α) sin(πα/2)/π.
//
// Density and tail are integrals of one smooth function (Nolan, 1997, Numerical
// calculation of stable densities and distribution functions, Stochastic Models 13,
// theorem 1), good to about 1e-12 of themselves for α between 0.3 and 2, and to the
// distance of α from 1 where that is below 1e-7.
type Stable struct {
	// Alpha is α, above 0 and at most 2; Scale is σ, above 0; Mu is the centre.
	Alpha, Scale, Mu float64
}

var _ Law = Stable{}

// StableOU returns the stationary law of a linear drift under symmetric α-stable
// noise of unit scale,
//
//	dX = −kX dt + s dL^α   ⇒   σ = s/(αk)^(1/α)
//
// It returns an error unless k and s are finite and above 0 and α is in (0, 2].
func StableOU(k, s, alpha float64) (Stable, error) {
	if !(k > 0) || math.IsInf(k, 1) {
		return Stable{}, &sde.SettingError{Field: "stationary: StableOU k", Value: k, Want: "a finite number above 0"}
	}
	if !(s > 0) || math.IsInf(s, 1) {
		return Stable{}, &sde.SettingError{Field: "stationary: StableOU s", Value: s, Want: "a finite number above 0"}
	}
	law := Stable{Alpha: alpha, Scale: s / math.Pow(alpha*k, 1/alpha)}
	return law, law.Validate()
}

// Validate returns an error if a field is wrong.
func (l Stable) Validate() error {
	switch {
	case !(0 < l.Alpha && l.Alpha <= 2):
		return &sde.SettingError{Field: "stationary: Stable.Alpha", Value: l.Alpha, Want: "above 0 and at most 2"}
	case !(l.Scale > 0) || math.IsInf(l.Scale, 1):
		return &sde.SettingError{Field: "stationary: Stable.Scale", Value: l.Scale, Want: "a finite number above 0"}
	case math.IsNaN(l.Mu) || math.IsInf(l.Mu, 0):
		return &sde.SettingError{Field: "stationary: Stable.Mu", Value: l.Mu, Want: "a finite number"}
	}
	return nil
}

// String returns the law's name.
func (l Stable) String() string {
	return fmt.Sprintf("symmetric stable, α = %g, centre %g, scale %g", l.Alpha, l.Mu, l.Scale)
}

// Dim returns 1.
func (Stable) Dim() int { return 1 }

// nearCauchy is how near to 1 α is taken as 1.
const nearCauchy = 1e-9

// Density returns p(x).
func (l Stable) Density(x float64) float64 {
	z := math.Abs(x-l.Mu) / l.Scale
	a := l.Alpha
	switch {
	case math.IsInf(z, 1):
		return 0
	case math.Abs(a-1) < nearCauchy:
		return 1 / (math.Pi * l.Scale * (1 + z*z))
	case a == 2:
		return math.Exp(-z*z/4) / (2 * l.Scale * math.Sqrt(math.Pi))
	case z < 1e-3:
		// Σ_k (−1)^k Γ((2k+1)/α)/(2k)! z^2k/(πα), which for α < 1 is asymptotic.
		first := math.Gamma(1+1/a) / math.Pi
		second := math.Gamma(3/a) / (2 * math.Pi * a) * z * z
		third := math.Gamma(5/a) / (24 * math.Pi * a) * z * z * z * z
		if third < 1e-13*first {
			return (first - second + third) / l.Scale
		}
	}
	v := l.nolan(z, func(g float64) float64 {
		if g > 745 { // or infinite
			return 0
		}
		return g * math.Exp(-g)
	})
	return a * v / (math.Pi * math.Abs(a-1) * z * l.Scale)
}

// tail returns P(X > μ + σz) of a z that is not negative.
func (l Stable) tail(z float64) float64 {
	switch {
	case z == 0:
		return 0.5
	case math.IsInf(z, 1):
		return 0
	case math.Abs(l.Alpha-1) < nearCauchy:
		return math.Atan2(1, z) / math.Pi
	case l.Alpha == 2:
		return math.Erfc(z/2) / 2
	case l.Alpha > 1:
		return l.nolan(z, func(g float64) float64 { return math.Exp(-g) }) / math.Pi
	}
	return l.nolan(z, func(g float64) float64 { return -math.Expm1(-g) }) / math.Pi
}

// nolan returns ∫₀^(π/2) f(g(θ)) dθ with
//
//	g = z^(α/(α−1)) (cos θ/sin αθ)^(α/(α−1)) cos((α−1)θ)/cos θ
//
// which is monotonic, falling for α > 1 and rising for α < 1.
func (l Stable) nolan(z float64, f func(g float64) float64) float64 {
	a := l.Alpha
	power := a / (a - 1)
	logz := math.Log(z)
	// Either end is approached in the distance from it: low is θ, high is π/2 − θ.
	logg := func(low, high float64) float64 {
		c, sine := math.Log(math.Sin(high)), math.Sin(a*low)
		if high < low { // sin αθ = sin(π − αθ), which is near 0 for α near 2
			sine = math.Sin((2-a)*math.Pi/2 + a*high)
		}
		return power*(logz+c-math.Log(sine)) + math.Log(math.Cos((a-1)*low)) - c
	}
	near := int(math.Log2(math.Abs(power)+1)) + 4 // the change takes a share 1/power of the way
	sum := 0.0
	for _, fromLow := range []bool{true, false} {
		side := func(u float64) float64 {
			if fromLow {
				return logg(u, math.Pi/2-u)
			}
			return logg(math.Pi/2-u, u)
		}
		h := func(u float64) float64 { return f(math.Exp(side(u))) }
		// Where g = 1, in log u; panels shrink towards it and towards the end.
		const end = math.Pi / 4
		lo, hi := -690.0, math.Log(end)
		atLow, atHigh := side(math.Exp(lo)) > 0, side(end) > 0
		star := end
		if atLow != atHigh {
			for range 60 {
				mid := (lo + hi) / 2
				if (side(math.Exp(mid)) > 0) == atLow {
					lo = mid
				} else {
					hi = mid
				}
			}
			star = math.Exp((lo + hi) / 2)
		}
		edges := []float64{0}
		for k := 25; k >= 1; k-- {
			edges = append(edges, star*math.Ldexp(1, -2*k))
		}
		for k := 1; k <= near; k++ {
			edges = append(edges, star*(1-math.Ldexp(0.5, -k)))
		}
		edges = append(edges, star)
		for k := near; k >= 0; k-- {
			edges = append(edges, star*(1+math.Ldexp(1, -k)))
		}
		for e := 4 * star; e < end; e *= 2 {
			edges = append(edges, e)
		}
		edges = append(edges[:sort.SearchFloat64s(edges, end)], end)
		part := 0.0
		for i := 1; i < len(edges); i++ {
			part += integral(h, edges[i-1], edges[i], math.Inf(1), 0)
		}
		tolerance := 1e-15 * (2 + math.Abs(power)) * part // log g has rounding of that size
		part = 0
		for i := 1; i < len(edges); i++ {
			part += integral(h, edges[i-1], edges[i], tolerance, 8)
		}
		sum += part
	}
	return sum
}

// CDF returns P(X < x).
func (l Stable) CDF(x float64) float64 { return symmetricCDF((x-l.Mu)/l.Scale, l.tail) }

// Quantile returns the x with CDF(x) = q. It panics if q is not in [0, 1].
func (l Stable) Quantile(q float64) float64 {
	return l.Mu + l.Scale*symmetricQuantile(q, func(p float64) float64 { return tailQuantile(p, l.tail) })
}

// Probability returns P(lo < X < hi).
func (l Stable) Probability(lo, hi []float64) float64 {
	return symmetricBetween((lo[0]-l.Mu)/l.Scale, (hi[0]-l.Mu)/l.Scale, l.tail)
}
