// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	log2e = 0x1.71547652b82fep+0
	ln2lo = 0x1.abc9e3b39803fp-56
	round = 0x1.8p48
	expLo = -746
	expHi = 710

	exp2 = 0x1.fffffffffffb9p-2
	exp3 = 0x1.555555548f84fp-3
	exp4 = 0x1.55555558f7188p-5
	exp5 = 0x1.11123ab188920p-7
	exp6 = 0x1.6c14cc731964ap-10
)

var pow2 = []float64{
	0x1.0000000000000p+0, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0, 0x1.2387a6e756238p+0,
	0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0, 0x1.4bfdad5362a27p+0, 0x1.5ab07dd485429p+0,
	0x1.6a09e667f3bcdp+0, 0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0, 0x1.9c49182a3f090p+0,
	0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0, 0x1.d5818dcfba487p+0, 0x1.ea4afa2a490dap+0,
}

var pow2Rest = []float64{
	0, 0x1.79aa65d837b6dp-54, -0x1.01b15eaa59348p-55, 0x1.68efde3a8a894p-54,
	0x1.34d754db0abb6p-55, 0x1.59f48a72a4c6dp-55, 0x1.690cebb7aafb0p-56, 0x1.063e1e21c5409p-54,
	-0x1.3b3efbf5e2228p-54, -0x1.b32dcb94da51dp-56, 0x1.db72fc1f0eab4p-55, 0x1.1affc2b91ce27p-56,
	0x1.c1a7792cb3387p-55, 0x1.36eae30af0cb3p-56, 0x1.4a385a63d07a7p-56, -0x1.ff7128fd391f0p-55,
}

func words(x []float64) []uint64 {
	w := make([]uint64, len(x))
	for i := range x {
		w[i] = math.Float64bits(x[i])
	}
	return w
}

// lookup is a table of 16 words: two registers, or memory to gather from.
type lookup struct {
	lo, hi vec
	base   reg.Register
}

func (v isa) lookup(name string, data []uint64) lookup {
	t := table(name, data)
	if v.wide() {
		l := lookup{lo: v.reg(), hi: v.reg()}
		VMOVUPD(t, l.lo)
		VMOVUPD(t.Offset(64), l.hi)
		return l
	}
	b := GP64()
	LEAQ(t, b)
	return lookup{base: b}
}

// get sets dst to the entries that the low four bits of s name.
func (v isa) get(l lookup, s, dst vec) {
	if v.wide() {
		VMOVAPD(s, dst)
		VPERMI2PD(l.hi, l.lo, dst)
		return
	}
	i, m := v.reg(), v.reg()
	VPAND(word(15), s, i)
	VPCMPEQQ(m, m, m)
	VGATHERQPD(m, operand.Mem{Base: l.base, Index: i, Scale: 8}, dst)
}

// exp returns the exponentials of some vectors, which it changes.
func (v isa) exp(x []vec, main, rest lookup) []vec {
	n := len(x)
	s, t, r, p, f := v.regs(n), v.regs(n), v.regs(n), v.regs(n), v.regs(n)
	lo, hi := v.broadcast(num(expLo)), v.broadcast(num(expHi))
	for i := range x {
		VMINPD(x[i], hi, x[i]) // a NaN in x stays
	}
	for i := range x {
		VMAXPD(x[i], lo, x[i])
	}
	for i := range x {
		VMOVAPD(x[i], s[i])
		c := v.broadcast(num(log2e))
		VFMADD213PD(v.broadcast(num(round)), c, s[i])
	}
	for i := range x {
		v.sub(num(round), s[i], t[i])
	}
	for i := range x {
		VMOVAPD(x[i], r[i])
		v.fma231(num(-ln2), t[i], r[i])
		v.fma231(num(-ln2lo), t[i], r[i])
	}
	v.horner(r, p, exp6, exp5, exp4, exp3, exp2, 1)
	for i := range x {
		l := v.reg()
		v.get(rest, s[i], l)
		VFMADD213PD(l, r[i], p[i])
	}
	for i := range x {
		v.get(main, s[i], f[i])
		VFMADD213PD(f[i], f[i], p[i])
	}
	for i := range x {
		if v.wide() {
			VSCALEFPD(t[i], p[i], p[i])
		} else {
			v.scale(s[i], p[i])
		}
	}
	return p
}

