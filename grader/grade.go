package grader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// Config says how a Grader works. The zero value is what cairn uses.
type Config struct {
	Provider services.Provider // nil: opened at the first grade that needs a service
	Cairn    string            // version of cairn, for the report
	CacheDir string            // for scratch folders; default: the user's cache folder
	Binaries int               // compiled programs kept; default: 4
	Several  bool              // grades run beside each other: compilers give way to what is examined
}

// Grader grades submissions, one after the other or several at once. It keeps
// services and recent binaries warm between grades.
type Grader struct {
	cfg     Config
	scratch *scratch

	mu       sync.Mutex
	provider services.Provider
	owned    bool // the provider was opened here
	binaries []kept
	warmed   map[string]bool // exercises whose dependencies have been compiled
}

// New returns a grader and removes what a cairn that was killed left behind in
// the cache folder. Errors are about that folder.
func New(cfg Config) (*Grader, error) {
	s, err := newScratch(cfg.CacheDir)
	if err != nil {
		return nil, err
	}
	if cfg.Binaries <= 0 {
		cfg.Binaries = defaultBinaries
	}
	process.Limits() // before there are children, which would have to move with cairn
	return &Grader{cfg: cfg, scratch: s, provider: cfg.Provider, warmed: map[string]bool{}}, nil
}

// Close ends what the grader holds. Warm servers run on.
func (g *Grader) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var err error
	if g.owned && g.provider != nil {
		err = g.provider.Close()
	}
	for _, k := range g.binaries {
		err = errors.Join(err, k.made.Close())
	}
	g.binaries = nil
	return errors.Join(err, g.scratch.close())
}

// Prepare does everything that can be done before a learner presses the key:
// the dependencies are compiled, the services up and the next database cloned.
func (g *Grader) Prepare(ctx context.Context, e Exercise) error {
	warmed := make(chan error, 1)
	go func() { warmed <- g.Warm(ctx, e) }()
	err := g.prepareServices(ctx, e, nil)
	return errors.Join(<-warmed, err)
}

// Warm compiles what programs of an exercise are made of, which needs no network
// and no server. Errors are of the compiler or of this machine.
func (g *Grader) Warm(ctx context.Context, e Exercise) error {
	switch {
	case e.Kind == build.Tests:
		return g.warm(ctx, g.buildRequest(e, "", false), append([]string{"testing"}, e.Packages...))
	case !e.Kind.Compiled():
		return nil
	}
	return g.warm(ctx, g.buildRequest(e, "", false), e.Packages)
}

// CodeHash is the hash that a report of this submission bears as its code, without
// grading it. The errors are those of a folder that cannot be graded.
func CodeHash(s Submission) (string, error) {
	e := s.Exercise
	taken, err := build.Take(build.Request{ID: e.ID, Dir: s.Dir, Edit: e.Edit, Given: e.Given, Kind: e.Kind})
	if err != nil {
		return "", err
	}
	return taken.Hash, nil
}

// run is one grade on its way.
type run struct {
	g      *Grader
	s      Submission
	x      *exam.X
	began  time.Time
	drawn  bool            // the seed was drawn here
	last   bool            // it is not examined once more, whatever comes
	taken  *build.Snapshot // nil before the snapshot
	report Report
	events func(Event)
	mu     sync.Mutex // events come from several goroutines
}

