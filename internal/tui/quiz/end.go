package quiz

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

// entry is one way on from the end.
type entry struct {
	text string
	goes tea.Msg // nil: the questions once more
}

// entries are the ways on: what to read again first, then the exercise.
func (s *Screen) entries() []entry {
	var out []entry
	for _, link := range s.missed() {
		lesson, heading, err := s.Road.Course.Resolve(link)
		if err != nil {
			continue // the course is checked for this; a wrong link leads nowhere
		}
		stone, err := s.Road.Find(lesson.ID)
		if err != nil || !lesson.Written {
			continue
		}
		_, slug, _ := strings.Cut(link, "#")
		text := "Read again: " + lesson.Stone + " " + lesson.Title
		if heading != nil {
			text = "Read again: " + lesson.Stone + " › " + heading.Text
		}
		out = append(out, entry{text, nav.OpenLesson{Stone: stone, Slug: slug}})
	}
	if e := s.Stone.Exercise; e != nil {
		out = append(out, entry{"On to the exercise: " + e.Title, nav.OpenExercise{Stone: s.Stone}})
	}
	return append(out,
		entry{"Back to the lesson", nav.OpenLesson{Stone: s.Stone}},
		entry{"The questions once more", nil})
}

func (s *Screen) pressEnd(msg tea.KeyPressMsg) tea.Cmd {
	all := s.entries()
	switch {
	case key.Matches(msg, s.keys.Up):
		s.cursor = max(s.cursor-1, 0)
	case key.Matches(msg, s.keys.Down):
		s.cursor = min(s.cursor+1, len(all)-1)
	case key.Matches(msg, s.keys.Prev):
		s.turn(-1)
	case key.Matches(msg, s.keys.Exercise) && s.Stone.Exercise != nil:
		return nav.Go(nav.OpenExercise{Stone: s.Stone})
	case key.Matches(msg, s.keys.Check):
		if all[s.cursor].goes == nil {
			s.again()
			return nil
		}
		return nav.Go(all[s.cursor].goes)
	}
	return nil
}
