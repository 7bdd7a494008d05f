package grader_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
)

// leakKills is how many cairns are killed meanwhile, and leakMoments where in a grade
// that happens.
const leakKills = 20

var leakMoments = []string{"begin", "build", "services", "start", "examine", "report"}

// killedCases are what those that get killed are grading.
var killedCases = []string{"counts-in-memory", "redis-flushes", "leaves-a-daemon", "counter-honest", "child-holds-its-output"}

// kills is what came of the cairns that were killed.
type kills struct {
	kills, graded int
	phases        map[string]int // where a grade was when its cairn was killed; "" is between two
}

func (k kills) hit() int { return k.kills - k.phases[""] }

func (k kills) String() string {
	var parts []string
	for _, phase := range append(leakMoments, "snapshot", "") {
		if n := k.phases[phase]; n > 0 && phase != "" {
			parts = append(parts, fmt.Sprintf("%d in phase %s", n, phase))
		} else if n > 0 {
			parts = append(parts, fmt.Sprintf("%d between two grades", n))
		}
	}
	return strings.Join(parts, ", ")
}

// killCairns starts cairns one after the other and kills each in a grade.
func killCairns(t *testing.T, b leakBed, n int) kills {
	k := kills{phases: map[string]int{}}
	for i := range n {
		phase, graded, err := killCairn(b, killedCases[i%len(killedCases)], leakMoments[i%len(leakMoments)], rand.IntN(2))
		if err != nil {
			t.Errorf("cairn %d: %v", i, err)
			continue
		}
		k.kills++
		k.graded += graded
		k.phases[phase]++
	}
	return k
}

// killCairn starts a cairn that grades one case over and over. After some grades it
// kills it a little later than a phase has begun, and returns where it was then, and how many grades had ended.
func killCairn(b leakBed, name, moment string, after int) (phase string, graded int, err error) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperGradesForLeaks$")
	cmd.Env = append(os.Environ(), leakFolder+"="+b.dir, leakCase+"="+name)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, err
	}
	if err := cmd.Start(); err != nil {
		return "", 0, err
	}
	lines := bufio.NewScanner(out)
	read := func() bool {
		if !lines.Scan() {
			return false
		}
		switch phase = lines.Text(); phase {
		case "end":
			phase = ""
			graded++
		case "begin":
		default:
			if !slices.Contains(append(leakMoments, "snapshot"), phase) {
				err = errors.Join(err, fmt.Errorf("it said %q", phase))
			}
		}
		return true
	}
	for read() && (graded < after || phase != moment) {
	}
	// How long a phase takes differs between machines: from its very beginning to some milliseconds into it.
	for until := time.Now().Add(time.Duration(rand.IntN(8000)) * time.Microsecond); time.Now().Before(until); {
	}
	err = errors.Join(err, cmd.Process.Kill())
	for read() { // what it said before the end
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	if said.Len() > 0 {
		err = errors.Join(err, errors.New("it said "+strconv.Quote(said.String())))
	}
	return phase, graded, err
}

// TestHelperGradesForLeaks is a cairn that TestLeaks kills.
func TestHelperGradesForLeaks(t *testing.T) {
	dir := os.Getenv(leakFolder)
	if dir == "" {
		return // not asked for: there is nothing to test by itself
	}
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	b := leakBed{dir: dir}
	s, err := corpusCase(os.Getenv(leakCase))
	if err != nil {
		fail(err)
	}
	c, err := b.open()
	if err != nil {
		fail(err)
	}
	e := s.exercise()
	for {
		fmt.Println("begin")
		r, err := c.grade(context.Background(), b, s, func(e grader.Event) {
			if e.Kind == grader.PhaseStarted {
				fmt.Println(string(e.Phase))
			}
		})
		if err != nil || r.Verdict == report.Ungraded {
			fail(fmt.Errorf("%s: verdict %s (%s), %w", s.name, r.Verdict, r.Reason, err))
		}
		fmt.Println("end")
		if e.Redis != nil { // from the second grade on a spare is on its way, as in the screens
			if err := c.provider.PrepareRedis(context.Background(), nil); err != nil {
				fail(err)
			}
		}
	}
}
