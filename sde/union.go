// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Union is the set of what is in any of the sets.
type Union []Set

var (
	_ Set   = Union(nil)
	_ Faced = Union(nil)
)

// Validate returns an error if there is no set, or what is wrong with one of them.
func (u Union) Validate(dim int) error {
	if len(u) == 0 {
		return &SettingError{"sde: Union", u, "at least one set", nil}
	}
	for _, s := range u {
		if s == nil {
			return &SettingError{"sde: Union", nil, "sets that are not nil", nil}
		}
		if err := ValidateSet(s, dim); err != nil {
			return err
		}
	}
	return nil
}

// Contains reports whether theta is in one of the sets.
func (u Union) Contains(theta []float64) bool {
	for _, s := range u {
		if s.Contains(theta) {
			return true
		}
	}
	return false
}

// Faces returns those of all the sets, nil if one has none.
func (u Union) Faces() []Smooth {
	var all []Smooth
	for _, s := range u {
		f := FacesOf(s)
		if f == nil {
			return nil
		}
		all = append(all, f...)
	}
	return all
}
