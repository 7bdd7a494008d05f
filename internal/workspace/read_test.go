package workspace_test

import (
	"testing"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

// TestReadIsDoneWithoutAnExercise holds that what has no exercise is done when it
// was read, and what has one is not.
func TestReadIsDoneWithoutAnExercise(t *testing.T) {
	w, stone := initialised(t), stoneS4(t)
	remember(t, w)
	store := w.Progress()
	page := &road.Stone{Lesson: lessons.OwnPage("team/deploy", "P1", "Deploy", "Team", "# Deploy\n")}
	if got := w.StateOf(page); got != workspace.Open || got.Done() {
		t.Errorf("before it was read: %s", got)
	}
	for _, id := range []string{page.Lesson.ID, stone.Lesson.ID} {
		if err := store.SaveRead(t.Context(), progress.LessonRead{Lesson: id}); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.StateOf(page); got != workspace.Read || !got.Done() {
		t.Errorf("after it was read: %s", got)
	}
	if got := w.StateOf(stone); got != workspace.Open || got.Done() {
		t.Errorf("a lesson with an exercise: %s", got)
	}
	read, err := store.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := (*workspace.Workspace)(nil).State(page, workspace.Known{Read: read}); got != workspace.Read {
		t.Errorf("without a workspace: %s", got)
	}
}
