// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"sort"

	"github.com/sgflow/sgflow/sde"
)

// SlicedWasserstein returns the mean over directions u, uniform on the sphere, of the squared
// Wasserstein-2 distance of two samples' projections on u,
//
//	SW² = E_u ∫ (F_u⁻¹(q) − G_u⁻¹(q))² dq
//
// from so many random directions, with the standard error of their scatter: it is that of the
// choice of directions, not of the samples, which have a floor of their own of about
// the distance between halves of one. Between N(0, I) and N(μ, I) it is |μ|²/d.
//
// N. Bonneel, J. Rabin, G. Peyré & H. Pfister, 2015, Sliced and Radon Wasserstein
// barycenters of measures, Journal of Mathematical Imaging and Vision 51, 22–45, § 2.
//
// It returns an *sde.SettingError for samples that are empty, of different dimension or not
// finite, or fewer than 2 directions.
func SlicedWasserstein(x, y sde.Batch, directions int, seed uint64) (sde.Estimate, error) {
	bad := func(field string, value any, want string, err error) (sde.Estimate, error) {
		return sde.Estimate{}, &sde.SettingError{Field: "stationary: SlicedWasserstein " + field, Value: value, Want: want, Err: err}
	}
	switch {
	case x.Cols < 1 || x.Cols != y.Cols:
		return bad("samples", fmt.Sprintf("%d and %d coordinates", x.Cols, y.Cols), "as many in both, at least 1", sde.ErrDimension)
	case x.Rows < 1 || y.Rows < 1:
		return bad("samples", fmt.Sprintf("%d and %d rows", x.Rows, y.Rows), "at least one in each", nil)
	case directions < 2:
		return bad("directions", directions, "at least 2", nil)
	}
	for _, b := range []sde.Batch{x, y} {
		for i := range b.Rows {
			for j, v := range b.Row(i) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return bad(fmt.Sprintf("row %d, coordinate %d", i, j), v, "a finite number", nil)
				}
			}
		}
	}
	stream := sde.NewStream(seed, nil)
	u := make([]float64, x.Cols)
	px, py := make([]float64, x.Rows), make([]float64, y.Rows)
	project := func(dst []float64, b sde.Batch) {
		for i := range dst {
			dst[i] = 0
			for j, v := range b.Row(i) {
				dst[i] += u[j] * v
			}
		}
		sort.Float64s(dst)
	}
	values := make([]float64, directions)
	for k := range values {
		stream.At(sde.Observers, 0, k)
		stream.Normals(u)
		var q float64
		for _, v := range u {
			q += v * v
		}
		for j := range u {
			u[j] /= math.Sqrt(q)
		}
		project(px, x)
		project(py, y)
		values[k] = wasserstein2(px, py)
	}
	mean, squares := meanOf(values)
	n := float64(directions)
	return sde.Estimate{Value: mean, StdErr: math.Sqrt(squares / n / (n - 1)), Groups: directions}, nil
}

// wasserstein2 returns ∫ (F⁻¹ − G⁻¹)² of two sorted samples, over the steps of both.
func wasserstein2(x, y []float64) float64 {
	var sum, at float64
	n, m := float64(len(x)), float64(len(y))
	for i, j := 0, 0; i < len(x) && j < len(y); {
		next := math.Min(float64(i+1)/n, float64(j+1)/m)
		d := x[i] - y[j]
		sum += (next - at) * d * d
		at = next
		// (i+1)/n against (j+1)/m, in whole numbers.
		a, b := (i+1)*len(y), (j+1)*len(x)
		if a <= b {
			i++
		}
		if b <= a {
			j++
		}
	}
	return sum
}
