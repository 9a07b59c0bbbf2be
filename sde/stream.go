// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"math"
	"math/bits"

	"github.com/sgflow/sgflow/internal/kernel"
)

// Purpose says what a stream's numbers are for. Streams of different purposes
// are independent, so that what one part of a run draws disturbs no other.
type Purpose uint8

const (
	// paths are the Brownian increments of the steps, see Stream.Increments.
	paths Purpose = iota
	// Steps is whatever else a scheme or a sampler of gradients draws in a step.
	Steps
	// Starts are the particles' initial states.
	Starts
	// Observers is what observers draw.
	Observers
	// areas are the space-time Lévy areas of the steps, see Stream.SpaceTime.
	areas
	// Epochs is what is drawn once for many steps, such as the order in which an epoch
	// goes through samples: see Stream.Beside.
	Epochs
	// Bridges is what step observers draw about what happened within a step.
	Bridges
	purposes // how many there are; at most 16
)

// The largest block and step that a stream can be placed at, and so the most
// blocks and steps of a run.
const (
	MaxBlocks = 1 << 24
	MaxSteps  = 1 << 36
)

// Stream is the noise of a run, a pure function of (seed, purpose, block, step):
// it holds no history. At is called before each block's step and re-keys the
// stream; what is drawn then depends on nothing that was drawn before, so a run
// gives the same bits in whatever order its blocks are advanced.
//
// The key of a place is
//
//	key = mix(hash(seed) ⊕ (purpose·2⁶⁰ + block·2³⁶ + step))
//
// with mix a bijection of 64-bit words, so that for a given seed no two places
// share a key. A key gives the states of eight interleaved xoshiro256++
// generators (Blackman & Vigna, 2021, Scrambled linear pseudorandom number
// generators), whose words become uniforms and, by one fixed Box–Muller
// transform, normals; both have the same bits on every machine. Normals lie
// within ±8.58, where a true one fails to 1 time in 10¹⁷.
//
// A Stream is not safe for concurrent use.
type Stream struct {
	seed   uint64 // hashed
	at     uint64 // purpose, block and step, packed
	pieces int    // see Couple

	path, free         generator
	pathDrawn, freeSet bool
	fine               []float64

	newSource func(seed uint64) Source
	origin    uint64  // the seed as it was given
	piece     *Stream // see Piece
	beside    *Stream // see Beside

	indexWords [257]uint64 // see Indices
	indices    [512]uint32
	script     *Script
}

// NewStream returns the stream of a seed. newSource, if it is not nil, makes the
// generator that replaces the built-in one; it is called with an arbitrary seed
// and the generator is then seeded with the key of each place. Its words pass
// through the same transforms.
func NewStream(seed uint64, newSource func(seed uint64) Source) *Stream {
	s := &Stream{seed: mix(seed + goldenGamma), pieces: 1, newSource: newSource, origin: seed}
	if newSource != nil {
		s.path.source, s.free.source = newSource(seed), newSource(seed)
	}
	s.At(Starts, 0, 0)
	return s
}

// At places the stream at the first number for a purpose, block and step. It
// panics if one is out of range.
func (s *Stream) At(p Purpose, block, step int) {
	if p == paths || p == areas || purposes <= p || block < 0 || MaxBlocks <= block || step < 0 || MaxSteps <= step {
		panic("sde: stream placed out of range")
	}
	s.at = uint64(p)<<60 | uint64(block)<<36 | uint64(step)
	s.pathDrawn, s.freeSet = false, false
}

// Place returns the block and the step that the stream has been placed at.
func (s *Stream) Place() (block, step int) {
	return int(s.at >> 36 & (MaxBlocks - 1)), int(s.at & (MaxSteps - 1))
}

// key returns the key of a packed place.
func (s *Stream) key(at uint64) uint64 { return mix(s.seed ^ at) }

// Couple makes the stream draw each step's increments as the sum of those of
// pieces finer steps. A stream of step h and n pieces then follows the same
// Brownian path as one of step h/n and a single piece, which is what the strong
// error of a scheme is measured on. It panics if pieces is less than 1.
func (s *Stream) Couple(pieces int) {
	if pieces < 1 {
		panic("sde: a step has at least one piece")
	}
	s.pieces = pieces
}

