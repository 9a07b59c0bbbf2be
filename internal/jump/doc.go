// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package jump solves the linear equations of Markov jump processes with many states
// on a grid: their stationary law, mean passage times, and what implicit steps in time
// need. gonum has no sparse solver.
//
// A process is eliminated state by state, and what is left each time is again a jump
// process, that which is seen when the state is not looked at. All numbers stay rates:
// they are added, multiplied and divided, and never subtracted, so each entry of a
// stationary law or of a passage time is right to many digits even where they range
// over hundreds of powers of ten (Grassmann, Taksar & Heyman, 1985, Regenerative
// analysis and steady state distributions for Markov chains, Oper. Res. 33, 1107–1116).
// The order is nested dissection of the grid (George, 1973, SIAM J. Numer. Anal. 10,
// 345–363), in dense fronts as in Duff & Reid, 1983, ACM TOMS 9, 302–325: for n×n cells
// about 8n² log₂n numbers are kept, and made in 20n³ operations.
package jump
