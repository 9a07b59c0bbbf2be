// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build amd64 && !noasm

package kernel

import "golang.org/x/sys/cpu"

// levels are the forms of the kernels that this machine can run.
var levels = func() []string {
	l := []string{"portable"}
	if useAVX2 {
		l = append(l, "AVX2")
	}
	if useAVX512 {
		l = append(l, "AVX512")
	}
	return l
}()

// use runs f with one form of the kernels.
func use(level string, f func()) {
	a, b := useAVX2, useAVX512
	defer func() { useAVX2, useAVX512 = a, b }()
	useAVX2 = level == "AVX2" && cpu.X86.HasAVX2
	useAVX512 = level == "AVX512" && cpu.X86.HasAVX512F
	f()
}
