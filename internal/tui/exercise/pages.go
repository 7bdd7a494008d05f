package exercise

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// evidenceLines are the content of the evidence pane.
func (s *Screen) evidenceLines(width int) []string {
	switch {
	case s.page == logPage:
		return s.logLines(width)
	case s.page == hintPage:
		return s.hintLines()
	case s.chosen() != nil:
		return s.finding(width)
	case s.run != nil:
		return s.runLines(width)
	case s.report != nil:
		return s.resultLines(width)
	default:
		return s.readyLines(width)
	}
}

// readyLines are shown before the first grade.
func (s *Screen) readyLines(width int) []string {
	t := s.Theme
	lines := component.Wrap("Nothing is graded yet. Press e to write your solution in your own editor, g to have it examined.", width)
	lines = append(lines, s.notReady(width)...)
	if s.Workspace != nil {
		lines = append(lines, "", t.Muted.Render("Your files:"))
		for _, name := range s.Stone.Exercise.Edit {
			lines = append(lines, component.Wrap("  "+s.folder()+"/"+name, width)...)
		}
	}
	return lines
}

// folder is where the learner's files are, as people write it.
func (s *Screen) folder() string {
	dir := s.Workspace.ExerciseDir(s.Stone.Exercise.ID)
	home, err := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(dir, home+string(filepath.Separator)); ok && err == nil && home != "" {
		return filepath.Join("~", rest)
	}
	return dir
}

// notReady says what kept the services or the compiler from being warmed up.
func (s *Screen) notReady(width int) []string {
	if s.prepared.err == nil {
		return nil
	}
	lines := []string{""}
	for _, line := range component.Wrap("Not ready: "+s.prepared.err.Error(), width) {
		lines = append(lines, s.Theme.Bad.Render(line))
	}
	return lines
}

// runLines are shown on the result row while a grade runs.
func (s *Screen) runLines(width int) []string {
	t := s.Theme
	var lines []string
	for _, p := range s.run.phases {
		lines = append(lines, t.Good.Render(theme.Pass)+" "+component.Fit(string(p.Name), 10)+t.Muted.Render(short(p.Duration)))
	}
	lines = append(lines, t.Accent.Render(theme.Running)+" "+s.runStatus())
	lines = append(lines, "", t.Muted.Render("esc stops, g begins again"))
	for i := range lines {
		lines[i] = component.Fit(lines[i], width)
	}
	if len(s.run.complaints) > 0 {
		lines = append(lines, "")
		lines = append(lines, component.Diagnostics(t, s.run.complaints, width)...)
	}
	return lines
}

// resultLines say how the whole grade went.
func (s *Screen) resultLines(width int) []string {
	t := s.Theme
	r := s.report
	passed, total := r.Count()
	lines := []string{s.verdict()}
	if total > 0 {
		lines[0] += t.Muted.Render(fmt.Sprintf("   %d of %d checks", passed, total))
	}
	if r.Reason != "" {
		lines = append(lines, "")
		lines = append(lines, component.Wrap(r.Reason, width)...)
	}
	if r.Verdict == report.Ungraded {
		lines = append(lines, s.notReady(width)...)
	}
	if len(r.Diagnostics) > 0 {
		lines = append(lines, "")
		lines = append(lines, component.Diagnostics(t, r.Diagnostics, width)...)
	}
	if r.Next != "" {
		lines = append(lines, "")
		for i, line := range component.Wrap(r.Next, width-labelRoom) {
			label := ""
			if i == 0 {
				label = "Next"
			}
			lines = append(lines, component.Fit(t.Label.Render(label), labelRoom)+line)
		}
	}
	if r.Verdict == report.Passed && r.Next == "" {
		lines = append(lines, "", "Well done. "+t.Accent.Render("enter")+" goes on along the road.")
	}
	return append(lines, s.footnotes(width)...)
}

const labelRoom = 10

func (s *Screen) footnotes(width int) []string {
	t := s.Theme
	r := s.report
	lines := []string{""}
	if times := phaseTimes(r.Phases); times != "" {
		lines = append(lines, component.Fit(t.Muted.Render(times), width))
	}
	if r.Verdict != report.Ungraded && r.Seed != 0 {
		again := fmt.Sprintf("cairn grade %s --seed %d", s.Stone.Lesson.Stone, r.Seed)
		lines = append(lines, component.Fit(t.Muted.Render("the same data once more:"), width), component.Fit(t.Muted.Render("  "+again), width))
	}
	for _, w := range r.Worlds() {
		lines = append(lines, "")
		said := fmt.Sprintf("%s is kept as the grade left it, s opens it: %s", clients[w.Service].service, w.URL)
		for _, line := range component.Wrap(said, width) {
			lines = append(lines, t.Muted.Render(line))
		}
	}
	return lines
}

func (s *Screen) logLines(width int) []string {
	if s.report == nil || strings.TrimSpace(s.report.Log) == "" {
		switch s.Stone.Exercise.Kind {
		case build.SQL:
			return []string{s.Theme.Muted.Render("This exercise is SQL alone: no program runs, and none prints anything.")}
		case build.Workflow:
			return []string{s.Theme.Muted.Render("There is no program. What the steps did stands in the evidence of each check.")}
		case build.Tests:
			return []string{s.Theme.Muted.Render("Your tests printed nothing in the last grade.")}
		case build.Image:
			return []string{s.Theme.Muted.Render("No container of your image printed anything in the last grade.")}
		}
		return []string{s.Theme.Muted.Render("Your program printed nothing in the last grade.")}
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(s.report.Log, "\n"), "\n") {
		lines = append(lines, component.Wrap(line, width)...)
	}
	return lines
}

// hintLines are the rungs shown so far, and the question before the next.
func (s *Screen) hintLines() []string {
	t := s.Theme
	var lines []string
	for i := range min(s.hints, len(s.hintText)) {
		lines = append(lines, strings.Split(s.hintText[i], "\n")...)
	}
	total := len(s.Stone.Exercise.Hints)
	switch {
	case s.asking:
		rung := []string{"where to look", "what to think about", "almost the code"}
		about := ""
		if total == len(rung) {
			about = ": " + rung[s.hints]
		}
		lines = append(lines, t.Strong.Render(fmt.Sprintf("Show hint %d of %d%s?", s.hints+1, total, about)), t.Accent.Render("y")+" shows it, any other key does not")
	case s.hints < total:
		lines = append(lines, t.Muted.Render(fmt.Sprintf("h asks for hint %d of %d", s.hints+1, total)))
	}
	return lines
}
