// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Activation is the function φ of a network's hidden units.
type Activation uint8

// The activations. ReLU has the slope 0 at 0, and a loss with it a gradient that jumps.
const (
	Tanh     Activation = iota // tanh t
	ReLU                       // max(t, 0)
	Identity                   // t: the network is linear in x, not in θ
)

// String returns the name.
func (a Activation) String() string {
	switch a {
	case Tanh:
		return "Tanh"
	case ReLU:
		return "ReLU"
	case Identity:
		return "Identity"
	}
	return fmt.Sprintf("Activation(%d)", uint8(a))
}

// check returns an error unless a is one of the activations.
func (a Activation) check(field string) error {
	if a > Identity {
		return &sde.SettingError{Field: "loss: " + field, Value: a, Want: "Tanh, ReLU or Identity"}
	}
	return nil
}

// apply replaces each t by φ(t).
func (a Activation) apply(t []float64) {
	switch a {
	case Tanh:
		kernel.Tanh(t, t)
	case ReLU:
		for i, v := range t {
			t[i] = max(v, 0)
		}
	}
}

// slope multiplies each g by φ′ where φ has the value phi.
func (a Activation) slope(g, phi []float64) {
	switch a {
	case Tanh:
		for i, v := range phi {
			g[i] = float64(g[i] * (1 - float64(v*v)))
		}
	case ReLU:
		for i, v := range phi {
			if !(v > 0) {
				g[i] = 0
			}
		}
	}
}
