// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// Transitions makes a Markov state model of a run: from the regions that particles
// are in at times a lag apart it estimates the matrix of transition probabilities,
// its stationary law and the time scales on which it relaxes.
//
// Regions need not cover space: if they are cores of wells, a particle belongs to the
// one that it visited last (milestoning: Schütte et al., 2011, Markov state models based on
// milestoning), which removes the many crossings of a border that are no transitions. Until it has visited one it is not counted.
// It also keeps how many regions have been visited, Visited.
//
// Its memory is a count for each pair of regions and group, for each particle two bytes for each observation in
// the lag, a bit for each region and 16 bytes, and a number for each observation time and group.
type Transitions struct {
	Regions sde.Partition
	// Lag is how many observation times lie between the two ends of a transition; 0
	// means 1.
	Lag int

	lag, n, groups int
	every          float64
	counts         [][]float64 // by group, n×n
	history        []int16     // by particle, a ring of lag numbers
	seen           []int32     // observations of each particle
	group          []int32     // where it was last seen, −1 if never
	words          int
	visited        []uint64    // by particle, bits
	totals         [][]float64 // by observation time: regions visited, by group
	samples        [][]float64
}

var (
	_ sde.Observer   = (*Transitions)(nil)
	_ sde.GroupSaver = (*Transitions)(nil)
)

// Start refuses what Occupation does, more than 1,024 regions and a lag that is negative or not shorter than the run.
func (t *Transitions) Start(r sde.Run) error {
	if err := checkPartition("Transitions.Regions", t.Regions, r.Dim); err != nil {
		return err
	}
	if t.n = t.Regions.Len(); t.n < 2 || t.n > 1024 {
		return invalid("Transitions.Regions", fmt.Sprintf("%d regions", t.n), "2 to 1,024", nil)
	}
	if t.lag = max(t.Lag, 1); t.Lag < 0 || t.lag >= r.Observations {
		return invalid("Transitions.Lag", t.Lag, fmt.Sprintf("fewer than the %d observations, at least 1, or 0 for 1", r.Observations), nil)
	}
	t.every, t.groups, t.words = r.Every, r.Groups, (t.n+63)/64
	t.counts = make([][]float64, r.Groups)
	for g := range t.counts {
		t.counts[g] = make([]float64, t.n*t.n)
	}
	t.history, t.seen, t.group = make([]int16, t.lag*r.Particles), make([]int32, r.Particles), make([]int32, r.Particles)
	for i := range t.group {
		t.group[i] = -1
	}
	t.visited = make([]uint64, t.words*r.Particles)
	t.totals, t.samples = make([][]float64, r.Observations), make([][]float64, r.Observations)
	for i := range t.totals {
		t.totals[i], t.samples[i] = make([]float64, r.Groups), make([]float64, r.Groups)
	}
	return nil
}

// Observe counts transitions.
func (t *Transitions) Observe(s sde.Sample) error {
	for i := range s.X.Rows {
		p := s.Particle(i)
		at := int16(t.Regions.Index(s.X.Row(i)))
		ring := t.history[p*t.lag : (p+1)*t.lag]
		now := int(t.seen[p]) % t.lag
		if at < 0 {
			at = -1
			if t.seen[p] > 0 {
				at = ring[(now+t.lag-1)%t.lag]
			}
		}
		if from := ring[now]; int(t.seen[p]) >= t.lag && from >= 0 && at >= 0 {
			t.counts[s.Group][int(from)*t.n+int(at)]++
		}
		ring[now] = at
		t.seen[p]++
		t.group[p] = int32(s.Group)
		been := t.visited[p*t.words : (p+1)*t.words]
		if at >= 0 {
			been[at/64] |= 1 << (at % 64)
		}
		t.totals[s.Index][s.Group] += float64(ones(been))
	}
	t.samples[s.Index][s.Group] += float64(s.X.Rows)
	return nil
}

// Counts returns how many transitions from region i to j were seen, those of
// windows that overlap included.
func (t *Transitions) Counts() *mat.Dense { return t.sum(-1) }

// sum returns the counts of all groups but one.
func (t *Transitions) sum(without int) *mat.Dense {
	c := make([]float64, t.n*t.n)
	for g, of := range t.counts {
		if g != without {
			for i, v := range of {
				c[i] += v
			}
		}
	}
	return mat.NewDense(t.n, t.n, c)
}

// Visited returns the mean number of regions that a particle has visited by the i-th
// observation.
func (t *Transitions) Visited(i int) (mean float64) {
	var sum, n float64
	for g, v := range t.totals[i] {
		sum += v
		n += t.samples[i][g]
	}
	return sum / n
}

