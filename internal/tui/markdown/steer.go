package markdown

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// still takes out of a rendered line what does more to a terminal than to dress
// text and to mark a link. Glamour turns references such as &#27; into characters,
// so that a text which was fit to be shown need not be so any more.
func still(line string) string {
	if !strings.ContainsFunc(line, steers) {
		return line
	}
	var b strings.Builder
	b.Grow(len(line))
	var state byte
	parser := ansi.NewParser()
	for rest := line; len(rest) > 0; {
		seq, width, n, next := ansi.DecodeSequence(rest, state, parser)
		if width > 0 || harmless(seq) {
			b.WriteString(seq)
		}
		state, rest = next, rest[max(n, 1):]
	}
	return b.String()
}

// steers tells whether a character is one that a terminal acts on.
func steers(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f }

// harmless tells whether a sequence sets colours and the like (SGR), or is a link
// (OSC 8), or is no control sequence at all.
func harmless(seq string) bool {
	switch {
	case strings.HasPrefix(seq, "\x1b["):
		return strings.HasSuffix(seq, "m") && strings.Trim(seq[2:len(seq)-1], "0123456789;:") == ""
	case strings.HasPrefix(seq, "\x1b]8;"):
		body := strings.TrimSuffix(strings.TrimSuffix(seq[4:], "\x07"), "\x1b\\")
		return len(body) < len(seq)-4 && !strings.ContainsFunc(body, steers)
	default:
		return !strings.ContainsFunc(seq, steers)
	}
}