// Increments fills z with the unit normals of this step's Brownian increment,
//
//	ΔW = √h z
//
// n·m of them for n particles and m components, a particle's next to one another.
// They have a purpose of their own, so what else is drawn in the step
// does not move them. It panics if it is called twice for one step.
func (s *Stream) Increments(z []float64) {
	if s.pathDrawn {
		panic("sde: increments of a step drawn twice")
	}
	s.pathDrawn = true
	s.increments(z, nil, 0)
}

// NextIncrements fills z with what Increments will give at this block's next
// step. A scheme that shares noise between neighbouring steps needs no memory of
// it: noise is a function of the step. It may be called any number of times.
func (s *Stream) NextIncrements(z []float64) { s.increments(z, nil, 1) }

// SpaceTime fills z as Increments does, whose place it takes, and u with the unit
// normals of the space-time Lévy area of the step,
//
//	ΔW = √h z,   H = (1/h) ∫₀ʰ (W_s − (s/h) ΔW) ds = √(h/12) u
//
// which is independent of ΔW and whence ∫∫ dW ds = h(ΔW/2 + H). The areas have
// a purpose of their own: z has the bits of Increments. On a stream that
// is coupled (Couple) the area is that of the finer path, composed exactly from the
// increments w_i and areas H_i of the n pieces:
//
//	H = (1/n) Σ_i [ H_i + ((n−1)/2 − i) w_i ],   i = 0 … n−1
//
// Source: Foster, Lyons & Oberhauser, 2020, An optimal polynomial approximation of
// Brownian motion, definition 3.5. It panics if u is not as long as z, or
// if the increments have been drawn.
func (s *Stream) SpaceTime(z, u []float64) {
	if len(u) != len(z) {
		panic("sde: as many areas as increments are needed")
	}
	if s.pathDrawn {
		panic("sde: increments of a step drawn twice")
	}
	s.pathDrawn = true
	s.increments(z, u, 0)
}

// increments draws those of the step that is so many later, and the areas
// unless u is nil.
func (s *Stream) increments(z, u []float64, later uint64) {
	if s.script != nil {
		if later > 0 {
			s.script.fill(s.script.Next, z)
			return
		}
		s.script.fill(s.script.Increments, z)
		if u != nil {
			s.script.fill(s.script.Areas, u)
		}
		return
	}
	const place = 1<<60 - 1 // block and step, the purpose paths being 0
	block, step := s.at&place&^(MaxSteps-1), s.at&(MaxSteps-1)+later
	if step == MaxSteps {
		panic("sde: stream placed out of range")
	}
	if s.pieces == 1 {
		s.path.key(s.key(block | step))
		s.path.normals(z)
		if u != nil {
			s.path.key(s.key(uint64(areas)<<60 | block | step))
			s.path.normals(u)
		}
		return
	}
	if cap(s.fine) < len(z) {
		s.fine = make([]float64, len(z))
	}
	fine := s.fine[:len(z)]
	clear(z)
	clear(u)
	n := float64(s.pieces)
	first, scale := step*uint64(s.pieces), 1/math.Sqrt(n)
	if hi, _ := bits.Mul64(step+1, uint64(s.pieces)); hi != 0 || first+uint64(s.pieces) > MaxSteps {
		panic("sde: stream placed out of range")
	}
	for i := range uint64(s.pieces) {
		s.path.key(s.key(block | (first + i)))
		s.path.normals(fine)
		kernel.Axpy(z, scale, fine)
		if u == nil {
			continue
		}
		kernel.Axpy(u, sqrt12*(float64((n-1)/2)-float64(i))*scale/n, fine)
		s.path.key(s.key(uint64(areas)<<60 | block | (first + i)))
		s.path.normals(fine)
		kernel.Axpy(u, scale/n, fine)
	}
}

const sqrt12 = 3.4641016151377544 // √12

// Pieces returns n of Couple, 1 unless that was called.
func (s *Stream) Pieces() int { return s.pieces }

// Piece returns the stream of the step's i-th finer step: what a scheme draws
// from it that is more than increments and areas (the Lévy areas between
// components, say) is what the scheme draws at the finer step, so that
// it can be composed for this one. It is valid until the next call of Piece or
// At. It panics unless i is in [0, Pieces()).
func (s *Stream) Piece(i int) *Stream {
	if i < 0 || s.pieces <= i {
		panic("sde: no such piece of a step")
	}
	if s.piece == nil {
		s.piece = NewStream(s.origin, s.newSource)
		s.piece.script = s.script
	}
	block, step := s.Place()
	s.piece.At(Purpose(s.at>>60), block, step*s.pieces+i)
	return s.piece
}

