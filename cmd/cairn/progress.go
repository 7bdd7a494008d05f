package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
)

func newProgress(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "progress", Short: "Show how far you are, track by track", GroupID: groupLearn, Args: atMost(0),
		Long: `Progress counts what you read to the end and what is done, of what is written,
your attempts, and the time from one thing that you did to the next; pauses over
half an hour are left out.`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.showProgress(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// progressJSON is cairn progress --json. Fields are added, never changed.
type progressJSON struct {
	Version int         `json:"version"`
	Tracks  []trackJSON `json:"tracks"`
	Total   trackJSON   `json:"total"`
}

// trackJSON sums up one track.
type trackJSON struct {
	Track    string        `json:"track"`
	Title    string        `json:"title"`
	Stones   int           `json:"stones"`
	Written  int           `json:"written"`
	Read     int           `json:"read"` // lessons read to the end
	Done     int           `json:"done"`
	Attempts int           `json:"attempts"`
	Seconds  int64         `json:"seconds"`
	Last     string        `json:"last"` // RFC 3339, UTC; "" when nothing was done yet
	spent    time.Duration // Seconds, exactly
	last     time.Time
}

func (a *app) showProgress(ctx context.Context, asJSON bool) error {
	if err := a.open(); err != nil {
		return err
	}
	if err := a.importHere(); err != nil {
		return err
	}
	store, err := a.remembered(ctx)
	if err != nil {
		return err
	}
	p, err := sumUp(ctx, a.road, store)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(p)
	}
	l := lookOf(a.out)
	var text strings.Builder
	text.WriteString(l.style("1", fmt.Sprintf(progressLine, "Track", "read", "done", "attempts", "time", "last")) + "\n")
	for _, t := range append(p.Tracks, p.Total) {
		text.WriteString(t.line() + "\n")
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

// importHere makes sure that what the workspace of this folder kept is in the
// store. Outside of a workspace there is nothing to do.
func (a *app) importHere() error {
	_, err := a.workspace()
	var none *workspace.NoneError
	if errors.As(err, &none) {
		return nil
	}
	return err
}

// sumUp counts by track, in the order of the road.
func sumUp(ctx context.Context, r *road.Road, store progress.Store) (progressJSON, error) {
	records, err1 := store.Records(ctx)
	read, err2 := store.Read(ctx)
	events, err3 := store.Events(ctx)
	if err := errors.Join(err1, err2, err3); err != nil {
		return progressJSON{}, err
	}
	p := progressJSON{Version: 1, Tracks: []trackJSON{}, Total: trackJSON{Title: "Together"}}
	trackOf := map[string]string{} // by exercise or lesson
	for _, s := range r.Stones() {
		if n := len(p.Tracks); n == 0 || p.Tracks[n-1].Track != s.Lesson.Track.ID {
			p.Tracks = append(p.Tracks, trackJSON{Track: s.Lesson.Track.ID, Title: s.Lesson.Track.Title})
		}
		t := &p.Tracks[len(p.Tracks)-1]
		trackOf[s.Lesson.ID] = t.Track
		t.Stones++
		if s.Lesson.Written {
			t.Written++
		}
		_, wasRead := read[s.Lesson.ID]
		done := wasRead
		if s.Exercise != nil {
			trackOf[s.Exercise.ID] = t.Track
			done = records[s.Exercise.ID].Done()
			t.Attempts += records[s.Exercise.ID].Attempts
		}
		if wasRead && s.Lesson.Written {
			t.Read++
		}
		if done && s.Lesson.Written {
			t.Done++
		}
	}
	key := func(e progress.Event) string { return trackOf[e.Exercise+e.Lesson] }
	spent, last := progress.TimeSpent(events, key), map[string]time.Time{}
	for _, e := range events {
		last[key(e)] = e.At
	}
	for i := range p.Tracks {
		t := &p.Tracks[i]
		t.finish(spent[t.Track], last[t.Track])
		p.Total.add(*t)
	}
	p.Total.finish(p.Total.spent, p.Total.last)
	return p, nil
}

func (t *trackJSON) finish(spent time.Duration, last time.Time) {
	t.spent, t.last, t.Seconds = spent, last, int64(spent.Seconds())
	if !last.IsZero() {
		t.Last = stamp(last)
	}
}

func (t *trackJSON) add(o trackJSON) {
	t.Stones, t.Written, t.Read = t.Stones+o.Stones, t.Written+o.Written, t.Read+o.Read
	t.Done, t.Attempts = t.Done+o.Done, t.Attempts+o.Attempts
	t.spent += o.spent
	if o.last.After(t.last) {
		t.last = o.last
	}
}

// progressLine sets one line of the table, in no more than 80 columns.
const progressLine = "%-28s %8s %8s %9v %8s  %s"

// line is one line of the table; dashes stand for nothing.
func (t trackJSON) line() string {
	read, done, spent, last := "-", "-", "-", "-"
	if t.Written > 0 {
		read = fmt.Sprintf("%d of %d", t.Read, t.Written)
		done = fmt.Sprintf("%d of %d", t.Done, t.Written)
	}
	if minutes := int(t.spent.Round(time.Minute).Minutes()); minutes > 0 {
		spent = fmt.Sprintf("%dh %02dm", minutes/60, minutes%60)
	}
	if !t.last.IsZero() {
		last = t.last.Local().Format("2006-01-02")
	}
	return fmt.Sprintf(progressLine, t.Title, read, done, t.Attempts, spent, last)
}

// stamp is a time in JSON.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