func genExpLog(v isa) {
	for _, overOnePlus := range []bool{false, true} {
		f := stream{
			name: "exp", sig: "func(dst, x *float64, n int)", in: []string{"x"}, out: "dst",
			unroll: map[bool]int{true: 2, false: 1}[v.wide()],
		}
		if overOnePlus {
			f.name, f.sig, f.scalars = "sigmoid", "func(dst, x *float64, n int, a float64)", []string{"a"}
		}
		var main, rest lookup
		f.setup = func([]vec) {
			main = v.lookup("pow2Table", words(pow2))
			rest = v.lookup("pow2RestTable", words(pow2Rest))
		}
		f.body = func(in [][]vec, s []vec) []operand.Op {
			e := v.exp(in[0], main, rest)
			if overOnePlus {
				for _, x := range e {
					v.add(v.broadcast(num(1)), x, x)
				}
				for _, x := range e {
					VDIVPD(x, s[0], x)
				}
			}
			return ops(e)
		}
		v.stream(f)
	}

	// Log stops before a vector that holds something else than normal positive
	// numbers and returns how far it came.
	v.text("log", "func(dst, x *float64, n int) int")
	dst := Load(Param("dst"), GP64())
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	i := GP64()
	XORQ(i, i)
	k := v.normalConstants()
	Label("loop")
	ADDQ(operand.U32(v.lanes), i)
	CMPQ(i, n)
	JG(operand.LabelRef("done"))
	u := []vec{v.reg()}
	VMOVUPD(at(x, i, 8, -v.size()), u[0])
	t := v.reg()
	v.addq(word(neg(1<<52)), u[0], t)
	if v.wide() {
		m := K()
		VPCMPUQ(operand.U8(5), v.broadcast(word(0x7fe<<52)), t, m)
		KORTESTB(m, m)
		JNZ(operand.LabelRef("done"))
	} else {
		// Unsigned comparison by signed: flip the sign bits.
		v.xor(word(signBit), t, t)
		limit := v.reg()
		VMOVDQU(word(0x7fe<<52^signBit), limit)
		VPCMPGTQ(t, limit, t) // limit > t
		b := GP32()
		VMOVMSKPD(t, b)
		CMPL(b, operand.U32(15))
		JNE(operand.LabelRef("done"))
	}
	r := v.log(u, k, 1, func() {})
	VMOVUPD(r[0], at(dst, i, 8, -v.size()))
	JMP(operand.LabelRef("loop"))
	Label("done")
	SUBQ(operand.U32(v.lanes), i)
	Store(i, ReturnIndex(0))
	end()
}

// scale multiplies p by 2^⌊t⌋ where s holds t in sixteenths, by two factors.
func (v isa) scale(s, p vec) {
	// n = ⌊k/16⌋, h = ⌊n/2⌋: there is no arithmetic shift of 64 bits, so k is made positive first.
	k, h := v.reg(), v.reg()
	VPADDQ(word(neg(0x42f8000000000000-1<<20)), s, k)
	VPSRLQ(operand.U8(4), k, k) // n + 2¹⁶
	VPSRLQ(operand.U8(1), k, h) // h + 2¹⁵
	VPSUBQ(h, k, k)             // n−h + 2¹⁵
	VPADDQ(word(neg(1<<15-1023)), h, h)
	VPADDQ(word(neg(1<<15-1023)), k, k)
	VPSLLQ(operand.U8(52), h, h)
	VPSLLQ(operand.U8(52), k, k)
	VMULPD(h, p, p)
	VMULPD(k, p, p)
}

// neg returns −x modulo 2⁶⁴.
func neg(x uint64) uint64 { return -x }
