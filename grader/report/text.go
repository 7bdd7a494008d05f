package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// TextOptions say how a report looks as plain text. The zero value is the most
// portable text there is, 80 columns wide, with all evidence.
type TextOptions struct {
	Width    int      // columns; 0 means 80, less than 40 counts as 40
	Color    bool     // ANSI colours; never the only carrier of a meaning
	ASCII    bool     // no character above 127
	NoTimes  bool     // leave out every duration and instant, so that the text repeats
	Evidence Evidence // how much of the timelines to show
}

// Evidence is how much of what was recorded is shown.
type Evidence int

// Full shows the timeline of the first failed check; Short shows none.
const (
	Full Evidence = iota
	Short
)

// WriteText writes the whole report: its checks, what was found, the verdict.
// Equal reports and options give equal text. The only errors are those of w.
func WriteText(w io.Writer, r Report, o TextOptions) error {
	if err := WriteHeader(w, r, o); err != nil {
		return err
	}
	for _, c := range r.Checks {
		if err := WriteCheck(w, c, o); err != nil {
			return err
		}
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

// WriteFindings writes what a reader needs after the list of checks: complaints
// of the compiler, the first failure in full, the other failures in short, the
// program's last words when nothing else tells, and the verdict.
func WriteFindings(w io.Writer, r Report, o TextOptions) error {
	p := newPage(o)
	for _, d := range r.Diagnostics {
		p.diagnostic(d)
	}
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
		if first && o.Evidence == Full {
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

// WriteFeedback writes the feedback of one failed check, and its timeline when
// the options ask for evidence.
func WriteFeedback(w io.Writer, c Check, o TextOptions) error {
	p := newPage(o)
	if c.Feedback != nil {
		p.feedback("", c.Feedback, true)
	}
	if o.Evidence == Full {
		p.timeline(c.Timeline)
	}
	return p.flush(w)
}

// Text returns the feedback as plain text of the given width, without times or
// colours. It ends in a newline.
func (f *Feedback) Text(width int) string {
	var b bytes.Buffer
	_ = WriteFeedback(&b, Check{Feedback: f}, TextOptions{Width: width, NoTimes: true, Evidence: Short})
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

func (p *page) diagnostic(d Diagnostic) {
	p.blank()
	at := d.File
	if d.Line > 0 {
		at += fmt.Sprintf(":%d", d.Line)
		if d.Col > 0 {
			at += fmt.Sprintf(":%d", d.Col)
		}
	}
	p.wrapped("", at+": "+d.Message, bold)
	if source := strings.TrimSpace(d.Source); source != "" {
		p.raw("    ", source)
	}
	if d.Help != "" {
		p.wrapped("  ", d.Help, 0)
	}
}

// mostEntries is how much of a timeline is shown; a burst of requests can leave
// hundreds of entries, and the JSON form has them all.
const mostEntries = 48

// timeline writes the evidence, one entry a line where it fits. Of a long one
// it keeps the beginning and the end, where the cause and the effect are.
func (p *page) timeline(entries []Entry) {
	if len(entries) == 0 {
		return
	}
	p.blank()
	p.wrapped("  ", "What happened", bold)
	actor := 0
	for _, e := range entries {
		actor = max(actor, cells(p.safe(e.Actor)))
	}
	actor = min(actor, 26)
	for i, e := range entries {
		if left := len(entries) - mostEntries; left > 0 && i >= mostEntries/2 && i < mostEntries/2+left {
			if i == mostEntries/2 {
				p.wrapped("  ", fmt.Sprintf("… %d more, all in cairn grade --json", left), dim)
			}
			continue
		}
		p.evidence(e, actor)
	}
}

func (p *page) evidence(e Entry, actor int) {
	at := ""
	if !p.o.NoTimes {
		at = fmt.Sprintf("%6s ", Took(e.At))
	}
	mark := " "
	if e.Failed {
		mark = "!"
	}
	name := p.safe(e.Actor)
	name += strings.Repeat(" ", max(0, actor-cells(name)))
	text := e.Text
	if e.Result != "" {
		text += " → " + e.Result
	}
	style := 0
	if e.Failed {
		style = red
	}
	lead := "  " + p.style(dim, at) + mark + " " + p.style(dim, name) + "  "
	if p.width-cells(lead) < 30 {
		p.line("", lead)
		lead = "    "
	}
	p.wrapped(lead, text, style)
}

// world says how to look at what a failed grade left. The address stays in one
// piece, to be copied.
func (p *page) world(w *World, what, client string) {
	if w == nil || p.o.Evidence == Short {
		return
	}
	p.blank()
	p.wrapped("", "The "+what+" is as your program left it, until the next grade:", 0)
	p.line("  ", client+" '"+p.safe(w.URL)+"'")
}

func (p *page) verdict(r Report) {
	passed, total := r.Count()
	p.blank()
	style := red
	switch r.Verdict {
	case Passed:
		style = green
	case Ungraded:
		style = yellow
	}
	text, reason := string(r.Verdict), r.Reason
	if len(r.Diagnostics) > 0 && r.Diagnostics[0].Message == reason {
		reason = ""
	}
	if total == 0 && reason != "" {
		text, reason = text+": "+reason, ""
	}
	if total > 0 {
		text += fmt.Sprintf(" · %d of %d checks", passed, total)
	}
	if took := r.took(); total > 0 && took > 0 && !p.o.NoTimes {
		text += " · " + Took(took)
	}
	if r.Seed != 0 && total > 0 {
		text += fmt.Sprintf(" · seed %d", r.Seed)
	}
	p.wrapped("", text, style)
	if reason != "" {
		p.wrapped("", sentence(reason), 0)
	}
	if r.Next != "" {
		p.wrapped("", sentence(r.Next), 0)
	}
}

// sentence ends a text with a full stop, and begins it with a capital unless it
// begins with a name.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if word, _, _ := strings.Cut(text, " "); !strings.ContainsAny(word, "./$_") {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// took is the time of all phases together.
func (r *Report) took() time.Duration {
	var sum time.Duration
	for _, p := range r.Phases {
		sum += p.Duration
	}
	return sum
}
