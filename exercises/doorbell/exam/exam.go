// Package exam examines the doorbell.
package exam

import "github.com/cairn-learn/cairn/grader/exam"

const lesson = "foundations/configuration#"

// Exam declares the checks, in the order in which they are easiest to pass. All
// but the built-in one start the program again, with environments of their own.
func Exam(x *exam.X) {
	x.Upstream("phone", "PHONE_URL")
	x.Env("API_KEY", "a key for the instance that only starts")
	x.Env("DOORS", "front")
	x.Check("missing", "does not start without a required variable, and names it", missing,
		exam.Why("Whoever deploys looks at the start. A setting that turns out to be missing later turns out in front of a customer."),
		exam.Read(lesson+"no-start-is-a-good-start"))
	invalid(x)
	together(x)
	service(x)
	secrets(x)
}

func invalid(x *exam.X) {
	x.Check("empty", "takes an empty variable for what it is", empty, exam.After("missing"),
		exam.Why(`PORT="${P}" is an empty text when nobody has set P. Taking that for "not set" hides the mistake behind a default.`),
		exam.Read(lesson+"not-set-empty-zero"))
	x.Check("numbers", "refuses a number that is none or out of range", numbers, exam.After("missing"),
		exam.Why("An error of Atoi that nobody looks at leaves a 0 behind, and 0 means something: any port, no limit, no message."),
		exam.Read(lesson+"parse-do-not-guess"))
	x.Check("durations", "refuses a duration without a unit or out of range", durations, exam.After("missing"),
		exam.Why("5 what? Whoever wrote it meant seconds, or milliseconds. A program that guesses is wrong by a factor of a thousand for one of them."),
		exam.Read(lesson+"parse-do-not-guess"))
	x.Check("choices", "refuses a value that is none of those possible", choices, exam.After("missing"),
		exam.Why("Whoever writes QUIET=yes wants quiet. A program that compares with \"true\" and goes on rings all night, and never says why."),
		exam.Read(lesson+"parse-do-not-guess"))
	x.Check("doors", "refuses a list with a wrong name in it", doors, exam.After("missing"),
		exam.Why("A name that can never match is a door that never rings, and nobody tells the person behind it."),
		exam.Read(lesson+"parse-do-not-guess"))
	x.Check("phone-url", "refuses a PHONE_URL that no call could be made to", phoneURL, exam.After("missing"),
		exam.Why("url.Parse accepts nearly everything. What it lets through fails at the first call, hours after whoever could mend it has gone home."),
		exam.Read(lesson+"parse-do-not-guess"))
	x.Check("short-key", "refuses a key that is too short", shortKey, exam.After("missing"),
		exam.Why("A minimum length is what keeps \"test\" and \"changeme\" out of production."),
		exam.Read(lesson+"the-password-that-everybody-has"))
}

func together(x *exam.X) {
	x.Check("all-faults", "reports all faults at once", allFaults,
		exam.After("missing", "empty", "numbers", "durations", "choices", "doors"),
		exam.Why("One fault per start is one deployment per fault. With five of them, an evening."),
		exam.Read(lesson+"all-at-once"))
	x.Check("before-listening", "does not listen before it has checked its settings", beforeListening, exam.After("missing", "durations"),
		exam.Why("Between listening and noticing, a load balancer has seen an open port and has sent visitors."),
		exam.Read(lesson+"no-start-is-a-good-start"))
	x.Check("port-taken", "tells a port in use from a fault in its settings", portTaken, exam.After("missing"),
		exam.Why("Status 78 says: do not start me again, it will not help. With a port in use it will, as soon as the old process has gone."),
		exam.Read(lesson+"no-start-is-a-good-start"))
}

func service(x *exam.X) {
	x.Check("defaults", "uses the defaults for what is not set", defaults, exam.After("missing"),
		exam.Why("A default is part of the contract, like any other value: somebody has relied on it and set nothing."),
		exam.Read(lesson+"not-set-empty-zero"))
	x.Check("config-page", "shows its effective settings at /config", configPage, exam.After("defaults"),
		exam.Why("What stands in a file and what a process runs with are two things. At three in the morning only the second counts."),
		exam.Read(lesson+"say-what-you-run-with"))
	x.Check("start-lines", "says at its start what it runs with", startLines, exam.After("config-page"),
		exam.Why("When a process has died, its page is gone. Its log is still there."),
		exam.Read(lesson+"say-what-you-run-with"))
	x.Check("key", "lets in only those who know the key", key, exam.After("missing"),
		exam.Why("A key that is read and then not compared is a door with a lock and no bolt."),
		exam.Read(lesson+"the-password-that-everybody-has"))
	x.Check("call", "calls the phone as its settings say", call, exam.After("key"),
		exam.Why("A setting that is read, checked, shown and then not used is worse than none: everybody believes in it."),
		exam.Read(lesson+"one-value-passed-along"))
	x.Check("limits", "keeps to DOORS, MAX_MESSAGE and QUIET", limits, exam.After("call"),
		exam.Why("A setting that is read, checked, shown and then not used is worse than none: everybody believes in it."),
		exam.Read(lesson+"one-value-passed-along"))
	x.Check("timeout", "waits for the phone as long as RING_TIMEOUT says", timeout, exam.After("call"),
		exam.Why("A timeout that is not the one that was set shows only when the other side hangs, which is the one time when it matters."),
		exam.Read(lesson+"one-value-passed-along"))
}

func secrets(x *exam.X) {
	x.Check("secrets-at-start", "tells no secret when all is well", secretsAtStart, exam.After("config-page"),
		exam.Why(whySecret), exam.Read(lesson+"a-secret-is-a-type"))
	x.Check("masks", "puts the same in place of every secret", masks, exam.After("config-page", "secrets-at-start"),
		exam.Why("The length of a password and its last four letters are what a guesser would pay for."),
		exam.Read(lesson+"a-secret-is-a-type"))
	x.Check("secrets-in-faults", "tells no secret when it reports a fault", secretsInFaults,
		exam.After("phone-url", "short-key"),
		exam.Why(whySecret), exam.Read(lesson+"errors-carry-what-they-were-given"))
	x.Check("secrets-in-calls", "tells no secret when a call fails", secretsInCalls,
		exam.After("call", "secrets-at-start"),
		exam.Why(whySecret), exam.Read(lesson+"errors-carry-what-they-were-given"))
}

const whySecret = "Logs are copied, kept for years and read by many. A password that stands in one of them has to be changed everywhere, if anybody notices."
