// Package lesson is the screen to read a lesson on: its text at a readable
// measure, its headings, a search, and the way to its questions.
package lesson

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

const (
	wide         = 110 // from this width on, the headings stand beside the text
	headingsSide = 30
	settle       = 80 * time.Millisecond // quiet time after a resize before rendering
	firstScreen  = 3                     // sections that are rendered before the others
)

// Place is where a reader was: a section, and a line in it.
type Place struct{ Section, Line int }

// Places remembers where the reader was in each lesson, by lesson id.
type Places map[string]Place

// Options are what a lesson screen needs.
type Options struct {
	Stone    *road.Stone
	Slug     string // heading to begin at, or ""
	Renderer *markdown.Renderer
	Theme    *theme.Theme
	Places   Places
	Progress Progress // nil: places last as long as the program
}

// Screen shows one lesson.
type Screen struct {
	Options
	keys keys

	measure int // width that the text is rendered for; 0 before the first size
	request int // id of the last rendering; older results are dropped

	sections  []rendered
	questions int // of the quiz; 0 before it is known
	loadErr   error

	text     component.Pane
	starts   []int // first line of each section
	code     []markdown.Code
	restored bool // the remembered place has been restored
	whole    bool // every section has been rendered
	memory   memory

	prompt  *component.Prompt
	search  search
	rev     int
	wideNow bool
	memo    component.Memo[drawn]
}

type drawn struct {
	rev, width, height, top int
}

// rendered is one section, ready to be shown.
type rendered struct {
	heading lessons.Heading
	text    markdown.Text
}

// New returns the screen of a lesson.
func New(o Options) *Screen {
	return &Screen{Options: o, keys: newKeys(o.Stone.Exercise != nil, !o.Stone.Lesson.Page)}
}

// renderedMsg brings sections. Part is true for the first few of them.
type renderedMsg struct {
	to        *Screen // a screen that was left may still get answers
	request   int
	sections  []rendered
	questions int
	section   string // that was kept, when kept is true
	kept      bool
	part      bool
	err       error
}

// settledMsg says that the window has kept its size for a moment.
type settledMsg struct {
	to      *Screen
	request int
}

// Init waits for the first size.
func (s *Screen) Init() tea.Cmd { return nil }

// SetTheme changes the look and renders again.
func (s *Screen) SetTheme(t *theme.Theme) tea.Cmd {
	s.Theme = t
	s.rev++
	return s.render()
}

// Title is the title of the window.
func (s *Screen) Title() string { return s.Stone.Lesson.Stone + " " + s.Stone.Lesson.Title }

// Typing tells whether the search has the keyboard.
func (s *Screen) Typing() bool { return s.prompt != nil }

// Busy is false: rendering takes milliseconds.
func (s *Screen) Busy() bool { return false }

// JumpTo puts a heading at the top; "" changes nothing.
func (s *Screen) JumpTo(slug string) {
	s.rev++
	s.Slug = slug
	if slug != "" && s.goToSlug(slug) {
		s.remember()
	}
}

// Close remembers the place.
func (s *Screen) Close() { s.remember() }

func (s *Screen) remember() {
	if len(s.starts) > 0 && s.restored {
		s.Places[s.Stone.Lesson.ID] = s.placeNow()
	}
}

// placeNow is the place of the first line seen.
func (s *Screen) placeNow() Place {
	i := s.sectionAt(s.text.Top())
	if i < 0 {
		return Place{}
	}
	return Place{Section: i, Line: s.text.Top() - s.starts[i]}
}

// sectionAt returns the section that a line belongs to, -1 when there is none.
func (s *Screen) sectionAt(line int) int {
	found := -1
	for i, start := range s.starts {
		if start <= line {
			found = i
		}
	}
	return found
}

// Update takes a message.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch saved := msg.(type) {
	case savedMsg:
		return s.saved(saved)
	case tea.KeyPressMsg, renderedMsg:
		return tea.Batch(s.update(msg), s.keep())
	default:
		return s.update(msg)
	}
}

func (s *Screen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return s.resize(msg.Width, msg.Height)
	case settledMsg:
		if msg.to == s && msg.request == s.request {
			return s.render()
		}
	case renderedMsg:
		return s.accept(msg)
	case tea.KeyPressMsg:
		s.rev++
		if s.prompt != nil {
			return s.pressSearch(msg)
		}
		return s.press(msg)
	case tea.PasteMsg:
		if s.prompt != nil && s.prompt.Update(msg) {
			s.rev++
			s.look(s.prompt.Value())
		}
	}
	return nil
}

func (s *Screen) resize(width, height int) tea.Cmd {
	s.rev++
	s.wideNow = width >= wide
	s.text.SetHeight(height - 3)
	room := width - 2
	if s.wideNow {
		room = width - headingsSide - 3
	}
	measure := min(room, markdown.Measure)
	if measure == s.measure || measure < 20 {
		return nil
	}
	first := s.measure == 0
	s.measure = measure
	if first {
		return s.render()
	}
	s.request++
	id := s.request
	return tea.Tick(settle, func(time.Time) tea.Msg { return settledMsg{to: s, request: id} })
}

