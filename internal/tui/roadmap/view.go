package roadmap

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// headLines are above the list: title, what to do next, and a line.
const headLines = 3

// View draws the screen.
func (s *Screen) View(width, height int) (string, *tea.Cursor) {
	t := s.theme
	left := min(max(width*2/5, 38), 52)
	right := width - left - 1
	rows := height - headLines

	second, cursor := s.nextLine(width), (*tea.Cursor)(nil)
	if s.filter != nil {
		line, at := s.filter.View(t, width)
		second, cursor = line, tea.NewCursor(at, 1)
	}
	list := s.memo.list.Get(drawn{s.rev, left, rows}, func() []string { return s.drawList(left, rows) })
	detail := s.memo.detail.Get(drawn{s.rev, right, rows}, func() []string {
		return component.Box(indent(s.drawDetail(right-3)), right, rows)
	})
	rule := t.Border.Render(strings.Repeat(theme.Line, left) + "┬" + strings.Repeat(theme.Line, right))
	lines := []string{s.titleLine(width), second, rule}
	lines = append(lines, component.Beside(t.Border.Render(theme.Bar), list, detail)...)
	return strings.Join(lines, "\n"), cursor
}

// titleLine says how far the learner is on the path, or on the whole road where
// there are no paths.
func (s *Screen) titleLine(width int) string {
	done, written := 0, 0
	for _, stone := range s.route.Stones {
		if !stone.Lesson.Written {
			continue
		}
		written++
		if s.state(stone).Done() {
			done++
		}
	}
	said := fmt.Sprintf("%d of %d stones done", done, written)
	if ahead := len(s.route.Stones) - written; ahead > 0 {
		said += fmt.Sprintf(", %d still to be written", ahead)
	}
	if s.route.Path != nil {
		said = s.route.Path.Title + ": " + said
	}
	line := " " + s.theme.Heading.Render("cairn") + s.theme.Muted.Render("   "+said)
	return component.Fit(line, width)
}

func (s *Screen) nextLine(width int) string {
	t := s.theme
	stone := s.next()
	if stone == nil {
		return component.Fit(" "+t.Good.Render(theme.Done)+" Everything that is written is done.", width)
	}
	verb := "read"
	switch s.state(stone) {
	case workspace.Started:
		verb = "go on with"
	case workspace.Failed:
		verb = "try again"
	}
	name, rest := stone.Lesson.Stone+" "+stone.Lesson.Title, "   press n"
	if stage, ok := s.route.StageOf(stone); ok && s.route.Path.Own {
		if due := stage.Standing(s.done, s.now()); due != "" {
			rest = " " + theme.Dot + " " + due + rest
		}
	}
	name = ansi.Truncate(name, max(width-len(" next: "+verb+" ")-ansi.StringWidth(rest), 8), theme.Ellipsis)
	line := " " + t.Muted.Render("next: "+verb+" ") + t.Strong.Render(name) + t.Muted.Render(strings.TrimSuffix(rest, "n")) + t.Accent.Render("n")
	return component.Fit(line, width)
}

func (s *Screen) drawList(width, height int) []string {
	var lines []string
	at := 0
	heads := s.heads(width - 2)
	for i, stone := range s.shown {
		if head := heads[i]; head != "" && !s.filtering() {
			lines = append(lines, " "+head)
		}
		if i == s.cursor {
			at = len(lines)
		}
		lines = append(lines, s.stoneLine(stone, i == s.cursor, width))
	}
	if len(s.shown) == 0 {
		lines = append(lines, s.theme.Muted.Render("  nothing found"))
	}
	s.list.SetHeight(height)
	s.list.SetLines(lines)
	margin := min(5, height/3) // some of the road stays in sight around the choice
	s.list.Reveal(max(at-margin, 0))
	s.list.Reveal(min(at+margin, len(lines)-1))
	return component.Box(s.list.Visible(), width, height)
}

// heads are the lines above the first row of each section, by that row's number.
func (s *Screen) heads(width int) map[int]string {
	heads := map[int]string{}
	row := 0
	for _, section := range s.sections {
		if len(section.Rows) == 0 {
			continue
		}
		title := section.Title
		if standing := section.Standing(s.done, s.now()); standing != "" && s.route.Path.Own {
			standing = " " + theme.Dot + " " + standing
			title = ansi.Truncate(title, max(width-4-ansi.StringWidth(standing), 4), theme.Ellipsis) + standing
		}
		if title != "" {
			heads[row] = component.Rule(s.theme, title, width)
		}
		row += len(section.Rows)
	}
	return heads
}

// done tells whether nothing is left to do with a stone.
func (s *Screen) done(stone *road.Stone) bool { return s.state(stone).Done() }

func (s *Screen) filtering() bool { return s.filter != nil && s.filter.Value() != "" }

func (s *Screen) stoneLine(stone *road.Stone, current bool, width int) string {
	t := s.theme
	state := s.state(stone)
	name := fmt.Sprintf("%-4s%s", stone.Lesson.Stone, stone.Lesson.Title)
	name = ansi.Truncate(name, width-6, theme.Ellipsis)
	mark := "   "
	switch {
	case current:
		mark = " " + t.Accent.Render(theme.Cursor) + " "
		name = t.Selected.Render(name)
	case state == workspace.Unwritten:
		name = t.Muted.Render(name)
	}
	glyph := t.StateGlyph(state)
	if stone.Lesson.Page && !stone.Lesson.Own && state == workspace.Open {
		glyph = t.Muted.Render(theme.Arrow)
	}
	return mark + glyph + " " + name
}

