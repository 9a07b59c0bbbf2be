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

// The tables of testdata were made with mpmath at 60 digits. A row of exp.txt,
// log.txt and tanh.txt is the bits of x, the bits of the correctly rounded result y, and
// nint(100·(f(x)−y)/ulp(y)); subnormal results are rounded as such. The x of exp are uniform over the range,
// over [−1, 1] and over the arguments of subnormal results, powers of 2, the
// points halfway between sixteenths of log 2 and their neighbours; those of log
// have uniform bits, are uniform in (0, 1) and in [0.69, 1.45], near 1, near
// √½·2ⁿ, subnormal, and of the form (k+½)·2⁻⁵²; those of tanh are uniform over [−1, 1] and
// over [−20, 20], around ±½, and powers. A row of normals.txt is two words and
// the bits of the two correctly rounded normals, by the formula of Normals with π exact.

// ulp returns the distance between y and the next number away from zero.
func ulp(y float64) float64 {
	y = math.Abs(y)
	return math.Nextafter(y, math.Inf(1)) - y
}

// readTable returns the rows of a table.
func readTable(t *testing.T, name, format string, columns int) (rows [][4]uint64, rest []int) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var r [4]uint64
		var d int
		if columns == 2 {
			_, err = fmt.Sscanf(s.Text(), format, &r[0], &r[1], &d)
		} else {
			_, err = fmt.Sscanf(s.Text(), format, &r[0], &r[1], &r[2], &r[3])
		}
		if err != nil {
			t.Fatal(err)
		}
		rows, rest = append(rows, r), append(rest, d)
	}
	return rows, rest
}

// TestTables holds Exp, Log and Tanh to their error bounds.
func TestTables(t *testing.T) {
	for _, f := range []struct {
		file  string
		bound float64
		bulk  func(dst, x []float64)
	}{
		{"exp.txt", 0.68, Exp},
		{"log.txt", 2.5, Log},
		{"tanh.txt", 2.6, Tanh},
	} {
		rows, rest := readTable(t, f.file, "%x %x %d", 2)
		x, y := make([]float64, len(rows)), make([]float64, len(rows))
		for i, r := range rows {
			x[i] = math.Float64frombits(r[0])
		}
		f.bulk(y, x)
		var worst, at float64
		for i, r := range rows {
			want := math.Float64frombits(r[1])
			bound := f.bound
			if want < 0x1p-1022 && f.file == "exp.txt" {
				bound = 0.84
			}
			e := math.Abs((y[i]-want)/ulp(want) - float64(rest[i])/100)
			if e > bound+0.006 {
				t.Errorf("%s: f(%v) = %v, want %v: %.2f ulp", f.file, x[i], y[i], want, e)
			}
			if e > worst && bound == f.bound {
				worst, at = e, x[i]
			}
		}
		t.Logf("%s: worst %.3f ulp at %v", f.file, worst, at)
	}
}

// TestNormalsTable holds a normal to within 4 ulp of the exact transform.
func TestNormalsTable(t *testing.T) {
	rows, _ := readTable(t, "normals.txt", "%x %x %x %x", 4)
	var worst float64
	for i := 0; i+8 <= len(rows); i += 8 {
		var w [16]uint64
		var z [16]float64
		for j, r := range rows[i : i+8] {
			w[j], w[j+8] = r[0], r[1]
		}
		Normals(z[:], w[:])
		for j, r := range rows[i : i+8] {
			for h := range 2 {
				want, got := math.Float64frombits(r[2+h]), z[j+8*h]
				e := math.Abs(got-want) / ulp(want)
				if want == 0 && got == 0 {
					e = 0
				}
				worst = max(worst, e)
				if e > 3.5 { // want itself is half a unit off
					t.Errorf("words %#x %#x: %v, want %v: %.1f ulp", r[0], r[1], got, want, e)
				}
			}
		}
	}
	t.Logf("worst %v ulp", worst)
}
