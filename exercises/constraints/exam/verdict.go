package exam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// names are those that PostgreSQL has for the SQLSTATEs of the task.
var names = map[string]string{
	"23502": "not_null_violation", "23503": "foreign_key_violation", "23505": "unique_violation",
	"23514": "check_violation", "23P01": "exclusion_violation",
}

// accept runs a statement that is in order, and returns the id that it gives back,
// as SQL. What says why it is in order.
func accept(c *exam.C, sql, what string) string {
	id, refused := c.DB().Try(sql)
	if refused == nil {
		return text(id)
	}
	f := exam.Finding{
		Did:      "ran: " + sql,
		Expected: "PostgreSQL takes it: this is " + what,
		Saw:      "PostgreSQL refused it with " + refused.String() + constraint(c, refused),
		Detail:   known(c, tableOf(sql)),
	}
	c.Fail(f)
	return ""
}

// constraint says what the constraint is that has refused something.
func constraint(c *exam.C, refused *exam.Refusal) string {
	if refused.Constraint == "" {
		return ""
	}
	rows := c.DB().Rows(`select pg_catalog.pg_get_constraintdef(oid) as def from pg_catalog.pg_constraint where conname = $1
		union all select pg_catalog.pg_get_indexdef(indexrelid) from pg_catalog.pg_index where indexrelid = pg_catalog.to_regclass($1)
			and not exists (select from pg_catalog.pg_constraint where conindid = indexrelid)`, refused.Constraint)
	if len(rows) == 0 {
		return ""
	}
	return fmt.Sprintf("\n%s is: %s", refused.Constraint, rows[0]["def"])
}

// rule is why a statement must be refused.
type rule struct {
	code  string // SQLSTATE
	says  string // what is wrong with it: "the price is below zero"
	cause string // why it may have been taken all the same
}

// why is a reason of its own, where that of the check does not fit.
func why(text string) func(*exam.Finding) { return func(f *exam.Finding) { f.Why = text } }

// refuse runs a statement that may not be, and fails unless PostgreSQL refuses it.
// Where it was taken, more add to the finding.
func refuse(c *exam.C, sql string, r rule, more ...func(*exam.Finding)) {
	_, refused := c.DB().Try(sql)
	if refused != nil && (refused.Code == r.code || r.code == "23503" && refused.Code == "23001") {
		return // PostgreSQL 18 has a code of its own for RESTRICT
	}
	f := exam.Finding{
		Did:      "ran: " + sql,
		Expected: fmt.Sprintf("PostgreSQL refuses it with %s (%s): %s", r.code, names[r.code], r.says),
		Saw:      "PostgreSQL took it. " + r.cause,
		Detail:   known(c, tableOf(sql)),
	}
	if refused == nil {
		for _, add := range more {
			add(&f)
		}
	} else {
		f.Saw = "PostgreSQL refused it, but with " + refused.String() + constraint(c, refused)
		f.Why = "A service goes by the SQLSTATE: it tells the client what to mend by the one, and wakes somebody up for the other."
	}
	c.Fail(f)
}

// tableOf is the table whose rules matter to a statement: the one that it writes
// or, where it deletes, the one that refers to it.
func tableOf(sql string) string {
	words := strings.Fields(sql)
	for i, w := range words {
		if slices.Contains([]string{"into", "update", "from"}, w) {
			if referring, ok := refers[words[i+1]]; ok && w == "from" {
				return referring
			}
			return words[i+1]
		}
	}
	return ""
}

var refers = map[string]string{"tenants": "members", "members": "bookings", "rooms": "bookings", "bookings": "extras"}

// known is what PostgreSQL knows of a table: the learner's own schema, as it was
// understood.
func known(c *exam.C, table string) string {
	of := "(select pg_catalog.to_regclass('public." + table + "'))"
	var b strings.Builder
	for _, r := range c.DB().Rows(`select attname::text as name, pg_catalog.format_type(atttypid, atttypmod) as type, attnotnull as needed
		from pg_catalog.pg_attribute where attrelid = ` + of + ` and attnum > 0 and not attisdropped order by attnum`) {
		line := fmt.Sprintf("    %-14s%s", r["name"], r["type"])
		if r["needed"] == true {
			line += " not null"
		}
		b.WriteString(line + "\n")
	}
	for _, r := range c.DB().Rows(`select def from (select pg_catalog.pg_get_constraintdef(oid) as def from pg_catalog.pg_constraint where conrelid = ` + of + ` and contype not in ('n', 't')
		union all select pg_catalog.pg_get_indexdef(indexrelid) from pg_catalog.pg_index where indrelid = ` + of + ` and indisunique
			and not exists (select from pg_catalog.pg_constraint where conindid = indexrelid)
		union all select pg_catalog.pg_get_triggerdef(oid) from pg_catalog.pg_trigger where tgrelid = ` + of + ` and not tgisinternal
		) as all_of_them order by def collate "C"`) {
		fmt.Fprintf(&b, "    %s\n", r["def"])
	}
	if b.Len() == 0 {
		return ""
	}
	for _, r := range c.DB().Rows(`select distinct proname::text as name, prosrc as body
		from pg_catalog.pg_trigger join pg_catalog.pg_proc p on p.oid = tgfoid
		where tgrelid = ` + of + ` and not tgisinternal and pronamespace <> 'pg_catalog'::pg_catalog.regnamespace order by 1`) {
		fmt.Fprintf(&b, "    %s() is:\n%s", r["name"], body(fmt.Sprint(r["body"])))
	}
	return "What PostgreSQL knows of " + table + ":\n" + strings.TrimRight(b.String(), "\n")
}

// body is what a function does, indented and not too long.
func body(source string) string {
	const most = 40
	var b strings.Builder
	lines := strings.Split(strings.Trim(source, "\n"), "\n")
	for _, line := range lines[:min(len(lines), most)] {
		b.WriteString("        " + strings.TrimRight(line, " \t\r") + "\n")
	}
	if len(lines) > most {
		fmt.Fprintf(&b, "        and %d more lines\n", len(lines)-most)
	}
	return b.String()
}
