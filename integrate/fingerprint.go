// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/blas/blas64"

	"github.com/sgflow/sgflow/sde"
)

// bitsVersion changes with every release that changes a run's bits: the streams'
// words, the normals, the size of blocks, the order of folding.
const bitsVersion = 1

// setting is one entry of a fingerprint.
type setting struct{ name, value string }

// fingerprint returns everything that decides the bits of a run and of what its
// observers report, but for the shard.
func (p *plan) fingerprint(observers []*observed) []setting {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	source := "built in"
	if p.NewSource != nil {
		source = identity(p.NewSource)
	}
	names := make([]string, len(observers))
	for i, o := range observers {
		names[i] = fmt.Sprintf("%T", o.Observer)
	}
	return []setting{
		{"bits", strconv.Itoa(bitsVersion)},
		{"BLAS", fmt.Sprintf("%T", blas64.Implementation())},
		{"Ensemble.Equation", identity(p.Equation)},
		{"Ensemble.Scheme", identity(p.Scheme)},
		{"Ensemble.Step", number(p.Step)},
		{"Ensemble.Pieces", strconv.Itoa(p.Pieces)},
		{"Ensemble.Particles", strconv.Itoa(p.Particles)},
		{"dimension", strconv.Itoa(p.d)},
		{"Ensemble.Start", identity(p.Start)},
		{"Ensemble.Seed", strconv.FormatUint(p.Seed, 10)},
		{"Ensemble.NewSource", source},
		{"Ensemble.Groups", strconv.Itoa(p.groups)},
		{"Ensemble.OnDivergence", strconv.Itoa(int(p.OnDivergence))},
		{"Schedule.BurnIn", number(p.schedule.BurnIn)},
		{"Schedule.Time", number(p.schedule.Time)},
		{"Schedule.Every", number(float64(p.every) * p.Step)},
		{"observers", strings.Join(names, ", ")},
	}
}

// encodeSettings writes a fingerprint as lines of name and value.
func encodeSettings(s []setting) []byte {
	var b strings.Builder
	for _, e := range s {
		fmt.Fprintf(&b, "%s\t%q\n", e.name, e.value)
	}
	return []byte(b.String())
}

// compareSettings returns an error that names the first entry in which a saved
// fingerprint differs from that of this run.
func compareSettings(path string, saved []byte, now []setting) error {
	lines := strings.Split(strings.TrimSuffix(string(saved), "\n"), "\n")
	for i, e := range now {
		have := "nothing"
		if i < len(lines) {
			name, value, _ := strings.Cut(lines[i], "\t")
			if v, err := strconv.Unquote(value); err == nil && name == e.name {
				have = v
			}
		}
		if have != e.value {
			return &MismatchError{Path: path, Setting: e.name, Saved: have, Now: e.value}
		}
	}
	if len(lines) != len(now) {
		return &MismatchError{Path: path, Setting: "settings", Saved: strconv.Itoa(len(lines)), Now: strconv.Itoa(len(now))}
	}
	return nil
}

// MismatchError reports a file of a run with another setting.
type MismatchError struct {
	Path, Setting, Saved, Now string
}

// Error names the file and the setting.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("integrate: %s is of another run: %s was %s, is now %s", e.Path, e.Setting, e.Saved, e.Now)
}

// identity returns the type of a value and a hash of what it holds: what it
// declares, if it is sde.Identified, otherwise its fields, functions by name.
func identity(v any) string {
	h := sha256.New()
	(&identifier{h: h, seen: map[uintptr]bool{}}).value(reflect.ValueOf(v))
	return fmt.Sprintf("%T %s", v, hex.EncodeToString(h.Sum(nil)[:8]))
}

type identifier struct {
	h    hash.Hash
	seen map[uintptr]bool
}

func (w *identifier) word(x uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], x)
	w.h.Write(b[:])
}

func (w *identifier) text(s string) {
	w.word(uint64(len(s)))
	w.h.Write([]byte(s))
}

func (w *identifier) value(v reflect.Value) {
	if !v.IsValid() {
		w.text("nil")
		return
	}
	t := v.Type()
	w.text(t.String())
	if t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" {
		return // state of the moment
	}
	if v.CanInterface() {
		if i, ok := v.Interface().(sde.Identified); ok && !(v.Kind() == reflect.Pointer && v.IsNil()) {
			w.text(i.Identity())
			return
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		w.text(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.word(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.word(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.word(math.Float64bits(v.Float()))
	case reflect.String:
		w.text(v.String())
	case reflect.Slice, reflect.Array:
		w.word(uint64(v.Len()))
		if v.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Float64 {
			for i := range v.Len() {
				w.word(math.Float64bits(v.Index(i).Float()))
			}
			return
		}
		for i := range v.Len() {
			w.value(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			w.text(t.Field(i).Name)
			w.value(v.Field(i))
		}
	case reflect.Pointer:
		if v.IsNil() || w.seen[v.Pointer()] {
			return
		}
		w.seen[v.Pointer()] = true
		w.value(v.Elem())
	case reflect.Interface:
		w.value(v.Elem())
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
		for _, k := range keys {
			w.value(k)
			w.value(v.MapIndex(k))
		}
	case reflect.Func:
		if !v.IsNil() {
			w.text(runtime.FuncForPC(v.Pointer()).Name())
		}
	}
}
