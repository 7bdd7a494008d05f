package firststart

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/diagnosis"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// measure is how wide text grows, however wide the window is.
const measure = 100

// View draws the screen: the question above, the machine below.
func (s *Screen) View(width, height int) (string, *tea.Cursor) {
	fetched := 0
	if s.setup != nil {
		fetched = s.setup.Rev()
	}
	lines := s.memo.Get(drawn{s.rev, fetched, width, height}, func() []string { return s.draw(width, height) })
	var cursor *tea.Cursor
	if prompt := s.open(); prompt != nil {
		_, at := prompt.View(s.theme, width)
		cursor = tea.NewCursor(at, headLines)
	}
	return strings.Join(lines, "\n"), cursor
}

// open is the prompt that has the keyboard.
func (s *Screen) open() *component.Prompt {
	switch {
	case s.command != nil:
		return s.command
	case s.stage == askFolder:
		return s.folder
	default:
		return nil
	}
}

// headLines are above what is asked: the title, the question, and a blank line.
const headLines = 3

func (s *Screen) draw(width, height int) []string {
	t := s.theme
	wide := min(width, measure)
	body, from, to := s.question(wide)
	machine := s.machineLines(width)
	// What is asked goes before, but some of the machine is always seen.
	rows := height - headLines
	least := rows / 3
	if s.stage == fetching {
		least = 2
	}
	room := min(len(machine), max(rows-len(body)-1, least))
	s.body.SetHeight(rows - room)
	s.body.SetLines(body)
	if s.stage != fetching {
		s.body.Reveal(to)
		s.body.Reveal(from)
	}
	head := " " + t.Heading.Render("cairn") + t.Muted.Render(" "+theme.Dot+" first start")
	lines := []string{component.Fit(head, width), component.Fit(component.Rule(t, s.heading(), width), width), component.Fit("", width)}
	lines = append(lines, component.Box(s.body.Visible(), width, rows-room)...)
	if room < len(machine) {
		machine = append(machine[:room-1:room-1], t.Muted.Render(" "+theme.Ellipsis+" "+s.elsewhere()))
	}
	return append(lines, component.Box(machine, width, room)...)
}

// elsewhere says where the rest of what was found out can be read.
func (s *Screen) elsewhere() string {
	if s.Typing() {
		return "cairn doctor tells the rest"
	}
	return "D tells the rest"
}

// heading is the question, with its number.
func (s *Screen) heading() string {
	numbered := func(question string) string {
		first := s.firstQuestion()
		return fmt.Sprintf("%d of %d  %s", s.stage-first+1, askFolder-first+1, question)
	}
	switch s.stage {
	case askPath:
		return numbered("Which path do you want to walk?")
	case askEditor:
		return numbered("Which editor do you write in?")
	case askFolder:
		return numbered("Where should your files go?")
	case settling:
		return "Making your workspace"
	default:
		return "Getting ready"
	}
}

// question draws what is asked, and tells which lines must be seen.
func (s *Screen) question(width int) (lines []string, from, to int) {
	switch {
	case s.stage == askPath:
		lines, from, to = s.paths.Lines(s.theme, width)
		lines = append(lines, "")
		lines = append(lines, s.muted("You can change it later: cairn path, or p on the road.", width)...)
	case s.command != nil:
		line, _ := s.command.View(s.theme, width)
		lines = append([]string{line, ""}, s.editorSays(width)...)
	case s.stage == askEditor:
		lines, from, to = s.editors.Lines(s.theme, width)
		lines = append(lines, "")
		lines = append(lines, s.editorSays(width)...)
	case s.stage == askFolder, s.stage == settling:
		line, _ := s.folder.View(s.theme, width)
		lines = append([]string{line, ""}, s.folderSays(width)...)
	default:
		lines = s.fetchingSays(width)
	}
	return lines, from, to
}

func (s *Screen) editorSays(width int) []string {
	switch {
	case s.trouble != "":
		return s.bad(s.trouble, width)
	case s.waiting:
		return s.muted("looking for it"+theme.Ellipsis, width)
	case s.unfound != "":
		return s.bad(s.unfound, width)
	}
	for _, e := range s.Editors {
		if (e.Source == "VISUAL" || e.Source == "EDITOR") && s.editors.At() != 0 {
			return s.muted(e.Source+" is set and goes before this choice. It counts where "+e.Source+" is not set.", width)
		}
	}
	return s.muted("The variables VISUAL and EDITOR go before this choice.", width)
}

func (s *Screen) folderSays(width int) []string {
	if s.trouble != "" {
		return s.bad(s.trouble, width)
	}
	dir, trouble := s.resolve(s.folder.Value())
	if trouble != "" {
		return s.muted(trouble, width)
	}
	return s.muted("That is "+dir+". It is made if it is not there; a workspace that is there is used as it is.", width)
}

func (s *Screen) fetchingSays(width int) []string {
	lines := s.text(s.theme.Text.Render, "Your workspace is "+s.settled.Workspace.Dir+".", width)
	if s.settled.Kept != nil {
		lines = append(lines, s.bad("Your answers could not be kept: "+s.settled.Kept.Error(), width)...)
	}
	said := "It goes on while you read: enter begins with " + s.first + "."
	if !s.setup.Running() {
		said = "All is here. Enter begins with " + s.first + "."
		if len(s.setup.Failures()) > 0 {
			said = "Something is missing, but you can read: enter begins with " + s.first + "."
		}
	}
	lines = append(lines, s.text(s.theme.Strong.Render, said, width)...)
	return append(append(lines, ""), s.setup.Lines(s.theme, width)...)
}

// machineLines tell what was found out about the machine so far.
func (s *Screen) machineLines(width int) []string {
	if s.Examine == nil {
		return nil
	}
	lines := []string{component.Rule(s.theme, s.machineSays(), width)}
	return append(lines, diagnosis.Lines(s.theme, s.machine.results, min(width, measure))...)
}

func (s *Screen) machineSays() string {
	if s.machine.examining {
		return "This machine: looking" + theme.Ellipsis
	}
	faults := 0
	for _, r := range s.machine.results {
		if r.Status == doctor.Fault {
			faults++
		}
	}
	if faults == 0 && len(s.machine.results) == 0 {
		return "This machine: nothing is amiss"
	}
	return "This machine: " + diagnosis.Summary(s.machine.results)
}

func (s *Screen) muted(text string, width int) []string {
	return s.text(s.theme.Muted.Render, text, width)
}

func (s *Screen) bad(text string, width int) []string {
	return s.text(s.theme.Bad.Render, text, width)
}

func (s *Screen) text(render func(...string) string, text string, width int) []string {
	lines := component.Wrap(text, width-2)
	for i, line := range lines {
		lines[i] = " " + render(line)
	}
	return lines
}
