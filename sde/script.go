// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// Script is noise that is prescribed instead of drawn. A step of a scheme is then
// a function of the state and of these numbers, which can be integrated over by
// quadrature, differentiated, or followed along a chosen path: no Monte Carlo is
// needed to test it. A nil function gives zeros, that of Uniforms ½.
type Script struct {
	// Increments and Areas fill dst with the unit normals of Stream.Increments and
	// of Stream.SpaceTime.
	Increments, Areas func(dst []float64)
	// Next fills dst with what Stream.NextIncrements returns.
	Next func(dst []float64)
	// Normals and Words fill dst with what the methods of these names return.
	Normals func(dst []float64)
	Words   func(dst []uint64)
	// Uniforms fills dst with what Stream.Uniforms returns.
	Uniforms func(dst []float64)
}

// NewScriptedStream returns a stream that gives the numbers of a script, at
// whatever place and for any coupling.
func NewScriptedStream(script Script) *Stream {
	s := NewStream(0, nil)
	s.script = &script
	return s
}

func (s *Script) fill(by func(dst []float64), dst []float64) {
	if by == nil {
		clear(dst)
		return
	}
	by(dst)
}

func (s *Script) words(dst []uint64) {
	if s.Words == nil {
		clear(dst)
		return
	}
	s.Words(dst)
}

func (s *Script) uniforms(dst []float64) {
	if s.Uniforms != nil {
		s.Uniforms(dst)
		return
	}
	for i := range dst {
		dst[i] = 0.5
	}
}
