// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// falseAlarm is the chance that a sound generator fails the checks of one test
// below, over all of them.
const falseAlarm = 1e-6

// A check is a p-value with a name.
type check struct {
	name string
	p    float64
}

// twoSided returns the p-value of a standard normal statistic.
func twoSided(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// poisson returns the two-sided p-value of a count with a Poisson mean.
func poisson(count int, mean float64) float64 {
	if mean > 1e5 {
		return twoSided((float64(count) - mean) / math.Sqrt(mean))
	}
	var below, above float64
	for k := 0; k <= count+int(60+20*math.Sqrt(mean)); k++ {
		lg, _ := math.Lgamma(float64(k) + 1)
		p := math.Exp(float64(k)*math.Log(mean) - mean - lg)
		if k <= count {
			below += p
		}
		if k >= count {
			above += p
		}
	}
	return min(1, 2*min(below, above))
}

// chiSquare returns the p-value of a χ² statistic (Wilson and Hilferty 1931).
func chiSquare(x2, df float64) float64 {
	c := 2 / (9 * df)
	return math.Erfc((math.Cbrt(x2/df)-1+c)/math.Sqrt(2*c)) / 2
}

// andersonDarling returns the asymptotic p-value of the sample's A² for the
// standard normal law: where it is small, P(A² > a) ≈ √(3/(πa))·exp(−a), the
// first pole of its characteristic function (eigenvalues 1/(j(j+1)), product
// Π (1−2/(j(j+1))) = 1/3); where it is not, 1. It sorts z.
func andersonDarling(z []float64) float64 {
	slices.Sort(z)
	n := float64(len(z))
	var s float64
	for i, v := range z {
		// (2i+1)·log Φ(z) + (2n−2i−1)·log(1−Φ(z))
		lower, upper := math.Erfc(-v/math.Sqrt2)/2, math.Erfc(v/math.Sqrt2)/2
		s += float64(2*i+1)*math.Log(lower) + (2*n-float64(2*i+1))*math.Log(upper)
	}
	a := -n - s/n
	if a < 3 {
		return 1
	}
	return math.Sqrt(3/(math.Pi*a)) * math.Exp(-a)
}

// moments returns z-tests of the means of z, z², … z⁸, with their exact standard
// errors: E z²ᵏ = (2k−1)!!.
func moments(z []float64) (c []check) {
	var sum [9]float64
	for len(z) > 0 {
		n := min(len(z), 4096)
		var part [9]float64
		for _, v := range z[:n] {
			p := v
			for k := 1; k <= 8; k++ {
				part[k] += p
				p *= v
			}
		}
		for k := range sum {
			sum[k] += part[k]
		}
		sum[0] += float64(n)
		z = z[n:]
	}
	return momentChecks(&sum)
}

// momentChecks turns n and the sums of z … z⁸ into checks.
func momentChecks(sum *[9]float64) (c []check) {
	even := func(k int) float64 { // E zᵏ
		if k%2 != 0 {
			return 0
		}
		m := 1.0
		for ; k > 1; k -= 2 {
			m *= float64(k - 1)
		}
		return m
	}
	for k := 1; k <= 8; k++ {
		se := math.Sqrt((even(2*k) - even(k)*even(k)) / sum[0])
		c = append(c, check{fmt.Sprintf("moment %d", k), twoSided((sum[k]/sum[0] - even(k)) / se)})
	}
	return c
}

// tails returns checks of the counts beyond 4 and 5 standard deviations.
func tails(z []float64) (c []check) {
	var count [2][2]int
	for _, v := range z {
		if a := math.Abs(v); a > 4 {
			side := 0
			if v > 0 {
				side = 1
			}
			count[0][side]++
			if a > 5 {
				count[1][side]++
			}
		}
	}
	for i, s := range []float64{4, 5} {
		for side := range 2 {
			mean := float64(len(z)) * math.Erfc(s/math.Sqrt2) / 2
			c = append(c, check{fmt.Sprintf("beyond %vσ, side %d", s, side), poisson(count[i][side], mean)})
		}
	}
	return c
}

// dependence returns checks that the pairs (x[i], y[i]) are independent: four
// mixed moments.
func dependence(name string, x, y []float64) []check {
	var s [4]float64
	for i, a := range x {
		b := y[i]
		s[0] += a * b
		s[1] += (a*a - 1) * (b*b - 1)
		s[2] += a * (b*b - 1)
		s[3] += (a*a - 1) * b
	}
	n := math.Sqrt(float64(len(x)))
	return []check{
		{name + ": xy", twoSided(s[0] / n)},
		{name + ": x²y²", twoSided(s[1] / (2 * n))},
		{name + ": xy²", twoSided(s[2] / (math.Sqrt2 * n))},
		{name + ": x²y", twoSided(s[3] / (math.Sqrt2 * n))},
	}
}

// circle returns a check that angle and radius of the pairs (z0, z1) are uniform
// together, in 64 sectors by 16 rings.
func circle(z []float64) check {
	var count [64 * 16]float64
	var n float64
	for g := 0; g+16 <= len(z); g += 16 {
		for i := range 8 {
			a, b := z[g+i], z[g+i+8]
			sector := int((math.Atan2(b, a)/math.Pi + 1) * 32)
			ring := int(math.Exp(-(a*a+b*b)/2) * 16)
			count[min(sector, 63)*16+min(ring, 15)]++
			n++
		}
	}
	var x2 float64
	e := n / float64(len(count))
	for _, c := range count {
		x2 += (c - e) * (c - e) / e
	}
	return check{"angle and radius", chiSquare(x2, float64(len(count)-1))}
}

// battery runs all checks on a source of normals keyed by a word.
func battery(n int, draw func(key uint64, dst []float64)) (c []check) {
	z := make([]float64, n)
	draw(1, z)
	c = append(c, moments(z)...)
	c = append(c, tails(z)...)
	c = append(c, circle(z))

	// The partners in a pair, then lags: lanes, groups, far.
	var a, b []float64
	for g := 0; g+16 <= n; g += 16 {
		a, b = append(a, z[g:g+8]...), append(b, z[g+8:g+16]...)
	}
	c = append(c, dependence("z0, z1", a, b)...)
	for _, lag := range []int{1, 2, 3, 4, 7, 8, 15, 16, 17, 32, 48, 64, 256, 1024} {
		c = append(c, dependence(fmt.Sprintf("lag %d", lag), z[:n-lag], z[lag:])...)
	}

	// Blocks of neighbouring keys.
	a, b = a[:n/2], b[:n/2]
	const block = 500
	for _, d := range []uint64{0, 1, 2, 8, 1 << 20, 1 << 32, 1 << 63} {
		for i := 0; i+block <= len(a); i += block {
			key := uint64(i/block) + 1e6
			if d == 0 {
				draw(key, a[i:i+block])
				draw(key+1, b[i:i+block])
				continue
			}
			key = (key&^(d-1))<<1 | key&(d-1) // bit d is clear, so no pair comes twice
			draw(key, a[i:i+block])
			draw(key^d, b[i:i+block])
		}
		m := len(a) / block * block
		c = append(c, dependence(fmt.Sprintf("keys %#x apart", d), a[:m], b[:m])...)
		c = append(c, dependence(fmt.Sprintf("keys %#x apart, next lane", d), a[:m-1], b[1:m])...)
	}
	if !testing.Short() {
		c = append(c, check{"Anderson–Darling", andersonDarling(z)})
	} else {
		c = append(c, check{"Anderson–Darling", andersonDarling(z[:n/4])})
	}
	return c
}

// rejected returns the checks whose p-value is too small.
func rejected(checks []check) (bad []check) {
	for _, c := range checks {
		if !(c.p >= falseAlarm/float64(len(checks))) {
			bad = append(bad, c)
		}
	}
	return bad
}

func draw(key uint64, dst []float64) {
	var l Lanes
	l.Key(key)
	l.Normals(dst)
}

// TestNormalsLaw holds the normals to the normal law and to independence.
func TestNormalsLaw(t *testing.T) {
	n := 10_000_000
	if testing.Short() {
		n /= 20
	}
	checks := battery(n, draw)
	for _, c := range rejected(checks) {
		t.Errorf("%s: p = %.3g", c.name, c.p)
	}
	least := slices.MinFunc(checks, func(a, b check) int {
		if a.p < b.p {
			return -1
		}
		return 1
	})
	t.Logf("%d checks, least p-value %.3g (%s)", len(checks), least.p, least.name)
}

// TestNormalsFaults shows that the checks find what they look for.
func TestNormalsFaults(t *testing.T) {
	n := 1_000_000
	for _, f := range []struct {
		name  string
		fault func(key uint64, dst []float64)
	}{
		{"radius 1 % off", func(key uint64, dst []float64) { draw(key, dst); Scale(dst, 1.01, dst) }},
		{"mean 1 % of σ off", func(key uint64, dst []float64) {
			draw(key, dst)
			for i := range dst {
				dst[i] += 0.01
			}
		}},
		{"cut at 4", func(key uint64, dst []float64) {
			draw(key, dst)
			for i := range dst {
				dst[i] = max(-4, min(4, dst[i]))
			}
		}},
		{"sum of twelve uniforms", func(key uint64, dst []float64) {
			var l Lanes
			l.Key(key)
			u, w := make([]float64, len(dst)), make([]uint64, len(dst))
			clear(dst)
			for range 12 {
				l.Words(w)
				Uniforms(u, w)
				Axpy(dst, 1, u)
			}
			for i := range dst {
				dst[i] -= 6
			}
		}},
		{"no swap", func(key uint64, dst []float64) { fromWords(key, dst, func(w []uint64) { clearBits(w, 4) }) }},
		{"no second sign", func(key uint64, dst []float64) { fromWords(key, dst, func(w []uint64) { clearBits(w, 2) }) }},
		{"keys share their lanes", func(key uint64, dst []float64) { draw(key&^8, dst) }},
		{"lane 3 is lane 2", func(key uint64, dst []float64) {
			draw(key, dst)
			for i := 3; i < len(dst); i += 8 {
				dst[i] = dst[i-1]
			}
		}},
		{"radius and angle of one word", func(key uint64, dst []float64) {
			fromWords(key, dst, func(w []uint64) {
				for i := range w {
					if i&8 == 0 {
						w[i] = w[i+8]
					}
				}
			})
		}},
	} {
		if bad := rejected(battery(n, f.fault)); len(bad) == 0 {
			t.Errorf("%s: not found", f.name)
		} else {
			t.Logf("%s: %d checks, first %s, p = %.3g", f.name, len(bad), bad[0].name, bad[0].p)
		}
		if testing.Short() {
			break
		}
	}
	if testing.Short() {
		return
	}
	// A radius 0.1 % off is 8.9 standard errors of the variance at 4·10⁷ draws.
	var sound, off [9]float64
	z := make([]float64, 1<<16)
	var l Lanes
	l.Key(99)
	for range 40_000_000 / len(z) {
		l.Normals(z)
		addMoments(&sound, z, 2)
		Scale(z, 1.001, z)
		addMoments(&off, z, 2)
	}
	if p := momentChecks(&sound)[1].p; p < falseAlarm {
		t.Errorf("variance: p = %.3g", p)
	}
	if p := momentChecks(&off)[1].p; p > falseAlarm/150 {
		t.Errorf("radius 0.1 %% off: not found, p = %.3g", p)
	}
}

// addMoments adds n and the sums of the powers of z up to most.
func addMoments(sum *[9]float64, z []float64, most int) {
	var part [9]float64
	for _, v := range z {
		p := v
		for k := 1; k <= most; k++ {
			part[k] += p
			p *= v
		}
	}
	part[0] = float64(len(z))
	for k := range sum {
		sum[k] += part[k]
	}
}

func fromWords(key uint64, dst []float64, spoil func(w []uint64)) {
	var l Lanes
	l.Key(key)
	w := make([]uint64, (len(dst)+15)&^15)
	l.Words(w)
	spoil(w)
	Normals(dst, w)
}

func clearBits(w []uint64, bits uint64) {
	for i := range w {
		w[i] &^= bits
	}
}

// TestXoshiro holds a lane to the reference implementation's first words from
// the state 1, 2, 3, 4.
func TestXoshiro(t *testing.T) {
	for _, level := range levels {
		var l Lanes
		for w := range l {
			for i := range l[w] {
				l[w][i] = uint64(w + 1)
			}
		}
		got := make([]uint64, 80)
		use(level, func() { l.Words(got) })
		for i, want := range []uint64{
			41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205,
			9973669472204895162, 14011001112246962877, 12406186145184390807, 15849039046786891736, 10450023813501588000,
		} {
			for lane := range 8 {
				if got[8*i+lane] != want {
					t.Fatalf("%s: word %d of lane %d is %d, want %d", level, i, lane, got[8*i+lane], want)
				}
			}
		}
	}
}

// TestLanesLengths checks that what is drawn does not depend on the length, and
// that whole groups are.
func TestLanesLengths(t *testing.T) {
	for _, level := range levels {
		use(level, func() {
			all := make([]float64, 400)
			draw(5, all)
			for n := range 300 {
				var l Lanes
				l.Key(5)
				z := make([]float64, n)
				l.Normals(z)
				next := make([]float64, 16)
				l.Normals(next)
				compare(t, level, append(z, next...), append(all[:n:n], all[(n+15)&^15:][:16]...))
			}
		})
	}
}
