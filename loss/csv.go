// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// ReadCSV reads a table of numbers separated by commas. Its first line names the columns; the
// column called target, or the last one if that is empty, becomes Y, and the others X. Empty
// lines are skipped, space around a number does not matter, and names may stand in quotes.
//
// An error names the file, which name is for, the line and the column, both counted from 1. It
// is returned for a line with more or fewer fields than the first, a field that is
// empty, not a number, NaN, infinite or too large, a target that is no column or two of
// them, a first line of numbers, a table without features or without samples, and quotes that do
// not match. It wraps sde.ErrInvalid, or the error of r.
func ReadCSV(r io.Reader, name, target string) (Dataset, error) {
	fail := func(line int, place string, value any, want string) (Dataset, error) {
		return Dataset{}, &sde.SettingError{Field: fmt.Sprintf("loss: %s, line %d%s", name, line, place), Value: value, Want: want}
	}
	buffered := bufio.NewReader(r)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		buffered.Discard(3) // the mark of UTF-8 that some programs put first
	}
	table := csv.NewReader(buffered)
	table.TrimLeadingSpace = true
	table.ReuseRecord = true
	var columns []string
	var at int // the target's column
	var x, y []float64
	for {
		fields, err := table.Read()
		if err == io.EOF {
			break
		}
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := table.FieldPos(0)
			return fail(line, "", count(len(fields)), "as many as the first line has, "+count(len(columns)))
		case errors.As(err, &wrong):
			return fail(wrong.Line, fmt.Sprintf(", character %d", wrong.Column), wrong.Err, "quotes that match, around a whole field")
		case err != nil:
			return Dataset{}, fmt.Errorf("loss: reading %s: %w", name, err)
		}
		line, _ := table.FieldPos(0)
		if columns == nil {
			columns = make([]string, len(fields))
			numbers := 0
			for j, f := range fields {
				columns[j] = strings.TrimSpace(f)
				if _, err := number(f); err == nil {
					numbers++
				}
			}
			if numbers == len(fields) {
				return fail(line, "", "numbers", "the names of the columns")
			}
			if len(columns) < 2 {
				return fail(line, "", count(1), "features and a target")
			}
			at = len(columns) - 1
			if target != "" {
				at = slices.Index(columns, target)
				if at < 0 {
					return fail(line, "", fmt.Sprintf("%q", columns), fmt.Sprintf("a column %q, the target", target))
				}
				if more := slices.Index(columns[at+1:], target); more >= 0 {
					return fail(line, "", fmt.Sprintf("columns %d and %d of one name", at+1, at+more+2), fmt.Sprintf("one column %q, the target", target))
				}
			}
			continue
		}
		for j, f := range fields {
			v, err := number(f)
			if err != nil {
				line, _ := table.FieldPos(j)
				return fail(line, fmt.Sprintf(", column %d (%s)", j+1, columns[j]), fmt.Sprintf("%q", f), err.Error())
			}
			if j == at {
				y = append(y, v)
			} else {
				x = append(x, v)
			}
		}
	}
	if columns == nil {
		return fail(1, "", "nothing", "the names of the columns")
	}
	if len(y) == 0 {
		return fail(1, "", "names and no line below", "a line for each of 1 or more samples")
	}
	return Dataset{X: mat.NewDense(len(y), len(columns)-1, x), Y: y,
		Target: columns[at], Columns: slices.Delete(slices.Clone(columns), at, at+1)}, nil
}

// number returns the number that a field holds, or as an error what is wanted there.
func number(field string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("a number that is not as large")
	case err != nil:
		return 0, errors.New("a number")
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, errors.New("a finite number")
	}
	return v, nil
}

// count returns how many columns there are, in words.
func count(columns int) string {
	if columns == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", columns)
}
