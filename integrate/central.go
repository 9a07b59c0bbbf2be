// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// central holds the number, mean and sums of central powers of independent samples.
type central struct{ n, mean, m2, m3, m4 float64 }

// add adds samples, of which there are not too many for their sum to be exact enough.
func (c *central) add(x []float64) {
	if len(x) == 0 {
		return
	}
	o := central{n: float64(len(x))}
	for _, v := range x {
		o.mean += v
	}
	o.mean /= o.n
	for _, v := range x {
		d := v - o.mean
		q := float64(d * d)
		o.m2 += q
		o.m3 += float64(q * d)
		o.m4 += float64(q * q)
	}
	c.merge(o)
}

// merge adds other samples. Source: Pébay, 2008, Formulas for robust, one-pass
// parallel computation of covariances and arbitrary-order statistical moments,
// eqs. 2.1 and 3.1.
func (c *central) merge(o central) {
	if o.n == 0 {
		return
	}
	n := c.n + o.n
	d := o.mean - c.mean
	e, p, a, b := d/n, float64(c.n*o.n), float64(c.n*c.n), float64(o.n*o.n)
	c.m4 += o.m4 + float64(d*e*e*e*p*(a-p+b)) + float64(6*e*e*(float64(a*o.m2)+float64(b*c.m2))) + float64(4*e*(float64(c.n*o.m3)-float64(o.n*c.m3)))
	c.m3 += o.m3 + float64(d*e*e*p*(c.n-o.n)) + float64(3*e*(float64(c.n*o.m2)-float64(o.n*c.m2)))
	c.m2 += o.m2 + float64(d*e*p)
	c.mean += float64(e * o.n)
	c.n = n
}

// variance returns the unbiased variance of a sample.
func (c *central) variance() float64 { return c.m2 / (c.n - 1) }

// estimate returns the mean.
func (c *central) estimate() sde.Estimate {
	return sde.Estimate{Value: c.mean, StdErr: math.Sqrt(c.variance() / c.n), Groups: int(min(c.n, math.MaxInt32))}
}

// spread returns the variance with its standard error, from the fourth moment.
func (c *central) spread() sde.Estimate {
	v := c.variance()
	return sde.Estimate{Value: v, StdErr: math.Sqrt(math.Max(c.m4/c.n-float64(v*v), 0) / c.n), Groups: int(min(c.n, math.MaxInt32))}
}
