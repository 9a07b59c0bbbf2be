// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"reflect"
	"runtime"
	"slices"

	"github.com/sgflow/sgflow/sde"
)

// identifier hashes what values hold, so that equal ones have equal hashes in
// every process and on every architecture:
//
//   - what is sde.Identified by what it declares, unless it has that only from a
//     field it embeds, which does not speak for the others;
//   - structs, exported or not, by their fields, pointers and interfaces by what
//     is behind them, maps in any order;
//   - functions by where they are defined, and not by what they capture;
//   - what belongs to a process rather than to a value (channels, locks, atomic
//     values, files, loggers, contexts) by type alone.
type identifier struct {
	h         hash.Hash
	buf       []byte
	targets   map[reference]*target
	depth     int
	functions []*runtime.Func
	numbers   map[uintptr]int // of functions, by entry
}

// reference is a pointer, a map or a slice.
type reference struct {
	p uintptr
	n int
	t reflect.Type
}

// target is what a reference is known to lead to.
type target struct {
	depth int    // where it was met, while it is being hashed
	sum   []byte // after that
}

func newIdentifier() *identifier {
	return &identifier{h: sha256.New(), targets: map[reference]*target{}, numbers: map[uintptr]int{}}
}

func (w *identifier) word(x uint64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf, x)
	if len(w.buf) >= 4096 {
		w.flush()
	}
}

func (w *identifier) flush() {
	w.h.Write(w.buf)
	w.buf = w.buf[:0]
}

func (w *identifier) bytes(b []byte) {
	w.word(uint64(len(b)))
	w.flush()
	w.h.Write(b)
}

