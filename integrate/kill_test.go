// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

const killChild = "SGFLOW_KILL_CHILD"

const killInterval, killSteps = 40, 3000 // steps

// pace prints the step of each observation and takes its time.
type pace struct {
	sleep time.Duration
	step  float64
}

func (p *pace) Start(r sde.Run) error                { p.step = r.Step; return nil }
func (p *pace) AppendGroup(dst []byte, _ int) []byte { return dst }
func (p *pace) LoadGroup(int, []byte) error          { return nil }
func (p *pace) Observe(s sde.Sample) error {
	if p.sleep > 0 && s.First == 0 {
		fmt.Printf("step %.0f\n", s.Time/p.step)
		time.Sleep(p.sleep)
	}
	return nil
}

func killScenario() scenario {
	const h = 0.01
	return scenario{Ensemble: integrate.Ensemble{Equation: sde.Flow{Loss: wells{2}, Diffusion: noise.Temperature{T: 0.2}}, Step: h,
		Particles: 3000, Seed: 7, Workers: 2, Start: integrate.StartFunc(uniformStart)},
		Schedule: integrate.Schedule{Time: killSteps * h, Every: 4 * h}}
}

// killed is the child: it goes on from where the last one was killed.
func killed(path string) error {
	c := killScenario()
	c.Checkpoint = integrate.Checkpoint{Path: path, Every: killInterval * c.Step}
	w := c.watch()
	w.all = append(w.all, &pace{sleep: 400 * time.Microsecond})
	res, err := c.Resume(context.Background(), c.Schedule, w.all...)
	if errors.Is(err, fs.ErrNotExist) {
		res, err = c.Run(context.Background(), c.Schedule, w.all...)
	}
	if err != nil {
		return err
	}
	fmt.Printf("bits %x\n", sha256.Sum256(w.bits(res)))
	return nil
}

// TestKill kills a run at random moments and resumes it each time.
func TestKill(t *testing.T) {
	if path := os.Getenv(killChild); path != "" {
		if err := killed(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Parallel()
	c := killScenario()
	w := c.watch()
	w.all = append(w.all, new(pace))
	want := fmt.Sprintf("%x", sha256.Sum256(w.bits(mustRun(t, c.Ensemble, c.Schedule, w.all...))))

	dir := t.TempDir()
	path := filepath.Join(dir, "checkpoint")
	r := rand.New(rand.NewPCG(3, 4))
	const kills = 24
	last, inside := 0, 0
	for n := 0; ; n++ {
		child := exec.Command(os.Args[0], "-test.run=^TestKill$")
		child.Env = append(os.Environ(), killChild+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// Some die while they start, most a while after they have gone on, and the
		// file is being written in a good part of their time.
		lines, delay := r.IntN(killInterval), time.Duration(r.IntN(3000))*time.Microsecond
		if n%8 == 7 {
			lines, delay = -1, 5*delay
		}
		kill := func() {
			if n < kills {
				time.AfterFunc(delay, func() { child.Process.Kill() })
			}
		}
		if lines < 0 {
			kill()
		}
		first, bits := -1, ""
		for in := bufio.NewScanner(out); in.Scan(); lines-- {
			if lines == 0 {
				kill()
			}
			if _, err := fmt.Sscanf(in.Text(), "bits %s", &bits); err == nil {
				break
			}
			step := 0
			if _, err := fmt.Sscanf(in.Text(), "step %d", &step); err != nil {
				continue
			}
			if first < 0 {
				// What was saved last, before the last step that is known.
				if first = step; first < last-last%killInterval {
					t.Fatalf("child %d went on from step %d, though step %d had been reached and one in %d is saved", n, first, last, killInterval)
				}
			}
			last = max(last, step)
		}
		err = child.Wait()
		if left, _ := filepath.Glob(path + ".tmp*"); len(left) > 0 {
			inside++
		}
		if bits != "" {
			if n < kills {
				t.Fatalf("the run ended before it was killed %d times", kills)
			}
			if err != nil || bits != want {
				t.Errorf("after %d kills: %v, bits %s, want %s", n, err, bits, want)
			}
			break
		}
		if n >= kills {
			t.Fatalf("the run did not end: %v", err)
		}
	}
	t.Logf("%d kills, %d of them while a checkpoint was being written", kills, inside)
	if left, _ := filepath.Glob(path + ".tmp*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
