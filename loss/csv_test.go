// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

func ExampleReadCSV() {
	const table = `
height, weight, age
1.7,    70,     30
1.8,    81,     twenty
`
	_, err := loss.ReadCSV(strings.NewReader(table), "people.csv", "weight")
	fmt.Println(err)
	d, err := loss.ReadCSV(strings.NewReader(strings.Replace(table, "twenty", "20", 1)), "people.csv", "weight")
	fmt.Println(d.Columns, d.Target, d.Y, err)
	// Output:
	// loss: people.csv, line 4, column 3 (age) = "twenty": want a number
	// [height age] weight [70 81] <nil>
}

func TestReadCSV(t *testing.T) {
	t.Parallel()
	d, err := loss.ReadCSV(strings.NewReader("\ufeff\"a,b\",y,c\r\n1, 2 ,-3e2\r\n\r\n0x1p-1,\"5\",+.5\n"), "f", "y")
	if err != nil {
		t.Fatal(err)
	}
	if want := mat.NewDense(2, 2, []float64{1, -300, 0.5, 0.5}); !mat.Equal(d.X, want) ||
		!slices.Equal(d.Y, []float64{2, 5}) || !slices.Equal(d.Columns, []string{"a,b", "c"}) || d.Target != "y" {
		t.Errorf("read %+v", d)
	}
	for _, c := range []struct{ text, target, want string }{
		{"", "", "f, line 1 = nothing"},
		{"\n\n", "", "f, line 1 = nothing"},
		{"a,y\n", "", "f, line 1 = names and no line below"},
		{"a\n1\n", "", "f, line 1 = 1 column: want features and a target"},
		{"1,2\n3,4\n", "", "f, line 1 = numbers: want the names"},
		{"a,y\n1,2\n", "z", `f, line 1 = ["a" "y"]: want a column "z"`},
		{"y,a,y\n1,2,3\n", "y", `f, line 1 = columns 1 and 3 of one name: want one column "y"`},
		{"a,y\n1,2\n\n3\n", "", "f, line 4 = 1 column: want as many as the first line has, 2 columns"},
		{"a,y\n1,2,3\n", "", "f, line 2 = 3 columns"},
		{"a,y\n1,2\n3,\n", "", `f, line 3, column 2 (y) = "": want a number`},
		{"a,y\n1,NaN\n", "", `f, line 2, column 2 (y) = "NaN": want a finite number`},
		{"a,y\n-inf,1\n", "", `f, line 2, column 1 (a) = "-inf": want a finite number`},
		{"a,y\n1e999,1\n", "", `f, line 2, column 1 (a) = "1e999": want a number that is not as large`},
		{"a,y\n1;2,1\n", "", `f, line 2, column 1 (a) = "1;2": want a number`},
		{"a,y\n\"1,2\n", "", "f, line 2, character 6 = extraneous or missing"},
		{"a,y\n1,2\n3,4\"\n", "", "f, line 3, character 4 = bare"},
	} {
		_, err := loss.ReadCSV(strings.NewReader(c.text), "f", c.target)
		if !errors.Is(err, sde.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one of sde.ErrInvalid with %q", c.text, err, c.want)
		}
	}
	broken := errors.New("disk on fire")
	if _, err := loss.ReadCSV(iotest.ErrReader(broken), "f", ""); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the reader", err)
	}
}

// FuzzReadCSV reads what was read and written again: the same data, and nothing that is not
// finite.
func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"a,y\n1,2\n", "\"q\"\"\",y\n0x1p-1, 3\r\n", "a,b,c\n1,2,3\n4,5\n", "\ufeffa,y\n-0,1e308\n", "a,y\nNaN,1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := loss.ReadCSV(strings.NewReader(text), "f", "")
		if err != nil {
			if !errors.Is(err, sde.ErrInvalid) {
				t.Fatalf("error %v is not one of sde.ErrInvalid", err)
			}
			return
		}
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		again.WriteString("names" + strings.Repeat(",more", len(d.Columns)) + "\n")
		for i, y := range d.Y {
			for _, v := range d.X.RawRowView(i) {
				fmt.Fprintf(&again, "%v,", v)
			}
			fmt.Fprintln(&again, y)
		}
		e, err := loss.ReadCSV(&again, "f", "")
		if err != nil {
			t.Fatal(err)
		}
		if !mat.Equal(d.X, e.X) || !slices.Equal(d.Y, e.Y) {
			t.Fatalf("read %v, and again %v", d, e)
		}
	})
}

func TestStandardized(t *testing.T) {
	t.Parallel()
	d := loss.Dataset{X: mat.NewDense(4, 2, []float64{1, 0.1, 2, 0.1, 3, 0.1, 6, 0.1}), Y: make([]float64, 4)}
	s := d.Standardized()
	r := math.Sqrt(3.5)
	if want := mat.NewDense(4, 2, []float64{-2 / r, 0, -1 / r, 0, 0, 0, 3 / r, 0}); !mat.EqualApprox(s.X, want, 1e-15) {
		t.Errorf("got %v", mat.Formatted(s.X))
	}
	if d.X.At(0, 0) != 1 {
		t.Error("the data were changed in place")
	}
}
