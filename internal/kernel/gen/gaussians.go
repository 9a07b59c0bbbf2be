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
	maxPow = 1000

	powA = 0x1.62e42fefa39fdp-1
	powB = 0x1.ebfbdff82c5b1p-3
	powC = 0x1.c6b08d6e854fcp-5
	powD = 0x1.3b2ab6f8945d2p-7
	powE = 0x1.5d89c0bdc3372p-10
	powF = 0x1.430cbb4d15e14p-13
)

// genGaussians generates the gradient of a sum of Gaussians at n points; the
// AVX2 form wants n to be a multiple of 4. A term is six numbers: x, y, a11, a12,
// a22, c.
func genGaussians(v isa) {
	v.text("gaussians", "func(dst, xy *float64, n int, terms *float64, count int)")
	dst := Load(Param("dst"), GP64())
	xy := Load(Param("xy"), GP64())
	n := Load(Param("n"), GP64()).(reg.GPVirtual)
	terms := Load(Param("terms"), GP64())
	count := Load(Param("count"), GP64())
	bits := words(pow2)
	for j := range bits {
		bits[j] -= uint64(j) << 48
	}
	tab := v.lookup("pow2BitsTable", bits)
	IMUL3Q(operand.U32(48), count, count)
	ADDQ(terms, count)
	do := func(copies int, suffix string, k []reg.Register) {
		x, y, fx, fy := v.regs(copies), v.regs(copies), v.regs(copies), v.regs(copies)
		for i := range x {
			a, b := v.reg(), v.reg()
			if k != nil {
				VMOVUPD_Z(at(xy, nil, 0, 0), k[0], a)
				VMOVUPD_Z(at(xy, nil, 0, v.size()), k[1], b)
			} else {
				VMOVUPD(at(xy, nil, 0, 2*i*v.size()), a)
				VMOVUPD(at(xy, nil, 0, (2*i+1)*v.size()), b)
			}
			VUNPCKLPD(b, a, x[i])
			VUNPCKHPD(b, a, y[i])
			v.xor(fx[i], fx[i], fx[i])
			v.xor(fy[i], fy[i], fy[i])
		}
		term := GP64()
		MOVQ(terms, term)
		CMPQ(term, count)
		JGE(operand.LabelRef("terms_end" + suffix))
		Label("terms" + suffix)
		par := func(j int) operand.Op {
			m := at(term, nil, 0, 8*j)
			if v.wide() {
				return m
			}
			return v.broadcast(m)
		}
		dx, dy, hx, hy, t, s := v.regs(copies), v.regs(copies), v.regs(copies), v.regs(copies), v.regs(copies), v.regs(copies)
		each := func(f func(i int)) {
			for i := range copies {
				f(i)
			}
		}
		p0 := par(0)
		each(func(i int) { v.sub(p0, x[i], dx[i]) })
		p1 := par(1)
		each(func(i int) { v.sub(p1, y[i], dy[i]) })
		p2 := par(2)
		each(func(i int) { v.mul(p2, dx[i], hx[i]) })
		p4 := par(4)
		each(func(i int) { v.mul(p4, dy[i], hy[i]) })
		p3 := par(3)
		each(func(i int) { v.fma231(p3, dy[i], hx[i]) })
		each(func(i int) { v.fma231(p3, dx[i], hy[i]) })
		each(func(i int) { v.mul(hy[i], dy[i], t[i]) })
		each(func(i int) { v.fma231(hx[i], dx[i], t[i]) })
		each(func(i int) { v.max(num(-maxPow), t[i], t[i]) })
		each(func(i int) { v.min(num(maxPow), t[i], t[i]) })
		each(func(i int) { v.add(num(round), t[i], s[i]) })
		each(func(i int) { v.sub(num(round), s[i], dx[i]) })
		each(func(i int) { v.sub(dx[i], t[i], t[i]) }) // r
		each(func(i int) { v.get(tab, s[i], dy[i]) })
		each(func(i int) { VPSLLQ(operand.U8(48), s[i], s[i]) })
		each(func(i int) { VPADDQ(s[i], dy[i], dy[i]) }) // e
		p := v.regs(copies)
		v.horner(t, p, powF, powE, powD, powC, powB, powA)
		each(func(i int) { v.mul(t[i], p[i], p[i]) })
		each(func(i int) { v.fma213(dy[i], dy[i], p[i]) })
		p5 := par(5)
		each(func(i int) { v.mul(p5, p[i], p[i]) })
		each(func(i int) { v.fma231(hx[i], p[i], fx[i]) })
		each(func(i int) { v.fma231(hy[i], p[i], fy[i]) })
		ADDQ(operand.U32(48), term)
		CMPQ(term, count)
		JL(operand.LabelRef("terms" + suffix))
		Label("terms_end" + suffix)
		for i := range x {
			VUNPCKLPD(fy[i], fx[i], x[i])
			VUNPCKHPD(fy[i], fx[i], y[i])
			if k != nil {
				VMOVUPD(x[i], k[0], at(dst, nil, 0, 0))
				VMOVUPD(y[i], k[1], at(dst, nil, 0, v.size()))
			} else {
				VMOVUPD(x[i], at(dst, nil, 0, 2*i*v.size()))
				VMOVUPD(y[i], at(dst, nil, 0, (2*i+1)*v.size()))
			}
		}
	}
	if v.wide() {
		Label("two")
		CMPQ(n, operand.U32(16))
		JL(operand.LabelRef("single"))
		do(2, "2", nil)
		ADDQ(operand.U32(256), dst)
		ADDQ(operand.U32(256), xy)
		SUBQ(operand.U32(16), n)
		JMP(operand.LabelRef("two"))
	}
	Label("single")
	CMPQ(n, operand.U32(v.lanes))
	JL(operand.LabelRef("tail"))
	do(1, "1", nil)
	ADDQ(operand.U32(2*v.size()), dst)
	ADDQ(operand.U32(2*v.size()), xy)
	SUBQ(operand.U32(v.lanes), n)
	JMP(operand.LabelRef("single"))
	Label("tail")
	if v.wide() {
		TESTQ(n, n)
		JZ(operand.LabelRef("done"))
		ADDQ(n, n)
		m, one := GP64(), GP64()
		MOVQ(operand.U32(1), one)
		SHLXQ(n, one, m)
		DECQ(m)
		k0, k1 := K(), K()
		KMOVB(m.As32(), k0)
		SHRQ(operand.U8(8), m)
		KMOVB(m.As32(), k1)
		do(1, "0", []reg.Register{k0, k1})
		Label("done")
	}
	end()
}
