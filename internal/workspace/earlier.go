package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/progress"
)

// The folders in which the first cairn kept progress, one JSON file per
// exercise, and the one that they go to when they are imported.
const (
	earlierRecords = "progress"
	earlierReports = "reports"
	earlierHints   = "hints"
	importedDir    = "imported"
)

// importEarlier moves what an earlier cairn kept in the folder to the store. A
// file that is damaged counts as none. It can be repeated: the store takes a
// folder once.
func (w *Workspace) importEarlier(ctx context.Context) error {
	ids, err := w.earlierIDs()
	if err != nil || len(ids) == 0 {
		return err
	}
	var all []progress.Earlier
	for _, id := range ids {
		e := progress.Earlier{Exercise: id}
		var hints struct{ Seen int }
		w.readEarlier(&e.Record, earlierRecords, id)
		w.readEarlier(&hints, earlierHints, id)
		e.Hints = max(hints.Seen, 0)
		if data, err := os.ReadFile(w.path(earlierReports, id+".json")); err == nil {
			if last, err := report.Decode(data); err == nil && last.Exercise == id {
				e.Last = last
			}
		}
		all = append(all, e)
	}
	if _, err := w.store.Import(ctx, w.Dir, all); err != nil {
		return fmt.Errorf("move the progress kept in %s to the store: %w", w.path(), err)
	}
	return w.setEarlierAside()
}

// earlierIDs returns the exercises of which an earlier cairn kept something.
func (w *Workspace) earlierIDs() ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	for _, dir := range []string{earlierRecords, earlierReports, earlierHints} {
		entries, err := os.ReadDir(w.path(dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read what an earlier cairn kept: %w", err)
		}
		for _, entry := range entries {
			id, isJSON := strings.CutSuffix(entry.Name(), ".json")
			if isJSON && !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

func (w *Workspace) readEarlier(v any, dir, id string) bool {
	data, err := os.ReadFile(w.path(dir, id+".json"))
	return err == nil && json.Unmarshal(data, v) == nil
}

func (w *Workspace) setEarlierAside() error {
	if err := os.MkdirAll(w.path(importedDir), 0o755); err != nil {
		return fmt.Errorf("set aside what was imported: %w", err)
	}
	for _, dir := range []string{earlierRecords, earlierReports, earlierHints} {
		err := os.Rename(w.path(dir), filepath.Join(w.path(importedDir), dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set aside what was imported: %w", err)
		}
	}
	return nil
}
