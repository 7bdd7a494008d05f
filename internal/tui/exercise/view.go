package exercise

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// wideFrom is the width from which task, checks and evidence stand side by
// side. Below it the task has the window to itself.
const wideFrom = 110

func (s *Screen) wide() bool { return s.width >= wideFrom }

func (s *Screen) showTask() bool {
	if s.wide() {
		return !s.hideTask
	}
	return s.taskAlone
}

// panes are those on the screen now, in the order of tab.
func (s *Screen) panes() []pane {
	switch {
	case s.showTask() && !s.wide():
		return []pane{taskPane}
	case s.showTask():
		return []pane{checksPane, evidencePane, taskPane}
	default:
		return []pane{checksPane, evidencePane}
	}
}

// The widths of the panes, dividers not included.
func (s *Screen) checksWidth() int {
	if s.wide() {
		return 34
	}
	return min(max(s.width*2/5, 26), 34)
}

func (s *Screen) taskWidth() int {
	if s.wide() {
		return min((s.width-s.checksWidth()-2)*45/100, markdown.Measure+2)
	}
	return s.width
}

// textWidth is what the task is rendered for.
func (s *Screen) textWidth() int { return min(s.taskWidth()-2, markdown.Measure) }

// evidenceWidth is the room for text in the evidence pane.
func (s *Screen) evidenceWidth() int {
	room := s.width - s.checksWidth() - 1
	if s.showTask() && s.wide() {
		room -= s.taskWidth() + 1
	}
	return room - 2
}

// View draws the screen.
func (s *Screen) View(width, height int) (string, *tea.Cursor) {
	t := s.Theme
	rows := height - 2
	bar := t.Border.Render(theme.Bar)
	head := s.headLine(width)
	if s.showTask() && !s.wide() {
		lines := s.drawTask(width, rows)
		return head + "\n" + s.titles([]string{"Task"}, []pane{taskPane}, []int{width}) + "\n" + strings.Join(lines, "\n"), nil
	}
	left := s.checksWidth()
	right := s.evidenceWidth() + 2
	names, order, widths := []string{"Checks", s.pageName()}, []pane{checksPane, evidencePane}, []int{left, right}
	columns := [][]string{s.drawChecks(left, rows), s.drawEvidence(right, rows)}
	if s.showTask() {
		names, order, widths = append([]string{"Task"}, names...), append([]pane{taskPane}, order...), append([]int{s.taskWidth()}, widths...)
		columns = append([][]string{s.drawTask(s.taskWidth(), rows)}, columns...)
	}
	lines := component.Beside(bar, columns...)
	return head + "\n" + s.titles(names, order, widths) + "\n" + strings.Join(lines, "\n"), nil
}

func (s *Screen) pageName() string {
	switch s.page {
	case logPage:
		return "Log of the program"
	case hintPage:
		return "Hints"
	default:
		return "Evidence"
	}
}

// titles draws the line above the panes; the name of the pane with the focus
// stands out.
func (s *Screen) titles(names []string, order []pane, widths []int) string {
	t := s.Theme
	var parts []string
	for i, name := range names {
		style := t.Muted
		if order[i] == s.focused() && len(names) > 1 {
			style = t.Accent.Bold(true)
			name = theme.Cursor + " " + name
		}
		rest := max(widths[i]-4-ansi.StringWidth(name), 0)
		parts = append(parts, t.Border.Render(theme.Line+theme.Line)+" "+style.Render(name)+" "+t.Border.Render(strings.Repeat(theme.Line, rest)))
	}
	return strings.Join(parts, t.Border.Render("┬"))
}

func (s *Screen) headLine(width int) string {
	t := s.Theme
	left := " " + t.Heading.Render(s.Title())
	right := s.status()
	if mode := s.watchStatus(); mode != "" {
		right += t.Muted.Render(" · " + mode)
	}
	room := width - ansi.StringWidth(right) - 2
	return component.Fit(left, room) + " " + right + " "
}

// status says in the corner what goes on.
func (s *Screen) status() string {
	t := s.Theme
	switch {
	case s.choosing != nil:
		return t.Warn.Render("look at which?")
	case s.run != nil && s.run.stopping:
		return t.Warn.Render("stopping")
	case s.run != nil:
		return t.Warn.Render("grading: " + s.runStatus())
	case s.Workspace == nil:
		return t.Warn.Render("no workspace yet")
	case s.prepared.err != nil:
		return t.Bad.Render("not ready")
	case !s.prepared.done:
		return t.Muted.Render("getting ready")
	case s.report != nil && s.watching != nil:
		return s.verdict() // the time of the save says when
	case s.report != nil:
		return s.verdict() + t.Muted.Render(" "+s.report.Started.Local().Format("15:04:05"))
	default:
		return t.Muted.Render("ready")
	}
}

func (s *Screen) runStatus() string {
	if s.run.what != "" {
		return s.run.what
	}
	if s.run.phase == "" {
		return "begins"
	}
	return string(s.run.phase)
}

