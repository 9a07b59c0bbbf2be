// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Client is one of several workers that hold data of their own.
type Client struct {
	// Gradient samples the client's loss L_m.
	Gradient sde.GradientSampler
	// Weight is w_m, positive.
	Weight float64
}

// Clients is the gradient that a server gathers from M clients with different data, whose
// weights sum to 1:
//
//	L = Σ_m w_m L_m,   g = Σ_m w_m Δ_m,             all take part
//	                   g = (1/S) Σ_s Δ_{m_s},       S take part, each drawn with probability w_m
//	                   g = (M/S) Σ_s w_{m_s} Δ_{m_s},   S different ones, each set as likely as any
//
// In the second way a client that is drawn twice in a step answers twice; the third is that of
// Distinct. Each starts from θ, takes K local steps of
// rate γ, and reports the mean of its gradients on the way, which is what it has moved by, over γK:
//
//	y_0 = θ,   y_{k+1} = y_k − γ g_m(y_k),   Δ_m = (1/K) Σ_{k<K} g_m(y_k) = (θ − y_K)/(γK)
//
// SGD of learning rate η = γK along g is federated averaging (H. B. McMahan, E. Moore, D. Ramage,
// S. Hampson & B. Agüera y Arcas, 2017, Communication-efficient learning of deep networks from
// decentralized data).
//
// For K = 1 it is unbiased if its clients are. Its covariance has a part from within the clients
// and, where only some take part, one from between them: with C_m and μ_m the clients' covariances
// and means, and μ = Σ_m w_m μ_m,
//
//	Cov g = Σ_m w_m² C_m,                                              all take part
//	Cov g = (1/S) [Σ_m w_m C_m + Σ_m w_m (μ_m−μ)(μ_m−μ)ᵀ],             S take part
//	Cov g = (M/S) Σ_m w_m² C_m + (M−S)/(S(M−1)) (1/M) Σ_m (M w_m μ_m−μ)(M w_m μ_m−μ)ᵀ,   S different
//
// For K > 1 clients drift towards their own minima, and g has a bias that does not vanish at the
// minimum of L: for L_m = ½(θ−c_m)ᵀH_m(θ−c_m) its mean is
//
//	E g = Σ_m w_m (1/γK) (I − (I − γH_m)^K)(θ − c_m)
//
// See S. P. Karimireddy et al., 2020, SCAFFOLD: stochastic controlled averaging for federated
// learning.
type Clients struct {
	Members []Client
	// Participants is S; 0 means that all take part in each step.
	Participants int
	// Distinct says that the participants of a step are different ones.
	Distinct bool
	// LocalSteps is K; 0 means 1.
	LocalSteps int
	// LocalRate is γ, positive and finite; it does not matter for K = 1.
	LocalRate float64
}

var (
	_ sde.GradientSampler    = Clients{}
	_ sde.MeanGradient       = Clients{}
	_ sde.GradientCovariance = Clients{}
)

// weightsOff is how far the sum of weights may be from 1.
const weightsOff = 1e-12

