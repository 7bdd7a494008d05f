package wire

import (
	"bytes"
	"strings"
	"time"
)

// answers reads a piece of what the server sends. now is when it arrived.
func (r *redisRecorder) answers(p []byte, now time.Time) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	var a answer
	for len(p) > 0 && !r.blind {
		if r.out.between() {
			r.out.limit = maxReply
			if first := r.queue.first(); first != nil && (*first).Name == "EXEC" {
				r.out.limit = maxExecReply
			}
		}
		reply, rest, err := r.out.next(p)
		if err != nil {
			r.goBlind("the server", err)
			break
		}
		if p = rest; reply != nil {
			r.reply(reply, now, &a)
		}
	}
	a.withhold = a.cut == CutBeforeAnswer
	return a
}

// reply handles one answer or push of the server.
func (r *redisRecorder) reply(reply *respReply, now time.Time, a *answer) {
	var rec *commandRecord
	if first := r.queue.first(); first != nil {
		rec = *first
	}
	if r.outOfBand(rec, reply) {
		return
	}
	if rec == nil {
		if reply.kind == '-' {
			r.log.note(r.listener, r.session, "the server said: %s", reply.text)
		}
		return
	}
	if rec.confirms > 1 && bytes.EqualFold(reply.word, []byte(rec.Name)) {
		rec.confirms--
		return
	}
	r.queue.pop()
	switch {
	case rec.InTx && reply.kind == '+' && string(reply.text) == "QUEUED":
		r.log.update(func() { rec.Reply = "QUEUED" })
		r.queued = append(r.queued, rec)
		return
	case rec.Name == "EXEC":
		r.executed(reply, now, a)
	case (rec.Name == "DISCARD" || rec.Name == "RESET") && reply.kind != '-':
		r.giveUp(now, a)
	}
	if rec.Name == "RESET" && reply.kind != '-' {
		r.subscribed = false
	}
	r.log.update(func() { rec.answer(cutReply(reply.text), reply.kind == '-', now) })
	r.spring(rec, a)
	if rec.Name == "MONITOR" && reply.kind == '+' {
		r.goBlind("the program", errMonitor)
	}
}

// outOfBand reports whether this is no answer to a command: a push of RESP3, or a
// message of pub/sub, which RESP2 sends as an array. The confirmation of a
// subscription looks the same, but answers the command that waits for it.
func (r *redisRecorder) outOfBand(rec *commandRecord, reply *respReply) bool {
	confirmable := rec != nil && rec.confirms > 0
	if reply.kind != '>' && (reply.kind != '*' || !r.subscribed && !confirmable) {
		return false
	}
	word := strings.ToLower(string(reply.word))
	switch word {
	case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe":
		if reply.kind == '*' {
			r.subscribed = reply.count > 0
		}
		return !confirmable || !strings.EqualFold(word, rec.Name)
	case "message", "pmessage", "smessage":
		return true
	}
	return reply.kind == '>'
}

// executed gives each command of a transaction its part of EXEC's answer.
func (r *redisRecorder) executed(reply *respReply, now time.Time, a *answer) {
	if reply.kind != '*' || string(reply.text) == "nil" { // an error, or a watched key has changed
		r.giveUp(now, a)
		return
	}
	queued := r.queued
	r.queued = nil
	r.log.update(func() {
		for i, rec := range queued {
			text, failed := []byte("…"), false
			if i < len(reply.items) && reply.items[i].to >= 0 {
				item := reply.items[i]
				text, failed = reply.text[item.from:item.to], item.failed
			}
			if failed {
				text = bytes.TrimPrefix(text, []byte("(error) "))
			}
			rec.Reply = ""
			rec.answer(cutReply(text), failed, now)
		}
	})
	for _, rec := range queued {
		r.spring(rec, a)
	}
}

// giveUp notes that the commands queued in a transaction will never run.
func (r *redisRecorder) giveUp(now time.Time, a *answer) {
	queued := r.queued
	r.queued = nil
	r.log.update(func() {
		for _, rec := range queued {
			rec.Reply, rec.Skipped = "", true
			rec.finish(now)
		}
	})
	for _, rec := range queued {
		r.spring(rec, a)
	}
}

// spring ends the session if this command is one to end it.
func (r *redisRecorder) spring(rec *commandRecord, a *answer) {
	if rec == r.marked {
		a.cut = r.when
	}
}

// cutReply cuts an answer to what the log keeps.
func cutReply(text []byte) []byte {
	const room = maxReply + len("…")
	if len(text) <= 2*room { // one element more than fits is all there can be
		return text
	}
	return []byte(shorten(text, len(text), 2*room))
}
