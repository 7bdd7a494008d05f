package wire

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// respCommand is a command as it came, made small. Its fields are good until the
// next one is read.
type respCommand struct {
	name   string
	count  int    // arguments, kept or not
	args   []byte // of the first ones: length, length kept, and the beginning of each
	script []byte // source that it runs or loads, nil where it has none or one too long
}

// commandReader finds the commands in what a program sends.
type commandReader struct {
	line  lines
	body  body
	left  int64 // arguments still to come, the name included; 0 between commands
	index int   // of the argument that comes next, 0 for the name
	loads bool  // SCRIPT LOAD
	respCommand
}

// between reports whether the last command is complete.
func (r *commandReader) between() bool { return r.left == 0 && r.line.empty() }

// next takes the first command from p and returns what follows it. It returns nil
// while that is not complete.
func (r *commandReader) next(p []byte) (cmd *respCommand, rest []byte, err error) {
	for len(p) > 0 {
		switch {
		case r.left == 0:
			var done bool
			if done, p, err = r.begin(p); err != nil || done {
				return &r.respCommand, p, err
			}
		case r.body.left == 0:
			line, rest, ok, err := r.line.next(p, maxHeader, false)
			if err != nil || !ok {
				return nil, rest, err
			}
			p = rest
			if len(line) == 0 || line[0] != '$' {
				return nil, nil, errCommand
			}
			size, err := length(line[1:], maxBulk)
			if err != nil || size < 0 {
				return nil, nil, errLength
			}
			r.body.begin(size)
		default:
			text, rest, ok, err := r.body.next(p, r.keep())
			if err != nil || !ok {
				return nil, rest, err
			}
			p = rest
			r.argument(text, r.body.size)
			if r.left--; r.left == 0 {
				return &r.respCommand, p, nil
			}
		}
	}
	return nil, nil, nil
}

// begin reads the line that a command begins with, or all of one sent inline.
func (r *commandReader) begin(p []byte) (done bool, rest []byte, err error) {
	first := p[0]
	if !r.line.empty() {
		first = r.line.kept[0]
	}
	keep := maxInline
	if first == '*' {
		keep = maxHeader
	}
	line, rest, ok, err := r.line.next(p, keep, false)
	if err != nil || !ok {
		return false, rest, err
	}
	r.index, r.count, r.args, r.script, r.loads = 0, 0, r.args[:0], nil, false
	if first == '*' {
		n, err := length(line[1:], maxCount)
		r.left = max(n, 0) // none and nil are no command, and get no answer
		return false, rest, err
	}
	words, err := splitInline(line)
	for _, w := range words {
		r.argument(w[:min(len(w), r.keep())], int64(len(w)))
	}
	return len(words) > 0, rest, err
}

// keep is how many bytes of the next argument are of use.
func (r *commandReader) keep() int {
	switch {
	case r.index == 0:
		return maxName
	case r.isScript():
		return maxScript
	case r.index > maxParams:
		return 0
	}
	return maxCommandArg
}

// isScript reports whether the next argument is the source of a script.
func (r *commandReader) isScript() bool {
	return r.index == 1 && (r.name == "EVAL" || r.name == "EVAL_RO") || r.index == 2 && r.loads
}

func (r *commandReader) argument(text []byte, size int64) {
	if r.isScript() && int64(len(text)) == size {
		r.script = bytes.Clone(text)
	}
	if r.index == 0 {
		r.name = commandName(text)
	} else {
		r.count++
		if r.index == 1 && r.name == "SCRIPT" {
			r.loads = bytes.EqualFold(text, []byte("LOAD"))
		}
		if r.index <= maxParams {
			r.args = appendArg(r.args, text[:min(len(text), maxCommandArg)], size)
		}
	}
	r.index++
}

func appendArg(args, text []byte, size int64) []byte {
	args = binary.AppendUvarint(args, uint64(size))
	args = binary.AppendUvarint(args, uint64(len(text)))
	return append(args, text...)
}

// argTexts renders arguments that appendArg kept.
func argTexts(args []byte) []string {
	var texts []string
	for len(args) > 0 {
		size, n := binary.Uvarint(args)
		kept, m := binary.Uvarint(args[n:])
		args = args[n+m:]
		texts = append(texts, shorten(args[:kept], int(size), maxCommandArg))
		args = args[kept:]
	}
	return texts
}

// commonNames keeps the names that come most often from being allocated anew.
var commonNames = func() map[string]string {
	names := map[string]string{}
	for _, n := range strings.Fields(`GET SET DEL MGET MSET INCR INCRBY DECR EXPIRE PEXPIRE TTL PTTL EXISTS SETNX SETEX GETEX
		HGET HSET HGETALL HINCRBY LPUSH RPUSH LPOP RPOP BLPOP BRPOP LRANGE SADD SREM SMEMBERS ZADD ZREM ZCARD ZRANGE
		ZREMRANGEBYSCORE EVAL EVALSHA MULTI EXEC WATCH PUBLISH PING XADD XREADGROUP XACK HELLO CLIENT`) {
		names[n] = n
	}
	return names
}()

func commandName(text []byte) string {
	var buf [maxName]byte
	upper := buf[:copy(buf[:], text)]
	for i, c := range upper {
		if 'a' <= c && c <= 'z' {
			upper[i] = c - 'a' + 'A'
		}
	}
	if name, ok := commonNames[string(upper)]; ok {
		return name
	}
	return string(upper)
}

// splitInline splits a command sent as a line into words, which may be quoted.
func splitInline(line []byte) ([][]byte, error) {
	var words [][]byte
	for {
		line = bytes.TrimLeft(line, " \t\r\n\v\f\x00")
		if len(line) == 0 {
			return words, nil
		}
		word, rest, ok := inlineWord(line)
		if !ok {
			return nil, errQuotes
		}
		words, line = append(words, word), rest
	}
}

func inlineWord(line []byte) (word, rest []byte, ok bool) {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0):
			return word, line[i:], true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == '\\' && i+1 < len(line) && (quote == '"' || line[i+1] == '\''):
			i++
			word = append(word, unescape(line[i]))
		case c == quote && quote != 0:
			// A word ends with its quotes.
			return word, line[i+1:], i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'
		default:
			word = append(word, c)
		}
	}
	return word, nil, quote == 0
}

func unescape(c byte) byte {
	if i := strings.IndexByte("nrtba", c); i >= 0 {
		return "\n\r\t\b\a"[i]
	}
	return c
}