// Validate returns an error if there are no clients, one has no sampler or refuses itself, has
// another dimension than the first or noise that is correlated between steps, weights are
// not positive or do not sum to 1, or numbers are negative or LocalRate is not positive.
func (s Clients) Validate() error {
	if len(s.Members) == 0 {
		return &sde.SettingError{Field: "noise: Clients.Members", Value: "none", Want: "at least one client"}
	}
	var sum float64
	for m, c := range s.Members {
		field := fmt.Sprintf("noise: Clients.Members[%d]", m)
		if err := checkSampler(field+".Gradient", c.Gradient); err != nil {
			return err
		}
		if d, first := c.Gradient.Objective().Dim(), s.Members[0].Gradient.Objective().Dim(); d != first {
			return &sde.SettingError{Field: field + ".Gradient", Value: fmt.Sprintf("gradients of dimension %d", d),
				Want: fmt.Sprintf("%d, that of the first", first), Err: sde.ErrDimension}
		}
		if err := checkWhite(field+".Gradient", c.Gradient); err != nil {
			return err
		}
		if err := positive(field+".Weight", c.Weight); err != nil {
			return err
		}
		sum += c.Weight
	}
	if !(math.Abs(sum-1) <= weightsOff) {
		return &sde.SettingError{Field: "noise: Clients.Members", Value: fmt.Sprintf("weights that sum to %v", sum), Want: "weights that sum to 1"}
	}
	if s.Participants < 0 {
		return &sde.SettingError{Field: "noise: Clients.Participants", Value: s.Participants, Want: "at least 1, or 0 for all"}
	}
	if s.Distinct && (s.Participants == 0 || len(s.Members) < s.Participants) {
		return &sde.SettingError{Field: "noise: Clients.Participants", Value: s.Participants,
			Want: fmt.Sprintf("1 to %d, the number of clients, if they are to be different", len(s.Members))}
	}
	if s.LocalSteps < 0 {
		return &sde.SettingError{Field: "noise: Clients.LocalSteps", Value: s.LocalSteps, Want: "at least 1, or 0 for 1"}
	}
	if s.LocalSteps > 1 {
		return positive("noise: Clients.LocalRate", s.LocalRate)
	}
	return nil
}

// Objective returns L = Σ_m w_m L_m.
func (s Clients) Objective() sde.Loss { return clientsLoss{s.Members} }

// clientsLoss is the weighted sum of the clients' losses.
type clientsLoss struct{ members []Client }

func (l clientsLoss) Dim() int { return l.members[0].Gradient.Objective().Dim() }

func (l clientsLoss) Value(theta []float64) (v float64) {
	for _, c := range l.members {
		v += float64(c.Weight * c.Gradient.Objective().Value(theta))
	}
	return v
}

func (l clientsLoss) Gradient(dst, theta []float64) {
	g := scratch(len(dst))
	defer pool.Put(g)
	clear(dst)
	for _, c := range l.members {
		c.Gradient.Objective().Gradient(*g, theta)
		kernel.Axpy(dst, c.Weight, *g)
	}
}

// MeanGradient stores E g into dst. For K > 1 that is known for clients whose losses are
// sde.Harmonic and whose samplers are unbiased.
func (s Clients) MeanGradient(dst, theta []float64) bool {
	buf := scratch(2 * len(dst))
	defer pool.Put(buf)
	y, g := (*buf)[:len(dst)], (*buf)[len(dst):]
	steps := max(s.LocalSteps, 1)
	clear(dst)
	for _, c := range s.Members {
		if steps > 1 && (is[sde.MeanGradient](c.Gradient) || !is[sde.Harmonic](c.Gradient.Objective())) {
			return false
		}
		copy(y, theta)
		for range steps {
			if !sde.MeanGradientOf(c.Gradient, g, y) {
				return false
			}
			kernel.Axpy(dst, c.Weight/float64(steps), g)
			kernel.Axpy(y, -s.LocalRate, g)
		}
	}
	return true
}

// GradientCovariance stores Cov g into dst, the sum of the two parts of Covariances.
func (s Clients) GradientCovariance(dst, theta []float64) bool {
	between := scratch(len(dst))
	defer pool.Put(between)
	if !s.Covariances(dst, *between, theta) {
		return false
	}
	kernel.Axpy(dst, 1, *between)
	return true
}

// Covariances stores the parts of Cov g that come from within the clients and from between them,
// both d×d. It returns false, and they are not known, for K > 1 or if a client does not know its
// own.
func (s Clients) Covariances(within, between, theta []float64) (known bool) {
	if s.LocalSteps > 1 {
		return false
	}
	d := len(theta)
	if len(within) != d*d || len(between) != d*d {
		panic(badCovariance)
	}
	buf := scratch(d*d + 2*d)
	defer pool.Put(buf)
	c, mean, g := (*buf)[:d*d], (*buf)[d*d:d*d+d], (*buf)[d*d+d:]
	clear(within)
	clear(between)
	if !s.MeanGradient(mean, theta) {
		return false
	}
	for _, m := range s.Members {
		if !sde.GradientCovarianceOf(m.Gradient, c, theta) || !sde.MeanGradientOf(m.Gradient, g, theta) {
			return false
		}
		if s.Participants == 0 {
			kernel.Axpy(within, m.Weight*m.Weight, c)
			continue
		}
		all, some := float64(len(s.Members)), float64(s.Participants)
		w, apart := m.Weight/some, m.Weight/some
		if s.Distinct {
			w, apart = m.Weight*m.Weight*all/some, finitePopulation(len(s.Members), s.Participants)/all
			kernel.Scale(g, all*m.Weight, g)
		}
		kernel.Axpy(within, w, c)
		kernel.Axpy(g, -1, mean)
		rankOne(between, apart, g)
	}
	symmetrise(between, d)
	return true
}

