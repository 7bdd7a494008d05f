package exam

import (
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	whySettings = "Such a setting does not know which statement it meets. It forbids the planner what is right for the next one, and whoever looks for the reason looks at indexes."
	whyCopy     = "A copy is right at the moment in which it is made. From then on somebody has to keep it so, with each report, and each query has to know which of the two to ask."
	whyTable    = "Other programs read and write this table too. An index changes nothing for them but the time."
)

// columns are those that the task gives, in order.
const columns = "id, reported_at, closed_at, district, urgency, state, email, place"

// checksum is what fixture.sql comes to: rows, and what is in them.
const (
	checksumSQL = `select concat_ws(' ', count(*), sum(district), sum(urgency * id), sum(ascii(email)), count(closed_at), max(reported_at)) from reports`
	checksum    = "500000 8237375 262702435545 38315158 449705 2026-11-07 16:00:00+00"
)

// leftAlone looks for what somebody may have done in place of an index.
func leftAlone(c *exam.C) {
	f := exam.Finding{Did: "looked at the database after your files", Expected: "the table reports as it was given, and no settings but PostgreSQL's own: what your files add are indexes and functions"}
	fail := func(saw, why string) {
		if saw != "" {
			f.Saw, f.Why = saw, why
			c.Fail(f)
		}
	}
	fail(settings(c), whySettings)
	if c.DB().Int("select count(*) from pg_class where oid = to_regclass('public.reports')") == 0 {
		fail("there is no table reports any more", whyTable)
	}
	fail(copies(c), whyCopy)
	fail(c.DB().Text(`select coalesce(
		(select 'reports has the trigger ' || tgname from pg_trigger where tgrelid = 'public.reports'::regclass and not tgisinternal limit 1),
		(select 'reports has row level security' from pg_class where oid = 'public.reports'::regclass and relrowsecurity), '')`), whyTable)
	is := c.DB().Text(`select string_agg(attname, ', ' order by attnum) from pg_attribute where attrelid = 'public.reports'::regclass and attnum > 0 and not attisdropped`)
	if more, ok := strings.CutPrefix(is, columns+", "); ok {
		fail("reports has columns that it did not have: "+more, "A column is stored in each row and written with it, by every program. An index can hold what is computed of a column without any of that.")
	}
	fail(replaced(c), "The order of the rows on the disk is that of one moment. The next reports are written at the end, and each month the plan is a little worse than the one that was tested.")
	if key := c.DB().Text(`select coalesce((select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'public.reports'::regclass and contype = 'p'), 'no primary key')`); key != "PRIMARY KEY (id)" {
		f.Expected = "the primary key of reports is as it was given: PRIMARY KEY (id)"
		fail("reports has "+key, whyTable)
	}
	if sum := c.DB().Text(checksumSQL); sum != checksum {
		f.Expected = "the 500,000 rows of reports hold what they held"
		fail(fmt.Sprintf("the rows are not those that were there: of %d, some have been added, deleted or changed", c.DB().Int("select count(*) from reports")), "To fit the data to the query is to change what people have written. And the next report comes in as before.")
	}
	c.DB().Exec("vacuum reports") // so that an index need not ask the table who may see a row
}

// settings says what of PostgreSQL's settings has been changed for this database or
// this role.
func settings(c *exam.C) string {
	return c.DB().Text(`select coalesce((select case when setdatabase <> 0 then 'the database has the setting ' else 'the role has the setting ' end || array_to_string(setconfig, ', ')
		from pg_db_role_setting where setdatabase = (select oid from pg_database where datname = current_database())
			or setdatabase = 0 and setrole = to_regrole(current_database())::oid order by setdatabase desc limit 1), '')`)
}

// copies says what there is beside the table that holds rows of its own.
func copies(c *exam.C) string {
	beside := c.DB().Rows(`select c.relname::text as name, c.relkind::text as kind from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p', 'm', 'f') and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema' and c.oid <> 'public.reports'::regclass order by 1`)
	switch {
	case len(beside) == 0:
		return ""
	case beside[0]["kind"] == "m":
		return fmt.Sprintf("beside reports there is the materialized view %s, which says what was so when it was last refreshed", beside[0]["name"])
	}
	return fmt.Sprintf("beside reports there is the table %s", beside[0]["name"])
}

// replaced says whether the table is another one, or written anew. The table that
// the exercise gave is older than the grade's database, which was cloned with it,
// and its file has kept its first number.
func replaced(c *exam.C) string {
	return c.DB().Text(`select case when c.oid::bigint > d.oid::bigint then 'reports is another table than the one that was given: it was made anew, and the rows were copied'
		when c.relfilenode <> c.oid then 'the rows of reports have been written anew: CLUSTER, VACUUM FULL, TRUNCATE and some kinds of ALTER TABLE do that' else '' end
		from pg_class c, pg_database d where c.oid = 'public.reports'::regclass and d.datname = current_database()`)
}
