// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package example

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/sgflow/sgflow/sde"
)

// SaveData writes a batch, whose columns have the given names, into the folder
// -out as name.npy or name.csv, and reports the file. It does nothing unless the
// flag -data asks for it.
func (s *Session) SaveData(name string, b sde.Batch, columns ...string) error {
	switch s.Data {
	case "npy":
		return s.write(name+".npy", &s.Report.data, b.WriteNPY)
	case "csv":
		return s.write(name+".csv", &s.Report.data, func(w io.Writer) error { return b.WriteCSV(w, columns...) })
	}
	return nil
}

// write makes a file in the folder -out and adds its path to list.
func (s *Session) write(name string, list *[]string, content func(io.Writer) error) error {
	path := filepath.Join(s.Out, name)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(content(f), f.Close()); err != nil {
		return err
	}
	*list = append(*list, path)
	return nil
}

// Columns returns a batch of the given columns.
// It panics unless they are of one length.
func Columns(columns ...[]float64) sde.Batch {
	b := sde.NewBatch(len(columns[0]), len(columns))
	for j, c := range columns {
		if len(c) != b.Rows {
			panic("example: columns of different lengths")
		}
		for i, v := range c {
			b.Row(i)[j] = v
		}
	}
	return b
}
