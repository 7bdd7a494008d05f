package tui

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/firststart"
	"github.com/cairn-learn/cairn/internal/tui/lesson"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/paths"
	"github.com/cairn-learn/cairn/internal/tui/setup"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// The smallest window that the screens fit into.
const (
	minWidth  = 60
	minHeight = 16
)

// screen is one page of the program. The root tells it about keys, sizes and
// its own messages; it draws into the space it is given and never blocks.
type screen interface {
	Init() tea.Cmd
	Update(msg tea.Msg) tea.Cmd
	View(width, height int) (string, *tea.Cursor)
	Keys() nav.Keys
	Title() string // for the title of the window
	Typing() bool  // letters belong to a text, not to commands
	Busy() bool    // something runs that the learner waits for
	SetTheme(t *theme.Theme) tea.Cmd
	Close() // the screen is left for good: stop what runs
}

// app is the root: the only tea.Model. It owns size, theme, help, the status
// line and the stack of screens.
type app struct {
	ctx  context.Context
	opts Options

	grader *attended

	look     *theme.Theme
	settings theme.Settings
	renderer *markdown.Renderer
	places   lesson.Places

	width, height int
	stack         []screen
	keys          globalKeys
	helpKeys      helpKeys
	promptKeys    promptKeys

	help   bool
	manual component.Pane
	notice nav.Notice
	prompt *component.Prompt
	making bool // the workspace is being made

	setup *setup.Setup // what is made ready in the background; nil before there is a workspace

	// Commands read it on goroutines of their own; only Update stores it.
	workspace atomic.Pointer[workspace.Workspace]

	crash crash
	wake  func(tea.Msg) // delivers a message from outside Update
}

func newApp(ctx context.Context, opts Options) *app {
	settings := theme.FromEnviron(opts.Environ)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &app{
		ctx: ctx, opts: opts, grader: &attended{Grader: opts.Grader}, settings: settings,
		renderer: markdown.NewRenderer(), places: lesson.Places{},
		keys: newGlobalKeys(), helpKeys: newHelpKeys(), promptKeys: newPromptKeys(),
		wake: func(tea.Msg) {},
	}
	a.keys.Doctor.SetEnabled(opts.Doctor != nil)
	a.workspace.Store(opts.Workspace)
	a.look = theme.New(a.themeName(theme.Dark))
	a.push(a.newRoadmap())
	if opts.First != nil {
		a.push(firststart.New(ctx, a.grader.attend(*opts.First), a.look))
	}
	return a
}

// themeName is the theme to use when the terminal's background asks for one.
func (a *app) themeName(background theme.Name) theme.Name {
	switch {
	case a.settings.NoColour:
		return theme.Plain
	case a.settings.Fixed != "":
		return a.settings.Fixed
	default:
		return background
	}
}

func (a *app) top() screen { return a.stack[len(a.stack)-1] }

func (a *app) push(s screen) { a.stack = append(a.stack, s) }

// Init starts the first screen and asks the terminal for its background.
func (a *app) Init() tea.Cmd {
	var cmds []tea.Cmd
	for _, s := range a.stack {
		cmds = append(cmds, s.Init())
	}
	if !a.settings.NoColour && a.settings.Fixed == "" {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	if a.opts.Trouble != nil {
		cmds = append(cmds, nav.Fail(a.opts.Trouble))
	}
	if a.opts.Open != "" {
		cmds = append(cmds, a.open(a.opts.Open))
	}
	if a.opts.Progress != nil {
		cmds = append(cmds, a.openProgress())
	}
	return a.guard(tea.Batch(cmds...))
}

// openProgress waits for the store and says what the learner should hear of it.
// That it can't be read, the roadmap says.
func (a *app) openProgress() tea.Cmd {
	ctx, store := a.ctx, a.opts.Progress
	return func() tea.Msg {
		notices, err := store.Opened(ctx)
		if err != nil || len(notices) == 0 {
			return nil
		}
		return nav.Notice{Text: strings.Join(notices, "; "), Bad: true}
	}
}

// Update routes a message. A panic anywhere below ends the program with the
// terminal restored.
func (a *app) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	defer func() {
		if a.crash.recovered(recover()) {
			model, cmd = a, tea.Quit
		}
	}()
	if a.crash.happened() {
		return a, tea.Quit
	}
	return a, a.guard(a.route(msg))
}

func (a *app) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case crashMsg:
		return tea.Quit
	case tea.KeyPressMsg:
		return a.press(msg)
	case tea.PasteMsg:
		if a.prompt != nil {
			a.prompt.Update(msg)
			return nil
		}
		return a.top().Update(msg)
	case tea.WindowSizeMsg:
		a.width, a.height = msg.Width, msg.Height
		return a.broadcast(msg)
	case tea.BackgroundColorMsg:
		return a.setTheme(a.themeName(theme.ForBackground(msg.Color)))
	case nav.OpenLesson, nav.OpenQuiz, nav.OpenExercise, nav.Back, nav.Home:
		return a.navigate(msg)
	case nav.Notice:
		a.notice = msg
		return nil
	case nav.NeedWorkspace:
		return a.askWorkspace()
	case workspaceMadeMsg:
		return a.workspaceMade(msg)
	case firststart.Settled:
		return a.settled(msg)
	case firststart.Done:
		return a.begin()
	case nav.OpenPaths:
		return a.enter(paths.New(a.opts.Road, a.opts.Road.Route(a.opts.Path), a.look))
	case paths.Chosen:
		return a.choosePath(msg.Path)
	case pathKeptMsg:
		return a.pathKept(msg)
	default:
		return tea.Batch(a.prepared(msg), a.broadcast(msg))
	}
}

