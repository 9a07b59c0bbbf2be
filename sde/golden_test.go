// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/sgflow/sgflow/sde"
)

// golden holds what a stream gives at two places: the first word, uniform, normal,
// index below 1000, increment, next increment and area. They change only in a release
// that says so; .ci/run also compares them where the compiler may fuse products.
var golden = map[string]string{
	"seed 1, block 0, step 0": "a42b70fa717a1abd 0x1.4856e1f4e2f43p-01 -0x1.9605b44363d29p-01 443 " +
		"-0x1.5ba63fd99516ep+00 -0x1.d158313248886p-01 0x1.7ea669d7d006p+00",
	"seed 2⁶⁴−1, block 70000, step 2³⁵+7": "9ff998ad02f2b9b4 0x1.3ff3315a05e57p-01 -0x1.b95c6d83ffbe5p-02 11 " +
		"0x1.123de2a02a60dp-01 -0x1.3d8b7a96b747ap-02 -0x1.0378423eb773p-02",
}

func TestGolden(t *testing.T) {
	for name, place := range map[string]struct {
		seed        uint64
		block, step int
	}{
		"seed 1, block 0, step 0":             {1, 0, 0},
		"seed 2⁶⁴−1, block 70000, step 2³⁵+7": {math.MaxUint64, 70000, 1<<35 + 7},
	} {
		s := sde.NewStream(place.seed, nil)
		at := func() { s.At(sde.Steps, place.block, place.step) }
		words, indices := make([]uint64, 1), make([]uint32, 1)
		u, z, dw, next, area, again := make([]float64, 1), make([]float64, 1), make([]float64, 1), make([]float64, 1), make([]float64, 1), make([]float64, 1)
		at()
		s.Words(words)
		at()
		s.Uniforms(u)
		at()
		s.Normals(z)
		at()
		s.Indices(indices, 1000)
		at()
		s.Increments(dw)
		s.NextIncrements(next)
		at()
		s.SpaceTime(again, area)
		if again[0] != dw[0] {
			t.Errorf("%s: the increment is %v, and beside an area %v", name, dw[0], again[0])
		}
		got := fmt.Sprintf("%016x %x %x %d %x %x %x", words[0], u[0], z[0], indices[0], dw[0], next[0], area[0])
		if got != golden[name] {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, golden[name])
		}
	}
}
