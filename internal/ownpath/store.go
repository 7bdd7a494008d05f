package ownpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"

	"github.com/cairn-learn/cairn/internal/atomicfile"
)

// Dir is where paths are kept, "" where nothing says where home is.
func Dir() string {
	if os.Getenv("HOME") == "" && os.Getenv("XDG_DATA_HOME") == "" {
		return ""
	}
	return filepath.Join(xdg.DataHome, "cairn", "paths")
}

const ext = ".json"

// ErrNewer is wrapped by the error about a path that this cairn must not touch.
var ErrNewer = errors.New("was kept by a newer cairn")

// Keep keeps a path with its pages in one file, so that at every moment it is there
// whole, the old or the new.
func Keep(dir string, p *Path) error {
	if dir == "" {
		return errors.New("keep the path: HOME is not set, so there is no place for it")
	}
	data, err := json.Marshal(p)
	if err == nil {
		err = atomicfile.Write(filepath.Join(dir, p.ID+ext), data)
	}
	if err != nil {
		return fmt.Errorf("keep the path: %w", err)
	}
	return nil
}

// Load returns the path that is kept under an id; nil where there is none.
func Load(dir, id string) (*Path, error) {
	if dir == "" {
		return nil, nil
	}
	name := filepath.Join(dir, id+ext)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("your path %s can't be read: %w", id, err)
	}
	return decode(name, id, data)
}

func decode(name, id string, data []byte) (*Path, error) {
	p := &Path{}
	err := json.Unmarshal(data, p)
	switch {
	case err == nil && p.Version > Version:
		return nil, fmt.Errorf("your path %s (version %d, this one knows %d) %w and is left alone: upgrade cairn", id, p.Version, Version, ErrNewer)
	case err != nil, p.ID != id, p.Title == "", len(p.Stages) == 0:
		return nil, fmt.Errorf("your path %s is damaged (%s); cairn path use takes it anew", id, name)
	}
	for i := range p.Stages {
		p.Stages[i].Title = cleanLine(p.Stages[i].Title)
	}
	for i := range p.Pages {
		p.Pages[i].Title, p.Pages[i].Text = cleanLine(p.Pages[i].Title), clean(p.Pages[i].Text)
	}
	p.Title, p.Summary = cleanLine(p.Title), cleanLine(p.Summary)
	return p, nil
}

// All returns the paths that are kept, by id. Those that can't be read are left
// out, each with an error that says so.
func All(dir string) ([]*Path, []error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || len(entries) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, []error{fmt.Errorf("your paths can't be read: %w", err)}
	}
	var paths []*Path
	var faults []error
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ext)
		if !ok || !idForm.MatchString(id) {
			continue // not cairn's
		}
		p, err := Load(dir, id)
		switch {
		case err != nil:
			faults = append(faults, err)
		case p != nil:
			paths = append(paths, p)
		}
	}
	return paths, faults
}

// Has tells whether something is kept under an id, be it damaged.
func Has(dir, id string) bool {
	if dir == "" || !idForm.MatchString(id) {
		return false
	}
	_, err := os.Lstat(filepath.Join(dir, id+ext))
	return err == nil
}

// Remove forgets a path. That there is none is no error.
func Remove(dir, id string) error {
	if !Has(dir, id) {
		return nil
	}
	if err := os.Remove(filepath.Join(dir, id+ext)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the path: %w", err)
	}
	return nil
}

// Change is what an update of a path brings.
type Change struct {
	More, Gone []string // steps, by their ids
	Rewritten  []string // pages with another text
}

// Compare tells what a path has that an older one had not, and the other way round.
func Compare(old, now *Path) Change {
	before, after := old.steps(), now.steps()
	var c Change
	for _, id := range after {
		if !slices.Contains(before, id) {
			c.More = append(c.More, id)
		}
	}
	for _, id := range before {
		if !slices.Contains(after, id) {
			c.Gone = append(c.Gone, id)
		}
	}
	for _, p := range now.Pages {
		for _, q := range old.Pages {
			if p.ID == q.ID && p.Text != q.Text {
				c.Rewritten = append(c.Rewritten, p.ID)
			}
		}
	}
	return c
}

// Same tells whether two paths say the same, wherever they were taken from.
func Same(a, b *Path) bool {
	x, y := *a, *b
	x.From, y.From = "", ""
	first, err1 := json.Marshal(x)
	second, err2 := json.Marshal(y)
	return err1 == nil && err2 == nil && string(first) == string(second)
}

func (p *Path) steps() []string {
	var all []string
	for _, s := range p.Stages {
		all = append(all, s.Steps...)
	}
	return all
}
