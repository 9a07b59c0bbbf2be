// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	fraction = 1<<52 - 1
	one      = 0x3ff0000000000000
	signBit  = 1 << 63
	sqrtHalf = 0x3fe6a09e667f3bcd

	uniformBias = 1 - 0x1p-53
	halfPi      = 0x1.921fb54442d18p+0
	halfPi15    = -0x1.2d97c7f3321d2p+1

	sin1 = -0x1.5555555555548p-3
	sin2 = 0x1.111111110f730p-7
	sin3 = -0x1.a01a019be9217p-13
	sin4 = 0x1.71de35552b52cp-19
	sin5 = -0x1.ae5e4b83e4772p-26
	sin6 = 0x1.5d8b5594a0ab9p-33
	cos2 = 0x1.555555555554bp-5
	cos3 = -0x1.6c16c16c15015p-10
	cos4 = 0x1.a01a019c8f254p-16
	cos5 = -0x1.27e4f7f191463p-22
	cos6 = 0x1.1ee9dbcef7150p-29
	cos7 = -0x1.8fa68483f279cp-37

	ln2  = 0x1.62e42fefa39efp-1
	log1 = 0x1.5555555555592p-1
	log2 = 0x1.999999997ff63p-2
	log3 = 0x1.24924941db48bp-2
	log4 = 0x1.c71c521a1983ap-3
	log5 = 0x1.74663ba3487edp-3
	log6 = 0x1.39a20ba50ad72p-3
	log7 = 0x1.2f02517d4e548p-3
)

// normalConstants holds the constants of the transform that live in registers.
type normalConstants struct {
	one, bias, shift, fraction, sqrtHalf, halfPi, sign, four operand.Op
}

func (v isa) normalConstants() normalConstants {
	k := normalConstants{
		word(one), num(uniformBias), word(one - sqrtHalf), word(fraction), word(sqrtHalf), num(halfPi), word(signBit), word(4),
	}
	if v.wide() {
		for _, p := range []*operand.Op{&k.one, &k.bias, &k.shift, &k.fraction, &k.sqrtHalf, &k.halfPi, &k.sign, &k.four} {
			*p = v.broadcast(*p)
		}
	}
	return k
}

// split sets e to the exponent of u as a number and leaves the mantissa in
// [√½, √2) in u. VGETEXPPD serves only where u is below √2·2¹⁰²³.
func (v isa) split(u, e []vec, k normalConstants, small bool) {
	for i := range u {
		v.addq(k.shift, u[i], u[i])
	}
	for i := range u {
		if v.wide() && small {
			VGETEXPPD(u[i], e[i])
		} else {
			VPSRLQ(operand.U8(52), u[i], e[i])
		}
	}
	if !v.wide() || !small {
		for i := range u {
			v.or(num(0x1p52), e[i], e[i])
		}
		for i := range u {
			v.sub(num(0x1p52+1023), e[i], e[i])
		}
	}
	for i := range u {
		v.and(k.fraction, u[i], u[i])
	}
	for i := range u {
		v.addq(k.sqrtHalf, u[i], u[i])
	}
}

// log returns scale·log of the numbers u, which are normal and positive; u is
// overwritten. While the division runs, meanwhile is computed.
func (v isa) log(u []vec, k normalConstants, scale float64, meanwhile func()) []vec {
	n := len(u)
	e, d, y, p := v.regs(n), v.regs(n), v.regs(n), v.regs(n)
	v.split(u, e, k, scale == -2)
	for i := range u {
		v.add(k.one, u[i], d[i])
	}
	for i := range u {
		v.sub(k.one, u[i], u[i])
	}
	for i := range u {
		VDIVPD(d[i], u[i], u[i])
	}
	meanwhile()
	for i := range u {
		v.mul(u[i], u[i], y[i])
	}
	v.horner(y, p, scale*log7, scale*log6, scale*log5, scale*log4, scale*log3, scale*log2, scale*log1, scale*2)
	for i := range u {
		v.mul(u[i], p[i], p[i])
	}
	for i := range u {
		v.fma231(num(scale*ln2), e[i], p[i])
	}
	return p
}

