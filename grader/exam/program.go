package exam

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/wire"
)

// processLimit is how many processes each instance may be.
const processLimit = 64

// learnerModule is the import path below which a learner's packages lie, in the
// workspace as in this repository.
const learnerModule = "github.com/cairn-learn/cairn/exercises"

// Program is one instance of the program under examination.
type Program struct {
	session *Session
	index   int
	proxy   *wire.Postgres // nil when the exercise has no database
	redis   *wire.Redis    // likewise
	proc    *process.Process
	port    int
	started time.Time
	stopped atomic.Bool // by the examiner, so an exit is no surprise
	dumping atomic.Bool // what it prints now is its goroutines, which belong in a finding and not in the log
	beside  bool        // started by a check, beside the instances
	change  []string    // of the environment, as for C.Run

	dumpMu sync.Mutex
	dumped *process.Process // the process that dump is of
	dump   string
}

// name is how the evidence calls the instance.
func (p *Program) name() string {
	if p.beside {
		return "run " + strconv.Itoa(p.index+1)
	}
	if len(p.session.programs) == 1 {
		return "program"
	}
	return "instance " + strconv.Itoa(p.index+1)
}

func (p *Program) base() string { return "http://127.0.0.1:" + strconv.Itoa(p.port) }

// The ports that programs listen on. They lie below those that systems give to
// whoever asks for any, clients among them, so that none of these takes a port
// between its choice and the moment in which the program listens there.
const (
	firstPort = 20000
	lastPort  = 32000
)

// portsGiven are the ports of all sessions of this process, each with its session. Nobody may be
// listening on one for a while: its program is started again, or an upstream refuses connections.
var portsGiven sync.Map

// freePort draws a port that nobody listens on just now and that no session has been given.
func (s *Session) freePort() (int, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if _, given := portsGiven.LoadOrStore(port, s); given {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
		portsGiven.Delete(port)
	}
	return 0, err
}

// returnPorts gives all ports of the session back.
func (s *Session) returnPorts() {
	portsGiven.Range(func(port, of any) bool {
		if of == s {
			portsGiven.Delete(port)
		}
		return true
	})
}

// launch starts the process without waiting until it listens.
func (p *Program) launch() error {
	s := p.session
	port, err := s.freePort()
	if err != nil {
		return fmt.Errorf("no free port on 127.0.0.1: %w", err)
	}
	home := filepath.Join(s.opts.Dir, "home-"+strings.ReplaceAll(p.name(), " ", "-"))
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC",
		"HOME=" + home, "TMPDIR=" + home,
		"HOST=127.0.0.1", "PORT=" + strconv.Itoa(port),
	}
	if p.proxy != nil {
		env = append(env, "DATABASE_URL="+s.opts.Database.ProgramURL(p.proxy.Addr()))
	}
	if p.redis != nil {
		env = append(env, "REDIS_URL="+s.opts.Redis.ProgramURL(p.redis.Addr()))
	}
	env = append(env, s.upstreamEnv()...)
	env = changed(append(env, s.x.env...), p.change)
	p.port, p.started = portOf(env), time.Now()
	p.stopped.Store(false)
	p.dumping.Store(false)
	name := p.name()
	p.proc, err = process.Start(s.ctx, process.Spec{
		Path: s.opts.Binary, Dir: home, Env: env, MemoryLimit: s.limits.Memory, FileLimit: s.limits.File, ProcessLimit: processLimit,
		OnLine: func(l process.Line) {
			if !p.dumping.Load() {
				s.log.add(name, l)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("cannot start the program: %w", err)
	}
	return nil
}

// awaitListening returns nil when the instance accepts a connection, and
// otherwise the finding that says why it does not.
func (p *Program) awaitListening(ctx context.Context) *Finding {
	ctx, cancel := context.WithTimeout(ctx, p.session.limits.Start)
	defer cancel()
	var d net.Dialer
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := d.DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(p.port))
		if err == nil {
			_ = conn.Close()
			if p.ends() { // and something that it left behind listens
				return p.exitedAtStart()
			}
			return nil
		}
		select {
		case <-p.proc.Done():
			return p.exitedAtStart()
		case <-ctx.Done():
			return p.neverListened()
		case <-tick.C:
		}
	}
}

func (p *Program) command() string {
	return fmt.Sprintf("started the program with HOST=127.0.0.1 and PORT=%d", p.port)
}

func (p *Program) exitedAtStart() *Finding {
	p.session.noteLimit(p)
	return &Finding{
		Did:      p.command(),
		Expected: "it listens there until it is told to stop",
		Saw:      "the program " + p.ending() + " before it accepted a connection" + p.lastWords(),
		Why:      "A service that ends by itself serves nobody: whatever runs it restarts it for ever, and every request in between fails.",
		Detail:   p.trace(),
	}
}

func (p *Program) neverListened() *Finding {
	wait := p.session.limits.Start
	p.session.setLimit(fmt.Sprintf("the program did not accept a connection on $PORT in %s", wait))
	instead := "is still running"
	if elsewhere := p.proc.Listening(); len(elsewhere) > 0 {
		instead = "listens on " + strings.Join(elsewhere, " and ") + " instead"
	}
	return &Finding{
		Did:      p.command(),
		Expected: fmt.Sprintf("it accepts a connection on 127.0.0.1:%d within %s", p.port, wait),
		Saw:      fmt.Sprintf("the program did not accept a connection on $PORT in %s; it %s", wait, instead),
		Why:      "Whatever starts a service looks at the port it gave. Another port, another address or a start that waits for something never becomes ready.",
		Detail:   p.Goroutines(),
	}
}

