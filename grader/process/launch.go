package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// request is the first thing that cairn tells the supervisor. Bytes, not
// strings: paths and environments need not be UTF-8.
type request struct {
	Path, Dir    []byte
	Argv, Env    [][]byte
	MemoryLimit  int64
	ProcessLimit int
	FileLimit    int64
	Yield        bool       `json:",omitempty"`
	Groups       *groupBase `json:",omitempty"` // where a control group can be made
	Unwatched    bool       `json:",omitempty"` // no watcher beside the group
}

// command is what cairn tells it later.
type command struct {
	Signal int  `json:",omitempty"`
	Kill   bool `json:",omitempty"`
}

// event is what the supervisor reports. The first is Started or Errno, the last
// is Gone.
type event struct {
	Started int     `json:",omitempty"`
	Group   string  `json:",omitempty"` // with Started: the name of its control group
	Errno   int     `json:",omitempty"`
	Failure string  `json:",omitempty"`
	Exited  *status `json:",omitempty"`
	Limit   Reason  `json:",omitempty"`
	Gone    bool    `json:",omitempty"`
}

// File descriptors of the supervisor beyond the standard three, which are
// /dev/null.
const (
	fdCommands = 3 + iota
	fdEvents
	fdStdout
	fdStderr
)

// launchPatience is how long the supervisor may take to start the program. It
// takes some milliseconds; a machine that swaps takes longer.
const launchPatience = 30 * time.Second

// launched is a supervisor whose program runs.
type launched struct {
	pid            int
	groups         *groupBase
	group          string
	supervisor     *os.Process
	control        *os.File
	send           *json.Encoder
	events         *os.File
	receive        *json.Decoder
	stdout, stderr *os.File
}

// launch starts the program through a supervisor.
func launch(spec Spec) (*launched, error) {
	l, err := spawn()
	if err != nil {
		return nil, err
	}
	if err := l.begin(spec); err != nil {
		l.abandon()
		return nil, err
	}
	return l, nil
}

// spawn starts a supervisor, which then waits for its request.
func spawn() (*launched, error) {
	l := &launched{}
	theirs, err := l.connect()
	defer func() { closeAll(theirs...) }()
	if err != nil {
		l.abandon()
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		l.abandon()
		return nil, err
	}
	defer null.Close()
	self, err := ownBinary()
	if err != nil {
		l.abandon()
		return nil, err
	}
	l.supervisor, err = os.StartProcess(self, []string{supervisorName, supervisorArg}, &os.ProcAttr{
		Dir:   "/",
		Env:   []string{}, // the program can read it
		Files: append([]*os.File{null, null, null}, theirs...),
		Sys:   &syscall.SysProcAttr{Setsid: true}, // out of reach of Ctrl-C in cairn's terminal
	})
	if err != nil {
		l.abandon()
		return nil, fmt.Errorf("start its supervisor: %w", err)
	}
	return l, nil
}

// connect makes the four pipes and returns the supervisor's ends of them.
func (l *launched) connect() (theirs []*os.File, err error) {
	commands, control, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.control = control
	theirs = append(theirs, commands)
	for _, mine := range []**os.File{&l.events, &l.stdout, &l.stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		*mine = r
		theirs = append(theirs, w)
	}
	l.send = json.NewEncoder(l.control)
	l.receive = json.NewDecoder(l.events)
	return theirs, nil
}

// begin tells the supervisor what to run and waits until it runs.
func (l *launched) begin(spec Spec) error {
	if _, base := keeper(); spec.only != ByWatcher && (spec.MemoryLimit > 0 || spec.ProcessLimit > 0) {
		l.groups = base
	}
	deadline := time.Now().Add(launchPatience)
	_ = l.control.SetWriteDeadline(deadline)
	_ = l.events.SetReadDeadline(deadline)
	err := l.send.Encode(request{
		Path:         []byte(spec.Path),
		Dir:          []byte(spec.Dir),
		Argv:         bytesOf(append([]string{spec.Path}, spec.Args...)),
		Env:          bytesOf(spec.Env),
		MemoryLimit:  spec.MemoryLimit,
		ProcessLimit: spec.ProcessLimit,
		FileLimit:    spec.FileLimit,
		Yield:        spec.Yield,
		Groups:       l.groups,
		Unwatched:    spec.only != "" && spec.only != ByWatcher,
	})
	if err != nil {
		return fmt.Errorf("instruct its supervisor: %w", err)
	}
	var e event
	if err := l.receive.Decode(&e); err != nil {
		return fmt.Errorf("hear from its supervisor: %w", err)
	}
	if e.Errno != 0 {
		return syscall.Errno(e.Errno)
	}
	if e.Failure != "" {
		return errors.New(e.Failure)
	}
	_ = l.control.SetWriteDeadline(time.Time{})
	_ = l.events.SetReadDeadline(time.Time{})
	l.pid, l.group = e.Started, e.Group
	return nil
}

// abandon ends a supervisor that runs no program.
func (l *launched) abandon() {
	closeAll(l.control, l.events, l.stdout, l.stderr)
	if l.supervisor != nil {
		_ = l.supervisor.Kill()
		_, _ = l.supervisor.Wait()
	}
}

// ownBinary returns a path that starts the running binary again, also when it
// was replaced or removed since.
func ownBinary() (string, error) {
	if runtime.GOOS == "linux" {
		const self = "/proc/self/exe"
		if _, err := os.Stat(self); err == nil {
			return self, nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find cairn's own binary: %w", err)
	}
	return path, nil
}

func bytesOf(texts []string) [][]byte {
	all := make([][]byte, len(texts))
	for i, t := range texts {
		all[i] = []byte(t)
	}
	return all
}

func stringsOf(all [][]byte) []string {
	texts := make([]string, len(all))
	for i, b := range all {
		texts[i] = string(b)
	}
	return texts
}

// closeAll closes files that may be nil or closed already.
func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
