// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// endless declares that it has no law.
type endless struct{ function }

func (endless) Normalizable(float64) bool { return false }

// Of a quadratic it is the Gaussian, up to a constant.
func TestUnnormalized(t *testing.T) {
	t.Parallel()
	h := mat.NewSymDense(3, []float64{2, 0.5, -0.3, 0.5, 1, 0.2, -0.3, 0.2, 0.5})
	l := harmonic{h, []float64{1, -2, 3}}
	u := stationary.Unnormalized{Loss: l, T: 0.3}
	law := must(must(stationary.LinearOf(sde.Flow{Loss: l, Diffusion: thermal(0.3)})).Law())
	x, y := []float64{0.5, 0.1, 2}, []float64{1, 1, 1}
	within(t, "log ratio", u.LogDensity(x...)-u.LogDensity(y...), law.LogDensity(x...)-law.LogDensity(y...), 1e-12)
	got, want := make([]float64, 3), make([]float64, 3)
	u.Score(got, x)
	law.Score(want, x)
	for i := range got {
		within(t, "score", got[i], want[i], 1e-13)
	}
	if u.Dim() != 3 || u.Temperature() != 0.3 || u.Validate() != nil {
		t.Errorf("%d dimensions, T = %g, %v", u.Dim(), u.Temperature(), u.Validate())
	}
	for name, c := range map[string]struct {
		u    stationary.Unnormalized
		want error
	}{
		"no loss": {stationary.Unnormalized{T: 1}, sde.ErrInvalid},
		"T":       {stationary.Unnormalized{Loss: l, T: math.Inf(1)}, sde.ErrInvalid},
		"endless": {stationary.Unnormalized{Loss: endless{parabolic}, T: 1}, sde.ErrNotNormalizable},
	} {
		if err := c.u.Validate(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
