package exam

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/grader/wire"
)

// Options are what an examination needs to run.
type Options struct {
	ID       string             // exercise id, which is also its package's name
	Binary   string             // the program
	Files    map[string][]byte  // where there is none: the learner's files and those that are given
	Dir      string             // a folder for the program's home and temporary files
	Seed     uint64             // of the random data
	Tests    map[string]string  // the learner's tests as programs, by the version of the package in them
	Database *services.Database // nil when the exercise has none
	Redis    RedisServer        // nil when the exercise has none
	Limits   Limits

	// Engine opens the Docker engine for this grade; called at most once, by the first check that
	// needs one. Progress is told what is fetched for it; may be nil.
	Engine   func(context.Context) (*services.Engine, error)
	Progress func(services.Progress)

	Bench    *services.Workbench // where steps of a workflow run; else
	BenchErr error               // why that cannot be
}

// Session is one examination while it runs: the instances of the program, the
// proxies before its services, and what they have recorded.
type Session struct {
	x      *X
	opts   Options
	limits Limits
	ctx    context.Context
	cancel context.CancelFunc

	programs   []*Program
	upstreams  []*upstreamServer
	statements *wire.Log
	barrier    *wire.Barrier
	log        programLog
	db         *pgx.Conn
	dbMu       sync.Mutex
	dbStarted  time.Time // when the server was
	given      *schema   // how the grade found the database
	redis      *redisClient
	redisMu    sync.Mutex
	engine     engineUse
	workflow   workflowRuns
	image      *Image // nil until a check has built it

	mu      sync.Mutex
	claimed map[string]bool
	runs    int // started by checks so far
	trouble error
	limit   string
}