func (w *identifier) text(s string) {
	w.word(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *identifier) sum() []byte {
	w.flush()
	return w.h.Sum(nil)
}

// apart returns the hash of what f writes.
func (w *identifier) apart(f func()) []byte {
	w.flush()
	outer := w.h
	w.h = sha256.New()
	f()
	sum := w.sum()
	w.h = outer
	return sum
}

// any hashes a value with its type.
func (w *identifier) any(v any) {
	w.dynamic(reflect.ValueOf(v))
}

func (w *identifier) dynamic(v reflect.Value) {
	if !v.IsValid() {
		w.text("nil")
		return
	}
	w.text(v.Type().String())
	// A copy can be addressed, and so its unexported fields can be looked into.
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	w.value(c)
}

// settings hashes what is exported of a struct or a pointer to one.
func (w *identifier) settings(v any) {
	s := reflect.ValueOf(v)
	for s.Kind() == reflect.Pointer && !s.IsNil() {
		s = s.Elem()
	}
	if _, ok := v.(sde.Identified); ok || s.Kind() != reflect.Struct {
		w.any(v)
		return
	}
	w.text(s.Type().String())
	inner, isNested := v.(nested)
	for i := range s.NumField() {
		if f := s.Type().Field(i); f.IsExported() && !(isNested && f.Type.Kind() == reflect.Func) {
			w.text(f.Name)
			w.dynamic(s.Field(i))
		}
	}
	if isNested {
		w.settings(inner.element())
	}
}

// nested is an observer made of others, of which element returns a new one.
type nested interface{ element() sde.Observer }

// declared returns what an addressable value says of itself.
func declared(v reflect.Value) (string, bool) {
	if k := v.Kind(); k == reflect.Interface || k == reflect.Pointer {
		return "", false // but what is behind it may
	}
	i, ok := v.Addr().Interface().(sde.Identified)
	if !ok {
		return "", false
	}
	id := i.Identity()
	if v.Kind() == reflect.Struct {
		for k := range v.NumField() {
			if !v.Type().Field(k).Anonymous {
				continue
			}
			f := opened(v.Field(k))
			for (f.Kind() == reflect.Pointer || f.Kind() == reflect.Interface) && !f.IsNil() {
				f = f.Elem()
			}
			if !f.CanAddr() {
				c := reflect.New(f.Type()).Elem()
				c.Set(f)
				f = c
			}
			if inner, ok := declared(f); ok && inner == id {
				return "", false
			}
		}
	}
	return id, true
}

// opened returns an addressable value as one that can be looked into even if it
// is an unexported field.
func opened(v reflect.Value) reflect.Value {
	if v.CanInterface() {
		return v
	}
	return reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
}

// momentary reports whether values of a type are of the moment, not of a run.
func momentary(t reflect.Type) bool {
	switch t.PkgPath() {
	case "sync", "sync/atomic", "internal/sync", "os", "log", "log/slog", "context", "testing":
		return true
	}
	return false
}

// value hashes an addressable value, but for its type.
func (w *identifier) value(v reflect.Value) {
	v = opened(v)
	t := v.Type()
	if momentary(t) {
		return
	}
	if id, ok := declared(v); ok {
		w.text(id)
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		b := uint64(0)
		if v.Bool() {
			b = 1
		}
		w.word(b)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.word(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.word(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.word(math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		w.word(math.Float64bits(real(v.Complex())))
		w.word(math.Float64bits(imag(v.Complex())))
	case reflect.String:
		w.text(v.String())
	case reflect.Slice, reflect.Array:
		w.list(v)
	case reflect.Struct:
		for i := range v.NumField() {
			w.text(t.Field(i).Name)
			w.value(v.Field(i))
		}
	case reflect.Pointer:
		w.pointer(v)
	case reflect.Interface:
		w.dynamic(v.Elem())
	case reflect.Map:
		w.entries(v)
	case reflect.Func:
		w.function(v)
	}
}

func (w *identifier) list(v reflect.Value) {
	n := v.Len()
	w.word(uint64(n))
	each := func() {
		for i := range n {
			w.value(v.Index(i))
		}
	}
	switch e := v.Type().Elem(); {
	case n == 0:
	case e.Kind() == reflect.Float64 && e.NumMethod() == 0:
		for i := range n {
			w.word(math.Float64bits(v.Index(i).Float()))
		}
	case e.Kind() == reflect.Uint8 && e.NumMethod() == 0:
		w.bytes(v.Bytes())
	case v.Kind() == reflect.Slice:
		w.behind(reference{v.Pointer(), n, v.Type()}, each)
	default:
		each()
	}
}

func (w *identifier) pointer(v reflect.Value) {
	if v.IsNil() {
		w.word(0)
		return
	}
	w.behind(reference{v.Pointer(), 1, v.Type()}, func() { w.value(v.Elem()) })
}

// entries hashes a map's entries in the order of the hashes of their keys.
func (w *identifier) entries(v reflect.Value) {
	w.word(uint64(v.Len()))
	if v.Len() == 0 {
		return
	}
	w.behind(reference{v.Pointer(), v.Len(), v.Type()}, func() {
		type entry struct {
			key   []byte
			value reflect.Value
		}
		var all []entry
		for it := v.MapRange(); it.Next(); {
			all = append(all, entry{w.apart(func() { w.dynamic(it.Key()) }), it.Value()})
		}
		slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
		for _, e := range all {
			w.bytes(e.key)
			w.dynamic(e.value)
		}
	})
}

// behind writes the hash of what f writes, which is what a reference leads to:
// it is computed once if it is met again, and where it leads back to what is
// being hashed, how far back stands for it.
func (w *identifier) behind(r reference, f func()) {
	to := w.targets[r]
	if to == nil {
		to = &target{depth: w.depth}
		w.targets[r] = to
		w.depth++
		to.sum = w.apart(f)
		w.depth--
	}
	if to.sum == nil {
		w.word(2)
		w.word(uint64(w.depth - to.depth))
		return
	}
	w.word(1)
	w.bytes(to.sum)
}

// function hashes the number under which a function is listed.
func (w *identifier) function(v reflect.Value) {
	f := runtime.FuncForPC(v.Pointer())
	if v.IsNil() || f == nil {
		w.word(0)
		return
	}
	n, ok := w.numbers[f.Entry()]
	if !ok {
		n = len(w.functions) + 1
		w.numbers[f.Entry()] = n
		w.functions = append(w.functions, f)
	}
	w.word(uint64(n))
}
