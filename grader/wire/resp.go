package wire

import (
	"bytes"
	"errors"
	"math"
)

// Bounds of RESP, the protocol of Redis. Bodies of any length pass; what a parser
// keeps of them is bounded.
const (
	maxHeader = 32       // bytes of a line that only announces a length
	maxInline = 64 << 10 // bytes of an inline command, Redis's own limit
	maxDepth  = 1000     // aggregates within each other
	maxBulk   = 1 << 40
)

var (
	errLength   = errors.New("an impossible length")
	errLine     = errors.New("a line without an end")
	errBulkEnd  = errors.New("a string without its end")
	errCommand  = errors.New("something that is no command")
	errQuotes   = errors.New("a command with unbalanced quotes")
	errRESPType = errors.New("an answer of an unknown type")
	errDepth    = errors.New("an answer nested too deeply")
)

// lines finds lines in a stream that arrives in arbitrary pieces.
type lines struct {
	kept []byte // beginning of a line that came in pieces
}

// next takes the first line from p, without its end, and returns what follows it.
// The line is good until the next call. ok is false while it is not complete; of
// one that is longer than keep, the beginning is kept where cut allows that.
func (l *lines) next(p []byte, keep int, cut bool) (line, rest []byte, ok bool, err error) {
	end := bytes.IndexByte(p, '\n')
	if end < 0 {
		if room := keep + 1 - len(l.kept); room < len(p) {
			if !cut {
				return nil, nil, false, errLine
			}
			// The last byte may be the CR of a line that ends with the next piece.
			l.kept = append(l.kept, p[:max(room, 0)]...)
			return nil, nil, false, nil
		}
		l.kept = append(l.kept, p...)
		return nil, nil, false, nil
	}
	line, rest = p[:end], p[end+1:]
	if len(l.kept) > 0 {
		l.kept = append(l.kept, line[:min(len(line), max(keep+1-len(l.kept), 0))]...)
		line = l.kept
		l.kept = l.kept[:0]
	}
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) > keep {
		if !cut {
			return nil, nil, false, errLine
		}
		line = line[:keep]
	}
	return line, rest, true, nil
}

func (l *lines) empty() bool { return len(l.kept) == 0 }

// body is a string of announced length that arrives in arbitrary pieces.
type body struct {
	size int64  // without its end
	left int64  // still to come, its CRLF included; 0 for none
	kept []byte // its beginning, where it came in pieces
}

func (b *body) begin(size int64) { b.size, b.left, b.kept = size, size+2, b.kept[:0] }

// next takes from p what belongs to the body and returns what follows. ok is false
// while it is not complete; text is its beginning, at most keep bytes, good until
// the next call.
func (b *body) next(p []byte, keep int) (text, rest []byte, ok bool, err error) {
	if b.left == b.size+2 && int64(len(p)) >= b.left { // whole
		if p[b.size] != '\r' || p[b.size+1] != '\n' {
			return nil, nil, false, errBulkEnd
		}
		text, rest = p[:min(b.size, int64(keep))], p[b.left:]
		b.left = 0
		return text, rest, true, nil
	}
	if b.left > 2 {
		n := min(int64(len(p)), b.left-2)
		if room := keep - len(b.kept); room > 0 {
			b.kept = append(b.kept, p[:min(n, int64(room))]...)
		}
		b.left -= n
		p = p[n:]
	}
	for b.left > 0 && b.left <= 2 && len(p) > 0 {
		if p[0] != "\n\r"[b.left-1] {
			return nil, nil, false, errBulkEnd
		}
		b.left--
		p = p[1:]
	}
	return b.kept, p, b.left == 0, nil
}

// number reads a whole number as RESP writes lengths.
func number(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// length reads the length of a string or the count of an aggregate: -1 for nil.
func length(b []byte, most int64) (int64, error) {
	n, ok := number(b)
	if !ok || n < -1 || n > most {
		return 0, errLength
	}
	return n, nil
}

const maxCount = math.MaxInt32