// uniform returns the number of (0, 1) made of the words w.
func (v isa) uniform(w []vec, k normalConstants) []vec {
	u := v.regs(len(w))
	for i := range w {
		VPSRLQ(operand.U8(12), w[i], u[i])
	}
	for i := range w {
		v.or(k.one, u[i], u[i])
	}
	for i := range w {
		v.sub(k.bias, u[i], u[i])
	}
	return u
}

// normals returns the pairs of normals made of the words w0 and w1.
func (v isa) normals(w0, w1 []vec, k normalConstants) (z0, z1 []vec) {
	n := len(w0)
	a, b, s, c := v.regs(n), v.regs(n), v.regs(n), v.regs(n)
	r := v.log(v.uniform(w0, k), k, -2, func() {
		for i := range a {
			VPSRLQ(operand.U8(12), w1[i], a[i])
		}
		for i := range a {
			v.xor(word(one|1<<51), a[i], a[i])
		}
		for i := range a {
			v.fma213(num(halfPi15), v.halfPi(k), a[i])
		}
		for i := range a {
			v.mul(a[i], a[i], b[i])
		}
		v.horners(b, s, c, []float64{sin6, sin5, sin4, sin3, sin2, sin1}, []float64{cos7, cos6, cos5, cos4, cos3, cos2, -0.5, 1})
		for i := range a {
			v.mul(a[i], b[i], b[i])
		}
		for i := range a {
			v.fma213(a[i], b[i], s[i])
		}
	})
	for i := range r {
		VSQRTPD(r[i], r[i])
	}
	for i := range a {
		v.mul(r[i], c[i], c[i])
	}
	for i := range a {
		v.mul(r[i], s[i], s[i])
	}
	z0, z1 = v.regs(n), v.regs(n)
	for i := range a {
		if v.wide() {
			m := K()
			VPTESTMQ(k.four, w1[i], m)
			VBLENDMPD(s[i], c[i], m, z0[i])
			VBLENDMPD(c[i], s[i], m, z1[i])
		} else {
			m := v.reg()
			VPSLLQ(operand.U8(61), w1[i], m)
			VBLENDVPD(m, s[i], c[i], z0[i])
			VBLENDVPD(m, c[i], s[i], z1[i])
		}
	}
	for i := range a {
		t := v.reg()
		VPSLLQ(operand.U8(63), w1[i], t)
		v.xor(t, z0[i], z0[i])
	}
	for i := range a {
		VPSLLQ(operand.U8(62), w1[i], w1[i])
		if v.wide() {
			VPTERNLOGQ(operand.U8(0x78), k.sign, w1[i], z1[i])
		} else {
			v.and(k.sign, w1[i], w1[i])
			v.xor(w1[i], z1[i], z1[i])
		}
	}
	return z0, z1
}

func (v isa) halfPi(k normalConstants) operand.Op {
	if v.wide() {
		return k.halfPi
	}
	r := v.reg()
	VMOVUPD(k.halfPi, r)
	return r
}

// groups makes a loop over n groups of 16, by more than one at a time first.
func groups(n reg.GPVirtual, unroll int, do func(copies int)) {
	if unroll > 1 {
		Label("many")
		CMPQ(n, operand.U32(unroll))
		JL(operand.LabelRef("few"))
		do(unroll)
		SUBQ(operand.U32(unroll), n)
		JMP(operand.LabelRef("many"))
		Label("few")
	}
	TESTQ(n, n)
	JZ(operand.LabelRef("done"))
	Label("one")
	do(1)
	DECQ(n)
	JNZ(operand.LabelRef("one"))
	Label("done")
}

