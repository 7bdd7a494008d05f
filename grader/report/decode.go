package report

import (
	"encoding/json"
	"fmt"

	"github.com/cairn-learn/cairn/grader/safe"
)

// Decode reads the JSON form of a report. Whoever wrote it, its text is fit to be
// shown in a terminal afterwards. The error says why data is no report: no JSON, the
// form of a newer cairn, or a verdict or status that there is not.
func Decode(data []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read a report: %w", err)
	}
	if r.Version > Version {
		return nil, fmt.Errorf("read a report: it is of version %d, and this cairn reads up to %d", r.Version, Version)
	}
	switch r.Verdict {
	case Passed, Failed, Broken, Limit, Ungraded:
	default:
		return nil, fmt.Errorf("read a report: there is no verdict %q", r.Verdict)
	}
	for _, c := range r.Checks {
		if c.Status != CheckPassed && c.Status != CheckFailed && c.Status != CheckBlocked {
			return nil, fmt.Errorf("read a report: there is no status %q", c.Status)
		}
	}
	r.clean()
	return &r, nil
}

// clean makes every text of a report safe to show.
func (r *Report) clean() {
	line(&r.Cairn, &r.Exercise, &r.Title, &r.Content, &r.Code)
	text(&r.Reason, &r.Next, &r.Log)
	for i := range r.Diagnostics {
		d := &r.Diagnostics[i]
		line(&d.File, &d.Source)
		text(&d.Message, &d.Help)
	}
	for i := range r.Phases {
		name := string(r.Phases[i].Name)
		line(&name)
		r.Phases[i].Name = PhaseName(name)
	}
	for i := range r.Checks {
		r.Checks[i].clean()
	}
	for _, w := range []*World{r.World, r.Redis} {
		if w != nil {
			line(&w.Service, &w.Name, &w.URL)
		}
	}
}

func (c *Check) clean() {
	line(&c.ID, &c.Title, &c.BlockedBy)
	if f := c.Feedback; f != nil {
		text(&f.Did, &f.Expected, &f.Saw, &f.Why, &f.Read, &f.Detail)
	}
	for i := range c.Timeline {
		e := &c.Timeline[i]
		kind := string(e.Kind)
		line(&kind, &e.Actor)
		text(&e.Text, &e.Result)
		e.Kind = Kind(kind)
	}
}

func line(all ...*string) {
	for _, s := range all {
		*s = safe.Line(*s)
	}
}

func text(all ...*string) {
	for _, s := range all {
		*s = safe.Text(*s)
	}
}
