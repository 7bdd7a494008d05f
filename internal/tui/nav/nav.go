// Package nav holds the messages by which a screen asks the program for
// something: another screen, a word in the status line, a workspace.
package nav

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// OpenLesson asks for the lesson of a stone, at a heading when Slug is set.
type OpenLesson struct {
	Stone *road.Stone
	Slug  string
}

// OpenQuiz asks for the questions of a stone's lesson.
type OpenQuiz struct{ Stone *road.Stone }

// OpenExercise asks for the exercise of a stone.
type OpenExercise struct{ Stone *road.Stone }

// OpenPaths asks for the paths, to take another one.
type OpenPaths struct{}

// Back asks for the screen before this one; on the first screen it quits.
type Back struct{}

// Home asks for the road, and closes every screen above it.
type Home struct{}

// Notice shows one sentence in the status line until the next key press.
type Notice struct {
	Text string
	Bad  bool
}

// NeedWorkspace asks the learner for a folder to work in.
type NeedWorkspace struct{}

// WorkspaceOpened tells every screen that there is a workspace now.
type WorkspaceOpened struct{ Workspace *workspace.Workspace }

// PathChosen tells every screen which path the learner walks now.
type PathChosen struct{ Path string }

// StateChanged tells the roadmap that an exercise was started or graded, or that a
// lesson was read to its end.
type StateChanged struct{}

// Go returns the command that delivers a message.
func Go(msg tea.Msg) tea.Cmd {
	return func() tea.Msg { return msg }
}

// Fail returns the command that shows an error in the status line.
func Fail(err error) tea.Cmd {
	return Go(Notice{Text: err.Error(), Bad: true})
}

// Keys are the bindings of a screen: Short for the footer, in order of
// importance, and Full for the help page, one group per column.
type Keys interface {
	Short() []key.Binding
	Full() []Group
}

// Group is a titled list of bindings on the help page.
type Group struct {
	Title    string
	Bindings []key.Binding
}

// Bind returns a binding: the keys as Bubble Tea names them, how the help
// shows them, and what they do.
func Bind(help, does string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, does))
}
