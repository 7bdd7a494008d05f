// Package exposition reads what a program serves at /metrics: the text format of
// Prometheus, version 0.0.4. It is stricter than a scrape has to be, and says what
// is wrong in words for the program's author.
//
// Prometheus' own parser, prometheus/common/expfmt, is not used: it brings the
// whole of protobuf with it. A test holds this one to it.
package exposition

import (
	"fmt"
	"math"
	"strings"
)

// Metrics is one scrape.
type Metrics struct {
	Families []*Family // in the order in which they came
	byName   map[string]*Family
}

// Family is one metric: all series with its name, and what is said about them.
type Family struct {
	Name    string
	Type    string // counter, gauge, histogram, summary, untyped; "" when there was no TYPE line
	Help    string
	Samples []Sample
	helped  bool
}

// Sample is one line with a value.
type Sample struct {
	Name   string // that of the family, or with _bucket, _sum or _count after it
	Labels map[string]string
	Value  float64
	Line   int
}

// Error is a line that a scraper refuses.
type Error struct {
	Line    int
	Text    string // the line
	Problem string
}

func (e *Error) Error() string {
	text := e.Text
	if r := []rune(text); len(r) > 100 {
		text = string(r[:100]) + "…"
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Problem, text)
}

// Parse reads one scrape. The error, if there is one, is an *Error.
func Parse(text []byte) (*Metrics, error) {
	p := &parser{m: &Metrics{byName: map[string]*Family{}}, seen: map[string]int{}}
	rest := string(text)
	for rest != "" {
		p.line++
		line, after, whole := strings.Cut(rest, "\n")
		problem := ""
		switch {
		case !whole:
			problem = "the last line does not end with a line feed"
		case strings.HasSuffix(line, "\r"):
			problem = "the line ends with CR LF, not with LF alone"
		default:
			problem = p.parse(strings.TrimLeft(line, " \t"))
		}
		if problem != "" {
			return nil, &Error{Line: p.line, Text: line, Problem: problem}
		}
		rest = after
	}
	return p.m, nil
}

// Family returns the family with a name, nil when there is none.
func (m *Metrics) Family(name string) *Family { return m.byName[name] }

// Samples is how many lines have a value.
func (m *Metrics) Samples() int {
	n := 0
	for _, f := range m.Families {
		n += len(f.Samples)
	}
	return n
}

// Key is the sample's name and labels in one text, the same for the same series.
func (s Sample) Key() string { return key(s.Name, s.Labels) }

// parser is where a scrape has got to.
type parser struct {
	m    *Metrics
	line int
	seen map[string]int // series → line
}

// parse reads one line without its end, and says what is wrong with it.
func (p *parser) parse(line string) (problem string) {
	switch {
	case line == "":
		return ""
	case line[0] == '#':
		return p.comment(line[1:])
	default:
		return p.sample(line)
	}
}

// comment reads HELP and TYPE, and passes over any other comment.
func (p *parser) comment(text string) (problem string) {
	text = strings.TrimLeft(text, " \t")
	kind, text := word(text)
	if kind != "HELP" && kind != "TYPE" {
		return ""
	}
	name, text := word(text)
	if !validName(name, true) {
		return kind + " needs the name of a metric"
	}
	f := p.family(name)
	if kind == "HELP" {
		if f.helped {
			return "a second HELP of " + name
		}
		f.Help, f.helped = unescape(text), true
		return ""
	}
	text = strings.TrimRight(text, " \t")
	switch {
	case f.Type != "":
		return "a second TYPE of " + name
	case len(f.Samples) > 0:
		return "the TYPE of " + name + " comes after its first sample"
	}
	switch text {
	case "counter", "gauge", "histogram", "summary", "untyped":
		f.Type = text
		return ""
	}
	return fmt.Sprintf("%q is no type of a metric", text)
}

// family returns the family with a name, and makes it if need be.
func (p *parser) family(name string) *Family {
	f := p.m.byName[name]
	if f == nil {
		f = &Family{Name: name}
		p.m.byName[name] = f
		p.m.Families = append(p.m.Families, f)
	}
	return f
}

// owner is the family that a sample belongs to: a histogram's lines have longer
// names than the histogram.
func (p *parser) owner(name string) *Family {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		base, ok := strings.CutSuffix(name, suffix)
		if f := p.m.byName[base]; ok && f != nil &&
			(f.Type == "histogram" || f.Type == "summary" && suffix != "_bucket") {
			return f
		}
	}
	return p.family(name)
}

// add keeps a sample that was read.
func (p *parser) add(s Sample) (problem string) {
	k := s.Key()
	if line, twice := p.seen[k]; twice {
		return fmt.Sprintf("the same series as in line %d", line)
	}
	p.seen[k] = s.Line
	f := p.owner(s.Name)
	if f.Type == "histogram" && s.Name == f.Name {
		return "a histogram has _bucket, _sum and _count, and no value of its own"
	}
	f.Samples = append(f.Samples, s)
	return ""
}

// Integer tells whether a value is a whole number that is not negative, as every
// count is.
func Integer(v float64) bool { return v >= 0 && v == math.Trunc(v) && !math.IsInf(v, 0) }
