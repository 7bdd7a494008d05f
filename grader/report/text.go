package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
)

// TextOptions say how a report looks as plain text. The zero value is the most
// portable text there is, 80 columns wide, with the evidence of the first failure.
type TextOptions struct {
	Width    int      // columns; 0 means 80, less than 40 counts as 40
	Color    bool     // ANSI colours; never the only carrier of a meaning
	ASCII    bool     // no character above 127
	NoTimes  bool     // leave out every duration and instant, so that the text repeats
	Evidence Evidence // how much of the timelines to show
}

// Evidence is how much of what was recorded is shown.
type Evidence int

// Short shows the timeline of the first failed check, the middle of a long one
// left out. Full shows every timeline of a failed check, whole, and names the
// checks that did not run. None shows neither a timeline nor how to look at the
// services that were kept.
const (
	Short Evidence = iota
	Full
	None
)

// WriteText writes the whole report: its checks, what was found, the verdict.
// Equal reports and options give equal text. The only errors are those of w.
func WriteText(w io.Writer, r Report, o TextOptions) error {
	if err := WriteHeader(w, r, o); err != nil {
		return err
	}
	for _, c := range r.Checks {
		if c.Status == CheckBlocked {
			continue
		}
		if err := WriteCheck(w, c, o); err != nil {
			return err
		}
	}
	if err := WriteBlocked(w, r, o); err != nil {
		return err
	}
	if err := WriteDiagnostics(w, r.Diagnostics, o); err != nil {
		return err
	}
	return WriteFindings(w, r, o)
}

// WriteHeader writes the line that names the exercise.
func WriteHeader(w io.Writer, r Report, o TextOptions) error {
	p := newPage(o)
	p.line("", p.style(bold, p.safe(r.Title))+" "+p.style(dim, "("+p.safe(r.Exercise)+")"))
	return p.flush(w)
}

// WriteCheck writes the one line of a check: its sign, its title, and how long
// it took or that it did not run.
func WriteCheck(w io.Writer, c Check, o TextOptions) error {
	p := newPage(o)
	note := ""
	switch {
	case c.Status == CheckBlocked:
		note = "blocked"
	case !o.NoTimes:
		note = Took(c.Duration)
	}
	sign, style := p.sign(c.Status)
	p.entry("  "+p.style(style, sign)+" ", c.Title, note)
	return p.flush(w)
}

// WriteBlocked writes how many checks did not run, and because of which other
// one: one entry for each of those.
func WriteBlocked(w io.Writer, r Report, o TextOptions) error {
	p := newPage(o)
	sign, style := p.sign(CheckBlocked)
	lead := "  " + p.style(style, sign) + " "
	for _, g := range r.blocked() {
		what := fmt.Sprintf("%d checks", len(g.checks))
		if len(g.checks) == 1 {
			what = "1 check"
		}
		text := what + " did not run"
		if g.by != nil && g.by.Status == CheckFailed {
			text += ", because “" + g.by.Title + "” failed"
		}
		p.wrapped(lead, text, 0)
		for _, c := range g.checks {
			if o.Evidence == Full {
				p.wrapped(strings.Repeat(" ", cells(lead)+2), c.Title, dim)
			}
		}
	}
	return p.flush(w)
}

// WriteDiagnostics writes complaints about the learner's files, each with the
// line of code and a mark below the place. What helps against several is said
// once.
func WriteDiagnostics(w io.Writer, all []Diagnostic, o TextOptions) error {
	p := newPage(o)
	said := map[string]bool{}
	for _, d := range all {
		help := d.Help
		if said[help] {
			d.Help = ""
		}
		said[help] = true
		p.diagnostic(d)
	}
	return p.flush(w)
}

// WriteFindings writes what a reader needs after the checks and the complaints:
// the first failure in full, the other failures in short, the program's last
// words when nothing else tells, and the verdict.
func WriteFindings(w io.Writer, r Report, o TextOptions) error {
	p := newPage(o)
	first := true
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Status != CheckFailed {
			continue
		}
		p.blank()
		sign, style := p.sign(c.Status)
		p.wrapped(p.style(style, sign)+" ", c.Title, bold)
		if c.Feedback != nil {
			p.feedback("  ", c.Feedback, first)
		}
		if first || o.Evidence == Full {
			p.timeline(c.Timeline)
		}
		first = false
	}
	if r.Log != "" && first && (r.Verdict == Broken || r.Verdict == Limit) {
		p.blank()
		p.wrapped("", "The program printed", bold)
		p.raw("  ", r.Log)
	}
	p.world(r.World, "database", "psql")
	p.world(r.Redis, "Redis server", "redis-cli -u")
	p.verdict(r)
	return p.flush(w)
}

// WriteFeedback writes the feedback of one failed check, and its timeline unless
// the options ask for none.
func WriteFeedback(w io.Writer, c Check, o TextOptions) error {
	p := newPage(o)
	if c.Feedback != nil {
		p.feedback("", c.Feedback, true)
	}
	p.timeline(c.Timeline)
	return p.flush(w)
}

// Text returns the feedback as plain text of the given width, without times or
// colours. It ends in a newline.
func (f *Feedback) Text(width int) string {
	var b bytes.Buffer
	_ = WriteFeedback(&b, Check{Feedback: f}, TextOptions{Width: width, NoTimes: true, Evidence: None})
	return b.String()
}

// Took formats a duration the way reports do: "41ms", "1.3s", "2m05s".
func Took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	default:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
}

func (p *page) feedback(indent string, f *Feedback, full bool) {
	p.field(indent, "Did", f.Did)
	p.field(indent, "Expected", f.Expected)
	p.field(indent, "Saw", f.Saw)
	if !full {
		return
	}
	p.field(indent, "Why", f.Why)
	p.field(indent, "Read on", f.Read)
	if f.Detail != "" {
		p.blank()
		p.raw(indent, f.Detail)
	}
}

func (p *page) field(indent, name, text string) {
	if text != "" {
		p.wrapped(indent+p.style(dim, fmt.Sprintf("%-8s", name))+"  ", text, 0)
	}
}

// world says how to look at what a failed grade left. The address stays in one
// piece, to be copied.
func (p *page) world(w *World, what, client string) {
	if w == nil || p.o.Evidence == None {
		return
	}
	p.blank()
	p.wrapped("", "The "+what+" is as the grade left it, until the next one:", 0)
	p.line("  ", client+" '"+p.safe(w.URL)+"'")
}
