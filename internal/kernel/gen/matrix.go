// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const panel = 24

// genMatrix generates the product of a few rows with one to three vectors of
// columns of a panel. The AVX-512 form stores the last vector under a mask; the
// AVX2 form knows three vectors only.
func genMatrix(v isa) {
	rows, vecs := []int{4, 1}, []int{3}
	if v.wide() {
		rows, vecs = []int{8, 4, 1}, []int{1, 2, 3}
	}
	for _, r := range rows {
		for _, c := range vecs {
			genBlock(v, r, c)
		}
	}
}

func genBlock(v isa, rows, vecs int) {
	name := "block" + string(rune('0'+rows)) + "x" + string(rune('0'+vecs))
	v.text(name, "func(dst *float64, ldd int, x *float64, ldx int, panel *float64, k int, mask uint64, add bool)")
	dst := Load(Param("dst"), GP64())
	ldd := Load(Param("ldd"), GP64())
	x := Load(Param("x"), GP64())
	ldx := Load(Param("ldx"), GP64())
	b := Load(Param("panel"), GP64())
	k := Load(Param("k"), GP64())
	var mask reg.Register
	if v.wide() {
		m := Load(Param("mask"), GP64()).(reg.GPVirtual)
		mask = K()
		KMOVB(m.As32(), mask)
	}
	add := Load(Param("add"), GP8())
	SHLQ(operand.U8(3), ldd)
	SHLQ(operand.U8(3), ldx)
	// Three rows from each base.
	bases := func(p, ld reg.Register) (at func(row, disp int) operand.Mem, all []reg.Register) {
		for i := 0; i < rows; i += 3 {
			q := GP64()
			if i == 0 {
				MOVQ(p, q)
			} else {
				LEAQ(operand.Mem{Base: all[len(all)-1], Index: ld, Scale: 2}, q)
				ADDQ(ld, q)
			}
			all = append(all, q)
		}
		return func(row, disp int) operand.Mem {
			m := operand.Mem{Base: all[row/3], Disp: disp}
			if row%3 > 0 {
				m.Index, m.Scale = ld, uint8(row%3)
			}
			return m
		}, all
	}
	acc := make([][]vec, rows)
	for i := range acc {
		acc[i] = v.regs(vecs)
		for _, a := range acc[i] {
			v.xor(a, a, a)
		}
	}
	out, _ := bases(dst, ldd)
	TESTB(add, add)
	JZ(operand.LabelRef("start"))
	for i := range acc {
		for j, a := range acc[i] {
			if v.wide() && j == vecs-1 {
				VMOVUPD_Z(out(i, j*v.size()), mask, a)
			} else {
				VMOVUPD(out(i, j*v.size()), a)
			}
		}
	}
	Label("start")
	row, all := bases(x, ldx)
	step := func(u int) {
		c := v.regs(vecs)
		for j := range c {
			VMOVUPD(at(b, nil, 0, 8*panel*u+j*v.size()), c[j])
		}
		for i := range acc {
			e := v.broadcast(row(i, 8*u))
			for j, a := range acc[i] {
				VFMADD231PD(c[j], e, a)
			}
		}
	}
	advance := func(u int) {
		for _, q := range all {
			ADDQ(operand.U32(8*u), q)
		}
		ADDQ(operand.U32(8*panel*u), b)
		SUBQ(operand.U32(u), k)
	}
	const unroll = 4
	Label("many")
	CMPQ(k, operand.U32(unroll))
	JL(operand.LabelRef("few"))
	for u := range unroll {
		step(u)
	}
	advance(unroll)
	JMP(operand.LabelRef("many"))
	Label("few")
	TESTQ(k, k)
	JZ(operand.LabelRef("done"))
	Label("one")
	step(0)
	advance(1)
	TESTQ(k, k)
	JNZ(operand.LabelRef("one"))
	Label("done")
	for i := range acc {
		for j, a := range acc[i] {
			if v.wide() && j == vecs-1 {
				VMOVUPD(a, mask, out(i, j*v.size()))
			} else {
				VMOVUPD(a, out(i, j*v.size()))
			}
		}
	}
	end()
}
