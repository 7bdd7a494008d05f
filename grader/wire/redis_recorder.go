package wire

import (
	"bytes"
	"errors"
	"sync"
	"time"
)

var (
	errMonitor = errors.New("MONITOR")
	errReplica = errors.New("the beginning of a replication")
)

// redisRecorder follows the conversation of one session with Redis and writes it
// to the log. It is given both directions as they pass, in pieces of any size.
type redisRecorder struct {
	log      *Log
	listener string
	session  int
	trigger  *pendingCut[Command] // a CutAfter that waits for its command; may be nil

	mu         sync.Mutex
	in         commandReader
	out        replyReader
	blind      bool                  // nothing is recorded any more
	queue      queue[*commandRecord] // what the server still has to answer
	inTx       bool                  // the program has sent MULTI
	queued     []*commandRecord      // what EXEC will answer
	silent     bool                  // the program wants no replies any more
	skip       bool                  // … none to its next command
	subscribed bool                  // messages come as arrays, among the answers
	marked     *commandRecord        // the command that sprang a CutAfter
	when       CutPoint              // … and where it ends the session
}

func newRedisRecorder(log *Log, listener string, session int) *redisRecorder {
	return &redisRecorder{log: log, listener: listener, session: session}
}

// requests reads a piece of what the program sends. now is when it arrived.
func (r *redisRecorder) requests(p []byte, now time.Time) request {
	r.mu.Lock()
	defer r.mu.Unlock()
	req := request{starts: r.blind || r.in.between()}
	for len(p) > 0 && !r.blind {
		cmd, rest, err := r.in.next(p)
		switch {
		case err != nil:
			r.goBlind("the program", err)
			return req
		case r.queue.len()+len(r.queued) > maxQueue:
			r.blind, req.flood = true, true
			r.log.noteFlood(r.listener, r.session)
			return req
		case cmd != nil:
			r.begin(cmd, now, &req)
		}
		p = rest
	}
	return req
}

// goBlind ends the recording. The caller holds r.mu.
func (r *redisRecorder) goBlind(side string, err error) {
	r.blind = true
	r.log.noteBlind(r.listener, r.session, side, err)
}

// begin handles one command of the program.
func (r *redisRecorder) begin(cmd *respCommand, now time.Time, req *request) {
	rec := &commandRecord{
		Command: Command{Listener: r.listener, Session: r.session, Name: cmd.name, Start: now, Pending: true},
		args:    bytes.Clone(maskSecrets(cmd.name, cmd.args)), count: cmd.count, scripts: &r.log.scripts,
	}
	r.transaction(rec)
	r.script(rec, cmd)
	rec.confirms = confirmations(rec)
	if !r.answered(rec) {
		rec.Pending, rec.NoReply = false, true
	}
	r.log.begin(rec)
	if rec.Pending {
		r.queue.push(rec)
	}
	if r.trigger != nil {
		if when := r.trigger.sprung(rec.command); when != 0 {
			r.marked, r.when = rec, when
			req.cut = req.cut || when == CutBeforeSend
		}
	}
	if cmd.name == "SYNC" || cmd.name == "PSYNC" {
		r.goBlind("the program", errReplica)
	}
}

// transaction notes where the program is between MULTI and EXEC.
func (r *redisRecorder) transaction(rec *commandRecord) {
	switch rec.Name {
	case "MULTI":
		r.inTx = true
	case "EXEC", "DISCARD", "RESET":
		r.inTx = false
	default:
		rec.InTx = r.inTx
	}
}

// script notes which script a command is about.
func (r *redisRecorder) script(rec *commandRecord, cmd *respCommand) {
	switch {
	case cmd.script != nil:
		rec.hash = r.log.scripts.add(cmd.script)
	case cmd.name == "EVALSHA" || cmd.name == "EVALSHA_RO":
		if texts := argTexts(cmd.args); len(texts) > 0 {
			rec.hash = string(bytes.ToLower([]byte(texts[0])))
		}
	}
}

// answered reports whether the server will answer a command: a program can ask it
// not to.
func (r *redisRecorder) answered(rec *commandRecord) bool {
	if rec.is("CLIENT", "REPLY") {
		switch rec.word(1) {
		case "OFF":
			r.silent = true
			return false
		case "SKIP":
			r.skip = true
			return false
		case "ON":
			r.silent, r.skip = false, false
			return true
		}
	}
	no := r.silent || r.skip
	r.skip = false
	return !no
}

// confirmations is how many answers of their own a command of pub/sub gets: one
// for each channel. Without channels, those that follow the first count as pushes.
func confirmations(rec *commandRecord) int {
	switch rec.Name {
	case "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE":
		return max(rec.count, 1)
	}
	return 0
}

// end marks what is unanswered when the session ends.
func (r *redisRecorder) end(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.update(func() {
		for _, lost := range [][]*commandRecord{r.queued, r.queue.waiting()} {
			for _, rec := range lost {
				rec.Lost = true
				rec.finish(now)
			}
		}
	})
	r.queue, r.queued = queue[*commandRecord]{}, nil
}
