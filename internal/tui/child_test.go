package tui

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	xterm "golang.org/x/term"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/progress/sqlite"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/terminal"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

// The test binary runs the program when this variable is set: in a terminal of
// its own, as a learner would. Its value says what to do.
const childVariable = "CAIRN_TUI_CHILD"

// child is the program under test. It tells whether this process is one.
func child() bool {
	mode := os.Getenv(childVariable)
	if mode == "" {
		return false
	}
	if err := runChild(mode); err != nil {
		fmt.Fprintln(os.Stderr, "cairn:", err)
		os.Exit(1)
	}
	fmt.Println("ended in order")
	return true
}

func runChild(mode string) error {
	course, err := lessons.Load(os.DirFS("testdata/content"))
	if err != nil {
		return err
	}
	catalogue, err := exercises.Load(os.DirFS("testdata/exercises"))
	if err != nil {
		return err
	}
	r, err := road.Join(course, catalogue)
	if err != nil {
		return err
	}
	ws, err := workspace.Init(os.Getenv("CAIRN_TUI_WORKSPACE"), catalogue, "test")
	if err != nil {
		return err
	}
	store := sqlite.Open(filepath.Join(ws.Dir, "progress.db"))
	defer func() { _ = store.Close() }()
	if err := ws.KeepProgress(store); err != nil {
		return err
	}
	opts := Options{Doctor: func(context.Context) []doctor.Result { return findings }, Road: r, Progress: store, Workspace: ws, Grader: &recording{file: "failed.json", world: os.Getenv("CAIRN_TUI_WORLD")}, Editor: func() (editor.Editor, error) { return editor.Find("") }, Version: "test"}
	if mode == "load" {
		g, err := newRealGrader()
		if err != nil {
			return err
		}
		defer func() { _ = g.Close() }()
		opts.Grader, opts.Open = g, "lostupdate"
	}
	if !strings.HasPrefix(mode, "panic-") {
		return Run(context.Background(), opts)
	}
	opts = opts.withDefaults()
	a := newApp(context.Background(), opts)
	a.push(faulty{a.top(), strings.TrimPrefix(mode, "panic-")})
	return run(context.Background(), opts, a)
}

// session is the program in a terminal, and what the terminal was before.
type session struct {
	*terminal.Terminal
	t     *testing.T
	ctx   context.Context
	state string // XDG_STATE_HOME of the program
	dir   string // its workspace
}

func start(t *testing.T, mode string, environ ...string) *session {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	s := &session{t: t, ctx: ctx, state: t.TempDir(), dir: filepath.Join(t.TempDir(), "ws")}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+mode, "CAIRN_TUI_WORKSPACE="+s.dir, "XDG_STATE_HOME="+s.state,
		"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "TZ=UTC", "NO_COLOR=", "CAIRN_THEME=", "VISUAL=",
		// Bubble Tea 2.1.1 races with itself on the window's size after an
		// editor; our own code is under the race detector in the other tests.
		"GORACE=exitcode=0 log_path="+filepath.Join(s.state, "race"))
	cmd.Env = append(cmd.Env, environ...)
	term, err := terminal.Start(cmd, 80, 24, color.Black)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	s.Terminal = term
	return s
}