// Beside returns another stream of the same seed, placed at this one's block, for a
// purpose and a step that need not be this one's: what many steps share (Epochs) is drawn
// from it, at any of them, as a function of the place alone. Nothing of this stream is
// disturbed. It is valid until the next call of Beside. It panics if the place is out of range.
func (s *Stream) Beside(p Purpose, step int) *Stream {
	if s.beside == nil {
		s.beside = NewStream(s.origin, s.newSource)
		s.beside.script = s.script
	}
	block, _ := s.Place()
	s.beside.At(p, block, step)
	return s.beside
}

// Words fills dst with independent words, uniform over all 2⁶⁴.
func (s *Stream) Words(dst []uint64) {
	if s.script != nil {
		s.script.words(dst)
		return
	}
	s.place()
	s.free.words(dst)
}

// Indices fills dst with independent whole numbers, each of 0 … n−1 exactly as likely
// as the others. It panics unless n is in 1 … 2³¹.
func (s *Stream) Indices(dst []uint32, n int) {
	if n < 1 || n > 1<<31 {
		panic("sde: no indices below such a number")
	}
	size := uint32(n)
	uneven := -size % size // 2³² mod n
	words := s.indexWords[:len(s.indexWords)-1]
	for len(dst) > 0 {
		// Two numbers a word. Of an odd number the last has half a word, as it would have
		// if more were asked for: a batch's first rows do not depend on how many follow.
		out, w := dst, words
		if k := (len(dst) + 1) / 2; k < len(w) {
			w = w[:k]
		}
		if len(out) < 2*len(w) {
			out = s.indices[:]
		}
		out = out[:2*len(w)]
		s.Words(w)
		if kernel.Indices(out, w, size) < uneven && s.script == nil {
			// Rare: what falls into the uneven rest is drawn again, one after the other.
			more := s.indexWords[len(s.indexWords)-1:]
			for i := range out {
				half := w[i/2] >> (32 * (i % 2))
				for uint32(half)*size < uneven {
					s.Words(more)
					half = more[0]
				}
				out[i] = uint32(uint64(uint32(half)) * uint64(size) >> 32)
			}
		}
		dst = dst[copy(dst, out):]
	}
}

// Uniforms fills dst with independent numbers, uniform over (k+½)2⁻⁵² for
// k = 0 … 2⁵²−1: neither 0 nor 1 occurs.
func (s *Stream) Uniforms(dst []float64) {
	if s.script != nil {
		s.script.uniforms(dst)
		return
	}
	s.place()
	s.free.uniforms(dst)
}

// Normals fills dst with independent standard normals.
func (s *Stream) Normals(dst []float64) {
	if s.script != nil {
		s.script.fill(s.script.Normals, dst)
		return
	}
	s.place()
	s.free.normals(dst)
}

// place keys the generator of everything but increments, once it is needed.
func (s *Stream) place() {
	if !s.freeSet {
		s.freeSet = true
		s.free.key(s.key(s.at))
	}
}

// generator draws from the built-in lanes, or from a source if there is one.
type generator struct {
	lanes  kernel.Lanes
	source Source
	buffer [64]uint64
}

func (g *generator) key(k uint64) {
	if g.source != nil {
		g.source.Seed(k)
		return
	}
	g.lanes.Key(k)
}

func (g *generator) words(dst []uint64) {
	if g.source == nil {
		g.lanes.Words(dst)
		return
	}
	for i := range dst {
		dst[i] = g.source.Uint64()
	}
}

func (g *generator) uniforms(dst []float64) {
	for len(dst) > 0 {
		n := min(len(dst), len(g.buffer))
		g.words(g.buffer[:n])
		kernel.Uniforms(dst[:n], g.buffer[:n])
		dst = dst[n:]
	}
}

func (g *generator) normals(dst []float64) {
	if g.source == nil {
		g.lanes.Normals(dst)
		return
	}
	for len(dst) > 0 {
		n := min(len(dst), len(g.buffer))
		w := g.buffer[:(n+15)&^15]
		g.words(w)
		kernel.Normals(dst[:n], w)
		dst = dst[n:]
	}
}

const goldenGamma = 0x9e3779b97f4a7c15

// mix is a bijection of 64-bit words that spreads each bit over all, Stafford's
// variant 13 as in SplitMix64 (Steele, Lea & Flood, 2014, Fast splittable
// pseudorandom number generators).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
