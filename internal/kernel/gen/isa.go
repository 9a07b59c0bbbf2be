// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An isa is an instruction set: the width of a vector and how to say things.
type isa struct {
	name  string
	lanes int
}

var (
	avx2   = isa{"AVX2", 4}
	avx512 = isa{"AVX512", 8}
)

type vec = reg.VecVirtual

func (v isa) wide() bool { return v.lanes == 8 }
func (v isa) size() int  { return 8 * v.lanes }

func (v isa) reg() vec {
	if v.wide() {
		return ZMM()
	}
	return YMM()
}

// text begins a function.
func (v isa) text(name, sig string) {
	TEXT(name+v.name, attr.NOSPLIT, sig)
	Pragma("noescape")
	Doc(fmt.Sprintf("%s%s is a kernel in assembly.", name, v.name))
}

// end returns from a function.
func end() {
	VZEROUPPER()
	RET()
}

// Constants: each is one word, four times.
var constants = map[uint64]int{}
var constantOrder []uint64

const constantName = "constants"

// word returns the operand of a constant of 64 bits.
func word(c uint64) operand.Mem {
	i, ok := constants[c]
	if !ok {
		i = len(constantOrder)
		constants[c] = i
		constantOrder = append(constantOrder, c)
	}
	return operand.NewDataAddr(operand.NewStaticSymbol(constantName), 32*i)
}

func num(c float64) operand.Mem { return word(math.Float64bits(c)) }

var tables []struct {
	name string
	data []uint64
}

// table makes a table of words known by name and returns its operand.
func table(name string, data []uint64) operand.Mem {
	for _, t := range tables {
		if t.name == name {
			return operand.NewDataAddr(operand.NewStaticSymbol(name), 0)
		}
	}
	tables = append(tables, struct {
		name string
		data []uint64
	}{name, data})
	return operand.NewDataAddr(operand.NewStaticSymbol(name), 0)
}

func genConstants() {
	GLOBL(constantName, attr.RODATA|attr.NOPTR)
	for i, c := range constantOrder {
		for j := range 4 {
			DATA(32*i+8*j, operand.U64(c))
		}
	}
	for _, t := range tables {
		GLOBL(t.name, attr.RODATA|attr.NOPTR)
		for i, c := range t.data {
			DATA(8*i, operand.U64(c))
		}
	}
}

// broadcast returns a new register that holds a constant in every lane.
func (v isa) broadcast(m operand.Op) vec {
	r := v.reg()
	VBROADCASTSD(m, r)
	return r
}

// op applies an instruction of three operands whose first may be a constant:
// dst = b ∘ m, in Go's order of operands.
func (v isa) op(plain, bcst func(...operand.Op), m operand.Op, b, dst operand.Op) {
	if _, ok := m.(operand.Mem); ok && v.wide() {
		bcst(m, b, dst)
		return
	}
	plain(m, b, dst)
}

func (v isa) add(m, b, dst operand.Op) { v.op(VADDPD, VADDPD_BCST, m, b, dst) }
func (v isa) sub(m, b, dst operand.Op) { v.op(VSUBPD, VSUBPD_BCST, m, b, dst) } // dst = b − m
func (v isa) mul(m, b, dst operand.Op) { v.op(VMULPD, VMULPD_BCST, m, b, dst) }
func (v isa) max(m, b, dst operand.Op) { v.op(VMAXPD, VMAXPD_BCST, m, b, dst) } // dst = b > m ? b : m
func (v isa) min(m, b, dst operand.Op) { v.op(VMINPD, VMINPD_BCST, m, b, dst) }

// fma213 sets x = y·x + m; fma231 sets x = y·m + x.
func (v isa) fma213(m, y, x operand.Op) { v.op(VFMADD213PD, VFMADD213PD_BCST, m, y, x) }
func (v isa) fma231(m, y, x operand.Op) { v.op(VFMADD231PD, VFMADD231PD_BCST, m, y, x) }

func (v isa) addq(m, b, dst operand.Op) { v.op(VPADDQ, VPADDQ_BCST, m, b, dst) }

func (v isa) and(m, b, dst operand.Op) {
	if v.wide() {
		v.op(VPANDQ, VPANDQ_BCST, m, b, dst)
		return
	}
	VPAND(m, b, dst)
}

func (v isa) or(m, b, dst operand.Op) {
	if v.wide() {
		v.op(VPORQ, VPORQ_BCST, m, b, dst)
		return
	}
	VPOR(m, b, dst)
}

func (v isa) xor(m, b, dst operand.Op) {
	if v.wide() {
		v.op(VPXORQ, VPXORQ_BCST, m, b, dst)
		return
	}
	VPXOR(m, b, dst)
}

