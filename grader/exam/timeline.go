package exam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/grader/wire"
)

// maxEntries bounds the timeline of one check.
const maxEntries = 240

// programLog collects the lines of all instances in one order.
type programLog struct {
	mu    sync.Mutex
	lines []logLine
}

type logLine struct {
	actor string
	process.Line
}

// maxLogLines bounds the memory of one grade's log; the process's own output
// limit bounds its bytes.
const maxLogLines = 20000

func (l *programLog) add(actor string, line process.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) < maxLogLines {
		l.lines = append(l.lines, logLine{actor, line})
	}
}

func (l *programLog) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

func (l *programLog) since(mark int) []logLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines[mark:])
}

// tail returns the last n lines, with the name of the process when they are of
// several.
func (l *programLog) tail(n int) string {
	lines := l.since(max(0, l.len()-n))
	named := slices.ContainsFunc(lines, func(line logLine) bool { return line.actor != lines[0].actor })
	var b strings.Builder
	for _, line := range lines {
		if named {
			b.WriteString(line.actor + ": ")
		}
		b.WriteString(line.Text + "\n")
	}
	return b.String()
}

// timeline joins what the examiner did, what the program asked its upstreams, ran
// on its database and on Redis, and what it logged, in the order of time.
func (c *C) timeline() []report.Entry {
	c.mu.Lock()
	entries := slices.Clone(c.entries)
	others := map[string]bool{} // instances in the hands of checks that overlap with this one
	for _, p := range c.session.programs {
		others[p.name()] = c.spec.parallel && !c.touched[p]
	}
	c.mu.Unlock()
	if !c.spec.parallel {
		entries = append(entries, c.upstreamEntries()...)
		for _, st := range c.Statements() {
			entries = append(entries, c.statementEntry(st))
		}
		for _, cmd := range c.Commands() {
			if !cmd.Setup() || cmd.Err != "" {
				entries = append(entries, c.commandEntry(cmd))
			}
		}
	}
	for _, l := range c.session.log.since(c.logMark) {
		if others[l.actor] {
			continue
		}
		entries = append(entries, report.Entry{At: l.At.Sub(c.began), Kind: report.KindLog, Actor: l.actor, Text: l.Text})
	}
	byTime := func(a, b report.Entry) int { return int(a.At - b.At) }
	slices.SortStableFunc(entries, byTime)
	entries = splitAnswers(mergeRepeated(entries))
	slices.SortStableFunc(entries, byTime)
	if n := len(entries); n > maxEntries {
		entries = append(entries[:maxEntries:maxEntries], report.Entry{At: entries[n-1].At, Kind: report.KindNote,
			Actor: "cairn", Text: fmt.Sprintf("%d more lines of evidence are left out", n-maxEntries)})
	}
	return entries
}

// splitAnswers makes two entries of a request during which something else
// happened, so that the answer stands below what led to it. The entries must be
// in the order of time.
func splitAnswers(entries []report.Entry) []report.Entry {
	var answers []report.Entry
	for i := range entries {
		e := &entries[i]
		if e.Kind != report.KindHTTP && e.Kind != report.KindUpstream || e.Result == "" || i+1 == len(entries) || entries[i+1].At >= e.At+e.Duration {
			continue
		}
		answers = append(answers, report.Entry{At: e.At + e.Duration, Kind: e.Kind, Actor: e.Actor, Text: result(e), Failed: e.Failed})
		e.Result, e.Failed = "", false
	}
	return append(entries, answers...)
}

// result is an outcome that stands on a line of its own: what a client got, what
// an upstream did.
func result(e *report.Entry) string {
	if e.Kind == report.KindHTTP && e.Result != hungUp {
		return "got " + e.Result
	}
	return e.Result
}

// mergeRepeated makes one entry of requests that were repeated, with nothing in
// between, until the answer changed.
func mergeRepeated(entries []report.Entry) []report.Entry {
	var merged []report.Entry
	for i := 0; i < len(entries); {
		e, n := entries[i], 1
		for ; i+n < len(entries) && e.Kind == report.KindHTTP; n++ {
			next := entries[i+n]
			if next.Kind != e.Kind || next.Actor != e.Actor || next.Text != e.Text || next.Result != e.Result {
				break
			}
		}
		if n > 1 {
			last := entries[i+n-1]
			e.Text = fmt.Sprintf("%s, %d times", e.Text, n)
			e.Duration = last.At + last.Duration - e.At
		}
		merged = append(merged, e)
		i += n
	}
	return merged
}

// connection names a connection in the evidence, with its instance when there are
// several.
func (c *C) connection(listener string, session int) string {
	actor := fmt.Sprintf("session %d", session)
	if len(c.session.programs) > 1 {
		actor = fmt.Sprintf("%s · %s", listener, actor)
	}
	return actor
}

func (c *C) statementEntry(st wire.Statement) report.Entry {
	text := strings.Join(strings.Fields(safe.Line(strings.ReplaceAll(st.SQL, "\n", " "))), " ")
	if len(st.Params) > 0 {
		text += "  [" + safe.Line(strings.Join(st.Params, ", ")) + "]"
	}
	e := report.Entry{
		At: st.Start.Sub(c.began), Kind: report.KindSQL, Actor: c.connection(st.Listener, st.Session), Text: text,
		Result: safe.Line(statementResult(st)), Failed: st.Err != nil,
	}
	if !st.Pending {
		e.Duration = st.Duration
	} else {
		e.Duration = time.Since(st.Start)
	}
	return e
}

// commandEntry shows a command as redis-cli would take it; connections' own
// set-up is left out.
func (c *C) commandEntry(cmd wire.Command) report.Entry {
	words := []string{cmd.Name}
	for i, arg := range cmd.Args {
		words = append(words, commandWord(cmd, i, arg))
	}
	e := report.Entry{
		At: cmd.Start.Sub(c.began), Kind: report.KindRedis, Actor: c.connection(cmd.Listener, cmd.Session),
		Text: safe.Line(strings.Join(words, " ")), Result: safe.Line(commandResult(cmd)), Failed: cmd.Err != "",
	}
	if !cmd.Pending {
		e.Duration = cmd.Duration
	} else {
		e.Duration = time.Since(cmd.Start)
	}
	return e
}

// commandWord is one argument in the evidence. A script's hash says nothing to
// anybody, and its source is on one line there; only their beginnings are shown.
func commandWord(cmd wire.Command, i int, arg string) string {
	const source, hash = 160, 8
	switch {
	case i == 0 && strings.HasPrefix(cmd.Name, "EVALSHA") && len(arg) > hash:
		return arg[:hash] + "…"
	case i == 0 && strings.HasPrefix(cmd.Name, "EVAL"):
		arg = strings.Join(strings.Fields(arg), " ")
		if runes := []rune(arg); len(runes) > source {
			arg = string(runes[:source]) + "…"
		}
	}
	if arg == "" || strings.ContainsAny(arg, " \t\r\n\"") {
		return strconv.Quote(arg)
	}
	return arg
}

// commandResult is a command's outcome in a few words.
func commandResult(cmd wire.Command) string {
	switch {
	case cmd.Pending && cmd.Reply == "", cmd.Lost:
		return "no answer"
	case cmd.Skipped:
		return "never run: the transaction was given up"
	case cmd.Err != "":
		return "ERROR " + cmd.Err
	}
	return cmd.Reply
}
