// Package gate proves an exercise: its starter fails helpfully, its solutions
// pass again and again, and every believable mistake is caught by the check
// that is there for it, with the feedback that stands in a golden file.
package gate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/lessons"
)

// Seed is the seed of every grade whose feedback is compared with a golden
// file. Solutions get a fresh one each time.
const Seed = 20_260_101

// Grader is the part of *grader.Grader that the gate needs.
type Grader interface {
	Grade(context.Context, grader.Submission, func(grader.Event)) (grader.Report, error)
}

// Options say how thorough to be.
type Options struct {
	Runs     int             // of the reference solution; 0 means 2; at most 3 without services, unless checks overlap; at most 3 of what the engine builds or runs
	Race     bool            // grade solution and alternatives once more under the race detector
	Sample   int             // try at most so many mutants, each of another check; 0 means all
	Update   bool            // write golden files instead of comparing with them
	AtOnce   int             // items tried at once; 0 means what keeps this machine's cores busy
	Dir      string          // the exercises folder that Update writes into
	Only     *regexp.Regexp  // items to try, by what Item.String says; nil means all
	Course   *lessons.Course // resolves links to lessons; nil leaves them unchecked
	OnStart  func(Item)      // called before an item is tried; may be nil
	OnResult func(Result)    // called after; may be nil
}

// Kind is what an item is.
type Kind string

// The kinds of items, in the order in which they are tried.
const (
	Structure   Kind = "structure" // files, hints, links, headers of mutants
	Starter     Kind = "starter"
	Solution    Kind = "solution"
	Alternative Kind = "alternative"
	Race        Kind = "race" // a solution or alternative under the race detector
	Mutant      Kind = "mutant"
)

// Item is one thing to prove about an exercise.
type Item struct {
	Exercise string
	Kind     Kind
	Name     string // of the alternative or mutant; of the version under race; else ""
}

// String is how an item is called in tables and tests: "mutant mutex".
func (i Item) String() string {
	if i.Name == "" {
		return string(i.Kind)
	}
	return string(i.Kind) + " " + i.Name
}

// Result is what came of an item.
type Result struct {
	Item
	Faults   []string // what is wrong, one sentence each; none when it holds
	Notes    []string // what could be better, one sentence each
	Ungraded bool     // cairn could not grade here; the one fault says why
	Updated  bool     // a golden file was written
	Runs     int      // grades made
	Took     time.Duration
	Report   *report.Report // of the last grade; nil when there was none
}

// OK reports whether the item holds.
func (r Result) OK() bool { return len(r.Faults) == 0 }

// minMutants is the least number of mutants of an exercise.
const minMutants = 5

// buildLimit is how long compiling may take here: the first build with the race
// detector compiles the standard library.
const buildLimit = 15 * time.Minute

// imageRuns is how often an exercise about images or workflows is tried at most: what it waits for
// is builds and scripts, which end as they end.
const imageRuns = 3

// run is one exercise being verified.
type run struct {
	ctx     context.Context
	grader  Grader
	e       *exercises.Exercise
	spec    grader.Exercise
	options Options
	chancy  bool
	scratch string
	tasks   []task
}

// Verify tries every item of an exercise and returns what came of them, in
// order. After an ungraded item it begins no other: they would fare no better. The
// error is about the machine or the context, not about the exercise.
func Verify(ctx context.Context, g Grader, e *exercises.Exercise, o Options) ([]Result, error) {
	return verify(ctx, g, e, e.Spec(), o)
}

// chancy tells whether chance has a part in the exam even without services: it
// runs checks side by side, or plays services that the program calls.
func chancy(spec grader.Exercise) bool {
	if spec.Exam == nil {
		return false
	}
	x, err := spec.Declare()
	return err == nil && (x.Overlaps() || x.Upstreams())
}

// atOnce is how many items keep the cores busy.
func atOnce(kind build.Kind) int {
	return max(1, places(min(runtime.NumCPU(), 8))/int(takes(kind)))
}

