// Shot takes the pictures of the documentation: it runs the real cairn in a
// pseudo terminal, walks through its screens, and writes each as an SVG file.
//
//	go run ./internal/tui/shot -out docs/pictures
//
// The grade in the picture of the exercise is a real one: it needs what a
// learner needs.
package main

import (
	"context"
	"flag"
	"fmt"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/cairn-learn/cairn/internal/tui/terminal"
)

// scene is one picture: the keys that lead there from the first screen, each
// typed when the text before it is seen.
type scene struct {
	name, title   string
	width, height int
	steps         []step
}

type step struct {
	sees string // wait for this text
	keys string // then type this
}

var scenes = []scene{
	{"roadmap", "The road: its stones, and what the chosen one teaches", 80, 24, []step{
		{"next:", "/"}, {"find", "lost update"}, {"▸ ○ S4", "\x1b"}, {"n next", ""},
	}},
	{"lesson", "A lesson", 80, 24, []step{
		{"next:", "/"}, {"find", "lost update"}, {"▸ ○ S4", "\r"}, {"%", "]"}, {"·", ""},
	}},
	{"exercise", "An exercise after a grade: the check that failed, and the evidence", 110, 32, []step{
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
		dir := filepath.Join(work, s.name)
		if said, err := exec.CommandContext(ctx, binary, "init", dir).CombinedOutput(); err != nil {
			return fmt.Errorf("make a workspace: %w\n%s", err, said)
		}
		view, err := play(ctx, s, binary, dir)
		if err != nil {
			return fmt.Errorf("picture of the %s: %w", s.name, err)
		}
		file := filepath.Join(out, s.name+".svg")
		if err := os.WriteFile(file, []byte(view.SVG(s.title)), 0o644); err != nil {
			return err
		}
		fmt.Println(file)
	}
	return nil
}

// play walks to a scene and returns what is seen there.
func play(ctx context.Context, s scene, binary, dir string) (terminal.View, error) {
	cmd := exec.Command(binary)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "NO_COLOR=", "CAIRN_THEME=dark", "TZ=UTC")
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
