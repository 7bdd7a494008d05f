package lesson

import (
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

// Progress remembers how far a lesson was read. It is called from commands.
type Progress interface {
	Read(lesson string) error
	Place(lesson string) (section string, ok bool)
	SavePlace(lesson, section string) error
}

// memory is what has been handed to Progress. One save runs at a time, so that
// an older place never overwrites a newer one.
type memory struct {
	known  bool   // saved holds what the store has
	saved  string // section of the last save, under way or done
	saving bool
	read   bool
}

// savedMsg says that a place was kept, or why it was not.
type savedMsg struct {
	to  *Screen
	err error
}

// section is the anchor of the section at the top of the window. The questions
// at the end belong to the last section.
func (s *Screen) section() string {
	i := min(s.sectionAt(s.text.Top()), len(s.sections)-1)
	if i < 0 {
		return ""
	}
	return s.sections[i].heading.Slug
}

// keep returns the command that saves what is new: the section, and that the
// end was seen.
func (s *Screen) keep() tea.Cmd {
	if s.Progress == nil || !s.whole || !s.restored {
		return nil
	}
	var cmds []tea.Cmd
	progress, id := s.Progress, s.Stone.Lesson.ID
	if at := s.section(); !s.memory.saving && (!s.memory.known || at != s.memory.saved) {
		s.memory.known, s.memory.saved, s.memory.saving = true, at, true
		cmds = append(cmds, func() tea.Msg { return savedMsg{to: s, err: progress.SavePlace(id, at)} })
	}
	if !s.memory.read && !s.text.More() {
		s.memory.read = true
		cmds = append(cmds, func() tea.Msg {
			if err := progress.Read(id); err != nil {
				return nav.Notice{Text: err.Error(), Bad: true}
			}
			return nav.StateChanged{}
		})
	}
	return tea.Batch(cmds...)
}

// saved goes on with a place that has changed in the meantime.
func (s *Screen) saved(msg savedMsg) tea.Cmd {
	if msg.to != s {
		return nil
	}
	s.memory.saving = false
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	return s.keep()
}