// sees waits for a text on the screen.
func (s *session) sees(text string) {
	s.t.Helper()
	if err := s.WaitText(s.ctx, text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) types(keys string) {
	s.t.Helper()
	if err := s.Type(keys); err != nil {
		s.t.Fatal(err)
	}
}

// restored fails unless the terminal is as a program finds it: cooked, on the
// main screen, with a cursor.
func (s *session) restored() {
	s.t.Helper()
	err := s.Wait(s.ctx, func(v terminal.View) bool { return !v.AltScreen && !v.CursorHidden })
	if err != nil {
		s.t.Errorf("the terminal is left on the other screen or without a cursor: %v", err)
	}
	after, err := xterm.GetState(int(s.TTY().Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	if !reflect.DeepEqual(after, cooked(s.t)) {
		s.t.Error("the terminal is left in raw mode")
	}
}

// cooked is the state of a terminal that nobody has touched.
func cooked(t *testing.T) *xterm.State {
	t.Helper()
	term, err := terminal.Start(exec.Command("true"), 80, 24, color.Black)
	if err != nil {
		t.Fatal(err)
	}
	defer term.Close()
	state, err := xterm.GetState(int(term.TTY().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// world is the address of a database server that can be connected to, and no more.
func world(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return "postgres://role@" + l.Addr().String() + "/base"
}

// psql makes a folder with a psql that says where it was sent, and waits for a line.
func psql(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "psql"), []byte("#!/bin/sh\necho psql on \"$1\"\nread line\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestProgramWalksTheRoad(t *testing.T) {
	s := start(t, "run", "EDITOR=/bin/sh -c 'printf package > \"$0\"'", "CAIRN_TUI_WORLD="+world(t), "PATH="+psql(t)+":"+os.Getenv("PATH"))
	s.sees("next: read F2 REST CRUD with net/http")
	s.types("jj\r")
	s.sees("Two people withdraw at once")
	s.types("D")
	s.sees("Start Docker")
	s.types("q")
	s.sees("Two people withdraw at once")
	s.types("/mutex\r")
	s.sees(`"mutex" 1 of 1`)
	s.types("x")
	s.sees("A service pays money out of accounts")
	s.types("e")
	s.sees("ready")
	s.types("g")
	s.sees("✗ failed 09:14:23")
	s.sees("6 of 12")
	s.sees("✗ counts both of two withdrawals")
	s.types("s")
	s.sees("psql on postgres://role@127.0.0.1:")
	s.types("\r")
	s.sees("✗ failed 09:14:23")
	s.types("w")
	s.sees("watching")
	save(t, filepath.Join(s.dir, "lostupdate", "lostupdate.go"), "package lostupdate")
	s.sees("✗ failed · watching · saved ")
	s.types("e") // a save from the editor is graded when it gives the terminal back
	s.sees("✗ failed · watching · saved ")
	s.types("w")
	s.sees("✗ failed 09:14:23")
	if err := s.Resize(120, 40); err != nil {
		t.Fatal(err)
	}
	s.sees("── Task")
	s.types("q")
	s.sees("The lost update · ")
	s.types("\x1b") // ends the search, and only that
	if err := s.Wait(s.ctx, func(v terminal.View) bool { return !strings.Contains(v.Text, "1 of 1") }); err != nil {
		t.Fatal(err)
	}
	s.types("Ga")
	s.sees("Where is the gap")
	s.types("b")
	s.sees("A single statement locks the row")
	s.types("q")
	s.sees("The lost update")
	s.types("q")
	s.sees("next: try again S4 The lost update")
	s.types("q")
	if err := s.WaitExit(s.ctx); err != nil {
		t.Fatalf("the program failed: %v\n%s", err, s.View().Text)
	}
	s.sees("ended in order")
	s.restored()
	written, err := os.ReadFile(filepath.Join(s.dir, "lostupdate", "lostupdate.go"))
	if err != nil || string(written) != "package" {
		t.Errorf("the editor did not get the learner's file: %q, %v", written, err)
	}
}

func TestPanicRestoresTheTerminal(t *testing.T) {
	for _, where := range []string{"update", "command", "view"} {
		t.Run(where, func(t *testing.T) {
			s := start(t, "panic-"+where)
			if where != "view" {
				s.sees("next:")
				s.types("j")
			}
			var failed *exec.ExitError
			if err := s.WaitExit(s.ctx); !errors.As(err, &failed) || failed.ExitCode() != 1 {
				t.Errorf("the program ended with %v", err)
			}
			s.sees("cairn crashed: fault in")
			s.restored()
			reports, _ := filepath.Glob(filepath.Join(s.state, "cairn", "crash-*.log"))
			if len(reports) != 1 {
				t.Errorf("%d crash reports in %s", len(reports), s.state)
			}
		})
	}
}

func TestSignalsRestoreTheTerminal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			s := start(t, "run")
			s.sees("next:")
			if err := s.Process().Signal(sig); err != nil {
				t.Fatal(err)
			}
			if err := s.WaitExit(s.ctx); err == nil {
				t.Error("a signal is no success")
			}
			s.restored()
		})
	}
}

func TestCtrlCQuits(t *testing.T) {
	s := start(t, "run")
	s.sees("next:")
	s.types("\x03")
	if err := s.WaitExit(s.ctx); err != nil {
		t.Error(err)
	}
	s.restored()
}

// The terminal is asked for its background; the answer decides the theme.
func TestBackgroundDecidesTheTheme(t *testing.T) {
	for name, look := range map[string]struct {
		background color.Color
		red        uint8 // of the word "next" in the accent of that theme
	}{
		"dark":  {color.Black, 0x7d},
		"light": {color.White, 0x0b},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"=run", "CAIRN_TUI_WORKSPACE="+t.TempDir(), "TERM=xterm-256color", "COLORTERM=truecolor", "NO_COLOR=", "CAIRN_THEME=", "LANG=C.UTF-8")
			term, err := terminal.Start(cmd, 80, 24, look.background)
			if err != nil {
				t.Fatal(err)
			}
			defer term.Close()
			err = term.Wait(ctx, func(v terminal.View) bool {
				title := v.Cells[0][1] // the c of cairn
				if title.Content != "c" || title.Style.Fg == nil {
					return false
				}
				red, _, _, _ := title.Style.Fg.RGBA()
				return uint8(red>>8) == look.red
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
