// Package exam examines a schema: it writes rows that may never be, and rows that
// look odd and are right, and reads what PostgreSQL says to each.
package exam

import "github.com/cairn-learn/cairn/grader/exam"

const lesson = "sql/constraints#"

// Exam declares the checks: first what one column may hold, then what the columns
// of a row say together, then what rows say to each other.
func Exam(x *exam.X) {
	x.Check("tables", "has the five tables and takes an ordinary day's rows", ordinaryDay,
		exam.Why("Other programs name these tables and columns. What they can't find, they can't use."))
	x.Check("required", "refuses a row that leaves out what must be there", required, exam.After("tables"),
		exam.Why("NULL is not nothing: a sum skips it, a comparison with it is neither true nor false, and a foreign key does not look at it."),
		exam.Read(lesson+"what-must-be-there"))
	x.Check("blanks", "refuses texts that say nothing, and addresses that are none", blanks, exam.After("tables"),
		exam.Why("Somebody presses the space bar because a form wants something. From then on each list and each letter has a hole."),
		exam.Read(lesson+"a-check-is-a-sentence-about-a-row"))
	x.Check("texts", "keeps long and odd texts whole", texts, exam.After("tables"),
		exam.Why("People and places have longer names than whoever wrote the schema had in mind. The length was nobody's rule, and it fails on a real customer."),
		exam.Read(lesson+"types-are-the-first-constraint"))
	x.Check("ranges", "refuses numbers out of range", ranges, exam.After("tables"),
		exam.Why("A form forbids such numbers. The import, the console and the next service have no form."),
		exam.Read(lesson+"a-check-is-a-sentence-about-a-row"))
	x.Check("money", "keeps money to the cent", money, exam.After("tables"),
		exam.Why("Sums that are off by a cent are looked for by people, for days, at the end of each year."),
		exam.Read(lesson+"types-are-the-first-constraint"))
	x.Check("instants", "knows which moment is meant, whatever the zone", instants, exam.After("tables"),
		exam.Why("The server, the laptop and the phone are in three zones, and twice a year one of them changes. A time without a zone is right only where it was written."),
		exam.Read(lesson+"types-are-the-first-constraint"))
	x.Check("period", "refuses a booking that ends before it has begun", period, exam.After("tables"),
		exam.Why("A period that runs backwards overlaps with nothing and lasts less than no time. Every report that uses it is wrong in its own way."),
		exam.Read(lesson+"a-check-is-a-sentence-about-a-row"))
	x.Check("cancelled", "wants to know of each cancellation when and why", cancelled, exam.After("tables"),
		exam.Why("Half a cancellation can't be explained to the customer, and each program has its own idea of which half counts."),
		exam.Read(lesson+"a-check-that-says-null"))
	x.Check("room-names", "has each room of a house once", roomNames, exam.After("tables"),
		exam.Why("Two rows for one room are booked twice, and no rule about overlaps can see it."),
		exam.Read(lesson+"unique-within-what"))
	x.Check("emails", "has each address of a house once, however it is written", emails, exam.After("tables"),
		exam.Why("Ada signs up as Ada@ and logs in as ada@. With two accounts, half of what she booked has disappeared."),
		exam.Read(lesson+"unique-within-what"))
	x.Check("references", "refuses a row that refers to nothing", references, exam.After("tables"),
		exam.Why("A booking of a room that does not exist can't be shown, moved or paid back. It is found when somebody stands before the door."),
		exam.Read(lesson+"two-houses-apart"))
	x.Check("apart", "keeps the houses apart", apart, exam.After("references"),
		exam.Why("One forgotten WHERE, one id from a request that was not checked, and a customer sees another's rooms, members and prices."),
		exam.Read(lesson+"two-houses-apart"))
	x.Check("overlap", "lets a room once at a time", overlap, exam.After("tables"),
		exam.Why("Two parties before one door: of all mistakes here the one that the customers notice first."),
		exam.Read(lesson+"once-at-a-time"))
	x.Check("at-once", "does so when two book at the same moment", atOnce, exam.After("overlap"),
		exam.Why("The popular room is booked by two people in the same second. Whoever looks first and writes then has a gap, in a program as in a trigger."),
		exam.Read(lesson+"once-at-a-time"))
	x.Check("deletes", "lets go of what may go, and of nothing else", deletes, exam.After("references"),
		exam.Why("A DELETE is one word longer or shorter than it was meant to be. What goes with a row is decided here, by calm people, or then, by accident."),
		exam.Read(lesson+"what-goes-with-a-row"))
}
