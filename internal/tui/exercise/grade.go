package exercise

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/feed"
	"github.com/cairn-learn/cairn/internal/tui/nav"
)

// run is a grade under way.
type run struct {
	cancel   context.CancelFunc
	feed     *feed.Feed[grader.Event]
	stopping bool
	phase    report.PhaseName
	phases   []report.Phase
	what     string // progress: "pulling postgres 40%"

	complaints []report.Diagnostic // about the files, before there is a report
}

// eventsMsg brings what happened in a run since the last one.
type eventsMsg struct {
	to
	run    *run
	events []grader.Event
	more   bool
}

// gradedMsg is the end of a run.
type gradedMsg struct {
	to
	run    *run
	report grader.Report
	err    error
	kept   error // why the report could not be kept
}

// grade starts a run. One that is under way gives way to it.
func (s *Screen) grade() tea.Cmd {
	if s.Workspace == nil {
		return nav.Go(nav.NeedWorkspace{})
	}
	if s.run != nil {
		s.run.cancel()
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.run = &run{cancel: cancel, feed: feed.New[grader.Event]()}
	s.forgetChecks()
	s.report, s.page, s.taskAlone, s.asking = nil, evidencePage, false, false
	s.row, s.follow, s.focus = 0, true, checksPane
	s.evidence.ScrollTo(0)
	return tea.Batch(s.gradeCmd(ctx, s.run), s.listen(s.run))
}

func (s *Screen) gradeCmd(ctx context.Context, r *run) tea.Cmd {
	g, ws, e := s.Grader, s.Workspace, s.Stone.Exercise
	return func() (msg tea.Msg) {
		result := gradedMsg{to: to{s}, run: r}
		defer r.feed.Finish()
		defer func() {
			if v := recover(); v != nil {
				result.err = fmt.Errorf("cairn's own fault while grading: %v", v)
				msg = result
			}
		}()
		submission := grader.Submission{Exercise: e.Spec(), Dir: ws.ExerciseDir(e.ID), KeepWorld: true}
		result.report, result.err = g.Grade(ctx, submission, r.feed.Push)
		if result.err == nil && (ctx.Err() == nil || result.report.Verdict != report.Ungraded) {
			result.kept = ws.SaveReport(&result.report)
		}
		// The roadmap hears of it also when this screen has been left.
		return tea.BatchMsg{nav.Go(result), nav.Go(nav.StateChanged{})}
	}
}

func (s *Screen) listen(r *run) tea.Cmd {
	return func() tea.Msg {
		events, more := r.feed.Next()
		return eventsMsg{to: to{s}, run: r, events: events, more: more}
	}
}

// took shows what happened; events of an older run are dropped.
func (s *Screen) took(msg eventsMsg) tea.Cmd {
	if s.run == nil || msg.run != s.run {
		return nil
	}
	for _, e := range msg.events {
		s.event(e)
	}
	if !msg.more {
		return nil
	}
	return s.listen(s.run)
}

func (s *Screen) event(e grader.Event) {
	switch e.Kind {
	case grader.PhaseStarted:
		s.run.phase, s.run.what = e.Phase, ""
	case grader.PhaseEnded:
		s.run.phases = append(s.run.phases, report.Phase{Name: e.Phase, Duration: e.Took})
		s.run.what = ""
	case grader.Complained:
		s.run.complaints = e.Diagnostics
	case grader.Progress:
		s.run.what = progress(e)
	case grader.Repeated:
		s.forgetChecks()
		s.run.phases, s.run.complaints, s.run.what = nil, nil, e.What+"; once more"
	case grader.CheckListed:
		s.put(e.Check)
	case grader.CheckStarted:
		s.running[e.Check.ID] = true
	case grader.CheckEnded:
		delete(s.running, e.Check.ID)
		s.put(e.Check)
		if s.follow {
			s.chooseFailed()
		}
	}
}

func progress(e grader.Event) string {
	if e.Total > 0 {
		return fmt.Sprintf("%s %d%%", e.What, 100*e.Done/e.Total)
	}
	return e.What
}

// forgetChecks makes every check one that has not run.
func (s *Screen) forgetChecks() {
	for i, c := range s.checks {
		s.checks[i] = report.Check{ID: c.ID, Title: c.Title}
	}
	clear(s.running)
}

// put replaces the check of that id, or adds it.
func (s *Screen) put(c report.Check) {
	for i := range s.checks {
		if s.checks[i].ID == c.ID {
			s.checks[i] = c
			return
		}
	}
	s.checks = append(s.checks, c)
}

func (s *Screen) graded(msg gradedMsg) tea.Cmd {
	if s.run == nil || msg.run != s.run {
		return nil
	}
	stopped := s.run.stopping
	s.run.cancel()
	s.run = nil
	clear(s.running)
	switch {
	case stopped:
		return tea.Batch(nav.Go(nav.Notice{Text: "Stopped. Nothing was counted."}), s.load())
	case msg.err != nil:
		return tea.Batch(nav.Fail(msg.err), s.load())
	}
	s.take(&msg.report)
	if msg.kept != nil {
		return nav.Fail(fmt.Errorf("graded, but the report could not be kept: %w", msg.kept))
	}
	return nil
}

// stop cancels the run and tells whether there was one.
func (s *Screen) stop() bool {
	if s.run == nil {
		return false
	}
	s.run.stopping = true
	s.run.cancel()
	return true
}

// phaseTimes says how long the phases took that a learner may care about.
func phaseTimes(phases []report.Phase) string {
	names := map[report.PhaseName]string{report.PhaseBuild: "build", report.PhaseApply: "apply", report.PhaseParse: "read", report.PhaseExamine: "exam"}
	out := ""
	for _, p := range phases {
		name, ok := names[p.Name]
		if !ok {
			continue
		}
		if out != "" {
			out += " · "
		}
		out += name + " " + short(p.Duration)
	}
	return out
}

func short(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
