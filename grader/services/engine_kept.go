package services

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
)

// What builds leave is kept for the next build: at most so many of the newest, for so long. Each is
// an image without a name, which stands in the state folder with the time of its last use.
const (
	keptBuildsAtMost = 12
	keptBuildsFor    = 24 * time.Hour
)

func (s state) builds() string { return filepath.Join(s.dir, "builds") }

// building is held while something is built, so that nobody takes for rubbish what is just coming
// into being.
func (s state) building(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(s.builds(), 0o700); err != nil {
		return nil, unavailable(err, "make it writable", "the folder %s cannot be written", s.builds())
	}
	l := flock.New(filepath.Join(s.dir, "builds.lock"))
	if ok, err := l.TryRLockContext(ctx, 10*time.Millisecond); err != nil || !ok {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, unavailable(err, "check the folder's permissions", "the lock %s cannot be taken", l.Path())
	}
	return func() { _ = l.Close() }, nil
}

// keepBuilds notes that images were of use.
func (s state) keepBuilds(ids []string) {
	now := time.Now()
	for _, id := range ids {
		file := filepath.Join(s.builds(), short(id))
		if os.Chtimes(file, now, now) != nil {
			_ = os.WriteFile(file, nil, 0o600) // without it the next build takes longer
		}
	}
}

// short is an image's id as builders tell it.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}

// keptBuilds returns the images that are kept, and forgets the others.
func (s state) keptBuilds(most int) map[string]bool {
	entries, _ := os.ReadDir(s.builds())
	type note struct {
		id   string
		used time.Time
	}
	var notes []note
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			notes = append(notes, note{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(notes, func(a, b note) int { return cmp.Or(b.used.Compare(a.used), strings.Compare(a.id, b.id)) })
	kept := map[string]bool{}
	for i, n := range notes {
		if i < most && time.Since(n.used) < keptBuildsFor {
			kept[n.id] = true
			continue
		}
		_ = os.Remove(filepath.Join(s.builds(), n.id))
	}
	return kept
}

// pruneBuilds removes what builds have left that is not kept. While something is built it leaves that
// to whoever comes later.
func (e *Engine) pruneBuilds(ctx context.Context) error {
	_, err := e.pruneBuildsTo(ctx, keptBuildsAtMost)
	return err
}

// pruneEngine removes all that grades and builds have left and that serves no running cairn. It
// returns how many images that were.
func pruneEngine(ctx context.Context, cfg Config) (int, error) {
	st := state{cfg.StateDir}
	if _, err := os.Stat(st.builds()); err != nil {
		return 0, nil // nothing was ever built
	}
	ce, err := connectEngine(ctx)
	if err != nil {
		return 0, nil // where there is no engine, there is nothing on it
	}
	defer ce.close()
	owner, err := st.id(ctx)
	if err != nil {
		return 0, err
	}
	e := &Engine{engine: ce, p: &provider{cfg: cfg, state: st}, owner: owner}
	swept := e.sweep(ctx)
	n, err := e.pruneBuildsTo(ctx, 0)
	return n, errors.Join(swept, err)
}

func (e *Engine) pruneBuildsTo(ctx context.Context, most int) (removed int, err error) {
	if _, err := os.Stat(e.p.state.builds()); err != nil {
		return 0, nil // nothing was ever built
	}
	l := flock.New(filepath.Join(e.p.state.dir, "builds.lock"))
	if ok, err := l.TryLock(); err != nil || !ok {
		return 0, err
	}
	defer l.Close()
	kept := e.p.state.keptBuilds(most)
	found, err := e.cli.ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).
		Add("dangling", "true").Add("label", labelBuild+"="+e.owner)})
	if err != nil {
		return 0, e.explain(ctx, err, "listing images")
	}
	var errs []error
	for _, i := range found.Items {
		if _, graded := i.Labels[labelGrade]; graded || kept[short(i.ID)] {
			continue
		}
		_, err := e.cli.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{PruneChildren: true})
		switch {
		case err == nil:
			removed++
		case !isGone(err):
			errs = append(errs, e.explain(ctx, err, "removing an image"))
		}
	}
	return removed, errors.Join(errs...)
}

// messages reads a stream of JSON messages.
func messages(r io.Reader) iter.Seq2[jsonstream.Message, error] {
	return func(yield func(jsonstream.Message, error) bool) {
		d := json.NewDecoder(r)
		for {
			var m jsonstream.Message
			err := d.Decode(&m)
			if err == io.EOF || !yield(m, err) || err != nil {
				return
			}
		}
	}
}
