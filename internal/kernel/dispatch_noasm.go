// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build !amd64 || noasm

package kernel

// The assembly of this build: none. Each function returns how many elements it
// has done.

func keyASM(l *Lanes, key uint64) bool                                    { return false }
func wordsASM(l *Lanes, dst []uint64) int                                 { return 0 }
func laneNormalsASM(l *Lanes, dst []float64) int                          { return 0 }
func normalsASM(dst []float64, words []uint64) int                        { return 0 }
func uniformsASM(dst []float64, words []uint64) int                       { return 0 }
func logASM(dst, x []float64) int                                         { return 0 }
func expASM(dst, x []float64) int                                         { return 0 }
func eulerASM(x, g, z []float64, a, s float64) int                        { return 0 }
func axpyASM(y []float64, a float64, x []float64) int                     { return 0 }
func cubicASM(dst, x []float64, a, b float64) int                         { return 0 }
func mulASM(dst, x, y []float64) int                                      { return 0 }
func scaleASM(dst []float64, a float64, x []float64) int                  { return 0 }
func finiteASM(x []float64) (int, bool)                                   { return 0, true }
func dotASM(s *partial, x, y []float64) (total float64, n int, done bool) { return 0, 0, false }
func sumASM(s *partial, x []float64) (total float64, n int, done bool)    { return 0, 0, false }
func sumSquaresASM(s *partial, x []float64, c float64) (total float64, n int, done bool) {
	return 0, 0, false
}
func binsASM(idx []uint32, x []float64, lo, scale float64, bins int) int { return 0 }
func gaussiansASM(dst, xy []float64, terms []gaussian2) int              { return 0 }

func (m *Matrix) mulASM(dst []float64, ldd int, x []float64, ldx, n int, add bool) bool {
	return false
}

func locateASM(places []uint64, idx []uint32, size, rows uint64) (int, bool)         { return 0, true }
func rowDotsASM(dst []float64, r *Rows, places []uint64, theta []float64, m int) int { return 0 }
func rowSumASM(dst []float64, r *Rows, places []uint64, c []float64, m int, a float64, base []float64) bool {
	return false
}
func sigmoidASM(dst []float64, a float64, x []float64) int                   { return 0 }
func indicesASM(dst []uint32, words []uint64, size uint32) (int, uint32)     { return 0, 1<<32 - 1 }
func repackASM(dst []float64, ldd int, src []float64, lds, cols, n int) bool { return false }
