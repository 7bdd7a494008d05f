// Package exam examines tests of the package refill.
package exam

import (
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// maxRun is how long one run of the tests may take, as the task says.
const maxRun = 5 * time.Second

const lesson = "testing/fakes#"

// mistakes are what the wrong versions do, each by one sentence that completes "nothing noticed
// that …". The version has the name of the check.
var mistakes = []struct{ name, behaviour, why, read string }{
	{"key", "Dispense sends its request without the key",
		"The register answers 401 from the first day on, and only the register knows why: the client's own tests never looked at what it sends.", "look-at-what-was-sent"},
	{"packs", "Dispense says that one pack was handed out when it was two",
		"Next month the patient has a pack too many on paper, and the pharmacy one too few on the shelf.", "look-at-what-was-sent"},
	{"escape", "the number of a prescription is put into the path unescaped",
		"For most numbers it works. R/2026/41 is then another path, and what follows a question mark is no part of the path at all.", "a-fake-that-agrees"},
	{"unknown", "Find returns an empty prescription and no error when the register answers 404",
		"A mistyped number and a prescription that is used up now look alike at the counter.", "a-server-that-says-no"},
	{"half", "Find takes what it can get of an answer that is cut off or is no JSON, and returns no error",
		"A proxy's page in HTML becomes a prescription for nothing, with no packs left.", "a-server-that-says-no"},
	{"cut", "Find takes an answer that is cut off when what has come of it is JSON",
		"Whoever counts on JSON to be incomplete forgets that an answer may end anywhere, behind the last brace too.", "a-server-that-says-no"},
	{"unlimited", "Find reads and accepts an answer of any length",
		"One endless answer, by mistake or by intent, takes all the memory that the program may have.", "a-server-that-says-no"},
	{"endless", "Find asks for ever while the register answers 503",
		"A register that is down for an hour has every pharmacy of the country at the door when it comes back, and no caller has had an answer.", "a-server-that-says-no"},
	{"stubborn", "Find asks again after a status that is no 503",
		"A 403 is not better the second time. A 429 that is answered with two more requests gets worse.", "a-server-that-says-no"},
	{"twice", "Dispense is sent again when the register answers 503",
		"The first one may have been written down before the trouble began. The second takes packs that the patient never got.", "a-server-that-says-no"},
	{"again", "Dispense is sent again when no answer comes",
		"No answer is not the same as not written down. The register may have lost the connection a moment after it wrote.", "a-server-that-says-no"},
	{"eager", "Find asks again after some milliseconds when Retry-After says how many seconds to wait",
		"Three attempts are over in a moment, while the register has asked for half a minute of peace.", "time-that-obeys"},
	{"default", "a Client without a Timeout waits for an answer for ever",
		"A register that hangs takes one goroutine after the other, and at the counter nothing happens: no answer, and no error either.", "time-that-obeys"},
	{"stalled", "an answer that stops after its header is waited for without an end",
		"A timeout that ends with the header looks like one in every test but this: a server that sends half of the body and then nothing holds its caller for ever.", "time-that-obeys"},
	{"deaf", "a request that is under way goes on when the caller's context ends",
		"The customer has left, the page is closed, and the program still waits for an answer that nobody will read.", "time-that-obeys"},
	{"patient", "Find goes on waiting for its next attempt when the caller's context ends",
		"A program that is asked to stop waits half a minute for a register of which it wants nothing any more, and is killed.", "time-that-obeys"},
	{"causes", "an error does not let its cause be found: neither the end of the context nor that of the Timeout",
		"Whoever left is then counted as a failure of the register, since callers ask with errors.Is, and it says no.", "time-that-obeys"},
	{"open", "the body of an answer with a status like 404 or 503 is never closed",
		"An open body holds its connection and two goroutines until something else ends the request. Where nothing does, it takes weeks until the limit of open files is reached, and then it is night.", "between-the-client-and-the-wire"},
	{"held", "the body of a 503 stays open when Find asks again after it",
		"One answer is closed at the end, and it is the last. On a bad day there are two before it, with every question.", "between-the-client-and-the-wire"},
}

// doubts are what to ask where a test is easily there and does not do what it seems to.
var doubts = map[string]string{
	"escape":  "If one of your tests has such a number: does it look at the path as it was sent, or after it was decoded?",
	"eager":   "If one of your tests is about Retry-After: is the number in it one that shows, or 0?",
	"stalled": "If one of your tests has a server that stops: does it stop before its header, or after?",
	"patient": "If one of your tests cancels: does it do so while the client waits, or while the answer is still on its way?",
	"open":    "If one of your tests looks at the body: at that of which answer?",
	"held":    "If one of your tests looks at the body: at that of the last answer, or at all of them?",
	"cut":     "If one of your tests has an answer that is cut off: is what remains of it JSON?",
	"again":   "If one of your tests has a connection that breaks: does it count how often Dispense was sent?",
}

// Exam declares the checks.
func Exam(x *exam.X) {
	x.Check("passes", "pass with the package as it is given, within 5 seconds", func(c *exam.C) {
		passes(c, "given", "the package as you have it")
	}, exam.Why("A test that fails on right code is switched off, and one that waits is run by nobody but CI."), exam.Read(lesson+"time-that-obeys"))

	x.Check("bite", "fail with a client that asks nobody", bite, exam.After("passes"),
		exam.Why("A fake server cannot notice that nobody called it. A test has to ask it afterwards."),
		exam.Read(lesson+"look-at-what-was-sent"))

	x.Check("repeatable", "pass in any order, twice in one process, and each alone", func(c *exam.C) {
		c.Repeats(exam.Finding{})
	}, exam.After("passes"), exam.Why("A fake that several tests share remembers what the others have asked."),
		exam.Read(lesson+"look-at-what-was-sent"))

	x.Check("tidied", "pass with a right version that is tidied up", func(c *exam.C) {
		passes(c, "right/tidied", "a version of the package that differs in a few lines and does the same")
	}, exam.After("passes"), exam.Why("It does the same, call for call. A test that tells it from the given one holds on to chance."), exam.Read(lesson+"what-is-left-open"))
	x.Check("rewritten", "pass with a right version that is written anew", func(c *exam.C) {
		passes(c, "right/rewritten", "a version of the package that keeps what its comments promise, written by somebody else")
	}, exam.After("passes"), exam.Why("What no comment promises may change: other headers, the moment of a retry within what is allowed, how a timeout is made. Tests that hold on to it break with every improvement."),
		exam.Read(lesson+"what-is-left-open"))

	for _, m := range mistakes {
		x.Check(m.name, "notice that "+m.behaviour, func(c *exam.C) { notices(c, m.name, m.behaviour) },
			exam.After("bite"), exam.Why(m.why), exam.Read(lesson+m.read))
	}
}

var timeout = "-test.timeout=" + maxRun.String()

// passes fails the check unless the tests pass with a right version, in time. What says which one
// that is.
func passes(c *exam.C, version, what string) {
	run := c.RunTests(version, timeout)
	if run.Passed {
		return
	}
	f := exam.Finding{
		Did: "ran your tests with " + what, Expected: "that they pass: there is nothing wrong with it",
		Saw: "they failed: the process " + run.Ending, Detail: end(run.Output),
	}
	if late, places := timedOut(run.Output); late || run.Late {
		f.Expected = fmt.Sprintf("that they have passed after %d seconds", maxRun/time.Second)
		f.Saw, f.Detail = "they had not: they still waited", places
	}
	c.Fail(f)
}

// notices fails the check when the tests pass with a wrong version.
func notices(c *exam.C, version, behaviour string) {
	if c.RunTests("wrong/"+version, timeout).Passed {
		c.Fail(exam.Finding{
			Did: "ran your tests with a version of the package that has one mistake", Expected: "that at least one of them fails",
			Saw: "all passed: nothing noticed that " + behaviour, Detail: doubts[version],
		})
	}
}

func bite(c *exam.C) {
	if !c.RunTests("wrong/hollow", timeout).Passed {
		return
	}
	c.Fail(exam.Finding{
		Did:      "ran your tests with a package that sends no request: Find returns an empty prescription, Dispense nothing, and neither an error",
		Expected: "that they fail",
		Saw:      "they passed: nothing in them depends on what the client returns, or on what the server was asked",
		Detail:   "This is the place to begin. Compare the prescription that Find returns with the one that your server has sent, and call t.Errorf where they differ.",
	})
}
