// Package process runs one program under supervision: the program, and every
// process that comes of it, is gone when its run is over, whatever it tried.
//
// Between cairn and the program stands a small supervisor: cairn's own binary
// started again (see SuperviseIfAsked). On Linux it adopts every orphan of the
// tree, so that a child that called setsid or forked twice does not escape. It
// kills the tree when told to, when the program ends, when a limit is passed,
// and when cairn itself dies. Elsewhere it kills the program's process group.
package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Defaults of a Spec.
const (
	DefaultOutputLimit  = 1 << 20
	DefaultProcessLimit = 64
)

// Spec says what to run and within which limits.
type Spec struct {
	Path string   // of the executable; not searched in $PATH
	Args []string // without the program's name
	Dir  string   // working directory; empty is the current one
	Env  []string // the whole environment: nothing is added and nothing inherited

	// OutputLimit is how many bytes of stdout and stderr together are kept; 0
	// means 1 MiB. A program that prints more is killed.
	OutputLimit int64
	// MemoryLimit bounds the memory of the whole tree in bytes; 0 means no limit.
	// A control group keeps it where cairn may make one (see Limits), and beside
	// it a watcher that looks every 50 ms; elsewhere than on Linux nobody does.
	MemoryLimit int64
	// ProcessLimit bounds the number of processes in the tree; 0 means 64, a
	// negative number no limit. The watcher keeps it. A control group keeps the
	// tree to TasksFor processes and threads meanwhile.
	ProcessLimit int
	// FileLimit bounds the size of each file written by the tree in bytes; 0
	// means no limit. A Go program that passes it dies of SIGXFSZ.
	FileLimit int64
	// Yield lets the tree have a processor only where hardly anybody else wants one.
	Yield bool

	// OnLine, when set, gets every complete line of output, from one goroutine.
	// It must return soon, since the program waits for it when its pipe is full,
	// and must not call Kill.
	OnLine func(Line)

	only LimitsBy // of tests: leave the limits to the groups, or to the watcher, alone
}

// Line is one line that the program printed, safe to show in a terminal.
type Line struct {
	At     time.Time
	Stream string // "stdout" or "stderr"
	Text   string
}

// Process is a program that was started. Its methods may be called from any
// goroutine, before and after the program has ended.
type Process struct {
	pid        int
	supervisor *os.Process
	control    *os.File
	groups     *groupBase // where the program's control group is, nil for none
	group      string     // its name
	output     *output
	outputOver <-chan struct{}
	stopWatch  func() bool
	done       chan struct{}

	mu     sync.Mutex
	send   *json.Encoder // to control
	killed bool          // Kill was asked for
	limit  Reason        // the limit that was passed, or ""
	status *status
	exit   Exit
}

// killPatience is how long the supervisor may take to clear the tree away. Only
// a process that the kernel cannot kill, or one of another user, takes long.
const killPatience = 10 * time.Second

// nudgeInterval is how long a supervisor may say nothing after it was told to
// clear the tree away, before somebody looks after it.
const nudgeInterval = 300 * time.Millisecond

// Start starts the program. It returns an error when it cannot be started: for
// instance no such file (errors.Is fs.ErrNotExist), or not an executable of this
// machine. When ctx is done the whole tree is killed.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	if !supervisable.Load() {
		return nil, errors.New("start program: the first statement of main or TestMain must be process.SuperviseIfAsked()")
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start program: %w", err)
	}
	path, err := filepath.Abs(spec.Path)
	if err != nil {
		return nil, fmt.Errorf("start program: %w", err)
	}
	spec.Path = path
	if spec.OutputLimit == 0 {
		spec.OutputLimit = DefaultOutputLimit
	}
	if spec.ProcessLimit == 0 {
		spec.ProcessLimit = DefaultProcessLimit
	}
	l, err := launch(spec)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(spec.Path), err)
	}
	p := &Process{
		pid:        l.pid,
		supervisor: l.supervisor,
		groups:     l.groups,
		group:      l.group,
		control:    l.control,
		send:       l.send,
		done:       make(chan struct{}),
	}
	p.output = newOutput(spec.OutputLimit, spec.OnLine, func() { p.stop(OutputLimit) })
	p.stopWatch = context.AfterFunc(ctx, func() { p.stop(Killed) })
	p.outputOver = p.output.follow(l.stdout, l.stderr)
	go p.follow(l)
	return p, nil
}

