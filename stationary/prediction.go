// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"strings"

	"github.com/sgflow/sgflow/sde"
)

// Prediction is what theory says of a mean time to escape, and how far that can be
// trusted.
type Prediction struct {
	// Method names the formula.
	Method string
	// Time is the mean time, +Inf where it is beyond 1.8e308; Log is its natural
	// logarithm, which is always finite.
	Time, Log float64
	// Error bounds the relative error of the numerical work; NaN for an asymptotic
	// formula, whose error is of its own kind.
	Error float64
	// Correction is the next term of an expansion in the temperature, relative to the
	// time: Time·(1 + Correction) is of the next order. It is NaN where it is not known.
	Correction float64
	// Warnings say why the formula may not hold where it was used, and how far it
	// is then off if that is known.
	Warnings []error
}

func predict(method string, log, err float64) Prediction {
	return Prediction{Method: method, Time: math.Exp(log), Log: log, Error: err, Correction: math.NaN()}
}

func (p *Prediction) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Errorf(format, args...))
}

// String returns the method, the time, the correction and the warnings.
func (p Prediction) String() string {
	s := fmt.Sprintf("%s: %.6g", p.Method, p.Time)
	if math.IsInf(p.Time, 1) {
		s = fmt.Sprintf("%s: 10^%.6g", p.Method, p.Log/math.Ln10)
	}
	var w []string
	if !math.IsNaN(p.Correction) {
		w = append(w, fmt.Sprintf("%.4g times that to the next order", 1+p.Correction))
	}
	for _, e := range p.Warnings {
		w = append(w, e.Error())
	}
	if len(w) == 0 {
		return s
	}
	return s + " (" + strings.Join(w, "; ") + ")"
}

// lowBarrier is the barrier, in units of the temperature, below which formulas for rare
// escapes are off by tens of percent.
const lowBarrier = 5

// checkBarrier warns if a barrier is low.
func (p *Prediction) checkBarrier(barrier float64) {
	if barrier < lowBarrier {
		p.warn("the barrier is %.3g T: the formula is for barriers much higher than T, and off by tens of percent below %d T", barrier, lowBarrier)
	}
}

func wrong(field string, value any, want string) error {
	return &sde.SettingError{Field: "stationary: " + field, Value: value, Want: want}
}

func isNumber(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// positive returns an error unless all values are finite numbers above 0.
func positive(prefix string, names []string, values ...float64) error {
	for i, v := range values {
		if !(v > 0) || math.IsInf(v, 1) {
			return wrong(prefix+" "+names[i], v, "a finite number above 0")
		}
	}
	return nil
}

// logSumExp returns log(eᵃ + eᵇ).
func logSumExp(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(a, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
