// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest

import (
	"fmt"
	"reflect"

	"github.com/sgflow/sgflow/sde"
)

// interfaces are the upgrades of a loss, and Validate, which sde.Flow looks for.
var interfaces = []struct {
	name Upgrade
	typ  reflect.Type
}{
	{BatchGradient, reflect.TypeFor[sde.BatchGradient]()},
	{Hessian, reflect.TypeFor[sde.Hessian]()},
	{Laplacian, reflect.TypeFor[sde.Laplacian]()},
	{Curvature, reflect.TypeFor[sde.Curvature]()},
	{Normalizable, reflect.TypeFor[sde.Normalizable]()},
	{Charted, reflect.TypeFor[sde.Charted]()},
	{FiniteSum, reflect.TypeFor[interface {
		Samples() int
		SampleGradient(dst, theta []float64, i int)
	}]()},
	{Minibatches, reflect.TypeFor[sde.Minibatches]()},
	{"Validate", reflect.TypeFor[interface{ Validate() error }]()},
}

// upgrades looks for upgrades that are missing, and for methods with the name of
// an upgrade's that do not make one.
func (c *checker) upgrades() error {
	t := reflect.TypeOf(c.l)
	for _, i := range interfaces {
		if t.Implements(i.typ) {
			continue
		}
		for k := range i.typ.NumMethod() {
			want := i.typ.Method(k)
			if m, ok := t.MethodByName(want.Name); ok && withoutReceiver(m.Type) == want.Type {
				return fmt.Errorf("%v has the method %s and not all others of the upgrade %s, %v, so it is not found", t, want.Name, i.name, i.typ)
			} else if ok {
				return fmt.Errorf("%v has a method %s that is %v without its receiver: the upgrade %s needs %v, so it is not found",
					t, want.Name, withoutReceiver(m.Type), i.name, want.Type)
			}
			if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
				continue
			}
			if _, ok := reflect.PointerTo(t).MethodByName(want.Name); ok {
				return fmt.Errorf("%s is a method of *%v, and the loss is a %v: pass a pointer, or the upgrade %s is not found", want.Name, t, t, i.name)
			}
		}
	}
wants:
	for _, w := range c.o.Wants {
		for _, i := range interfaces {
			if i.name != w {
				continue
			}
			if !t.Implements(i.typ) {
				return fmt.Errorf("%v does not have the upgrade sde.%s, which Options.Wants lists", t, w)
			}
			continue wants
		}
		return &sde.SettingError{Field: "losstest: Options.Wants", Value: string(w), Want: "an upgrade of an sde.Loss, one of this package's constants"}
	}
	return nil
}

// withoutReceiver returns the signature of a method as a function without its receiver.
func withoutReceiver(m reflect.Type) reflect.Type {
	var in, out []reflect.Type
	for i := 1; i < m.NumIn(); i++ {
		in = append(in, m.In(i))
	}
	for i := range m.NumOut() {
		out = append(out, m.Out(i))
	}
	return reflect.FuncOf(in, out, m.IsVariadic())
}
