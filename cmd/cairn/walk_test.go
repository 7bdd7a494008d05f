package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/content"
	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

// walked are the stones that TestWalk goes along, in this order.
var walked = []string{"F2", "F3", "F5", "F6", "S1", "S4", "D3"}

// TestWalk goes from nothing to passed exercises on the screens alone, by keys, as
// a newcomer would: find the stone, read its lesson to the end, answer its
// questions, begin the exercise, grade what was given, edit, grade again.
func TestWalk(t *testing.T) {
	t.Parallel()
	r := wholeRoad(t)
	w := newWalker(t)
	w.begin(r.Route("").First())
	for _, name := range walked {
		ok := t.Run(name, func(t *testing.T) {
			w.t = t
			stone, err := r.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			w.openLesson(stone)
			w.readToTheEnd()
			w.answer(stone)
			w.startExercise(stone)
			w.failFirst(stone)
			w.lookInside(stone)
			w.solve(stone)
			w.backOnTheRoad(stone)
		})
		if w.t = t; !ok {
			t.FailNow()
		}
	}
	w.leave()
	w.recorded()
}

func wholeRoad(t *testing.T) *road.Road {
	t.Helper()
	course, err := lessons.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := exercises.Load(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	r, err := road.Join(course, catalogue)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// begin is the first start: three questions, each with an answer that enter takes,
// everything fetched, and the first lesson; from there to the road.
func (w *walker) begin(first *road.Stone) {
	w.t.Helper()
	w.sees("1 of 3", "Which path")
	w.press("\r")
	w.sees("2 of 3", "Which editor", "what EDITOR says")
	w.press("\r")
	w.sees("3 of 3", "Where should your files go", "~/cairn-work")
	w.press("\r")
	w.await(longPatience, "Your workspace is ", "All is here. Enter begins with "+first.Lesson.Stone)
	w.press("\r")
	w.atLesson(first)
	w.press("q")
	w.sees(" 0 of ", "stones done", "press n")
}

// workspace is where the learner's files go.
func (w *walker) workspace() string { return filepath.Join(w.home, "cairn-work") }

// openLesson finds a stone on the road by its name.
func (w *walker) openLesson(s *road.Stone) {
	w.t.Helper()
	w.press("/")
	w.sees("find", "esc all stones")
	w.press(s.Lesson.Stone)
	w.until(patience, "the stone to be chosen", func(v screen) bool {
		return v.has("find "+s.Lesson.Stone) && v.has("▸ ○ "+s.Lesson.Stone)
	})
	w.press("\r")
	w.atLesson(s)
}

// atLesson waits for a lesson that has been drawn whole.
func (w *walker) atLesson(s *road.Stone) {
	w.t.Helper()
	w.until(patience, "the lesson "+s.Lesson.ID, func(v screen) bool {
		return strings.HasPrefix(v.lines[0], " "+s.Lesson.Stone+" "+s.Lesson.Title) && strings.HasSuffix(v.lines[0], "%")
	})
}

// readToTheEnd pages through a lesson until its questions are offered.
func (w *walker) readToTheEnd() {
	w.t.Helper()
	for range 200 {
		before := w.until(patience, "the lesson", func(v screen) bool { return strings.HasSuffix(v.lines[0], "%") })
		if strings.HasSuffix(before.lines[0], " 100%") {
			w.sees("Questions", "enter answers them")
			return
		}
		w.press(" ")
		w.until(patience, "the next page", func(v screen) bool { return v.flat != before.flat })
	}
	w.t.Fatal("the lesson has no end")
}

// answer goes through the questions of a lesson. The first is answered wrongly.
func (w *walker) answer(s *road.Stone) {
	w.t.Helper()
	quiz, err := s.Lesson.Quiz()
	if err != nil {
		w.t.Fatal(err)
	}
	w.press("\r")
	n := len(quiz.Questions)
	for i, q := range quiz.Questions {
		w.until(patience, "the question", func(v screen) bool {
			return strings.HasSuffix(v.lines[0], fmt.Sprintf(" %d of %d", i+1, n))
		})
		letters, said := rightAnswers(q), "✓ Right."
		if i == 0 {
			letters, said = wrongAnswer(q), "✗ Not quite."
		}
		if q.Multiple {
			letters += "\r"
		}
		w.press(letters)
		w.sees(said)
		w.press("\r")
	}
	w.sees(fmt.Sprintf("%d of %d right", n-1, n), "On to the exercise")
	if quiz.Questions[0].Read != "" {
		w.sees("Read again: ")
	}
}

// rightAnswers are the letters of the right answers to a question.
func rightAnswers(q lessons.Question) (letters string) {
	for i, a := range q.Answers {
		if a.Right {
			letters += string(rune('a' + i))
		}
	}
	return letters
}

// wrongAnswer is the letter of an answer that is wrong, or that is not all that is
// right.
func wrongAnswer(q lessons.Question) string {
	for i := range q.Answers {
		if !q.Correct(i) {
			return string(rune('a' + i))
		}
	}
	return "a"
}

// startExercise goes on from the questions, and finds the files in the workspace.
func (w *walker) startExercise(s *road.Stone) {
	w.t.Helper()
	for !w.until(patience, "a choice", func(v screen) bool { return v.has("▸") }).has("▸", "On to the exercise") {
		before := w.View().Text
		w.press("j")
		w.until(patience, "the choice to move", func(screen) bool { return w.View().Text != before })
	}
	w.press("\r")
	dir := filepath.Join(w.workspace(), s.Exercise.ID)
	w.sees("Task", s.Lesson.Stone+" "+s.Exercise.Title)
	w.until(longPatience, "everything to be ready", func(v screen) bool {
		return strings.HasSuffix(v.lines[0], " ready") && !strings.HasSuffix(v.lines[0], "getting ready")
	})
	for _, name := range s.Exercise.Edit {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			w.t.Error(err)
		}
	}
}

// failFirst grades what was given, and reads what is to be done first.
func (w *walker) failFirst(s *road.Stone) {
	w.t.Helper()
	w.press("g")
	w.until(longPatience, "the grade to fail", func(v screen) bool { return strings.Contains(v.lines[0], "✗ failed") })
	w.sees("✗ "+firstTitle(w.t, s), "Did ")
}

// lookInside opens what the failed grade left, where there is something.
func (w *walker) lookInside(s *road.Stone) {
	w.t.Helper()
	if s.Exercise.Postgres != nil {
		w.press("s")
		if s.Exercise.Redis != nil {
			w.sees("look at which?")
			w.press("p")
		}
		w.printed("=>")
		w.press("\\q\r")
		w.sees("✗ failed")
	}
	if s.Exercise.Redis != nil {
		w.press("s")
		if s.Exercise.Postgres != nil {
			w.sees("look at which?")
			w.press("r")
		}
		w.printed("127.0.0.1:")
		w.press("quit\r")
		w.sees("✗ failed")
	}
}

// firstTitle is the title of the check at which the given files fail.
func firstTitle(t *testing.T, s *road.Stone) string {
	t.Helper()
	golden, err := os.ReadFile(filepath.Join("..", "..", "exercises", s.Exercise.ID, "starter.feedback"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(golden)) {
		if title, ok := strings.CutPrefix(line, "title: "); ok {
			return strings.TrimSpace(title)
		}
	}
	t.Fatalf("the golden feedback of %s has no title", s.Exercise.ID)
	return ""
}

// solve edits the files, and grades again.
func (w *walker) solve(s *road.Stone) {
	w.t.Helper()
	w.press("e")
	w.printed(fmt.Sprintf("enter saves %d files of %s", len(s.Exercise.Edit), s.Exercise.ID))
	w.press("\r")
	w.sees("✗ failed")
	for _, name := range s.Exercise.Edit {
		mine, err1 := os.ReadFile(filepath.Join(w.workspace(), s.Exercise.ID, name))
		theirs, err2 := os.ReadFile(filepath.Join("..", "..", "exercises", s.Exercise.ID, name))
		if err1 != nil || err2 != nil || !bytes.Equal(mine, theirs) {
			w.t.Fatalf("the editor did not save %s: %v, %v", name, err1, err2)
		}
	}
	w.press("g")
	w.until(longPatience, "the grade to pass", func(v screen) bool { return strings.Contains(v.lines[0], "✓ passed") })
	w.sees("Well done.")
}

// backOnTheRoad looks at the stone that is done now.
func (w *walker) backOnTheRoad(s *road.Stone) {
	w.t.Helper()
	w.press("\r")
	w.done = append(w.done, s)
	w.sees(fmt.Sprintf(" %d of ", len(w.done)), "stones done", "● "+s.Lesson.Stone+" ")
}

func (w *walker) leave() {
	w.t.Helper()
	w.press("q")
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if err := w.WaitExit(ctx); err != nil {
		w.t.Fatalf("cairn ended with %v\n%s", err, w.View().Text)
	}
}

// recorded asks the commands what is remembered of the walk.
func (w *walker) recorded() {
	w.t.Helper()
	var p progressJSON
	if err := json.Unmarshal(w.ask("progress", "--json"), &p); err != nil {
		w.t.Fatal(err)
	}
	if n := len(w.done); p.Total.Done != n || p.Total.Read != n || p.Total.Attempts != 2*n {
		w.t.Errorf("progress tells of %d done, %d read, %d attempts, want %d, %d, %d", p.Total.Done, p.Total.Read, p.Total.Attempts, n, n, 2*n)
	}
	var passed passesJSON
	if err := json.Unmarshal(w.ask("report", "--json"), &passed); err != nil {
		w.t.Fatal(err)
	}
	var got, want []string
	for _, p := range passed.Passed {
		got = append(got, fmt.Sprintf("%s after %d attempts, %d hints", p.Exercise, p.Attempts, p.Hints))
	}
	for _, s := range w.done {
		want = append(want, s.Exercise.ID+" after 2 attempts, 0 hints")
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("the report tells of %q, want %q", got, want)
	}
}
