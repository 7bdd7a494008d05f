package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cairn-learn/cairn/exercises"
)

// Restore writes files of an earlier attempt back, by slash-separated name in
// the exercise's folder. The folder as it was is copied to a backup first, whose
// path is returned; "" when there was no folder. Go files that the attempt does
// not have leave the folder, tests and other files stay.
func (w *Workspace) Restore(e *exercises.Exercise, files map[string][]byte) (backup string, err error) {
	for name := range files {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return "", fmt.Errorf("restore %s: %q does not stay in the exercise's folder", e.ID, name)
		}
	}
	dir := w.ExerciseDir(e.ID)
	if w.Started(e.ID) {
		backup = w.backupName(e.ID)
		if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
			return "", fmt.Errorf("back up %s: %w; nothing was changed", dir, err)
		}
	}
	if _, err := w.Start(e); err != nil { // what is given
		return backup, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return backup, fmt.Errorf("restore %s: %w", e.ID, err)
	}
	defer root.Close()
	err = errors.Join(writeAll(root, files), removeOthers(root, e, files))
	if err != nil {
		return backup, fmt.Errorf("restore %s: %w", e.ID, err)
	}
	return backup, nil
}

// writeAll replaces files one by one, each at once, and never through a link.
func writeAll(root *os.Root, files map[string][]byte) error {
	for name, data := range files {
		name = filepath.FromSlash(name)
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		tmp := filepath.Join(filepath.Dir(name), ".cairn-restored")
		if err := root.WriteFile(tmp, data, 0o644); err != nil {
			return err
		}
		if err := root.Rename(tmp, name); err != nil {
			return errors.Join(err, root.Remove(tmp))
		}
	}
	return nil
}

// removeOthers removes the Go files that would be graded with the attempt's and
// are none of them.
func removeOthers(root *os.Root, e *exercises.Exercise, files map[string][]byte) error {
	given := e.Spec().Given
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case strings.HasPrefix(base, "."), strings.HasPrefix(base, "_"), base == "testdata", base == "vendor":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular(), path.Ext(base) != ".go", strings.HasSuffix(base, "_test.go"):
			return nil
		}
		_, isGiven := given[name]
		if _, wanted := files[name]; wanted || isGiven {
			return nil
		}
		return root.Remove(filepath.FromSlash(name))
	})
}