// ending says how the process ended: "exited with status 2".
func (p *Program) ending() string {
	e, ok := p.proc.Exit()
	if !ok {
		return "went away"
	}
	return e.String()
}

// trace is what the program's output says about its end, cut to the learner's
// frames.
func (p *Program) trace() string {
	return process.LearnerTrace(fromTheEnd(p.proc.Output()), learnerModule)
}

// goesDown is how the Go runtime begins when it ends a program.
var goesDown = regexp.MustCompile(`(?m)^(panic: |fatal error: )`)

// fromTheEnd leaves out what stands before the program's end: there may be panics
// of handlers, which net/http has logged and survived.
func fromTheEnd(output string) string {
	if at := goesDown.FindStringIndex(output); at != nil {
		return output[at[0]:]
	}
	return output
}

// lastWords is the first line of the trace, after a colon: what the Go runtime
// says of the end, such as "panic: …" or "fatal error: concurrent map writes".
func (p *Program) lastWords() string {
	line, _, _ := strings.Cut(p.trace(), "\n")
	if line == "" {
		return ""
	}
	return ": " + line
}

// handOver is how long a program that has started children has to live to count
// as one that goes on running.
const handOver = 300 * time.Millisecond

// ends tells whether the process has ended or, where a child may be there to work
// in its place, ends soon after its start.
func (p *Program) ends() bool {
	if !p.ended() && p.proc.HasChildren() {
		soon := time.NewTimer(time.Until(p.started.Add(handOver)))
		defer soon.Stop()
		select {
		case <-p.proc.Done():
		case <-soon.C:
		}
	}
	return p.ended()
}

// exited tells whether the process ended without the examiner's doing.
func (p *Program) exited() bool {
	return p.ended() && !p.stopped.Load()
}

// ended tells whether the process has ended, and then waits until nothing is left
// of what it started.
func (p *Program) ended() bool {
	if !p.proc.Ended() {
		return false
	}
	select {
	case <-p.proc.Done():
	case <-time.After(time.Second):
		p.proc.Kill() // its supervisor may have been stopped
	}
	return true
}

func (p *Program) close() {
	if p.proc != nil {
		p.stopped.Store(true)
		p.proc.Kill()
	}
	if p.proxy != nil {
		_ = p.proxy.Close()
	}
	if p.redis != nil {
		_ = p.redis.Close()
	}
}

// Instance returns the instance with the given index, from 0.
func (c *C) Instance(i int) *Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touched[c.session.programs[i]] = true
	return &Instance{c: c, Program: c.session.programs[i]}
}

// Instance is a Program in the hands of a check.
type Instance struct {
	c *C
	*Program
}

func (i *Instance) note(text string) {
	i.c.record(report.Entry{Kind: report.KindProgram, Actor: i.name(), Text: text}, time.Now())
}

// Signal sends a signal to the program.
func (i *Instance) Signal(sig os.Signal) {
	i.stopped.Store(true)
	i.note("was sent " + sig.String())
	// A program that has just ended is no trouble, even when its exit has not
	// been told yet.
	if err := i.proc.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) && i.Running() {
		i.c.trouble(fmt.Errorf("check %s: cannot signal the program: %w", i.c.spec.id, err))
	}
}

// Kill ends the program and all it started at once, as a crash of the machine
// would.
func (i *Instance) Kill() {
	i.stopped.Store(true)
	i.proc.Kill()
	i.note("was killed")
}

// Restart kills the program if it runs and starts it afresh, on another port.
// The check fails when it does not listen again.
func (i *Instance) Restart() {
	i.Kill()
	if err := i.launch(); err != nil {
		i.c.trouble(err)
	}
	if f := i.awaitListening(i.c.ctx); f != nil {
		i.c.Fail(*f)
	}
	i.note("was started again")
}

// WaitExit waits until the program has exited, at most d, and returns its exit
// status.
func (i *Instance) WaitExit(d time.Duration) (code int, exited bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-i.proc.Done():
	case <-timer.C:
	}
	e, exited := i.proc.Exit() // also when both happened
	return e.Code, exited
}

// Pid returns the process id of the program.
func (i *Instance) Pid() int { return i.proc.Pid() }

// Running tells whether the program runs.
func (i *Instance) Running() bool {
	_, ended := i.proc.Exit()
	return !ended
}

// Log returns what the program has printed since it was started, safe to show.
func (i *Instance) Log() string { return i.proc.Output() }

// LogLines returns what the program has printed since the check began.
func (i *Instance) LogLines() []string {
	var lines []string
	for _, l := range i.session.log.since(i.c.logMark) {
		if l.actor == i.name() {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

// Goroutines makes the program print all of its goroutines, which ends it, and
// returns the learner's part of them.
func (p *Program) Goroutines() string {
	p.stopped.Store(true)
	p.dumping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return process.LearnerTrace(p.proc.Goroutines(ctx), learnerModule)
}
