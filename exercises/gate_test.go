package exercises_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/cairn-learn/cairn/content"
	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/internal/gate"
	"github.com/cairn-learn/cairn/lessons"
)

// usualItems are all but the alternatives under the race detector: what it finds in one of them is
// no fault of the exam, and "cairn author verify --race" tells.
const usualItems = "^(structure|starter|solution|alternative|race solution|mutant)"

// sampleSize is how many mutants of an exercise are tried at the desk.
const sampleSize = 3

var (
	update = flag.Bool("update", false, "write the golden feedback of starters and mutants")
	item   = flag.String("item", usualItems, "try only items that match, for example 'mutant no-lock'")

	withServices = flag.Bool("with-services", false, "try only exercises that need a server")
)

func TestMain(m *testing.M) {
	process.SuperviseIfAsked()
	os.Exit(m.Run())
}

// TestGate is the curriculum gate: every exercise's starter, solution,
// alternatives and mutants are graded for real. CAIRN_GATE_RUNS says how often
// a solution must pass in a row. When it is unset that is twice, of the mutants
// some are tried, and nothing under the race detector: enough to see at the desk
// that nothing is broken, in a part of the time.
func TestGate(t *testing.T) {
	runs, sample := 2, *item == usualItems
	if text := os.Getenv("CAIRN_GATE_RUNS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("CAIRN_GATE_RUNS is %q, which is no number of runs", text)
		}
		runs, sample = n, false
	}
	mutants := 0
	if sample {
		mutants = sampleSize
	}
	only, err := regexp.Compile(*item)
	if err != nil {
		t.Fatal(err)
	}
	// From the disk, so that -update and a golden file edited by hand are seen
	// without a new build.
	catalogue, err := exercises.Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	course, err := lessons.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	// A solution waits for its turn between two grades; with few programs kept it would be compiled
	// twenty times.
	g, err := grader.New(grader.Config{Cairn: "gate", CacheDir: t.TempDir(), Binaries: 64, Several: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	shared := gate.Share(g, runtime.NumCPU())
	var compiling sync.Mutex
	all := catalogue.All()
	// What waits longest begins first, so that it is not what everything waits for at the end.
	slices.SortStableFunc(all, func(a, b *exercises.Exercise) int { return cmp.Compare(patience(b), patience(a)) })
	for _, e := range all {
		if *withServices && e.Postgres == nil && e.Redis == nil {
			continue
		}
		t.Run(e.ID, func(t *testing.T) {
			t.Parallel() // each waits for its slowest item at the end
			needServices(t, e)
			// On a fresh machine several grades at once would each compile the same packages.
			compiling.Lock()
			err := g.Warm(t.Context(), e.Spec())
			compiling.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			verify(t, shared, e, gate.Options{Runs: runs, Race: !sample, Sample: mutants, Update: *update, Dir: ".", Only: only, Course: course})
		})
	}
}

// patience is how long a grade is about, compared with others.
func patience(e *exercises.Exercise) int {
	switch e.Spec().Kind {
	case build.Image, build.Workflow:
		return 2 // containers, and checks of health that come every few seconds
	case build.Tests:
		return 1
	}
	return 0
}

// verify runs the gate of one exercise with a subtest per item.
func verify(t *testing.T, g gate.Grader, e *exercises.Exercise, o gate.Options) {
	items := 0
	o.OnResult = func(r gate.Result) {
		items++
		t.Run(fmt.Sprintf("%s/%s", r.Kind, r.Name), func(t *testing.T) {
			t.Logf("%d grades in %s", r.Runs, r.Took)
			if r.Updated {
				t.Log("the golden feedback was written")
			}
			for _, note := range r.Notes {
				t.Log(note)
			}
			for _, fault := range r.Faults {
				t.Error(fault)
			}
		})
	}
	if _, err := gate.Verify(t.Context(), g, e, o); err != nil {
		t.Fatal(err)
	}
	if items == 0 {
		t.Error("nothing was verified")
	}
}

// needServices skips where an exercise needs a service and there is no engine.
func needServices(t *testing.T, e *exercises.Exercise) {
	t.Helper()
	if len(e.Services()) == 0 {
		return
	}
	_, err := services.CheckHost(context.Background(), services.Config{})
	var unavailable *services.Unavailable
	if errors.As(err, &unavailable) && errors.Is(unavailable, fs.ErrNotExist) {
		t.Skip("needs services: ", unavailable)
	}
	if err != nil {
		t.Fatal(err)
	}
}
