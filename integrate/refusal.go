// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// refusal is the error of a scheme that does not serve something, with the
// scheme to take instead. It wraps sde.ErrUnsupported.
func refusal(scheme, what, instead string) error {
	return fmt.Errorf("integrate: %s does not serve %s: take %s (%w)", scheme, what, instead, sde.ErrUnsupported)
}

// refuse is refusal for what is known only when a scheme is bound to an equation.
func refuse(scheme, what, instead string) error {
	return invalid("Ensemble.Scheme", scheme, "a scheme that serves the equation", refusal(scheme, what, instead))
}

// checkStable holds the noise that drives an equation against what the scheme is
// made for.
func checkStable(scheme Scheme, name string, eq sde.Equation) error {
	law, stable := sde.DiffusionOf(eq).(sde.Stable)
	driven, ok := scheme.(StableDriven)
	switch {
	case stable && !ok:
		return refuse(name, "α-stable noise, only Brownian", "StableEuler")
	case stable:
		alpha, _ := law.StableLaw()
		if err := driven.StableDriven(alpha); err != nil {
			return invalid("Ensemble.Equation", fmt.Sprintf("stable noise of index %g", alpha), "an index that the scheme serves", err)
		}
	}
	return nil
}