func genNormals(v isa) {
	// Normals from words, whole groups of 16.
	v.text("normals", "func(dst *float64, words *uint64, groups int)")
	dst := Load(Param("dst"), GP64())
	words := Load(Param("words"), GP64())
	n := Load(Param("groups"), GP64()).(reg.GPVirtual)
	k := v.normalConstants()
	body := func(copies int) {
		per := 8 / v.lanes
		if v.wide() {
			w0, w1 := v.regs(copies), v.regs(copies)
			for c := range copies {
				VMOVUPD(at(words, nil, 0, 128*c), w0[c])
				VMOVUPD(at(words, nil, 0, 128*c+64), w1[c])
			}
			z0, z1 := v.normals(w0, w1, k)
			for c := range copies {
				VMOVUPD(z0[c], at(dst, nil, 0, 128*c))
				VMOVUPD(z1[c], at(dst, nil, 0, 128*c+64))
			}
		} else {
			for h := range per * copies {
				w0, w1 := v.regs(1), v.regs(1)
				off := 128*(h/2) + 32*(h%2)
				VMOVUPD(at(words, nil, 0, off), w0[0])
				VMOVUPD(at(words, nil, 0, off+64), w1[0])
				z0, z1 := v.normals(w0, w1, k)
				VMOVUPD(z0[0], at(dst, nil, 0, off))
				VMOVUPD(z1[0], at(dst, nil, 0, off+64))
			}
		}
		ADDQ(operand.U32(128*copies), words)
		ADDQ(operand.U32(128*copies), dst)
	}
	groups(n, map[bool]int{true: 2, false: 1}[v.wide()], body)
	end()

	v.stream(stream{
		name: "uniforms", sig: "func(dst *float64, words *uint64, n int)", in: []string{"words"}, out: "dst", unroll: 2,
		body: func(in [][]vec, _ []vec) (out []operand.Op) {
			for _, u := range v.uniform(in[0], normalConstants{one: word(one), bias: num(uniformBias)}) {
				out = append(out, u)
			}
			return out
		},
	})

	if !v.wide() {
		return
	}
	v.text("laneNormals", "func(l *[4][8]uint64, dst *float64, groups int)")
	l := Load(Param("l"), GP64())
	dst = Load(Param("dst"), GP64())
	n = Load(Param("groups"), GP64()).(reg.GPVirtual)
	s := v.regs(4)
	for w := range s {
		VMOVDQU64(at(l, nil, 0, 64*w), s[w])
	}
	k = v.normalConstants()
	groups(n, 1, func(copies int) {
		w0, w1 := v.regs(copies), v.regs(copies)
		for c := range copies {
			v.step(s, w0[c])
			v.step(s, w1[c])
		}
		z0, z1 := v.normals(w0, w1, k)
		for c := range copies {
			VMOVUPD(z0[c], at(dst, nil, 0, 128*c))
			VMOVUPD(z1[c], at(dst, nil, 0, 128*c+64))
		}
		ADDQ(operand.U32(128*copies), dst)
	})
	for w := range s {
		VMOVDQU64(s[w], at(l, nil, 0, 64*w))
	}
	end()
}

// step sets w to the next words of xoshiro256++ in state s.
func (v isa) step(s []vec, w vec) {
	t := v.reg()
	if v.wide() {
		VPADDQ(s[3], s[0], w)
		VPROLQ(operand.U8(23), w, w)
		VPADDQ(s[0], w, w)
		VPSLLQ(operand.U8(17), s[1], t)
		VPXORQ(s[1], s[3], s[3])
		VPTERNLOGQ(operand.U8(0x96), s[0], s[2], s[1]) // exclusive or of three
		VPTERNLOGQ(operand.U8(0x96), s[0], t, s[2])
		VPXORQ(s[3], s[0], s[0])
		VPROLQ(operand.U8(45), s[3], s[3])
		return
	}
	rotl := func(r vec, n uint8) {
		hi := v.reg()
		VPSLLQ(operand.U8(n), r, hi)
		VPSRLQ(operand.U8(64-n), r, r)
		VPOR(hi, r, r)
	}
	VPADDQ(s[3], s[0], w)
	rotl(w, 23)
	VPADDQ(s[0], w, w)
	VPSLLQ(operand.U8(17), s[1], t)
	VPXOR(s[1], s[3], s[3])
	VPXOR(s[0], s[2], s[2])
	VPXOR(s[3], s[0], s[0])
	VPXOR(s[2], s[1], s[1])
	VPXOR(t, s[2], s[2])
	rotl(s[3], 45)
}

