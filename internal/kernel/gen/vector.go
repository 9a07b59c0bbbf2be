// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func ops(r []vec) (out []operand.Op) {
	for i := range r {
		out = append(out, r[i])
	}
	return out
}

func genVector(v isa) {
	v.stream(stream{
		name: "euler", sig: "func(x, f, z *float64, n int, a, s float64)",
		in: []string{"x", "f", "z"}, out: "x", scalars: []string{"a", "s"}, unroll: 4,
		body: func(in [][]vec, s []vec) []operand.Op {
			for i, x := range in[0] {
				VFMADD231PD(in[1][i], s[0], x)
			}
			for i, x := range in[0] {
				VFMADD231PD(in[2][i], s[1], x)
			}
			return ops(in[0])
		},
	})
	v.stream(stream{
		name: "axpy", sig: "func(y, x *float64, n int, a float64)",
		in: []string{"y", "x"}, out: "y", scalars: []string{"a"}, unroll: 4,
		body: func(in [][]vec, s []vec) []operand.Op {
			for i, y := range in[0] {
				VFMADD231PD(in[1][i], s[0], y)
			}
			return ops(in[0])
		},
	})
	v.stream(stream{
		name: "cubic", sig: "func(dst, x *float64, n int, a, b float64)",
		in: []string{"x"}, out: "dst", scalars: []string{"a", "b"}, unroll: 4,
		body: func(in [][]vec, s []vec) []operand.Op {
			q := v.regs(len(in[0]))
			for i, x := range in[0] {
				VMULPD(x, x, q[i])
			}
			for i := range q {
				VFMADD213PD(s[0], s[1], q[i])
			}
			for i, x := range in[0] {
				VMULPD(x, q[i], q[i])
			}
			return ops(q)
		},
	})
	v.stream(stream{
		name: "mul", sig: "func(dst, x, y *float64, n int)", in: []string{"x", "y"}, out: "dst", unroll: 4,
		body: func(in [][]vec, _ []vec) []operand.Op {
			for i, x := range in[0] {
				VMULPD(in[1][i], x, x)
			}
			return ops(in[0])
		},
	})
	v.stream(stream{
		name: "scale", sig: "func(dst, x *float64, n int, a float64)",
		in: []string{"x"}, out: "dst", scalars: []string{"a"}, unroll: 4,
		body: func(in [][]vec, s []vec) []operand.Op {
			for _, x := range in[0] {
				VMULPD(s[0], x, x)
			}
			return ops(in[0])
		},
	})

	v.stream(stream{
		name: "bins", sig: "func(idx *uint32, x *float64, n int, lo, scale, bins float64)",
		in: []string{"x"}, out: "idx", half: true, scalars: []string{"lo", "scale", "bins"}, unroll: 4,
		body: func(in [][]vec, s []vec) (out []operand.Op) {
			low := v.broadcast(num(-1))
			inc := vec(YMM())
			if !v.wide() {
				inc = XMM()
			}
			VPCMPEQD(inc, inc, inc)
			for _, x := range in[0] {
				VSUBPD(s[0], x, x)
			}
			for _, x := range in[0] {
				VMULPD(s[1], x, x)
			}
			for _, x := range in[0] {
				VMINPD(s[2], x, x) // NaN becomes bins
			}
			for _, x := range in[0] {
				VMAXPD(low, x, x)
			}
			for _, x := range in[0] {
				if v.wide() {
					VRNDSCALEPD(operand.U8(9), x, x)
				} else {
					VROUNDPD(operand.U8(9), x, x)
				}
			}
			for _, x := range in[0] {
				if v.wide() {
					y := YMM()
					VCVTTPD2DQ(x, y)
					VPSUBD(inc, y, y)
					out = append(out, y)
				} else {
					y := XMM()
					VCVTTPD2DQY(x, y)
					VPSUBD(inc, y, y)
					out = append(out, y)
				}
			}
			return out
		},
	})

	// Finite: the bits of x−x are all zero if x is finite. The AVX2 form wants a
	// length that is a multiple of 8.
	v.text("finite", "func(x *float64, n int) bool")
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	acc := []vec{v.zero(), v.zero()}
	tail := func(k reg.Register) {
		r := v.reg()
		VMOVUPD_Z(at(x, nil, 0, 0), k, r)
		VSUBPD(r, r, r)
		v.or(r, acc[0], acc[0])
	}
	Label("loop")
	CMPQ(n, operand.U32(2*v.lanes))
	JL(operand.LabelRef("tail"))
	for i := range acc {
		r := v.reg()
		VMOVUPD(at(x, nil, 0, i*v.size()), r)
		VSUBPD(r, r, r)
		v.or(r, acc[i], acc[i])
	}
	ADDQ(operand.U32(2*v.size()), x)
	SUBQ(operand.U32(2*v.lanes), n)
	JMP(operand.LabelRef("loop"))
	Label("tail")
	if v.wide() {
		m, one := GP64(), GP64()
		MOVQ(operand.U32(1), one)
		SHLXQ(n, one, m)
		DECQ(m)
		k := K()
		KMOVB(m.As32(), k)
		tail(k)
		SHRQ(operand.U8(8), m)
		k = K()
		KMOVB(m.As32(), k)
		ADDQ(operand.U32(64), x)
		tail(k)
	}
	v.or(acc[1], acc[0], acc[0])
	res := GP8()
	if v.wide() {
		k := K()
		VPTESTMQ(acc[0], acc[0], k)
		KORTESTB(k, k)
	} else {
		VPTEST(acc[0], acc[0])
	}
	SETEQ(res)
	Store(res, ReturnIndex(0))
	end()
}
