// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"math"
	"testing"

	"github.com/sgflow/sgflow/sde"
)

// turned is the noise of two coordinates with the root
//
//	B = b(x) R(y),   b = 1 + x²/2,   R a rotation by y
//
// whose D = ½ b² I does not know of the rotation: Klimontovich's drift is that of b
// alone, and Stratonovich's has the rotation in it.
type turned struct{}

func (turned) Dims() (state, noise int) { return 2, 2 }
func (turned) Root(dst, x []float64, _ float64) {
	b, c, s := 1+x[0]*x[0]/2, math.Cos(x[1]), math.Sin(x[1])
	dst[0], dst[1], dst[2], dst[3] = b*c, -b*s, b*s, b*c
}

// jacobian is turned with its derivatives.
type jacobian struct{ turned }

func (jacobian) RootJacobian(dst, x []float64, _ float64) {
	b, db, c, s := 1+x[0]*x[0]/2, x[0], math.Cos(x[1]), math.Sin(x[1])
	copy(dst, []float64{db * c, -b * s, -db * s, -b * c, db * s, b * c, db * c, -b * s})
}

// divergence is turned with (∇·D)_0 = b b′.
type divergence struct{ jacobian }

func (divergence) Divergence(dst, x []float64, _ float64) {
	dst[0], dst[1] = (1+x[0]*x[0]/2)*x[0], 0
}

// TestConversion holds the conversions to what they are on paper. As
// ½ Σ_jk B_jk ∂_j B_ik has j = x and j = y, and ∂_y R = (−s, −c; c, −s),
//
//	c_Stratonovich,x = ½ Σ_k (b R_xk b′ R_xk + b R_yk b ∂_y R_xk) = ½ (b b′ − b²)
//	c_Stratonovich,y = ½ Σ_k (b R_xk b′ R_yk + b R_yk b ∂_y R_yk) = 0
//	c_Klimontovich,x = ∂_x ½ b² = b b′,   c_Klimontovich,y = 0
func TestConversion(t *testing.T) {
	for _, n := range []struct {
		name string
		sde.Diffusion
		tolerance float64
	}{{"differences", turned{}, 1e-9}, {"Jacobian", jacobian{}, 1e-15}, {"divergence", divergence{}, 1e-15}} {
		for _, x := range [][]float64{{0.7, 0.3}, {-1.2, 2.5}, {0, -1}} {
			b, db := 1+x[0]*x[0]/2, x[0]
			c := map[sde.Calculus][2]float64{
				sde.Ito:          {},
				sde.Stratonovich: {(b*db - b*b) / 2, 0},
				sde.Klimontovich: {b * db, 0},
			}
			for from := range c {
				for to := range c {
					conversion := sde.NewConversion(n.Diffusion, 2, 2, from, to)
					if (conversion == nil) != (from == to) {
						t.Fatalf("%s: from %v to %v: conversion %v", n.name, from, to, conversion)
					}
					if conversion == nil {
						continue
					}
					drift := []float64{3, -5}
					conversion.Add(drift, x, 0)
					for i, base := range []float64{3, -5} {
						if want := base + c[from][i] - c[to][i]; !(math.Abs(drift[i]-want) <= n.tolerance*8) {
							t.Errorf("%s at %v, %v to %v: drift %d is %v, want %v", n.name, x, from, to, i, drift[i], want)
						}
					}
				}
			}
		}
	}
}

func TestClassOf(t *testing.T) {
	for _, test := range []struct {
		diffusion sde.Diffusion
		want      sde.NoiseClass
	}{{nil, sde.Constant}, {turned{}, sde.General}, {single{}, sde.Commutative}, {declared{}, sde.Diagonal}, {warm{}, sde.Additive}} {
		if got := sde.ClassOf(test.diffusion); got != test.want {
			t.Errorf("%T: class %v, want %v", test.diffusion, got, test.want)
		}
	}
}

type single struct{ turned }

func (single) Dims() (state, noise int) { return 2, 1 }

type declared struct{ turned }

func (declared) Class() sde.NoiseClass { return sde.Diagonal }

type warm struct{ turned }

func (warm) Temperature(float64) float64 { return 1 }
