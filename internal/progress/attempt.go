package progress

import (
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

// Of returns the attempt that a report tells of.
func Of(r *report.Report) Attempt {
	a := Attempt{
		Exercise: r.Exercise, Verdict: r.Verdict, Seed: r.Seed, Content: r.Content, Code: r.Code, Cairn: r.Cairn,
		Started: r.Started, Files: r.Files, Report: r,
	}
	for _, p := range r.Phases {
		a.Duration += p.Duration
	}
	a.Passed, a.Total = r.Count()
	for _, c := range r.Checks {
		a.Checks = append(a.Checks, Check{ID: c.ID, Title: c.Title, Status: c.Status, BlockedBy: c.BlockedBy, Duration: c.Duration})
	}
	return a
}

// pause is how long a learner may be silent and still be at work.
const pause = 30 * time.Minute

// TimeSpent adds up the time between one event and the next, and gives it to
// what the later one is about. Pauses of more than half an hour are left out.
// Events must be in order; key names what an event belongs to, and events
// without a name only end a span.
func TimeSpent(events []Event, key func(Event) string) map[string]time.Duration {
	spent := map[string]time.Duration{}
	for i := 1; i < len(events); i++ {
		gap := events[i].At.Sub(events[i-1].At)
		name := key(events[i])
		if name != "" && gap > 0 && gap <= pause {
			spent[name] += gap
		}
	}
	return spent
}
