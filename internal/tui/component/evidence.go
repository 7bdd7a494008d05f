package component

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

const (
	labelWidth = 10 // "Expected" and two blanks
	clockWidth = 8  // "  41.2ms"
	laneWidth  = 20 // the narrowest a column of the timeline may get
	maxLanes   = 3
	textWidth  = 44 // the least room for an entry beside its actor
	cellLines  = 4  // lines that one entry of a column may take
)

// Evidence draws what is known of one check: the finding, then the timeline.
// Blocker is the title of the check it waited for, "" when there is none.
func Evidence(t *theme.Theme, c report.Check, blocker string, width int) []string {
	var out []string
	switch {
	case c.Feedback != nil:
		out = finding(t, c, width)
	case c.Status == report.CheckPassed:
		out = wrapStyled(t.Good, theme.Pass+" "+c.Title, width)
		out = append(out, t.Muted.Render("passed in "+Duration(c.Duration)))
	case c.Status == report.CheckFailed:
		out = wrapStyled(t.Bad, theme.Fail+" "+c.Title, width)
	case c.Status == report.CheckBlocked:
		out = wrapStyled(t.Muted, theme.Blocked+" "+c.Title, width)
		why := "did not run, because an earlier check failed"
		if blocker != "" {
			why = "did not run: it comes after “" + blocker + "”, which failed"
		}
		out = append(out, wrapStyled(t.Text, why, width)...)
	default:
		out = wrapStyled(t.Muted, theme.Pending+" "+c.Title, width)
		out = append(out, t.Muted.Render("has not run yet"))
	}
	if c.Feedback != nil && c.Feedback.Detail != "" {
		detail := strings.Split(strings.TrimRight(c.Feedback.Detail, "\n"), "\n")
		out = append(out, "", Rule(t, "in detail", width))
		out = append(out, Squeeze(detail, width)...)
	}
	if len(c.Timeline) > 0 {
		out = append(out, "", Rule(t, "what happened", width))
		out = append(out, Timeline(t, c.Timeline, width)...)
	}
	return out
}

func finding(t *theme.Theme, c report.Check, width int) []string {
	f := c.Feedback
	out := wrapStyled(t.Bad, theme.Fail+" "+c.Title, width)
	out = append(out, "")
	for _, part := range []struct{ label, text string }{
		{"Did", f.Did}, {"Expected", f.Expected}, {"Saw", f.Saw}, {"Why", f.Why}, {"Read", f.Read},
	} {
		if part.text == "" {
			continue
		}
		lines := Wrap(part.text, width-labelWidth)
		for i, line := range lines {
			label := ""
			if i == 0 {
				label = part.label
			}
			if part.label == "Saw" {
				line = t.Strong.Render(line)
			}
			out = append(out, Fit(t.Label.Render(label), labelWidth)+line)
		}
	}
	return out
}

// Timeline draws entries in the order they happened: side by side, one column
// per actor, when there are few actors and room for them, else as a list.
func Timeline(t *theme.Theme, entries []report.Entry, width int) []string {
	actors := actorsOf(entries)
	lane := 0
	if len(actors) > 0 {
		lane = (width - clockWidth - 1 - 2*(len(actors)-1)) / len(actors)
	}
	if len(actors) >= 2 && len(actors) <= maxLanes && lane >= laneWidth {
		return lanes(t, entries, actors, lane, width)
	}
	return list(t, entries, width)
}

func lanes(t *theme.Theme, entries []report.Entry, actors []string, lane, width int) []string {
	gap := strings.Repeat(" ", clockWidth+1)
	head := gap
	for _, a := range actors {
		head += Fit(t.Accent.Render(a), lane) + "  "
	}
	out := []string{strings.TrimRight(head, " ")}
	for _, e := range entries {
		if spans(e) {
			out = append(out, spanning(t, e, width)...)
			continue
		}
		column := 0
		for i, a := range actors {
			if a == e.Actor {
				column = i
			}
		}
		indent := strings.Repeat(" ", column*(lane+2))
		for i, line := range clip(entryLines(t, e, lane), cellLines) {
			left := gap
			if i == 0 {
				left = clock(t, e.At) + " "
			}
			out = append(out, left+indent+line)
		}
	}
	return out
}