var keys = []uint64{
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0xfc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x6ca6351e003826f, 0x142929670a0e6e70,
}

func genLanes(v isa) {
	tab := table("keyConstants", keys)
	v.text("key", "func(l *[4][8]uint64, key uint64)")
	l := Load(Param("l"), GP64())
	a, err := Param("key").Resolve()
	if err != nil {
		panic(err)
	}
	key := v.broadcast(a.Addr)
	m1, m2 := v.broadcast(word(0xbf58476d1ce4e5b9)), v.broadcast(word(0x94d049bb133111eb))
	var h1, h2 vec
	if !v.wide() {
		h1, h2 = v.reg(), v.reg()
		VPSRLQ(operand.U8(32), m1, h1)
		VPSRLQ(operand.U8(32), m2, h2)
	}
	fold := func(x []vec, n uint8) {
		for i := range x {
			t := v.reg()
			VPSRLQ(operand.U8(n), x[i], t)
			v.xor(t, x[i], x[i])
		}
	}
	times := func(x []vec, m, h vec) {
		for i := range x {
			if v.wide() {
				VPMULLQ(m, x[i], x[i])
				continue
			}
			// x·m = xl·ml + 2³²·(xh·ml + xl·mh)
			t, u := v.reg(), v.reg()
			VPSRLQ(operand.U8(32), x[i], t)
			VPMULUDQ(m, t, t)
			VPMULUDQ(h, x[i], u)
			VPADDQ(u, t, t)
			VPSLLQ(operand.U8(32), t, t)
			VPMULUDQ(m, x[i], x[i])
			VPADDQ(t, x[i], x[i])
		}
	}
	for part := range 8 / v.lanes {
		x := v.regs(4)
		for i := range x {
			off := v.size() * (4*part + i)
			VMOVDQU64or(v, tab.Offset(off), x[i])
			v.xor(key, x[i], x[i])
		}
		fold(x, 30)
		times(x, m1, h1)
		fold(x, 27)
		times(x, m2, h2)
		fold(x, 31)
		for i := range x {
			VMOVDQU64or(v, x[i], at(l, nil, 0, v.size()*(4*part+i)))
		}
	}
	end()

	v.text("words", "func(l *[4][8]uint64, dst *uint64, groups int)")
	l = Load(Param("l"), GP64())
	dst := Load(Param("dst"), GP64())
	n := Load(Param("groups"), GP64()).(reg.GPVirtual)
	halves := 8 / v.lanes
	s := make([][]vec, halves)
	for h := range s {
		s[h] = v.regs(4)
		for w := range s[h] {
			VMOVDQU64or(v, at(l, nil, 0, 64*w+32*h), s[h][w])
		}
	}
	groups(n, 1, func(int) {
		for h := range s {
			w := v.reg()
			v.step(s[h], w)
			VMOVDQU64or(v, w, at(dst, nil, 0, 32*h))
		}
		ADDQ(operand.U32(64), dst)
	})
	for h := range s {
		for w := range s[h] {
			VMOVDQU64or(v, s[h][w], at(l, nil, 0, 64*w+32*h))
		}
	}
	end()
}

// VMOVDQU64or moves a vector of integers.
func VMOVDQU64or(v isa, a, b operand.Op) {
	if v.wide() {
		VMOVDQU64(a, b)
	} else {
		VMOVDQU(a, b)
	}
}
