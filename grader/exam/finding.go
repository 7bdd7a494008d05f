package exam

import (
	"fmt"
	"runtime"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// Finding is why a check fails: the cause, in the learner's terms. An empty Did
// is the check's last request; empty Why and Read are those of the check.
type Finding struct {
	Did, Expected, Saw, Why, Read, Detail string
}

// or fills the empty fields of f from g.
func (f Finding) or(g Finding) Finding {
	fill := func(a *string, b string) {
		if *a == "" {
			*a = b
		}
	}
	fill(&f.Did, g.Did)
	fill(&f.Expected, g.Expected)
	fill(&f.Saw, g.Saw)
	fill(&f.Why, g.Why)
	fill(&f.Read, g.Read)
	fill(&f.Detail, g.Detail)
	return f
}

func (f Finding) with(opts []Option) Finding {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	return s.finding.or(f)
}

// feedback is the finding as the report carries it: whatever came from the
// program is made safe to show.
func (f Finding) feedback() *report.Feedback {
	return &report.Feedback{
		Did: safe.Text(f.Did), Expected: safe.Text(f.Expected), Saw: safe.Text(f.Saw),
		Why: f.Why, Read: f.Read, Detail: safe.Text(f.Detail),
	}
}

// Fail ends the check with a finding. It does not return.
func (c *C) Fail(f Finding) {
	c.mu.Lock()
	if c.finding == nil {
		f = f.or(Finding{Did: c.last}).or(c.spec.finding)
		c.finding = &f
	}
	c.mu.Unlock()
	runtime.Goexit()
}

// Require fails the check with f unless ok.
func (c *C) Require(ok bool, f Finding) {
	if !ok {
		c.Fail(f)
	}
}

// Equal fails the check unless got and want print alike; a text and a number
// never do. What names the value: "the balance".
func (c *C) Equal(got, want any, what string, opts ...Option) {
	g, w := fmt.Sprint(got), fmt.Sprint(want)
	if g == w {
		if isText(got) == isText(want) {
			return
		}
		g, w = shown(got), shown(want)
	}
	c.Fail(Finding{
		Expected: what + " is " + w,
		Saw:      what + " is " + g,
	}.with(opts))
}

// isText tells a text, such as "7" in JSON, from whatever else prints like it.
func isText(v any) bool {
	_, text := v.(string)
	return text
}

func shown(v any) string {
	if isText(v) {
		return fmt.Sprintf("the text %q", v)
	}
	return fmt.Sprint(v)
}

// trouble ends the check because cairn itself could not go on. The grade comes
// out as ungraded and never counts against the learner. It does not return.
func (c *C) trouble(err error) {
	c.session.setTrouble(err)
	runtime.Goexit()
}

// failed tells whether a finding has been made, or cairn could not go on.
func (c *C) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finding != nil || c.session.Trouble() != nil
}
