package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/internal/ownpath"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

func newPathShow(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show [NAME]", Short: "Show the stages of a path and what of them is done", Args: atMost(1),
		Long: `Show prints the stages of a path, by when each should be done, and what is. Without
a name it is the path that you walk.`,
		Example:           "  cairn path show\n  cairn path show payments",
		ValidArgsFunction: a.completePaths(func(*lessons.Path) bool { return true }),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.open(); err != nil {
				return err
			}
			id := a.preferred().Path
			if len(args) == 1 {
				if id = strings.ToLower(args[0]); a.course.Path(id) == nil {
					return hinted(exitUsage, fmt.Errorf("there is no path %q; the nearest is %s", id, nearest.Name(id, a.pathIDs())), "cairn path lists them.")
				}
			}
			return a.showPath(cmd.Context(), a.road.Route(id), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func (a *app) showPath(ctx context.Context, route *road.Route, asJSON bool) error {
	if route.Path == nil {
		return errors.New("this course has no paths")
	}
	w, err := a.workspace()
	var none *workspace.NoneError
	if err != nil && !errors.As(err, &none) {
		return err
	}
	known := a.known(ctx)
	if asJSON {
		return a.printJSON(walkOf(route, known, time.Now()))
	}
	l := lookOf(a.out)
	state := func(s *road.Stone) workspace.State { return w.State(s, known) }
	var text strings.Builder
	text.WriteString(l.style("1", route.Path.Title) + "\n" + l.wrap(route.Path.Summary, 0) + "\n")
	for _, section := range route.Stages() {
		text.WriteString(l.section(section, state, true))
	}
	if p, err := ownpath.Load(ownpath.Dir(), route.Path.ID); route.Path.Own && err == nil && p != nil {
		fmt.Fprintf(&text, "\n%s\n", l.style("2", l.wrap(fmt.Sprintf("Day 1 is %s. Taken from %s", p.Day1().Format("Mon 2 Jan 2006"), safe.Line(p.From)), 0)))
	}
	_, err = io.WriteString(a.out, l.plain(text.String()))
	return err
}

// walkJSON is a path and what of it is done, in cairn path show --json and in cairn
// report --json. Fields are added, never changed.
type walkJSON struct {
	ID      string      `json:"id"`
	Title   string      `json:"title"`
	Own     bool        `json:"own"` // not of the course: cairn path use took it
	Written int         `json:"written"`
	Done    int         `json:"done"` // of what is written
	Stages  []stageJSON `json:"stages"`
}

// stageJSON is one stage of a path.
type stageJSON struct {
	Title   string     `json:"title"`
	By      string     `json:"by"` // the day by which it should be done, "2026-12-15"; "" when no matter
	Written int        `json:"written"`
	Done    int        `json:"done"`
	DoneAt  string     `json:"done_at"` // RFC 3339, UTC, of the last of it; "" while something is open
	Late    bool       `json:"late"`    // the day went by before it was done
	Steps   []stepJSON `json:"steps"`
}

// stepJSON is a stone, or a page, on a path.
type stepJSON struct {
	Stone    string `json:"stone"` // "S4"; of an own page "P1", by its place on the path
	Lesson   string `json:"lesson"`
	Exercise string `json:"exercise"` // "" when there is none: it is done when it was read
	Title    string `json:"title"`
	Written  bool   `json:"written"`
	DoneAt   string `json:"done_at"` // RFC 3339, UTC; "" when it is not done
}

// walkOf tells what of a path is done, seen from now.
func walkOf(route *road.Route, known workspace.Known, now time.Time) walkJSON {
	walk := walkJSON{ID: route.Path.ID, Title: route.Path.Title, Own: route.Path.Own, Stages: []stageJSON{}}
	for _, section := range route.Stages() {
		stage := stageJSON{Title: section.Title, Steps: []stepJSON{}}
		var last time.Time
		for _, s := range section.Rows {
			step := stepJSON{Stone: s.Lesson.Stone, Lesson: s.Lesson.ID, Title: s.Lesson.Title, Written: s.Lesson.Written}
			at := known.Read[s.Lesson.ID]
			if s.Exercise != nil {
				step.Exercise, at = s.Exercise.ID, known.Records[s.Exercise.ID].PassedAt
			}
			if step.Written {
				stage.Written++
			}
			if step.Written && !at.IsZero() {
				stage.Done++
				step.DoneAt = stamp(at)
				if at.After(last) {
					last = at
				}
			}
			stage.Steps = append(stage.Steps, step)
		}
		stage.close(section.Stage.By, last, now)
		walk.Written += stage.Written
		walk.Done += stage.Done
		walk.Stages = append(walk.Stages, stage)
	}
	return walk
}

// close says when the stage was done, if it is, and whether that was in time.
func (s *stageJSON) close(by, last, now time.Time) {
	whole := s.Written > 0 && s.Done == s.Written
	if whole {
		s.DoneAt = stamp(last)
	}
	if by.IsZero() {
		return
	}
	s.By = by.Format(time.DateOnly)
	if s.Written == 0 {
		return // nobody can be late with what is not there
	}
	until := now
	if whole {
		until = last.Local()
	}
	s.Late = road.Day(until).After(by)
}

// lines sums up the stages for people.
func (w walkJSON) lines(l look) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s  %d of %d done\n", l.style("1", w.Title), w.Done, w.Written)
	for _, s := range w.Stages {
		line := fmt.Sprintf("  %d of %d  %s", s.Done, s.Written, s.Title)
		if by, err := time.Parse(time.DateOnly, s.By); err == nil {
			line += ", " + road.By(by)
		}
		if at, err := time.Parse(time.RFC3339, s.DoneAt); err == nil {
			line += ", done " + at.Local().Format("Mon 2 Jan")
		}
		if s.Late {
			line += ", late"
		}
		text.WriteString(l.wrap(line, 10) + "\n")
	}
	return text.String()
}
