// Package exam examines the sign-up: one program in front of a PostgreSQL, and
// everything that a captain's form, or a stranger, may send to it.
package exam

import "github.com/cairn-learn/cairn/grader/exam"

const lesson = "apis/validation#"

const (
	whyForm  = "A client has one place that reads errors. What comes in another form is an error of that place: its log shows a syntax error, and the captain sees \"something went wrong\"."
	whyCodes = "The form finds the field by the pointer and the sentence, in the captain's language, by the code. Where either is wrong, the mark is at the wrong field or there is none."
)

// Exam declares the checks, in the order in which they are easiest to pass: the
// form of a refusal, what a body is, what a team is, and what the database says.
func Exam(x *exam.X) {
	x.Check("accept", "stores a good team and gives it back", accept,
		exam.Why("However good its refusals are, a service is there for those that it does not refuse."))
	x.Check("problem", "answers with a problem document when there is no such team", problemDocument, exam.After("accept"),
		exam.Why(whyForm), exam.Read(lesson+"one-form-for-every-error"))
	x.Check("paths", "answers unknown paths and wrong methods in the same form", paths, exam.After("problem"),
		exam.Why(whyForm), exam.Read(lesson+"one-form-for-every-error"))
	bodies(x)
	fields(x)
	database(x)
}

func bodies(x *exam.X) {
	x.Check("malformed", "answers a body that is no JSON object with 400", malformed, exam.After("problem"),
		exam.Why("400 says: there is nothing here that could be judged field by field. Whoever wrote the client has to look, not the captain."),
		exam.Read(lesson+"two-kinds-of-wrong"))
	x.Check("trailing", "refuses a body that goes on after the team", trailing, exam.After("malformed"),
		exam.Why("Two teams in one body are a mistake of the client. Taking the first and dropping the second makes it a team that is not at the start."),
		exam.Read(lesson+"what-encodingjson-lets-through"))
	x.Check("same-key", "refuses an object with the same key twice", sameKey, exam.After("malformed"),
		exam.Why("One program takes the first, another the last. A gateway that has checked the one and a service that stores the other are how checks are got round."),
		exam.Read(lesson+"what-encodingjson-lets-through"))
	x.Check("media-type", "reads application/json, however it is written, and nothing else", mediaType, exam.After("malformed"),
		exam.Why("A body is what it is declared to be. A stranger's web page can have a browser send text/plain to you unasked, and application/json it cannot."),
		exam.Read(lesson+"two-kinds-of-wrong"))
	x.Check("too-large", "takes 1 MiB and refuses one byte more", tooLarge, exam.After("malformed"),
		exam.Why("Without a limit one client can use up all memory; with one that is off by a byte, a client that keeps to the contract is refused."),
		exam.Read(lesson+"two-kinds-of-wrong"))
	x.Check("own-words", "tells nobody what its libraries said", ownWords, exam.After("malformed", "paths"),
		exam.Why("Such a text helps whoever looks for a way in, and nobody else: it names your language, your library, your types. It also changes with the next version of Go, and somebody will have parsed it."),
		exam.Read(lesson+"nothing-of-the-inside"))
}

func fields(x *exam.X) {
	x.Check("fields", "names the field that is wrong, and how", oneField, exam.After("malformed"),
		exam.Why(whyCodes), exam.Read(lesson+"a-code-for-programs-a-sentence-for-people"))
	x.Check("types", "treats a value of the wrong type as a wrong field", wrongTypes, exam.After("fields"),
		exam.Why(whyCodes), exam.Read(lesson+"all-of-it-at-once"))
	x.Check("characters", "counts characters and changes none", characters, exam.After("fields"),
		exam.Why("Names are what people are called. A service that counts bytes has room for forty English letters and for thirteen Japanese ones."),
		exam.Read(lesson+"how-long-is-a-name"))
	x.Check("unknown-keys", "refuses keys that it does not know", unknownKeys, exam.After("fields"),
		exam.Why("A key that is ignored is a misspelt one that is believed: the captain typed a club, the form sent clubb, and nobody was told."),
		exam.Read(lesson+"what-encodingjson-lets-through"))
	x.Check("at-once", "names every wrong field in one answer", atOnce, exam.After("fields", "types", "unknown-keys"),
		exam.Why("One error per answer is one round trip per error. By the third, people think that the form is broken, and they are nearly right."),
		exam.Read(lesson+"all-of-it-at-once"))
	x.Check("many", "stops at 100 errors", many, exam.After("at-once"),
		exam.Why("The sender decides how many mistakes there are. Without an end, a body of one megabyte is answered with eighty-five."),
		exam.Read(lesson+"all-of-it-at-once"))
	x.Check("occurrences", "gives every problem the title of its kind and an instance of its own", occurrences, exam.After("fields", "paths"),
		exam.Why("Titles are grouped and counted, so they must be the same; an instance is what a captain reads out on the telephone, so it must not."),
		exam.Read(lesson+"one-form-for-every-error"))
}

func database(x *exam.X) {
	x.Check("name-taken", "answers 409 when the name is taken", nameTaken, exam.After("fields"),
		exam.Why("Nothing is wrong with the fields, so 422 would be a lie; nothing is wrong with the service, so 500 would wake somebody up. The captain needs another name, and 409 says so."),
		exam.Read(lesson+"the-constraint-decides"))
	x.Check("same-moment", "gives a name to one of two that ask at the same moment", sameMoment, exam.After("name-taken"),
		exam.Why("Names are asked for at the same moment exactly when it matters: when sign-up opens."),
		exam.Read(lesson+"the-constraint-decides"))
	x.Check("other-refusal", "answers 500 when PostgreSQL refuses for another reason", otherRefusal, exam.After("name-taken"),
		exam.Why("A captain who is told that the name is taken tries another, and another. Nobody learns that the fault is here."),
		exam.Read(lesson+"the-constraint-decides"))
	x.Check("away", "answers 503 while PostgreSQL is away, and works again afterwards", away, exam.After("fields"),
		exam.Why("503 with Retry-After tells a client to wait and try again. It is the only status that says so."),
		exam.Read(lesson+"when-the-database-is-away"))
	x.Check("inside", "keeps the database to itself", inside, exam.After("name-taken", "other-refusal", "away"),
		exam.Why("The name of a table is the first thing that somebody needs who tries to get at it. An address and a user are the next two."),
		exam.Read(lesson+"nothing-of-the-inside"))
}
