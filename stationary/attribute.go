// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/sgflow/sgflow/sde"
)

// Cause is what explains the difference between samples and a law.
type Cause string

// The causes, in the order in which Compare looks for them.
const (
	// SamplingError: the test does not reject the law, at the level 0.001.
	SamplingError Cause = "sampling error"
	// NotConverged: the two halves of the run differ.
	NotConverged Cause = "not converged"
	// WrongTemperature: the thermometer, freed of the step's bias, differs from
	// the law's temperature.
	WrongTemperature Cause = "wrong temperature"
	// StepSize: the law that Euler–Maruyama samples at this step is not rejected;
	// or, where that law is not known, the temperature is right and the virial is
	// off by what the step does to it.
	StepSize Cause = "step size"
	// Unexplained: something else, such as another calculus (Itô for
	// Stratonovich), a missing ∇·D, another loss.
	Unexplained Cause = "unexplained"
	// Unknown: there are too few groups to test anything.
	Unknown Cause = "unknown"
)

// attribute sets the report's temperatures, its cause and what was not given, with the
// cells of the fit.
func (o *observed) attribute(r *Report, law Law, therm *Thermometer, cells []int, m int) {
	say := func(format string, a ...any) { r.Explanation = append(r.Explanation, fmt.Sprintf(format, a...)) }
	missing := func(format string, a ...any) { r.NotGiven = append(r.NotGiven, fmt.Sprintf(format, a...)) }

	em, h := isEulerMaruyama(o.run.Scheme), o.run.Step
	lawT := math.NaN()
	if t, ok := law.(Thermal); ok {
		lawT = t.Temperature()
	}
	off := false // temperature resolved to be wrong
	shifted := false
	switch {
	case therm == nil:
		missing("a Thermometer: a wrong temperature cannot be told from other causes")
	case therm.Samples() == 0:
		missing("samples in the thermometer")
	default:
		t := &Temperatures{Virial: number(therm.VirialTemperature()), Configurational: number(therm.ConfigurationalTemperature())}
		if !math.IsNaN(lawT) {
			t.Law = lawT
		}
		best := therm.VirialTemperature()
		if em && h > 0 {
			best = therm.Temperature(h)
			t.StepCorrected = number(best)
		} else if o.run.Scheme != "" {
			missing("what the step of %s does to the virial: its temperature is that of the samples", o.run.Scheme)
		} else {
			missing("the run's scheme and step: the temperature is that of the samples, step error included")
		}
		if t.Configurational == nil {
			missing("the loss's Laplacian: no configurational temperature")
		}
		r.Temperatures = t
		if c, ok := o.run.Equation.(sde.Confined); ok && c.Confinement() != nil {
			r.Warnings = append(r.Warnings, "the run is confined to a domain: temperatures leave out the pressure on its walls")
		} else if !math.IsNaN(lawT) && best.StdErr > 0 {
			p := tTest((best.Value-lawT)/best.StdErr, best.Groups)
			off = p < resolved
			r.Temperatures.PValue = &p
			if em && h > 0 {
				bias := h / 2 * therm.SquaredGradient().Value / float64(therm.run.Dim)
				t.StepShift = bias
				shifted = !off && bias > 3*therm.VirialTemperature().StdErr
			}
		}
	}
	if r.Fit == nil {
		r.Cause = Unknown
		return
	}
	// The law of the scheme itself, if the law given is that of the equation.
	if p, ok := law.(*Density); ok && p.step == 0 && p.loss != nil && p.score != nil && em && h > 0 {
		if d, err := discretizedFor(p, h); err != nil {
			missing("the law that the scheme samples at h = %g: %v", h, err)
		} else {
			// By the cells of the fit, so that the two p-values can be compared.
			r.StepSize = o.fit(o.probabilities(d), cells, m)
		}
	} else if !em && o.run.Scheme == "" {
		missing("the run's scheme and step: the effect of the step cannot be told")
	}
	switch {
	case r.Fit.PValue >= resolved:
		r.Cause = SamplingError
		say("the law is not rejected at the level %g (p = %.3g): sampling can explain what difference there is", resolved, r.Fit.PValue)
		if off {
			say("yet the thermometer shows %s, where the law has T = %.6g", thermometerWords(r, therm, h, em), lawT)
			r.Cause = WrongTemperature
		}
	case r.Stationarity != nil && r.Stationarity.PValue < resolved:
		r.Cause = NotConverged
		say("the samples differ from the law, and from one another over time (p = %.2g): the run has not converged", r.Stationarity.PValue)
	case off:
		r.Cause = WrongTemperature
		say("the temperature is wrong: the thermometer shows %s, the law has T = %.6g", thermometerWords(r, therm, h, em), lawT)
		say("that is %s", ratioWords(r, therm, h, em, lawT))
		if s := o.run.Scheme; s == "SGD" && h > 0 {
			say("what the learning rate does to the samples is in it: of SGD at a constant rate Thermometer.Temperature(%g) = %v is freed of that", h, therm.Temperature(h))
		} else if !em && s != "" {
			say("what the step of %s does to the samples is in it", s)
		}
	case r.StepSize != nil && r.StepSize.PValue >= resolved:
		r.Cause = StepSize
		say("the samples differ from the law by what the step h = %g does: the law of Euler–Maruyama at that step is not rejected (p = %.2g)", h, r.StepSize.PValue)
	case shifted && r.StepSize == nil:
		r.Cause = StepSize
		say("the temperature of the noise is right, and the samples are hotter by (h/2)E|∇L|²/d = %.3g, which the step h = %g explains", r.Temperatures.StepShift, h)
	case p0(r.Temperatures):
		r.Cause = Unexplained
		say("the samples differ from the law, and neither the temperature, nor the step, nor a drift over time explains it: look at the calculus (Itô or Stratonovich), a missing ∇·D, the loss itself")
	default:
		r.Cause = Unexplained
		say("the samples differ from the law, and what was observed does not say why")
	}
}

