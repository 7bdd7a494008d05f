// Package workspace keeps the folder in which a learner writes: a Go module
// with one folder per exercise, and .cairn with what was put aside.
package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/atomicfile"
	"github.com/cairn-learn/cairn/internal/progress"
)

// Version is the version of the folder's layout. A workspace of a higher
// version was made by a newer cairn and is left alone.
const Version = 1

// The files and folders that cairn keeps for itself in a workspace.
const (
	stateDir  = ".cairn"
	stateFile = "workspace.json"
	backups   = "backups"
)

// Workspace is a learner's folder.
type Workspace struct {
	Dir string // absolute

	store progress.Store // nil: nothing is remembered
}

// state is the form of .cairn/workspace.json.
type state struct {
	Version int    `json:"version"`
	Cairn   string `json:"cairn"` // version of cairn that wrote it last
}

// NoneError says that a folder is no workspace and does not lie in one.
type NoneError struct{ Dir string }

func (e *NoneError) Error() string {
	return fmt.Sprintf("%s is not in a workspace; make one with: cairn init", e.Dir)
}

// NewerError says that a workspace was made by a newer cairn.
type NewerError struct {
	Dir     string
	Cairn   string // the version that made it
	Version int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the workspace %s was made by a newer cairn (%s, layout %d; this one knows layout %d): upgrade cairn", e.Dir, e.Cairn, e.Version, Version)
}

// ForeignError says that a folder can't become a workspace because it holds
// something else.
type ForeignError struct {
	Dir  string
	Find string // something it holds
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s is not empty (it holds %s) and no workspace; choose another folder, for example: cairn init %s", e.Dir, e.Find, filepath.Join(e.Dir, "cairn"))
}

// NestedError says that a folder can't become a workspace because it lies in
// one.
type NestedError struct{ Dir, Outer string }

func (e *NestedError) Error() string {
	return fmt.Sprintf("%s lies in the workspace %s already; use that one, or choose a folder outside of it", e.Dir, e.Outer)
}

// Init makes dir a workspace, creating it when needed. On a workspace it
// repairs what is missing and brings go.mod and go.sum to those of the
// catalogue; what the learner changed in them is kept in .cairn/backups. cairn
// is the program's version. Errors are *ForeignError, *NestedError, *NewerError,
// or the file system's.
func Init(dir string, catalogue *exercises.Catalogue, cairn string) (*Workspace, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("locate the workspace: %w", err)
	}
	w := &Workspace{Dir: dir}
	old, err := w.load()
	var none *NoneError
	if errors.As(err, &none) {
		err = w.claim()
	}
	if err != nil {
		return nil, err
	}
	if err := w.putModule(catalogue); err != nil {
		return nil, fmt.Errorf("set up the workspace %s: %w", dir, err)
	}
	if _, err := atomicfile.Create(filepath.Join(dir, "README.md"), []byte(readme)); err != nil {
		return nil, fmt.Errorf("set up the workspace %s: %w", dir, err)
	}
	if now := (state{Version: Version, Cairn: cairn}); old != now {
		if err := w.writeJSON(now, stateFile); err != nil {
			return nil, fmt.Errorf("set up the workspace %s: %w", dir, err)
		}
	}
	return w, nil
}

// claim makes sure that the folder is there and holds nothing of somebody
// else's. Dot files such as .git may be there.
func (w *Workspace) claim() error {
	if outer, err := Find(filepath.Dir(w.Dir)); err == nil {
		return &NestedError{Dir: w.Dir, Outer: outer.Dir}
	}
	if err := os.MkdirAll(w.Dir, 0o755); err != nil {
		return fmt.Errorf("make the workspace: %w", err)
	}
	entries, err := os.ReadDir(w.Dir)
	if err != nil {
		return fmt.Errorf("look into %s: %w", w.Dir, err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			return &ForeignError{Dir: w.Dir, Find: entry.Name()}
		}
	}
	return nil
}

// putModule writes go.mod and go.sum where they differ from the catalogue's.
func (w *Workspace) putModule(catalogue *exercises.Catalogue) error {
	for name, want := range map[string][]byte{"go.mod": catalogue.GoMod(), "go.sum": catalogue.GoSum()} {
		file := filepath.Join(w.Dir, name)
		have, err := os.ReadFile(file)
		switch {
		case err == nil && bytes.Equal(have, want):
			continue
		case err == nil:
			if err := atomicfile.Write(w.backupName(name), have); err != nil {
				return fmt.Errorf("keep the old %s: %w", name, err)
			}
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := atomicfile.Write(file, want); err != nil {
			return err
		}
	}
	return nil
}

// Find returns the workspace that a folder is or lies in. The error is
// *NoneError, *NewerError, or says what is wrong with the workspace's state.
func Find(from string) (*Workspace, error) {
	from, err := filepath.Abs(from)
	if err != nil {
		return nil, fmt.Errorf("locate the workspace: %w", err)
	}
	for dir := from; ; dir = filepath.Dir(dir) {
		w := &Workspace{Dir: dir}
		_, err := w.load()
		var none *NoneError
		if !errors.As(err, &none) {
			if err != nil {
				return nil, err
			}
			return w, nil
		}
		if dir == filepath.Dir(dir) {
			return nil, &NoneError{Dir: from}
		}
	}
}

// load reads the workspace's state.
func (w *Workspace) load() (state, error) {
	var s state
	name := w.path(stateFile)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, &NoneError{Dir: w.Dir}
	}
	if err != nil {
		return s, fmt.Errorf("read the workspace's state: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil || s.Version < 1 {
		return s, fmt.Errorf("%s is damaged; remove it and run: cairn init %s", name, w.Dir)
	}
	if s.Version > Version {
		return s, &NewerError{Dir: w.Dir, Cairn: s.Cairn, Version: s.Version}
	}
	return s, nil
}

// path returns the name of something that cairn keeps for itself.
func (w *Workspace) path(elem ...string) string {
	return filepath.Join(append([]string{w.Dir, stateDir}, elem...)...)
}

// backupName returns a free name for a backup.
func (w *Workspace) backupName(of string) string {
	base := w.path(backups, of+"-"+time.Now().Format("20060102-150405"))
	name := base
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s-%d", base, n)
	}
}

func (w *Workspace) writeJSON(v any, elem ...string) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(w.path(elem...), append(data, '\n'))
}

const readme = `# Your cairn workspace

One folder per exercise. In each of them:

- task.md says what is asked,
- it also says which files are yours to write,
- the others are given: grading puts them back. One of them is program/main.go,
  which starts what you write.

	cairn               the road, in your terminal
	cairn start S4      begin an exercise
	cairn grade         examine the exercise in whose folder you are

The folder .cairn holds what "cairn reset" and "cairn attempts restore" put
aside. What you have done is kept with your user's data, not here.
`
