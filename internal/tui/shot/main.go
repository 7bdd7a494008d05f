// Shot takes the pictures of the documentation: it runs the real cairn in a
// pseudo terminal, walks through its screens, and writes each as an SVG file.
//
//	go run ./internal/tui/shot -out docs/pictures
//
// The grade in the picture of the exercise is a real one, and the first start
// looks at this very machine: it needs what a learner needs, with nothing amiss.
// Every scene has a home of its own, so nothing of who takes them is seen or
// changed.
package main

import (
	"context"
	"flag"
	"fmt"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/internal/tui/terminal"
)

// scene is one picture: the keys that lead there from the first screen, each
// typed when the text before it is seen.
type scene struct {
	name, title   string
	width, height int
	first         bool // nobody has started cairn in this home before
	steps         []step
}

type step struct {
	sees string // wait for this text
	keys string // then type this
}

var scenes = []scene{
	{"first-start", "The first start: three questions, and what was found out about the machine", 80, 24, true, []step{
		{"nothing is amiss", "j"}, {"▸ Bootcamp", "k"}, {"▸ Self-paced", ""},
	}},
	{"roadmap", "The road: its stones, and what the chosen one teaches", 80, 24, false, []step{
		{"next:", "/"}, {"find", "lost update"}, {"▸ ○ S4", "\x1b"}, {"n next", ""},
	}},
	{"lesson", "A lesson", 80, 24, false, []step{
		{"next:", "/"}, {"find", "lost update"}, {"▸ ○ S4", "\r"}, {"%", "]"}, {"·", ""},
	}},
	{"exercise", "An exercise after a grade: the check that failed, and the evidence", 110, 32, false, []step{
		{"next:", "/"}, {"find", "lost update"}, {"▸ ○ S4", "\r"}, {"%", "x"}, {"Began", "k"}, {"  ready", "g"}, {"✗ failed ", "t"}, {"what happened", ""},
	}},
}

func main() {
	out := flag.String("out", "docs/pictures", "folder for the pictures")
	binary := flag.String("cairn", "", "cairn to run; built from ./cmd/cairn when empty")
	patience := flag.Duration("patience", 5*time.Minute, "time for all pictures together")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()
	if err := take(ctx, *out, *binary); err != nil {
		fmt.Fprintln(os.Stderr, "shot:", err)
		os.Exit(1)
	}
}

func take(ctx context.Context, out, binary string) error {
	work, err := os.MkdirTemp("", "cairn-pictures-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if binary == "" {
		binary = filepath.Join(work, "cairn")
		build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/cairn")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build cairn: %w", err)
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, s := range scenes {
		home := filepath.Join(work, s.name)
		environ, err := environ(ctx, home)
		if err != nil {
			return err
		}
		if !s.first {
			begin := exec.CommandContext(ctx, binary, "init", filepath.Join(home, "cairn-work"))
			begin.Env = environ
			if said, err := begin.CombinedOutput(); err != nil {
				return fmt.Errorf("make a workspace: %w\n%s", err, said)
			}
		}
		view, err := play(ctx, s, binary, environ)
		if err != nil {
			return fmt.Errorf("picture of the %s: %w", s.name, err)
		}
		stop := exec.CommandContext(ctx, binary, "services", "stop") // nobody comes back to this home
		stop.Env = environ
		if said, err := stop.CombinedOutput(); err != nil {
			return fmt.Errorf("stop what ran for the picture: %w\n%s", err, said)
		}
		file := filepath.Join(out, s.name+".svg")
		if err := os.WriteFile(file, []byte(view.SVG(s.title)), 0o644); err != nil {
			return err
		}
		fmt.Println(file)
	}
	return nil
}

// environ is this environment with a new home, and the caches of the real one.
func environ(ctx context.Context, home string) ([]string, error) {
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	environ := append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "NO_COLOR=", "CAIRN_THEME=dark", "TZ=UTC", "VISUAL=", "EDITOR=")
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOENV"} {
		value, err := exec.CommandContext(ctx, "go", "env", name).Output()
		if err != nil {
			return nil, fmt.Errorf("go env %s: %w", name, err)
		}
		environ = append(environ, name+"="+strings.TrimSpace(string(value)))
	}
	for name, folder := range map[string]string{"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".state", "XDG_DATA_HOME": ".data", "XDG_CACHE_HOME": ".cache"} {
		environ = append(environ, name+"="+filepath.Join(home, folder))
	}
	return environ, nil
}

// play walks to a scene and returns what is seen there.
func play(ctx context.Context, s scene, binary string, environ []string) (terminal.View, error) {
	cmd := exec.Command(binary)
	cmd.Dir, cmd.Env = os.TempDir(), environ
	term, err := terminal.Start(cmd, s.width, s.height, color.Black)
	if err != nil {
		return terminal.View{}, err
	}
	defer term.Close()
	for _, step := range s.steps {
		if err := term.WaitText(ctx, step.sees); err != nil {
			return terminal.View{}, err
		}
		if err := term.Type(step.keys); err != nil {
			return terminal.View{}, err
		}
	}
	v := term.View()
	if err := term.Type("\x03"); err != nil {
		return v, err
	}
	_ = term.WaitExit(ctx)
	return v, nil
}
