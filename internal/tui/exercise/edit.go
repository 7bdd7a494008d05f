package exercise

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

// editorMsg brings the command that opens the learner's files.
type editorMsg struct {
	to
	cmd    *exec.Cmd
	window bool // the editor has a window of its own
	err    error
}

// editedMsg says that the editor was closed.
type editedMsg struct {
	to
	err error
}

// edit looks for the editor, which reads the disk.
func (s *Screen) edit() tea.Cmd {
	if s.Workspace == nil {
		return nav.Go(nav.NeedWorkspace{})
	}
	find, e, ws := s.Editor, s.Stone.Exercise, s.Workspace
	return func() tea.Msg {
		if _, err := ws.Start(e); err != nil { // a file may have been deleted
			return editorMsg{to: to{s}, err: err}
		}
		ed, err := find()
		if err != nil {
			return editorMsg{to: to{s}, err: err}
		}
		var files []string
		for _, name := range e.Edit {
			files = append(files, filepath.Join(ws.ExerciseDir(e.ID), filepath.FromSlash(name)))
		}
		cmd := ed.Command(files...)
		cmd.Dir = ws.ExerciseDir(e.ID)
		return editorMsg{to: to{s}, cmd: cmd, window: ed.Window}
	}
}

// openEditor hands the terminal to the editor. One with a window of its own
// runs beside, and the screen goes on.
func (s *Screen) openEditor(msg editorMsg) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	if msg.window {
		run := func() tea.Msg { return editedMsg{to: to{s}, err: msg.cmd.Run()} }
		return tea.Batch(run, nav.Go(nav.Notice{Text: "Your editor is open in its own window."}))
	}
	return tea.Exec(&unhurried{msg.cmd}, func(err error) tea.Msg {
		return editedMsg{to: to{s}, err: err}
	})
}

// unhurried is a command that takes a moment even when its program fails at
// once. Bubble Tea 2.1.1 stops its renderer's clock on a goroutine of its own;
// when the terminal comes back before that has run, the clock is stopped for
// good and nothing is ever drawn again.
type unhurried struct{ *exec.Cmd }

const moment = 50 * time.Millisecond

// Run runs the command.
func (u *unhurried) Run() error {
	begun := time.Now()
	err := u.Cmd.Run()
	time.Sleep(moment - time.Since(begun))
	return err
}

// The streams are the terminal's, unless the command has its own.

func (u *unhurried) SetStdin(r io.Reader) {
	if u.Stdin == nil {
		u.Stdin = r
	}
}

func (u *unhurried) SetStdout(w io.Writer) {
	if u.Stdout == nil {
		u.Stdout = w
	}
}

func (u *unhurried) SetStderr(w io.Writer) {
	if u.Stderr == nil {
		u.Stderr = w
	}
}

func (s *Screen) edited(msg editedMsg) tea.Cmd {
	if msg.err == nil {
		return nil
	}
	return nav.Fail(fmt.Errorf("your editor ended with an error: %w", msg.err))
}
