// Package exam examines the book finder. The branches of the library are
// upstreams in the examiner's hands; what the program's functions return shows
// in what the given main.go makes of it.
package exam

import (
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lesson = "foundations/context-and-errors#"

	// soon is how long the exam waits for what the task promises within a
	// second: the machine may be busy.
	soon = 3 * time.Second
	// moment is how long it waits for what must not happen.
	moment = 300 * time.Millisecond
)

// Exam declares the checks. The instance that all of them meet has so much
// patience that in no check it is over; where it has to be, there is a run.
func Exam(x *exam.X) {
	x.Env("BRANCHES", "north,south,east")
	x.Env("PATIENCE", "30s")
	x.Upstream("north", "NORTH_URL")
	x.Upstream("south", "SOUTH_URL")
	x.Upstream("east", "EAST_URL")

	x.Check("find", "finds every copy of a book", find,
		exam.Why("This is what the service is for. What follows is about the days on which a branch does not play along."))
	x.Check("missing", "says so when no branch holds the book", missing, exam.After("find"),
		exam.Why("\"We do not have it\" is an answer, and no failure: nobody is to be woken up for it."),
		exam.Read(lesson+"three-ways-to-look-at-an-error"))
	x.Check("together", "asks all branches at the same time", together, exam.After("find"),
		exam.Why("One after another, the answer takes as long as all branches together, and one slow branch keeps the others from being asked at all."),
		exam.Read(lesson+"one-question-to-many"))
	failures(x)
	endings(x)
}

func failures(x *exam.X) {
	x.Check("first", "answers with the first copy, without waiting for the other branches", first, exam.After("together"),
		exam.Why("Asking three to have the answer of the fastest is of use only if the slowest is not waited for."),
		exam.Read(lesson+"one-question-to-many"))
	x.Check("partial", "tells what the others have when one branch fails", partial, exam.After("together"),
		exam.Why("A branch with a broken catalogue must not take all others with it. Whoever looked for the book stands in front of its shelf and is told that there is none."),
		exam.Read(lesson+"one-fails-and-the-others-do-not"))
	x.Check("unknown", "says that a book is not held only when every branch has said so", unknown, exam.After("missing", "together"),
		exam.Why("Not held and not known are two answers. After the first one the reader goes home, and the library buys the book again."),
		exam.Read(lesson+"one-fails-and-the-others-do-not"))
	x.Check("causes", "names each branch that failed, with its cause", causes, exam.After("together", "unknown"),
		exam.Why("Whoever is called at night has to know which branch, and what: a refused connection, a broken page and a 503 are repaired by three different people."),
		exam.Read(lesson+"w-keeps-the-cause-v-its-text"))
}

func endings(x *exam.X) {
	x.Check("cancel", "calls the branches off when the caller leaves", cancel, exam.After("together"),
		exam.Why("Readers who wait too long press reload. Each time the old search goes on beside the new one, and the branches get more load from people who have left than from those who wait."),
		exam.Read(lesson+"pass-it-on-all-the-way"))
	x.Check("left", "does not take a caller who has left for a failure", left, exam.After("cancel"),
		exam.Why("People close tabs all day. If each of them is an error in the log, nobody looks at the errors any more."),
		exam.Read(lesson+"who-ended-it"))
	x.Check("others", "goes on for one caller when another one leaves", others, exam.After("cancel", "left"),
		exam.Why("A context belongs to one call. Where it is kept for longer than that, one reader's closed tab ends the search of another."),
		exam.Read(lesson+"pass-it-on-all-the-way"))
	x.Check("patience", "waits no longer than PATIENCE, and calls it a timeout", patience, exam.After("partial", "unknown"),
		exam.Why("A branch that hangs is the most common failure of all. Without a bound every caller hangs with it, and each one holds a connection and memory. A bound that is too short gives up answers that were on their way."),
		exam.Read(lesson+"a-deadline-travels"))
	x.Check("losers", "calls the other branches off once it has a copy", losers, exam.After("first"),
		exam.Why("A request may go on for a long time after one of its searches is done. What nobody needs any more holds connections and loads the branches for all of it."),
		exam.Read(lesson+"every-with-has-a-cancel"))
	x.Check("leftovers", "leaves no goroutine behind", leftovers, exam.After("first", "cancel", "patience"),
		exam.Why("Two goroutines for each request, some KB each, are nothing on the first day. The process is killed for its memory in the third week, and starts again, and nobody knows why."),
		exam.Read(lesson+"somebody-has-to-receive"))
	x.Check("connections", "uses a branch's connection again, whatever it answers", connections, exam.After("find"),
		exam.Why("A new connection costs a round trip, with TLS two more, and leaves a port behind that is blocked for a minute. Under load the ports are used up first."),
		exam.Read(lesson+"the-body-is-yours"))
}
