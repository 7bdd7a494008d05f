package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
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
	known := a.known(ctx)
	if asJSON {
		return a.listJSON(w, known)
	}
	l := lookOf(a.out)
	state := func(s *road.Stone) workspace.State { return w.State(s, known) }
	route := a.road.Route(a.preferred().Path)
	var text strings.Builder
	if route.Path != nil && route.Path.Own {
		text.WriteString(l.ahead(route, state))
	}
	for _, section := range route.Sections() {
		text.WriteString(l.section(section, state, text.Len() > 0))
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

// ahead is the head of a list along an own path: how much of it is done, and what is
// next by when.
func (l look) ahead(route *road.Route, state func(*road.Stone) workspace.State) string {
	done := func(s *road.Stone) bool { return state(s).Done() }
	n, written := road.Section{Rows: route.Stones}.Count(done)
	text := l.style("1", route.Path.Title) + fmt.Sprintf("  %d of %d done\n", n, written)
	next := route.Next(
		func(s *road.Stone) bool { return state(s) == workspace.Started || state(s) == workspace.Failed },
		func(s *road.Stone) bool { return state(s) == workspace.Open })
	if next == nil {
		return text
	}
	text += "Next: " + next.Lesson.Stone + " " + next.Lesson.Title
	if stage, ok := route.StageOf(next); ok && !stage.Stage.By.IsZero() {
		text += ", " + road.Due(stage.Stage.By, time.Now())
	}
	return text + "\n"
}

// section is a title, for a stage with how it stands, and a line for each stone; gap
// puts a blank line before it.
func (l look) section(x road.Section, state func(*road.Stone) workspace.State, gap bool) string {
	var text strings.Builder
	if x.Title != "" {
		if gap {
			text.WriteByte('\n')
		}
		text.WriteString(l.style("1", x.Title))
		standing := x.Standing(func(s *road.Stone) bool { return state(s).Done() }, time.Now())
		if x.Stage != nil {
			for _, said := range []string{road.By(x.Stage.By), standing} {
				if said != "" {
					text.WriteString(l.style("2", " "+theme.Dot+" "+said))
				}
			}
		}
		text.WriteByte('\n')
	}
	for _, s := range x.Rows {
		text.WriteString(l.stone(s, state(s)) + "\n")
	}
	return text.String()
}

func (a *app) listJSON(w *workspace.Workspace, known workspace.Known) error {
	all := []stoneJSON{}
	for _, s := range a.road.Stones() {
		j := stoneJSON{
			Stone: s.Lesson.Stone, Lesson: s.Lesson.ID, Title: s.Lesson.Title, Track: s.Lesson.Track.ID,
			Minutes: s.Minutes(), Written: s.Lesson.Written, State: w.State(s, known),
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
	workspace.Read:      {theme.Done, "32"},
}

// stone is one line of the list.
func (l look) stone(s *road.Stone, state workspace.State) string {
	sign := signs[state]
	if state == workspace.Unwritten {
		return l.style(sign.color, fmt.Sprintf("  %s %-4s %s", sign.sign, s.Lesson.Stone, s.Lesson.Title))
	}
	if s.Lesson.Page && !s.Lesson.Own && state == workspace.Open {
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
