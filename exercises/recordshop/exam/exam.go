// Package exam examines the record shop: what callers send, and what becomes of it
// on the way to PostgreSQL.
package exam

import "github.com/cairn-learn/cairn/grader/exam"

const (
	lesson = "security/sql-injection#"

	whyContract = "Callers go by the status and by the fields of the contract. What does not hold for tame input will not hold for the rest."
	whyTexts    = "People and records are called what they are called. A name that breaks a statement is met by honest customers first, and it tells whoever reads the errors where a door is open."
	whyBound    = "A parameter reaches PostgreSQL after the statement has been parsed; nothing in it can become SQL. Of whatever stands in the text one has to prove that, for each place, again after each change."
	whyLiteral  = "Whoever looks for 100% wants what is called so. As wildcards these characters find too much, and a pattern made for it keeps the database busy for long."
	whyOrder    = "What stands behind ORDER BY is an expression. It may ask any table, and the order of the rows tells the answer, one bit for each request."
	whyNumbers  = "A number that nobody has read is a text, and LIMIT takes an expression like any other place."
	whyFields   = "Names in a body are chosen by the caller, like its values. Whoever builds SET from them lets the caller write the statement, or at least pick the column."
	whyStored   = "Whoever could write a row once, through an older version or another program, waits until somebody uses it. That it comes from your own table says nothing about who wrote it."
	whyOdd      = "A 500 wakes somebody up, and it was the caller's mistake. What PostgreSQL refuses is known beforehand."
	whySilent   = "Messages of the database tell an attacker what he has hit: tables, columns, types, addresses, and whether the last attempt came nearer. Honest callers have no use for them."
	whyAttacks  = "Nobody tries one place. Tools go through all parameters with hundreds of payloads in a minute, and one hit is enough."
)

// Exam declares the checks: first with tame input, then place by place, then all at
// once.
func Exam(x *exam.X) {
	x.Check("create", "stores a record and finds it by its id", create, exam.Why(whyContract))
	x.Check("list", "lists, filters, sorts and pages", list, exam.After("create"), exam.Why(whyContract))
	x.Check("change", "changes some fields of a record", change, exam.After("create"), exam.Why(whyContract))
	x.Check("saved", "saves a search and runs it", saved, exam.After("list"), exam.Why(whyContract))
	plain := exam.After("create", "list", "change", "saved")

	x.Check("texts", "takes every text for a text", texts, plain,
		exam.Why(whyTexts), exam.Read(lesson+"the-apostrophe-comes-first"))
	x.Check("bound", "sends values beside the statement", bound, exam.After("texts"),
		exam.Why(whyBound), exam.Read(lesson+"two-things-in-two-places"))
	x.Check("literal", "searches for %, _ and \\ themselves", literal, exam.After("texts"),
		exam.Why(whyLiteral), exam.Read(lesson+"bound-and-still-a-pattern"))
	x.Check("sort", "sorts by what is on the list, and by nothing else", sortBy, exam.After("list", "saved"),
		exam.Why(whyOrder), exam.Read(lesson+"what-cannot-be-bound"))
	x.Check("numbers", "reads numbers to their last character", numbers, exam.After("list", "change"),
		exam.Why(whyNumbers), exam.Read(lesson+"numbers-without-quotes"))
	x.Check("fields", "lets four fields be written, and no other", fields, exam.After("change"),
		exam.Why(whyFields), exam.Read(lesson+"what-cannot-be-bound"))
	x.Check("stored", "trusts what was stored no more than what was sent", stored, exam.After("bound", "sort"),
		exam.Why(whyStored), exam.Read(lesson+"the-second-time"))
	x.Check("odd", "refuses by itself what PostgreSQL could not hold", odd, exam.After("texts"),
		exam.Why(whyOdd), exam.Read(lesson+"what-no-column-takes"))
	x.Check("attacks", "gives nothing away, whatever is tried where", attacks,
		exam.After("bound", "literal", "sort", "numbers", "fields", "stored", "odd"),
		exam.Why(whyAttacks), exam.Read(lesson+"what-it-costs-the-other-side"))
	x.Check("silent", "keeps the database's messages to itself", silent, plain,
		exam.Why(whySilent), exam.Read(lesson+"say-nothing"))
}
