// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package example

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sgflow/sgflow/sde"
)

// Report is what a program has found: tables, sentences and warnings, in the
// order in which they are to be read. It is printed as text or as JSON.
type Report struct {
	// Partial says why the simulation ended early, empty if it did not.
	Partial string

	name     string
	tables   []*Table
	notes    []string
	warnings []string
	pictures []string
	data     []string
}

// Note adds a sentence.
func (r *Report) Note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// Warn adds warnings, each once.
func (r *Report) Warn(warnings ...string) {
	for _, w := range warnings {
		if !slices.Contains(r.warnings, w) {
			r.warnings = append(r.warnings, w)
		}
	}
}

// Table adds a table. A table without columns is a list of facts, of one cell each.
func (r *Report) Table(key, title string, columns ...Column) *Table {
	t := &Table{key: key, title: title, columns: columns}
	r.tables = append(r.tables, t)
	return t
}

// Column is a column of a table: its name in JSON, and what is printed above it.
type Column struct{ Key, Label string }

// Table is a table whose cells are numbers, integers, strings, an sde.Estimate,
// a Number, or nil for an empty cell. Numbers that are not finite are empty.
type Table struct {
	key, title string
	columns    []Column
	rows       []row
}

type row struct {
	key, label string
	cells      []any
}

// Row adds a row: its name in JSON, what is printed before it, and its cells.
// It panics if there are more cells than columns.
func (t *Table) Row(key, label string, cells ...any) {
	if len(cells) > max(1, len(t.columns)) {
		panic("example: more cells than columns")
	}
	t.rows = append(t.rows, row{key, label, cells})
}

// Number is a cell that is printed in a format of its own, as "%.2f".
type Number struct {
	Value  float64
	Format string
}

// text returns what is printed for a cell.
func text(cell any) string {
	const empty = "–"
	switch v := cell.(type) {
	case nil:
		return empty
	case float64:
		return text(Number{v, "%.6g"})
	case Number:
		if !finite(v.Value) {
			return empty
		}
		return fmt.Sprintf(v.Format, v.Value)
	case sde.Estimate:
		if !finite(v.Value) {
			return empty
		}
		if v.StdErr > 0 && v.StdErr < 1e-5 {
			return fmt.Sprintf("%.3g ± %.2g", v.Value, v.StdErr)
		}
		return v.String()
	}
	return fmt.Sprint(cell)
}

// value returns what stands for a cell in JSON.
func value(cell any) any {
	number := func(v float64) any {
		if !finite(v) {
			return nil
		}
		return v
	}
	switch v := cell.(type) {
	case float64:
		return number(v)
	case Number:
		return number(v.Value)
	case sde.Estimate:
		return object{{"value", number(v.Value)}, {"stderr", number(v.StdErr)}}
	}
	return cell
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// WriteText prints the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.Partial != "" {
		fmt.Fprintf(&b, "PARTIAL RESULT: %s\n\n", r.Partial)
	}
	for _, t := range r.tables {
		t.write(&b)
		b.WriteByte('\n')
	}
	for _, n := range r.notes {
		b.WriteString(wrap(n, 100, ""))
	}
	for _, n := range r.warnings {
		b.WriteString(wrap("Warning: "+n, 100, "  "))
	}
	for _, p := range r.pictures {
		fmt.Fprintf(&b, "Picture: %s\n", p)
	}
	for _, p := range r.data {
		fmt.Fprintf(&b, "Data: %s\n", p)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// write prints the table with its columns aligned: labels to the left, cells to
// the right.
func (t *Table) write(b *strings.Builder) {
	lines := make([][]string, 0, len(t.rows)+1)
	head := []string{t.title}
	for _, c := range t.columns {
		head = append(head, c.Label)
	}
	lines = append(lines, head)
	for _, r := range t.rows {
		line := []string{"  " + r.label}
		for _, c := range r.cells {
			line = append(line, text(c))
		}
		lines = append(lines, line)
	}
	width := make([]int, max(2, len(head)))
	for _, line := range lines {
		for i, s := range line {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	for _, line := range lines {
		var l strings.Builder
		for i, s := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			switch {
			case i == 0:
				l.WriteString(s + pad)
			case len(t.columns) == 0:
				l.WriteString("  " + s)
			default:
				l.WriteString("  " + pad + s)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
}

// wrap breaks a text into lines of at most width characters where it can.
func wrap(s string, width int, indent string) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(s) {
		l := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case n+1+l > width:
			b.WriteString("\n" + indent)
			n = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += l
	}
	return b.String() + "\n"
}

// WriteJSON prints the report as one JSON object: each table under its key, its
// rows under theirs, and "example", "partial", "notes", "warnings", "pictures" and
// "data".
// A number that is not finite is null.
func (r *Report) WriteJSON(w io.Writer) error {
	o := object{{"example", r.name}, {"partial", r.Partial != ""}}
	if r.Partial != "" {
		o = append(o, member{"ended", r.Partial})
	}
	for _, t := range r.tables {
		rows := object{}
		for _, r := range t.rows {
			if len(t.columns) == 0 {
				rows = append(rows, member{r.key, value(r.cells[0])})
				continue
			}
			cells := object{}
			for i, c := range r.cells {
				cells = append(cells, member{t.columns[i].Key, value(c)})
			}
			rows = append(rows, member{r.key, cells})
		}
		o = append(o, member{t.key, rows})
	}
	o = append(o, member{"notes", r.notes}, member{"warnings", r.warnings}, member{"pictures", r.pictures}, member{"data", r.data})
	data, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON refuses a key that occurs twice.
func (o object) MarshalJSON() ([]byte, error) {
	seen := map[string]bool{}
	b := []byte{'{'}
	for i, m := range o {
		if seen[m.key] {
			return nil, errors.New("key " + m.key + " occurs twice")
		}
		seen[m.key] = true
		k, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		if string(v) == "null" {
			if list, ok := m.value.([]string); ok && list == nil {
				v = []byte("[]")
			}
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, k...), ':'), v...)
	}
	return append(b, '}'), nil
}