// NewSession makes the proxies and the examiner's connections. The program is
// not started yet. Close must be called in the end, also after an error of
// Start.
func NewSession(ctx context.Context, x *X, o Options) (*Session, error) {
	s := &Session{x: x, opts: o, limits: o.Limits.withDefaults(), statements: wire.NewLog(), claimed: map[string]bool{}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.programs = make([]*Program, x.instances)
	for i := range s.programs {
		s.programs[i] = &Program{session: s, index: i}
	}
	err := s.listenUpstreams()
	if err == nil && o.Database != nil {
		err = s.connect()
	}
	if err == nil && o.Redis != nil {
		err = s.connectRedis(s.ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) connect() error {
	var err error
	if s.db, err = s.connectExaminer(s.ctx); err != nil {
		return fmt.Errorf("cannot connect to the grade's database: %w", err)
	}
	if s.dbStarted, err = startOf(s.ctx, s.db); err == nil {
		s.given, err = readSchema(s.ctx, s.db, "")
	}
	if err != nil {
		return fmt.Errorf("cannot look at the grade's database: %w", err)
	}
	s.barrier = wire.NewBarrier()
	for _, p := range s.programs {
		p.proxy, err = wire.ListenPostgres(wire.Config{
			Upstream: net.JoinHostPort(s.opts.Database.Host, strconv.Itoa(s.opts.Database.Port)), Listen: "127.0.0.1:0",
			Name: p.name(), Log: s.statements, Barrier: s.barrier,
		})
		if err != nil {
			return fmt.Errorf("cannot listen between the program and PostgreSQL: %w", err)
		}
	}
	return nil
}

// Start starts every instance and waits until each accepts a connection. The
// result is the built-in check, which passes where there is no program.
func (s *Session) Start() report.Check {
	built := s.x.Listed()[0]
	c := s.newCheck(s.ctx, &spec{id: built[0], title: built[1]})
	findings := make([]*Finding, len(s.programs))
	var wg sync.WaitGroup
	for i, p := range s.programs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := p.launch(); err != nil {
				s.setTrouble(err)
				return
			}
			findings[i] = p.awaitListening(s.ctx)
		}()
	}
	wg.Wait()
	check := report.Check{ID: c.spec.id, Title: c.spec.title, Status: report.CheckPassed, Duration: time.Since(c.began)}
	for _, f := range findings {
		if f != nil && check.Feedback == nil {
			check.Status, check.Feedback = report.CheckFailed, f.feedback()
		}
	}
	check.Timeline = c.timeline()
	return check
}

// Examine runs the declared checks after Start and returns all outcomes, that
// of Start first. Started and ended are called as checks begin and end, never
// two at once.
func (s *Session) Examine(start report.Check, started, ended func(report.Check)) []report.Check {
	ctx, cancel := context.WithTimeout(s.ctx, s.limits.Exam)
	defer cancel()
	done := []report.Check{start}
	var mu sync.Mutex
	run := func(sp *spec) {
		mu.Lock()
		blocker := s.blocker(ctx, sp, done)
		if blocker == "" {
			started(report.Check{ID: sp.id, Title: sp.title})
		}
		mu.Unlock()
		check := report.Check{ID: sp.id, Title: sp.title, Status: report.CheckBlocked, BlockedBy: blocker}
		if blocker == "" {
			check = s.runCheck(ctx, sp)
		}
		mu.Lock()
		defer mu.Unlock()
		if s.Trouble() == nil {
			done = append(done, check)
			ended(check)
		}
	}
	for _, group := range s.groups() {
		s.revive()
		var wg sync.WaitGroup
		for _, sp := range group {
			wg.Add(1)
			go func() { defer wg.Done(); run(sp) }()
		}
		wg.Wait()
		if s.Trouble() != nil {
			break
		}
	}
	return s.inOrder(done)
}

// groups splits the checks into runs that may overlap.
func (s *Session) groups() [][]*spec {
	var groups [][]*spec
	for i, sp := range s.x.checks {
		if i > 0 && sp.parallel && s.x.checks[i-1].parallel && !s.dependsOn(sp, groups[len(groups)-1]) {
			groups[len(groups)-1] = append(groups[len(groups)-1], sp)
			continue
		}
		groups = append(groups, []*spec{sp})
	}
	return groups
}

func (s *Session) dependsOn(sp *spec, group []*spec) bool {
	for _, g := range group {
		for _, a := range sp.after {
			if a == g.id {
				return true
			}
		}
	}
	return false
}

func (s *Session) inOrder(done []report.Check) []report.Check {
	byID := map[string]report.Check{}
	for _, c := range done {
		byID[c.ID] = c
	}
	var ordered []report.Check
	for _, l := range s.x.Listed() {
		if c, ok := byID[l[0]]; ok {
			ordered = append(ordered, c)
		}
	}
	return ordered
}

// blocker names the check that keeps sp from running, "" when none does.
func (s *Session) blocker(ctx context.Context, sp *spec, done []report.Check) string {
	if ctx.Err() != nil && s.ctx.Err() == nil {
		s.setLimit(fmt.Sprintf("the checks together took longer than %s", s.limits.Exam))
	}
	status := map[string]report.Status{}
	lastFailed := ""
	for _, d := range done {
		status[d.ID] = d.Status
		if d.Status == report.CheckFailed {
			lastFailed = d.ID
		}
	}
	if first := s.x.Listed()[0][0]; status[first] != report.CheckPassed {
		return first
	}
	if s.LimitReached() != "" {
		if lastFailed == "" {
			lastFailed = done[len(done)-1].ID
		}
		return lastFailed
	}
	for _, a := range sp.after {
		if status[a] != report.CheckPassed {
			return a
		}
	}
	return ""
}

// revive starts instances again that an earlier check brought down, so that
// every check meets a running program.
func (s *Session) revive() {
	if s.LimitReached() != "" || s.ctx.Err() != nil {
		return
	}
	for _, p := range s.programs {
		if p.proc == nil {
			return
		}
		if _, ended := p.proc.Exit(); !ended {
			continue
		}
		if err := p.launch(); err != nil {
			s.setTrouble(err)
			return
		}
		p.awaitListening(s.ctx)
	}
}

// Trouble is why cairn itself could not go on, or nil.
func (s *Session) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

func (s *Session) setTrouble(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble == nil {
		s.trouble = err
	}
}

// LimitReached says which limit the program ran into, "" when none.
func (s *Session) LimitReached() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}

func (s *Session) setLimit(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit == "" {
		s.limit = reason
	}
}

// claim tells whether name is new in this grade, and takes it.
func (s *Session) claim(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed[name] {
		return false
	}
	s.claimed[name] = true
	return true
}

// Log returns the end of what the program printed, safe to show.
func (s *Session) Log() string { return s.log.tail(200) }

// Close ends every instance with all it started, the proxies and the upstreams. It returns
// when nothing is left.
func (s *Session) Close() {
	var wg sync.WaitGroup
	for _, p := range s.programs {
		wg.Add(1)
		go func() { defer wg.Done(); p.close() }()
	}
	wg.Wait()
	if s.db != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = s.db.Close(ctx)
		cancel()
	}
	if s.redis != nil {
		s.redis.close()
	}
	s.workflow.close()
	s.engine.close()
	for _, u := range s.upstreams {
		u.close()
	}
	s.returnPorts()
	s.cancel()
}
