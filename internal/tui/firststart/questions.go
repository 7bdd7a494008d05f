package firststart

import (
	"path/filepath"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/nav"
)

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case s.stage == settling:
		return nil
	case s.stage == fetching:
		return s.pressFetching(msg)
	case s.command != nil:
		return s.pressCommand(msg)
	case s.stage == askFolder:
		return s.pressFolder(msg)
	default:
		return s.pressChoice(msg)
	}
}

func (s *Screen) pressChoice(msg tea.KeyPressMsg) tea.Cmd {
	choice := s.paths
	if s.stage == askEditor {
		choice = s.editors
	}
	switch {
	case key.Matches(msg, s.keys.Up):
		choice.Move(-1)
	case key.Matches(msg, s.keys.Down):
		choice.Move(1)
	case key.Matches(msg, s.keys.Back):
		s.back()
	case key.Matches(msg, s.keys.Take) && s.stage == askPath:
		s.ask(askEditor)
	case key.Matches(msg, s.keys.Take) && s.editors.At() == s.another():
		s.trouble = ""
		s.command = component.NewPrompt("Command:", "")
	case key.Matches(msg, s.keys.Take):
		s.ask(askFolder)
	}
	return nil
}

func (s *Screen) ask(next stage) {
	s.stage, s.trouble = next, ""
	s.body.ScrollTo(0)
}

// back goes to the question before this one.
func (s *Screen) back() {
	if s.stage > s.firstQuestion() {
		s.ask(s.stage - 1)
	}
}

func (s *Screen) firstQuestion() stage {
	if len(s.Paths) == 0 {
		return askEditor
	}
	return askPath
}

// newEditors lists the editors that were found. A variable that names none is
// told before, and not offered. At the end stands another one, to be typed.
func (s *Screen) newEditors() *component.Choice {
	var found []editor.Choice
	items := []component.Item{}
	for _, e := range s.Editors {
		if e.Err != nil {
			s.unfound = e.Err.Error()
			continue
		}
		found = append(found, e)
		items = append(items, component.Item{Name: e.Command, Says: whence(e.Source)})
	}
	if len(found) == 0 {
		found = append(found, editor.Choice{})
		items = append(items, component.Item{Name: "decide later", Says: "No editor was found here. cairn asks for one when you edit."})
	}
	s.Editors = found
	items = append(items, component.Item{Name: "another", Says: "Type its command, for example: code --wait"})
	return component.NewChoice(items, 0)
}

// another is the number of the item that opens the line for a command.
func (s *Screen) another() int { return len(s.Editors) }

func whence(source string) string {
	switch source {
	case "VISUAL", "EDITOR":
		return "what " + source + " says"
	case "TERM_PROGRAM":
		return "its terminal is this one"
	default:
		return "found on this machine"
	}
}

// chosenEditor is what the settings keep: nothing when it is what a variable
// says anyway, since that may change.
func (s *Screen) chosenEditor() string {
	if s.editors.At() == s.another() {
		return s.typed
	}
	switch e := s.Editors[s.editors.At()]; e.Source {
	case "VISUAL", "EDITOR":
		return ""
	default:
		return e.Command
	}
}

func (s *Screen) pressCommand(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		s.asked++ // an answer that is on its way comes too late
		s.command, s.trouble, s.waiting = nil, "", false
	case key.Matches(msg, s.keys.Take):
		line := strings.TrimSpace(s.command.Value())
		if line == "" || s.waiting {
			return nil
		}
		return s.check(line)
	case s.command.Update(msg):
		s.asked++
		s.trouble, s.waiting = "", false
	}
	return nil
}

// checkedMsg tells whether a command that was typed starts an editor.
type checkedMsg struct {
	to   *Screen
	id   int
	line string
	err  error
}

func (s *Screen) check(line string) tea.Cmd {
	s.asked++
	s.waiting = true
	id, check := s.asked, s.CheckEditor
	return func() tea.Msg { return checkedMsg{to: s, id: id, line: line, err: check(line)} }
}

func (s *Screen) checked(msg checkedMsg) tea.Cmd {
	if msg.to != s || msg.id != s.asked {
		return nil
	}
	s.waiting = false
	if msg.err != nil {
		s.trouble = msg.err.Error()
		return nil
	}
	s.typed, s.command = msg.line, nil
	s.ask(askFolder)
	return nil
}

func (s *Screen) pressFolder(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		s.back()
	case key.Matches(msg, s.keys.Take):
		dir, trouble := s.resolve(s.folder.Value())
		if trouble != "" {
			s.trouble = trouble
			return nil
		}
		return s.settle(dir)
	case s.folder.Update(msg):
		s.trouble = ""
	}
	return nil
}

// resolve returns the folder that a text means, or what is wrong with it.
func (s *Screen) resolve(text string) (dir, trouble string) {
	text = strings.TrimSpace(text)
	slash := string(filepath.Separator)
	switch {
	case text == "":
		return "", "Type the name of a folder."
	case strings.Contains(text, "$"):
		return "", "Write the folder out: variables such as $HOME are not known here, only ~."
	case text == "~" || strings.HasPrefix(text, "~"+slash):
		if s.Home == "" {
			return "", "HOME is not set, so nothing says what ~ is. Write the folder out."
		}
		return filepath.Join(s.Home, strings.TrimPrefix(text, "~")), ""
	case strings.HasPrefix(text, "~"):
		return "", "Write the folder out: of the folders with ~ only your own is known."
	case filepath.IsAbs(text):
		return filepath.Clean(text), ""
	default:
		return filepath.Join(s.Dir, text), ""
	}
}

func (s *Screen) paste(msg tea.PasteMsg) {
	switch {
	case s.command != nil:
		s.asked++
		s.command.Update(msg)
		s.trouble, s.waiting = "", false
	case s.stage == askFolder:
		s.folder.Update(msg)
		s.trouble = ""
	}
}

func (s *Screen) pressFetching(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Down):
		s.body.Scroll(1)
	case key.Matches(msg, s.keys.Up):
		s.body.Scroll(-1)
	case key.Matches(msg, s.keys.Take):
		return nav.Go(Done{})
	}
	return nil
}
