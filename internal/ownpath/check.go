package ownpath

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/strictyaml"
	"github.com/cairn-learn/cairn/lessons"
)

// checker makes a Path of a path file and collects what is wrong with it.
type checker struct {
	file  *strictyaml.File
	road  *road.Road
	names *names
	start time.Time
	page  func(string) ([]byte, error)

	path   *Path
	at     map[string]place // where each step stands
	faults []error
	notes  []string
}

// place is where a step stands on the path.
type place struct {
	order int
	yaml  string
	stone *road.Stone // nil for an own page
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// words that follow "cairn path" and are no path.
var reserved = []string{"use", "show", "remove", "help"}

func (c *checker) fault(at, format string, args ...any) {
	c.faults = append(c.faults, c.file.Errorf(at, format, args...))
}

func (c *checker) note(at, format string, args ...any) {
	c.notes = append(c.notes, c.file.Errorf(at, format, args...).Error())
}

// head checks what stands above the stages.
func (c *checker) head(y pathYAML) {
	switch {
	case y.ID == "":
		c.fault("$", "the path has no id; give it one word that it goes by, such as id: payments")
	case !idForm.MatchString(y.ID) || len(y.ID) > 40:
		c.fault("$.id", "path id %q is not lower-case words joined by dashes, 40 letters at most", y.ID)
	case slices.Contains(reserved, y.ID):
		c.fault("$.id", "a path can't be called %s, for cairn path %s means something else", y.ID, y.ID)
	default:
		if err := nameTaken(c.road.Course, y.ID); err != nil {
			c.fault("$.id", "%w; choose another id", err)
		}
	}
	c.path.Title = c.line("$", "the path", "title", y.Title, maxTitle)
	c.path.Summary = c.line("$", "the path", "summary", y.Summary, maxLine)
	if len(y.Stages) == 0 {
		c.fault("$", "the path has no stages")
	}
	if len(y.Stages) > maxStages {
		c.fault("$.stages", "the path has %d stages; %d are the most", len(y.Stages), maxStages)
	}
}

// line checks a text of one line and makes it fit to be shown.
func (c *checker) line(at, whose, key, text string, most int) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		c.fault(at, "%s has no %s", whose, key)
	case strings.ContainsAny(text, "\n\r"):
		c.fault(at+"."+key, "the %s of %s has more than one line", key, whose)
	case utf8.RuneCountInString(text) > most:
		c.fault(at+"."+key, "the %s of %s has %d characters; %d are the most", key, whose, utf8.RuneCountInString(text), most)
	case strings.TrimSpace(cleanLine(text)) == "":
		c.fault(at+"."+key, "the %s of %s has nothing that can be shown", key, whose)
	}
	return strings.TrimSpace(cleanLine(text))
}

// stage checks one stage and takes it over.
func (c *checker) stage(at string, i int, y stageYAML) {
	whose := fmt.Sprintf("stage %d", i+1)
	s := Stage{Title: c.line(at, whose, "title", y.Title, maxTitle), By: strings.ToLower(strings.TrimSpace(y.By))}
	if _, ok := deadline(s.By, c.start); !ok {
		c.fault(at+".by", "%q is no day: write a date such as 2026-12-15, or day 5, where day 1 is the day the path is first used", y.By)
	}
	if len(y.Stones) == 0 {
		c.fault(at, "%s has no stones", whose)
	}
	for j, v := range y.Stones {
		here := fmt.Sprintf("%s.stones[%d]", at, j)
		if len(c.at) == maxSteps {
			c.fault(here, "the path leads over more than %d stones and pages", maxSteps)
			break
		}
		if id, stone, ok := c.step(here, v); ok {
			if before, twice := c.at[id]; twice {
				c.fault(here, "the path leads over %s twice; first in line %d", c.called(v), c.file.Line(before.yaml))
				continue
			}
			c.at[id] = place{order: len(c.at), yaml: here, stone: stone}
			s.Steps = append(s.Steps, id)
		}
	}
	c.path.Stages = append(c.path.Stages, s)
}

// called is how the file names a step.
func (c *checker) called(v any) string {
	if m, ok := v.(map[string]any); ok {
		return fmt.Sprint(m["page"])
	}
	return fmt.Sprint(v)
}

// step returns the id of a step, and its stone where it is one.
func (c *checker) step(at string, v any) (id string, stone *road.Stone, ok bool) {
	switch v := v.(type) {
	case string:
		stone, nearest := c.names.find(v)
		switch {
		case stone != nil:
			return stone.Name(), stone, true
		case strings.HasSuffix(strings.ToLower(v), ".md"):
			c.fault(at, "%q is no stone; a page is written - page: %s", v, v)
		default:
			c.fault(at, "there is no exercise, lesson or stone called %q; the nearest is %s", v, nearest)
		}
	case map[string]any:
		name, isText := v["page"].(string)
		if len(v) != 1 || !isText {
			c.fault(at, "a stone is a name such as S4, or a page such as page: pages/how-we-deploy.md, and nothing else")
			return "", nil, false
		}
		return c.ownPage(at+".page", name)
	case nil:
		c.fault(at, "there is an empty entry among the stones")
	default:
		c.fault(at, "%v is no name of a stone", v)
	}
	return "", nil, false
}

