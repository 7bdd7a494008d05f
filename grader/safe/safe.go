// Package safe makes text of unknown origin fit to be shown in a terminal: what
// programs print, SQL, JSON, log lines.
package safe

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LineLimit is how many characters of one line are shown.
const LineLimit = 4096

const tab = "    "

// Text returns text with several lines. Terminal escapes (CSI, OSC, DCS and the
// like, also their 8-bit forms) and control characters are left out; a NUL
// becomes ␀, a byte that is not UTF-8 becomes U+FFFD, a character that turns the
// direction of writing becomes its number, a tab four spaces; CR LF and a lone
// CR end a line. Longer lines than LineLimit are cut and say so.
func Text[T string | []byte](b T) string {
	s := strings.ReplaceAll(string(b), "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return strings.Join(lines, "\n")
}

// Line is Text for what must stay on one line: every end of line becomes a
// space, and one at the end is dropped.
func Line[T string | []byte](b T) string {
	s := strings.TrimRight(string(b), "\r\n")
	s = strings.ReplaceAll(s, "\r\n", " ")
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	return clean(s)
}

// clean makes one line safe.
func clean(line string) string {
	if plain(line) {
		return line
	}
	var b strings.Builder
	shown := 0
	for i := 0; i < len(line); {
		if n := escape(line[i:]); n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(line[i:])
		if shown == LineLimit {
			fmt.Fprintf(&b, "… (%d bytes more)", len(line)-i)
			break
		}
		i += size
		if text := show(r); text != "" {
			b.WriteString(text)
			shown++
		}
	}
	return b.String()
}

// plain tells whether a line is short printable ASCII, as most are.
func plain(line string) bool {
	if len(line) > LineLimit {
		return false
	}
	for i := range len(line) {
		if line[i] < ' ' || line[i] > '~' {
			return false
		}
	}
	return true
}

// show returns how one character is shown; empty leaves it out.
func show(r rune) string {
	switch {
	case r == '\t':
		return tab
	case r == 0:
		return "␀"
	case turnsDirection(r):
		return fmt.Sprintf("‹U+%04X›", r)
	case r == '\u2028', r == '\u2029':
		return " "
	case r == '\u200c', r == '\u200d': // joiners, part of words and of emoji
		return string(r)
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return ""
	default:
		return string(r)
	}
}

func turnsDirection(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// escape returns how many bytes at the beginning of s are an escape sequence;
// one that does not end goes to the end of the line.
func escape(s string) int {
	kind, n := introducer(s)
	switch kind {
	case 0:
		return 0
	case '[':
		return n + csi(s[n:])
	case ']', 'P', 'X', '^', '_':
		return n + untilTerminator(s[n:])
	default:
		return n
	}
}

// introducer recognises the beginning of a sequence. The 8-bit forms are
// characters here, U+0080 to U+009F, in two bytes.
func introducer(s string) (kind byte, n int) {
	if s[0] == 0xc2 && len(s) > 1 && s[1] >= 0x80 && s[1] <= 0x9f {
		return s[1] - 0x40, 2
	}
	if s[0] != 0x1b {
		return 0, 0
	}
	n = 1
	for n < len(s) && s[n] >= 0x20 && s[n] <= 0x2f {
		n++
	}
	if n == len(s) || s[n] < 0x30 || s[n] > 0x7e {
		return 1, n // cut off, or no sequence at all
	}
	if n > 1 {
		return 1, n + 1
	}
	return s[n], n + 1
}

// csi returns the length of parameters, intermediates and final byte.
func csi(s string) int {
	n := 0
	for n < len(s) && s[n] >= 0x20 && s[n] <= 0x3f {
		n++
	}
	if n < len(s) && s[n] >= 0x40 && s[n] <= 0x7e {
		n++
	}
	return n
}

// untilTerminator returns the length of a string sequence with its end: BEL, ST
// (ESC \ or U+009C), or the end of the line.
func untilTerminator(s string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == 0x07:
			return i + 1
		case s[i] == 0x1b:
			if i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
			return i // another sequence cancels this one
		case s[i] == 0xc2 && i+1 < len(s) && s[i+1] == 0x9c:
			return i + 2
		}
	}
	return len(s)
}
