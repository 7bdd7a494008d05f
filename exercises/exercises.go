// Package exercises finds what a learner writes: one folder per exercise with
// its manifest, task, starter, solution, exam and mutants.
package exercises

//go:generate go run ./internal/registry/generate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/internal/nearest"
)

// Module is the module path of a learner's workspace. It is a prefix of this
// repository's own import paths, so that program/main.go compiles in both.
const Module = "github.com/cairn-learn/cairn/exercises"

// The files of an exercise that are not named by its manifest.
const (
	manifestFile = "exercise.yaml"
	taskFile     = "task.md"
	programFile  = "program/main.go"
)

// Exercise is one folder of exercises. It is read-only after Load and safe for
// concurrent use.
type Exercise struct {
	ID       string // = folder = package name
	Kind     build.Kind
	Stone    string // "S4"
	Lesson   string // "sql/lost-update"
	Title    string
	Summary  string   // one line
	Minutes  int      // to solve it
	Edit     []string // the learner's files, relative to the exercise's folder
	Hints    []string // three: where to look, what to think, almost the code
	Task     string   // markdown
	Postgres *Postgres
	Redis    *Redis
	Limits   Limits
	Content  string // hash of what decides a grade besides the learner's files

	fsys     fs.FS             // the exercise's folder
	given    map[string][]byte // supplied at every grade
	versions []build.Version   // of a package under test
	gomod    []byte
	gosum    []byte
}

// Postgres is the database that an exercise needs.
type Postgres struct {
	Version    int      // least major version, 0 = any
	Extensions []string // made before the fixture runs
	Fixture    string   // SQL, or ""
}

// Redis is the Redis server that an exercise needs. It is empty at the start.
type Redis struct {
	Version int // least major version, 0 = any
}

// Limits bound one grade. Zero means the grader's default.
type Limits struct {
	Build, Start, Exam, Check time.Duration
}

// Services names what the exercise is examined with: of "docker", "postgres" and "redis", what it
// needs. Docker is where the submission itself runs; the others are had without it too.
func (e *Exercise) Services() []string {
	var names []string
	if e.Kind == build.Image || e.Kind == build.Workflow {
		names = append(names, "docker")
	}
	if e.Postgres != nil {
		names = append(names, "postgres")
	}
	if e.Redis != nil {
		names = append(names, "redis")
	}
	return names
}

// Catalogue is every exercise there is.
type Catalogue struct {
	all   []*Exercise
	byID  map[string]*Exercise
	gomod []byte
	gosum []byte
}

// Load reads every exercise of a folder laid out like this package's. Pass FS
// for the exercises built into cairn, or os.DirFS for those an author is
// working on. The error names each fault in one line with file and line.
func Load(fsys fs.FS) (*Catalogue, error) {
	c := &Catalogue{byID: map[string]*Exercise{}}
	var err error
	if c.gomod, err = fs.ReadFile(fsys, "workspace/go.mod.tmpl"); err != nil {
		return nil, fmt.Errorf("read the workspace's go.mod: %w", err)
	}
	if c.gosum, err = fs.ReadFile(fsys, "workspace/go.sum.tmpl"); err != nil {
		return nil, fmt.Errorf("read the workspace's go.sum: %w", err)
	}
	manifests, err := fs.Glob(fsys, "*/"+manifestFile)
	if err != nil {
		return nil, fmt.Errorf("list the exercises: %w", err)
	}
	var faults []error
	for _, name := range manifests {
		e, err := c.load(fsys, path.Dir(name))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		c.all = append(c.all, e)
		c.byID[e.ID] = e
	}
	return c, errors.Join(faults...)
}

// All returns the exercises, ordered by id.
func (c *Catalogue) All() []*Exercise { return slices.Clone(c.all) }

// Get returns the exercise with an id.
func (c *Catalogue) Get(id string) (*Exercise, bool) {
	e, ok := c.byID[id]
	return e, ok
}

// Nearest returns the id that is most like a mistyped one, or "".
func (c *Catalogue) Nearest(id string) string {
	ids := make([]string, len(c.all))
	for i, e := range c.all {
		ids[i] = e.ID
	}
	return nearest.Name(id, ids)
}

// GoMod and GoSum are the files of a learner's workspace.
func (c *Catalogue) GoMod() []byte { return bytes.Clone(c.gomod) }

// GoSum returns the go.sum that belongs to GoMod.
func (c *Catalogue) GoSum() []byte { return bytes.Clone(c.gosum) }

// Starter returns what the learner begins with, by slash-separated path in the
// exercise's folder: the files to edit, the given ones, and task.md.
func (e *Exercise) Starter() (map[string][]byte, error) { return e.laidOut("starter") }

// Solution returns the reference solution, laid out like the starter.
func (e *Exercise) Solution() (map[string][]byte, error) { return e.laidOut(".") }

// Alternatives returns correct solutions in other styles by name, each laid out
// like the starter.
func (e *Exercise) Alternatives() (map[string]map[string][]byte, error) {
	entries, err := fs.ReadDir(e.fsys, "alternatives")
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]map[string][]byte{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the alternatives of %s: %w", e.ID, err)
	}
	all := map[string]map[string][]byte{}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if all[entry.Name()], err = e.laidOut(path.Join("alternatives", entry.Name())); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Golden returns the feedback that a wrong version must get, as it stands in
// "starter.feedback" or "mutants/<name>.feedback". It is nil when there is none
// yet.
func (e *Exercise) Golden(name string) ([]byte, error) {
	data, err := fs.ReadFile(e.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// laidOut reads the learner's files from dir, and the others from the
// exercise's folder.
func (e *Exercise) laidOut(dir string) (map[string][]byte, error) {
	files, err := e.files(dir, e.Edit...)
	if err != nil {
		return nil, err
	}
	maps.Copy(files, e.given)
	files[taskFile] = []byte(e.Task)
	return files, nil
}

func (e *Exercise) files(dir string, names ...string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range names {
		data, err := fs.ReadFile(e.fsys, path.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s:1: exercise %s needs this file", e.shown(path.Join(dir, name)), e.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.shown(path.Join(dir, name)), err)
		}
		files[name] = data
	}
	return files, nil
}

// unpacked returns files with those of archives in place of the archives. An archive (.txtar) is
// for what can't lie in an exercise's folder as it is, such as a go.mod.
func (e *Exercise) unpacked(files map[string][]byte) (map[string][]byte, error) {
	all := map[string][]byte{}
	for name, data := range files {
		if path.Ext(name) != ".txtar" {
			all[name] = data
			continue
		}
		for _, f := range txtar.Parse(data).Files {
			if !fs.ValidPath(f.Name) || slices.Contains(e.Edit, f.Name) {
				return nil, fmt.Errorf("%s:1: %q can't be a given file", e.shown(name), f.Name)
			}
			all[f.Name] = f.Data
		}
	}
	return all, nil
}

// hash sums up what decides a grade besides the learner's files: the task, the
// given files, the fixture, the exam, and the workspace's modules.
func (e *Exercise) hash() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "go.mod %d\n%sgo.sum %d\n%s", len(e.gomod), e.gomod, len(e.gosum), e.gosum)
	err := fs.WalkDir(e.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{"starter", "alternatives", "mutants"}, name) {
				return fs.SkipDir
			}
			return nil
		}
		if slices.Contains(e.Edit, name) || strings.HasSuffix(name, ".feedback") {
			return nil
		}
		data, err := fs.ReadFile(e.fsys, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(data), data)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash the content of %s: %w", e.ID, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// shown is the name under which an author knows a file of the exercise.
func (e *Exercise) shown(name string) string { return path.Join("exercises", e.ID, name) }
