// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// GradientNoise adds the Gaussian noise of a diffusion to another sampler's gradient, as large
// as SGD's must be for the flow of that diffusion to be its model:
//
//	g = ĝ + η^{−½} B(θ, t) z,   z ~ N(0, I),   Cov g = Cov ĝ + 2D/η
//
// at t = kη in step k. So each Diffusion is a model of gradient noise: Temperature an
// isotropic, Diagonal and Constant an anisotropic one, Func one of one's own. With a
// FullGradient, SGD of learning rate η is the Euler–Maruyama scheme of step η for the flow.
// η is to be that of the SGD (Ensemble.Step), which is not looked at: SGD of another rate η′
// has noise as of (η′/η) D.
type GradientNoise struct {
	Gradient     sde.GradientSampler
	Diffusion    sde.Diffusion
	LearningRate float64 // η, finite and above 0
}

var (
	_ sde.GradientSampler    = GradientNoise{}
	_ sde.MeanGradient       = GradientNoise{}
	_ sde.GradientCovariance = GradientNoise{}
	_ sde.Correlated         = GradientNoise{}
)

// Validate returns an error if there is no sampler or no diffusion, one refuses itself, their
// dimensions differ, or LearningRate is not positive and finite.
func (s GradientNoise) Validate() error {
	if err := checkSampler("noise: GradientNoise.Gradient", s.Gradient); err != nil {
		return err
	}
	if s.Diffusion == nil {
		return &sde.SettingError{Field: "noise: GradientNoise.Diffusion", Want: "a diffusion, such as noise.Temperature"}
	}
	if err := validate(s.Diffusion); err != nil {
		return err
	}
	if is[sde.Stable](s.Diffusion) {
		return &sde.SettingError{Field: "noise: GradientNoise.Diffusion", Value: s.Diffusion, Want: "a diffusion with Brownian noise; noise.StableNoise adds stable one", Err: sde.ErrUnsupported}
	}
	d := s.Objective().Dim()
	if n, m := s.Diffusion.Dims(); (n != 0 || m != 0) && (n != d || m < 1) {
		return &sde.SettingError{Field: "noise: GradientNoise.Diffusion", Value: fmt.Sprintf("a diffusion of %d×%d", n, m),
			Want: fmt.Sprintf("one of %d coordinates, as the loss has", d), Err: sde.ErrDimension}
	}
	return positive("noise: GradientNoise.LearningRate", s.LearningRate)
}

// Objective returns the loss of the sampler.
func (s GradientNoise) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s GradientNoise) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores the mean of the sampler into dst.
func (s GradientNoise) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta)
}

func (s GradientNoise) dims() (d, m int) {
	d = s.Objective().Dim()
	if _, m = s.Diffusion.Dims(); m == 0 {
		m = d
	}
	return d, m
}

// GradientCovariance stores Cov ĝ + 2D/η into dst, with the D of t = 0. It returns false if the
// diffusion may depend on time because it is of class Additive, or Cov ĝ is not known.
func (s GradientNoise) GradientCovariance(dst, theta []float64) bool {
	if sde.ClassOf(s.Diffusion) == sde.Additive || !sde.GradientCovarianceOf(s.Gradient, dst, theta) {
		return false
	}
	d, m := s.dims()
	buf := scratch(d * m)
	defer pool.Put(buf)
	root := *buf
	s.Diffusion.Root(root, theta, 0)
	for i := range d {
		for j := range d {
			dst[i*d+j] += kernel.Dot(root[i*m:(i+1)*m], root[j*m:(j+1)*m]) / s.LearningRate
		}
	}
	return true
}

// BindGradients implements sde.GradientSampler. Scratch memory is 8m bytes for each row
// and 8dm bytes, for a root of d×m.
func (s GradientNoise) BindGradients(rows int) sde.GradientFunc {
	d, m := s.dims()
	inner, z := s.Gradient.BindGradients(rows), make([]float64, rows*m)
	scale := 1 / math.Sqrt(s.LearningRate)
	thermal, isotropic := s.Diffusion.(sde.Thermal)
	diagonal, isDiagonal := s.Diffusion.(sde.DiagonalRoot)
	root := make([]float64, d)
	if !isotropic && !isDiagonal {
		root = make([]float64, d*m)
	}
	return func(dst, x sde.Batch, stream *sde.Stream) {
		inner(dst, x, stream)
		z := z[:x.Rows*m]
		stream.Normals(z)
		_, step := stream.Place()
		t := float64(step) * s.LearningRate
		if isotropic {
			addScaled(dst, scale*math.Sqrt(2*thermal.Temperature(t)), z)
			return
		}
		for r := range x.Rows {
			g, z := dst.Row(r), z[r*m:(r+1)*m]
			if isDiagonal {
				diagonal.DiagonalRoot(root, x.Row(r), t)
				kernel.Mul(root, root, z)
				kernel.Axpy(g, scale, root)
				continue
			}
			s.Diffusion.Root(root, x.Row(r), t)
			for i := range g {
				g[i] += float64(scale * kernel.Dot(root[i*m:(i+1)*m], z))
			}
		}
	}
}
