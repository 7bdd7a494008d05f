// Package atomicfile writes files that are whole at every moment, also after a
// crash.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces a file at once: whoever reads it sees the old content or
// the new, also after a crash. It makes the folder when it is missing.
func Write(name string, data []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := writeTemp(dir, data)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, name); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(dir)
}

// Create writes a file that must not exist yet. It reports false, without
// an error, when something of that name is there already.
func Create(name string, data []byte) (bool, error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false, err
	}
	if _, err := os.Lstat(name); err == nil {
		return false, nil
	}
	tmp, err := writeTemp(dir, data)
	if err != nil {
		return false, err
	}
	// A link, unlike a rename, fails when the name is taken meanwhile.
	err = os.Link(tmp, name)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = createPlainly(name, data) // no hard links on this file system
	}
	removed := os.Remove(tmp)
	switch {
	case errors.Is(err, fs.ErrExist):
		return false, removed
	case err != nil:
		return false, err
	}
	return true, errors.Join(removed, syncDir(dir))
}

func createPlainly(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// writeTemp writes data to a new file in dir and through to the disk.
func writeTemp(dir string, data []byte) (string, error) {
	f, err := os.CreateTemp(dir, ".cairn-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", f.Name(), err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Some file systems can't sync a folder; the file itself is on disk.
	_ = d.Sync()
	return d.Close()
}
