// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func load(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

func genRows(v isa) {
	v.rowDots()
	v.rowSum()
	v.locate()
	v.indices()
	v.repack()
}

// rowDots takes 8 rows at a time (AVX2: 4), of which m belong to one theta; all is the
// total, and both are multiples of that. With AVX-512 up to four vectors of theta stay in
// registers: what limits it are rows that are not in the first level of cache, and the
// fewer instructions a row takes the more of them are fetched at a time.
func (v isa) rowDots() {
	v.text("rowDots", "func(dst, data *float64, stride int, places *uint64, theta *float64, m, all int)")
	dst, data, stride, places, theta, m := load("dst"), load("data"), load("stride"), load("places"), load("theta"), load("m")
	SHLQ(operand.U8(3), stride) // bytes
	k := load("all")            // from −all to 0, beyond the ends of dst and places
	LEAQ(at(dst, k, 8, 0), dst)
	LEAQ(at(places, k, 8, 0), places)
	NEGQ(k)
	left := GP64() // of theta's rows
	MOVQ(m, left)
	group := v.lanes
	registers := 8 / v.lanes // of a row's eight running sums
	next := func(rows, vector string) {
		ADDQ(operand.U32(group), k)
		JZ(operand.LabelRef("done"))
		SUBQ(operand.U32(group), left)
		JNZ(operand.LabelRef(rows))
		MOVQ(m, left)
		ADDQ(stride, theta)
		JMP(operand.LabelRef(vector))
	}
	widths := 0
	if v.wide() {
		widths = 4
	}
	for w := 1; w <= widths; w++ {
		CMPQ(stride, operand.U32(64*w))
		JE(operand.LabelRef(fmt.Sprintf("theta%d", w)))
	}
	sums := v.regs(group * registers)
	Label("rows")
	for part := range group / 4 { // whose addresses fit the registers
		var p [4]reg.GPVirtual
		for i := range p {
			p[i] = GP64()
			MOVQ(at(places, k, 8, 8*(4*part+i)), p[i])
			ADDQ(data, p[i])
		}
		s := sums[part*4*registers:][:4*registers]
		for i := range s {
			v.xor(s[i], s[i], s[i])
		}
		j := GP64()
		XORQ(j, j)
		l := fmt.Sprintf("columns%d", part)
		Label(l)
		for h := range registers {
			t := v.reg()
			VMOVUPD(at(theta, j, 1, h*v.size()), t)
			for i := range p {
				VFMADD231PD(at(p[i], j, 1, h*v.size()), t, s[i*registers+h])
			}
		}
		ADDQ(operand.U32(64), j)
		CMPQ(j, stride)
		JL(operand.LabelRef(l))
	}
	if v.wide() {
		VMOVUPD(v.sum8(sums), at(dst, k, 8, 0))
	} else {
		low, high := v.sum4(sums[0], sums[2], sums[4], sums[6]), v.sum4(sums[1], sums[3], sums[5], sums[7])
		VADDPD(high, low, low)
		VMOVUPD(low, at(dst, k, 8, 0))
	}
	next("rows", "rows")
	for w := 1; w <= widths; w++ {
		rows, vector := fmt.Sprintf("rows%d", w), fmt.Sprintf("theta%d", w)
		Label(vector)
		t := v.regs(w)
		for h := range t {
			VMOVUPD(at(theta, nil, 0, 64*h), t[h])
		}
		Label(rows)
		sums := v.regs(group)
		for i, s := range sums {
			p := GP64()
			MOVQ(at(places, k, 8, 8*i), p)
			v.xor(s, s, s)
			for h := range t {
				VFMADD231PD(at(p, data, 1, 64*h), t[h], s)
			}
		}
		VMOVUPD(v.sum8(sums), at(dst, k, 8, 0))
		next(rows, vector)
	}
	Label("done")
	end()
}

// sum4 returns (s0+s1)+(s2+s3) of each of four AVX2 registers.
func (v isa) sum4(a, b, c, d vec) vec {
	VHADDPD(b, a, a)
	VHADDPD(d, c, c)
	low, high := v.reg(), v.reg()
	VPERM2F128(operand.U8(0x20), c, a, low)
	VPERM2F128(operand.U8(0x31), c, a, high)
	VADDPD(high, low, low)
	return low
}

