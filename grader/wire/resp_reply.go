package wire

import (
	"bytes"
	"strconv"
)

// respReply is one whole answer, or a push. Its fields are good until the next
// one is read.
type respReply struct {
	kind  byte   // the type that it begins with
	text  []byte // rendered, without its end where it is long; of an error the message
	word  []byte // the first element of an array or a push, where that is text
	count int64  // the third element, where that is a number
	items []span // elements of an array, as far as they are rendered
}

// span is where an element lies in a rendered answer.
type span struct {
	from, to int
	failed   bool
}

// aggregate is an answer that holds others.
type aggregate struct {
	kind byte
	left int64 // elements still to come
	done int64
}

// replyReader finds the answers in what a server sends, and renders them.
type replyReader struct {
	limit int // bytes to render of the next answer; set between answers
	line  lines
	body  body
	kind  byte // of the string that body is of
	stack []aggregate
	mute  int // attributes around what comes: data about an answer, not shown
	full  bool
	respReply
}

// between reports whether the last answer is complete.
func (r *replyReader) between() bool {
	return len(r.stack) == 0 && r.body.left == 0 && r.line.empty()
}

// next takes the first answer from p and returns what follows it. It returns nil
// while that is not complete.
func (r *replyReader) next(p []byte) (reply *respReply, rest []byte, err error) {
	for len(p) > 0 {
		var complete bool
		if r.body.left > 0 {
			text, rest, ok, err := r.body.next(p, maxReply)
			if err != nil || !ok {
				return nil, rest, err
			}
			p, complete = rest, r.text(r.kind, text, r.body.size)
		} else {
			if r.between() {
				r.reset()
			}
			line, rest, ok, err := r.line.next(p, maxMessage, true)
			if err != nil || !ok {
				return nil, rest, err
			}
			p = rest
			if complete, err = r.header(line); err != nil {
				return nil, nil, err
			}
		}
		if complete {
			return &r.respReply, p, nil
		}
	}
	return nil, nil, nil
}

func (r *replyReader) reset() {
	r.respReply = respReply{text: r.respReply.text[:0], word: r.word[:0], items: r.items[:0]}
	r.full, r.mute = false, 0
}

// header handles the line that an answer, or one element of it, begins with. It
// reports whether the whole answer is complete.
func (r *replyReader) header(line []byte) (complete bool, err error) {
	if len(line) == 0 {
		return false, errRESPType
	}
	kind, rest := line[0], line[1:]
	if len(r.stack) == 0 {
		r.respReply.kind = kind
	}
	switch kind {
	case '+', '-', ':', ',', '#', '_', '(':
		return r.text(kind, rest, int64(len(rest))), nil
	case '$', '=', '!':
		n, err := length(rest, maxBulk)
		if err != nil {
			return false, err
		}
		if n < 0 {
			return r.text('_', nil, 0), nil
		}
		r.kind = kind
		r.body.begin(n)
		return false, nil
	case '*', '~', '>', '%', '|':
		n, err := length(rest, maxCount)
		if err != nil {
			return false, err
		}
		if n < 0 {
			return r.text('_', nil, 0), nil
		}
		return r.open(kind, n)
	}
	return false, errRESPType
}

// open begins an answer that holds others.
func (r *replyReader) open(kind byte, n int64) (complete bool, err error) {
	if len(r.stack) >= maxDepth {
		return false, errDepth
	}
	switch kind {
	case '|':
		r.mute++
		n *= 2
	case '%':
		n *= 2
		fallthrough
	default:
		r.separate()
	}
	r.write(opening(kind))
	r.stack = append(r.stack, aggregate{kind: kind, left: n})
	if n > 0 {
		return false, nil
	}
	return r.close(), nil
}

// close ends the aggregates that are complete. It reports whether the whole answer
// is.
func (r *replyReader) close() (complete bool) {
	for len(r.stack) > 0 {
		top := r.stack[len(r.stack)-1]
		if top.left > 0 {
			return false
		}
		r.stack = r.stack[:len(r.stack)-1]
		if top.kind == '|' {
			r.mute--
			if len(r.stack) == 0 {
				r.respReply.kind = 0
			}
			return false // what it is about comes next
		}
		r.write(closing(top.kind))
		if len(r.stack) == 0 {
			return true
		}
		r.element(false)
	}
	return true
}

