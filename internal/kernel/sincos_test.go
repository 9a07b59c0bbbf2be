// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"testing"
)

// TestSinCos holds SinCos1 to its error bound. A row of sincos.txt is the bits of
// x, those of the correctly rounded sine and what it is off, in hundredths of a
// unit in the last place, and the same of the cosine.
func TestSinCos(t *testing.T) {
	f, err := os.Open("testdata/sincos.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var worst float64
	rows := 0
	for s := bufio.NewScanner(f); s.Scan(); rows++ {
		var x, sin, cos uint64
		var dsin, dcos int
		if _, err := fmt.Sscanf(s.Text(), "%x %x %d %x %d", &x, &sin, &dsin, &cos, &dcos); err != nil {
			t.Fatal(err)
		}
		v := math.Float64frombits(x)
		gotSin, gotCos := SinCos1(v)
		for _, c := range []struct {
			name string
			got  float64
			want uint64
			rest int
		}{{"sin", gotSin, sin, dsin}, {"cos", gotCos, cos, dcos}} {
			want := math.Float64frombits(c.want)
			e := math.Abs((c.got-want)/ulp(want) - float64(c.rest)/100)
			if e*ulp(want) <= 0x1p-75 {
				continue
			}
			worst = max(worst, e)
			if e > 1.506 {
				t.Errorf("%s %v = %v, want %v: %.2f ulp", c.name, v, c.got, want, e)
			}
		}
	}
	t.Logf("%d arguments, worst %.3f ulp", rows, worst)
	if rows < 500 {
		t.Errorf("only %d rows", rows)
	}
	for _, x := range []float64{0x1p31, -1e15, 1e300} {
		s, c := SinCos1(x)
		if e := math.Abs(math.Hypot(s, c) - 1); !(e < 4e-16) {
			t.Errorf("%v: off the circle by %v", x, e)
		}
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if s, c := SinCos1(x); !math.IsNaN(s) || !math.IsNaN(c) {
			t.Errorf("SinCos1(%v) = %v, %v", x, s, c)
		}
	}
}