// StateModel is a Markov chain between regions.
type StateModel struct {
	// States are the numbers of the regions that the chain is on: the largest set that all can
	// be reached from one another in the transitions seen.
	States []int
	// Transition is the matrix of probabilities of going from States[i] to States[j] in the time Lag.
	Transition *mat.Dense
	// Stationary is its stationary law.
	Stationary []float64
	// Lag is the time between two states.
	Lag float64
	// TimeScales are −Lag/log λ_k of the eigenvalues λ_k < 1 in falling order, with standard errors from leaving out a group at
	// a time; NaN where λ_k ≤ 0. They approach those of the process as the lag grows, if the regions tell
	// slow states apart.
	TimeScales []sde.Estimate
}

// Model returns the chain in detailed balance with the largest likelihood of the
// counts,
//
//	x_ij = (c_ij + c_ji)/(c_i/x_i + c_j/x_j),   T_ij = x_ij/x_i
//
// by iteration (Bowman et al., 2009; Prinz et al., 2011, Markov models of molecular
// kinetics: generation and validation, § IV.C). It is an error if no two regions are connected both ways.
func (t *Transitions) Model() (*StateModel, error) {
	counts := t.Counts()
	states := connected(counts)
	if len(states) < 2 {
		return nil, invalid("Transitions", fmt.Sprintf("counts of %d regions that can be reached from one another", len(states)), "at least two: a longer run, or other regions", nil)
	}
	m := &StateModel{States: states, Lag: float64(float64(t.lag) * t.every)}
	m.Transition, m.Stationary = reversible(restrict(counts, states))
	scales := timeScales(m.Transition, m.Stationary, m.Lag)
	// The jackknife over groups that are not empty.
	var left [][]float64
	for g, c := range t.counts {
		if slices.ContainsFunc(c, func(v float64) bool { return v > 0 }) {
			p, pi := reversible(restrict(t.sum(g), states))
			left = append(left, timeScales(p, pi, m.Lag))
		}
	}
	for k, v := range scales {
		e := sde.Estimate{Value: v, StdErr: math.NaN(), Groups: len(left)}
		if n := float64(len(left)); n > 1 {
			mean, sum := 0.0, 0.0
			for _, l := range left {
				mean += l[k] / n
			}
			for _, l := range left {
				sum += float64((l[k] - mean) * (l[k] - mean))
			}
			e.StdErr = math.Sqrt(sum * (n - 1) / n)
		}
		m.TimeScales = append(m.TimeScales, e)
	}
	return m, nil
}

// Committor returns the probability to reach any of the states b before any of the
// states a, from each of States. It panics unless both hold numbers of States, none in both.
func (m *StateModel) Committor(a, b []int) []float64 {
	n := len(m.States)
	fixed := make([]float64, n)
	for i := range fixed {
		fixed[i] = math.NaN()
	}
	for k, set := range [2][]int{a, b} {
		for _, s := range set {
			i := slices.Index(m.States, s)
			if i < 0 || !math.IsNaN(fixed[i]) && fixed[i] != float64(k) {
				panic("integrate: committor of states that are not the model's, or in both sets")
			}
			fixed[i] = float64(k)
		}
	}
	if len(a) == 0 || len(b) == 0 {
		panic("integrate: committor between sets of which one is empty")
	}
	lhs, rhs := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		if !math.IsNaN(fixed[i]) {
			lhs.Set(i, i, 1)
			rhs.SetVec(i, fixed[i])
			continue
		}
		for j := range n {
			lhs.Set(i, j, -m.Transition.At(i, j))
		}
		lhs.Set(i, i, 1-m.Transition.At(i, i))
	}
	var q mat.VecDense
	// The chain is irreducible, so the matrix is regular.
	if err := q.SolveVec(lhs, rhs); err != nil {
		for i := range fixed {
			fixed[i] = math.NaN()
		}
		return fixed
	}
	return q.RawVector().Data
}

// connected returns the largest set of states that can be reached from one another.
func connected(c *mat.Dense) []int {
	n, _ := c.Dims()
	reach := func(from int, back bool) []bool {
		seen := make([]bool, n)
		seen[from] = true
		for todo := []int{from}; len(todo) > 0; {
			i := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for j := range n {
				v := c.At(i, j)
				if back {
					v = c.At(j, i)
				}
				if v > 0 && !seen[j] {
					seen[j] = true
					todo = append(todo, j)
				}
			}
		}
		return seen
	}
	var best []int
	done := make([]bool, n)
	for i := range n {
		if done[i] {
			continue
		}
		out, in := reach(i, false), reach(i, true)
		var set []int
		for j := range n {
			if out[j] && in[j] {
				set = append(set, j)
				done[j] = true
			}
		}
		if len(set) > len(best) {
			best = set
		}
	}
	return best
}

