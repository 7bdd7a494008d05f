package tui

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/progress/sqlite"
	"github.com/cairn-learn/cairn/internal/tui/lesson"
	"github.com/cairn-learn/cairn/internal/tui/quiz"
)

// newStore opens a store of progress in a folder of its own.
func newStore(t *testing.T) progress.Store {
	t.Helper()
	store := sqlite.Open(filepath.Join(t.TempDir(), "progress.db"))
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestQuizIsAnsweredByLettersAndKept(t *testing.T) {
	store := newStore(t)
	r := newRig(t, Options{Progress: store, Workspace: graded(t, fixture(t), "failed.json")}, 80, 24)
	r.press("r", "a")
	r.wants("Where is the gap", "1 of 3", "a Between the read")
	r.refuses("Both readers see the same balance")
	r.press("h", "b")
	r.wants("✗ ● b Inside the update", "✓   a Between", "A single statement locks the row", "It only sees the balance once", "✗ Not quite.")
	r.press("a", "enter")
	r.wants("2 of 3")
	r.press("enter")
	r.wants("Choose with the letters first")
	r.press("c", "a", "b", "b", "enter")
	r.wants("✓ Right.", "Each process has a mutex of its own.")
	r.press("enter", "down", "space", "enter")
	r.wants("2 of 3 right", "On to the exercise")
	r.refuses("Read again")
	answers, err := store.Answers(t.Context(), "sql/lost-update")
	if err != nil {
		t.Fatal(err)
	}
	want := []progress.QuizAnswer{
		{Question: "gap", Chosen: []int{1}},
		{Question: "cures", Chosen: []int{0, 2}, Correct: true},
		{Question: "sign", Chosen: []int{1}, Correct: true},
	}
	if !slices.EqualFunc(answers, want, func(a, b progress.QuizAnswer) bool {
		return a.Question == b.Question && slices.Equal(a.Chosen, b.Chosen) && a.Correct == b.Correct && len(a.Asked) == 64
	}) {
		t.Errorf("kept %v, want %v", answers, want)
	}
	r.press("p")
	r.wants("3 of 3", "✓ Right.")
}

func TestQuizSaysWhatToReadAgainAndGoesThere(t *testing.T) {
	r := newRig(t, Options{Workspace: graded(t, fixture(t), "failed.json")}, 80, 24)
	walk := func(keys ...string) {
		r.press("r", "G", "enter")
		r.press("a", "enter", "a", "c", "enter", "enter", "a", "enter")
		r.wants("2 of 3 right", "Read again: S4 › Two readers, one writer")
		r.press(keys...)
	}
	walk("enter")
	if s, ok := r.app.top().(*lesson.Screen); !ok || s.Slug != "two-readers-one-writer" {
		t.Errorf("the heading was not opened: %T\n%s", r.app.top(), r.text())
	}
	r.wants("· Two readers, one writer")
	r.press("a")
	r.wants("2 of 3 right") // the questions are where they were left
	r.press("down", "down", "down", "enter")
	r.wants("1 of 3")
	r.refuses("●")
	r.press("q")
	r.wants("· Two readers, one writer")
	r.press("q")
	walk("x")
	r.wants("counts both of two withdrawals")
	r.press("q")
	if _, ok := r.app.top().(*quiz.Screen); !ok {
		t.Errorf("back from the exercise is %T, not the questions", r.app.top())
	}
}

func TestAnswerThatCannotBeKeptIsSaid(t *testing.T) {
	store := newStore(t)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{Progress: store, Workspace: graded(t, fixture(t), "failed.json")}, 80, 24)
	r.press("r", "a", "a")
	r.wants("✓ ● a", progress.ErrClosed.Error())
}

func TestPlaceAndReadingAreKept(t *testing.T) {
	store := newStore(t)
	road := fixture(t)
	ws := graded(t, road, "failed.json")
	r := newRig(t, Options{Road: road, Progress: store, Workspace: ws}, 80, 24)
	reads := func() int {
		all, err := store.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	r.press("r", "]", "]")
	if p, _, err := store.Place(t.Context(), "sql/lost-update"); err != nil || p.Heading != "how-it-looks-in-go" {
		t.Errorf("the place is %+v, %v", p, err)
	}
	if reads() != 0 {
		t.Error("the lesson counts as read before its end was seen")
	}
	r.press("G", "k", "G")
	if reads() != 1 {
		t.Error("the lesson does not count as read")
	}
	r.press("[", "[")
	left := r.text()
	again := newRig(t, Options{Road: road, Progress: store, Workspace: ws}, 80, 24)
	again.press("r")
	if again.text() != left {
		t.Errorf("the lesson opens at\n%s\nand was left at\n%s", again.text(), left)
	}
}

func TestProgramBeginsWhereItWasLeft(t *testing.T) {
	store := newStore(t)
	road := fixture(t)
	ws := graded(t, road, "failed.json")
	open := func() *rig { return newRig(t, Options{Road: road, Progress: store, Workspace: ws}, 80, 24) }
	r := open()
	r.wants("▸ ✗ S4")
	r.press("k", "k", "r") // F2, past a stone that is not written
	r.wants("F2 REST CRUD with net/http")
	r = open()
	r.wants("▸ ○ F2", "next: try again S4") // the choice is where it was; what is next has not changed
	r.press("r", "q", "j", "j")
	r.wants("▸ ✗ S4")
}

// In a small window the answers do not fit: what is said about the one that was
// given is seen, and the others can be reached.
func TestQuizShowsWhatIsSaidAboutTheAnswerGiven(t *testing.T) {
	r := newRig(t, Options{Workspace: graded(t, fixture(t), "failed.json")}, 60, 16)
	r.press("r", "a", "c")
	r.wants("✗ ● c", "It only sees the balance once", "✗ Not quite.")
	r.press("pgup", "pgup")
	r.wants("Where is the gap")
}