// sum8 returns ((s0+s1)+(s2+s3))+((s4+s5)+(s6+s7)) of each of eight AVX-512 registers.
func (v isa) sum8(s []vec) vec {
	next := make([]vec, 0, 4)
	for i := 0; i < 8; i += 2 {
		a, b := v.reg(), v.reg()
		VUNPCKLPD(s[i+1], s[i], a)
		VUNPCKHPD(s[i+1], s[i], b)
		VADDPD(b, a, a)
		next = append(next, a)
	}
	for len(next) > 1 {
		half := next[:0]
		for i := 0; i < len(next); i += 2 {
			a, b := v.reg(), v.reg()
			VSHUFF64X2(operand.U8(0x88), next[i+1], next[i], a)
			VSHUFF64X2(operand.U8(0xdd), next[i+1], next[i], b)
			VADDPD(b, a, a)
			half = append(half, a)
		}
		next = half
	}
	return next[0]
}

// rowSum takes blocks of up to four (AVX2: two) times eight columns, for each of several
// sums of m rows, and adds a times the base to each.
func (v isa) rowSum() {
	v.text("rowSum", "func(dst, data *float64, stride int, places *uint64, c *float64, m, sums int, a float64, base *float64)")
	dst, data, stride, places, c, m := load("dst"), load("data"), load("stride"), load("places"), load("c"), load("m")
	sums, base := load("sums"), load("base")
	a, err := Param("a").Resolve()
	if err != nil {
		panic(err)
	}
	factor := v.broadcast(a.Addr)
	SHLQ(operand.U8(3), stride)
	k, left := GP64(), GP64()
	registers := 8 / v.lanes
	widths := []int{4, 3, 2, 1}
	if !v.wide() {
		widths = []int{2, 1}
	}
	Label("next")
	MOVQ(stride, left)
	for _, w := range widths {
		name := fmt.Sprintf("%d", w)
		Label("block" + name)
		CMPQ(left, operand.U32(64*w))
		JL(operand.LabelRef("end" + name))
		even, odd := v.regs(w*registers), v.regs(w*registers)
		for i := range even {
			v.xor(even[i], even[i], even[i])
			v.xor(odd[i], odd[i], odd[i])
		}
		XORQ(k, k)
		one := func(s []vec, d int) {
			p, f := GP64(), v.reg()
			MOVQ(at(places, k, 8, 8*d), p)
			VBROADCASTSD(at(c, k, 8, 8*d), f)
			for i := range s {
				VFMADD231PD(at(p, data, 1, i*v.size()), f, s[i])
			}
		}
		for _, n := range []int{8, 2} {
			Label(fmt.Sprintf("rows%dof%d", n, w))
			ADDQ(operand.U32(n), k)
			CMPQ(k, m)
			JG(operand.LabelRef(fmt.Sprintf("fewer%dof%d", n, w)))
			for i := range n {
				one([][]vec{even, odd}[i%2], i-n)
			}
			JMP(operand.LabelRef(fmt.Sprintf("rows%dof%d", n, w)))
			Label(fmt.Sprintf("fewer%dof%d", n, w))
			SUBQ(operand.U32(n), k)
		}
		CMPQ(k, m)
		JE(operand.LabelRef("store" + name))
		one(even, 0)
		Label("store" + name)
		for i := range even {
			VADDPD(odd[i], even[i], even[i])
			VFMADD231PD(at(base, nil, 0, i*v.size()), factor, even[i])
			VMOVUPD(even[i], at(dst, nil, 0, i*v.size()))
		}
		for _, p := range []reg.GPVirtual{dst, data, base} {
			ADDQ(operand.U32(64*w), p)
		}
		SUBQ(operand.U32(64*w), left)
		JMP(operand.LabelRef("block" + name))
		Label("end" + name)
	}
	SUBQ(stride, data)
	LEAQ(at(places, m, 8, 0), places)
	LEAQ(at(c, m, 8, 0), c)
	DECQ(sums)
	JNZ(operand.LabelRef("next"))
	end()
}