// accept shows what was rendered, with the same section at the top as before.
func (s *Screen) accept(msg renderedMsg) tea.Cmd {
	if msg.to != s || msg.request != s.request {
		return nil
	}
	s.rev++
	if msg.err != nil {
		s.loadErr = msg.err
		return nav.Fail(msg.err)
	}
	place, had := s.placeNow(), s.restored
	s.sections, s.whole = msg.sections, !msg.part
	s.questions = msg.questions
	s.assemble()
	switch {
	case had:
		s.goTo(place)
	case s.Slug != "":
		s.restored = s.goToSlug(s.Slug) && !msg.part // a part may be too short to scroll that far
	default:
		s.restored = s.restore(msg)
	}
	if msg.part {
		return s.render()
	}
	s.restored = true
	return nil
}

// restore goes to the place of this run of the program, else to the section
// that was kept, and tells whether that could be found already.
func (s *Screen) restore(msg renderedMsg) bool {
	remembered, known := s.Places[s.Stone.Lesson.ID]
	switch {
	case known:
		s.goTo(remembered)
	case msg.kept:
		s.goToSlug(msg.section)
	}
	return !msg.part || !known && !msg.kept
}

// assemble joins the sections and the way to the quiz into one text.
func (s *Screen) assemble() {
	var all markdown.Text
	s.starts = s.starts[:0]
	for _, section := range s.sections {
		s.starts = append(s.starts, len(all.Lines))
		all.Append(section.text)
	}
	if s.questions > 0 {
		s.starts = append(s.starts, len(all.Lines))
		all.Lines = append(all.Lines, s.questionLines()...)
	}
	s.code = all.Code
	s.text.SetLines(all.Lines)
	s.search.find(s.search.text, all.Lines)
}

func (s *Screen) goTo(p Place) {
	if p.Section < len(s.starts) {
		s.text.ScrollTo(s.starts[p.Section] + p.Line)
	}
}

func (s *Screen) goToSlug(slug string) bool {
	for i, section := range s.sections {
		if section.heading.Slug == slug {
			s.text.ScrollTo(s.starts[i])
			return true
		}
	}
	return false
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	k := s.keys
	if s.scroll(msg) {
		s.remember()
		return nil
	}
	switch {
	case key.Matches(msg, k.Find):
		s.prompt = component.NewPrompt("search", "")
	case key.Matches(msg, k.NextMatch):
		s.toMatch(1)
	case key.Matches(msg, k.PrevMatch):
		s.toMatch(-1)
	case key.Matches(msg, k.Copy):
		return s.copyCode(false)
	case key.Matches(msg, k.Save):
		return s.copyCode(true)
	case key.Matches(msg, k.Quiz), key.Matches(msg, k.Go) && s.atQuestions():
		if s.questions == 0 {
			return nav.Go(nav.Notice{Text: "This lesson has no questions."})
		}
		return nav.Go(nav.OpenQuiz{Stone: s.Stone})
	case key.Matches(msg, k.Exercise), key.Matches(msg, k.Go):
		if s.Stone.Exercise == nil {
			return nav.Go(nav.Notice{Text: "This lesson has no exercise."})
		}
		return nav.Go(nav.OpenExercise{Stone: s.Stone})
	case key.Matches(msg, k.Back):
		if s.search.text != "" && msg.String() == "esc" {
			s.search = search{}
			return nil
		}
		return nav.Go(nav.Back{})
	}
	return nil
}

// scroll moves the text and tells whether the key was one that does.
func (s *Screen) scroll(msg tea.KeyPressMsg) bool {
	k := s.keys
	page := max(s.text.Height()-2, 1)
	switch {
	case key.Matches(msg, k.Down):
		s.text.Scroll(1)
	case key.Matches(msg, k.Up):
		s.text.Scroll(-1)
	case key.Matches(msg, k.PageDown):
		s.text.Scroll(page)
	case key.Matches(msg, k.PageUp):
		s.text.Scroll(-page)
	case key.Matches(msg, k.HalfDown):
		s.text.Scroll(page / 2)
	case key.Matches(msg, k.HalfUp):
		s.text.Scroll(-page / 2)
	case key.Matches(msg, k.Top):
		s.text.ScrollTo(0)
	case key.Matches(msg, k.End):
		s.text.ScrollTo(len(s.text.Lines()))
	case key.Matches(msg, k.NextHeading):
		s.toHeading(1)
	case key.Matches(msg, k.PrevHeading):
		s.toHeading(-1)
	default:
		return false
	}
	return true
}

func (s *Screen) toHeading(by int) {
	top := s.text.Top()
	if by > 0 {
		for _, start := range s.starts {
			if start > top {
				s.text.ScrollTo(start)
				return
			}
		}
		return
	}
	for i := len(s.starts) - 1; i >= 0; i-- {
		if s.starts[i] < top {
			s.text.ScrollTo(s.starts[i])
			return
		}
	}
}
