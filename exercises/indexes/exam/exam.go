// Package exam examines indexes: it asks the five questions of the task, reads the
// plans by which PostgreSQL has answered, and counts the pages that this took.
package exam

import "github.com/cairn-learn/cairn/grader/exam"

const lesson = "sql/indexes#"

// budget is how many buffers a question may take, and most how many indexes there
// may be beside the primary key's.
const (
	budget = 80
	most   = 2
)

// Exam declares the checks: what has to stay as it is, then one question after the
// other, then what the indexes cost.
func Exam(x *exam.X) {
	x.Check("left-alone", "leaves the table, its rows and the settings as they are", leftAlone,
		exam.Read(lesson+"what-is-no-index"))
	x.Check("questions", "has the five questions, in a form that PostgreSQL looks into", askable, exam.After("left-alone"),
		exam.Why("Programs call these functions by name and read their columns by name."),
		exam.Read(lesson+"a-function-that-disappears"))
	x.Check("answers", "still answers right", answers, exam.After("questions"),
		exam.Why("A statement that is quick and says something else is worse than a slow one: nobody notices."),
		exam.Read(lesson+"a-function-on-the-column"))
	x.Check("two", "does with two indexes", two, exam.After("left-alone"),
		exam.Why("Each index is written with each row, takes its part of the memory, and has to be read by whoever wonders which one matters."),
		exam.Read(lesson+"what-an-index-costs"))
	for _, q := range questions {
		x.Check(q.id, q.title, func(c *exam.C) { within(c, q) }, exam.After("answers"), exam.Why(q.why), exam.Read(lesson+q.read))
	}
	x.Check("writes", "does not make writing much dearer", writes, exam.After("answers"),
		exam.Why("A report is written once into the table and once into each index. What an index has in it beside its keys is written each time, whether somebody ever reads it or not."),
		exam.Read(lesson+"what-an-index-costs"))
}
