// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import "github.com/sgflow/sgflow/internal/kernel"

// Node fills z with standard normals that are a function of a key and the number of a
// node alone: what one particle draws at the places of a tree that others do not
// visit, a Brownian path that is refined where it has to be. The key is two words that
// were drawn for the particle (Words); with w_j the words of the normals,
//
//	w_j = mix(mix(key₀ ⊕ (node·2²⁰ + j)) + key₁)
//
// so that under one key no two nodes share a word, and under different keys nothing
// lines up. It panics if node is not below 2⁴⁴, or z is longer than 2²⁰. Where the stream is
// scripted the numbers are those of Script.Normals.
func (s *Stream) Node(z []float64, key [2]uint64, node uint64) {
	if node >= 1<<44 || len(z) > 1<<20 {
		panic("sde: node out of range")
	}
	if s.script != nil {
		s.script.fill(s.script.Normals, z)
		return
	}
	w := s.free.buffer[:16]
	place := node << 20
	for len(z) > 0 {
		for j := range w {
			w[j] = mix(mix(key[0]^(place+uint64(j))) + key[1])
		}
		n := min(len(z), len(w))
		kernel.Normals(z[:n], w)
		z, place = z[n:], place+uint64(len(w))
	}
}
