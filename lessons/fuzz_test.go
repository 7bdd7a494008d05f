package lessons_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/lessons"
)

var locatedForm = regexp.MustCompile(`^content/[a-z./-]+:[1-9][0-9]*: .`)

// located checks that an error names a file and a line for each of its faults.
func located(t *testing.T, err error) {
	t.Helper()
	faults := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		faults = joined.Unwrap()
	}
	for _, fault := range faults {
		if !locatedForm.MatchString(fault.Error()) {
			t.Errorf("the fault names no place: %q", fault)
		}
	}
}

// FuzzCourse holds that a course file is refused with its places, or is a course
// that can be walked.
func FuzzCourse(f *testing.F) {
	f.Add([]byte(courseYAML))
	f.Add([]byte("title: x\ntracks:\n  - id: a\n    letter: A\n    title: A\n    lessons:\n      - {id: a/b, stone: A1, title: B, objective: C, minutes: 9, after: [A1]}\n"))
	f.Add([]byte("tracks: [null, {lessons: [null]}]\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := folder()
		fsys["course.yaml"].Data = data
		c, err := lessons.Load(fsys)
		if err != nil {
			located(t, err)
			return
		}
		for _, l := range c.Lessons() {
			if c.Lesson(l.ID) != l || c.Stone(l.Stone) != l || l.Track == nil {
				t.Errorf("%s cannot be found again", l.ID)
			}
			for _, stone := range l.After {
				if c.Stone(stone) == nil {
					t.Errorf("%s comes after %s, which is nowhere", l.ID, stone)
				}
			}
		}
		if err := c.Validate(); err != nil {
			located(t, err)
		}
	})
}

// FuzzQuiz holds that a quiz is refused with its places, or can be answered.
func FuzzQuiz(f *testing.F) {
	f.Add([]byte(quizYAML))
	f.Add([]byte("questions: [null, null, null]\n"))
	f.Add([]byte("questions:\n  - {id: a, ask: b, read: 'x#y', answers: [{text: a, right: true, because: b}]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := folder()
		fsys["sql/lost-update.quiz.yaml"].Data = data
		c := load(t, fsys)
		if err := c.Validate(); err != nil {
			located(t, err)
			return
		}
		quiz, err := c.Stone("S4").Quiz()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range quiz.Questions {
			var right []int
			for i, a := range q.Answers {
				if a.Right {
					right = append(right, i)
				}
			}
			if len(right) == 0 || !q.Correct(right...) || q.Correct() || q.Correct(len(q.Answers)) {
				t.Errorf("question %q cannot be answered", q.ID)
			}
		}
	})
}

// FuzzMarkdown holds that the sections of a text are the text, and that every
// heading can be led to.
func FuzzMarkdown(f *testing.F) {
	f.Add(lessonMD)
	f.Add("# a\n# a\n```\n# no\n```\n#\n## a-1\n")
	f.Add("> # quoted\n\n- # in a list\n\nunder\n===\n\r\n# \x00")
	f.Fuzz(func(t *testing.T, text string) {
		var joined strings.Builder
		for _, s := range lessons.Split(text) {
			joined.WriteString(s.Source)
		}
		if joined.String() != text {
			t.Errorf("the sections of %q are %q", text, joined.String())
		}
		for _, h := range lessons.Headings(text) {
			if h.Offset < 0 || h.Offset >= len(text) || h.Level < 1 || h.Level > 6 {
				t.Errorf("heading %+v of %q", h, text)
			}
		}
		lessons.CodeBlocks(text)
	})
}
