package process

import (
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// The supervisor's command line. A program that looks at its parent sees a
// supervisor, as it would in production.
const (
	supervisorName = "supervise"
	supervisorArg  = "-"
)

// supervisorProcs is more than the goroutines of a supervisor.
const supervisorProcs = 8

var supervisable atomic.Bool

// SuperviseIfAsked says that this binary can be a supervisor. It must be the
// first statement of main, and of TestMain in tests that start programs: Start
// refuses to work without it.
func SuperviseIfAsked() { supervisable.Store(true) }

// A supervisor begins here and not in main: otherwise each program under
// examination would wait until all other packages of cairn are initialised,
// which takes longer than the rest of its start.
func init() {
	if len(os.Args) == 2 && os.Args[0] == supervisorName && os.Args[1] == supervisorArg {
		syscall.Exit(supervise()) // at once, whatever the binary does at a normal exit
	}
}

// supervisor is the state of the process between cairn and the program.
type supervisor struct {
	request  request
	pid      int
	group    *group // nil without one
	commands *json.Decoder
	events   *json.Encoder
	ended    chan syscall.WaitStatus // of the program
	gone     chan struct{}           // closed when no process of the tree is left
	killing  bool
	looks    int // how often the limits were looked at
}

// supervise runs the program named in the first command and stays until nothing
// of its tree is left. It returns the supervisor's own exit status.
func supervise() int {
	// The program dies with the thread that started it (see programAttr), which
	// then does nothing but reap.
	runtime.LockOSThread()
	// Two goroutines sit in system calls all the time. With no more processors
	// than these, every other one would wait some 10 ms until the runtime notices.
	runtime.GOMAXPROCS(supervisorProcs)
	if err := prepare(); err != nil {
		return 1
	}
	s := &supervisor{
		commands: json.NewDecoder(os.NewFile(fdCommands, "commands")),
		events:   json.NewEncoder(os.NewFile(fdEvents, "events")),
		ended:    make(chan syscall.WaitStatus, 1),
		gone:     make(chan struct{}),
	}
	if err := s.commands.Decode(&s.request); err != nil {
		return 1
	}
	// Caught, not ignored: a program inherits what its parent ignores.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	if err := s.start(); err != nil {
		s.events.Encode(failure(err)) //nolint:errcheck // cairn is gone, and so are we
		return 1
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		s.oversee()
	}()
	s.reap()
	<-over
	return 0
}

func failure(err error) event {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return event{Errno: int(errno)}
	}
	return event{Failure: err.Error()}
}

// start starts the program with the three standard streams and nothing else.
func (s *supervisor) start() error {
	if s.request.FileLimit > 0 {
		limit := uint64(s.request.FileLimit)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	if s.request.Yield {
		yield()
	}
	if err := s.startInGroup(); err != nil {
		pid, err := s.fork(programAttr())
		if err != nil {
			return err
		}
		s.pid = pid
	}
	_ = syscall.Close(fdStdout)
	_ = syscall.Close(fdStderr)
	e := event{Started: s.pid}
	if s.group != nil {
		e.Group = s.group.name
	}
	return s.events.Encode(e)
}

// yielding is the nice value of a tree that yields: a tenth of the weight of others.
const yielding = 10

// yield makes this thread, and so what it starts, nicer. Linux shares processors between sessions
// first and then within them, where it groups by session, and a supervisor is a session of its own.
// Without either a tree is as fast as others, which is no fault.
func yield() {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, yielding)
	_ = os.WriteFile("/proc/self/autogroup", []byte(strconv.Itoa(yielding)), 0)
}

// startInGroup starts the program in a control group with its limits. After any
// error there is neither: the program is then started without.
func (s *supervisor) startInGroup() error {
	if s.request.Groups == nil {
		return errors.ErrUnsupported
	}
	g, err := makeGroup(*s.request.Groups, s.request.MemoryLimit, s.request.ProcessLimit)
	if err != nil {
		return err
	}
	attr := programAttr()
	leave, err := g.enter(attr)
	if err == nil {
		s.pid, err = s.fork(attr)
		leave()
	}
	if err != nil {
		g.remove()
		return err
	}
	s.group = g
	return nil
}

