package exercises

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/internal/strictyaml"
)

// The form of exercise.yaml.
type (
	manifest struct {
		Kind     build.Kind       `yaml:"kind"`
		Stone    string           `yaml:"stone"`
		Lesson   string           `yaml:"lesson"`
		Title    string           `yaml:"title"`
		Summary  string           `yaml:"summary"`
		Minutes  int              `yaml:"minutes"`
		Edit     []string         `yaml:"edit"`
		Given    []string         `yaml:"given"`
		Services manifestServices `yaml:"services"`
		Limits   manifestLimits   `yaml:"limits"`
		Hints    []string         `yaml:"hints"`
	}
	manifestServices struct {
		Postgres *manifestPostgres `yaml:"postgres"`
		Redis    *manifestRedis    `yaml:"redis"`
	}
	manifestRedis struct {
		Version int `yaml:"version"`
	}
	manifestPostgres struct {
		Version    int      `yaml:"version"`
		Extensions []string `yaml:"extensions"`
		Fixture    string   `yaml:"fixture"`
	}
	manifestLimits struct {
		Build string `yaml:"build"`
		Start string `yaml:"start"`
		Exam  string `yaml:"exam"`
		Check string `yaml:"check"`
	}
)

// kinds are what an exercise can be.
var kinds = []build.Kind{build.Program, build.SQL, build.Tests, build.Image, build.Workflow}

// The sane minutes of an exercise, and the steps of its hint ladder.
const (
	minMinutes = 5
	maxMinutes = 240
	hintSteps  = 3
	maxLimit   = 10 * time.Minute
)

var (
	idForm     = regexp.MustCompile(`^[a-z]+$`)
	stoneForm  = regexp.MustCompile(`^[A-Z][1-9][0-9]?$`)
	lessonForm = regexp.MustCompile(`^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*$`)
)

// load reads what every use of an exercise needs: its manifest, its task, and
// the files that are given.
func (c *Catalogue) load(fsys fs.FS, id string) (*Exercise, error) {
	sub, err := fs.Sub(fsys, id)
	if err != nil {
		return nil, fmt.Errorf("open exercise %s: %w", id, err)
	}
	e := &Exercise{ID: id, fsys: sub, gomod: c.gomod, gosum: c.gosum}
	name := e.shown(manifestFile)
	data, err := fs.ReadFile(sub, manifestFile)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if !idForm.MatchString(id) {
		return nil, fmt.Errorf("%s:1: the folder of an exercise is its package name: lower-case letters only, not %q", name, id)
	}
	var m manifest
	f, err := strictyaml.Read(name, data, &m)
	if err != nil {
		return nil, err
	}
	if err := m.check(f, id); err != nil {
		return nil, err
	}
	e.Kind, e.Stone, e.Lesson, e.Title, e.Summary = m.Kind, m.Stone, m.Lesson, m.Title, m.Summary
	e.Minutes, e.Edit, e.Hints = m.Minutes, m.Edit, m.Hints
	if e.Limits, err = m.limits(f); err != nil {
		return nil, err
	}
	task, err := e.files(".", taskFile)
	if err != nil {
		return nil, err
	}
	e.Task = string(task[taskFile])
	given := m.Given
	if e.Kind == build.Program {
		given = []string{programFile}
	}
	if e.given, err = e.files(".", given...); err == nil {
		e.given, err = e.unpacked(e.given)
	}
	if err != nil {
		return nil, err
	}
	if e.Kind == build.Tests {
		if e.versions, err = e.readVersions(); err != nil {
			return nil, err
		}
	}
	if e.Postgres, err = m.postgres(f, sub); err != nil {
		return nil, err
	}
	if asked := m.Services.Redis; asked != nil {
		e.Redis = &Redis{Version: asked.Version}
	}
	e.Content, err = e.hash()
	return e, err
}

// postgres returns the database that a manifest asks for, nil for none.
func (m *manifest) postgres(f *strictyaml.File, dir fs.FS) (*Postgres, error) {
	asked := m.Services.Postgres
	if asked == nil {
		return nil, nil
	}
	pg := &Postgres{Version: asked.Version, Extensions: asked.Extensions}
	if asked.Fixture != "" {
		sql, err := fs.ReadFile(dir, asked.Fixture)
		if err != nil {
			return nil, f.Errorf("$.services.postgres.fixture", "the fixture %s is not in the exercise's folder", asked.Fixture)
		}
		pg.Fixture = string(sql)
	}
	return pg, nil
}

