package road

import (
	"fmt"
	"time"
)

// Day is the day of a moment, as the wall calendar there shows it: 00:00 UTC, so
// that days can be counted.
func Day(at time.Time) time.Time {
	year, month, day := at.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Due says how far off a day is, seen from now: "due in 3 days", "due today",
// "3 days overdue". A zero day says nothing.
func Due(by, now time.Time) string {
	if by.IsZero() {
		return ""
	}
	switch days := int(by.Sub(Day(now)) / (24 * time.Hour)); {
	case days == 0:
		return "due today"
	case days == 1:
		return "due tomorrow"
	case days > 1:
		return fmt.Sprintf("due in %d days", days)
	case days == -1:
		return "1 day overdue"
	default:
		return fmt.Sprintf("%d days overdue", -days)
	}
}

// By names a day: "by Fri 4 Dec 2026". A zero day says nothing.
func By(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return "by " + day.Format("Mon 2 Jan 2006")
}

// Count tells how much of a section is done, of what is written.
func (x Section) Count(done func(*Stone) bool) (n, written int) {
	for _, s := range x.Rows {
		if !s.Lesson.Written {
			continue
		}
		written++
		if done(s) {
			n++
		}
	}
	return n, written
}

// Standing says how a stage stands: "done", or how far off its day is. It is "" for
// a track, and where there is nothing to say.
func (x Section) Standing(done func(*Stone) bool, now time.Time) string {
	n, written := x.Count(done)
	switch {
	case x.Stage == nil || written == 0:
		return ""
	case n == written:
		return "done"
	default:
		return Due(x.Stage.By, now)
	}
}

// StageOf returns the stage that a stone belongs to, false when it has none.
func (r *Route) StageOf(s *Stone) (Section, bool) {
	for _, section := range r.Stages() {
		for _, row := range section.Rows {
			if row == s {
				return section, true
			}
		}
	}
	return Section{}, false
}
