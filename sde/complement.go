// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Complement is the set of what is not in another. The boundary belongs to
// neither or both where the set is Smooth, which makes no difference to a diffusion.
type Complement struct {
	Of Set
}

var (
	_ Set   = Complement{}
	_ Faced = Complement{}
)

// Validate returns an error if there is no set, or what is wrong with it.
func (c Complement) Validate(dim int) error {
	if c.Of == nil {
		return &SettingError{"sde: Complement.Of", nil, "a set", nil}
	}
	return ValidateSet(c.Of, dim)
}

// Contains reports whether theta is not in c.Of.
func (c Complement) Contains(theta []float64) bool { return !c.Of.Contains(theta) }

// Faces returns the 2d half-spaces around a Box, the outside of a Smooth set, the
// faces of what a complement is of, and otherwise nil.
func (c Complement) Faces() []Smooth {
	switch s := c.Of.(type) {
	case Box:
		return s.outside()
	case Complement:
		return FacesOf(s.Of)
	case Smooth:
		return []Smooth{outside{s}}
	}
	return nil
}

// outside is the complement of a smooth set.
type outside struct{ of Smooth }

func (o outside) Contains(theta []float64) bool { return o.of.Level(theta) >= 0 }
func (o outside) Level(theta []float64) float64 { return -o.of.Level(theta) }

func (o outside) LevelGradient(dst, theta []float64) {
	o.of.LevelGradient(dst, theta)
	for i, v := range dst {
		dst[i] = -v
	}
}
