package process

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/safe"
)

const (
	// lineLimit is how many bytes of one line are looked at.
	lineLimit = 16 << 10
	// drainPatience is how long the pipes may stay open once the tree is gone.
	// Only somebody outside the tree can hold them then.
	drainPatience = 2 * time.Second
)

// chunk is a piece of output as it was read.
type chunk struct {
	at     time.Time
	stream int
	bytes  []byte
}

var streams = [...]string{"stdout", "stderr"}

// output collects what the program prints.
type output struct {
	onLine func(Line)
	tooBig func() // called once, when more came than may be kept

	mu      sync.Mutex
	kept    strings.Builder
	left    int64                // bytes that may still come
	pending [len(streams)][]byte // the line that has not ended yet
	over    bool
}

func newOutput(limit int64, onLine func(Line), tooBig func()) *output {
	return &output{onLine: onLine, tooBig: tooBig, left: limit}
}

// follow reads the pipes until they end, and then closes what it returns.
func (o *output) follow(pipes ...*os.File) <-chan struct{} {
	chunks := make(chan chunk)
	var readers sync.WaitGroup
	for i, pipe := range pipes {
		readers.Go(func() { read(pipe, i, chunks) })
	}
	go func() {
		readers.Wait()
		close(chunks)
	}()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for c := range chunks {
			o.add(c)
		}
		for i := range pipes {
			o.flush(i, time.Now())
		}
	}()
	return over
}

// expire bounds the time that is spent on reading the rest.
func (o *output) expire(pipes ...*os.File) {
	for _, pipe := range pipes {
		_ = pipe.SetReadDeadline(time.Now().Add(drainPatience))
	}
}

func read(pipe *os.File, stream int, chunks chan<- chunk) {
	for {
		buffer := make([]byte, 16<<10)
		n, err := pipe.Read(buffer)
		if n > 0 {
			chunks <- chunk{at: time.Now(), stream: stream, bytes: buffer[:n]}
		}
		if err != nil {
			return
		}
	}
}

// allow lets more output come, for a goroutine dump that cairn asked for.
func (o *output) allow(more int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over {
		o.left += more
	}
}

// add takes one chunk apart into lines.
func (o *output) add(c chunk) {
	o.mu.Lock()
	if o.over {
		o.mu.Unlock()
		return
	}
	if int64(len(c.bytes)) > o.left {
		c.bytes = c.bytes[:o.left]
		o.over = true
	}
	o.left -= int64(len(c.bytes))
	over := o.over
	o.mu.Unlock()
	for {
		line, rest, ended := bytes.Cut(c.bytes, []byte{'\n'})
		o.extend(c.stream, line)
		if !ended {
			break
		}
		o.flush(c.stream, c.at, '\n')
		c.bytes = rest
	}
	if over {
		o.tooBig()
	}
}

func (o *output) extend(stream int, more []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	room := max(0, lineLimit-len(o.pending[stream]))
	o.pending[stream] = append(o.pending[stream], more[:min(room, len(more))]...)
}

// flush ends the pending line of a stream. Without an end of line, an empty one
// is nothing.
func (o *output) flush(stream int, at time.Time, end ...byte) {
	o.mu.Lock()
	if len(o.pending[stream]) == 0 && len(end) == 0 {
		o.mu.Unlock()
		return
	}
	text := safe.Line(o.pending[stream])
	o.pending[stream] = o.pending[stream][:0]
	o.kept.WriteString(text)
	o.kept.WriteByte('\n')
	o.mu.Unlock()
	if o.onLine != nil {
		o.onLine(Line{At: at, Stream: streams[stream], Text: text})
	}
}

// text returns all lines, and those that have begun.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.kept.String()
	for _, begun := range o.pending {
		if len(begun) > 0 {
			all += safe.Line(begun) + "\n"
		}
	}
	return all
}
