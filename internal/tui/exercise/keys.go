package exercise

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/nav"
)

type keys struct {
	Grade, Edit, Watch, Shell        key.Binding
	Hint, Log, Task, Read            key.Binding
	Up, Down, PageDown, PageUp, Pane key.Binding
	Top, End, Stop, Back, On         key.Binding
}

// newKeys returns the keys of an exercise that is examined with these services.
func newKeys(services []string) keys {
	look := "data"
	switch {
	case len(services) == 1 && services[0] == "postgres":
		look = "database"
	case len(services) == 1 && services[0] == "redis":
		look = "Redis"
	}
	k := keys{
		Grade:    nav.Bind("g", "grade", "g"),
		Edit:     nav.Bind("e", "edit", "e"),
		Watch:    nav.Bind("w", "watch", "w"),
		Shell:    nav.Bind("s", look, "s"),
		Hint:     nav.Bind("h", "hint", "h"),
		Log:      nav.Bind("l", "log", "l"),
		Task:     nav.Bind("t", "task", "t"),
		Read:     nav.Bind("r", "read on", "r"),
		Up:       nav.Bind("k ↑", "check above, or scroll", "k", "up"),
		Down:     nav.Bind("j ↓", "check below, or scroll", "j", "down"),
		PageDown: nav.Bind("space", "page down", "space", "pgdown", "ctrl+d"),
		PageUp:   nav.Bind("b", "page up", "b", "pgup", "ctrl+u"),
		Top:      nav.Bind("home", "beginning", "home"),
		End:      nav.Bind("G", "end", "G", "end"),
		Pane:     nav.Bind("tab", "next pane", "tab"),
		Stop:     nav.Bind("esc", "stop grading", "esc"),
		Back:     nav.Bind("q", "back", "q", "esc"),
		On:       nav.Bind("enter", "on along the road", "enter"),
	}
	k.Shell.SetEnabled(len(services) > 0)
	return k
}

// runKeys are shown while a grade runs.
type runKeys struct{ keys }

func (k runKeys) Short() []key.Binding {
	return []key.Binding{k.Stop, k.Grade, k.Edit, k.Task, k.Pane, k.Down}
}

// askKeys are shown while the screen asks whether to show a hint.
type askKeys struct{ Yes, No key.Binding }

func newAskKeys() askKeys {
	return askKeys{Yes: nav.Bind("y", "show it", "y", "enter", "h"), No: nav.Bind("any other key", "not yet", "n", "esc")}
}

func (k askKeys) Short() []key.Binding { return []key.Binding{k.Yes, k.No} }

func (k askKeys) Full() []nav.Group {
	return []nav.Group{{Title: "Hint", Bindings: k.Short()}}
}

// chooseKeys are shown while the screen asks which service to look at.
type chooseKeys []key.Binding

func newChooseKeys(worlds []report.World) chooseKeys {
	var all chooseKeys
	for _, w := range worlds {
		c := clients[w.Service]
		all = append(all, nav.Bind(c.key, c.service, c.key))
	}
	return append(all, nav.Bind("any other key", "at neither", "esc"))
}

func (k chooseKeys) Short() []key.Binding { return k }

func (k chooseKeys) Full() []nav.Group { return []nav.Group{{Title: "Look", Bindings: k}} }

// Keys returns the bindings that work now.
func (s *Screen) Keys() nav.Keys {
	switch {
	case s.choosing != nil:
		return newChooseKeys(s.choosing)
	case s.asking:
		return newAskKeys()
	case s.run != nil:
		return runKeys{s.keys}
	case s.showTask() && !s.wide():
		return taskKeys{s.keys}
	case s.passed():
		return passedKeys{s.keys}
	default:
		return s.keys
	}
}

// taskKeys are shown while the task has the window to itself.
type taskKeys struct{ keys }

func (k taskKeys) Short() []key.Binding {
	return []key.Binding{k.PageDown, k.Edit, k.Grade, nav.Bind("t", "checks", "t"), k.Back, k.Hint, k.Watch, k.Shell}
}

// passedKeys are shown when there is nothing left to do here.
type passedKeys struct{ keys }

func (k passedKeys) Short() []key.Binding {
	return []key.Binding{k.On, k.Grade, k.Edit, k.Task, k.Back, k.Watch, k.Log, k.Read, k.Pane}
}

// Short is what the footer shows.
func (k keys) Short() []key.Binding {
	return []key.Binding{k.Grade, k.Edit, k.Hint, k.Task, k.Back, k.Watch, k.Shell, k.Log, k.Read, k.Pane}
}

// Full is what the help page shows.
func (k keys) Full() []nav.Group {
	return []nav.Group{
		{Title: "Work", Bindings: []key.Binding{k.Grade, k.Edit, k.Watch, k.Hint, k.Log, k.Shell, k.Task, k.Read, k.On, k.Stop, k.Back}},
		{Title: "Look", Bindings: []key.Binding{k.Down, k.Up, k.PageDown, k.PageUp, k.Top, k.End, k.Pane}},
	}
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	k := s.keys
	switch {
	case s.choosing != nil:
		return s.choose(msg)
	case s.asking:
		s.asking = false
		if key.Matches(msg, newAskKeys().Yes) {
			return s.climb()
		}
	case key.Matches(msg, k.Grade):
		return s.grade()
	case key.Matches(msg, k.Edit):
		return s.edit()
	case key.Matches(msg, k.Watch):
		return s.watch()
	case key.Matches(msg, k.Shell):
		return s.shell()
	case key.Matches(msg, k.Hint):
		return s.hint()
	case key.Matches(msg, k.Log):
		s.togglePage(logPage)
	case key.Matches(msg, k.Task):
		s.toggleTask()
	case key.Matches(msg, k.Read):
		return s.readOn()
	case key.Matches(msg, k.Pane):
		s.nextPane()
	case key.Matches(msg, k.On) && s.passed():
		return nav.Go(nav.Home{})
	case key.Matches(msg, k.Back):
		return s.back(msg.String() == "esc")
	default:
		s.move(msg)
	}
	return nil
}

