package scaffold

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden feedback of what the templates make")

// scaffolded are stones of every kind; the last one has all there is.
var scaffolded = []Stone{
	{ID: "plain", Kind: "program", Stone: "F91", Lesson: "foundations/plain", LessonTitle: "Plain"},
	{ID: "withpostgres", Kind: "program", Stone: "F92", Lesson: "foundations/with-postgres", LessonTitle: "With PostgreSQL", Services: []string{"postgres"}},
	{ID: "withredis", Kind: "program", Stone: "F93", Lesson: "foundations/with-redis", LessonTitle: "With Redis", Services: []string{"redis"}},
	{ID: "withboth", Kind: "program", Stone: "F94", Lesson: "foundations/with-both", LessonTitle: "With both", Services: []string{"redis", "postgres"}},
}

// TestScaffoldHolds writes stones into a copy of this repository and lets the
// gate prove one of them for real: services, golden feedback and all.
func TestScaffoldHolds(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"content", "exercises", "grader", "internal", "lessons"} {
		if err := os.CopyFS(filepath.Join(root, dir), os.DirFS(filepath.Join("..", "..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var packages []string
	for _, s := range scaffolded {
		if _, err := Write(root, s); err != nil {
			t.Fatal(err)
		}
		addToCourse(t, root, s)
		packages = append(packages, "./exercises/"+s.ID+"/...")
	}
	run(t, root, "generate", "./exercises")
	run(t, root, append([]string{"vet"}, packages...)...)
	last := scaffolded[len(scaffolded)-1]
	args := []string{"test", "./exercises", "-run", "TestGate/" + last.ID + "$", "-v"}
	if *update {
		args = append(args, "-update")
	}
	out := run(t, root, args...)
	if !strings.Contains(out, "--- PASS: TestGate/"+last.ID+"/mutant/own-name") && !strings.Contains(out, "--- SKIP: TestGate/"+last.ID) {
		t.Errorf("the gate did not try the stone:\n%s", out)
	}
	if *update {
		takeFeedback(t, root, last)
	}
}

// addToCourse does what an author does by hand.
func addToCourse(t *testing.T, root string, s Stone) {
	t.Helper()
	file := filepath.Join(root, "content", "course.yaml")
	course, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	entry := "    lessons:\n      - id: " + s.Lesson + "\n        stone: " + s.Stone + "\n        title: " + s.LessonTitle +
		"\n        objective: To see.\n        minutes: 15\n        exercise: " + s.ID + "\n"
	if len(s.Services) > 0 {
		entry += "        services: [" + strings.Join(s.Services, ", ") + "]\n"
	}
	if err := os.WriteFile(file, bytes.Replace(course, []byte("    lessons:\n"), []byte(entry), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "CAIRN_GATE_RUNS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func takeFeedback(t *testing.T, root string, s Stone) {
	t.Helper()
	folder := filepath.Join(root, "exercises", s.ID)
	files, _ := filepath.Glob(filepath.Join(folder, "mutants", "*.feedback"))
	for _, file := range append(files, filepath.Join(folder, "starter.feedback")) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.ReplaceAll(data, []byte(s.Lesson), []byte(lessonMark))
		if err := os.WriteFile(filepath.Join("stone", "golden", filepath.Base(file)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWriteKeepsWhatIsThere(t *testing.T) {
	root, s := t.TempDir(), scaffolded[1]
	lesson := filepath.Join(root, "content", "foundations", "with-postgres.md")
	if err := os.MkdirAll(filepath.Dir(lesson), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lesson, []byte("# Written\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	written, err := Write(root, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range written {
		if name == "content/foundations/with-postgres.md" {
			t.Error("it says that it wrote a lesson which was there")
		}
	}
	if data, _ := os.ReadFile(lesson); string(data) != "# Written\n" {
		t.Errorf("the lesson is %q", data)
	}
	if again, err := Write(root, s); !errors.Is(err, ErrThere) || len(again) > 0 {
		t.Errorf("once more: %v, %v", again, err)
	}
}

func TestWhatCannotBeMade(t *testing.T) {
	for want, change := range map[string]func(*Stone){
		"lower-case letters":    func(s *Stone) { s.ID = "Rate-Limit" },
		"means something else":  func(s *Stone) { s.ID = "redis" },
		"there is program":      func(s *Stone) { s.Kind = "sql" },
		"a letter and a number": func(s *Stone) { s.Stone = "four" },
		"<track>/<lesson>":      func(s *Stone) { s.Lesson = "../../etc" },
		"there is no service":   func(s *Stone) { s.Services = []string{"kafka"} },
	} {
		s := scaffolded[0]
		change(&s)
		root := t.TempDir()
		if _, err := Write(root, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
		if entries, _ := os.ReadDir(root); len(entries) > 0 {
			t.Errorf("%+v: it wrote %v", s, entries)
		}
	}
}