// text handles an answer without others in it. It reports whether the whole answer
// is complete.
func (r *replyReader) text(kind byte, text []byte, size int64) (complete bool) {
	r.separate()
	if len(r.stack) == 0 && (kind == '-' || kind == '!') {
		r.respReply.kind = '-'
		r.writeText(text, size, maxMessage)
		return true
	}
	if len(r.stack) == 1 && r.mute == 0 {
		switch r.stack[0].done {
		case 0:
			r.word = append(r.word[:0], text[:min(len(text), maxName)]...)
		case 2:
			r.count, _ = number(text)
		}
	}
	r.render(kind, text, size)
	if len(r.stack) == 0 {
		return true
	}
	r.element(kind == '-' || kind == '!')
	return r.close()
}

// element notes that one element of the innermost aggregate is complete.
func (r *replyReader) element(failed bool) {
	top := &r.stack[len(r.stack)-1]
	top.left--
	top.done++
	if len(r.stack) == 1 && r.mute == 0 && !r.full && len(r.items) > 0 {
		item := &r.items[len(r.items)-1]
		item.to, item.failed = len(r.respReply.text), failed
	}
}

// separate writes what stands before an element.
func (r *replyReader) separate() {
	if len(r.stack) == 0 || r.mute > 0 {
		return
	}
	top := r.stack[len(r.stack)-1]
	switch {
	case top.done == 0:
	case top.kind == '%' && top.done%2 == 1:
		r.write(": ")
	default:
		r.write(", ")
	}
	if len(r.stack) == 1 && !r.full {
		r.items = append(r.items, span{from: len(r.respReply.text), to: -1})
	}
}

func (r *replyReader) render(kind byte, text []byte, size int64) {
	if r.full || r.mute > 0 {
		return
	}
	limit := maxReply
	if len(r.stack) > 0 {
		limit = maxValue
	}
	switch kind {
	case '_':
		r.write("nil")
	case '#':
		r.write(strconv.FormatBool(bytes.Equal(text, []byte{'t'})))
	case '=':
		if i := bytes.IndexByte(text, ':'); i == 3 {
			text, size = text[4:], size-4
		}
		r.writeQuoted(text, size, limit)
	case '$':
		r.writeQuoted(text, size, limit)
	case '-', '!':
		r.write("(error) ")
		r.writeText(text, size, limit)
	default:
		r.writeText(text, size, limit)
	}
}

func (r *replyReader) writeText(text []byte, size int64, limit int) {
	if int64(len(text)) < size || len(text) > limit {
		r.write(shorten(text, int(size), limit))
		return
	}
	r.writeBytes(text)
}

func (r *replyReader) writeQuoted(text []byte, size int64, limit int) {
	cut := text[:min(len(text), limit)]
	r.respReply.text = strconv.AppendQuote(r.respReply.text, string(cut))
	if int64(len(cut)) < size {
		r.write("…")
	}
	r.bound()
}

func (r *replyReader) write(s string) {
	if !r.full && r.mute == 0 {
		r.respReply.text = append(r.respReply.text, s...)
		r.bound()
	}
}

func (r *replyReader) writeBytes(b []byte) {
	if !r.full && r.mute == 0 {
		r.respReply.text = append(r.respReply.text, b...)
		r.bound()
	}
}

// bound ends the rendering where an answer that holds others gets too long. What
// one element may write beyond the limit is bounded itself.
func (r *replyReader) bound() {
	if len(r.stack) > 0 && len(r.respReply.text) > r.limit {
		r.full = true
		r.respReply.text = append(r.respReply.text, "…"...)
	}
}

func opening(kind byte) string {
	switch kind {
	case '%':
		return "{"
	case '|':
		return ""
	}
	return "["
}

func closing(kind byte) string {
	if kind == '%' {
		return "}"
	}
	return "]"
}
