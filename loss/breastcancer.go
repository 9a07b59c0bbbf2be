// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	_ "embed"
	"strings"
)

//go:embed data/breastcancer.csv
var breastCancer string

// BreastCancer returns the Wisconsin diagnostic breast-cancer data: 569 tumours, 30 features
// of the cell nuclei seen in each, as they were measured (they differ by factors of 10⁵: see
// Dataset.Standardized), and a label that is 1 for the 357 that are benign and 0 for
// the 212 that are malignant. Each call returns a copy.
//
// W. Wolberg, O. Mangasarian, N. Street & W. Street, 1995, Breast Cancer Wisconsin
// (Diagnostic), UCI Machine Learning Repository, https://doi.org/10.24432/C5DW2B, under
// the licence CC BY 4.0; as carried by scikit-learn 1.9.1.
func BreastCancer() Dataset {
	d, err := ReadCSV(strings.NewReader(breastCancer), "breastcancer.csv", "")
	if err != nil {
		panic(err)
	}
	return d
}
