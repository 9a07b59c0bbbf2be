// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import "github.com/sgflow/sgflow/sde"

const (
	badTheta   = "loss: length of theta is not the dimension"
	badDst     = "loss: length of dst is not the dimension"
	badHessian = "loss: length of dst is not the square of the dimension"
	badBatch   = "loss: batches do not match the dimension or each other"
)

// checkGradient panics unless dst and theta are of length d.
func checkGradient(dst, theta []float64, d int) {
	if len(theta) != d {
		panic(badTheta)
	}
	if len(dst) != d {
		panic(badDst)
	}
}

// checkHessian panics unless dst is of length d² and theta of d.
func checkHessian(dst, theta []float64, d int) {
	if len(theta) != d {
		panic(badTheta)
	}
	if len(dst) != d*d {
		panic(badHessian)
	}
}

// checkBatch panics unless both batches have d columns and as many rows.
func checkBatch(dst, x sde.Batch, d int) {
	if x.Cols != d || dst.Cols != d || dst.Rows != x.Rows {
		panic(badBatch)
	}
}
