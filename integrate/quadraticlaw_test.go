// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"errors"
	"math"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// TestQuadraticVariance is a table of closed forms (f.1 and f.4 of the theory): in units
// of T/k, for z = hk.
func TestQuadraticVariance(t *testing.T) {
	const temperature, k = 0.3, 1.7
	rk := func(z float64) float64 { return (1 - z/2) / (1 - z/2 + z*z/4) }
	for _, test := range []struct {
		name     string
		scheme   integrate.Scheme
		variance func(z float64) float64
	}{
		{"Euler–Maruyama", integrate.EulerMaruyama{}, func(z float64) float64 { return 1 / (1 - z/2) }},
		{"stochastic Heun", integrate.StochasticHeun{}, rk},
		{"midpoint", integrate.StratonovichMidpoint{}, rk},
		{"Leimkuhler–Matthews", integrate.LeimkuhlerMatthews{}, func(float64) float64 { return 1 }},
		{"SRA1", integrate.SRA1{}, func(z float64) float64 { return 8 * (z*z - 3*z + 3) / (3 * (2 - z) * (z*z - 2*z + 4)) }},
		{"ShARK", integrate.ShARK{}, func(z float64) float64 { return (2 - z) * (z*z + 12) / (6 * (z*z - 2*z + 4)) }},
		{"exact OU", integrate.ExactOU{}, func(float64) float64 { return 1 }},
		{"BAOAB", integrate.BAOAB{Friction: 0.7}, func(float64) float64 { return 1 }},
		{"ABOBA", integrate.ABOBA{Friction: 0.7}, func(float64) float64 { return 1 }},
		{"OBABO", integrate.OBABO{Friction: 0.7}, func(z float64) float64 { return 1 / (1 - z*z/(4*k)) }},
		{"RI6", integrate.RI6{}, rk},
		{"heavy ball", integrate.HeavyBall{LearningRate: 0.1, Momentum: 0.75}, func(float64) float64 { return 4 }},
	} {
		for _, z := range []float64{0.01, 0.2, 0.9, 1.5} {
			have, err := integrate.QuadraticVariance(test.scheme, k, temperature, z/k)
			if want := temperature / k * test.variance(z); err != nil || !(math.Abs(have-want) < 1e-12*want) {
				t.Errorf("%s, hk = %g: %.15g, exact %.15g, error %v", test.name, z, have, want, err)
			}
		}
	}
	if v, err := integrate.QuadraticVariance(integrate.EulerMaruyama{}, 1, 1, 2.01); !math.IsInf(v, 1) || err != nil {
		t.Errorf("beyond the limit of stability: %g, error %v", v, err)
	}
	if _, err := integrate.QuadraticVariance(integrate.Tamed{}, 1, 1, 0.1); err == nil {
		t.Error("a step that is not linear: no error")
	}
	if _, err := integrate.QuadraticVariance(integrate.BAOAB{}, 1, 1, 0.1); !isInvalid(err) {
		t.Errorf("friction 0: error %v", err)
	}
	if _, err := integrate.QuadraticVariance(onlyGeneral{}, 1, 1, 0.1); !errors.Is(err, sde.ErrUnsupported) {
		t.Errorf("constant noise not served: error %v", err)
	}
}

// onlyGeneral refuses constant noise.
type onlyGeneral struct{ integrate.EulerMaruyama }

func (onlyGeneral) Properties(class sde.NoiseClass) (integrate.Properties, error) {
	return integrate.Properties{}, sde.ErrUnsupported
}