// back leaves what is open, in this order: a page, the run (with esc), the
// task on a narrow window, the screen.
func (s *Screen) back(esc bool) tea.Cmd {
	switch {
	case s.page != evidencePage:
		s.page = evidencePage
		s.evidence.ScrollTo(0)
		return nil
	case esc && s.stop():
		return nil
	default:
		return nav.Go(nav.Back{})
	}
}

// hint shows the rungs that were asked for, and asks before the next.
func (s *Screen) hint() tea.Cmd {
	if len(s.Stone.Exercise.Hints) == 0 {
		return nav.Go(nav.Notice{Text: "This exercise has no hints."})
	}
	if s.hints > 0 && s.page != hintPage {
		s.openPage(hintPage)
		return nil
	}
	if s.hints >= len(s.Stone.Exercise.Hints) {
		return nav.Go(nav.Notice{Text: "That was the last hint. The lesson (r) says more."})
	}
	s.openPage(hintPage)
	s.asking = true
	return nil
}

// climb shows the next rung, and remembers it.
func (s *Screen) climb() tea.Cmd {
	s.hints++
	s.openPage(hintPage)
	s.evidence.SetLines(s.hintLines())
	s.evidence.ScrollTo(len(s.evidence.Lines())) // the new rung is the last
	ws, id, n := s.Workspace, s.Stone.Exercise.ID, s.hints
	if ws == nil {
		return nil
	}
	return func() tea.Msg {
		if err := ws.SawHint(id, n); err != nil {
			return nav.Notice{Text: err.Error(), Bad: true}
		}
		return nil
	}
}

func (s *Screen) openPage(p page) {
	s.page, s.focus, s.taskAlone = p, evidencePane, false
	s.evidence.ScrollTo(0)
}

func (s *Screen) togglePage(p page) {
	if s.page == p {
		s.page = evidencePage
		s.evidence.ScrollTo(0)
		return
	}
	s.openPage(p)
}

func (s *Screen) toggleTask() {
	if s.wide() {
		s.hideTask = !s.hideTask
	} else {
		s.taskAlone = !s.taskAlone
	}
	if s.showTask() {
		s.focus = taskPane
	}
}

func (s *Screen) nextPane() {
	visible := s.panes()
	for i, p := range visible {
		if p == s.focused() {
			s.focus = visible[(i+1)%len(visible)]
			return
		}
	}
}

// focused is the pane that the keys go to: the one chosen, when it is seen.
func (s *Screen) focused() pane {
	visible := s.panes()
	for _, p := range visible {
		if p == s.focus {
			return p
		}
	}
	return visible[0]
}

// move scrolls the pane that has the focus, or moves the choice.
func (s *Screen) move(msg tea.KeyPressMsg) {
	k := s.keys
	target := &s.evidence
	if s.focused() == taskPane {
		target = &s.task
	}
	step := 0
	switch {
	case key.Matches(msg, k.Down):
		step = 1
	case key.Matches(msg, k.Up):
		step = -1
	case key.Matches(msg, k.PageDown):
		target.Scroll(max(target.Height()-2, 1))
		return
	case key.Matches(msg, k.PageUp):
		target.Scroll(-max(target.Height()-2, 1))
		return
	case key.Matches(msg, k.Top):
		target.ScrollTo(0)
		return
	case key.Matches(msg, k.End):
		target.ScrollTo(len(target.Lines()))
		return
	default:
		return
	}
	if s.focused() != checksPane {
		target.Scroll(step)
		return
	}
	row := max(min(s.row+step, len(s.checks)), 0)
	if row != s.row {
		s.row, s.follow, s.page = row, false, evidencePage
		s.evidence.ScrollTo(0)
	}
}

// readOn opens the lesson where the finding says to read, else at its start.
func (s *Screen) readOn() tea.Cmd {
	if c := s.chosen(); c != nil && c.Feedback != nil && c.Feedback.Read != "" {
		id, slug, _ := strings.Cut(c.Feedback.Read, "#")
		if stone, err := s.Road.Find(id); err == nil && stone.Lesson.Written {
			return nav.Go(nav.OpenLesson{Stone: stone, Slug: slug})
		}
	}
	return nav.Go(nav.OpenLesson{Stone: s.Stone})
}

// place names a link as a reader would: "S4 › Two readers, one writer".
func (s *Screen) place(link string) string {
	l, h, err := s.Road.Course.Resolve(link)
	switch {
	case err != nil:
		return link
	case h == nil:
		return l.Stone + " " + l.Title + " (r)"
	default:
		return l.Stone + " › " + h.Text + " (r)"
	}
}

// finding returns the lines of evidence on the chosen check.
func (s *Screen) finding(width int) []string {
	c := *s.chosen()
	blocker := ""
	for _, other := range s.checks {
		if other.ID == c.BlockedBy && c.BlockedBy != "" {
			blocker = other.Title
		}
	}
	if c.Feedback != nil && c.Feedback.Read != "" {
		f := *c.Feedback
		f.Read = s.place(f.Read)
		c.Feedback = &f
	}
	if s.running[c.ID] && c.Status == report.Status("") {
		return []string{s.Theme.Accent.Render("▸ " + c.Title), s.Theme.Muted.Render("runs now")}
	}
	return component.Evidence(s.Theme, c, blocker, width)
}
