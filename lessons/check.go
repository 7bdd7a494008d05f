package lessons

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/internal/strictyaml"
)

// The bounds of the minutes that a lesson takes, quiz included.
const (
	minMinutes = 5
	maxMinutes = 60
)

// Services are the names a lesson may list under services.
var Services = []string{"docker", "kubernetes", "mongo", "nats", "postgres", "rabbitmq", "redis", "s3"}

var (
	slugForm  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	stoneForm = regexp.MustCompile(`^[A-Z][1-9][0-9]?$`)
)

// checker collects the faults of a course file.
type checker struct {
	course *Course
	file   *strictyaml.File
	faults []error
	ids    map[string]bool // lessons
	stones map[string]bool
	exams  map[string]string // exercise id → stone
}

func (k *checker) fault(path, format string, args ...any) {
	k.faults = append(k.faults, k.file.Errorf(path, format, args...))
}

// check returns every fault of the course file, in its order.
func (c *Course) check(f *strictyaml.File) []error {
	k := &checker{course: c, file: f, ids: map[string]bool{}, stones: map[string]bool{}, exams: map[string]string{}}
	if c.Title == "" {
		k.fault("$", "the course has no title")
	}
	if len(c.Tracks) == 0 {
		k.fault("$", "the course has no tracks")
	}
	k.page("$.welcome", c.Welcome)
	tracks, letters := map[string]bool{}, map[string]bool{}
	for i, t := range c.Tracks {
		at := fmt.Sprintf("$.tracks[%d]", i)
		switch {
		case !slugForm.MatchString(t.ID):
			k.fault(at+".id", "track id %q is not lower-case words joined by dashes", t.ID)
		case tracks[t.ID]:
			k.fault(at+".id", "there is another track with id %s", t.ID)
		}
		switch {
		case len(t.Letter) != 1:
			k.fault(at+".letter", "track %s needs a letter of one character", t.ID)
		case letters[t.Letter]:
			k.fault(at+".letter", "there is another track with letter %s", t.Letter)
		}
		if t.Title == "" {
			k.fault(at, "track %s has no title", t.ID)
		}
		if len(t.Lessons) == 0 {
			k.fault(at, "track %s has no lessons", t.ID)
		}
		tracks[t.ID], letters[t.Letter] = true, true
		k.page(at+".opening", t.Opening)
		for j, l := range t.Lessons {
			k.lesson(fmt.Sprintf("%s.lessons[%d]", at, j), l)
		}
	}
	k.cycles()
	k.paths()
	return k.faults
}

func (k *checker) lesson(at string, l *Lesson) {
	track, name, _ := strings.Cut(l.ID, "/")
	switch {
	case track != l.Track.ID || !slugForm.MatchString(name):
		k.fault(at+".id", "lesson id %q is not %s/ and lower-case words joined by dashes", l.ID, l.Track.ID)
	case k.ids[l.ID]:
		k.fault(at+".id", "there is another lesson with id %s", l.ID)
	}
	switch {
	case !stoneForm.MatchString(l.Stone) || !strings.HasPrefix(l.Stone, l.Track.Letter):
		k.fault(at+".stone", "stone %q of lesson %s is not %s and a number", l.Stone, l.ID, l.Track.Letter)
	case k.stones[l.Stone]:
		k.fault(at+".stone", "there is another lesson with stone %s", l.Stone)
	}
	k.ids[l.ID], k.stones[l.Stone] = true, true
	if l.Title == "" {
		k.fault(at, "lesson %s has no title", l.ID)
	}
	if l.Objective == "" || strings.Contains(l.Objective, "\n") {
		k.fault(at+".objective", "lesson %s needs an objective of one line", l.ID)
	}
	if l.Minutes < minMinutes || l.Minutes > maxMinutes {
		k.fault(at+".minutes", "lesson %s takes %d minutes; %d to %d are sane", l.ID, l.Minutes, minMinutes, maxMinutes)
	}
	for i, s := range l.Services {
		if !slices.Contains(Services, s) {
			k.fault(fmt.Sprintf("%s.services[%d]", at, i), "lesson %s needs service %q, which is none of %s", l.ID, s, strings.Join(Services, ", "))
		}
	}
	if l.Exercise != "" {
		if other := k.exams[l.Exercise]; other != "" {
			k.fault(at+".exercise", "exercise %s belongs to stone %s already", l.Exercise, other)
		}
		k.exams[l.Exercise] = l.Stone
	}
	k.after(at, l)
}

