package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"github.com/cairn-learn/cairn/internal/atomicfile"
)

// memory is the file that names the workspace used last, so that cairn finds it
// from any folder.
func memory() string { return filepath.Join(xdg.StateHome, "cairn", "workspace") }

// Remember makes w the workspace used last, which Locate finds. That it cannot
// be written down is no reason to stop: cairn then asks again.
func (w *Workspace) Remember() {
	path := memory()
	if old, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(old)) == w.Dir {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
		_ = atomicfile.Write(path, []byte(w.Dir+"\n"))
	}
}

// Locate finds the workspace that the folder from lies in, as Find does, and
// where it lies in none, the workspace used last. It returns *NoneError when
// there is neither, and *NewerError as Find does.
func Locate(from string) (*Workspace, error) {
	w, err := Find(from)
	var none *NoneError
	if err == nil || !errors.As(err, &none) {
		return w, err
	}
	data, readErr := os.ReadFile(memory())
	if readErr != nil {
		return nil, err
	}
	dir := strings.TrimSpace(string(data))
	if !filepath.IsAbs(dir) {
		return nil, err
	}
	last, lastErr := Find(dir)
	if lastErr != nil || last.Dir != dir {
		return nil, err // moved or deleted since: as good as none
	}
	return last, nil
}
