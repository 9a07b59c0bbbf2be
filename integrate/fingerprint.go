// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
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
// observers report, but for the shard. It is taken before the observers are
// started, so that it does not depend on what they have seen.
func (p *plan) fingerprint(observers []sde.Observer) []setting {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	source := "built in"
	if p.NewSource != nil {
		source = identity(p.NewSource)
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
		{"Schedule.BurnIn", number(float64(p.burnIn) * p.Step)},
		{"Schedule.Time", number(float64(p.n-p.burnIn) * p.Step)},
		{"Schedule.Every", number(float64(p.every) * p.Step)},
		{"observers", observersIdentity(observers)},
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
	left := string(saved)
	for _, e := range now {
		var line string
		line, left, _ = strings.Cut(left, "\n")
		name, quoted, _ := strings.Cut(line, "\t")
		if value, err := strconv.Unquote(quoted); err != nil || name != e.name {
			return &MismatchError{Path: path, Setting: e.name, Saved: "not recorded", Now: readable(e.value)}
		} else if !e.agrees(value) {
			return &MismatchError{Path: path, Setting: e.name, Saved: readable(value), Now: readable(e.value)}
		}
	}
	if name, _, _ := strings.Cut(left, "\t"); name != "" {
		return &MismatchError{Path: path, Setting: name, Saved: "recorded", Now: "not a setting"}
	}
	return nil
}

// agrees reports whether a saved value is that of the setting: if it is the same,
// or an identity whose functions have the same names or stand at the same places.
func (s setting) agrees(saved string) bool {
	if saved == s.value {
		return true
	}
	a, b := strings.Split(s.value, "\n"), strings.SplitN(saved, "\n", 4)
	return len(a) == 3 && len(b) == 3 && a[0] == b[0] && (a[1] == b[1] || a[2] == b[2])
}

func readable(value string) string { return strings.ReplaceAll(value, "\n", " ") }

// MismatchError reports a file of a run with another setting.
type MismatchError struct {
	Path, Setting, Saved, Now string
}

// Error names the file and the setting.
func (e *MismatchError) Error() string {
	s := fmt.Sprintf("integrate: %s is of another run: %s was %s, is now %s", e.Path, e.Setting, e.Saved, e.Now)
	if was, _, _ := strings.Cut(e.Saved, " #"); was != e.Saved && strings.HasPrefix(e.Now, was+" #") {
		s += " (all fields count, and functions by name or place; what changes of itself, such as a cache, needs an sde.Identified)"
	}
	return s
}

// identity returns the type of a value and a hash of what it holds, see
// identifier, and, if there are functions in it, a line of their names and one
// of where they stand. A closure's name changes with what it is inlined into, and
// its place with the lines above it: one of the two suffices (setting.agrees).
func identity(v any) string {
	w := newIdentifier()
	w.any(v)
	return w.identity(fmt.Sprintf("%T", v))
}

// observersIdentity is the identity of observers, whose exported fields alone
// are settings.
func observersIdentity(observers []sde.Observer) string {
	w := newIdentifier()
	names := make([]string, len(observers))
	for i, o := range observers {
		names[i] = fmt.Sprintf("%T", o)
		w.settings(o)
	}
	return w.identity(strings.Join(names, ", "))
}

func (w *identifier) identity(name string) string {
	id := name + " #" + hex.EncodeToString(w.sum()[:8])
	if len(w.functions) == 0 {
		return id
	}
	var names, places []string
	for _, f := range w.functions {
		name := f.Name()
		file, line := f.FileLine(f.Entry())
		place := fmt.Sprintf("%s:%d", filepath.Base(file), line)
		if line <= 1 {
			place = name // a method value, or made by reflection
		}
		names, places = append(names, name), append(places, place)
	}
	return id + "\n" + short(names) + "\n" + short(places)
}

// short joins the elements of a list, or, if that is long, hashes them.
func short(list []string) string {
	s := strings.Join(list, ", ")
	if len(s) > 200 {
		sum := sha256.Sum256([]byte(s))
		return fmt.Sprintf("%d functions #%x", len(list), sum[:8])
	}
	return s
}
