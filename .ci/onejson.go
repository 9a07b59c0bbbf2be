// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build ignore

// Onejson fails unless its input is exactly one JSON object.
package main

import (
	"encoding/json"
	"io"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	d := json.NewDecoder(os.Stdin)
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		log.Fatal(err)
	}
	if _, err := d.Token(); err != io.EOF {
		log.Fatalf("something follows the object: %v", err)
	}
}
