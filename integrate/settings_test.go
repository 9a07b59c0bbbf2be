// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"errors"

	"github.com/sgflow/sgflow/sde"
)

func isInvalid(err error) bool {
	var s *sde.SettingError
	return errors.Is(err, sde.ErrInvalid) && errors.As(err, &s)
}
