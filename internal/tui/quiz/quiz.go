// Package quiz is the screen that asks the questions of a lesson, one at a
// time, explains every answer at once, and says at the end what to read again.
package quiz

import (
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

// Answered keeps the answers that were given to a question of a lesson, by
// index. It is called from a command.
type Answered func(lesson string, q lessons.Question, answers []int, right bool) error

// Options are what a quiz screen needs.
type Options struct {
	Road     *road.Road
	Stone    *road.Stone
	Renderer *markdown.Renderer
	Theme    *theme.Theme
	Answered Answered // nil: answers are not kept
}

// Screen asks the questions of one lesson.
type Screen struct {
	Options
	keys keys

	width, height int
	request       int // id of the last rendering; older results are dropped
	loadErr       error

	questions []question
	at        int // index of the question; len(questions) is the end
	cursor    int // the answer, or the entry of the end, that the arrows stand on

	body component.Pane
	rev  int
	memo component.Memo[drawn]
}

type drawn struct{ rev, width, height int }

// question is one question with its rendering and what was chosen.
type question struct {
	lessons.Question
	ask     []string
	answers [][]string
	because [][]string
	chosen  []bool
	done    bool
}

// New returns the quiz of a lesson.
func New(o Options) *Screen { return &Screen{Options: o, keys: newKeys()} }

// loadedMsg brings the questions, rendered for a width and theme.
type loadedMsg struct {
	to        *Screen
	request   int
	questions []question
	err       error
}

// Init waits for the first size.
func (s *Screen) Init() tea.Cmd { return nil }

// SetTheme changes the look and renders again.
func (s *Screen) SetTheme(t *theme.Theme) tea.Cmd {
	s.Theme = t
	s.rev++
	return s.load()
}

// Title is the title of the window.
func (s *Screen) Title() string { return s.Stone.Lesson.Stone + " Questions" }

// Typing is false: letters choose answers, and are keys like any other.
func (s *Screen) Typing() bool { return false }

// Busy is false: nothing here runs long.
func (s *Screen) Busy() bool { return false }

// Close has nothing to stop.
func (s *Screen) Close() {}

// Update takes a message.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
		s.rev++
		return s.load()
	case loadedMsg:
		return s.loaded(msg)
	case tea.KeyPressMsg:
		s.rev++
		return s.press(msg)
	}
	return nil
}

// measure is the width of the text.
func (s *Screen) measure() int { return min(s.width-2, markdown.Measure) }

// load returns the command that reads and renders the questions.
func (s *Screen) load() tea.Cmd {
	if s.width == 0 {
		return nil
	}
	s.request++
	id, lesson, r, t, width := s.request, s.Stone.Lesson, s.Renderer, s.Theme, s.measure()
	return func() tea.Msg {
		msg := loadedMsg{to: s, request: id}
		q, err := lesson.Quiz()
		if err != nil {
			msg.err = err
			return msg
		}
		for _, asked := range q.Questions {
			x, err := render(asked, r, t, width)
			if err != nil {
				msg.err = err
				return msg
			}
			msg.questions = append(msg.questions, x)
		}
		return msg
	}
}

// indent is how far answers stand in from their letter.
const indent = 6

func render(asked lessons.Question, r *markdown.Renderer, t *theme.Theme, width int) (question, error) {
	x := question{Question: asked, chosen: make([]bool, len(asked.Answers))}
	lines := func(source string, width int) ([]string, error) {
		text, err := r.Render(source, width, t)
		return text.Lines, err
	}
	var err error
	if x.ask, err = lines(asked.Ask, width); err != nil {
		return x, err
	}
	for _, a := range asked.Answers {
		text, err := lines(a.Text, width-indent)
		if err != nil {
			return x, err
		}
		because, err := lines(a.Because, width-indent)
		if err != nil {
			return x, err
		}
		x.answers, x.because = append(x.answers, trim(text)), append(x.because, trim(because))
	}
	return x, nil
}

