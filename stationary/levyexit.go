// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import "math"

// LevyExit is the exit from the interval (−Left, Right) about a stable minimum at 0 of
//
//	dX = −U′(X) dt + ε dL^α
//
// with a symmetric α-stable process, E exp(ikL₁) = exp(−|k|^α), whose jumps have the density
// C_α |y|^(−1−α). A single jump leads out, so the time is a power of ε and does not
// depend on the height of any barrier:
//
//	τ ≈ α / (C_α ε^α (Left^−α + Right^−α)),   C_α = Γ(1+α) sin(πα/2)/π
//
// and its law is exponential. Source: Imkeller & Pavlyukevich, 2006, First exit times
// of SDEs driven by stable Lévy processes, theorem 2.1. For SGD as such a process, and its discretisation: Şimşekli,
// Sagun & Gürbüzbalaban, 2019; Nguyen et al., 2019.
type LevyExit struct {
	Alpha       float64 // α in (0, 2)
	Scale       float64 // ε
	Left, Right float64 // distances to the ends; +Inf for an end that is not there
	Relaxation  float64 // time in which the flow returns from the ends, for the warning; 0 for none
}

// LevyDensity returns C_α.
func LevyDensity(alpha float64) float64 {
	return math.Gamma(1+alpha) * math.Sin(math.Pi*alpha/2) / math.Pi
}

// Predict returns the mean time, or an error that names what is wrong.
func (l LevyExit) Predict() (Prediction, error) {
	if !(l.Alpha > 0 && l.Alpha < 2) {
		return Prediction{}, wrong("LevyExit.Alpha", l.Alpha, "a number between 0 and 2; at 2 the noise is Gaussian, see Kramers")
	}
	if err := positive("LevyExit", []string{"Scale"}, l.Scale); err != nil {
		return Prediction{}, err
	}
	if !(l.Left > 0 && l.Right > 0) || math.IsInf(l.Left, 1) && math.IsInf(l.Right, 1) {
		return Prediction{}, wrong("LevyExit.Left and Right", []float64{l.Left, l.Right}, "positive distances, at most one of which is infinite")
	}
	gates := math.Pow(l.Left, -l.Alpha) + math.Pow(l.Right, -l.Alpha)
	p := predict("Imkeller & Pavlyukevich", math.Log(l.Alpha/LevyDensity(l.Alpha)/gates)-l.Alpha*math.Log(l.Scale), math.NaN())
	if width := math.Min(l.Left, l.Right); l.Scale > 0.1*width {
		p.warn("ε is %.2g of the distance to the nearer end: the formula is for ε → 0", l.Scale/width)
	}
	if l.Relaxation > 0.1*p.Time {
		p.warn("the flow relaxes in %.2g, which is not short against the time of an exit", l.Relaxation)
	}
	if l.Alpha > 1.8 {
		p.warn("α is near 2: many small steps rival the single jump unless ε is very small")
	}
	return p, nil
}
