// Package watch tells when the files of a folder were saved. Folders are watched
// rather than files, because editors put a new file in the place of the old one;
// and content decides, so that touching a file or saving it unchanged is nothing.
package watch

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Options say how to watch. The zero value is what is wanted nearly always.
type Options struct {
	Poll  bool          // look from time to time instead of waiting for events
	Quiet time.Duration // how long nothing may happen before it counts; 60 ms
	Every time.Duration // between two looks; 250 ms with Poll, otherwise 2 s
}

// longest is how long a storm of events may put off a look.
const longest = time.Second

// Watcher watches one folder.
type Watcher struct {
	// C gets the new fingerprint after a change. It holds one: whoever is busy
	// finds the newest. It is closed when watching ends.
	C <-chan string

	// Polling says why there are no events; nil when there are.
	Polling error

	c           chan string
	dir         string
	fingerprint func() string
	last        string
	options     Options
	events      *fsnotify.Watcher // nil when polling
}

// Folder watches a folder and those in it until ctx ends. The fingerprint sums up
// what counts in it; it is called from one goroutine. The folder may vanish and
// come back. Where the system tells no events, as on some network drives,
// changes are found by looking.
func Folder(ctx context.Context, dir string, fingerprint func() string, o Options) *Watcher {
	w := &Watcher{c: make(chan string, 1), dir: filepath.Clean(dir), fingerprint: fingerprint, options: o}
	w.C = w.c
	if !o.Poll {
		w.events, w.Polling = fsnotify.NewWatcher()
	}
	if w.events != nil {
		w.follow() // before the first look, so that nothing falls in between
	}
	w.last = fingerprint()
	w.options = o.withDefaults(w.events == nil)
	go w.run(ctx)
	return w
}

func (o Options) withDefaults(polling bool) Options {
	if o.Quiet == 0 {
		o.Quiet = 60 * time.Millisecond
	}
	if o.Every == 0 && polling {
		o.Every = 250 * time.Millisecond
	}
	if o.Every == 0 {
		o.Every = 2 * time.Second
	}
	return o
}

func (w *Watcher) run(ctx context.Context) {
	defer close(w.c)
	var events <-chan fsnotify.Event
	var faults <-chan error
	if w.events != nil {
		defer w.events.Close()
		events, faults = w.events.Events, w.events.Errors
	}
	look := time.NewTicker(w.options.Every)
	defer look.Stop()
	quiet := time.NewTimer(w.options.Quiet)
	quiet.Stop()
	var since time.Time // the first event that was not looked into; zero when there is none
	stir := func() {
		if since.IsZero() {
			since = time.Now()
		}
		quiet.Reset(max(0, min(w.options.Quiet, longest-time.Since(since))))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-events:
			if !open {
				events = nil
			} else if w.matters(e) {
				stir()
			}
		case <-faults: // events were lost: look
			stir()
		case <-look.C:
			if since.IsZero() && w.fingerprint() != w.last {
				stir() // it may be half written
			}
		case <-quiet.C:
			since = time.Time{}
			w.settle()
		}
	}
}

// settle looks at what there is after the dust has settled.
func (w *Watcher) settle() {
	if w.events != nil {
		w.follow()
	}
	now := w.fingerprint()
	if now == w.last {
		return
	}
	w.last = now
	select {
	case <-w.c: // nobody took the one before
	default:
	}
	w.c <- now
}

// matters tells whether an event can have changed what counts.
func (w *Watcher) matters(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	if name := filepath.Clean(e.Name); filepath.Dir(name) == filepath.Dir(w.dir) {
		return name == w.dir // the folder itself came or went; its siblings are others' business
	}
	return !hidden(filepath.Base(e.Name))
}

// follow watches the folder, those below it, and the one that it is in, where
// it may be replaced. A folder that can't be watched is looked at now and then.
func (w *Watcher) follow() {
	for _, watched := range w.events.WatchList() {
		if _, err := os.Lstat(watched); err != nil {
			_ = w.events.Remove(watched)
		}
	}
	_ = w.events.Add(filepath.Dir(w.dir))
	_ = filepath.WalkDir(w.dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil
		case name != w.dir && d.Name() != ".github" && (hidden(d.Name()) || d.Name() == "node_modules"):
			return fs.SkipDir
		}
		_ = w.events.Add(name)
		return nil
	})
}

// hidden is what Go and editors keep for themselves.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}
