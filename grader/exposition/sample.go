package exposition

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sample reads a name, labels, a value and perhaps a timestamp.
func (p *parser) sample(line string) (problem string) {
	end := strings.IndexAny(line, "{ \t")
	if end < 0 {
		return "a name without a value"
	}
	s := Sample{Name: line[:end], Labels: map[string]string{}, Line: p.line}
	if !validName(s.Name, true) {
		return fmt.Sprintf("%q is no name of a metric", s.Name)
	}
	rest := strings.TrimLeft(line[end:], " \t")
	if strings.HasPrefix(rest, "{") {
		if rest, problem = labels(rest[1:], s.Labels); problem != "" {
			return problem
		}
	}
	fields := strings.Fields(rest)
	switch {
	case len(fields) == 0:
		return "no value"
	case len(fields) > 2:
		return "more than a value and a timestamp"
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	if err != nil || strings.ContainsAny(fields[0], "pP_") {
		return fmt.Sprintf("%q is no number", fields[0])
	}
	s.Value = value
	if len(fields) == 2 {
		if _, err := strconv.ParseInt(fields[1], 10, 64); err != nil {
			return fmt.Sprintf("%q is no timestamp in milliseconds", fields[1])
		}
	}
	return p.add(s)
}

// labels reads name="value" pairs up to the closing brace into into, and returns
// what comes after it.
func labels(text string, into map[string]string) (rest, problem string) {
	for {
		text = strings.TrimLeft(text, " \t")
		if after, ok := strings.CutPrefix(text, "}"); ok {
			return after, ""
		}
		name, after, ok := strings.Cut(text, "=")
		name = strings.TrimRight(name, " \t")
		if !ok || !validName(name, false) {
			return "", fmt.Sprintf("a label's name and = are expected at %q", text)
		}
		if _, twice := into[name]; twice {
			return "", "the label " + name + " twice"
		}
		after = strings.TrimLeft(after, " \t")
		if !strings.HasPrefix(after, `"`) {
			return "", "the value of the label " + name + " is not in quotes"
		}
		value, after, problem := quoted(after[1:])
		if problem != "" {
			return "", "the label " + name + ": " + problem
		}
		into[name] = value
		text = strings.TrimLeft(after, " \t")
		if after, ok := strings.CutPrefix(text, ","); ok {
			text = after
		} else if !strings.HasPrefix(text, "}") {
			return "", "a comma or } is expected after the label " + name
		}
	}
}

// quoted reads a label's value up to the closing quote.
func quoted(text string) (value, rest, problem string) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			if value = b.String(); !utf8.ValidString(value) {
				return "", "", "its value is not UTF-8"
			}
			return value, text[i+1:], ""
		case '\\':
			i++
			switch {
			case i < len(text) && (text[i] == '\\' || text[i] == '"'):
				b.WriteByte(text[i])
			case i < len(text) && text[i] == 'n':
				b.WriteByte('\n')
			default:
				return "", "", `only \\, \" and \n may follow a backslash`
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", "its value has no closing quote"
}

// unescape reads a HELP text.
func unescape(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(text)
}

// word cuts the first word off.
func word(text string) (first, rest string) {
	end := strings.IndexAny(text, " \t")
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeft(text[end:], " \t")
}

// validName tells whether a text is a metric's name, which may have colons, or a
// label's.
func validName(name string, colons bool) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || colons && c == ':'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// key writes a series with its labels in order.
func key(name string, labels map[string]string) string {
	var b strings.Builder
	b.WriteString(name)
	for i, label := range slices.Sorted(maps.Keys(labels)) {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(label + "=" + strconv.Quote(labels[label]))
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	return b.String()
}
