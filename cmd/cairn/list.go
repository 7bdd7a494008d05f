package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

func newList(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the whole road and how far you are", GroupID: groupLearn, Args: atMost(0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array with one object per stone")
	return cmd
}

// stoneJSON is one stone in cairn list --json. Fields are added, never changed.
type stoneJSON struct {
	Stone    string          `json:"stone"`
	Lesson   string          `json:"lesson"`
	Exercise string          `json:"exercise"` // "" when there is none yet
	Title    string          `json:"title"`
	Track    string          `json:"track"`
	Minutes  int             `json:"minutes"`
	Written  bool            `json:"written"`
	State    workspace.State `json:"state"`
}

func (a *app) list(ctx context.Context, asJSON bool) error {
	if err := a.open(); err != nil {
		return err
	}
	w, err := a.workspace()
	var none *workspace.NoneError
	if err != nil && !errors.As(err, &none) {
		return err
	}
	records := a.records(ctx)
	if asJSON {
		return a.listJSON(w, records)
	}
	l := lookOf(a.out)
	var text strings.Builder
	var track *lessons.Track
	for _, s := range a.road.Rows() {
		if s.Lesson.Track != track {
			if text.Len() > 0 {
				text.WriteByte('\n')
			}
			track = s.Lesson.Track
			text.WriteString(l.style("1", track.Title) + "\n")
		}
		text.WriteString(l.stone(s, w.State(s, records)) + "\n")
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

func (a *app) listJSON(w *workspace.Workspace, records map[string]progress.Record) error {
	all := []stoneJSON{}
	for _, s := range a.road.Stones() {
		j := stoneJSON{
			Stone: s.Lesson.Stone, Lesson: s.Lesson.ID, Title: s.Lesson.Title, Track: s.Lesson.Track.ID,
			Minutes: s.Minutes(), Written: s.Lesson.Written, State: w.State(s, records),
		}
		if s.Exercise != nil {
			j.Exercise = s.Exercise.ID
		}
		all = append(all, j)
	}
	return a.printJSON(all)
}

func (a *app) printJSON(v any) error {
	out := json.NewEncoder(a.out)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

// signs of the states: shape before colour.
var signs = map[workspace.State]struct{ sign, color string }{
	workspace.Unwritten: {theme.Unwritten, "2"},
	workspace.Open:      {theme.Open, ""},
	workspace.Started:   {theme.Started, "33"},
	workspace.Failed:    {theme.Failing, "31"},
	workspace.Passed:    {theme.Done, "32"},
}

// stone is one line of the list.
func (l look) stone(s *road.Stone, state workspace.State) string {
	sign := signs[state]
	if state == workspace.Unwritten {
		return l.style(sign.color, fmt.Sprintf("  %s %-4s %s", sign.sign, s.Lesson.Stone, s.Lesson.Title))
	}
	if s.Lesson.Page {
		sign.sign, sign.color = theme.Arrow, "2"
	}
	line := fmt.Sprintf("  %s %-4s %s", l.style(orPlain(sign.color), sign.sign), s.Lesson.Stone, s.Lesson.Title)
	note := string(state)
	if state == workspace.Open {
		note = fmt.Sprintf("%d min", s.Minutes())
	}
	return line + l.style("2", "  "+note)
}

func orPlain(color string) string {
	if color == "" {
		return "0"
	}
	return color
}
