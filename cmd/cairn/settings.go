package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/internal/settings"
)

// preferences are the learner's settings, read when first asked for. The order
// is: the environment, the settings, cairn's default.
type preferences struct {
	reading sync.Once
	mu      sync.Mutex
	have    settings.Settings
	fault   error // why they can't be read; then cairn goes by its defaults
	told    sync.Once
}

// settings returns the settings, and why they are not those of the file.
func (p *preferences) settings() (settings.Settings, error) {
	p.reading.Do(func() {
		s, err := settings.Load(settings.File())
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		p.have, p.fault = s, err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.have, p.fault
}

// prefer replaces what was read, after it was written.
func (p *preferences) prefer(s settings.Settings) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.have, p.fault = s, nil
}

// preferred are the settings for a command: what is wrong with them is said
// once, and keeps it from nothing.
func (a *app) preferred() settings.Settings {
	s, fault := a.settings()
	if fault == nil {
		fault = a.pathFault(s)
	}
	if fault != nil {
		a.told.Do(func() {
			fmt.Fprintf(a.err, "cairn: %s\n       Until that is corrected cairn goes by its defaults.\n", fault)
		})
	}
	return s
}

// pathFault tells what is wrong with the path of the settings: a course may have
// changed its paths, and an own path may be damaged.
func (a *app) pathFault(s settings.Settings) error {
	if s.Path == "" || a.open() != nil || a.course.Path(s.Path) != nil {
		return nil
	}
	if len(a.left) > 0 {
		return errors.Join(a.left...)
	}
	ids := a.pathIDs()
	return s.Complain("path", "no path %q; the nearest is %s", s.Path, nearest.Name(s.Path, ids))
}

// pathIDs are the names of the paths, once everything has been read.
func (a *app) pathIDs() []string {
	var ids []string
	for _, p := range a.course.Paths {
		ids = append(ids, p.ID)
	}
	return ids
}

// editor finds the learner's editor.
func (a *app) editor() (editor.Editor, error) {
	s, _ := a.settings()
	return editor.Find(s.Editor)
}

// environ is the environment, completed by what the settings say where it says
// nothing.
func (a *app) environ() []string {
	environ := os.Environ()
	s, _ := a.settings()
	if os.Getenv("CAIRN_THEME") == "" && s.Theme != "" {
		environ = append(environ, "CAIRN_THEME="+s.Theme)
	}
	return environ
}

// settingsState is what the doctor hears of the settings.
func (a *app) settingsState() (file string, err error) {
	s, err := a.settings()
	if err == nil {
		err = a.pathFault(s)
	}
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(settings.File()); err != nil {
		return "", nil // none
	}
	return settings.File(), nil
}

// walkedPath is the id of the learner's path, for a command that is about something
// else: what is wrong with the settings is not said there.
func (a *app) walkedPath() string {
	s, _ := a.settings()
	return s.Path
}