// trim takes empty lines off both ends.
func trim(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// loaded takes new renderings and keeps the answers given so far.
func (s *Screen) loaded(msg loadedMsg) tea.Cmd {
	if msg.to != s || msg.request != s.request {
		return nil
	}
	s.rev++
	if msg.err != nil {
		s.loadErr = msg.err
		return nav.Fail(msg.err)
	}
	for i := range msg.questions {
		x := &msg.questions[i]
		if i < len(s.questions) && s.questions[i].ID == x.ID && len(s.questions[i].chosen) == len(x.chosen) {
			x.chosen, x.done = s.questions[i].chosen, s.questions[i].done
		}
	}
	s.questions = msg.questions
	return nil
}

// current is the question on the screen, nil at the end.
func (s *Screen) current() *question {
	if s.at >= len(s.questions) {
		return nil
	}
	return &s.questions[s.at]
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back):
		return nav.Go(nav.Back{})
	case s.scrolled(msg) || len(s.questions) == 0:
		return nil
	case s.current() == nil:
		return s.pressEnd(msg)
	case key.Matches(msg, s.keys.Prev):
		s.turn(-1)
		return nil
	case s.current().done:
		if key.Matches(msg, s.keys.Next) {
			s.turn(1)
		}
		return nil
	default:
		return s.pressAnswer(msg)
	}
}

// scrolled moves the text and tells whether the key was one that does. Space
// chooses while a question is open.
func (s *Screen) scrolled(msg tea.KeyPressMsg) bool {
	open := s.current() != nil && !s.current().done
	page := max(s.body.Height()-2, 1)
	switch {
	case key.Matches(msg, s.keys.Choose) && open:
		return false
	case key.Matches(msg, s.keys.PageDown):
		s.body.Scroll(page)
	case key.Matches(msg, s.keys.PageUp):
		s.body.Scroll(-page)
	default:
		return false
	}
	return true
}

// turn goes to another question, or to the end behind the last.
func (s *Screen) turn(by int) {
	s.at = max(min(s.at+by, len(s.questions)), 0)
	s.cursor = 0
	s.body.ScrollTo(0)
}

func (s *Screen) pressAnswer(msg tea.KeyPressMsg) tea.Cmd {
	x := s.current()
	switch {
	case key.Matches(msg, s.keys.Up):
		s.cursor = max(s.cursor-1, 0)
	case key.Matches(msg, s.keys.Down):
		s.cursor = min(s.cursor+1, len(x.Answers)-1)
	case key.Matches(msg, s.keys.Letter):
		n := int(msg.String()[0] - 'a')
		if n >= len(x.Answers) {
			return nil
		}
		s.cursor = n
		return s.choose(x)
	case key.Matches(msg, s.keys.Choose):
		return s.choose(x)
	case key.Matches(msg, s.keys.Check):
		if !x.Multiple {
			return s.choose(x)
		}
		if len(x.picked()) == 0 {
			return nav.Go(nav.Notice{Text: "Choose with the letters first; more than one may be right."})
		}
		return s.settle(x)
	}
	return nil
}

// choose takes the answer under the cursor: as the only one, or as one of
// several that enter will check.
func (s *Screen) choose(x *question) tea.Cmd {
	x.chosen[s.cursor] = !x.chosen[s.cursor]
	if x.Multiple {
		return nil
	}
	return s.settle(x)
}

// settle closes a question and hands its answers on.
func (s *Screen) settle(x *question) tea.Cmd {
	x.done = true
	lines, told := s.questionLines(x)
	s.body.SetLines(lines)
	s.body.ScrollTo(0)
	s.body.Reveal(told)
	keep := s.Answered
	if keep == nil {
		return nil
	}
	lesson, asked, picked, right := s.Stone.Lesson.ID, x.Question, x.picked(), x.right()
	return func() tea.Msg {
		if err := keep(lesson, asked, picked, right); err != nil {
			return nav.Notice{Text: err.Error(), Bad: true}
		}
		return nil
	}
}

func (x *question) right() bool { return x.Correct(x.picked()...) }

func (x *question) picked() []int {
	var out []int
	for i, on := range x.chosen {
		if on {
			out = append(out, i)
		}
	}
	return out
}

// again forgets the answers of this round.
func (s *Screen) again() {
	for i := range s.questions {
		x := &s.questions[i]
		x.chosen, x.done = make([]bool, len(x.Answers)), false
	}
	s.turn(-len(s.questions))
}

// score counts the questions answered right.
func (s *Screen) score() int {
	n := 0
	for i := range s.questions {
		if s.questions[i].done && s.questions[i].right() {
			n++
		}
	}
	return n
}

// missed are the headings to read again, each once, in the order of the
// questions.
func (s *Screen) missed() []string {
	var out []string
	for i := range s.questions {
		x := &s.questions[i]
		if x.done && !x.right() && x.Read != "" && !slices.Contains(out, x.Read) {
			out = append(out, x.Read)
		}
	}
	return out
}
