// Package lessons understands what a learner reads: the course with its tracks,
// lessons and paths, the markdown of each lesson, and its quiz.
package lessons

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// Course is everything there is to learn, in order.
type Course struct {
	Title   string
	Welcome *Lesson // the first page of all; nil when there is none
	Tracks  []*Track
	Paths   []*Path

	fsys    fs.FS
	byID    map[string]*Lesson
	byStone map[string]*Lesson
}

// Track is a stretch of the road: lessons on one subject.
type Track struct {
	ID      string // "sql"
	Letter  string // "S": what its stones begin with
	Title   string
	Opening *Lesson // what the track is for; nil when there is none
	Lessons []*Lesson
}

// Lesson is one stone of the road. Written says whether there is something to
// read yet; an unwritten lesson has neither markdown nor quiz nor exercise.
type Lesson struct {
	ID        string // "sql/lost-update"
	Stone     string // "S4"
	Title     string
	Objective string // one line
	Minutes   int    // to read it and answer its quiz; the exercise has its own
	After     []string
	Exercise  string   // exercise id, or ""
	Services  []string // what its exercise is examined with: "postgres", "redis", …
	Written   bool
	Page      bool   // to be read only, without quiz and exercise
	Own       bool   // a page of a path that is not of the course: a step of it, done when it was read
	Track     *Track // nil for the first page and for pages of own paths

	fsys     fs.FS
	text     string    // of an own page
	headings []Heading // of a written lesson
}

// Path is one way to walk the road, for one kind of learner.
type Path struct {
	ID      string // "bootcamp"
	Title   string
	Summary string
	Own     bool // made by somebody for their people, and not of the course
	Stages  []Stage
}

// Stage is a part of a path: a week, or a step of a spiral.
type Stage struct {
	Title  string
	Stones []string
	By     time.Time // the day by which it should be done, at 00:00 UTC; zero when no matter
}

// ErrUnwritten is wrapped by the errors of Markdown and Quiz for a lesson that
// is on the road but has not been written.
var ErrUnwritten = errors.New("is not written yet")

// Lessons returns every lesson in the order of the road, without the pages that
// open it and its tracks.
func (c *Course) Lessons() []*Lesson {
	var all []*Lesson
	for _, t := range c.Tracks {
		all = append(all, t.Lessons...)
	}
	return all
}

// Pages returns the first page and the opening pages, in the order of the road.
func (c *Course) Pages() []*Lesson {
	var all []*Lesson
	if c.Welcome != nil {
		all = append(all, c.Welcome)
	}
	for _, t := range c.Tracks {
		if t.Opening != nil {
			all = append(all, t.Opening)
		}
	}
	return all
}

// Lesson returns the lesson or page with the given id ("sql/lost-update"), or nil.
func (c *Course) Lesson(id string) *Lesson { return c.byID[id] }

// Stone returns the lesson with the given stone ("S4"), or nil.
func (c *Course) Stone(stone string) *Lesson { return c.byStone[stone] }

// Path returns the path with the given id, or nil.
func (c *Course) Path(id string) *Path {
	for _, p := range c.Paths {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Resolve finds what a link such as "sql/lost-update#two-readers" leads to. The
// heading is nil when the link names a lesson only. A link to a lesson that is
// not written resolves when it names no heading. The error is one sentence that
// suggests the nearest right name.
func (c *Course) Resolve(link string) (*Lesson, *Heading, error) {
	id, slug, hasSlug := strings.Cut(link, "#")
	l := c.byID[id]
	if l == nil {
		return nil, nil, fmt.Errorf("%q links to lesson %s, which does not exist; the nearest is %s", link, id, c.NearestID(id))
	}
	if !hasSlug {
		return l, nil, nil
	}
	if !l.Written {
		return nil, nil, fmt.Errorf("%q links to a heading of lesson %s, which %w", link, id, ErrUnwritten)
	}
	for i := range l.headings {
		if l.headings[i].Slug == slug {
			return l, &l.headings[i], nil
		}
	}
	return nil, nil, fmt.Errorf("%q links to heading #%s, which lesson %s does not have; the nearest is #%s", link, slug, id, nearestSlug(slug, l.headings))
}

// Markdown returns the text of the lesson, without its front matter. It fails
// with ErrUnwritten, or when the file can't be read.
func (l *Lesson) Markdown() (string, error) {
	src, err := l.source()
	return string(src), err
}

func (l *Lesson) source() ([]byte, error) {
	if !l.Written {
		return nil, fmt.Errorf("lesson %s %w", l.ID, ErrUnwritten)
	}
	if l.Own {
		return []byte(l.text), nil
	}
	src, err := fs.ReadFile(l.fsys, l.file())
	if err != nil {
		return nil, fmt.Errorf("read lesson %s: %w", l.ID, err)
	}
	return src, nil
}

// Headings returns the headings of a written lesson in order, nil otherwise.
func (l *Lesson) Headings() []Heading { return l.headings }

// Section is a lesson's text from one heading to the next.
type Section struct {
	Heading // the zero Heading before the first heading
	Source  string
}

// Sections splits the lesson at its headings, so that it can be rendered piece
// by piece. Their sources, joined, are the whole text.
func (l *Lesson) Sections() ([]Section, error) {
	src, err := l.source()
	if err != nil {
		return nil, err
	}
	return Split(string(src)), nil
}

// Quiz returns the lesson's questions; a page has none. It fails with ErrUnwritten, or with one
// sentence that names file and line.
func (l *Lesson) Quiz() (*Quiz, error) {
	if !l.Written {
		return nil, fmt.Errorf("lesson %s %w", l.ID, ErrUnwritten)
	}
	if l.Page {
		return &Quiz{}, nil
	}
	data, err := fs.ReadFile(l.fsys, l.quizFile())
	if err != nil {
		return nil, fmt.Errorf("read the quiz of lesson %s: %w", l.ID, err)
	}
	q, _, err := readQuiz(shown(l.quizFile()), data)
	return q, err
}

func (l *Lesson) file() string     { return l.ID + ".md" }
func (l *Lesson) quizFile() string { return l.ID + ".quiz.yaml" }

// shown is the name under which an author knows a file of the content.
func shown(name string) string { return path.Join("content", name) }