func (s *Screen) drawDetail(width int) []string {
	t := s.theme
	stone := s.selected()
	if stone == nil {
		return nil
	}
	l := stone.Lesson
	lines := wrap(t.Heading.Render, l.Stone+"  "+l.Title, width)
	lines = append(lines, wrap(t.Text.Render, l.Objective, width)...)
	lines = append(lines, "")
	if facts := s.facts(stone); facts != "" {
		lines = append(lines, wrap(t.Muted.Render, facts, width)...)
	}
	if len(l.After) > 0 {
		lines = append(lines, s.after(l.After))
	}
	lines = append(lines, s.byWhen(stone, width)...)
	lines = append(lines, "")
	lines = append(lines, s.progress(stone, width)...)
	return append(lines, s.offers(stone)...)
}

// facts are services and minutes: "PostgreSQL · 15 min to read, 35 to solve".
func (s *Screen) facts(stone *road.Stone) string {
	var parts []string
	for _, service := range stone.Lesson.Services {
		parts = append(parts, serviceName(service))
	}
	minutes := ""
	if stone.Lesson.Minutes > 0 {
		minutes = fmt.Sprintf("%d min to read", stone.Lesson.Minutes)
	}
	if e := stone.Exercise; e != nil && e.Minutes > 0 {
		if minutes != "" {
			minutes += ", "
		}
		minutes += fmt.Sprintf("%d to solve", e.Minutes)
	}
	if minutes != "" {
		parts = append(parts, minutes)
	}
	return strings.Join(parts, " "+theme.Dot+" ")
}

func serviceName(id string) string {
	switch id {
	case "postgres":
		return "PostgreSQL"
	case "redis":
		return "Redis"
	default:
		return id
	}
}

func (s *Screen) after(stones []string) string {
	parts := make([]string, len(stones))
	for i, name := range stones {
		state := workspace.Open
		for _, other := range s.road.Stones() {
			if other.Lesson.Stone == name {
				state = s.state(other)
			}
		}
		parts[i] = s.theme.StateGlyph(state) + " " + name
	}
	return s.theme.Muted.Render("after ") + strings.Join(parts, "  ")
}

// byWhen says to which stage of an own path a stone belongs and by when that should
// be done.
func (s *Screen) byWhen(stone *road.Stone, width int) []string {
	section, ok := s.route.StageOf(stone)
	if !ok || !s.route.Path.Own {
		return nil
	}
	said := section.Title
	if by := road.By(section.Stage.By); by != "" {
		said += ", " + by
	}
	if standing := section.Standing(s.done, s.now()); standing != "" {
		said += " (" + standing + ")"
	}
	return wrap(s.theme.Muted.Render, said, width)
}

func (s *Screen) progress(stone *road.Stone, width int) []string {
	t := s.theme
	state := s.state(stone)
	glyph := t.StateGlyph(state) + " "
	last := s.attempts[stone.Lesson.ID].Last
	var lines []string
	switch {
	case state == workspace.Unwritten:
		return append(lines, t.Muted.Render("not written yet"))
	case state == workspace.Read:
		return append(lines, glyph+"read to the end", "")
	case stone.Lesson.Own:
		return append(lines, glyph+"not read yet", "")
	case stone.Lesson.Page:
		return nil
	case last == nil && state == workspace.Started:
		return append(lines, glyph+"started, not graded yet", "")
	case last == nil:
		return append(lines, glyph+"not started", "")
	}
	passed, total := last.Count()
	said := "last attempt: " + string(last.Verdict)
	if total > 0 {
		said += fmt.Sprintf(", %d of %d checks", passed, total)
	}
	lines = append(lines, wrapAfter(glyph, said, width)...)
	if n := s.attempts[stone.Lesson.ID].Record.Attempts; n > 1 {
		lines = append(lines, t.Muted.Render(fmt.Sprintf("%d attempts", n)))
	}
	if failed := last.FirstFailed(); failed != nil {
		lines = append(lines, wrap(t.Bad.Render, "“"+failed.Title+"” failed", width)...)
		if failed.Feedback != nil {
			lines = append(lines, wrap(t.Muted.Render, failed.Feedback.Saw, width)...)
		}
	} else if last.Reason != "" {
		lines = append(lines, wrap(t.Muted.Render, last.Reason, width)...)
	}
	return append(lines, "")
}

// offers says what the keys do with this very stone.
func (s *Screen) offers(stone *road.Stone) []string {
	if !stone.Lesson.Written {
		return nil
	}
	offer := func(key, does string) string { return component.Fit(s.theme.Accent.Render(key), 7) + does }
	begun := s.state(stone) == workspace.Started || s.state(stone) == workspace.Failed
	if !begun {
		if stone.Lesson.Page {
			return []string{offer("enter", "read it")}
		}
		lines := []string{offer("enter", "read the lesson")}
		if stone.Exercise != nil {
			lines = append(lines, offer("x", "do the exercise"))
		}
		return lines
	}
	return []string{offer("enter", "go on with the exercise"), offer("r", "read the lesson again")}
}

func wrap(render func(...string) string, text string, width int) []string {
	lines := component.Wrap(text, width)
	for i, line := range lines {
		lines[i] = render(line)
	}
	return lines
}

func indent(lines []string) []string {
	for i, line := range lines {
		lines[i] = " " + line
	}
	return lines
}

// wrapAfter wraps text behind a sign of one cell and a blank.
func wrapAfter(sign, text string, width int) []string {
	lines := component.Wrap(text, width-2)
	for i := range lines {
		if i == 0 {
			lines[i] = sign + lines[i]
		} else {
			lines[i] = "  " + lines[i]
		}
	}
	return lines
}