// zero returns a new register of zeros.
func (v isa) zero() vec {
	r := v.reg()
	v.xor(r, r, r)
	return r
}

// horner sets the registers p to the polynomial in y with the coefficients c,
// highest first, all in step.
func (v isa) horner(y, p []vec, c ...float64) {
	for i := range p {
		VBROADCASTSD(num(c[0]), p[i])
	}
	for _, a := range c[1:] {
		for i := range p {
			v.fma213(num(a), y[i], p[i])
		}
	}
}

// horners sets p and q to two polynomials in y, in step.
func (v isa) horners(y, p, q []vec, c, d []float64) {
	for i := range y {
		VBROADCASTSD(num(c[0]), p[i])
		VBROADCASTSD(num(d[0]), q[i])
	}
	for k := 1; k < max(len(c), len(d)); k++ {
		for i := range y {
			if k < len(c) {
				v.fma213(num(c[k]), y[i], p[i])
			}
			if k < len(d) {
				v.fma213(num(d[k]), y[i], q[i])
			}
		}
	}
}

// regs returns n new registers.
func (v isa) regs(n int) []vec {
	r := make([]vec, n)
	for i := range r {
		r[i] = v.reg()
	}
	return r
}

// at returns the operand base + index·scale + disp.
func at(base, index reg.Register, scale uint8, disp int) operand.Mem {
	return operand.Mem{Base: base, Index: index, Scale: scale, Disp: disp}
}

// lowMask returns a mask register with the low n bits set, n < 64 in a register,
// and the general register it came from.
func lowMask(n reg.GPVirtual) (reg.Register, reg.GPVirtual) {
	m, one := GP64(), GP64()
	MOVQ(operand.U32(1), one)
	SHLXQ(n, one, m)
	DECQ(m)
	k := K()
	KMOVB(m.As32(), k)
	return k, m
}

// A stream is a loop over slices of one length.
type stream struct {
	name, sig string
	in        []string // names of pointers read
	out       string   // name of the pointer written
	half      bool     // the output has 32 bits an element
	scalars   []string
	unroll    int
	setup     func(s []vec)
	body      func(in [][]vec, s []vec) []operand.Op // in[argument][copy] -> out[copy]
}

// stream generates the loop. The AVX2 form wants a length that is a multiple of 4.
func (v isa) stream(f stream) {
	v.text(f.name, f.sig)
	ptr := map[string]reg.Register{}
	for _, p := range append([]string{f.out}, f.in...) {
		if ptr[p] == nil {
			ptr[p] = Load(Param(p), GP64())
		}
	}
	n := Load(Param("n"), GP64())
	var s []vec
	for _, p := range f.scalars {
		a, err := Param(p).Resolve()
		if err != nil {
			panic(err)
		}
		s = append(s, v.broadcast(a.Addr))
	}
	if f.setup != nil {
		f.setup(s)
	}
	i := GP64()
	XORQ(i, i)
	width := uint8(8)
	if f.half {
		width = 4
	}
	do := func(copies int, k reg.Register) {
		in := make([][]vec, len(f.in))
		for a, p := range f.in {
			in[a] = v.regs(copies)
			for c, r := range in[a] {
				if k != nil {
					VMOVUPD_Z(at(ptr[p], i, 8, 0), k, r)
				} else {
					VMOVUPD(at(ptr[p], i, 8, c*v.size()), r)
				}
			}
		}
		for c, r := range f.body(in, s) {
			m := at(ptr[f.out], i, width, c*v.lanes*int(width))
			switch {
			case f.half && k != nil:
				VMOVDQU32(r, k, m)
			case f.half:
				VMOVDQU(r, m)
			case k != nil:
				VMOVUPD(r, k, m)
			default:
				VMOVUPD(r, m)
			}
		}
	}
	left := GP64()
	MOVQ(n, left)
	for _, copies := range []int{f.unroll, 1} {
		l := fmt.Sprintf("loop%d", copies)
		e := fmt.Sprintf("end%d", copies)
		step := copies * v.lanes
		Label(l)
		CMPQ(left, operand.U32(step))
		JL(operand.LabelRef(e))
		do(copies, nil)
		ADDQ(operand.U32(step), i)
		SUBQ(operand.U32(step), left)
		JMP(operand.LabelRef(l))
		Label(e)
		if f.unroll == 1 {
			break
		}
	}
	if v.wide() {
		TESTQ(left, left)
		JZ(operand.LabelRef("done"))
		k, _ := lowMask(left)
		do(1, k)
		Label("done")
	}
	end()
}
