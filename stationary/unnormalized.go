// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Unnormalized is Boltzmann's law in any dimension without its Z, for what needs the
// score alone, such as Stein's discrepancy:
//
//	log p(θ) = −L(θ)/T + const,   ∇log p(θ) = −∇L(θ)/T
//
// It is no Law, since it has no probabilities; in one or two dimensions Boltzmann has
// them. Whether exp(−L/T) has a finite integral is not looked into beyond what the
// loss declares.
type Unnormalized struct {
	Loss sde.Loss
	// T is the temperature, above 0.
	T float64
}

var (
	_ Scorer  = Unnormalized{}
	_ Thermal = Unnormalized{}
)

// Validate returns an error if there is no loss, the temperature is not a positive
// number, or the loss declares that it has no such law.
func (u Unnormalized) Validate() error {
	const field = "stationary: Unnormalized."
	if u.Loss == nil {
		return &sde.SettingError{Field: field + "Loss", Value: nil, Want: "a loss"}
	}
	if !(u.T > 0) || math.IsInf(u.T, 1) {
		return &sde.SettingError{Field: field + "T", Value: u.T, Want: "a finite number above 0"}
	}
	if n, ok := u.Loss.(sde.Normalizable); ok && !n.Normalizable(u.T) {
		return &sde.SettingError{Field: field + "Loss", Value: fmt.Sprintf("%T at T = %g", u.Loss, u.T),
			Want: "one that does not declare exp(−L/T) to have no finite integral; add weight decay", Err: sde.ErrNotNormalizable}
	}
	return nil
}

// Dim returns d.
func (u Unnormalized) Dim() int { return u.Loss.Dim() }

// Temperature returns T.
func (u Unnormalized) Temperature() float64 { return u.T }

// LogDensity returns −L(θ)/T. It panics unless it is given d coordinates.
func (u Unnormalized) LogDensity(theta ...float64) float64 {
	if len(theta) != u.Dim() {
		panic(badDim)
	}
	return -u.Loss.Value(theta) / u.T
}

// Score stores −∇L(θ)/T into dst. It panics if dst or theta is not of length d.
func (u Unnormalized) Score(dst, theta []float64) {
	if len(dst) != u.Dim() || len(theta) != u.Dim() {
		panic(badDim)
	}
	u.Loss.Gradient(dst, theta)
	for i := range dst {
		dst[i] /= -u.T
	}
}
