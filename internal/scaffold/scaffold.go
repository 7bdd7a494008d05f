// Package scaffold writes the beginnings of a stone: an exercise that runs and
// passes the curriculum gate, with a lesson and a quiz that are still to be
// written. What has to be replaced says TODO.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/aymanbagabas/go-udiff"
)

// Kinds are the kinds of exercises that there are.
var Kinds = []string{"program"}

// Services are what an exercise may be examined with.
var Services = []string{"postgres", "redis"}

// Stone is what is to be made.
type Stone struct {
	ID          string // of the exercise: lower-case letters
	Kind        string // one of Kinds
	Stone       string // F4
	Lesson      string // foundations/bounded-concurrency
	LessonTitle string
	Services    []string // some of Services
}

var (
	idForm     = regexp.MustCompile(`^[a-z]{2,24}$`)
	stoneForm  = regexp.MustCompile(`^[A-Z][1-9][0-9]?$`)
	lessonForm = regexp.MustCompile(`^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*$`)
)

// reserved are names that a package of an exercise can't bear: words of Go,
// packages that its files import, and folders that are there already.
var reserved = []string{
	"break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func", "go", "goto",
	"if", "import", "interface", "map", "package", "range", "return", "select", "struct", "switch", "type", "var",
	"main", "exam", "exercises", "internal", "workspace", "vendor", "testdata", "context", "embed", "errors", "fmt", "http", "net", "os", "signal",
	"syscall", "time", "json", "redis", "pgx", "pgxpool", "strings", "init", "string", "int", "error", "nil", "true", "false",
}

// check returns the first thing that keeps the stone from being made.
func (s Stone) check() error {
	switch {
	case !idForm.MatchString(s.ID):
		return fmt.Errorf("the id %q is not 2 to 24 lower-case letters; it is the name of a Go package, and never changes", s.ID)
	case slices.Contains(reserved, s.ID):
		return fmt.Errorf("the id %q means something else in Go or in cairn", s.ID)
	case !slices.Contains(Kinds, s.Kind):
		return fmt.Errorf("there is no kind %q of exercises; there is %s", s.Kind, strings.Join(Kinds, ", "))
	case !stoneForm.MatchString(s.Stone):
		return fmt.Errorf("stone %q is not a letter and a number, such as F4", s.Stone)
	case !lessonForm.MatchString(s.Lesson):
		return fmt.Errorf("lesson %q is not <track>/<lesson>", s.Lesson)
	}
	for _, name := range s.Services {
		if !slices.Contains(Services, name) {
			return fmt.Errorf("there is no service %q; there is %s", name, strings.Join(Services, ", "))
		}
	}
	return nil
}

// The templates and the golden feedback of what they make.
//
//go:embed stone
var stone embed.FS

// data is what templates may use.
type data struct {
	Stone
	Title, Heading, Slug string
	Postgres, Redis      bool
	Params, ParamLines   string
	Questions            []string
}

func (s Stone) data() data {
	d := data{
		Stone: s, Title: strings.ToUpper(s.ID[:1]) + s.ID[1:], Heading: "The idea", Slug: "the-idea",
		Postgres: slices.Contains(s.Services, "postgres"), Redis: slices.Contains(s.Services, "redis"),
		Questions: []string{"which of these logs shows the mistake?", "what happens next?", "which repair would you choose, and why?"},
	}
	params := []string{"ctx context.Context"}
	if d.Postgres {
		params = append(params, "databaseURL string")
	}
	if d.Redis {
		params = append(params, "redisURL string")
	}
	d.Params = strings.Join(params, ", ")
	d.ParamLines = d.Params
	if len("func New("+d.Params+") (http.Handler, error)") > 76 {
		d.ParamLines = "\n\t" + strings.Join(params, ",\n\t") + ",\n"
	}
	return d
}

// ErrThere is returned for a stone of which something is there already.
var ErrThere = errors.New("is there already")

// Files returns the files of a stone, by their path from the root of a clone.
func Files(s Stone) (map[string][]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	d, home := s.data(), "exercises/"+s.ID+"/"
	code := s.ID + ".go"
	names := map[string]string{
		"exercise.yaml": home + "exercise.yaml", "task.md": home + "task.md",
		"solution.go": home + code, "starter.go": home + "starter/" + code, "alternative.go": home + "alternatives/switch/" + code,
		"program.go": home + "program/main.go", "exam.go": home + "exam/exam.go",
		"lesson.md": "content/" + s.Lesson + ".md", "quiz.yaml": "content/" + s.Lesson + ".quiz.yaml",
	}
	if d.Postgres {
		names["fixture.sql"] = home + "fixture.sql"
	}
	files := map[string][]byte{}
	for from, to := range names {
		text, err := d.fill(from)
		if err != nil {
			return nil, err
		}
		files[to] = text
	}
	return files, d.addMutants(files, home, code)
}

// fill fills in one template.
func (d data) fill(name string) ([]byte, error) {
	t, err := template.ParseFS(stone, "stone/"+name+".tmpl")
	if err != nil {
		return nil, fmt.Errorf("read template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil, fmt.Errorf("fill in template %s: %w", name, err)
	}
	if path.Ext(name) != ".go" {
		return out.Bytes(), nil
	}
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", name, err)
	}
	return text, nil
}

// addMutants adds the wrong versions, as patches on the solution, and what they
// and the starter are told. What is told names the lesson.
func (d data) addMutants(files map[string][]byte, home, code string) error {
	solution := string(files[home+code])
	golden := map[string]string{"starter": home + "starter.feedback"}
	for _, m := range d.mutants() {
		wrong := solution
		for _, r := range m.replace {
			if strings.Count(wrong, r[0]) != 1 {
				return fmt.Errorf("mutant %s: the solution has %q %d times", m.name, r[0], strings.Count(wrong, r[0]))
			}
			wrong = strings.Replace(wrong, r[0], r[1], 1)
		}
		head := "# check: " + m.check + "\n# mistake: " + m.mistake + "\n"
		files[home+"mutants/"+m.name+".diff"] = []byte(head + udiff.Unified("a/"+code, "b/"+code, solution, wrong))
		golden[m.name] = home + "mutants/" + m.name + ".feedback"
	}
	for name, to := range golden {
		text, err := fs.ReadFile(stone, "stone/golden/"+name+".feedback")
		if err != nil {
			return fmt.Errorf("read the feedback of %s: %w", name, err)
		}
		files[to] = bytes.ReplaceAll(text, []byte(lessonMark), []byte(d.Lesson))
	}
	return nil
}

// lessonMark stands for the id of the lesson in golden feedback.
const lessonMark = "LESSON"

// Write writes a stone into a clone and returns the paths it wrote, sorted. A
// lesson and a quiz that are there stay as they are. It writes nothing and
// returns an error with ErrThere when the exercise is there already.
func Write(root string, s Stone) ([]string, error) {
	files, err := Files(s)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "exercises", s.ID)
	if _, err := os.Lstat(dir); err == nil {
		return nil, fmt.Errorf("exercises/%s %w", s.ID, ErrThere)
	}
	var written []string
	for _, name := range sorted(files) {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return written, err
		}
		err := writeNew(file, files[name])
		if errors.Is(err, fs.ErrExist) && strings.HasPrefix(name, "content/") {
			continue
		}
		if err != nil {
			return written, err
		}
		written = append(written, name)
	}
	return written, nil
}

func writeNew(file string, data []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func sorted(files map[string][]byte) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
