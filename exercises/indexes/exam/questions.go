package exam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// question is one of those that the city's programs ask.
type question struct {
	id, title, why, read string

	function, takes, gives string
	column                 string   // the column by which its rows are found
	fixed                  []string // what it wants to be equal to one value, as an index may have it
	right                  string   // as the examiner asks it, with $1 and so on where the arguments go
	among                  string   // a condition for the rows that it is about, and maybe more
	asks                   func(*exam.C) []call
}

// call is a question with its arguments, as SQL.
type call struct {
	args []string
	what string // about whom: "district 1, the largest"
}

func (q question) sql(a call) string {
	return fmt.Sprintf("select * from %s(%s)", q.function, strings.Join(a.args, ", "))
}

// truth is the question as the examiner would ask it.
func (q question) truth(a call) string {
	sql := q.right
	for i, arg := range a.args {
		sql = strings.ReplaceAll(sql, fmt.Sprintf("$%d", i+1), arg)
	}
	return sql
}

var ofDistrict = []string{"district", "state"}
var ofAddress = []string{"lower(email)"}

var questions = []question{
	{
		id: "queue", title: "reads the next reports of a district off an index", read: "the-order-that-you-ask-for",
		why:      "Each desk asks this all day, and wants 20 reports. What is read and sorted beside these is thrown away, each time.",
		function: "queue", takes: "of_district integer", gives: "TABLE(id bigint, reported_at timestamp with time zone, urgency integer, place text)",
		column: "district", fixed: ofDistrict, asks: districts, among: "state = 'open' and district in ($1)",
		right: "select id, reported_at, urgency, place from matching where district = $1 and state = 'open' order by urgency desc, reported_at, id limit 20",
	},
	{
		id: "backlog", title: "counts what waits in a district within an index", read: "without-the-table",
		why:      "Five thousand rows are five thousand visits to the table. What is asked of each is two values.",
		function: "backlog", takes: "of_district integer", gives: "TABLE(urgency integer, reports bigint, oldest timestamp with time zone)",
		column: "district", fixed: ofDistrict, asks: districts, among: "state = 'open' and district in ($1)",
		right: "select urgency, count(*), min(reported_at) from matching where district = $1 and state = 'open' group by urgency order by urgency desc",
	},
	{
		id: "latest", title: "finds the latest reports of an address", read: "the-order-of-the-columns",
		why:      "It is quick for the people whom one tries it with, who have written twice. The address with thousands of reports is the one that asks most often.",
		function: "latest", takes: "address text", gives: "TABLE(id bigint, reported_at timestamp with time zone, state text, place text)",
		column: "email", fixed: ofAddress, asks: addresses, among: "lower(email) = any (string_to_array(lower(concat_ws(' ', $1)), ' '))",
		right: "select id, reported_at, state, place from matching where lower(email) = lower($1) order by reported_at desc, id desc limit 20",
	},
	{
		id: "of-day", title: "finds what an address has reported on a day", read: "a-function-on-the-column",
		why:      "A day is a small part of what somebody has ever reported, and the part shrinks. Who reads everything in order to find it takes longer each week.",
		function: "of_day", takes: "address text, day date", gives: "TABLE(id bigint, reported_at timestamp with time zone, state text, place text)",
		column: "email", fixed: ofAddress, asks: days, among: "lower(email) = any (string_to_array(lower(concat_ws(' ', $1)), ' '))",
		right: `select id, reported_at, state, place from matching
			where lower(email) = lower($1) and reported_at >= $2::date::timestamptz and reported_at < ($2::date + 1)::timestamptz order by reported_at, id`,
	},
	{
		id: "search", title: "finds addresses by their beginning", read: "the-beginning-of-a-text",
		why:      "This runs while somebody types, once for each letter.",
		function: "search", takes: "beginning text", gives: "TABLE(id bigint, email text)",
		column: "email", fixed: ofAddress, asks: beginnings, among: "lower(email) like any (string_to_array(lower(concat_ws('% ', $1)) || '%', ' '))",
		right: "select id, email from matching where lower(email) like lower($1) || '%' order by lower(email), id",
	},
}

