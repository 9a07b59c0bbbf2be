// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest_test

import (
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/sde"
)

var schemes = []integrate.Scheme{
	integrate.EulerMaruyama{}, integrate.LeimkuhlerMatthews{}, integrate.ExactOU{},
	integrate.SRA1{}, integrate.SRA3{}, integrate.ShARK{}, integrate.StochasticHeun{}, integrate.StratonovichMidpoint{},
	integrate.SRIW1{}, integrate.SRIW2{}, integrate.Platen{}, integrate.Platen{Gaussian: true},
	integrate.RI6{}, integrate.RI6{Gaussian: true}, integrate.DRI1{}, integrate.DRI1{Gaussian: true}, integrate.Milstein{},
	integrate.DriftImplicit{}, integrate.DriftImplicit{Theta: 1}, integrate.SplitStepBackwardEuler{},
	integrate.Tamed{}, integrate.ProjectedEuler{Radius: 8}, integrate.Milstein{Area: integrate.ZeroArea{}},
	integrate.BAOAB{Friction: 1}, integrate.OBABO{Friction: 1}, integrate.ABOBA{Friction: 1},
	integrate.HeavyBall{LearningRate: 0.1, Momentum: 0.9}, integrate.Nesterov{LearningRate: 0.1, Momentum: 0.9},
}

func TestSchemes(t *testing.T) {
	for _, s := range schemes {
		p, err := s.Properties(sde.Constant)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(p.Name, func(t *testing.T) {
			var o integratetest.Options
			switch s.(type) {
			case integrate.DriftImplicit, integrate.SplitStepBackwardEuler, integrate.RI6, integrate.DRI1:
				o.Paths = 512 // of costly steps; it is an error if they are too few
			}
			if testing.Short() {
				o.Skip = []string{"strong order"}
			}
			integratetest.Test(t, s, o)
		})
	}
}
