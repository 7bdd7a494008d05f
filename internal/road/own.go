package road

import (
	"path"
	"strings"

	"github.com/cairn-learn/cairn/lessons"
)

// AddPath puts a path on the road that is not of the course, with its pages. Where
// a name is taken, it stays with what has it: a page is found by its id in any
// case. It reports false, and adds nothing, when the course has a path of that id.
func (r *Road) AddPath(p *lessons.Path, pages []*lessons.Lesson) bool {
	if r.Course.Path(p.ID) != nil {
		return false
	}
	r.Course.Paths = append(r.Course.Paths, p)
	for _, l := range pages {
		s := &Stone{Lesson: l}
		r.pages = append(r.pages, s)
		for _, name := range []string{l.ID, l.Stone, path.Base(l.ID)} {
			if key := strings.ToLower(name); r.byName[key] == nil {
				r.byName[key] = s
				r.names = append(r.names, name)
			}
		}
	}
	return true
}

// Steps returns everything that a path may lead over: the rows of the road, and the
// pages of own paths.
func (r *Road) Steps() []*Stone {
	return append(r.rows[:len(r.rows):len(r.rows)], r.pages...)
}
