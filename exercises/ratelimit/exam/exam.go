// Package exam examines the message gateway: four instances of the program
// against one Redis.
package exam

import (
	"strconv"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// What the instances are started with.
const (
	limit  = 5
	window = 2 * time.Second
)

// The instances. Two see every check that is not about one of them alone; the
// others have a way to Redis of their own, on which faults harm nobody else.
const (
	first = iota
	second
	distant
	unheard
	severed
	instances
)

const (
	lesson = "data/rate-limiting#"

	whyMore   = "The network counts as well, and charges for what is too much. Nobody at the gateway notices before the bill comes."
	whyLess   = "A customer who keeps to the contract and is refused all the same will show you their log, and they will be right."
	whyShared = "A load balancer spreads a customer's messages over all instances. If each counts for itself, three instances allow three times the limit, and nobody has changed a setting."
)

// Exam declares the checks. Counting together comes first; then what takes time,
// side by side; each has customers of its own.
func Exam(x *exam.X) {
	x.Instances(instances)
	x.Env("RATE_LIMIT", strconv.Itoa(limit))
	x.Env("RATE_WINDOW", window.String())
	x.Check("accepts", "accepts messages up to the limit, and says how many are left", accepts,
		exam.Why("Customers' programs go by status and headers. A good one slows down before it is refused."),
		exam.Read(lesson+"tell-them-when-to-come-back"))
	x.Check("customers", "counts each customer alone", countApart, exam.After("accepts"),
		exam.Why("If one customer's rush uses up what another may send, the limit does the harm that it should prevent."),
		exam.Read(lesson+"one-count-for-all"))
	x.Check("shared", "counts through all instances together", countTogether, exam.After("accepts"),
		exam.Why(whyShared), exam.Read(lesson+"one-count-for-all"))
	x.Check("one-command", "asks Redis once for each message", askOnce, exam.After("shared"),
		exam.Why("Two commands are two trips, and everything may happen between them: another instance, a restart, a lost connection."),
		exam.Read(lesson+"what-happens-in-between"))
	x.Check("burst", "keeps to the limit when forty come at once", surviveBurst, exam.After("shared"),
		exam.Why(whyMore), exam.Read(lesson+"a-name-for-every-message"))
	x.Check("scripts", "goes on when Redis has forgotten its scripts", surviveFlush, exam.After("shared"),
		exam.Why("A Redis that was restarted or replaced knows no script. From that moment every message would go wrong, on all instances at once."),
		exam.Read(lesson+"what-happens-in-between"))
	x.Check("errors", "accepts messages when Redis answers with an error", acceptOnError, exam.After("scripts"),
		exam.Why("Redis answers, and yet has decided nothing: still loading, out of memory, without the replicas that it should have. It is an outage with an answer."),
		exam.Read(lesson+"without-redis"))
	inTime(x)
}

func inTime(x *exam.X) {
	x.Check("never-less", "refuses nobody who is within the limit", neverLess,
		exam.Parallel(), exam.After("shared"), exam.Why(whyLess), exam.Read(lesson+"any-window-not-some"))
	x.Check("sliding", "accepts no more than the limit in any stretch of time", neverMore,
		exam.Parallel(), exam.After("shared"), exam.Why(whyMore), exam.Read(lesson+"any-window-not-some"))
	x.Check("settings", "takes limit and window from what New is given", takeSettings,
		exam.Parallel(), exam.After("shared"),
		exam.Why("The limit is a line in a contract, and another one for the next customer of the gateway."))
	x.Check("retry-after", "says how long to wait, to the second", tellWait,
		exam.Parallel(), exam.After("shared"),
		exam.Why("Clients do what Retry-After says. Too short, and they come back to be refused; too long, and they send less than they have paid for."),
		exam.Read(lesson+"tell-them-when-to-come-back"))
	x.Check("expires", "leaves nothing in Redis of those who have gone", leaveNothing,
		exam.Parallel(), exam.After("shared"),
		exam.Why("Whoever tries ten thousand names a second fills a memory in which nothing expires. Redis then refuses every write, or throws out other people's keys."),
		exam.Read(lesson+"what-stays-behind"))
	x.Check("clock", "counts by the clock of Redis", goByRedis,
		exam.Parallel(), exam.After("shared"),
		exam.Why("No two machines have the same time, and none knows how long its command was on the way. There is one clock that all instances share."),
		exam.Read(lesson+"whose-clock"))
	x.Check("outage", "accepts messages when it can't ask Redis", surviveOutage,
		exam.Parallel(), exam.After("shared"),
		exam.Why("The limit protects the gateway. A gateway that stops when its protection does has made the protection the weakest part of it."),
		exam.Read(lesson+"without-redis"))
	x.Check("lost-answer", "counts a message once when the answer of Redis is lost", countOnce,
		exam.Parallel(), exam.After("shared"),
		exam.Why("A script that adds is not harmless to repeat. Every broken connection would cost customers messages that they have paid for."),
		exam.Read(lesson+"without-redis"))
}
