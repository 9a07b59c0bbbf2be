// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// RandomWalkMetropolis samples exp(−L/T) exactly without gradients: the flow's
// noise alone is proposed,
//
//	y = θ + √(2Th) z,   z ~ N(0, I)
//	θ′ = y with probability min(1, e^{−(L(y)−L(θ))/T}), otherwise θ
//
// What is said of MALA holds for it too: the domain, tuning, and what is done about
// values that are not finite. In d dimensions the best step shrinks as 1/d, where
// 0.234 of the proposals are accepted. Its paths are not those of the flow.
//
// One value of the loss and one normal for each coordinate a step. Source:
// Metropolis, Rosenbluth, Rosenbluth, Teller & Teller, 1953, Equation of state
// calculations by fast computing machines; 0.234 by Roberts, Gelman & Gilks, 1997,
// Weak convergence and optimal scaling of random walk Metropolis algorithms.
type RandomWalkMetropolis struct {
	// Tuning is the time for which the step is adapted, 0 for not at all.
	Tuning float64
	// Target is the acceptance rate that the step is adapted to; 0 means 0.234.
	Target float64
}

var (
	_ Scheme    = RandomWalkMetropolis{}
	_ Augmented = RandomWalkMetropolis{}
	_ Tuned     = RandomWalkMetropolis{}
)

const randomWalkName = "RandomWalkMetropolis"

// Properties returns what the scheme is; it refuses noise that depends on θ.
func (RandomWalkMetropolis) Properties(class sde.NoiseClass) (Properties, error) {
	return metropolisProperties(randomWalkName, class, 0)
}

// Width returns d + 1, and d + 4 if the step is tuned, as MALA's.
func (m RandomWalkMetropolis) Width(d int) int { return d + dualAveraging{time: m.Tuning}.width() }

// TuningTime returns m.Tuning.
func (m RandomWalkMetropolis) TuningTime() float64 { return m.Tuning }

// Bind returns the scheme's kernel for a system, and refuses what MALA's refuses.
func (m RandomWalkMetropolis) Bind(s *System) (Kernel, error) {
	t, err := newDualAveraging(randomWalkName, m.Tuning, m.Target, 0.234)
	if err != nil {
		return nil, err
	}
	return bindMetropolis(randomWalkName, s, false, t)
}
