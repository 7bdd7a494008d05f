package lessons

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/internal/strictyaml"
)

const (
	courseFile = "course.yaml"
	welcomeID  = "welcome" // the first page
)

// The form of course.yaml.
type (
	courseYAML struct {
		Title   string      `yaml:"title"`
		Welcome *pageYAML   `yaml:"welcome"`
		Tracks  []trackYAML `yaml:"tracks"`
		Paths   []pathYAML  `yaml:"paths"`
	}
	trackYAML struct {
		ID      string       `yaml:"id"`
		Letter  string       `yaml:"letter"`
		Title   string       `yaml:"title"`
		Opening *pageYAML    `yaml:"opening"`
		Lessons []lessonYAML `yaml:"lessons"`
	}
	pageYAML struct {
		Title     string `yaml:"title"`
		Objective string `yaml:"objective"`
		Minutes   int    `yaml:"minutes"`
	}
	lessonYAML struct {
		ID        string   `yaml:"id"`
		Stone     string   `yaml:"stone"`
		Title     string   `yaml:"title"`
		Objective string   `yaml:"objective"`
		Minutes   int      `yaml:"minutes"`
		After     []string `yaml:"after"`
		Exercise  string   `yaml:"exercise"`
		Services  []string `yaml:"services"`
	}
	pathYAML struct {
		ID      string      `yaml:"id"`
		Title   string      `yaml:"title"`
		Summary string      `yaml:"summary"`
		Stages  []stageYAML `yaml:"stages"`
	}
	stageYAML struct {
		Title  string   `yaml:"title"`
		Stones []string `yaml:"stones"`
	}
)

// Load reads the course from the content folder. A lesson is written when its
// markdown file is there. The course file itself is checked whole, and the
// error names each of its faults in one line with file and line; the lessons
// and quizzes are checked by Validate, which reads far more.
func Load(fsys fs.FS) (*Course, error) {
	data, err := fs.ReadFile(fsys, courseFile)
	if err != nil {
		return nil, fmt.Errorf("read the course: %w", err)
	}
	var y courseYAML
	f, err := strictyaml.Read(shown(courseFile), data, &y)
	if err != nil {
		return nil, err
	}
	c := y.course()
	c.fsys = fsys
	if faults := c.check(f); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	for _, l := range append(c.Lessons(), c.Pages()...) {
		l.fsys = fsys
		if _, err := fs.Stat(fsys, l.file()); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		l.Written = true
		src, err := l.source()
		if err != nil {
			return nil, err
		}
		l.headings = Headings(string(src))
	}
	return c, nil
}

func (y courseYAML) course() *Course {
	c := &Course{Title: y.Title, byID: map[string]*Lesson{}, byStone: map[string]*Lesson{}}
	c.Welcome = c.page(y.Welcome, welcomeID, "0", nil)
	for _, ty := range y.Tracks {
		t := &Track{ID: ty.ID, Letter: ty.Letter, Title: ty.Title}
		t.Opening = c.page(ty.Opening, t.ID+"/opening", t.Letter+"0", t)
		for _, ly := range ty.Lessons {
			l := &Lesson{
				ID: ly.ID, Stone: ly.Stone, Title: ly.Title, Objective: ly.Objective, Minutes: ly.Minutes,
				After: ly.After, Exercise: ly.Exercise, Services: ly.Services, Track: t,
			}
			t.Lessons = append(t.Lessons, l)
			c.byID[l.ID], c.byStone[l.Stone] = l, l
		}
		c.Tracks = append(c.Tracks, t)
	}
	for _, py := range y.Paths {
		p := &Path{ID: py.ID, Title: py.Title, Summary: py.Summary}
		for _, s := range py.Stages {
			p.Stages = append(p.Stages, Stage{Title: s.Title, Stones: s.Stones})
		}
		c.Paths = append(c.Paths, p)
	}
	return c
}

// page is a lesson that is only read; nil where the course has none.
func (c *Course) page(y *pageYAML, id, stone string, t *Track) *Lesson {
	if y == nil {
		return nil
	}
	l := &Lesson{ID: id, Stone: stone, Title: y.Title, Objective: y.Objective, Minutes: y.Minutes, Page: true, Track: t}
	c.byID[l.ID], c.byStone[l.Stone] = l, l
	return l
}

// NearestID returns the id of the lesson that is most like a mistyped one, or "".
func (c *Course) NearestID(id string) string {
	var ids []string
	for _, l := range c.Lessons() {
		ids = append(ids, l.ID)
	}
	return nearest.Name(id, ids)
}

func (c *Course) nearestStone(stone string) string {
	var stones []string
	for _, l := range c.Lessons() {
		stones = append(stones, l.Stone)
	}
	return nearest.Name(stone, stones)
}
