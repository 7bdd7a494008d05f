package workspace

import "fmt"

// hints is what is kept of an exercise's hints.
type hints struct {
	Seen int `json:"seen"` // how many, from the first
}

// HintsSeen returns how many hints of an exercise the learner has seen.
func (w *Workspace) HintsSeen(id string) int {
	var h hints
	_, _ = w.readJSON(&h, "hints", id+".json") // damaged counts as none
	return h.Seen
}

// SawHint remembers that the learner has seen an exercise's hints up to n,
// counted from 1. It never forgets a higher one.
func (w *Workspace) SawHint(id string, n int) error {
	unlock, err := w.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if n <= w.HintsSeen(id) {
		return nil
	}
	if err := w.writeJSON(hints{Seen: n}, "hints", id+".json"); err != nil {
		return fmt.Errorf("remember the hints of %s: %w", id, err)
	}
	return nil
}
