// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/sde"
)

// StringMethod finds the path on which a flow at low temperature goes from one
// minimum to another: the path of minimum energy, which is everywhere parallel to
// the gradient, and the saddles it goes over. A string of images descends,
//
//	dφ/ds = −∇L(φ),   |∂φ/∂α| the same everywhere
//
// each by the gradient, after which the images are spread evenly again (E, Ren & Vanden-Eijnden, 2007, Simplified and
// improved string method). Every maximum along the string is then refined by Newton's method. The zero value serves.
type StringMethod struct {
	// Images is their number; 0 means 65.
	Images int
	// Via are places that the string goes through at first: which of several channels is found depends on
	// where it begins. nil means a straight line.
	Via [][]float64
	// Iterations is how often the string may move; 0 means 20,000.
	Iterations int
}

// TransitionPath is a path of minimum energy.
type TransitionPath struct {
	// States are the images, from one minimum to the other, Values their losses, and Arc
	// the length of the path up to them.
	States [][]float64
	Values []float64
	Arc    []float64
	// Saddles are the maxima on the way and Minima the minima between them, in order, both to rounding.
	// Highest is the number of the highest saddle.
	Saddles, Minima []sde.CriticalPoint
	Highest         int
	// Residual is the largest part of the gradient across the path, relative to the
	// largest gradient on it: the error of the path, not that of the saddles. It falls
	// as there are more images.
	Residual float64
}

// Path returns the path between the minima nearest to two places. It is an error if
// there is no minimum there, if both lead to the same, or if the path goes over no saddle.
func (s StringMethod) Path(loss sde.Loss, from, to []float64) (*TransitionPath, error) {
	n := s.Images
	if n == 0 {
		n = 65
	}
	if n < 5 {
		return nil, wrong("StringMethod.Images", s.Images, "at least 5, or 0 for 65")
	}
	iterations := s.Iterations
	if iterations == 0 {
		iterations = 20000
	}
	if iterations < 1 {
		return nil, wrong("StringMethod.Iterations", s.Iterations, "a positive number, or 0 for 20,000")
	}
	a, err := FindMinimum(loss, from)
	if err != nil {
		return nil, err
	}
	b, err := FindMinimum(loss, to)
	if err != nil {
		return nil, err
	}
	if distance(a.Theta, b.Theta) < 1e-6*(1+norm(a.Theta)) {
		return nil, wrong("StringMethod minima", a.Theta, "places that lead to two different minima")
	}
	corners := [][]float64{a.Theta}
	for i, v := range s.Via {
		if err := checkPlace(fmt.Sprintf("StringMethod.Via[%d]", i), loss, v); err != nil {
			return nil, err
		}
		corners = append(corners, v)
	}
	images := spread(append(corners, b.Theta), n)

	d := loss.Dim()
	f := newFollower(loss)
	g := make([]float64, d)
	p := &TransitionPath{Highest: -1}
	step := 0.0
	var last [][]float64
	for i := range iterations {
		if i%50 == 0 {
			curvature := 0.0
			for _, x := range images {
				if !f.at(x) {
					return nil, wrong("StringMethod path", x, "a loss that is finite along it")
				}
				curvature = math.Max(curvature, f.largest())
			}
			step = 0.5 / curvature
			moved, length := 0.0, 0.0
			for k, x := range images {
				if last != nil {
					moved = math.Max(moved, distance(x, last[k]))
				}
				if k > 0 {
					length += distance(x, images[k-1])
				}
			}
			if last != nil && moved < 1e-9*length {
				break
			}
			last = spread(images, n)
		}
		for _, x := range images[1 : n-1] {
			loss.Gradient(g, x)
			for k := range x {
				x[k] -= step * g[k]
			}
		}
		images = spread(images, n)
	}
	p.States, p.Residual = images, residual(loss, images)
	length := 0.0
	for i, x := range images {
		if i > 0 {
			length += distance(x, images[i-1])
		}
		p.Values, p.Arc = append(p.Values, loss.Value(x)), append(p.Arc, length)
	}
	for i := 1; i < n-1; i++ {
		v := p.Values
		if v[i] > v[i-1] && v[i] >= v[i+1] {
			c, err := FindSaddle(loss, images[i])
			if err != nil {
				return nil, err
			}
			if k := len(p.Saddles); k > 0 && distance(p.Saddles[k-1].Theta, c.Theta) < 1e-6*(1+norm(c.Theta)) {
				continue
			}
			p.Saddles = append(p.Saddles, c)
			if p.Highest < 0 || c.Value > p.Saddles[p.Highest].Value {
				p.Highest = len(p.Saddles) - 1
			}
		}
		if v[i] < v[i-1] && v[i] <= v[i+1] {
			if c, err := FindMinimum(loss, images[i]); err == nil {
				p.Minima = append(p.Minima, c)
			}
		}
	}
	if p.Highest < 0 {
		return nil, wrong("StringMethod path", fmt.Sprintf("from %.4g to %.4g", a.Theta, b.Theta), "a saddle between the minima; with more Images or other Via it may be seen")
	}
	p.Minima = slices.DeleteFunc(p.Minima, func(c sde.CriticalPoint) bool {
		return distance(c.Theta, a.Theta) < 1e-6 || distance(c.Theta, b.Theta) < 1e-6
	})
	return p, nil
}

// spread returns n states evenly along the polygon through the given ones.
func spread(corners [][]float64, n int) [][]float64 {
	arc := make([]float64, len(corners))
	for i := 1; i < len(corners); i++ {
		arc[i] = arc[i-1] + distance(corners[i], corners[i-1])
	}
	total := arc[len(arc)-1]
	states := make([][]float64, n)
	k := 0
	for i := range states {
		at := total * float64(i) / float64(n-1)
		for k < len(arc)-2 && arc[k+1] < at {
			k++
		}
		t := 0.0
		if w := arc[k+1] - arc[k]; w > 0 {
			t = math.Min(1, (at-arc[k])/w)
		}
		x := make([]float64, len(corners[0]))
		for j := range x {
			x[j] = corners[k][j]*(1-t) + corners[k+1][j]*t
		}
		states[i] = x
	}
	copy(states[0], corners[0])
	copy(states[n-1], corners[len(corners)-1])
	return states
}

// residual returns the largest part of the gradient across a path, relative to the
// largest gradient on it.
func residual(loss sde.Loss, images [][]float64) float64 {
	g := make([]float64, len(images[0]))
	across, all := 0.0, 0.0
	for i := 1; i < len(images)-1; i++ {
		loss.Gradient(g, images[i])
		length := distance(images[i+1], images[i-1])
		dot := 0.0
		for j := range g {
			dot += g[j] * (images[i+1][j] - images[i-1][j]) / length
		}
		whole := norm(g)
		across = math.Max(across, math.Sqrt(math.Max(0, whole*whole-dot*dot)))
		all = math.Max(all, whole)
	}
	if all == 0 {
		return 0
	}
	return across / all
}