// ownPage reads a page and takes it over.
func (c *checker) ownPage(at, name string) (id string, stone *road.Stone, ok bool) {
	slug := pageSlug(name)
	switch {
	case !inside(name):
		c.fault(at, "page %q does not lie in the folder of the path file; write it from there, with / and without ..", name)
		return "", nil, false
	case !strings.HasSuffix(strings.ToLower(name), ".md") || slug == "":
		c.fault(at, "page %q is no Markdown file (.md)", name)
		return "", nil, false
	}
	id = c.path.ID + "/" + slug
	for _, p := range c.path.Pages {
		if p.ID == id && p.File != name {
			c.fault(at, "pages %s and %s would both be called %s; rename one", p.File, name, slug)
			return "", nil, false
		}
		if p.ID == id {
			return id, nil, true // the stage says that it is there twice
		}
	}
	if len(c.path.Pages) == maxPages {
		c.fault(at, "the path has more than %d pages", maxPages)
		return "", nil, false
	}
	text, title, err := c.readText(name)
	if err != nil {
		c.fault(at, "page %s: %w", name, err)
		return "", nil, false
	}
	c.path.Pages = append(c.path.Pages, Page{ID: id, File: name, Title: title, Text: text})
	return id, nil, true
}

// readText reads a page, makes it fit to be shown, and finds its title.
func (c *checker) readText(name string) (text, title string, err error) {
	data, err := c.page(name)
	if err != nil {
		return "", "", err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > maxPage:
		return "", "", fmt.Errorf("it has more than %d KB", maxPage>>10)
	case !utf8.Valid(data):
		return "", "", fmt.Errorf("it is not UTF-8 (line %d)", 1+bytes.Count(data[:validUpTo(data)], []byte("\n")))
	case bytes.IndexByte(data, 0) >= 0:
		return "", "", fmt.Errorf("it is no text (it has a NUL byte)")
	}
	text = clean(string(data))
	if n := lessons.Nesting(text); n > maxNesting {
		return "", "", fmt.Errorf("quotes and lists stand %d deep in each other; %d are the most", n, maxNesting)
	}
	headings := lessons.Headings(text)
	if len(headings) == 0 || headings[0].Text == "" {
		return "", "", fmt.Errorf("it has no heading to take its title from; begin it with a line such as # How we deploy")
	}
	title = strings.TrimSpace(cleanLine(headings[0].Text))
	if runes := []rune(title); len(runes) > maxTitle {
		title = strings.TrimSpace(string(runes[:maxTitle-1])) + "…"
	}
	return text, title, nil
}

// validUpTo is the number of bytes before the first that is not UTF-8.
func validUpTo(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(data)
}

// inside tells whether a name leads to a file of the folder, in the one form that
// means the same on every system.
func inside(name string) bool {
	return name != "" && path.Clean(name) == name && !path.IsAbs(name) && name != ".." &&
		!strings.HasPrefix(name, "../") && !strings.ContainsAny(name, `\:`+"\x00")
}

// pageSlug is what a page is called: its file's name in small letters and digits
// with dashes between.
func pageSlug(name string) string {
	base := path.Base(name)
	base = strings.TrimSuffix(base, path.Ext(base))
	words := strings.FieldsFunc(strings.ToLower(base), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}

// remarks notes what is allowed and perhaps not meant.
func (c *checker) remarks() {
	var last time.Time
	for i, s := range c.path.Stages {
		by, _ := deadline(s.By, c.start)
		at := fmt.Sprintf("$.stages[%d].by", i)
		switch {
		case by.IsZero():
			continue
		case by.Before(last):
			c.note(at, "stage %d is due before a stage that stands above it", i+1)
		case by.Before(c.start):
			c.note(at, "stage %d is due before the path begins (%s)", i+1, c.path.Start)
		}
		last = by
	}
	for _, s := range c.path.Stages {
		for _, id := range s.Steps {
			c.needs(c.at[id])
		}
	}
}

// needs notes what should be behind a learner at a stone and is not on the path, or
// only later. What is not written yet nobody could put there.
func (c *checker) needs(p place) {
	if p.stone == nil {
		return
	}
	var missing, later []string
	for _, name := range p.stone.Lesson.After {
		switch before, on := c.at[name]; {
		case !on && c.road.Course.Stone(name).Written:
			missing = append(missing, name)
		case on && before.order > p.order:
			later = append(later, name)
		}
	}
	if len(missing) > 0 {
		c.note(p.yaml, "%s comes after %s, which this path leaves out", p.stone.Name(), and(missing))
	}
	if len(later) > 0 {
		c.note(p.yaml, "%s comes after %s, which this path has only later", p.stone.Name(), and(later))
	}
}

func and(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return names[0]
}

// names finds what the course itself has, by any of its names.
type names struct {
	byName map[string]*road.Stone
	all    []string
}

func newNames(r *road.Road) *names {
	n := &names{byName: map[string]*road.Stone{}}
	add := func(name string, s *road.Stone) {
		n.byName[strings.ToLower(name)] = s
		n.all = append(n.all, name)
	}
	for _, s := range r.Rows() {
		add(s.Lesson.Stone, s)
		add(s.Lesson.ID, s)
		if s.Exercise != nil {
			add(s.Exercise.ID, s)
		}
	}
	return n
}

// find returns what goes by a name, or the nearest name that there is.
func (n *names) find(name string) (stone *road.Stone, suggestion string) {
	name = strings.TrimSpace(name)
	if s, ok := n.byName[strings.ToLower(name)]; ok {
		return s, ""
	}
	return nil, nearest.Name(name, n.all)
}

// suggest is the end of a sentence that names the nearest of some names.
func suggest(name string, all []string) string {
	if near := nearest.Name(name, all); near != "" {
		return "; the nearest is " + near
	}
	return ""
}