// broadcast gives a message to every screen: a result may belong to one that
// lies below, and each knows its own by the id of the request.
func (a *app) broadcast(msg tea.Msg) tea.Cmd {
	cmds := make([]tea.Cmd, 0, len(a.stack))
	for _, s := range a.stack {
		cmds = append(cmds, s.Update(msg))
	}
	return tea.Batch(cmds...)
}

func (a *app) press(msg tea.KeyPressMsg) tea.Cmd {
	a.notice = nav.Notice{}
	switch {
	case key.Matches(msg, a.keys.Quit):
		return tea.Quit
	case key.Matches(msg, a.keys.Suspend):
		return tea.Suspend
	case a.prompt != nil:
		return a.pressPrompt(msg)
	case key.Matches(msg, a.keys.Doctor) && !a.top().Typing():
		a.help = false
		return a.openDoctor()
	case a.help:
		a.pressHelp(msg)
		return nil
	case key.Matches(msg, a.keys.Help) && !a.top().Typing():
		a.help = true
		a.manual.ScrollTo(0)
		return nil
	default:
		return a.top().Update(msg)
	}
}

func (a *app) pressHelp(msg tea.KeyPressMsg) {
	switch {
	case key.Matches(msg, a.helpKeys.Close):
		a.help = false
	case key.Matches(msg, a.helpKeys.Down):
		a.manual.Scroll(1)
	case key.Matches(msg, a.helpKeys.Up):
		a.manual.Scroll(-1)
	}
}

func (a *app) setTheme(name theme.Name) tea.Cmd {
	if name == a.look.Name {
		return nil
	}
	a.look = theme.New(name)
	var cmds []tea.Cmd
	for _, s := range a.stack {
		cmds = append(cmds, s.SetTheme(a.look))
	}
	return tea.Batch(cmds...)
}

// View draws the whole window. Fields that one screen sets and another does
// not would be switched on and off, so all of them are set here.
func (a *app) View() (v tea.View) {
	defer func() {
		if a.crash.recovered(recover()) {
			go a.wake(crashMsg{})
		}
		v.AltScreen = true
	}()
	if a.width == 0 || a.crash.happened() {
		return v
	}
	content, cursor := a.draw()
	if a.settings.ASCII {
		content = theme.ASCII(content)
	}
	v = tea.NewView(content)
	v.Cursor = cursor
	v.WindowTitle = "cairn"
	if title := a.top().Title(); title != "" {
		v.WindowTitle = title + " - cairn"
	}
	switch {
	case a.top().Busy():
		v.ProgressBar = tea.NewProgressBar(tea.ProgressBarIndeterminate, 0)
	case a.setup != nil && a.setup.Running():
		v.ProgressBar = tea.NewProgressBar(tea.ProgressBarDefault, int(100*a.setup.Fraction()))
	}
	return v
}

func (a *app) draw() (string, *tea.Cursor) {
	if a.width < minWidth || a.height < minHeight {
		return tooSmall(a.width, a.height), nil
	}
	body := a.height - 1
	if a.help {
		return a.drawHelp(body), nil
	}
	content, cursor := a.top().View(a.width, body)
	last := a.keys.Help
	last.SetEnabled(!a.top().Typing())
	foot := component.Footer(a.look, a.top().Keys().Short(), last, a.width)
	if a.prompt != nil {
		line, at := a.prompt.View(a.look, a.width)
		return content + "\n" + line, tea.NewCursor(at, body)
	}
	if a.notice.Text != "" {
		foot = a.drawNotice()
	}
	return content + "\n" + foot, cursor
}

func (a *app) drawNotice() string {
	style := a.look.Strong
	if a.notice.Bad {
		style = a.look.Bad
	}
	return component.Fit(" "+style.Render(strings.ReplaceAll(a.notice.Text, "\n", " ")), a.width)
}

func (a *app) drawHelp(height int) string {
	groups := append(a.top().Keys().Full(), a.keys.group())
	lines := []string{a.look.Strong.Render("Keys"), ""}
	lines = append(lines, component.Help(a.look, groups, a.width-4)...)
	a.manual.SetHeight(height)
	a.manual.SetLines(lines)
	rows := component.Box(a.manual.Visible(), a.width-4, height)
	for i := range rows {
		rows[i] = "  " + rows[i] + "  "
	}
	return strings.Join(rows, "\n") + "\n" + component.Footer(a.look, a.helpKeys.short(), a.keys.Quit, a.width)
}

func tooSmall(width, height int) string {
	text := fmt.Sprintf("cairn needs a window of %d by %d; this one is %d by %d. Make it larger, or press ctrl+c.", minWidth, minHeight, width, height)
	lines := component.Wrap(text, max(width, 1))
	return strings.Join(lines[:min(len(lines), max(height, 1))], "\n")
}
