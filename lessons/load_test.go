package lessons_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairn-learn/cairn/lessons"
)

const courseYAML = `title: Backend engineering
tracks:
  - id: sql
    letter: S
    title: SQL
    lessons:
      - id: sql/constraints
        stone: S1
        title: Constraints
        objective: Let the database refuse.
        minutes: 15
      - id: sql/lost-update
        stone: S4
        title: The lost update
        objective: See two requests overwrite each other.
        minutes: 20
        after: [S1]
        exercise: lostupdate
        services: [postgres]
paths:
  - id: short
    title: Short
    summary: Both.
    stages:
      - {title: All, stones: [S1, S4]}
`

const lessonMD = `# The lost update

A withdrawal disappears.

## Two readers, one writer

See [the rest](#what-to-do), [constraints](sql/constraints) and
[the manual](https://www.postgresql.org/docs/).

## What to do

Lock.
`

const quizYAML = `questions:
  - id: who
    ask: Who loses?
    read: sql/lost-update#what-to-do
    answers:
      - {text: the first, right: true, because: it is overwritten}
      - {text: the second, because: it writes last}
  - id: when
    ask: When?
    answers:
      - {text: always, because: only when both read first}
      - {text: sometimes, right: true, because: timing}
  - id: which
    ask: Which help?
    multiple: true
    answers:
      - {text: FOR UPDATE, right: true, because: it waits}
      - {text: a conditional update, right: true, because: it looks again}
      - {text: hope, because: it does not}
`

// folder is a content folder with one written lesson; replace changes its
// files.
func folder(replace ...string) fstest.MapFS {
	r := strings.NewReplacer(replace...)
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(r.Replace(s))} }
	return fstest.MapFS{
		"course.yaml":               file(courseYAML),
		"sql/lost-update.md":        file(lessonMD),
		"sql/lost-update.quiz.yaml": file(quizYAML),
	}
}

func load(t *testing.T, fsys fstest.MapFS) *lessons.Course {
	t.Helper()
	c, err := lessons.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoad(t *testing.T) {
	c := load(t, folder())
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	l := c.Stone("S4")
	if l == nil || l != c.Lesson("sql/lost-update") || !l.Written || l.Track.ID != "sql" || l.Exercise != "lostupdate" {
		t.Fatalf("S4 is %+v", l)
	}
	text, err := l.Markdown()
	if err != nil || text != lessonMD {
		t.Errorf("markdown: %q %v", text, err)
	}
	quiz, err := l.Quiz()
	if err != nil || len(quiz.Questions) != 3 {
		t.Fatalf("quiz: %+v %v", quiz, err)
	}
	if c.Path("short") == nil || c.Path("long") != nil {
		t.Error("paths are wrong")
	}
}

func TestUnwritten(t *testing.T) {
	l := load(t, folder()).Stone("S1")
	if l.Written {
		t.Fatal("S1 is written")
	}
	_, err := l.Markdown()
	if !errors.Is(err, lessons.ErrUnwritten) || err.Error() != "lesson sql/constraints is not written yet" {
		t.Errorf("markdown: %v", err)
	}
	if _, err := l.Quiz(); !errors.Is(err, lessons.ErrUnwritten) {
		t.Errorf("quiz: %v", err)
	}
}

func TestCorrect(t *testing.T) {
	quiz, err := load(t, folder()).Stone("S4").Quiz()
	if err != nil {
		t.Fatal(err)
	}
	who, which := quiz.Questions[0], quiz.Questions[2]
	for _, c := range []struct {
		q      lessons.Question
		chosen []int
		want   bool
	}{
		{who, []int{0}, true}, {who, []int{1}, false}, {who, nil, false}, {who, []int{0, 1}, false}, {who, []int{7}, false}, {who, []int{-1}, false},
		{which, []int{0, 1}, true}, {which, []int{1, 0}, true}, {which, []int{0}, false}, {which, []int{0, 1, 2}, false},
	} {
		if got := c.q.Correct(c.chosen...); got != c.want {
			t.Errorf("%s %v: %v", c.q.ID, c.chosen, got)
		}
	}
}

func TestCourseRefusals(t *testing.T) {
	const file = "content/course.yaml:"
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown prerequisite": {"after: [S1]", "after: [S9]", "17: lesson sql/lost-update comes after S9, which does not exist; the nearest is S1"},
		"after itself":         {"after: [S1]", "after: [S4]", "17: lesson sql/lost-update comes after itself: S4 after S4"},
		"circle":               {"minutes: 15", "minutes: 15\n        after: [S4]", "18: lesson sql/lost-update comes after itself: S1 after S4 after S1"},
		"twice after":          {"after: [S1]", "after: [S1, S1]", "17: lesson sql/lost-update comes after S1 twice"},
		"unknown key":          {"minutes: 15", "minuets: 15", `11: unknown key "minuets"`},
		"same id":              {"id: sql/lost-update", "id: sql/constraints", "12: there is another lesson with id sql/constraints"},
		"id of another track":  {"id: sql/lost-update", "id: data/lost-update", `12: lesson id "data/lost-update" is not sql/ and lower-case words joined by dashes`},
		"same stone":           {"stone: S4", "stone: S1", "13: there is another lesson with stone S1"},
		"odd stone":            {"stone: S4", "stone: X4", `13: stone "X4" of lesson sql/lost-update is not S and a number`},
		"no minutes":           {"minutes: 20", "minutes: 0", "16: lesson sql/lost-update takes 0 minutes; 5 to 60 are sane"},
		"no objective":         {"objective: See two requests overwrite each other.", `objective: ""`, "15: lesson sql/lost-update needs an objective of one line"},
		"unknown service":      {"[postgres]", "[postgre]", `19: lesson sql/lost-update needs service "postgre", which is none of docker, kubernetes, mongo, nats, postgres, rabbitmq, redis, s3`},
		"path":                 {"stones: [S1, S4]", "stones: [S1, S99]", "25: path short leads over S99, which does not exist; the nearest is S1"},
		"path twice":           {"stones: [S1, S4]", "stones: [S1, S1]", "25: path short leads over S1 twice"},
		"letter":               {"letter: S", "letter: SQ", "4: track sql needs a letter of one character"},
		"broken":               {"title: SQL\n", "title: [SQL\n", "6: ',' or ']' must be specified"},
		"wrong type":           {"minutes: 15", "minutes: long", `11: "long" is of type string, not int`},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := folder()
			text := strings.Replace(courseYAML, c.old, c.new, 1)
			if text == courseYAML {
				t.Fatalf("the course does not hold %q", c.old)
			}
			fsys["course.yaml"].Data = []byte(text)
			_, err := lessons.Load(fsys)
			if err == nil {
				t.Fatal("loaded without an error")
			}
			if first, _, _ := strings.Cut(err.Error(), "\n"); first != file+c.want {
				t.Errorf("got  %s\nwant %s%s", err, file, c.want)
			}
		})
	}
}