func restrict(c *mat.Dense, states []int) *mat.Dense {
	r := mat.NewDense(len(states), len(states), nil)
	for i, a := range states {
		for j, b := range states {
			r.Set(i, j, c.At(a, b))
		}
	}
	return r
}

// reversible returns the transition matrix in detailed balance of largest
// likelihood, and its stationary law.
func reversible(c *mat.Dense) (*mat.Dense, []float64) {
	n, _ := c.Dims()
	x, sums, rows := mat.NewDense(n, n, nil), make([]float64, n), make([]float64, n)
	total := mat.Sum(c)
	for i := range n {
		for j := range n {
			rows[i] += c.At(i, j)
			x.Set(i, j, (c.At(i, j)+c.At(j, i))/(2*total))
			sums[i] += x.At(i, j)
		}
	}
	for range 100000 {
		change := 0.0
		for i := range n {
			for j := i; j < n; j++ {
				v := 0.0
				if both := c.At(i, j) + c.At(j, i); both > 0 {
					v = both / (rows[i]/sums[i] + rows[j]/sums[j])
				}
				x.Set(i, j, v)
				x.Set(j, i, v)
			}
		}
		whole := mat.Sum(x)
		x.Scale(1/whole, x)
		for i := range n {
			s := mat.Sum(x.Slice(i, i+1, 0, n))
			if s > 0 {
				change = max(change, math.Abs(s-sums[i])/s)
			}
			sums[i] = s
		}
		if change < 1e-13 {
			break
		}
	}
	for i := range n {
		for j := range n {
			if sums[i] > 0 {
				x.Set(i, j, x.At(i, j)/sums[i])
			} else if i == j {
				x.Set(i, j, 1)
			}
		}
	}
	return x, sums
}

// timeScales returns −lag/log λ of the eigenvalues of a reversible chain but the first.
func timeScales(p *mat.Dense, pi []float64, lag float64) []float64 {
	n := len(pi)
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			v := p.At(i, i)
			if i != j {
				v = 0
				if pi[i] > 0 && pi[j] > 0 {
					v = p.At(i, j) * math.Sqrt(pi[i]/pi[j])
				}
			}
			s.SetSym(i, j, v)
		}
	}
	scales := make([]float64, n-1)
	var e mat.EigenSym
	if !e.Factorize(s, false) {
		for k := range scales {
			scales[k] = math.NaN()
		}
		return scales
	}
	v := e.Values(nil)
	for k := range scales {
		scales[k] = math.NaN()
		if l := v[n-2-k]; l > 0 {
			scales[k] = -lag / math.Log(l)
		}
	}
	return scales
}

func ones(words []uint64) (n int) {
	for _, w := range words {
		n += bits.OnesCount64(w)
	}
	return n
}

// AppendGroup implements sde.GroupSaver.
func (t *Transitions) AppendGroup(dst []byte, g int) []byte {
	dst = appendFloats(dst, t.counts[g]...)
	for i := range t.totals {
		dst = appendFloats(dst, t.totals[i][g], t.samples[i][g])
	}
	for p, of := range t.group {
		if int(of) != g {
			continue
		}
		dst = binary.LittleEndian.AppendUint64(dst, uint64(p))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(t.seen[p]))
		for _, h := range t.history[p*t.lag : (p+1)*t.lag] {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(h))
		}
		for _, w := range t.visited[p*t.words : (p+1)*t.words] {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
	}
	return dst
}

// LoadGroup implements sde.GroupSaver.
func (t *Transitions) LoadGroup(g int, data []byte) error {
	head := t.n*t.n + 2*len(t.totals)
	if len(data) < 8*head || (len(data)-8*head)%(8*(2+t.lag+t.words)) != 0 {
		return errTruncated
	}
	v, err := loadFloats(data[:8*head], head)
	if err != nil {
		return err
	}
	copy(t.counts[g], v)
	for i := range t.totals {
		t.totals[i][g], t.samples[i][g] = v[t.n*t.n+2*i], v[t.n*t.n+2*i+1]
	}
	data = data[8*head:]
	next := func() uint64 {
		v := binary.LittleEndian.Uint64(data)
		data = data[8:]
		return v
	}
	for len(data) > 0 {
		p, seen := next(), next()
		if p >= uint64(len(t.seen)) || seen > uint64(len(t.totals)) {
			return fmt.Errorf("integrate: saved transitions of particle %d after %d observations", p, seen)
		}
		t.seen[p], t.group[p] = int32(seen), int32(g)
		for k := range t.lag {
			h := int64(next())
			if h < -1 || h >= int64(t.n) {
				return fmt.Errorf("integrate: saved transitions of particle %d in region %d", p, h)
			}
			t.history[int(p)*t.lag+k] = int16(h)
		}
		for k := range t.words {
			t.visited[int(p)*t.words+k] = next()
		}
	}
	return nil
}
