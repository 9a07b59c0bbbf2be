// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

//lint:ignore SA1019 the source interface is fixed by the project: Seed, which math/rand/v2 dropped, is what re-keys a block (see Stream)
import "golang.org/x/exp/rand"

// Source is a generator of 64-bit words that can be seeded:
//
//	Uint64() uint64
//	Seed(seed uint64)
//
// It is an alias of golang.org/x/exp/rand.Source. Every Source also satisfies
// math/rand/v2.Source, so it can be given to the distributions of
// gonum.org/v1/gonum/stat/distuv.
type Source = rand.Source
