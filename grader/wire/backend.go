package wire

import (
	"bytes"
	"strings"
	"time"
)

// answers reads a piece of what the server sends. now is when it arrived.
func (r *recorder) answers(p []byte, now time.Time) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	var a answer
	if r.blind {
		return a
	}
	for len(p) > 0 {
		f, rest, err := r.back.next(p)
		if err != nil {
			r.goBlind("the server", err)
			break
		}
		p = rest
		if f.kind != 0 {
			r.backend(f, now, &a)
		}
	}
	a.withhold = r.cut == CutBeforeAnswer || a.cut == CutBeforeAnswer
	return a
}

// backend handles one message of the server.
func (r *recorder) backend(f frame, now time.Time, a *answer) {
	switch f.kind {
	case 'D':
		r.dataRow(f)
	case 'C':
		tag := string(bytes.TrimRight(f.body[:min(len(f.body), maxValue)], "\x00"))
		r.complete(tag, now, a)
	case 'I':
		r.complete("", now, a)
	case 's':
		r.suspended(now, a)
	case '1':
		r.expect('P')
	case '2':
		r.expect('B')
	case '3':
		r.expect('C')
	case 'n':
		r.expect('D')
	case 't':
		if first := r.head('D'); first != nil && first.query != nil {
			c := fields(f.body)
			if oids := parseOIDs(&c); oids != nil {
				first.query.oids.Store(oids)
			}
		}
	case 'T':
		r.rowDescription(f)
	case 'V':
		r.complete("FUNCTION CALL", now, a)
	case 'E':
		r.fail(f, now, a)
	case 'G', 'W':
		r.copyStarts()
	case 'Z':
		r.ready(f, now, a)
	}
}

// head returns the message that is answered next, if it is of this kind.
func (r *recorder) head(kind byte) *awaited {
	if first := r.queue.first(); first != nil && first.kind == kind && !r.failed {
		return first
	}
	return nil
}

// expect notes the answer of a message that only wants confirming.
func (r *recorder) expect(kind byte) {
	if r.head(kind) != nil {
		r.queue.pop()
	}
}

func (r *recorder) rowDescription(f frame) {
	first := r.queue.first()
	if first == nil {
		return
	}
	switch first.kind {
	case 'D':
		if first.query != nil {
			first.query.columns.Store(parseColumns(f.body))
		}
		r.queue.pop()
	case 'Q':
		r.columns = parseColumns(f.body)
	}
}

func (r *recorder) dataRow(f frame) {
	r.rows++
	if r.rows == 1 {
		r.row = append(r.row[:0], f.body[:min(len(f.body), 1<<10)]...)
	}
}

// current returns the statement that is being answered, nil where there is none.
func (r *recorder) current() *record {
	first := r.queue.first()
	switch {
	case first == nil || r.failed:
		return nil
	case first.record != nil:
		return first.record
	case len(first.records) > 0:
		return first.records[0]
	}
	return nil
}

// complete notes that the statement being answered has run.
func (r *recorder) complete(tag string, now time.Time, a *answer) {
	rec := r.current()
	if rec == nil {
		return
	}
	rows := rowsOf(tag)
	r.log.update(func() {
		rec.Tag, rec.Rows = tag, rows
		r.settle(rec, now)
	})
	r.next(now)
	r.noteRead(rec, tag)
	r.spring(rec, a)
}

// suspended notes that an Execute with a limit has returned so many rows.
func (r *recorder) suspended(now time.Time, a *answer) {
	if r.head('E') == nil {
		return
	}
	rec := r.current()
	rows := r.rows
	r.log.update(func() {
		rec.Rows = rows
		r.settle(rec, now)
	})
	r.next(now)
	r.noteRead(rec, "SELECT")
	r.spring(rec, a)
}

// settle ends a record with what its rows gave. The caller holds the log's lock.
func (r *recorder) settle(rec *record, now time.Time) {
	rec.finish(now)
	if r.rows > 0 {
		rec.row = bytes.Clone(r.row)
		rec.columns = r.columns
		if rec.columns == nil {
			rec.columns = rec.query.columns.Load()
		}
	}
	r.rows, r.columns = 0, nil
	r.wantStatus(rec)
}

func (r *recorder) wantStatus(rec *record) {
	if len(r.answered) < maxAnswered {
		r.answered = append(r.answered, rec)
	}
}

