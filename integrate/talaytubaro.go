// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sgflow/sgflow/sde"
)

// TalayTubaro extrapolates expectations in the step, from runs with steps of h and h/2:
//
//	E f ≈ (2^p E f(θ^(h/2)) − E f(θ^h)) / (2^p − 1)
//
// which takes away the error of order p. For Euler–Maruyama, 2E f(θ^(h/2)) −
// E f(θ^h) is of order 2. It holds for expectations at a fixed time, with p the weak order
// of the scheme, and as Richardson's extrapolation for averages over the stationary law, with p
// the order of that (Stationary), if the equation and f are smooth.
//
// Both runs follow the same Brownian paths, so that most of the noise of the
// difference cancels if the scheme has a strong order; the standard error is that of
// the combination, from the scatter between groups. Independent runs need no strong order:
// their standard error is (4^p s₁² + s₂²)^½/(2^p − 1), 2.2 times that of a run for p = 1.
//
// Three times the gradients of the run of h. Source: Talay & Tubaro, 1990, Expansion
// of the global error for numerical schemes solving stochastic differential
// equations, Stoch. Anal. Appl. 8, theorem 1 and eq. 3.
type TalayTubaro struct {
	// Ensemble is the run with the longer step h. Shard and Checkpoint must be zero.
	Ensemble Ensemble
	// Functions is how many functions there are, and F stores their values at θ
	// into dst, as in Mean.
	Functions int
	F         func(dst, theta []float64)
	// Stationary says that the schedule's observations are of the stationary law.
	Stationary bool
	// Independent makes the two runs independent of one another.
	Independent bool
}

// Extrapolation is expectations, extrapolated in the step.
type Extrapolation struct {
	// Coarse and Fine are those by steps of h and h/2, and Extrapolated what follows, a
	// number for each function.
	Coarse, Fine, Extrapolated []sde.Estimate
	Step                       float64 // h
	Order                      float64 // p
	// Gradients is how many evaluations of the drift it took.
	Gradients float64
	Partial   bool
	Warnings  []error
}

// String returns a table of the expectations.
func (x *Extrapolation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "extrapolation of order %g from steps of %.6g and %.6g", x.Order, x.Step, x.Step/2)
	if x.Partial {
		b.WriteString(", PARTIAL")
	}
	for k, e := range x.Extrapolated {
		fmt.Fprintf(&b, "\n%d  %v  from  %v  and  %v", k, e, x.Coarse[k], x.Fine[k])
	}
	for _, w := range x.Warnings {
		fmt.Fprintf(&b, "\nWarning: %v", w)
	}
	return b.String()
}

// Run simulates both runs and extrapolates. Nothing is done if a setting is wrong:
// the result is then nil and the error wraps sde.ErrInvalid. A run that ends early
// returns its error and, if there were observations of both, the partial result.
func (x TalayTubaro) Run(ctx context.Context, s Schedule) (*Extrapolation, error) {
	p, err := x.plan(s)
	if err != nil {
		return nil, err
	}
	order := p.properties.Weak
	if x.Stationary {
		order = p.properties.Invariant
	}
	q := math.Exp2(order)
	res := &Extrapolation{Step: p.Step, Order: order, Warnings: p.warnings}
	combine := func(fine, coarse float64) float64 { return (float64(q*fine) - coarse) / (q - 1) }
	n := x.Functions
	if x.Independent {
		means := [2]*Mean{NewMean(n, x.F), NewMean(n, x.F)}
		var seed [1]uint64
		other := sde.NewStream(x.Ensemble.Seed, x.Ensemble.NewSource)
		other.Words(seed[:])
		e := x.Ensemble
		r, err := e.Run(ctx, s, means[0])
		if err != nil {
			return nil, err
		}
		res.count(r, p.properties.Gradients/e.Step)
		e.Step, e.Seed = e.Step/2, seed[0]
		if r, err = e.Run(ctx, s, means[1]); r == nil || r.Observations == 0 {
			return nil, err
		}
		res.count(r, p.properties.Gradients/e.Step)
		for k := range n {
			c, f := means[0].Estimate(k), means[1].Estimate(k)
			res.add(c, f, sde.Estimate{Value: combine(f.Value, c.Value), StdErr: math.Hypot(q*f.StdErr, c.StdErr) / (q - 1), Groups: min(c.Groups, f.Groups)})
		}
		return res, err
	}
	// The functions on both paths and their combination, so that its error is known too.
	d := p.d
	mean := NewMean(3*n, func(dst, theta []float64) {
		fine, coarse, both := dst[:n], dst[n:2*n], dst[2*n:]
		x.F(fine, theta[:d])
		x.F(coarse, theta[d:])
		for k := range both {
			both[k] = combine(fine[k], coarse[k])
		}
	})
	r, err := p.couple(false).Run(ctx, s, mean)
	if r == nil || r.Observations == 0 {
		return nil, err
	}
	res.count(r, 3*p.properties.Gradients/p.Step)
	for k := range n {
		res.add(mean.Estimate(n+k), mean.Estimate(k), mean.Estimate(2*n+k))
	}
	return res, err
}

// count adds what a run took, at so many gradients for a particle's unit of time.
func (x *Extrapolation) count(r *Result, gradients float64) {
	x.Gradients += float64(float64(r.Particles) * r.Time * gradients)
	x.Partial = x.Partial || r.Partial
	for _, w := range r.Warnings {
		if !slices.ContainsFunc(x.Warnings, func(v error) bool { return v.Error() == w.Error() }) {
			x.Warnings = append(x.Warnings, w)
		}
	}
}

func (x *Extrapolation) add(coarse, fine, extrapolated sde.Estimate) {
	x.Coarse, x.Fine, x.Extrapolated = append(x.Coarse, coarse), append(x.Fine, fine), append(x.Extrapolated, extrapolated)
}

// Validate returns an error that names the first setting that is wrong and what
// would be right, or nil. Run calls it.
func (x TalayTubaro) Validate(s Schedule) error {
	_, err := x.plan(s)
	return err
}

func (x TalayTubaro) plan(s Schedule) (*plan, error) {
	if err := NewMean(x.Functions, x.F).Start(sde.Run{}); err != nil {
		return nil, err
	}
	if x.Ensemble.Shard != (Shard{}) {
		return nil, invalid("TalayTubaro.Ensemble.Shard", x.Ensemble.Shard, "the zero value: the extrapolation is made of whole runs", nil)
	}
	if x.Ensemble.Checkpoint != (Checkpoint{}) {
		return nil, invalid("TalayTubaro.Ensemble.Checkpoint", x.Ensemble.Checkpoint, "the zero value: the extrapolation is not saved", nil)
	}
	p, err := x.Ensemble.plan(s)
	if err != nil {
		return nil, err
	}
	if t, ok := x.Ensemble.Scheme.(Tuned); ok && t.TuningTime() > 0 {
		return nil, invalid("TalayTubaro.Ensemble.Scheme", p.properties.Name, "a scheme of a fixed step: this one tunes itself", sde.ErrUnsupported)
	}
	what, order := "weak order", p.properties.Weak
	if x.Stationary {
		what, order = "order of the stationary law", p.properties.Invariant
	}
	if !(order > 0) || math.IsInf(order, 1) {
		return nil, invalid("TalayTubaro.Ensemble.Scheme", p.properties.Name, fmt.Sprintf("a scheme of a finite %s; that of this one is %g (0: not claimed, +Inf: exact, with nothing to extrapolate)", what, order), sde.ErrUnsupported)
	}
	return p, nil
}