func verify(ctx context.Context, g Grader, e *exercises.Exercise, spec grader.Exercise, o Options) ([]Result, error) {
	scratch, err := os.MkdirTemp("", "cairn-gate-")
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", e.ID, err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	if o.Runs <= 0 {
		o.Runs = 2
	}
	chance := chancy(spec)
	if !chance && len(e.Services()) == 0 {
		o.Runs = min(o.Runs, 3)
	}
	if spec.Kind == build.Image || spec.Kind == build.Workflow {
		o.Runs = min(o.Runs, imageRuns)
	}
	if o.AtOnce <= 0 {
		o.AtOnce = atOnce(spec.Kind)
	}
	spec.Limits.Build = max(spec.Limits.Build, buildLimit)
	r := &run{ctx: ctx, grader: g, e: e, spec: spec, options: o, chancy: chance, scratch: scratch}
	r.try(Item{Kind: Structure}, r.structure)
	r.versions()
	r.mutants()
	return r.perform(), ctx.Err()
}

// versions tries the starter, the solution and the alternatives. A version
// whose files are missing is named by the structure item.
func (r *run) versions() {
	if files, err := r.e.Starter(); err == nil {
		r.try(Item{Kind: Starter}, func(res *Result) { r.starter(res, files) })
	}
	right := map[string]map[string][]byte{}
	if files, err := r.e.Solution(); err == nil {
		right["solution"] = files
		r.try(Item{Kind: Solution}, func(res *Result) { r.passes(res, files, r.options.Runs, false) })
	}
	others, err := r.e.Alternatives()
	if err != nil {
		return // named by the structure item
	}
	for _, name := range sorted(others) {
		right[name] = others[name]
		r.try(Item{Kind: Alternative, Name: name}, func(res *Result) { r.passes(res, others[name], 1, false) })
	}
	if !r.options.Race || !r.spec.Kind.Compiled() { // the race detector is about Go
		return
	}
	for _, name := range sorted(right) {
		r.try(Item{Kind: Race, Name: name}, func(res *Result) { r.passes(res, right[name], 1, true) })
	}
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// mutants tries every mutant, or a sample.
func (r *run) mutants() {
	solution, err := r.e.Solution()
	if err != nil {
		return // named by the structure item
	}
	all, _ := r.e.Mutants() // faults of headers are named by the structure item
	if r.options.Sample > 0 {
		all = sample(all, r.options.Sample)
	}
	for _, m := range all {
		r.try(Item{Kind: Mutant, Name: m.Name}, func(res *Result) {
			files, err := m.Apply(solution)
			if err != nil {
				res.fault("%s", err)
				return
			}
			r.caught(res, m, files)
		})
	}
}

// sample takes the first mutant of each check, and of these at most n, evenly spread.
func sample(all []exercises.Mutant, n int) []exercises.Mutant {
	var first []exercises.Mutant
	for _, m := range all {
		if !slices.ContainsFunc(first, func(other exercises.Mutant) bool { return other.Check == m.Check }) {
			first = append(first, m)
		}
	}
	kept := first[:0]
	for i, m := range first {
		if n >= len(first) || i*n/len(first) != (i+1)*n/len(first) {
			kept = append(kept, m)
		}
	}
	return kept
}

// grade lays files out and grades them. It reports false, with the fault in the
// result, when no verdict came of it.
func (r *run) grade(res *Result, dir string, seed uint64, race bool) bool {
	rep, err := r.grader.Grade(r.ctx, grader.Submission{Exercise: r.spec, Dir: dir, Seed: seed, Race: race}, nil)
	if err != nil {
		res.fault("%s", err)
		return false
	}
	res.Runs++
	res.Report = &rep
	if rep.Verdict == report.Ungraded {
		res.Ungraded = true
		res.fault("not graded: %s", joinSentence(rep.Reason, rep.Next))
		return false
	}
	return true
}

// layOut writes a version of the exercise to a folder of its own.
func (r *run) layOut(res *Result, files map[string][]byte) (string, bool) {
	dir, err := os.MkdirTemp(r.scratch, "version-")
	if err != nil {
		res.fault("%s", err)
		return "", false
	}
	for name, data := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			res.fault("%s", err)
			return "", false
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			res.fault("%s", err)
			return "", false
		}
	}
	return dir, true
}

func (res *Result) fault(format string, args ...any) {
	res.Faults = append(res.Faults, fmt.Sprintf(format, args...))
}

func joinSentence(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "; ")
}