// list draws one entry below the other. The actor stands beside its entries
// where there is room, else above them.
func list(t *theme.Theme, entries []report.Entry, width int) []string {
	beside := 0
	for _, a := range actorsOf(entries) {
		beside = max(beside, ansi.StringWidth(a)+2)
	}
	if width-clockWidth-1-beside < textWidth {
		beside = 0
	}
	var out []string
	last := ""
	gap := strings.Repeat(" ", clockWidth+1)
	room := width - clockWidth - 1 - beside
	for _, e := range entries {
		if spans(e) {
			out = append(out, spanning(t, e, width)...)
			last = ""
			continue
		}
		actor := t.Accent.Render(ansi.Truncate(e.Actor, width-len(gap), theme.Ellipsis))
		switch {
		case e.Actor == last:
			actor = ""
		case beside == 0:
			out = append(out, gap+actor)
		}
		last = e.Actor
		for i, line := range clip(entryLines(t, e, room), cellLines) {
			left, who := gap, ""
			if i == 0 {
				left, who = clock(t, e.At)+" ", actor
			}
			out = append(out, left+Fit(who, beside)+line)
		}
	}
	return out
}

// spans tells whether an entry belongs to no actor and crosses all columns.
func spans(e report.Entry) bool {
	return e.Kind == report.KindNote || e.Kind == report.KindFault || e.Actor == ""
}

func spanning(t *theme.Theme, e report.Entry, width int) []string {
	text := e.Text
	if e.Result != "" {
		text += " " + theme.Arrow + " " + e.Result
	}
	style := t.Muted
	if e.Kind == report.KindFault || e.Failed {
		style = t.Warn
	}
	var out []string
	for i, line := range clip(Wrap(beginning(text, width-clockWidth-1), width-clockWidth-1), cellLines) {
		left := strings.Repeat(" ", clockWidth+1)
		if i == 0 {
			left = clock(t, e.At) + " "
		}
		out = append(out, left+style.Render(line))
	}
	return out
}

func entryLines(t *theme.Theme, e report.Entry, width int) []string {
	style := t.Text
	if e.Kind == report.KindLog {
		style = t.Muted
	}
	out := wrapStyled(style, beginning(e.Text, width), width)
	if e.Result == "" {
		return out
	}
	result := t.Muted
	if e.Failed {
		result = t.Bad
	}
	if len(out) == 1 {
		short := e.Text + " " + theme.Arrow + " " + e.Result
		if ansi.StringWidth(short) <= width {
			return []string{style.Render(e.Text) + " " + result.Render(theme.Arrow+" "+e.Result)}
		}
	}
	return append(out, wrapStyled(result, theme.Arrow+" "+beginning(e.Result, width), width)...)
}

// beginning cuts off what no cell has room for: to break all of a long line anew at every frame takes
// most of the frame's time. More than a cell has stays, so that clip sees that there was more.
func beginning(text string, width int) string {
	room := (cellLines + 2) * (width + 1) // a blank goes lost where a line is broken
	if len(text) <= room {
		return text
	}
	return ansi.Truncate(text, room, "")
}

// clip keeps the first lines and says when there were more.
func clip(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	kept := append([]string(nil), lines[:most]...)
	kept[most-1] += theme.Ellipsis
	return kept
}

func actorsOf(entries []report.Entry) []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range entries {
		if !spans(e) && !seen[e.Actor] {
			seen[e.Actor] = true
			out = append(out, e.Actor)
		}
	}
	return out
}

func clock(t *theme.Theme, at time.Duration) string {
	return t.Muted.Render(fmt.Sprintf("%*s", clockWidth, Duration(at)))
}

// Duration says a duration with as many digits as a reader needs: "80ms",
// "1.2s", "3m10s".
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

func wrapStyled(style interface{ Render(...string) string }, text string, width int) []string {
	lines := Wrap(text, width)
	for i, line := range lines {
		lines[i] = style.Render(line)
	}
	return lines
}
