// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import "fmt"

// Partition splits space, or a part of it, into numbered regions: basins, cores of
// wells, the cells of a grid. It must be safe for concurrent use.
type Partition interface {
	// Len returns how many regions there are.
	Len() int
	// Index returns the number of the region that holds θ, −1 if none does.
	Index(theta []float64) int
}

var (
	_ Partition = (*Basins)(nil)
	_ Partition = Sets(nil)
)

// Sets is the Partition of which region i is the i-th set, less those before it.
type Sets []Set

// Len returns how many sets there are.
func (s Sets) Len() int { return len(s) }

// Index returns the number of the first set that holds theta, −1 if none does.
func (s Sets) Index(theta []float64) int {
	for i, set := range s {
		if set.Contains(theta) {
			return i
		}
	}
	return -1
}

// Validate returns an error that names what is wrong with one of the sets, or nil.
func (s Sets) Validate(dim int) error {
	for i, set := range s {
		if set == nil {
			return &SettingError{fmt.Sprintf("sde: Sets[%d]", i), nil, "a set", nil}
		}
		if err := ValidateSet(set, dim); err != nil {
			return err
		}
	}
	return nil
}