// BindGradients implements sde.GradientSampler. Scratch memory is 24d bytes for each row, and
// that of each client.
func (s Clients) BindGradients(rows int) sde.GradientFunc {
	c := &clients{Clients: s, steps: max(s.LocalSteps, 1), members: make([]sde.GradientFunc, len(s.Members)),
		until: make([]float64, len(s.Members)), u: make([]float64, rows), chosen: make([]int, rows)}
	if s.Distinct {
		c.sets, c.distinct = make([]uint32, rows*s.Participants), distinct(len(s.Members), s.Participants, rows)
	}
	d := s.Objective().Dim()
	c.y, c.g, c.sum = sde.NewBatch(rows, d), sde.NewBatch(rows, d), sde.NewBatch(rows, d)
	var total float64
	for m, client := range s.Members {
		c.members[m] = client.Gradient.BindGradients(rows)
		total += client.Weight
		c.until[m] = total
	}
	return c.gradients
}

type clients struct {
	Clients
	steps     int
	members   []sde.GradientFunc
	until     []float64 // cumulative weights
	u         []float64
	sets      []uint32 // of different clients
	distinct  func(dst []uint32, stream *sde.Stream)
	chosen    []int // rows that a client serves
	y, g, sum sde.Batch
}

func (c *clients) gradients(dst, x sde.Batch, stream *sde.Stream) {
	for r := range x.Rows {
		clear(dst.Row(r))
	}
	if c.Participants == 0 {
		for r := range x.Rows {
			c.chosen[r] = r
		}
		for m := range c.members {
			c.add(dst, x, m, c.chosen[:x.Rows], c.Members[m].Weight, stream)
		}
		return
	}
	if c.Distinct {
		n := c.Participants
		c.distinct(c.sets[:x.Rows*n], stream)
		for m := range c.members {
			rows := c.chosen[:0]
			for r := range x.Rows {
				if slices.Contains(c.sets[r*n:(r+1)*n], uint32(m)) {
					rows = append(rows, r)
				}
			}
			c.add(dst, x, m, rows, float64(len(c.members))/float64(n)*c.Members[m].Weight, stream)
		}
		return
	}
	u := c.u[:x.Rows]
	for range c.Participants {
		stream.Uniforms(u)
		var from float64
		for m, to := range c.until {
			if m == len(c.until)-1 {
				to = 1
			}
			rows := c.chosen[:0]
			for r, v := range u {
				if from <= v && v < to {
					rows = append(rows, r)
				}
			}
			c.add(dst, x, m, rows, 1/float64(c.Participants), stream)
			from = to
		}
	}
}

// add adds what client m reports, times w, to some rows of dst.
func (c *clients) add(dst, x sde.Batch, m int, rows []int, w float64, stream *sde.Stream) {
	if len(rows) == 0 {
		return
	}
	y, g, sum := c.y.Slice(0, len(rows)), c.g.Slice(0, len(rows)), c.sum.Slice(0, len(rows))
	for i, r := range rows {
		copy(y.Row(i), x.Row(r))
	}
	clear(sum.Data)
	for k := range c.steps {
		c.members[m](g, y, stream)
		kernel.Axpy(sum.Data, 1/float64(c.steps), g.Data)
		if k < c.steps-1 {
			kernel.Axpy(y.Data, -c.LocalRate, g.Data)
		}
	}
	for i, r := range rows {
		kernel.Axpy(dst.Row(r), w, sum.Row(i))
	}
}
