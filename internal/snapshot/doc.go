// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package snapshot reads and writes the files in which runs are kept:
// checkpoints and the results of shards.
//
// A file is, with all numbers little-endian,
//
//	8 bytes    magic "SGFLOW\r\n"
//	uint32     version of the format
//	uint32     kind of file
//	records    uint32 n, n bytes of name, uint64 m, m bytes of data; …
//	           and last a record of no name and no data
//	32 bytes   SHA-256 of all that precedes
//
// A reader checks the sum over the whole file before it looks at a record, and
// never allocates more than the file is long. Files are replaced atomically.
package snapshot
