// Package exam examines the shop: three instances of the program against one
// PostgreSQL and one Redis.
package exam

import (
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// What the instances are started with.
const (
	ttl     = time.Minute
	missTTL = 10 * time.Second
)

// The instances. The last one's way to Redis is broken by a check that runs beside
// others.
const (
	first = iota
	second
	severed
	instances
)

const (
	lesson = "data/cache-aside#"

	whyStale  = "Somebody has changed a price, was told that it is done, and the page goes on showing the old one. No error is logged anywhere."
	whyDenied = "Somebody has put a product up for sale, was told that it is done, and the shop denies that there is one. No error is logged anywhere."
	whyGone   = "Somebody has taken a product out of the shop, was told that it is done, and customers go on ordering it. No error is logged anywhere."
	whyEarly  = "What is not committed may never be. A page that shows it has told customers a price that never was."
	whyBound  = "An expiry is what ends every mistake that a cache can make. Without it, one wrong page stays until somebody finds the key by hand."
	whyOutage = "A cache is there to make the shop faster. A shop that closes with its cache has become less reliable by it."
)

// Exam declares the checks. First what can be seen by one visitor; then changes,
// expiry and foreign bytes; in the end what takes time, side by side.
func Exam(x *exam.X) {
	x.Instances(instances)
	x.Env("CACHE_TTL", ttl.String())
	x.Env("MISS_TTL", missTTL.String())
	x.Check("serves", "shows, changes and deletes products", serve,
		exam.Why("Whatever the cache does, callers go by the status and by the fields of the contract."))
	x.Check("hits", "answers the second read without PostgreSQL", hit, exam.After("serves"),
		exam.Why("A cache that does not spare the database its work only adds a trip to every request."),
		exam.Read(lesson+"read-through-the-gap"))
	x.Check("languages", "keeps the languages apart", keepApart, exam.After("hits"),
		exam.Why("A key has to name everything that the answer depends on. What is left out, somebody gets from somebody else."),
		exam.Read(lesson+"what-the-key-must-say"))
	x.Check("changes", "shows a change at once, through every instance", showChanges, exam.After("languages"),
		exam.Why(whyStale), exam.Read(lesson+"delete-after-the-commit"))
	x.Check("in-order", "answers when the cache has been told, not before", answerInOrder, exam.After("changes"),
		exam.Why("What is done after the answer, in a goroutine of its own, is done at some time. Whoever was answered looks at once."),
		exam.Read(lesson+"delete-after-the-commit"))
	x.Check("open-commit", "shows a change after its commit, and not before", waitForCommit, exam.After("changes"),
		exam.Why(whyStale), exam.Read(lesson+"delete-after-the-commit"))
	x.Check("refused-commit", "shows nothing of a change that PostgreSQL refused", refuseCommit, exam.After("changes"),
		exam.Why(whyEarly), exam.Read(lesson+"delete-after-the-commit"))
	x.Check("lost-commit", "shows what is in the table when the answer to COMMIT was lost", loseCommit, exam.After("changes"),
		exam.Why("A broken connection is no answer. To take it for a no is to guess, and the cache then holds the guess."),
		exam.Read(lesson+"nobody-knows"))
	x.Check("two-changes", "agrees with the table after two changes at once", changeTwice, exam.After("changes"),
		exam.Why(whyStale), exam.Read(lesson+"delete-do-not-write"))
	expiries(x)
}

func expiries(x *exam.X) {
	x.Check("expiry", "gives every entry an expiry, and not the same to all", expire, exam.After("hits"),
		exam.Why(whyBound), exam.Read(lesson+"the-expiry-is-the-promise"))
	x.Check("late-reader", "lets a reader who was late leave the old page no longer than promised", arriveLate, exam.After("changes", "expiry"),
		exam.Why(whyBound), exam.Read(lesson+"the-reader-who-was-late"))
	x.Check("missing", "remembers for a short while that a product does not exist", remember404, exam.After("languages"),
		exam.Why("Wrong links and curious programs ask for what is not there, again and again, and each time it would be PostgreSQL that says so."),
		exam.Read(lesson+"nothing-is-an-answer-too"))
	x.Check("database-errors", "keeps no error of PostgreSQL", keepNoError, exam.After("languages"),
		exam.Why("An outage of a second becomes one of minutes when its answer is kept."),
		exam.Read(lesson+"nothing-is-an-answer-too"))
	x.Check("foreign-bytes", "takes what is no entry of its own for a miss", readForeign, exam.After("languages"),
		exam.Why("At every deployment the old and the new version share one cache, and each finds what the other wrote."),
		exam.Read(lesson+"bytes-from-somebody-else"))
	x.Check("redis-errors", "goes on when Redis answers with an error", acceptErrors, exam.After("changes"),
		exam.Why(whyOutage), exam.Read(lesson+"without-redis"))
	x.Check("outage", "is open while Redis is away, and uses it again afterwards", surviveOutage,
		exam.Parallel(), exam.After("changes"), exam.Why(whyOutage), exam.Read(lesson+"without-redis"))
	x.Check("time-passes", "shows after CACHE_TTL and MISS_TTL what was changed past it", passTime,
		exam.Parallel(), exam.After("expiry", "missing"),
		exam.Why("Import jobs and colleagues with psql change tables, and know nothing of a cache. The expiry is what they rely on."),
		exam.Read(lesson+"the-expiry-is-the-promise"))
	x.Check("foreign-type", "takes a key of another type for a miss", readList, exam.After("foreign-bytes", "outage"),
		exam.Why("A later version may keep lists or hashes where this one keeps texts, and both run at the same time for a while."),
		exam.Read(lesson+"bytes-from-somebody-else"))
}