func TestEveryFaultIsNamed(t *testing.T) {
	fsys := folder("after: [S1]", "after: [S9]", "minutes: 15", "minutes: 1", "stones: [S1, S4]", "stones: [S7]")
	_, err := lessons.Load(fsys)
	if err == nil {
		t.Fatal("loaded without an error")
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 3 {
		t.Errorf("%d faults, want 3:\n%v", got, err)
	}
}

func TestNoCourse(t *testing.T) {
	if _, err := lessons.Load(fstest.MapFS{}); err == nil || err.Error() != "read the course: open course.yaml: file does not exist" {
		t.Errorf("got %v", err)
	}
}

func TestLessonRefusals(t *testing.T) {
	const md, quiz = "content/sql/lost-update.md:", "content/sql/lost-update.quiz.yaml:"
	for name, c := range map[string]struct{ old, new, want string }{
		"heading within":   {"(#what-to-do)", "(#what-todo)", md + `7: "sql/lost-update#what-todo" links to heading #what-todo, which lesson sql/lost-update does not have; the nearest is #what-to-do`},
		"another lesson":   {"(sql/constraints)", "(sql/constraint)", md + `7: "sql/constraint" links to lesson sql/constraint, which does not exist; the nearest is sql/constraints`},
		"unwritten":        {"(sql/constraints)", "(sql/constraints#x)", md + `7: "sql/constraints#x" links to a heading of lesson sql/constraints, which is not written yet`},
		"other title":      {"# The lost update\n", "# A lost update\n", md + `1: the heading is "A lost update", but the course calls lesson sql/lost-update "The lost update"`},
		"no title":         {"# The lost update\n", "", md + `1: lesson sql/lost-update does not begin with its title as a heading (# The lost update)`},
		"quiz link":        {"read: sql/lost-update#what-to-do", "read: sql/lost-update#nothing", quiz + `4: "sql/lost-update#nothing" links to heading #nothing, which lesson sql/lost-update does not have; the nearest is #what-to-do`},
		"unexplained":      {", because: it writes last", "", quiz + `7: answer "the second" of question "who" is not explained; say why under because`},
		"no right answer":  {"right: true, because: timing", "because: timing", quiz + `11: question "when" has no right answer`},
		"two right":        {"always, because", "always, right: true, because", quiz + `11: question "when" has 2 right answers; one is right unless it says multiple: true`},
		"same question":    {"id: when", "id: who", quiz + `8: there is another question with id "who"`},
		"nothing asked":    {"ask: When?", `ask: ""`, quiz + `8: question "when" asks nothing`},
		"same answer":      {"text: the second", "text: the first", quiz + `7: question "who" has this answer twice`},
		"unknown quiz key": {"multiple:", "multi:", quiz + `15: unknown key "multi"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := load(t, folder(c.old, c.new)).Validate()
			if err == nil {
				t.Fatal("valid")
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestStrayAndMissingFiles(t *testing.T) {
	noQuiz, noText, stray, odd, two := folder(), folder(), folder(), folder(), folder()
	delete(noQuiz, "sql/lost-update.quiz.yaml")
	delete(noText, "sql/lost-update.md")
	stray["sql/lost-updates.md"] = stray["sql/lost-update.md"]
	odd["sql/notes.txt"] = odd["sql/lost-update.md"]
	two["sql/lost-update.quiz.yaml"] = &fstest.MapFile{Data: []byte(quizYAML[:strings.Index(quizYAML, "  - id: when")])}
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		want string
	}{
		"no quiz": {noQuiz, "content/sql/lost-update.quiz.yaml:1: lesson sql/lost-update has no quiz; write it here"},
		"no text": {noText, "content/sql/lost-update.quiz.yaml:1: lesson sql/lost-update has a quiz but no text\ncontent/sql/lost-update.md:1: lesson sql/lost-update has exercise lostupdate but no text; write it here"},
		"stray":   {stray, "content/sql/lost-updates.md:1: the course has no lesson sql/lost-updates; the nearest is sql/lost-update"},
		"odd":     {odd, "content/sql/notes.txt:1: content holds lessons (.md) and quizzes (.quiz.yaml) only"},
		"short":   {two, "content/sql/lost-update.quiz.yaml:2: a quiz has 3 to 6 questions; this one has 1"},
	} {
		err := load(t, c.fsys).Validate()
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\ngot  %v\nwant %s", name, err, c.want)
		}
	}
}
