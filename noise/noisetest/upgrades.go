// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noisetest

import (
	"reflect"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// interfaces are the upgrades of a diffusion, and Validate, which sde.Flow looks for.
var interfaces = []conformance.Upgrade{
	{Name: string(Classified), Type: reflect.TypeFor[sde.Classified]()},
	{Name: string(Thermal), Type: reflect.TypeFor[sde.Thermal]()},
	{Name: string(DiagonalRoot), Type: reflect.TypeFor[sde.DiagonalRoot]()},
	{Name: string(DiagonalDerivative), Type: reflect.TypeFor[sde.DiagonalDerivative]()},
	{Name: string(RootJacobian), Type: reflect.TypeFor[sde.RootJacobian]()},
	{Name: string(Divergence), Type: reflect.TypeFor[sde.Divergence]()},
	{Name: "Validate", Type: reflect.TypeFor[interface{ Validate() error }]()},
}

// upgrades looks for upgrades that are missing, and for methods with the name of
// an upgrade's that do not make one.
func (c *checker) upgrades() error {
	if err := conformance.Upgrades(c.n, "diffusion", interfaces); err != nil {
		return err
	}
	for _, w := range c.o.Wants {
		known, err := conformance.Has(c.n, string(w), interfaces)
		if !known {
			return &sde.SettingError{Field: "noisetest: Options.Wants", Value: string(w), Want: "an upgrade of an sde.Diffusion, one of this package's constants"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
