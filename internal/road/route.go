package road

import "github.com/cairn-learn/cairn/lessons"

// Route is the order in which a learner walks the road: first the stones of a
// path, then all others.
type Route struct {
	Path   *lessons.Path // nil on a road without paths
	Stones []*Stone      // of the path; on a road without paths, all
	Others []*Stone      // in the order of the road

	road *Road
}

// Route returns the route along the path with an id. Where there is no such
// path, it is the first of the course.
func (r *Road) Route(path string) *Route {
	route := &Route{Path: r.Course.Path(path), road: r}
	if route.Path == nil && len(r.Course.Paths) > 0 {
		route.Path = r.Course.Paths[0]
	}
	if route.Path == nil {
		route.Stones = r.stones
		return route
	}
	on := map[*Stone]bool{}
	for _, stage := range route.Path.Stages {
		for _, name := range stage.Stones {
			if s, err := r.Find(name); err == nil && !on[s] {
				on[s] = true
				route.Stones = append(route.Stones, s)
			}
		}
	}
	for _, s := range r.stones {
		if !on[s] {
			route.Others = append(route.Others, s)
		}
	}
	return route
}

// First is where the route begins: its first stone that is written. Nil when
// none is.
func (r *Route) First() *Stone {
	return r.Next(func(*Stone) bool { return false }, func(s *Stone) bool { return s.Lesson.Written })
}

// Next is the stone to go on with: on the path the first that was begun, else
// the first that is open; when there is none, the same beside the path. Nil when
// there is nothing left.
func (r *Route) Next(begun, open func(*Stone) bool) *Stone {
	for _, stones := range [][]*Stone{r.Stones, r.Others} {
		for _, holds := range []func(*Stone) bool{begun, open} {
			for _, s := range stones {
				if holds(s) {
					return s
				}
			}
		}
	}
	return nil
}

// Section is a stretch of the route as it is shown: a stage of an own path, or a
// track.
type Section struct {
	Title string         // "" for the first page of all
	Stage *lessons.Stage // nil for a track
	Rows  []*Stone
}

// Sections is the road as this route shows it. Paths of the course lead over the
// whole of it, so there it stays in its tracks. An own path is short and has its
// days, so its stages come first, in their order, and then what is left of the
// tracks.
func (r *Route) Sections() []Section {
	var all []Section
	on := map[*Stone]bool{}
	if r.Path != nil && r.Path.Own {
		all = r.stages()
		for _, s := range r.Stones {
			on[s] = true
		}
	}
	var track *lessons.Track
	first := true
	for _, s := range r.road.rows {
		if on[s] {
			continue
		}
		if first || s.Lesson.Track != track {
			first, track = false, s.Lesson.Track
			title := ""
			switch {
			case track != nil:
				title = track.Title
			case len(on) > 0:
				title = "Beside the path"
			}
			all = append(all, Section{Title: title})
		}
		last := &all[len(all)-1]
		last.Rows = append(last.Rows, s)
	}
	return all
}

// stages are the stages of the path with their stones.
func (r *Route) stages() []Section {
	var all []Section
	for i := range r.Path.Stages {
		stage := &r.Path.Stages[i]
		section := Section{Title: stage.Title, Stage: stage}
		for _, name := range stage.Stones {
			if s, err := r.road.Find(name); err == nil {
				section.Rows = append(section.Rows, s)
			}
		}
		all = append(all, section)
	}
	return all
}

// Stages are the stages of the path, in order. None on a road without paths.
func (r *Route) Stages() []Section {
	if r.Path == nil {
		return nil
	}
	return r.stages()
}
