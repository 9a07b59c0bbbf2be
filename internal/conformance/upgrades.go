// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package conformance

import (
	"fmt"
	"reflect"
)

// Upgrade is an optional interface under the name that people know it by.
type Upgrade struct {
	Name string
	Type reflect.Type
}

// Upgrades returns an error if v has a method with the name of one of an upgrade and
// does not have the upgrade, which would then not be found: a method of another
// signature, one of several that the upgrade needs, or one of *T where v is a T.
// noun says what v is.
func Upgrades(v any, noun string, all []Upgrade) error {
	t := reflect.TypeOf(v)
	for _, u := range all {
		if t.Implements(u.Type) {
			continue
		}
		for k := range u.Type.NumMethod() {
			want := u.Type.Method(k)
			if m, ok := t.MethodByName(want.Name); ok && withoutReceiver(m.Type) == want.Type {
				return fmt.Errorf("%v has the method %s and not all others of the upgrade %s, %v, so it is not found", t, want.Name, u.Name, u.Type)
			} else if ok {
				return fmt.Errorf("%v has a method %s that is %v without its receiver: the upgrade %s needs %v, so it is not found",
					t, want.Name, withoutReceiver(m.Type), u.Name, want.Type)
			}
			if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
				continue
			}
			if _, ok := reflect.PointerTo(t).MethodByName(want.Name); ok {
				return fmt.Errorf("%s is a method of *%v, and the %s is a %v: pass a pointer, or the upgrade %s is not found", want.Name, t, noun, t, u.Name)
			}
		}
	}
	return nil
}

// Has returns an error if v does not have the upgrade of the given name, and whether
// there is one of that name at all.
func Has(v any, name string, all []Upgrade) (known bool, err error) {
	for _, u := range all {
		if u.Name == name {
			if t := reflect.TypeOf(v); !t.Implements(u.Type) {
				err = fmt.Errorf("%v does not have the upgrade sde.%s, which Options.Wants lists", t, name)
			}
			return true, err
		}
	}
	return false, nil
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
