package markdown

import (
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// hang is what a list gives up of its width, so that the second line of an
// item can stand under its first word. Glamour would put it under the bullet.
const hang = 4

var (
	item     = regexp.MustCompile(`^([-*+]|\d{1,3}[.)]) `)
	rendered = regexp.MustCompile(`^ *(• |\d+\. |\[[ x]\] )`)
)

// lists cuts prose into lists and what is between them.
func lists(source string) []chunk {
	var chunks []chunk
	var b strings.Builder
	inList := false
	flush := func() {
		if strings.TrimSpace(b.String()) != "" {
			chunks = append(chunks, chunk{list: inList, source: b.String()})
		}
		b.Reset()
	}
	blank := true
	for line := range strings.Lines(source) {
		empty := strings.TrimSpace(line) == ""
		switch {
		case !inList && blank && item.MatchString(line):
			flush()
			inList = true
		case inList && blank && !empty && !item.MatchString(line) && line[0] != ' ' && line[0] != '\t':
			flush()
			inList = false
		}
		b.WriteString(line)
		blank = empty
	}
	flush()
	return chunks
}

// flow joins the lines of each item's text, which Glamour would keep apart. What
// begins an item, a table or a quotation stays on a line of its own, and so does
// what follows a hard break.
func flow(source string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(source, "\n"), "\n") {
		text := strings.TrimLeft(line, " \t")
		last := len(lines) - 1
		if last < 0 || text == "" || item.MatchString(text) || strings.ContainsAny(text[:1], "|>#") ||
			lines[last] == "" || strings.HasSuffix(lines[last], "  ") || strings.HasSuffix(lines[last], "\\") ||
			strings.HasPrefix(strings.TrimLeft(lines[last], " \t"), "|") {
			lines = append(lines, line)
			continue
		}
		lines[last] += " " + text
	}
	return strings.Join(lines, "\n") + "\n"
}

// indentItems moves the second and later lines of each item under its first
// word.
func indentItems(lines []string) []string {
	out := make([]string, 0, len(lines))
	pad := ""
	for _, line := range lines {
		bare := ansi.Strip(line)
		switch m := rendered.FindString(bare); {
		case m != "":
			indent := len(bare) - len(strings.TrimLeft(bare, " "))
			pad = strings.Repeat(" ", ansi.StringWidth(m)-indent)
			out = append(out, line)
		case bare == "":
			out = append(out, line)
		default:
			out = append(out, pad+line)
		}
	}
	return out
}
