// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math/bits"

// Lanes is eight interleaved xoshiro256++ generators: Lanes[w][l] is state
// word w of lane l. One step of all eight gives eight words, in lane order.
//
// Source: D. Blackman and S. Vigna, Scrambled Linear Pseudorandom Number
// Generators, ACM Transactions on Mathematical Software 47(4), 2021.
type Lanes [4][8]uint64

// keys are the first 64 bits of the fractional parts of the cube roots of the
// first 32 primes (the first round constants of SHA-512, FIPS 180-4).
var keys = Lanes{
	{
		0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
		0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	},
	{
		0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
		0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	},
	{
		0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0xfc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
		0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	},
	{
		0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
		0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x6ca6351e003826f, 0x142929670a0e6e70,
	},
}

// Key sets the 32 state words as a function of the 64-bit key:
//
//	l[w][i] = mix(key ⊕ c[w][i]),
//
// where mix is the bijective finalizer of SplitMix64 (variant 13 of Stafford)
// and c are 32 different constants.
//
// No state is shared: as mix is a bijection, lane i under key a and lane j
// under key b are equal only if a⊕b = c[w][i]⊕c[w][j] for every w. For i = j
// that makes the keys equal; for i ≠ j the four right-hand sides are not all
// the same number (a test looks at every pair). No state is zero: mix is zero
// at zero only, and the constants of one lane are not all equal.
//
// Source: G. L. Steele, D. Lea and C. H. Flood, Fast Splittable Pseudorandom
// Number Generators, OOPSLA 2014; D. Stafford, Better Bit Mixing, 2011.
func (l *Lanes) Key(key uint64) {
	if keyASM(l, key) {
		return
	}
	for w := range l {
		for i := range l[w] {
			l[w][i] = mix(key ^ keys[w][i])
		}
	}
}

// mix returns the SplitMix64 finalizer of z.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// next writes the next eight words to dst.
func (l *Lanes) next(dst *[8]uint64) {
	a, b, c, d := &l[0], &l[1], &l[2], &l[3]
	for i := range dst {
		s0, s1, s2, s3 := a[i], b[i], c[i], d[i]
		dst[i] = bits.RotateLeft64(s0+s3, 23) + s0
		s2 ^= s0
		s3 ^= s1
		a[i] = s0 ^ s3
		b[i] = s1 ^ s2
		c[i] = s2 ^ s1<<17
		d[i] = bits.RotateLeft64(s3, 45)
	}
}

// Words fills dst with words. It draws whole groups of eight (lane order 0 to
// 7, then the next step); what dst does not take of the last group is lost.
func (l *Lanes) Words(dst []uint64) {
	dst = dst[wordsASM(l, dst):]
	for len(dst) >= 8 {
		l.next((*[8]uint64)(dst))
		dst = dst[8:]
	}
	if len(dst) > 0 {
		var last [8]uint64
		l.next(&last)
		copy(dst, last[:])
	}
}

// Normals fills dst with independent standard normal numbers, by the transform
// of the function Normals. It draws whole groups of 16 words, two steps of the
// generators; what dst does not take of the last group is lost.
func (l *Lanes) Normals(dst []float64) {
	dst = dst[laneNormalsASM(l, dst):]
	var w [16]uint64
	for len(dst) >= 16 {
		l.next((*[8]uint64)(w[:8]))
		l.next((*[8]uint64)(w[8:]))
		normals16((*[16]float64)(dst), &w)
		dst = dst[16:]
	}
	if len(dst) > 0 {
		var last [16]float64
		if laneNormalsASM(l, last[:]) == 0 {
			l.next((*[8]uint64)(w[:8]))
			l.next((*[8]uint64)(w[8:]))
			normals16(&last, &w)
		}
		copy(dst, last[:])
	}
}
