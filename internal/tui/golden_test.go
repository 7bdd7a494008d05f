package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/grader/process"
)

var update = flag.Bool("update", false, "write the golden files anew")

func typeName(v any) string { return fmt.Sprintf("%T", v) }

// golden compares a frame with the file of that name, escapes and all: print
// it in a terminal to see it.
func golden(t *testing.T, name, frame string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".ansi")
	frame += "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(frame), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./internal/tui -update writes it", err)
	}
	if frame != string(want) {
		t.Errorf("the screen is not that of %s (go test ./internal/tui -update writes it anew)\n got:\n%s\n want:\n%s", file, ansi.Strip(frame), ansi.Strip(string(want)))
	}
}

// fits fails when a frame is not exactly as large as the window.
func fits(t *testing.T, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != height {
		t.Errorf("the frame has %d lines, the window %d", len(lines), height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("line %d is %d cells wide, the window %d: %q", i+1, w, width, ansi.Strip(line))
		}
	}
}

// scenes are the screens of which there is a picture.
var scenes = []struct {
	name string
	keys []string
}{
	{"roadmap", nil},
	{"roadmap-find", []string{"/", "l", "o", "s", "t"}},
	{"lesson", []string{"r"}},
	{"lesson-code", []string{"r", "]", "]"}},
	{"lesson-questions", []string{"r", "G"}},
	{"quiz", []string{"r", "G", "enter"}},
	{"quiz-right", []string{"r", "a", "a"}},
	{"quiz-several", []string{"r", "a", "b", "enter", "a", "b"}},
	{"quiz-wrong", []string{"r", "a", "b", "enter", "a", "b", "enter"}},
	{"quiz-end", []string{"r", "a", "a", "enter", "a", "b", "enter", "enter", "a", "enter"}},
	{"exercise", []string{"n"}},
	{"exercise-timeline", []string{"n", "tab", "space", "space"}},
	{"exercise-task", []string{"n", "t"}},
	{"exercise-hint", []string{"n", "h", "y", "h"}},
	{"doctor", []string{"D"}},
	{"help", []string{"n", "?"}},
}

func TestScreens(t *testing.T) {
	looks := []struct {
		name    string
		environ []string
	}{
		{"dark", []string{"CAIRN_THEME=dark", "LANG=C.UTF-8"}},
		{"plain", []string{"NO_COLOR=yes", "LANG=C.UTF-8"}},
	}
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		for _, look := range looks {
			for _, scene := range scenes {
				name := fmt.Sprintf("%s-%dx%d-%s", scene.name, size[0], size[1], look.name)
				t.Run(name, func(t *testing.T) { picture(t, name, look.environ, size, scene.keys) })
			}
		}
	}
	for _, scene := range scenes[:1] {
		name := scene.name + "-80x24-light"
		t.Run(name, func(t *testing.T) { picture(t, name, []string{"CAIRN_THEME=light"}, [2]int{80, 24}, scene.keys) })
	}
	t.Run("exercise-80x24-ascii", func(t *testing.T) {
		picture(t, "exercise-80x24-ascii", []string{"NO_COLOR=1", "LANG=C"}, [2]int{80, 24}, []string{"n"})
	})
}

func picture(t *testing.T, name string, environ []string, size [2]int, keys []string) {
	r := fixture(t)
	g := newRig(t, Options{Road: r, Environ: environ, Workspace: graded(t, r, "failed.json")}, size[0], size[1])
	g.press(keys...)
	frame := g.frame()
	fits(t, frame, size[0], size[1])
	if strings.HasSuffix(name, "plain") && strings.Contains(frame, "38;2;") {
		t.Error("a frame without colours has colours")
	}
	if strings.HasSuffix(name, "ascii") && ansi.Strip(frame) != strings.Map(onlyASCII, ansi.Strip(frame)) {
		t.Errorf("an ASCII frame holds other characters:\n%s", frame)
	}
	golden(t, name, frame)
}

func onlyASCII(r rune) rune {
	if r > 126 {
		return -1
	}
	return r
}

func TestMain(m *testing.M) {
	process.SuperviseIfAsked()
	if child() {
		return
	}
	time.Local = time.UTC
	flag.Parse()
	os.Exit(m.Run())
}