func (s *supervisor) fork(attr *syscall.SysProcAttr) (int, error) {
	return syscall.ForkExec(string(s.request.Path), stringsOf(s.request.Argv), &syscall.ProcAttr{
		Dir:   string(s.request.Dir),
		Env:   stringsOf(s.request.Env),
		Files: []uintptr{0, fdStdout, fdStderr},
		Sys:   attr,
	})
}

// reap buries the dead until there is no child any more.
func (s *supervisor) reap() {
	defer close(s.gone)
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, waitOptions, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return
		case pid == s.pid:
			s.ended <- ws
		}
	}
}

// oversee carries out commands and watches the limits.
func (s *supervisor) oversee() {
	commands := make(chan command)
	go func() {
		defer close(commands) // cairn is gone
		for {
			var c command
			if s.commands.Decode(&c) != nil {
				return
			}
			commands <- c
		}
	}()
	watch := time.NewTimer(watchInterval)
	defer watch.Stop()
	running := true
	for {
		select {
		case c, ok := <-commands:
			if !ok {
				commands = nil
			}
			if !ok || c.Kill {
				s.kill()
			} else if running {
				_ = syscall.Kill(s.pid, syscall.Signal(c.Signal))
			}
		case ws := <-s.ended:
			running = false
			s.enforce() // it may be what ended the program
			s.report(event{Exited: statusOf(ws)})
			s.kill() // what the program leaves behind
		case <-watch.C:
			watch.Reset(s.watch())
		case <-s.gone:
			select {
			case ws := <-s.ended:
				s.tellLimit()
				s.report(event{Exited: statusOf(ws)})
			default:
			}
			clearGroup(s.pid)
			s.group.remove()
			s.report(event{Gone: true})
			return
		}
	}
}

func statusOf(ws syscall.WaitStatus) *status {
	if ws.Signaled() {
		return &status{Code: -1, Signal: int(ws.Signal())}
	}
	return &status{Code: ws.ExitStatus()}
}

// report tells cairn, which may be gone.
func (s *supervisor) report(e event) { _ = s.events.Encode(e) }

// kill begins to clear the tree away, once.
func (s *supervisor) kill() {
	if s.killing {
		return
	}
	s.killing = true
	s.group.kill()
	go clearTree(s.pid, s.group, s.gone)
}

// enforce ends the tree when the kernel had to hold it to a limit.
func (s *supervisor) enforce() {
	if s.tellLimit() {
		s.kill()
	}
}

// tellLimit tells which limit the kernel had to enforce, and false for none.
func (s *supervisor) tellLimit() bool {
	if s.killing {
		return false
	}
	limit := s.group.passed()
	if limit != "" {
		s.report(event{Limit: limit})
	}
	return limit != ""
}

// watch looks at the tree's size and returns when to look again.
func (s *supervisor) watch() time.Duration {
	s.enforce()
	if s.killing || s.request.Unwatched {
		return watchInterval
	}
	size := s.measure()
	switch {
	case s.request.ProcessLimit > 0 && size.processes > s.request.ProcessLimit:
		s.report(event{Limit: ProcessLimit})
		s.kill()
	case s.request.MemoryLimit > 0 && size.memory > s.request.MemoryLimit:
		s.report(event{Limit: MemoryLimit})
		s.kill()
	case s.request.ProcessLimit > 0 && size.processes > s.request.ProcessLimit/4:
		return watchInterval / 10
	}
	return watchInterval
}

// treeEvery is how often the whole tree is looked for when there is a control
// group. Its own list is short and cheap to read, while a kernel without
// CONFIG_PROC_CHILDREN tells who descends from whom only for all processes of the
// machine; but a program with the rights for it can leave its group.
const treeEvery = 10

func (s *supervisor) measure() treeSize {
	s.looks++
	members := s.group.members()
	if len(members) == 0 || s.looks%treeEvery == 0 {
		members = descendants()
	}
	return sizeOf(members, s.request.MemoryLimit > 0)
}

// watchInterval is how often the limits are looked at. A tree that grows is
// looked at more often.
const watchInterval = 50 * time.Millisecond
