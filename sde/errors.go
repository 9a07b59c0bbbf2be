// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"errors"
	"fmt"
)

// Sentinels that errors of every sgflow package wrap; test with errors.Is.
var (
	// ErrInvalid is wrapped by every SettingError.
	ErrInvalid = errors.New("invalid setting")
	// ErrDimension says that two dimensions which must agree do not.
	ErrDimension = errors.New("dimensions do not match")
	// ErrUnsupported says that a method does not serve the equation it was
	// given, whatever its step; the error's text names one that does.
	ErrUnsupported = errors.New("method does not serve this equation")
	// ErrNotNormalizable says that exp(−L/T) has no finite integral.
	ErrNotNormalizable = errors.New("law cannot be normalised")
)

// SettingError reports a setting that was refused before any work started. It
// wraps ErrInvalid and, where there is one, a more particular sentinel.
type SettingError struct {
	// Field is the full name of the setting, as in "integrate: Ensemble.Step".
	Field string
	// Value is what it was set to.
	Value any
	// Want says what would be right.
	Want string
	// Err is a more particular cause, or nil.
	Err error
}

// Error returns "field = value: want …".
func (e *SettingError) Error() string {
	value := e.Value
	if value == "" {
		value = `""`
	}
	s := fmt.Sprintf("%s = %v: want %s", e.Field, value, e.Want)
	if e.Err != nil && !errors.Is(e.Err, ErrInvalid) {
		s += " (" + e.Err.Error() + ")"
	}
	return s
}

// Unwrap returns ErrInvalid and the particular cause.
func (e *SettingError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrInvalid}
	}
	return []error{ErrInvalid, e.Err}
}