// page checks a page that is only read, where there is one.
func (k *checker) page(at string, l *Lesson) {
	if l == nil {
		return
	}
	if l.Title == "" || l.Objective == "" || strings.Contains(l.Objective, "\n") {
		k.fault(at, "page %s needs a title and an objective of one line", l.ID)
	}
	if l.Minutes < 1 || l.Minutes > maxMinutes {
		k.fault(at, "page %s takes %d minutes; 1 to %d are sane", l.ID, l.Minutes, maxMinutes)
	}
}

func (k *checker) after(at string, l *Lesson) {
	for i, stone := range l.After {
		here := fmt.Sprintf("%s.after[%d]", at, i)
		switch {
		case k.course.byStone[stone] == nil || k.course.byStone[stone].Page:
			k.fault(here, "lesson %s comes after %s, which does not exist; the nearest is %s", l.ID, stone, k.course.nearestStone(stone))
		case slices.Contains(l.After[:i], stone):
			k.fault(here, "lesson %s comes after %s twice", l.ID, stone)
		}
	}
}

// cycles finds lessons that come after themselves. Each circle is named once.
func (k *checker) cycles() {
	const visiting, done = 1, 2
	state := map[string]int{}
	var trail []string
	var visit func(l *Lesson)
	visit = func(l *Lesson) {
		state[l.Stone] = visiting
		trail = append(trail, l.Stone)
		for i, stone := range l.After {
			next := k.course.byStone[stone]
			switch {
			case next == nil || next.Page:
			case state[stone] == visiting:
				circle := append(slices.Clone(trail[slices.Index(trail, stone):]), stone)
				k.fault(fmt.Sprintf("%s.after[%d]", k.pathOf(l), i), "lesson %s comes after itself: %s", l.ID, strings.Join(circle, " after "))
			case state[stone] == 0:
				visit(next)
			}
		}
		trail = trail[:len(trail)-1]
		state[l.Stone] = done
	}
	for _, l := range k.course.Lessons() {
		if state[l.Stone] == 0 {
			visit(l)
		}
	}
}

// pathOf returns where a lesson stands in the course file.
func (k *checker) pathOf(l *Lesson) string {
	i := slices.Index(k.course.Tracks, l.Track)
	return fmt.Sprintf("$.tracks[%d].lessons[%d]", i, slices.Index(l.Track.Lessons, l))
}

func (k *checker) paths() {
	ids := map[string]bool{}
	for i, p := range k.course.Paths {
		at := fmt.Sprintf("$.paths[%d]", i)
		switch {
		case !slugForm.MatchString(p.ID):
			k.fault(at+".id", "path id %q is not lower-case words joined by dashes", p.ID)
		case ids[p.ID]:
			k.fault(at+".id", "there is another path with id %s", p.ID)
		}
		ids[p.ID] = true
		if p.Title == "" || p.Summary == "" {
			k.fault(at, "path %s needs a title and a summary", p.ID)
		}
		if len(p.Stages) == 0 {
			k.fault(at, "path %s has no stages", p.ID)
		}
		seen := map[string]bool{}
		for j, s := range p.Stages {
			for n, stone := range s.Stones {
				here := fmt.Sprintf("%s.stages[%d].stones[%d]", at, j, n)
				switch {
				case k.course.byStone[stone] == nil || k.course.byStone[stone].Page:
					k.fault(here, "path %s leads over %s, which does not exist; the nearest is %s", p.ID, stone, k.course.nearestStone(stone))
				case seen[stone]:
					k.fault(here, "path %s leads over %s twice", p.ID, stone)
				}
				seen[stone] = true
			}
		}
	}
}
