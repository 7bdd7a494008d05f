package lessons_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairn-learn/cairn/lessons"
)

// pages is a content folder whose course has a first page and one that opens its
// track; without names files to leave out.
func pages(without ...string) fstest.MapFS {
	fsys := folder("title: Backend engineering\n", "title: Backend engineering\nwelcome: {title: Hello, objective: Begin here., minutes: 3}\n",
		"title: SQL\n", "title: SQL\n    opening: {title: Tables, objective: What they are for., minutes: 4}\n")
	fsys["welcome.md"] = &fstest.MapFile{Data: []byte("# Hello\n\nGo on to [tables](sql/opening).\n")}
	fsys["sql/opening.md"] = &fstest.MapFile{Data: []byte("# Tables\n\nThen [lose something](sql/lost-update#what-to-do).\n")}
	for _, name := range without {
		delete(fsys, name)
	}
	return fsys
}

func TestPages(t *testing.T) {
	c, err := lessons.Load(pages())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	var got []string
	for _, p := range c.Pages() {
		q, err := p.Quiz()
		if err != nil || len(q.Questions) != 0 || !p.Page || !p.Written {
			t.Errorf("%s: %+v, quiz %v %v", p.ID, p, q, err)
		}
		got = append(got, p.Stone+" "+p.ID)
	}
	if s := strings.Join(got, ", "); s != "0 welcome, S0 sql/opening" {
		t.Errorf("pages: %s", s)
	}
	for _, l := range c.Lessons() {
		if l.Page {
			t.Errorf("%s counts as a lesson", l.ID)
		}
	}
}

func TestPageFaults(t *testing.T) {
	quiz := pages()
	quiz["sql/opening.quiz.yaml"] = quiz["sql/lost-update.quiz.yaml"]
	after := pages()
	after["course.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(after["course.yaml"].Data), "after: [S1]", "after: [S0]", 1))}
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		want string
	}{
		"no text":  {pages("sql/opening.md"), "content/sql/opening.md:1: the course names page sql/opening, which has no text; write it here"},
		"a quiz":   {quiz, "content/sql/opening.quiz.yaml:1: page sql/opening is to be read only; it has no quiz"},
		"required": {after, "lesson sql/lost-update comes after S0, which does not exist"},
	} {
		course, err := lessons.Load(c.fsys)
		if err == nil {
			err = course.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", name, err, c.want)
		}
	}
}
