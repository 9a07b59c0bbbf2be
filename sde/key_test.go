// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"math/rand/v2"
	"testing"
)

// unmix is the inverse of mix, derived from it step by step: a multiplication by
// an odd number is undone by its inverse modulo 2⁶⁴, z ^ z>>k by doing it again with
// 2k, 4k, … until nothing is left to shift in.
func unmix(z uint64) uint64 {
	unshift := func(z uint64, k int) uint64 {
		for ; k < 64; k *= 2 {
			z ^= z >> k
		}
		return z
	}
	inverse := func(a uint64) uint64 { // Newton: each round doubles the right bits
		x := a
		for range 5 {
			x *= 2 - a*x
		}
		return x
	}
	z = unshift(z, 31) * inverse(0x94d049bb133111eb)
	z = unshift(z, 27) * inverse(0xbf58476d1ce4e5b9)
	return unshift(z, 30)
}

// TestKeysDiffer: for one seed no two places share a key. A key has an inverse, which
// gives the place back.
func TestKeysDiffer(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := NewStream(r.Uint64(), nil)
	held := func(p Purpose, block, step int) {
		at := uint64(p)<<60 | uint64(block)<<36 | uint64(step)
		got := unmix(s.key(at)) ^ s.seed
		if gp, gb, gs := Purpose(got>>60), int(got>>36)&(MaxBlocks-1), int(got&(MaxSteps-1)); gp != p || gb != block || gs != step {
			t.Fatalf("the key of purpose %d, block %d, step %d is that of %d, %d, %d", p, block, step, gp, gb, gs)
		}
	}
	for p := range purposes {
		for _, block := range []int{0, 1, MaxBlocks - 1} {
			for _, step := range []int{0, 1, MaxSteps - 1} {
				held(p, block, step)
			}
		}
		for range 1000 {
			held(p, r.IntN(MaxBlocks), r.IntN(MaxSteps))
		}
	}
	if purposes > 16 {
		t.Errorf("%d purposes do not fit into four bits", purposes)
	}
}

// TestPlace: At and Place are inverse, and what At packs is what is keyed.
func TestPlace(t *testing.T) {
	s := NewStream(1, nil)
	for _, place := range [][2]int{{0, 0}, {MaxBlocks - 1, 0}, {0, MaxSteps - 1}, {12345, 6789012345}} {
		s.At(Observers, place[0], place[1])
		if b, k := s.Place(); b != place[0] || k != place[1] {
			t.Errorf("placed at %v, and is at %d, %d", place, b, k)
		}
	}
}