func p0(t *Temperatures) bool { return t != nil && t.PValue != nil }

func bestTemperature(t *Thermometer, h float64, em bool) sde.Estimate {
	if em {
		return t.Temperature(h)
	}
	return t.VirialTemperature()
}

func thermometerWords(r *Report, t *Thermometer, h float64, em bool) string {
	return fmt.Sprintf("T = %v (p = %.2g)", bestTemperature(t, h, em), *r.Temperatures.PValue)
}

// ratioWords says how many times too high the temperature is, and which factor
// that may be.
func ratioWords(r *Report, t *Thermometer, h float64, em bool, law float64) string {
	e := bestTemperature(t, h, em)
	q := sde.Estimate{Value: e.Value / law, StdErr: e.StdErr / law}
	s := fmt.Sprintf("%v times the law's", q)
	for _, c := range []struct {
		factor float64
		hint   string
	}{{2, "a factor 2 in D?"}, {0.5, "a missing 2 in √(2D)?"}, {4, "a factor 2 in the noise?"}, {0.25, "a factor ½ in the noise?"}} {
		if math.Abs(q.Value-c.factor) < 3*q.StdErr {
			s += ": " + c.hint
		}
	}
	if n := math.Sqrt(law); math.Abs(q.Value*law-math.Abs(law*law)) < 3*e.StdErr && n != 1 {
		s += ": T² for T?"
	}
	return s
}

func number(e sde.Estimate) *Number {
	if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
		return nil
	}
	n := &Number{Value: e.Value}
	if !math.IsNaN(e.StdErr) && !math.IsInf(e.StdErr, 0) {
		n.StdErr = e.StdErr
	}
	return n
}

// isEulerMaruyama reports whether a scheme's name is that of Euler–Maruyama,
// however it is spelt.
func isEulerMaruyama(scheme string) bool {
	letters := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, scheme)
	return letters == "eulermaruyama"
}
