package wire

import (
	"sync"
	"time"
)

// Bounds of what a recorder remembers of one session. A program that goes beyond
// them loses names of statements (their text is then not known), or its session.
const (
	maxPrepared = 1024
	maxName     = 256
	maxQueue    = 1 << 18
	maxAnswered = 1 << 12 // statements of one request that learn their transaction status
)

// recorder follows the conversation of one session and writes it to the log. It
// is given both directions as they pass, in pieces of any size.
type recorder struct {
	log      *Log
	listener string
	session  int
	barrier  *Barrier               // may be nil
	party    *party                 // nil without a barrier
	trigger  *pendingCut[Statement] // a CutAfter that waits for its statement

	mu       sync.Mutex
	front    framer
	back     framer
	blind    bool                 // a direction could not be understood: nothing is recorded any more
	queue    queue[awaited]       // what the server still has to answer
	prepared map[string]*prepared // by name, "" the unnamed
	portals  map[string]portal
	answered []*record // since the last ReadyForQuery: they want its status
	failed   bool      // the server skips to the next Sync
	copyIn   bool      // the program is sending rows: a Sync among them counts for nothing
	read     bool      // a SELECT that the barrier waits for has been answered
	rows     int       // DataRows of the statement being answered
	row      []byte    // the first of them, cut
	columns  *columns  // of a simple query's present result
	marked   *record   // the statement that sprang a CutAfter
	when     CutPoint  // … and where it ends the session
	cut      CutPoint  // the session ends at the next ReadyForQuery
}

// portal is a bound statement.
type portal struct {
	query *prepared
	bound binding
}

// starting stands in the queue for the start of a session.
const starting byte = 0

// awaited is a message that the server will answer, by its type.
type awaited struct {
	kind    byte
	query   *prepared // of Parse, Bind, Describe, Execute
	record  *record   // of Execute
	records []*record // of a simple query: its statements still unanswered
}

func newRecorder(log *Log, listener string, session int) *recorder {
	r := &recorder{
		log: log, listener: listener, session: session,
		front:    framer{known: &frontendKnown},
		back:     framer{known: &backendKnown},
		prepared: map[string]*prepared{},
		portals:  map[string]portal{},
	}
	r.queue.push(awaited{kind: starting})
	return r
}

// request is what the session must know about a piece of requests.
type request struct {
	starts  bool // it begins a request
	mayWait bool // it holds a statement that can wait for a lock
	cut     bool // end the session by a CutAfter, do not send it
	flood   bool // end the session, it asks for too much at once
}

// answer is what the session must know about a piece of answers.
type answer struct {
	read     bool     // it completes a SELECT that the barrier waits for
	rest     bool     // it leaves the session outside of a transaction
	withhold bool     // do not forward it
	cut      CutPoint // end the session, before or after it is forwarded; 0 for not
}

// goBlind ends the recording. The caller holds r.mu.
func (r *recorder) goBlind(side string, err error) {
	r.blind = true
	r.log.noteBlind(r.listener, r.session, side, err)
}

// giveUp ends the recording of a session that must end with it, so that flooding
// the proxy is no way around it. The caller holds r.mu.
func (r *recorder) giveUp() {
	r.blind = true
	r.log.noteFlood(r.listener, r.session)
}

// end marks what is unanswered when the session ends.
func (r *recorder) end(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.update(func() {
		for _, a := range r.queue.waiting() {
			for _, rec := range a.all() {
				if rec.Pending {
					rec.Lost = true
					rec.finish(now)
				}
			}
		}
	})
	r.queue = queue[awaited]{}
}

// ends reports whether the message ends a request: a ReadyForQuery answers it.
func (a awaited) ends() bool { return a.kind == 'S' || a.kind == 'Q' || a.kind == 'F' }

func (a awaited) all() []*record {
	if a.record != nil {
		return []*record{a.record}
	}
	return a.records
}