// check returns the first fault of a manifest.
func (m *manifest) check(f *strictyaml.File, id string) error {
	switch {
	case !slices.Contains(kinds, m.Kind):
		return f.Errorf("$.kind", "kind %q is not known; there are %s", m.Kind, listed(kinds))
	case m.Kind == build.SQL && m.Services.Postgres == nil:
		return f.Errorf("$.kind", "an exercise of kind %s needs services.postgres", m.Kind)
	case len(m.Given) > 0 && (m.Kind == build.Program || m.Kind == build.SQL):
		return f.Errorf("$.given", "an exercise of kind %s gives no files of its own choice", m.Kind)
	case len(m.Given) == 0 && m.Kind == build.Tests:
		return f.Errorf("$.kind", "an exercise of kind %s gives the package to be tested", m.Kind)
	case !stoneForm.MatchString(m.Stone):
		return f.Errorf("$.stone", "stone %q is not a letter and a number, such as S4", m.Stone)
	case !lessonForm.MatchString(m.Lesson):
		return f.Errorf("$.lesson", "lesson %q is not <track>/<lesson>", m.Lesson)
	case m.Title == "":
		return f.Errorf("$.title", "the exercise has no title")
	case m.Summary == "" || strings.Contains(m.Summary, "\n"):
		return f.Errorf("$.summary", "the exercise needs a summary of one line")
	case m.Minutes < minMinutes || m.Minutes > maxMinutes:
		return f.Errorf("$.minutes", "%d minutes; %d to %d are sane", m.Minutes, minMinutes, maxMinutes)
	case len(m.Edit) == 0:
		return f.Errorf("$.edit", "the learner has nothing to edit")
	case len(m.Hints) != hintSteps:
		return f.Errorf("$.hints", "a hint ladder has %d steps (where to look, what to think, almost the code); this one has %d", hintSteps, len(m.Hints))
	}
	if err := m.checkFiles(f); err != nil {
		return err
	}
	for i, hint := range m.Hints {
		if strings.TrimSpace(hint) == "" {
			return f.Errorf(fmt.Sprintf("$.hints[%d]", i), "hint %d of exercise %s is empty", i+1, id)
		}
	}
	return nil
}

// checkFiles returns the first fault of the files that a manifest names.
func (m *manifest) checkFiles(f *strictyaml.File) error {
	for i, name := range m.Edit {
		at := fmt.Sprintf("$.edit[%d]", i)
		switch {
		case !fs.ValidPath(name) || name == ".":
			return f.Errorf(at, "%q is not a path inside the exercise's folder", name)
		case name == programFile || name == taskFile || name == manifestFile || slices.Contains(m.Given, name):
			return f.Errorf(at, "%s is given and can't be edited", name)
		case m.Kind == build.Program && path.Ext(name) != ".go":
			return f.Errorf(at, "%s is no Go file", name)
		case m.Kind == build.SQL && (path.Ext(name) != ".sql" || name == m.Services.Postgres.Fixture):
			return f.Errorf(at, "%s is no SQL of the learner's", name)
		case m.Kind == build.Tests && !strings.HasSuffix(name, "_test.go"):
			return f.Errorf(at, "%s is no file of tests", name)
		}
	}
	for i, name := range m.Given {
		if !fs.ValidPath(name) || name == "." {
			return f.Errorf(fmt.Sprintf("$.given[%d]", i), "%q is not a path inside the exercise's folder", name)
		}
	}
	return nil
}

// listed joins kinds for a message.
func listed(all []build.Kind) string {
	names := make([]string, len(all))
	for i, k := range all {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// limits reads the durations of a manifest.
func (m *manifest) limits(f *strictyaml.File) (Limits, error) {
	var l Limits
	for _, field := range []struct {
		name, text string
		into       *time.Duration
	}{
		{"build", m.Limits.Build, &l.Build},
		{"start", m.Limits.Start, &l.Start},
		{"exam", m.Limits.Exam, &l.Exam},
		{"check", m.Limits.Check, &l.Check},
	} {
		if field.text == "" {
			continue
		}
		d, err := time.ParseDuration(field.text)
		if err != nil || d <= 0 || d > maxLimit {
			return l, f.Errorf("$.limits."+field.name, "limit %s is %q, which is no time between 0 and %s, such as 20s", field.name, field.text, maxLimit)
		}
		*field.into = d
	}
	return l, nil
}
