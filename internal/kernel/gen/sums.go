// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sum generates a loop that adds element i to s[i mod 32]. The AVX2 form wants a
// length that is a multiple of 32 and leaves s; the AVX-512 form has no s and
// returns the total.
func (v isa) sum(name, sig string, in []string, scalar string, do func(s vec, in []vec, c vec, k reg.Register)) {
	if v.wide() {
		sig = strings.Replace(sig, "s *[32]float64, ", "", 1) + " float64"
	}
	v.text(name, sig)
	var ptr []reg.Register
	for _, p := range in {
		ptr = append(ptr, Load(Param(p), GP64()))
	}
	n := Load(Param("n"), GP64()).(reg.GPVirtual)
	var c vec
	if scalar != "" {
		a, err := Param(scalar).Resolve()
		if err != nil {
			panic(err)
		}
		c = v.broadcast(a.Addr)
	}
	i := GP64()
	XORQ(i, i)
	s := v.regs(32 / v.lanes)
	for l := range s {
		v.xor(s[l], s[l], s[l])
	}
	Label("loop")
	CMPQ(n, operand.U32(32))
	JL(operand.LabelRef("tail"))
	for l := range s {
		r := v.regs(len(in))
		for a := range r {
			VMOVUPD(at(ptr[a], i, 8, l*v.size()), r[a])
		}
		do(s[l], r, c, nil)
	}
	ADDQ(operand.U32(32), i)
	SUBQ(operand.U32(32), n)
	JMP(operand.LabelRef("loop"))
	Label("tail")
	if v.wide() {
		TESTQ(n, n)
		JZ(operand.LabelRef("done"))
		m, one := GP64(), GP64()
		MOVQ(operand.U32(1), one)
		SHLXQ(n, one, m)
		DECQ(m)
		for l := range s {
			k := K()
			KMOVB(m.As32(), k)
			r := v.regs(len(in))
			for a := range r {
				VMOVUPD_Z(at(ptr[a], i, 8, l*v.size()), k, r[a])
			}
			do(s[l], r, c, k)
			if l < len(s)-1 {
				SHRQ(operand.U8(8), m)
			}
		}
		Label("done")
		VADDPD(s[1], s[0], s[0])
		VADDPD(s[3], s[2], s[2])
		VADDPD(s[2], s[0], s[0])
		y, h := YMM(), YMM()
		VEXTRACTF64X4(operand.U8(0), s[0], y)
		VEXTRACTF64X4(operand.U8(1), s[0], h)
		VADDPD(h, y, y)
		a, b := XMM(), XMM()
		VEXTRACTF128(operand.U8(0), y, a)
		VEXTRACTF128(operand.U8(1), y, b)
		VADDPD(b, a, a)
		VUNPCKHPD(a, a, b)
		VADDSD(b, a, a)
		Store(a, ReturnIndex(0))
		end()
		return
	}
	sp := Load(Param("s"), GP64())
	for l := range s {
		VMOVUPD(s[l], at(sp, nil, 0, l*v.size()))
	}
	end()
}

func genSums(v isa) {
	v.sum("dot", "func(s *[32]float64, x, y *float64, n int)", []string{"x", "y"}, "", func(s vec, in []vec, _ vec, k reg.Register) {
		if k != nil {
			VFMADD231PD(in[1], in[0], k, s)
			return
		}
		VFMADD231PD(in[1], in[0], s)
	})
	v.sum("sum", "func(s *[32]float64, x *float64, n int)", []string{"x"}, "", func(s vec, in []vec, _ vec, k reg.Register) {
		if k != nil {
			VADDPD(in[0], s, k, s)
			return
		}
		VADDPD(in[0], s, s)
	})
	v.sum("sumSquares", "func(s *[32]float64, x *float64, n int, c float64)", []string{"x"}, "c", func(s vec, in []vec, c vec, k reg.Register) {
		VSUBPD(c, in[0], in[0])
		if k != nil {
			VFMADD231PD(in[0], in[0], k, s)
			return
		}
		VFMADD231PD(in[0], in[0], s)
	})
}
