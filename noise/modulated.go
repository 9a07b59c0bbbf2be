// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Modulated is another diffusion whose strength follows a schedule:
//
//	D(θ, t) = s(t) D₀(θ, t)
//
// In the flow's own time a learning rate η(t) and a batch size B(t) modulate D = (η/2B) Σ by their
// ratio, whatever Σ is: schedules of the same ratio give the same law. Time is that of the flow, in
// which a step of SGD takes the η of its time.
type Modulated struct {
	Diffusion sde.Diffusion
	Factor    Schedule // s(t), finite and not negative for every t ≥ 0
}

var (
	_ sde.Diffusion  = Modulated{}
	_ sde.Classified = Modulated{}
)

// Validate returns an error if there is no diffusion or schedule, one refuses itself, or s(0) is
// negative or not finite.
func (n Modulated) Validate() error {
	if n.Diffusion == nil {
		return &sde.SettingError{Field: "noise: Modulated.Diffusion", Want: "a diffusion, such as noise.Constant"}
	}
	if err := validate(n.Diffusion); err != nil {
		return err
	}
	if is[sde.Stable](n.Diffusion) {
		return &sde.SettingError{Field: "noise: Modulated.Diffusion", Value: n.Diffusion, Want: "a diffusion with Brownian noise", Err: sde.ErrUnsupported}
	}
	if err := checkSchedule("noise: Modulated.Factor", n.Factor); err != nil {
		return err
	}
	return nonNegative("noise: Modulated.Factor.At(0)", n.Factor.At(0))
}

// Dims returns those of the diffusion.
func (n Modulated) Dims() (state, noise int) { return n.Diffusion.Dims() }

// Class returns that of the diffusion, and Additive for Constant.
func (n Modulated) Class() sde.NoiseClass { return min(sde.ClassOf(n.Diffusion), sde.Additive) }

// Root stores √s(t) times the root of the diffusion into dst.
func (n Modulated) Root(dst, theta []float64, t float64) {
	n.Diffusion.Root(dst, theta, t)
	s := math.Sqrt(n.Factor.At(t))
	for i := range dst {
		dst[i] *= s
	}
}
