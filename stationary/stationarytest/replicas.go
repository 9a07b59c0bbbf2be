// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sgflow/sgflow/sde"
)

// Replicas are the chains of an optimizer under test.
type Replicas struct {
	// Dim is the number of parameters of one chain.
	Dim int
	// Chains is how many independent chains there are; 0 means 1. From 16 on, errors rest
	// on their independence alone.
	Chains int
	// Start sets where they start, a chain a row; nil leaves them at the origin.
	Start func(theta sde.Batch)
	// Advance takes every chain one observation further: by a step, or better by so many
	// that the next observation tells something new. It may change its argument in place,
	// or fill it from the optimizer's own state.
	Advance func(theta sde.Batch)
}

// Options says how long the chains are watched and what is allowed. The zero value's
// margins are narrow: chains that are slow to settle, as between two wells, need many samples or
// wider ones.
type Options struct {
	// BurnIn is how many calls of Advance pass before the first observation; 0 means a
	// quarter of Observations.
	BurnIn int
	// Observations is how many follow; 0 means 1000.
	Observations int
	// Temperature is the relative departure of the temperature that is allowed, and of
	// variances in Covariance and of the identity in FluctuationDissipation; 0 means 0.02.
	Temperature float64
	// TotalVariation is the departure from the law, as a total variation, that is allowed;
	// 0 means 0.02.
	TotalVariation float64
	// FalseAlarms bounds the probability that an optimizer within these margins fails; 0
	// means 10⁻⁶.
	FalseAlarms float64
	// Project, for a law in one dimension of more parameters, maps a chain to the number
	// that has the law; nil takes the first parameter.
	Project func(theta []float64) float64
	// Step is the optimizer's step, if it is to be thought of where a failure is explained, as
	// what makes the chains too hot or as a slip in the noise; 0 if not. It changes no verdict.
	Step float64
}

const (
	power     = 0.9 // at twice the margin
	mostParts = 64  // groups that errors are taken from
	leastIn   = 16  // chains, or else stretches of time are groups
)

// withDefaults returns the options, or what is wrong with them.
func (o Options) withDefaults(r Replicas) (Options, Replicas, error) {
	bad := func(field string, value any, want string) (Options, Replicas, error) {
		return o, r, &sde.SettingError{Field: "stationarytest: " + field, Value: value, Want: want}
	}
	if r.Chains == 0 {
		r.Chains = 1
	}
	if o.Observations == 0 {
		o.Observations = 1000
	}
	if o.BurnIn == 0 {
		o.BurnIn = (o.Observations + 3) / 4
	}
	for _, p := range []*float64{&o.Temperature, &o.TotalVariation} {
		if *p == 0 {
			*p = 0.02
		}
	}
	if o.FalseAlarms == 0 {
		o.FalseAlarms = 1e-6
	}
	switch {
	case r.Dim < 1:
		return bad("Replicas.Dim", r.Dim, "at least 1")
	case r.Chains < 1:
		return bad("Replicas.Chains", r.Chains, "at least 1, or 0 for 1")
	case r.Advance == nil:
		return bad("Replicas.Advance", nil, "a function that advances the chains")
	case o.BurnIn < 0:
		return bad("Options.BurnIn", o.BurnIn, "a positive number, or 0 for a quarter of Observations")
	case o.Observations < 2*leastIn:
		return bad("Options.Observations", o.Observations, fmt.Sprintf("at least %d, or 0 for 1000", 2*leastIn))
	case !(o.Temperature > 0 && o.Temperature < 0.5):
		return bad("Options.Temperature", o.Temperature, "a margin below 0.5, or 0 for 0.02")
	case !(o.TotalVariation > 0 && o.TotalVariation < 0.5):
		return bad("Options.TotalVariation", o.TotalVariation, "a margin below 0.5, or 0 for 0.02")
	case !(o.FalseAlarms > 0 && o.FalseAlarms < 0.5):
		return bad("Options.FalseAlarms", o.FalseAlarms, "a probability below 0.5, or 0 for 1e-6")
	case !(o.Step >= 0) || math.IsInf(o.Step, 1):
		return bad("Options.Step", o.Step, "a positive, finite number, or 0 if there is none")
	}
	return o, r, nil
}

// groups is how many groups there are: of chains, or of stretches of time.
func (r Replicas) groups(observations int) int {
	if r.Chains >= leastIn {
		return min(r.Chains, mostParts)
	}
	return min(observations/2, mostParts)
}

// watch runs the chains. It tells begin of states from the second half of the burn-in, a row
// each, which do not depend on what is observed later, and shows every state after it, with the
// group that it belongs to and the half of the observations.
func (r Replicas) watch(o Options, begin func(early sde.Batch) error, see func(group, half int, theta []float64)) error {
	theta := sde.NewBatch(r.Chains, r.Dim)
	if r.Start != nil {
		r.Start(theta)
	}
	finite := func(calls int) error {
		for i := range theta.Rows {
			for j, v := range theta.Row(i) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("stationarytest: parameter %d of chain %d is %v after %d calls of Advance: the optimizer has diverged", j, i, v, calls)
				}
			}
		}
		return nil
	}
	if err := finite(0); err != nil {
		return err
	}
	second := o.BurnIn / 2
	apart := 1 + (o.BurnIn-second)*r.Chains/mostEarly // so that they are not too many
	early := sde.Batch{Cols: r.Dim, Stride: r.Dim}
	for k := range o.BurnIn {
		r.Advance(theta)
		if err := finite(k + 1); err != nil {
			return err
		}
		for i := range theta.Rows {
			if n := (k-second)*r.Chains + i; k >= second && n%apart == 0 {
				early.Data = append(early.Data, theta.Row(i)...)
				early.Rows++
			}
		}
	}
	if err := begin(early); err != nil {
		return err
	}
	groups := r.groups(o.Observations)
	// Chains fall into groups at random, as they may have been started in a pattern.
	member := make([]int, r.Chains)
	for i, k := range rand.New(rand.NewPCG(1, 1)).Perm(r.Chains) {
		member[k] = i % groups
	}
	for k := range o.Observations {
		r.Advance(theta)
		if err := finite(o.BurnIn + k + 1); err != nil {
			return err
		}
		half := 2 * k / o.Observations
		for i := range theta.Rows {
			g := member[i]
			if r.Chains < leastIn {
				g = k * groups / o.Observations
			}
			see(g, half, theta.Row(i))
		}
	}
	return nil
}

// mostEarly is about how many states of the burn-in are kept.
const mostEarly = 4096

// middle returns the mean of the rows.
func middle(x sde.Batch) []float64 {
	m := make([]float64, x.Cols)
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			m[j] += v / float64(x.Rows)
		}
	}
	return m
}
