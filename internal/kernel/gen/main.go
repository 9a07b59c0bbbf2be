// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Gen writes the assembly of package kernel:
//
//	go run . -out ../kernel_amd64.s -stubs ../stubs_amd64.go -pkg kernel
package main

import (
	"flag"
	"log"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

const header = `// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

`

func main() {
	ConstraintExpr("amd64,!noasm")
	for _, v := range []isa{avx2, avx512} {
		genLanes(v)
		genNormals(v)
		genExpLog(v)
		genVector(v)
		genSums(v)
		genGaussians(v)
		genMatrix(v)
		genRows(v)
	}
	genConstants()
	Generate()
	for _, name := range []string{"out", "stubs"} {
		file := flag.Lookup(name).Value.String()
		text, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(file, append([]byte(header), text...), 0o666); err != nil {
			log.Fatal(err)
		}
	}
}