// askable finds each question, and looks whether PostgreSQL puts its body into the
// statement that calls it: otherwise no plan shows what it does.
func askable(c *exam.C) {
	for _, q := range questions {
		f := exam.Finding{
			Did:      fmt.Sprintf("looked for the function %s(%s)", q.function, q.takes),
			Expected: fmt.Sprintf("a function of SQL in the schema public that returns %s, as the task gives it", strings.ToLower(q.gives)),
		}
		found := c.DB().Rows(`select pg_get_function_identity_arguments(p.oid) as takes, pg_get_function_result(p.oid) as gives, l.lanname::text as language,
				provolatile::text as volatility, proisstrict as strict, prosecdef as definer, array_to_string(proconfig, ', ') as settings
			from pg_proc p join pg_language l on l.oid = p.prolang
			where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' and p.proname = $1`, q.function)
		i := slices.IndexFunc(found, func(r map[string]any) bool { return r["takes"] == q.takes })
		switch {
		case len(found) == 0:
			f.Saw = "there is no function " + q.function
		case i < 0:
			f.Saw = fmt.Sprintf("there is %s(%s)", q.function, found[0]["takes"])
		case found[i]["gives"] != q.gives:
			f.Saw = fmt.Sprintf("it returns %s", strings.ToLower(fmt.Sprint(found[i]["gives"])))
		default:
			f = opaque(q, found[i])
		}
		if f.Saw != "" {
			c.Fail(f)
		}
	}
}

// opaque says what keeps PostgreSQL from putting a function's body into the
// statement that calls it. Its Saw is "" when nothing does.
func opaque(q question, is map[string]any) exam.Finding {
	f := exam.Finding{
		Did:      fmt.Sprintf("looked at the function %s(%s)", q.function, q.takes),
		Expected: "language sql, stable or immutable, and neither strict nor security definer nor with a SET, so that PostgreSQL can put its body into the statement that calls it",
		Why:      "A function that is called as a whole is planned without its caller, whatever that wants of it, and EXPLAIN shows one line, Function Scan.",
	}
	switch {
	case is["settings"] != nil:
		f.Expected = "no settings of its own: what the plan is to be, the indexes decide"
		f.Saw = fmt.Sprintf("the function sets %s", is["settings"])
		f.Why, f.Read = whySettings, lesson+"what-is-no-index"
	case is["language"] != "sql":
		f.Saw = fmt.Sprintf("it is in the language %s", is["language"])
	case is["volatility"] == "v":
		f.Saw = "it is volatile, which a function is that does not say otherwise"
	case is["strict"] == true:
		f.Saw = "it is strict"
	case is["definer"] == true:
		f.Saw = "it is security definer"
	}
	return f
}

// answers compares what the questions say with what the table says.
func answers(c *exam.C) {
	asked := map[string][]call{}
	for _, q := range questions {
		asked[q.id] = q.asks(c)
	}
	truths := c.DB().Rows(truth(asked))
	for _, q := range questions {
		for _, a := range asked[q.id] {
			got, refused := c.DB().Try("select " + lines(q.sql(a)))
			want := fmt.Sprint(truths[0]["rows"])
			truths = truths[1:]
			f := exam.Finding{Did: "ran: " + q.sql(a), Expected: "what the function of the starter says: " + rowsOf(want)}
			switch {
			case refused != nil:
				f.Saw = "PostgreSQL refused it: " + refused.String()
			case got != want:
				f.Saw = rowsOf(got) + difference(got, want)
			default:
				continue
			}
			c.Fail(f)
		}
	}
}

// truth is a statement that answers all calls from the table, with one look at it:
// the rows that matter to any of them are few.
func truth(asked map[string][]call) string {
	about := map[string][]string{} // arguments by condition, so that a row is compared once
	var rows []string
	for _, q := range questions {
		for _, a := range asked[q.id] {
			about[q.among] = append(about[q.among], a.args[0])
			rows = append(rows, fmt.Sprintf("(%d, %s)", len(rows), lines(q.truth(a))))
		}
	}
	var which []string
	for _, condition := range slices.Sorted(maps.Keys(about)) {
		which = append(which, strings.ReplaceAll(condition, "$1", strings.Join(about[condition], ", ")))
	}
	return fmt.Sprintf("with matching as materialized (select * from reports where %s) select rows from (values %s) as answers (n, rows) order by n",
		strings.Join(which, " or "), strings.Join(rows, ", "))
}

// lines is an expression for a statement's rows as one text, one line each.
func lines(sql string) string {
	return "(select coalesce(string_agg(line::text, chr(10)), '') from (" + sql + ") as line)"
}

func rowsOf(lines string) string {
	if lines == "" {
		return "no rows"
	}
	n := strings.Count(lines, "\n") + 1
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// difference says in what two answers differ first.
func difference(got, want string) string {
	is, ought := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(is), len(ought)) {
		switch {
		case i >= len(is) || is[0] == "":
			return fmt.Sprintf("; the row %s is missing", ought[i])
		case i >= len(ought) || ought[0] == "":
			return fmt.Sprintf("; the row %s should not be there", is[i])
		case is[i] != ought[i] && slices.Contains(ought, is[i]):
			return fmt.Sprintf("; where %s should stand there is %s", ought[i], is[i])
		case is[i] != ought[i]:
			return fmt.Sprintf("; the row %s should not be there", is[i])
		}
	}
	return ""
}
