package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// step is one thing to do after a grade.
type step struct{ command, why string }

// indent is the room of the word before the first step.
const indent = "      "

// writeNext says what to do after a grade. An ungraded one has said it already.
func (a *app) writeNext(ctx context.Context, w io.Writer, job assignment, rep report.Report, o gradeOptions) error {
	steps := a.nextSteps(ctx, job, rep, o)
	if len(steps) == 0 {
		return nil
	}
	l := lookOf(a.out)
	command, why := 0, 0
	for _, s := range steps {
		command, why = max(command, len(s.command)), max(why, len(s.why))
	}
	beside := len(indent)+command+2+why <= l.Width
	var b strings.Builder
	lead := "\n" + l.style("1", "Next") + "  "
	for _, s := range steps {
		reason := l.style("2", l.plain(s.why))
		if beside {
			fmt.Fprintf(&b, "%s%-*s  %s\n", lead, command, s.command, reason)
		} else {
			fmt.Fprintf(&b, "%s%s\n%s  %s\n", lead, s.command, indent, reason)
		}
		lead = indent
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *app) nextSteps(ctx context.Context, job assignment, rep report.Report, o gradeOptions) []step {
	id := job.stone.Exercise.ID
	again := "cairn grade " + id
	if o.dir != "" {
		again += " --dir " + shellquote.Join(o.dir)
	}
	switch rep.Verdict {
	case report.Passed:
		return a.stepsOn(ctx, job)
	case report.Ungraded:
		return nil
	case report.Broken:
		return []step{{again, "when that is put right"}}
	}
	steps := []step{{again, "when you have changed " + filepath.FromSlash(job.stone.Exercise.Edit[0])}}
	if failed := rep.FirstFailed(); failed != nil && failed.Feedback != nil && failed.Feedback.Read != "" {
		lesson, _, _ := strings.Cut(failed.Feedback.Read, "#")
		steps = append(steps, step{"cairn read " + lesson, "the lesson behind it"})
	}
	why := "a hint, where you are stuck"
	if job.home != nil && job.home.HintsSeen(id) > 0 {
		why = "the next hint"
	}
	return append(steps, step{"cairn hint " + id, why})
}

// stepsOn leads on after a pass: to other solutions, and to the next stone that is
// written and not passed.
func (a *app) stepsOn(ctx context.Context, job assignment) []step {
	steps := []step{{"cairn diff " + job.stone.Exercise.ID, "your files beside other solutions"}}
	if next := a.nextStone(ctx, job); next != nil {
		steps = append(steps, step{"cairn read " + next.Lesson.ID, a.whatNext(next)})
	}
	return steps
}

// whatNext says what there is to read, and on an own path by when.
func (a *app) whatNext(next *road.Stone) string {
	said := "the next lesson, " + next.Lesson.Stone
	if next.Lesson.Page {
		said = "the next page, " + next.Lesson.Title
	}
	route := a.road.Route(a.walkedPath())
	if stage, ok := route.StageOf(next); ok && route.Path.Own && !stage.Stage.By.IsZero() {
		said += ", " + road.Due(stage.Stage.By, time.Now())
	}
	return said
}

// nextStone is the next that is written and not done: on the path after this one,
// else before it, else beside the path.
func (a *app) nextStone(ctx context.Context, job assignment) *road.Stone {
	route := a.road.Route(a.walkedPath())
	at := slices.Index(route.Stones, job.stone)
	ahead := slices.Concat(route.Stones[at+1:], route.Stones[:max(at, 0)], route.Others)
	var known workspace.Known
	if job.home != nil {
		known = a.known(ctx)
	}
	for _, s := range ahead {
		if s != job.stone && s.Lesson.Written && !job.home.State(s, known).Done() {
			return s
		}
	}
	return nil
}