// Pid returns the process id of the program (not of its supervisor).
func (p *Process) Pid() int { return p.pid }

// Signal sends a signal to the program alone. It returns os.ErrProcessDone when
// the program has ended.
func (p *Process) Signal(sig os.Signal) error {
	number, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal program: %v is not a signal of this system", sig)
	}
	return p.command(command{Signal: int(number)})
}

// Kill ends the whole tree and returns when nothing of it is left.
func (p *Process) Kill() {
	p.stop(Killed)
	nudge := time.NewTicker(nudgeInterval)
	defer nudge.Stop()
	over := time.NewTimer(killPatience + drainPatience)
	defer over.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-nudge.C:
			p.nudge()
		case <-over.C:
			// The supervisor is stuck. Without it the run at least comes to an end.
			_ = p.supervisor.Kill()
			<-p.done
			return
		}
	}
}

// nudge sets a supervisor going again that the program has stopped, by a signal
// or as a debugger.
func (p *Process) nudge() {
	p.mu.Lock()
	runs := p.status == nil
	p.mu.Unlock()
	if runs {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
	_ = p.supervisor.Signal(syscall.SIGCONT)
}

// Ended tells whether the program itself has ended, which can be a moment before
// Done: what it left behind is still being cleared away then, and may even answer
// in its place.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return gone(p.pid)
	}
}

// Done is closed when the program has ended, nothing of its tree is left and
// all its output has been read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit returns how the program ended, and false as long as Done is open.
func (p *Process) Exit() (Exit, bool) {
	select {
	case <-p.done:
		return p.exit, true
	default:
		return Exit{}, false
	}
}

// Output returns what the program has printed so far, both streams in the
// order in which they came, safe to show in a terminal.
func (p *Process) Output() string { return p.output.text() }

// stop tells the supervisor to clear the tree away, and remembers the first
// cause.
func (p *Process) stop(cause Reason) {
	p.mu.Lock()
	if cause == Killed {
		p.killed = true
	} else if p.limit == "" && p.status == nil {
		p.limit = cause
	}
	p.mu.Unlock()
	_ = p.command(command{Kill: true}) // fails only when there is nothing left to kill
}

func (p *Process) command(c command) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status != nil && !c.Kill {
		return os.ErrProcessDone
	}
	if err := p.send.Encode(c); err != nil {
		return os.ErrProcessDone
	}
	return nil
}

// follow reads what the supervisor reports until it is gone, and then settles
// how the run ended.
func (p *Process) follow(l *launched) {
	gone := false
	for !gone {
		var e event
		if err := l.receive.Decode(&e); err != nil {
			break // the supervisor died before its work was done
		}
		p.mu.Lock()
		switch {
		case e.Exited != nil:
			e.Exited.at = time.Now()
			p.status = e.Exited
		case e.Limit != "" && p.limit == "":
			p.limit = e.Limit
		}
		p.mu.Unlock()
		gone = e.Gone
	}
	_, _ = p.supervisor.Wait()
	if !gone {
		killSession(p.pid)
		clearGroupOf(p.groups, p.group)
	}
	p.stopWatch()
	p.output.expire(l.stdout, l.stderr)
	<-p.outputOver
	closeAll(l.control, l.events, l.stdout, l.stderr)
	p.mu.Lock()
	p.exit = exitOf(p.status, p.limit, p.killed)
	p.mu.Unlock()
	close(p.done)
}
