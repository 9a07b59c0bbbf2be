// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build !amd64 || noasm

package kernel

var levels = []string{"portable"}

func use(_ string, f func()) { f() }
