package exercise

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/watch"
)

// watching is the mode in which every save is graded.
type watching struct {
	stop  context.CancelFunc
	files *watch.Watcher // nil until it has begun
	saved time.Time      // of the last save; zero before the first
}

// watchingMsg says that saves are noticed from now on.
type watchingMsg struct {
	to
	mode  *watching
	files *watch.Watcher
}

// savedMsg says that the learner saved something that counts, or that the
// watching has ended.
type savedMsg struct {
	to
	mode  *watching
	ended bool
}

// watch switches the mode on or off. Its watcher reads the disk.
func (s *Screen) watch() tea.Cmd {
	if s.Workspace == nil {
		return nav.Go(nav.NeedWorkspace{})
	}
	if s.watching != nil {
		s.watching.stop()
		s.watching = nil
		return nav.Go(nav.Notice{Text: "No longer watching. g grades."})
	}
	ctx, stop := context.WithCancel(s.ctx)
	s.watching = &watching{stop: stop}
	mode, spec, dir := s.watching, s.Stone.Exercise.Spec(), s.Workspace.ExerciseDir(s.Stone.Exercise.ID)
	return func() tea.Msg {
		files := watch.Folder(ctx, dir, func() string { return grader.Fingerprint(spec, dir) }, watch.Options{})
		return watchingMsg{to: to{s}, mode: mode, files: files}
	}
}

func (s *Screen) watches(msg watchingMsg) tea.Cmd {
	if msg.mode != s.watching {
		return nil // switched off again before it had begun
	}
	s.watching.files = msg.files
	said := nav.Notice{Text: "Watching: every save is graded. w ends it."}
	if msg.files.Polling != nil {
		said = nav.Notice{Text: fmt.Sprintf("Watching, by looking now and then: this system tells no changes (%v).", msg.files.Polling), Bad: true}
	}
	return tea.Batch(nav.Go(said), s.awaitSave(s.watching))
}

// awaitSave waits for the next save. While an editor has the terminal nobody
// takes the message; the newest save waits in the watcher.
func (s *Screen) awaitSave(mode *watching) tea.Cmd {
	return func() tea.Msg {
		_, open := <-mode.files.C
		return savedMsg{to: to{s}, mode: mode, ended: !open}
	}
}

// saved grades what was saved. A grade under way is of older files, and gives way.
func (s *Screen) saved(msg savedMsg) tea.Cmd {
	if msg.mode != s.watching || msg.ended {
		return nil
	}
	s.watching.saved = time.Now()
	return tea.Batch(s.grade(), s.awaitSave(s.watching))
}

// watchStatus is what the corner says of the mode: "watching · saved 12:04:31".
func (s *Screen) watchStatus() string {
	switch {
	case s.watching == nil || s.watching.files == nil:
		return ""
	case s.watching.saved.IsZero():
		return "watching"
	default:
		return "watching · saved " + s.watching.saved.Local().Format(time.TimeOnly)
	}
}
