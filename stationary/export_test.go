// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import "github.com/sgflow/sgflow/sde"

// Bridges for the tests.
var (
	FSurvival = fSurvival
	Hotelling = hotelling
	Measure   = measure
	NewLine   = newLine
)

// Tests returns the tests of Compare without the distances.
func Tests(law Law, observations ...sde.Observer) (fit, drift *Test) {
	o, _, err := gather(law, observations)
	if err != nil {
		panic(err)
	}
	p := o.probabilities(law)
	of, m := o.partition(&Report{}, p)
	return o.fit(p, of, m), o.drift(of, m)
}
