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

// row sets p to the address of row idx[k+d] plus the column offset in bytes, and jumps to
// bad if there is no such row.
func row(p reg.GPVirtual, idx, k reg.Register, d int, n, stride, data reg.GPVirtual, bad string) {
	MOVL(at(idx, k, 4, 4*d), p.As32())
	CMPQ(p, n)
	JAE(operand.LabelRef(bad))
	IMULQ(stride, p)
	ADDQ(data, p)
}

func load(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

func genRows(v isa) {
	v.rowDots()
	v.rowSum()
	v.indices()
	v.repack()
	v.stream(stream{
		name: "over1p", sig: "func(dst, x *float64, n int, a float64)",
		in: []string{"x"}, out: "dst", scalars: []string{"a"}, unroll: 4,
		body: func(in [][]vec, s []vec) []operand.Op {
			for _, x := range in[0] {
				v.add(v.broadcast(num(1)), x, x)
			}
			for _, x := range in[0] {
				VDIVPD(x, s[0], x)
			}
			return ops(in[0])
		},
	})
}

// rowDots takes 8 rows at a time (AVX2: 4), in parts of 4 whose addresses fit the
// registers, of which m belong to one theta; all is the total, and both are multiples of
// that. It returns how many are left from the first group with an index that is out of
// range, or 0.
func (v isa) rowDots() {
	v.text("rowDots", "func(dst, data *float64, stride, n int, idx *uint32, theta *float64, m, all int) int")
	dst, data, stride, n, idx, theta, m := load("dst"), load("data"), load("stride"), load("n"), load("idx"), load("theta"), load("m")
	SHLQ(operand.U8(3), stride) // bytes
	k := load("all")            // from −all to 0, beyond the ends of dst and idx
	LEAQ(at(dst, k, 8, 0), dst)
	LEAQ(at(idx, k, 4, 0), idx)
	NEGQ(k)
	left := GP64() // of theta's rows
	MOVQ(m, left)
	group := v.lanes
	Label("loop")
	parts := group / 4
	registers := 8 / v.lanes // of a row's eight running sums
	sums := v.regs(group * registers)
	for part := range parts {
		var p [4]reg.GPVirtual
		for i := range p {
			p[i] = GP64()
			row(p[i], idx, k, 4*part+i, n, stride, data, "done")
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
	ADDQ(operand.U32(group), k)
	JZ(operand.LabelRef("done"))
	SUBQ(operand.U32(group), left)
	JNZ(operand.LabelRef("loop"))
	MOVQ(m, left)
	ADDQ(stride, theta)
	JMP(operand.LabelRef("loop"))
	Label("done")
	NEGQ(k)
	Store(k, ReturnIndex(0))
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
// sums of m rows, and fetches the rows ahead into the cache as it goes. It returns how many
// sums are left when an index was out of range, or 0.
func (v isa) rowSum() {
	v.text("rowSum", "func(dst, data *float64, stride, n int, idx, ahead *uint32, c *float64, m, sums int) int")
	dst, data, stride, n, idx, ahead, c, m := load("dst"), load("data"), load("stride"), load("n"), load("idx"), load("ahead"), load("c"), load("m")
	sums := load("sums")
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
		a, b := v.regs(w*registers), v.regs(w*registers)
		for i := range a {
			v.xor(a[i], a[i], a[i])
			v.xor(b[i], b[i], b[i])
		}
		XORQ(k, k)
		one := func(s []vec, d int) {
			p, f := GP64(), v.reg()
			row(p, idx, k, d, n, stride, data, "bad")
			VBROADCASTSD(at(c, k, 8, 8*d), f)
			for i := range s {
				VFMADD231PD(at(p, nil, 0, i*v.size()), f, s[i])
			}
			MOVL(at(ahead, k, 4, 4*d), p.As32())
			IMULQ(stride, p)
			for i := range w {
				PREFETCHT0(at(p, data, 1, 64*i))
			}
		}
		Label("pairs" + name)
		ADDQ(operand.U32(2), k)
		CMPQ(k, m)
		JG(operand.LabelRef("last" + name))
		one(a, -2)
		one(b, -1)
		JMP(operand.LabelRef("pairs" + name))
		Label("last" + name)
		SUBQ(operand.U32(2), k)
		CMPQ(k, m)
		JE(operand.LabelRef("store" + name))
		one(a, 0)
		Label("store" + name)
		for i := range a {
			VADDPD(b[i], a[i], a[i])
			VMOVUPD(a[i], at(dst, nil, 0, i*v.size()))
		}
		ADDQ(operand.U32(64*w), dst)
		ADDQ(operand.U32(64*w), data)
		SUBQ(operand.U32(64*w), left)
		JMP(operand.LabelRef("block" + name))
		Label("end" + name)
	}
	SUBQ(stride, data)
	LEAQ(at(idx, m, 4, 0), idx)
	LEAQ(at(ahead, m, 4, 0), ahead)
	LEAQ(at(c, m, 8, 0), c)
	DECQ(sums)
	JNZ(operand.LabelRef("next"))
	Label("bad")
	Store(sums, ReturnIndex(0))
	end()
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
	if v.wide() {
		VMOVDQU64(p, at(dst, i, 8, 0))
	} else {
		VMOVDQU(p, at(dst, i, 8, 0))
	}
	ADDQ(operand.U32(v.lanes), i)
	CMPQ(i, n)
	JL(operand.LabelRef("loop"))
	l := load("least")
	if v.wide() {
		VMOVDQU64(least, at(l, nil, 0, 0))
	} else {
		VMOVDQU(least, at(l, nil, 0, 0))
		VMOVDQU(least, at(l, nil, 0, 32))
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
