package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Sizes and limits of the protocol's frames: a type byte, a length that counts
// itself, a body.
const (
	headerSize = 5
	maxFrame   = 1 << 30 // PostgreSQL's own limit of one allocation
	maxKept    = 64 << 10
)

var (
	errFrameLength = errors.New("a message with an impossible length")
	errFrameType   = errors.New("a message of an unknown type")
)

// frame is one message. Its body lies in the buffer that was read, or in the
// framer's own where it came in pieces; either way it is only good until the
// next call. It is cut to what is of use of its type.
type frame struct {
	kind byte
	body []byte
	size int // of the whole body
}

func (f frame) cut() bool { return len(f.body) < f.size }

// framer finds the frames in a stream that arrives in arbitrary pieces.
type framer struct {
	known  *[256]int // how many bytes of a body are of use, by type; 0 for a type that is not known
	header [headerSize]byte
	have   int    // bytes of the header so far
	left   int    // bytes of the body still to come
	size   int    // of the body
	kept   []byte // beginning of a body that came in pieces
}

// next takes the first frame from p and returns what follows it. A frame that is
// not complete yet is remembered and returned with kind 0.
func (f *framer) next(p []byte) (frame, []byte, error) {
	if f.have == 0 && len(p) >= headerSize {
		size, err := f.check(p[:headerSize])
		if err != nil {
			return frame{}, nil, err
		}
		if end := headerSize + size; len(p) >= end {
			body := p[headerSize : headerSize+min(size, f.known[p[0]])]
			return frame{kind: p[0], body: body, size: size}, p[end:], nil
		}
	}
	return f.collect(p)
}

// collect is next for a frame that comes in pieces.
func (f *framer) collect(p []byte) (frame, []byte, error) {
	if f.have < headerSize {
		n := copy(f.header[f.have:], p)
		f.have += n
		p = p[n:]
		if f.have < headerSize {
			return frame{}, nil, nil
		}
		size, err := f.check(f.header[:])
		if err != nil {
			return frame{}, nil, err
		}
		f.size, f.left, f.kept = size, size, f.kept[:0]
	}
	kind := f.header[0]
	n := min(len(p), f.left)
	if room := f.known[kind] - len(f.kept); room > 0 {
		f.kept = append(f.kept, p[:min(n, room)]...)
	}
	f.left -= n
	if f.left > 0 {
		return frame{}, nil, nil
	}
	f.have = 0
	return frame{kind: kind, body: f.kept, size: f.size}, p[n:], nil
}

// check returns the size of the body that a header announces.
func (f *framer) check(header []byte) (int, error) {
	if f.known[header[0]] == 0 {
		return 0, errFrameType
	}
	length := binary.BigEndian.Uint32(header[1:])
	if length < 4 || length > maxFrame {
		return 0, errFrameLength
	}
	return int(length) - 4, nil
}

// Types of messages, and how many bytes of their bodies are of use.
var (
	frontendKnown = [256]int{
		'Q': maxKept, 'P': maxKept, 'B': maxKept, 'E': maxKept, 'D': maxKept, 'C': maxKept,
		'S': 1, 'H': 1, 'F': 1 << 10, 'd': 1, 'c': 1, 'f': 1, 'X': 1, 'p': 1,
	}
	backendKnown = [256]int{
		'1': 1, '2': 1, '3': 1, 't': maxKept, 'T': maxKept, 'n': 1, 'D': 1 << 10, 'C': 1 << 10, 'I': 1,
		's': 1, 'E': 8 << 10, 'Z': 16, 'G': 1, 'H': 1, 'W': 1, 'd': 1, 'c': 1, 'A': 1, 'N': 1, 'S': 1, 'K': 1,
		'R': 1, 'V': 1, 'v': 1,
	}
)

// cursor reads the fields of a body. A field that is missing or cut comes back
// empty, and ok turns false.
type cursor struct {
	b  []byte
	ok bool
}

func fields(b []byte) cursor { return cursor{b: b, ok: true} }

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.b, c.ok = nil, false
		return nil
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) byte() byte {
	if v := c.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (c *cursor) uint16() int {
	if v := c.take(2); v != nil {
		return int(binary.BigEndian.Uint16(v))
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if v := c.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

// text reads up to the next NUL. Where that is missing (the body was cut), it
// returns the rest.
func (c *cursor) text() []byte {
	if i := bytes.IndexByte(c.b, 0); i >= 0 {
		v := c.b[:i]
		c.b = c.b[i+1:]
		return v
	}
	v := c.b
	c.b, c.ok = nil, false
	return v
}
