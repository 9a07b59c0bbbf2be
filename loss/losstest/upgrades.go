// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest

import (
	"reflect"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// interfaces are the upgrades of a loss, and Validate, which sde.Flow looks for.
var interfaces = []conformance.Upgrade{
	{Name: string(BatchGradient), Type: reflect.TypeFor[sde.BatchGradient]()},
	{Name: string(Hessian), Type: reflect.TypeFor[sde.Hessian]()},
	{Name: string(Laplacian), Type: reflect.TypeFor[sde.Laplacian]()},
	{Name: string(Curvature), Type: reflect.TypeFor[sde.Curvature]()},
	{Name: string(Normalizable), Type: reflect.TypeFor[sde.Normalizable]()},
	{Name: string(Charted), Type: reflect.TypeFor[sde.Charted]()},
	{Name: string(FiniteSum), Type: reflect.TypeFor[interface {
		Samples() int
		SampleGradient(dst, theta []float64, i int)
	}]()},
	{Name: string(Minibatches), Type: reflect.TypeFor[sde.Minibatches]()},
	{Name: string(SampleGradients), Type: reflect.TypeFor[sde.SampleGradients]()},
	{Name: string(OutputGradient), Type: reflect.TypeFor[sde.OutputGradient]()},
	{Name: string(FlippedGradient), Type: reflect.TypeFor[sde.FlippedGradient]()},
	{Name: string(Harmonic), Type: reflect.TypeFor[sde.Harmonic]()},
	{Name: "Validate", Type: reflect.TypeFor[interface{ Validate() error }]()},
}

// upgrades looks for upgrades that are missing, and for methods with the name of
// an upgrade's that do not make one.
func (c *checker) upgrades() error {
	if err := conformance.Upgrades(c.l, "loss", interfaces); err != nil {
		return err
	}
	for _, w := range c.o.Wants {
		known, err := conformance.Has(c.l, string(w), interfaces)
		if !known {
			return &sde.SettingError{Field: "losstest: Options.Wants", Value: string(w), Want: "an upgrade of an sde.Loss, one of this package's constants"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
