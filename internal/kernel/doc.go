// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package kernel holds the loops that decide how fast a run is, and its bits.
//
// Each kernel is one fixed sequence of correctly rounded operations (add,
// multiply, fused multiply-add, divide, square root, integers), so it gives the
// same bits on every machine.
package kernel
