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
)

func newReport(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "report", Short: "Say what you passed and when, for a teacher or a lead", GroupID: groupLearn, Args: atMost(0),
		Long: `Report says what was passed when, at which version of the exercise and with
which code, and how far the stages of the path are. It only prints: nothing leaves
this machine by itself.`,
		Example:           "  cairn report\n  cairn report --json > report.json",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.report(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// passesJSON is cairn report --json. Fields are added, never changed.
type passesJSON struct {
	Version int        `json:"version"`
	Cairn   string     `json:"cairn"` // that wrote the report
	Passed  []passJSON `json:"passed"`
	Path    *walkJSON  `json:"path,omitempty"` // the path that is walked
}

// passJSON is one exercise that was passed, as of the first time.
type passJSON struct {
	Stone    string `json:"stone"`
	Lesson   string `json:"lesson"`
	Exercise string `json:"exercise"`
	Title    string `json:"title"`
	PassedAt string `json:"passed_at"` // RFC 3339, UTC
	Attempts int    `json:"attempts"`  // that counted, to this day
	Hints    int    `json:"hints"`     // shown, to this day
	GaveUp   bool   `json:"gave_up"`   // looked at the solutions before the pass

	// These are "" and 0 where an earlier cairn kept only that it was passed.
	Content string `json:"content"` // version of the exercise, a hash
	Current bool   `json:"current"` // that is still its version
	Code    string `json:"code"`    // SHA-256 of what was graded
	Seed    uint64 `json:"seed"`
	Cairn   string `json:"cairn"` // that graded
	Attempt int64  `json:"attempt"`
}

func (a *app) report(ctx context.Context, asJSON bool) error {
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
	passed, err := passes(ctx, a.road, store)
	if err != nil {
		return err
	}
	known, err := knownOf(ctx, store)
	if err != nil {
		return err
	}
	route := a.road.Route(a.preferred().Path)
	if asJSON {
		all := passesJSON{Version: 1, Cairn: version(), Passed: passed}
		if route.Path != nil {
			walk := walkOf(route, known, time.Now())
			all.Path = &walk
		}
		return a.printJSON(all)
	}
	l := lookOf(a.out)
	var text strings.Builder
	if len(passed) == 0 {
		text.WriteString("Nothing is passed yet.\n")
	}
	for _, p := range passed {
		text.WriteString(p.line() + "\n")
	}
	if route.Path != nil && route.Path.Own {
		text.WriteString("\n" + walkOf(route, known, time.Now()).lines(l))
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

// passes lists what was passed, in the order of the road.
func passes(ctx context.Context, r *road.Road, store progress.Store) ([]passJSON, error) {
	records, err1 := store.Records(ctx)
	first, err2 := store.FirstPass(ctx)
	hints, err3 := store.Hints(ctx)
	gaveUp, err4 := store.GaveUp(ctx)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	passed := []passJSON{}
	for _, s := range r.Stones() {
		if s.Exercise == nil || !records[s.Exercise.ID].Done() {
			continue
		}
		e, rec := s.Exercise, records[s.Exercise.ID]
		p := passJSON{
			Stone: s.Name(), Lesson: s.Lesson.ID, Exercise: e.ID, Title: e.Title,
			PassedAt: stamp(rec.PassedAt), Attempts: rec.Attempts, Hints: hints[e.ID],
		}
		at, given := gaveUp[e.ID]
		p.GaveUp = given && at.Before(rec.PassedAt)
		if a, ok := first[e.ID]; ok && !a.Started.After(rec.PassedAt) {
			p.Content, p.Code, p.Seed, p.Cairn, p.Attempt = a.Content, a.Code, a.Seed, a.Cairn, a.ID
			p.Current = a.Content == e.Content
		}
		passed = append(passed, p)
	}
	return passed, nil
}

// line is one line of the list. Twelve digits of a hash are enough to compare
// by eye.
func (p passJSON) line() string {
	at, _ := time.Parse(time.RFC3339, p.PassedAt)
	line := fmt.Sprintf("%-4s %-16s %s  %d attempts", p.Stone, p.Exercise, at.Local().Format("2006-01-02 15:04"), p.Attempts)
	if p.Attempts == 1 {
		line = strings.TrimSuffix(line, "s")
	}
	if p.Code != "" {
		line += "  code " + p.Code[:min(12, len(p.Code))]
	}
	if p.GaveUp {
		line += "  after a look at the solution"
	}
	return line
}
