// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Clients are M sources of data that differ, as in federated learning. Client c has the
// features and targets
//
//	x = μ_c + z,   y = w_c·x + σε,   w_c = w + Spread·v_c,   μ_c = Shift·u_c
//
// with z, ε, v_c and u_c standard normal and independent. With Logistic its y is 1 with
// probability 1/(1 + exp(−w_c·x)), otherwise 0. For Spread = Shift = 0 the clients are alike,
// and what is left between them is chance.
type Clients struct {
	Count    int       // M
	Samples  int       // of each client
	Teacher  []float64 // w
	Spread   float64   // of the teachers, 0 or more
	Shift    float64   // of the features' means, 0 or more
	Noise    float64   // σ, 0 or more; not with Logistic
	Logistic bool
}

// Validate returns an error if there are no clients, no samples or no weights, or a number is
// negative or not finite.
func (c Clients) Validate() error {
	for _, f := range []struct {
		name  string
		value int
		want  string
	}{{"Count", c.Count, "1 to 2²⁴ − 1"}, {"Samples", c.Samples, "1 or more"}, {"Teacher", len(c.Teacher), "1 weight or more"}} {
		if f.value < 1 || f.name == "Count" && f.value >= sde.MaxBlocks {
			return &sde.SettingError{Field: "loss: Clients." + f.name, Value: f.value, Want: f.want}
		}
	}
	for _, w := range c.Teacher {
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return &sde.SettingError{Field: "loss: Clients.Teacher", Value: c.Teacher, Want: "finite numbers"}
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"Spread", c.Spread}, {"Shift", c.Shift}, {"Noise", c.Noise}} {
		if err := checkFrom0("Clients."+f.name, f.value); err != nil {
			return err
		}
	}
	return nil
}

// Generate returns the data of each client. The seed decides them, on every machine, and
// those of a client do not depend on how many there are. It returns an error of Validate.
func (c Clients) Generate(seed uint64) ([]Dataset, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	d := len(c.Teacher)
	all := make([]Dataset, c.Count)
	w, mean := make([]float64, d), make([]float64, d)
	for k := range all {
		s := draw(seed, drawClients, k)
		s.Normals(w)
		s.Normals(mean)
		kernel.Scale(w, c.Spread, w)
		kernel.Axpy(w, 1, c.Teacher)
		data := make([]float64, c.Samples*d)
		draw(seed, drawFeatures, k).Normals(data)
		x := mat.NewDense(c.Samples, d, data)
		for i := range c.Samples {
			kernel.Axpy(x.RawRowView(i), c.Shift, mean)
		}
		labels := draw(seed, drawLabels, k)
		if all[k].X = x; c.Logistic {
			all[k].Y = bernoulli(x, w, labels)
		} else {
			all[k].Y = noisy(products(x, w), c.Noise, labels)
		}
	}
	return all, nil
}
