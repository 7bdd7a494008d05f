package wire

import (
	"fmt"
	"time"
)

// requests reads a piece of what the program sends. now is when it arrived.
func (r *recorder) requests(p []byte, now time.Time) request {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blind {
		return request{starts: true}
	}
	req := request{starts: r.front.have == 0 && !r.copyIn && r.settled()}
	for len(p) > 0 {
		f, rest, err := r.front.next(p)
		if err != nil {
			r.goBlind("the program", err)
			return req
		}
		if r.queue.len() > maxQueue {
			r.giveUp()
			req.flood = true
			return req
		}
		p = rest
		if f.kind != 0 {
			r.frontend(f, now, &req)
		}
	}
	return req
}

// settled reports whether the last request is complete, so that what comes now
// begins another.
func (r *recorder) settled() bool {
	waiting := r.queue.waiting()
	return len(waiting) == 0 || waiting[len(waiting)-1].ends()
}

// frontend handles one message of the program.
func (r *recorder) frontend(f frame, now time.Time, req *request) {
	c := fields(f.body)
	switch f.kind {
	case 'Q':
		r.simple(f, now, req)
	case 'P':
		name := statementName(c.text())
		q := &prepared{sql: sqlText(&c, f)}
		if oids := parseOIDs(&c); oids != nil && c.ok {
			q.oids.Store(oids)
		}
		remember(r.prepared, name, q)
		r.queue.push(awaited{kind: 'P', query: q})
	case 'B':
		name := statementName(c.text())
		q := r.statementNamed(statementName(c.text()))
		remember(r.portals, name, portal{query: q, bound: parseBind(&c)})
		r.queue.push(awaited{kind: 'B', query: q})
	case 'D':
		q := r.described(&c)
		r.queue.push(awaited{kind: 'D', query: q})
	case 'E':
		o, ok := r.portals[statementName(c.text())]
		if !ok {
			o.query = &prepared{sql: "(a portal opened in SQL)"}
		}
		rec := newRecord(o.query, o.bound, now)
		r.begin(rec, req)
		r.queue.push(awaited{kind: 'E', query: o.query, record: rec})
	case 'C':
		r.closed(&c)
		r.queue.push(awaited{kind: 'C'})
	case 'S':
		if !r.copyIn {
			r.queue.push(awaited{kind: 'S'})
		}
	case 'F':
		rec := newRecord(&prepared{sql: fmt.Sprintf("(call of function %d)", c.uint32())}, binding{}, now)
		r.begin(rec, req)
		r.queue.push(awaited{kind: 'F', records: []*record{rec}})
	case 'c', 'f':
		r.copyIn = false
	}
}

// simple handles a simple query, which may hold several statements.
func (r *recorder) simple(f frame, now time.Time, req *request) {
	c := fields(f.body)
	parts := splitStatements(sqlText(&c, f))
	records := make([]*record, len(parts))
	for i, part := range parts {
		records[i] = newRecord(&prepared{sql: part, simple: true}, binding{}, now)
		r.begin(records[i], req)
	}
	r.queue.push(awaited{kind: 'Q', records: records})
}

// begin adds a statement to the log, and sees whether it springs a CutAfter.
func (r *recorder) begin(rec *record, req *request) {
	rec.Listener, rec.Session = r.listener, r.session
	r.log.begin(rec)
	if r.barrier.isArmed() && mayWait(rec.SQL) {
		req.mayWait = true
	}
	if r.trigger == nil {
		return
	}
	if when := r.trigger.sprung(rec.statement); when != 0 {
		r.marked, r.when = rec, when
		req.cut = req.cut || when == CutBeforeSend
	}
}

// described returns the statement that a Describe asks about.
func (r *recorder) described(c *cursor) *prepared {
	kind, name := c.byte(), statementName(c.text())
	if kind == 'P' {
		return r.portals[name].query
	}
	return r.prepared[name]
}

func (r *recorder) closed(c *cursor) {
	kind, name := c.byte(), statementName(c.text())
	if kind == 'P' {
		delete(r.portals, name)
		return
	}
	delete(r.prepared, name)
}

func (r *recorder) statementNamed(name string) *prepared {
	if q := r.prepared[name]; q != nil {
		return q
	}
	return &prepared{sql: fmt.Sprintf("(prepared statement %q)", name)}
}

func statementName(name []byte) string {
	return string(name[:min(len(name), maxName)])
}

// sqlText reads SQL up to its NUL, cut to what the log keeps.
func sqlText(c *cursor, f frame) string {
	text := c.text()
	if f.cut() && !c.ok {
		return shorten(text, f.size, maxSQL)
	}
	return shorten(text, len(text), maxSQL)
}

// remember adds to a map of bounded size; at the bound something else goes.
func remember[V any](m map[string]V, name string, v V) {
	if len(m) >= maxPrepared {
		for other := range m {
			if other != "" {
				delete(m, other)
				break
			}
		}
	}
	m[name] = v
}