// next moves on to the statement that will be answered after this one.
func (r *recorder) next(now time.Time) {
	first := r.queue.first()
	if first.kind == 'E' {
		r.queue.pop()
		return
	}
	first.records = first.records[1:]
	if len(first.records) > 0 {
		rec := first.records[0]
		r.log.update(func() { rec.Start = now })
	}
}

// noteRead tells reads that the barrier waits for. A write in the same request
// takes it back: then the program has not decided between the two.
func (r *recorder) noteRead(rec *record, tag string) {
	if !r.barrier.isArmed() {
		r.read = false
		return
	}
	verb, _, _ := strings.Cut(tag, " ")
	switch verb {
	case "SELECT":
		r.read = r.read || r.barrier.reads(rec.SQL)
	case "INSERT", "UPDATE", "DELETE", "MERGE":
		r.read = false
	}
}

// spring prepares the end of the session if this statement is one to end it:
// when its request is complete, or at once where no ReadyForQuery will come.
func (r *recorder) spring(rec *record, a *answer) {
	if rec != r.marked {
		return
	}
	r.cut = r.when
	for _, w := range r.queue.waiting() {
		if w.ends() {
			return
		}
	}
	a.cut = r.cut
}

// fail notes an error. It belongs to the statement being answered; while the
// server was still preparing, to the Execute meant by that, or to one of its own.
func (r *recorder) fail(f frame, now time.Time, a *answer) {
	e, fatal := parseError(f.body)
	rec := r.failing(now)
	r.failed, r.copyIn = true, false
	if rec == nil {
		// Outside of any statement: a refused login, a session being ended.
		r.log.note(r.listener, r.session, "the server said: %v", e)
		return
	}
	r.rows, r.columns = 0, nil
	r.log.update(func() {
		rec.Err = e
		if rec.Pending {
			r.wantStatus(rec)
		}
		rec.finish(now)
	})
	r.spring(rec, a)
	if fatal {
		a.cut = r.cut // no ReadyForQuery will come
	}
}

// failing returns the statement that an error is about.
func (r *recorder) failing(now time.Time) *record {
	first := r.queue.first()
	switch {
	case first == nil || r.failed:
		return nil
	case first.kind == 'S' && len(r.answered) > 0:
		// What a statement that commits by itself has left for the end: a deferred
		// constraint, a serialization failure.
		return r.answered[len(r.answered)-1]
	case first.kind != 'P' && first.kind != 'B' && first.kind != 'D':
		return r.current()
	case first.query == nil:
		return nil
	}
	for _, w := range r.queue.waiting() {
		if w.kind == 'S' {
			break
		}
		if w.record != nil && w.query == first.query {
			return w.record
		}
	}
	rec := newRecord(first.query, binding{}, now)
	rec.Listener, rec.Session = r.listener, r.session
	r.log.begin(rec)
	return rec
}

// copyStarts notes that the server takes rows now. It ignores the Syncs that
// were sent with the Execute.
func (r *recorder) copyStarts() {
	first := r.head('E')
	if first == nil {
		return
	}
	r.copyIn = true
	keep := *first
	for r.queue.len() > 1 && r.queue.items[r.queue.head+1].kind == 'S' {
		r.queue.pop()
	}
	r.queue.items[r.queue.head] = keep
}

// ready notes that the server has answered everything up to a Sync or a query.
func (r *recorder) ready(f frame, now time.Time, a *answer) {
	status := byte(0)
	if len(f.body) == 1 {
		status = f.body[0]
	}
	var skipped []*record
	opening := false
	for r.queue.len() > 0 {
		first := *r.queue.first()
		r.queue.pop()
		opening = opening || first.kind == starting
		skipped = append(skipped, first.all()...)
		if first.ends() || first.kind == starting {
			break
		}
	}
	r.log.update(func() {
		for _, rec := range skipped {
			if rec.Pending {
				rec.Skipped = true
				rec.finish(now)
			}
		}
		for _, rec := range r.answered {
			rec.TxStatus = status
		}
	})
	clear(r.answered)
	r.answered = r.answered[:0]
	if r.party != nil {
		r.barrier.answered(r.party, r.queue.len() > 0, now)
	}
	if r.cut != 0 {
		a.cut = r.cut
	}
	a.read = a.read || r.read
	a.rest = a.rest || status == 'I' && !opening
	r.failed, r.read, r.rows, r.columns = false, false, 0, nil
}
