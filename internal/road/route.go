package road

import "github.com/cairn-learn/cairn/lessons"

// Route is the order in which a learner walks the road: first the stones of a
// path, then all others.
type Route struct {
	Path   *lessons.Path // nil on a road without paths
	Stones []*Stone      // of the path; on a road without paths, all
	Others []*Stone      // in the order of the road
}

// Route returns the route along the path with an id. Where there is no such
// path, it is the first of the course.
func (r *Road) Route(path string) *Route {
	route := &Route{Path: r.Course.Path(path)}
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