// locate multiplies whole vectors of numbers by the size of a row, and returns 0 if all are
// below the number of rows.
func (v isa) locate() {
	v.text("locate", "func(places *uint64, idx *uint32, n int, size, rows uint64) int")
	places, idx, n := load("places"), load("idx"), load("n")
	size, rows, most := v.reg(), v.reg(), v.reg()
	for i, name := range []string{"size", "rows"} {
		a, err := Param(name).Resolve()
		if err != nil {
			panic(err)
		}
		VPBROADCASTQ(a.Addr, []vec{size, rows}[i])
	}
	v.xor(most, most, most)
	i := GP64()
	XORQ(i, i)
	Label("loop")
	x := v.reg()
	VPMOVZXDQ(at(idx, i, 4, 0), x)
	VPMAXUD(x, most, most)
	VPMULUDQ(size, x, x)
	v.storeWords(x, at(places, i, 8, 0))
	ADDQ(operand.U32(v.lanes), i)
	CMPQ(i, n)
	JL(operand.LabelRef("loop"))
	bad := GP64()
	if v.wide() {
		k := K()
		VPCMPUQ(operand.U8(5), rows, most, k) // not below
		KMOVW(k, bad.As32())
	} else {
		VPCMPGTQ(most, rows, most)
		VMOVMSKPD(most, bad.As32())
		XORQ(operand.U32(15), bad)
	}
	Store(bad, ReturnIndex(0))
	end()
}

// storeWords stores a vector of words.
func (v isa) storeWords(x vec, m operand.Mem) {
	if v.wide() {
		VMOVDQU64(x, m)
	} else {
		VMOVDQU(x, m)
	}
}

// indices maps whole vectors of words and leaves the running minimum of the low halves
// of the products in least.
func (v isa) indices() {
	v.text("indices", "func(dst *uint32, words *uint64, n int, size uint64, least *[8]uint64)")
	dst, words, n := load("dst"), load("words"), load("n")
	a, err := Param("size").Resolve()
	if err != nil {
		panic(err)
	}
	size, high, least := v.reg(), v.reg(), v.reg()
	VPBROADCASTQ(a.Addr, size)
	VPBROADCASTQ(word(0xffffffff<<32), high)
	if v.wide() {
		VPTERNLOGD(operand.U8(0xff), least, least, least)
	} else {
		VPCMPEQD(least, least, least)
	}
	i := GP64()
	XORQ(i, i)
	Label("loop")
	w, p, q, t := v.reg(), v.reg(), v.reg(), v.reg()
	if v.wide() {
		VMOVDQU64(at(words, i, 8, 0), w)
	} else {
		VMOVDQU(at(words, i, 8, 0), w)
	}
	VPMULUDQ(size, w, p)
	VPSRLQ(operand.U8(32), w, q)
	VPMULUDQ(size, q, q)
	for _, x := range []vec{p, q} {
		v.or(high, x, t)
		VPMINUD(t, least, least)
	}
	VPSRLQ(operand.U8(32), p, p)
	v.and(high, q, q)
	v.or(q, p, p)
	v.storeWords(p, at(dst, i, 8, 0))
	ADDQ(operand.U32(v.lanes), i)
	CMPQ(i, n)
	JL(operand.LabelRef("loop"))
	l := load("least")
	for i := range 8 / v.lanes {
		v.storeWords(least, at(l, nil, 0, i*v.size()))
	}
	end()
}

// repack copies rows of some columns from one stride to another, in bytes.
func (v isa) repack() {
	v.text("repack", "func(dst *float64, ldd int, src *float64, lds, cols, rows int)")
	dst, ldd, src, lds, cols, rows := load("dst"), load("ldd"), load("src"), load("lds"), load("cols"), load("rows")
	tail := GP64()
	MOVQ(cols, tail)
	ANDQ(operand.U32(v.lanes-1), tail)
	SUBQ(tail, cols) // whole vectors
	var k reg.Register
	mask := v.reg()
	if v.wide() {
		k, _ = lowMask(tail)
	} else {
		t, i := GP64(), GP64()
		LEAQ(table("tailMask", []uint64{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 0, 0, 0, 0}), t)
		MOVQ(operand.U32(3), i)
		SUBQ(tail, i)
		VMOVUPD(at(t, i, 8, 0), mask)
	}
	Label("row")
	j := GP64()
	XORQ(j, j)
	Label("loop")
	CMPQ(j, cols)
	JGE(operand.LabelRef("tail"))
	x := v.reg()
	VMOVUPD(at(src, j, 8, 0), x)
	VMOVUPD(x, at(dst, j, 8, 0))
	ADDQ(operand.U32(v.lanes), j)
	JMP(operand.LabelRef("loop"))
	Label("tail")
	if v.wide() {
		VMOVUPD_Z(at(src, j, 8, 0), k, x)
		VMOVUPD(x, k, at(dst, j, 8, 0))
	} else {
		VMASKMOVPD(at(src, j, 8, 0), mask, x)
		VMASKMOVPD(x, mask, at(dst, j, 8, 0))
	}
	ADDQ(ldd, dst)
	ADDQ(lds, src)
	DECQ(rows)
	JNZ(operand.LabelRef("row"))
	end()
}