func (s *Screen) verdict() string {
	t := s.Theme
	switch s.report.Verdict {
	case report.Passed:
		return t.Good.Render(theme.Pass + " passed")
	case report.Ungraded:
		return t.Warn.Render(string(s.report.Verdict))
	case report.Limit:
		return t.Bad.Render(theme.Fail + " over the limit")
	default:
		return t.Bad.Render(theme.Fail + " " + string(s.report.Verdict))
	}
}

func (s *Screen) drawTask(width, height int) []string {
	s.task.SetHeight(height)
	return s.memo.task.Get(drawn{s.rev, width, height, s.task.Top()}, func() []string {
		return s.moreBelow(&s.task, component.Box(indent(s.task.Visible()), width, height), width)
	})
}

func (s *Screen) drawChecks(width, height int) []string {
	return s.memo.checks.Get(drawn{s.rev, width, height, 0}, func() []string {
		foot := s.summaryLines(width)
		lines := []string{s.resultRow(width)}
		for i, c := range s.checks {
			lines = append(lines, s.checkRow(c, i+1 == s.row, width))
		}
		s.list.SetHeight(height - len(foot))
		s.list.SetLines(lines)
		s.list.Reveal(s.row)
		return append(component.Box(s.list.Visible(), width, height-len(foot)), component.Box(foot, width, len(foot))...)
	})
}

func (s *Screen) resultRow(width int) string {
	t := s.Theme
	glyph, text := t.Muted.Render(theme.Pending), "not graded yet"
	switch {
	case s.run != nil:
		glyph, text = t.Accent.Render(theme.Running), "grading"
	case s.report != nil && s.report.Verdict == report.Passed:
		glyph, text = t.Good.Render(theme.Done), "passed"
	case s.report != nil && s.report.Verdict == report.Ungraded:
		glyph, text = t.Warn.Render(theme.Blocked), "ungraded"
	case s.report != nil:
		glyph, text = t.Bad.Render(theme.Fail), string(s.report.Verdict)
	}
	return s.row0(glyph, text, width)
}

func (s *Screen) row0(glyph, text string, width int) string {
	return s.rowLine(glyph, text, "", s.row == 0, width)
}

func (s *Screen) checkRow(c report.Check, current bool, width int) string {
	t := s.Theme
	glyph, right := t.Muted.Render(theme.Pending), ""
	switch {
	case s.running[c.ID]:
		glyph = t.Accent.Render(theme.Running)
	case c.Status == report.CheckPassed:
		glyph, right = t.Good.Render(theme.Pass), component.Duration(c.Duration)
	case c.Status == report.CheckFailed:
		glyph, right = t.Bad.Render(theme.Fail), component.Duration(c.Duration)
	case c.Status == report.CheckBlocked:
		glyph, right = t.Muted.Render(theme.Blocked), "blocked"
	}
	return s.rowLine(glyph, c.Title, right, current, width)
}

func (s *Screen) rowLine(glyph, text, right string, current bool, width int) string {
	t := s.Theme
	room := width - 5
	if ansi.StringWidth(text)+1+ansi.StringWidth(right) > room {
		right = "" // the whole title tells more than a time
	}
	if right != "" {
		room -= ansi.StringWidth(right) + 1
	}
	text = component.Fit(text, room)
	mark := " "
	if current {
		mark, text = t.Accent.Render(theme.Cursor), t.Selected.Render(text)
	}
	line := mark + glyph + " " + text
	if right != "" {
		line += " " + t.Muted.Render(right)
	}
	return line
}

// summaryLines stand below the checks: times, and how many passed.
func (s *Screen) summaryLines(width int) []string {
	t := s.Theme
	var phases []report.Phase
	switch {
	case s.run != nil:
		phases = s.run.phases
	case s.report != nil:
		phases = s.report.Phases
	}
	passed := 0
	for _, c := range s.checks {
		if c.Status == report.CheckPassed {
			passed++
		}
	}
	lines := []string{""}
	if times := phaseTimes(phases); times != "" {
		lines = append(lines, t.Muted.Render(" "+ansi.Truncate(times, width-2, theme.Ellipsis)))
	}
	if s.run == nil && s.report == nil {
		return append(lines, t.Muted.Render(fmt.Sprintf(" %d checks", len(s.checks))))
	}
	return append(lines, t.Strong.Render(fmt.Sprintf(" %d of %d", passed, len(s.checks))))
}

func (s *Screen) drawEvidence(width, height int) []string {
	s.evidence.SetHeight(height)
	key := drawn{s.rev, width, height, s.evidence.Top()}
	return s.memo.evidence.Get(key, func() []string {
		s.evidence.SetLines(s.evidenceLines(width - 2))
		return s.moreBelow(&s.evidence, component.Box(indent(s.evidence.Visible()), width, height), width)
	})
}

// moreBelow puts into the last line that a pane goes on.
func (s *Screen) moreBelow(p *component.Pane, lines []string, width int) []string {
	if p.More() {
		lines[len(lines)-1] = component.Fit(" "+s.Theme.Muted.Render("more below: space"), width)
	}
	return lines
}

func indent(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = " " + line
	}
	return out
}
