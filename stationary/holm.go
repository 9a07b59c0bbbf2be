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

// Holm returns p-values that are adjusted for their number: what is below a level α among
// them is significant at α over all, however the tests depend on one another. With p_(1) ≤ p_(2) ≤ …
// of m,
//
//	p̃_(k) = max_{j≤k} min(1, (m−j+1) p_(j))
//
// S. Holm, 1979, A simple sequentially rejective multiple test procedure, Scandinavian
// Journal of Statistics 6, 65–70.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	adjusted := make([]float64, len(p))
	var most float64
	for k, i := range order {
		most = math.Max(most, math.Min(1, float64(len(p)-k)*p[i]))
		adjusted[i] = most
	}
	return adjusted
}

// Coordinates is a comparison of several numbers of one run, each with its own law.
type Coordinates struct {
	// Reports are those of Compare, in order, and Adjusted the p-values of their fits by
	// Holm: NaN where there were too few groups for a test.
	Reports  []*Report
	Adjusted []float64
	// PValue is the least of Adjusted: that of the hypothesis that all laws are right.
	PValue float64
}

// CompareCoordinates compares each histogram with the law of the same index, as Compare does,
// and adjusts the p-values for their number. It returns an *sde.SettingError if there are not
// as many laws as histograms, or none, and otherwise the first error of Compare.
func CompareCoordinates(laws []Law, histograms []*Histogram) (*Coordinates, error) {
	if len(laws) == 0 || len(laws) != len(histograms) {
		return nil, &sde.SettingError{Field: "stationary: CompareCoordinates", Value: fmt.Sprintf("%d laws and %d histograms", len(laws), len(histograms)), Want: "as many of each, at least one", Err: sde.ErrDimension}
	}
	c := &Coordinates{PValue: math.NaN()}
	var p []float64
	var tested []int
	for i, law := range laws {
		r, err := Compare(law, histograms[i])
		if err != nil {
			return nil, fmt.Errorf("coordinate %d: %w", i, err)
		}
		c.Reports = append(c.Reports, r)
		c.Adjusted = append(c.Adjusted, math.NaN())
		if r.Fit != nil {
			p, tested = append(p, r.Fit.PValue), append(tested, i)
		}
	}
	for k, v := range Holm(p) {
		c.Adjusted[tested[k]] = v
		if !(c.PValue <= v) {
			c.PValue = v
		}
	}
	return c, nil
}