// Grade examines a submission. It calls events for everything that happens, one
// call at a time and Finished last; events may be nil. Everything that can go
// wrong with the submission or with the machine is in the report. The error is
// for a caller's mistake only: an exercise without a valid exam.
func (g *Grader) Grade(ctx context.Context, s Submission, events func(Event)) (Report, error) {
	if s.Exercise.Exam == nil {
		return Report{}, fmt.Errorf("exercise %s has no exam", s.Exercise.ID)
	}
	s.Race = s.Race && s.Exercise.Kind.Compiled()
	x, err := s.Exercise.Declare()
	if err != nil {
		return Report{}, fmt.Errorf("exercise %s: %w", s.Exercise.ID, err)
	}
	if events == nil {
		events = func(Event) {}
	}
	r := &run{g: g, s: s, x: x, began: time.Now(), drawn: s.Seed == 0, events: events}
	r.renew()
	for _, l := range x.Listed() {
		r.emit(Event{Kind: CheckListed, Check: Check{ID: l[0], Title: l[1]}})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.grade(ctx)
	if ctx.Err() != nil {
		r.report.Verdict, r.report.Reason, r.report.Next = report.Ungraded, "the grade was cancelled", "grade again"
	}
	if r.report.Checks == nil {
		r.report.Checks = []Check{}
	}
	final := r.report
	r.emit(Event{Kind: Finished, Report: &final})
	return final, nil
}

func (r *run) emit(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At = time.Since(r.began)
	r.events(e)
}

// phase runs fn as one phase and tells whether the grade goes on.
func (r *run) phase(name report.PhaseName, fn func() error) bool {
	began := time.Now()
	r.emit(Event{Kind: PhaseStarted, Phase: name})
	err := fn()
	took := time.Since(began)
	r.report.Phases = append(r.report.Phases, report.Phase{Name: name, Duration: took})
	r.emit(Event{Kind: PhaseEnded, Phase: name, Took: took})
	if err != nil {
		r.end(err)
		if all := r.report.Diagnostics; len(all) > 0 {
			r.emit(Event{Kind: Complained, Diagnostics: all})
		}
		return false
	}
	return true
}

// examineOnce goes through the phases. The services get ready while the compiler
// works. The error is trouble in which nothing that was seen counts.
func (r *run) examineOnce(ctx context.Context) error {
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	still := keepPulse(ctx, lost)
	away := r.goThrough(ctx, lost)
	still()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	switch {
	case !r.doubtful(away):
		return nil
	case r.last:
		r.report.Next = "This machine was busy all the while. If it is times that are wrong, close what else runs and grade again."
		return nil
	}
	return &awayError{away}
}

// doubtful tells whether a program or a container may have failed because a processor was away.
// Of tests and workflows nothing is expected within so short a time.
func (r *run) doubtful(away time.Duration) bool {
	failed := r.report.Verdict == report.Failed || r.report.Verdict == report.Limit
	kind := r.s.Exercise.Kind
	return failed && away > tooLate && (kind.Compiled() || kind == build.Image)
}

// goThrough returns for how long a processor was away during the examination.
func (r *run) goThrough(ctx context.Context, lost func(error)) (away time.Duration) {
	type ready struct {
		world world
		err   error
	}
	servicesReady := make(chan ready, 1)
	servicesCtx, stopServices := context.WithCancel(ctx)
	go func() {
		w, err := r.open(servicesCtx, lost)
		servicesReady <- ready{w, err}
	}()
	var w world
	taken := false
	defer func() {
		stopServices()
		if !taken {
			w = (<-servicesReady).world
		}
		counts := ctx.Err() == nil && (r.last || !r.doubtful(away))
		w.release(r.s.KeepWorld && counts && (r.report.World != nil || r.report.Redis != nil))
	}()

	req := r.g.buildRequest(r.s.Exercise, r.s.Dir, r.s.Race)
	if !r.phase(report.PhaseSnapshot, func() error { return r.take(req) }) {
		return 0
	}
	r.report.Code, r.report.Files = r.taken.Hash, r.taken.Own
	m, ok := r.produce(ctx, req)
	if !ok {
		return 0
	}
	defer m.remove()
	if !r.phase(report.PhaseServices, func() error {
		got := <-servicesReady
		taken, w = true, got.world
		return got.err
	}) {
		return 0
	}
	watched := watch()
	r.examine(ctx, m, w)
	away = watched()
	if r.report.Verdict != report.Passed {
		w.verify(ctx, lost)
	}
	return away
}

// made is what has become of the files before anything is examined: a program, tests compiled with
// every version of a package, or neither.
type made struct {
	binary *build.Binary
	tests  *build.TestBinaries
	remove func()
}

// produce compiles or reads the files, by kind. It reports false when the grade ends there.
func (r *run) produce(ctx context.Context, req build.Request) (m made, ok bool) {
	m.remove = func() {}
	switch kind := r.s.Exercise.Kind; {
	case kind.Compiled():
		ok = r.phase(report.PhaseBuild, func() (err error) {
			m.binary, err = r.g.compile(ctx, req, r.taken, r.s.Exercise.Packages)
			return err
		})
		m.remove = func() { r.g.unpin(m.binary) }
	case kind == build.Tests:
		ok = r.phase(report.PhaseBuild, func() (err error) {
			m.tests, err = r.g.compileTests(ctx, req, r.taken, r.s.Exercise.Versions)
			return err
		})
		m.remove = func() { r.g.unpin(m.tests) }
	case parsers[kind] != nil:
		ok = r.phase(report.PhaseParse, func() error { return parsers[kind](ctx, r.taken) })
	default:
		ok = true // SQL is applied once the database is there
	}
	return m, ok
}

// take reads the files, once: a grade that is repeated is about the same.
func (r *run) take(req build.Request) (err error) {
	if r.taken == nil {
		r.taken, err = build.Take(req)
	}
	return err
}

func (r *run) examine(ctx context.Context, m made, w world) {
	dir, remove, err := r.g.scratch.folder("program")
	if err != nil {
		r.end(err)
		return
	}
	defer remove()
	options := exam.Options{
		ID: r.s.Exercise.ID, Dir: dir, Seed: r.s.Seed, Database: w.db, Limits: r.s.Exercise.Limits.Limits,
	}
	if m.binary != nil {
		options.Binary = m.binary.Path
	} else {
		options.Files = r.taken.Files
	}
	if kind := r.s.Exercise.Kind; kind == build.Image || kind == build.Workflow {
		options.Engine, options.Progress = r.g.engine, r.progress
	}
	options.Bench, options.BenchErr = w.bench, w.benchErr
	if m.tests != nil {
		options.Tests = m.tests.Paths
	}
	if w.redis != nil { // a nil *services.Redis would be a server all the same
		options.Redis = w.redis
	}
	s, err := exam.NewSession(ctx, r.x, options)
	if err != nil {
		r.end(err)
		return
	}
	defer s.Close()
	var start Check
	started := func(c Check) { r.emit(Event{Kind: CheckStarted, Check: c}) }
	ended := func(c Check) { r.emit(Event{Kind: CheckEnded, Check: c}) }
	built := r.x.Listed()[0]
	begin := func() error {
		started(Check{ID: built[0], Title: built[1]})
		start = s.Start()
		return nil
	}
	if r.s.Exercise.Kind == build.SQL && !r.phase(report.PhaseApply, func() error { return r.apply(ctx, w) }) {
		return
	}
	if r.s.Exercise.Kind.Compiled() {
		r.phase(report.PhaseStart, begin)
	} else {
		_ = begin()
	}
	if s.Trouble() == nil {
		ended(start)
		r.phase(report.PhaseExamine, func() error {
			r.report.Checks = s.Examine(start, started, ended)
			return nil
		})
	}
	r.phase(report.PhaseReport, func() error {
		s.Close()
		r.judge(s, w)
		return nil
	})
}

// parsers read what is no program, by kind. An error is a *build.ParseError for the learner, or
// trouble.
var parsers = map[build.Kind]func(context.Context, *build.Snapshot) error{
	build.Image:    readDockerfile,
	build.Workflow: parseWorkflow,
}

// apply runs the learner's SQL in the grade's database, as the role that owns it.
// What did not end in time is ended.
func (r *run) apply(ctx context.Context, w world) error {
	err := build.Apply(ctx, r.taken, r.g.buildRequest(r.s.Exercise, r.s.Dir, false), w.db.ProgramURL(""))
	var limit *build.LimitError
	if errors.As(err, &limit) {
		_, closing := w.db.CloseSessions(ctx)
		err = errors.Join(err, closing)
	}
	return err
}

// judge turns what the examination found into the verdict.
func (r *run) judge(s *exam.Session, w world) {
	r.report.Log = s.Log()
	passed, total := r.report.Count()
	switch {
	case s.Trouble() != nil:
		r.end(s.Trouble())
	case s.LimitReached() != "":
		r.report.Verdict, r.report.Reason = report.Limit, s.LimitReached()
	case total > 1 && passed == total:
		r.report.Verdict = report.Passed
	default:
		r.report.Verdict = report.Failed
	}
	if races := s.Races(); r.s.Race && r.report.Verdict == report.Passed && len(races) > 0 {
		r.report.Verdict, r.report.Diagnostics = report.Failed, races
		r.report.Reason = "every check passed, but the race detector found memory that two goroutines use at the same time"
		r.report.Next = "Such a program is right only by luck. Put both places under the same lock."
	}
	if r.s.KeepWorld && r.report.Verdict != report.Passed && r.report.Verdict != report.Ungraded {
		w.describe(&r.report)
	}
}
