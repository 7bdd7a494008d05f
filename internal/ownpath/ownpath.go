// Package ownpath reads paths that somebody made for their own people, such as the
// lead of a new hire: a YAML file that picks stones of the road, adds pages, and
// says by when. It checks them, keeps a copy, and puts the copies on the road.
package ownpath

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

// Version is the version of the form in which a path is kept.
const Version = 1

// Path is a path as it is kept. Its texts are fit to be shown in a terminal.
type Path struct {
	Version int     `json:"version"`
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Summary string  `json:"summary"`
	From    string  `json:"from"`  // the file that it was taken from
	Start   string  `json:"start"` // its day 1, "2026-12-01"
	Stages  []Stage `json:"stages"`
	Pages   []Page  `json:"pages"` // in the order in which the path leads over them
}

// Stage is a part of a path.
type Stage struct {
	Title string   `json:"title"`
	By    string   `json:"by"` // "2026-12-15", "day 5", or "" when no matter
	Steps []string `json:"steps"`
}

// Page is a page of the path's own.
type Page struct {
	ID    string `json:"id"` // "payments/how-we-deploy"
	File  string `json:"file"`
	Title string `json:"title"`
	Text  string `json:"text"` // markdown
}

// The two forms of a deadline.
const dateForm = "2006-01-02"

var dayForm = regexp.MustCompile(`^day ([1-9][0-9]{0,2})$`)

// deadline is the day by which a stage should be done, for a path whose day 1 is
// start; zero when it has none. It reports false for what is in neither form.
func deadline(by string, start time.Time) (time.Time, bool) {
	if by == "" {
		return time.Time{}, true
	}
	if m := dayForm.FindStringSubmatch(by); m != nil {
		if start.IsZero() {
			return time.Time{}, true
		}
		n, _ := strconv.Atoi(m[1]) // three digits
		return start.AddDate(0, 0, n-1), true
	}
	day, err := time.Parse(dateForm, by)
	return day, err == nil
}

// ParseDay reads a day such as 2026-12-01.
func ParseDay(s string) (time.Time, error) {
	day, err := time.Parse(dateForm, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no day such as 2026-12-01", s)
	}
	return day, nil
}

// Day1 is the day that the path counts its days from; zero when that is damaged.
func (p *Path) Day1() time.Time {
	day, _ := time.Parse(dateForm, p.Start)
	return day
}

// Lessons is the path in the terms of the course, and its pages as lessons.
func (p *Path) Lessons() (*lessons.Path, []*lessons.Lesson) {
	out := &lessons.Path{ID: p.ID, Title: p.Title, Summary: p.Summary, Own: true}
	for _, s := range p.Stages {
		by, _ := deadline(s.By, p.Day1())
		out.Stages = append(out.Stages, lessons.Stage{Title: s.Title, Stones: s.Steps, By: by})
	}
	var pages []*lessons.Lesson
	for i, page := range p.Pages {
		pages = append(pages, lessons.OwnPage(page.ID, fmt.Sprintf("P%d", i+1), page.Title, p.Title, page.Text))
	}
	return out, pages
}

// PutOn puts paths on the road. Errors are about those that can't be: a course may
// have got a path or a track of that name since.
func PutOn(r *road.Road, paths []*Path) []error {
	var faults []error
	for _, p := range paths {
		if err := nameTaken(r.Course, p.ID); err != nil {
			faults = append(faults, fmt.Errorf("your path %s is left out: %w", p.ID, err))
			continue
		}
		r.AddPath(p.Lessons())
	}
	return faults
}

// nameTaken tells whether something of the course has the name of a path.
func nameTaken(c *lessons.Course, id string) error {
	if p := c.Path(id); p != nil && !p.Own {
		return fmt.Errorf("the course has a path called %s", id)
	}
	for _, t := range c.Tracks {
		if t.ID == id {
			return fmt.Errorf("the course has a track called %s", id)
		}
	}
	return nil
}
