package exam

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// index is one of the learner's on reports.
type index struct {
	name, def  string
	keys       []string // what it is ordered by, as SQL: "lower(email)"
	classes    []string // the operator class of each key
	included   []string
	where      string // its predicate, or ""
	constraint bool   // it belongs to a constraint
	collated   bool   // its first key is ordered by characters, by whatever means
	bytes      int64
	entries    int64
}

// begins tells whether the other index has all that this one has, in its order.
func (ix index) begins(other index) bool {
	return ix.where == other.where && len(ix.keys) <= len(other.keys) && slices.Equal(ix.keys, other.keys[:len(ix.keys)]) &&
		slices.Equal(ix.classes, other.classes[:len(ix.keys)]) && len(ix.included) == 0
}

// order is the index as its keys.
func (ix index) order() string { return strings.Join(ix.keys, ", ") }

// indexes lists those on reports beside the primary key's, by name.
func indexes(c *exam.C) []index {
	rows := c.DB().Rows(`select ic.relname::text as name, pg_get_indexdef(i.indexrelid) as def, coalesce(pg_get_expr(i.indpred, i.indrelid), '') as predicate,
			pg_relation_size(i.indexrelid) as bytes, ic.reltuples::bigint as entries, exists (select from pg_constraint where conindid = i.indexrelid) as of_constraint,
			(select coll.collname in ('C', 'POSIX', 'ucs_basic') from pg_collation coll where coll.oid = i.indcollation[0]) as by_bytes,
			array_to_string(array(select pg_get_indexdef(i.indexrelid, k, true) || case when k <= i.indnkeyatts and i.indoption[k - 1] & 1 = 1 then ' desc' else '' end
				from generate_series(1, i.indnatts) as k order by k), chr(10)) as columns,
			i.indnkeyatts::int as keys, array_to_string(array(select oc.opcname from unnest(i.indclass::oid[]) with ordinality as u (class, n)
				join pg_opclass oc on oc.oid = u.class order by u.n), chr(10)) as classes
		from pg_index i join pg_class ic on ic.oid = i.indexrelid
		where i.indrelid = 'public.reports'::regclass and not i.indisprimary order by ic.relname collate "C"`)
	all := make([]index, len(rows))
	for i, r := range rows {
		columns := strings.Split(fmt.Sprint(r["columns"]), "\n")
		n := int(r["keys"].(int32))
		all[i] = index{
			name: fmt.Sprint(r["name"]), def: fmt.Sprint(r["def"]), where: fmt.Sprint(r["predicate"]),
			keys: columns[:n], included: columns[n:], classes: strings.Split(fmt.Sprint(r["classes"]), "\n"),
			constraint: r["of_constraint"] == true, bytes: r["bytes"].(int64), entries: r["entries"].(int64),
		}
		all[i].collated = r["by_bytes"] == true || strings.Contains(all[i].classes[0], "pattern_ops")
	}
	return all
}

// shown lists indexes with their size, for a finding's detail.
func shown(all []index) string {
	if len(all) == 0 {
		return "There is no index but that of the primary key."
	}
	var b strings.Builder
	b.WriteString("Your indexes:")
	for _, ix := range all {
		fmt.Fprintf(&b, "\n    %s, %s kB", strings.Replace(strings.TrimPrefix(ix.def, "CREATE "), " ON public.reports", " on reports", 1), thousands(ix.bytes/1024))
	}
	return b.String()
}

// two counts the indexes, and says of those that are too many which one nobody
// would miss.
func two(c *exam.C) {
	all := indexes(c)
	if len(all) <= most {
		return
	}
	var why []string
	for i, ix := range all {
		for j, other := range all {
			if i != j && ix.begins(other) && (!other.begins(ix) || i > j) {
				why = append(why, fmt.Sprintf("the index %s says nothing that %s does not: that one begins with the same columns", ix.name, other.name))
				break
			}
		}
	}
	used := read(c)
	var idle []string
	for _, ix := range all {
		if !used[ix.name] {
			idle = append(idle, ix.name)
		}
	}
	if len(idle) > 0 {
		why = append(why, "none of the questions that were asked has read "+strings.Join(idle, ", "))
	}
	if len(why) == 0 {
		why = append(why, "each is read by some question, so one of them would have to serve for two")
	}
	c.Fail(exam.Finding{
		Did:      "counted the indexes of reports",
		Expected: "at most two beside the primary key's",
		Saw:      fmt.Sprintf("%d: %s. %s", len(all), names(all), upper(strings.Join(why, "; "))),
		Detail:   shown(all),
	})
}

// read says which indexes the plans of the questions name.
func read(c *exam.C) map[string]bool {
	used := map[string]bool{}
	for _, q := range questions {
		plan, refused := c.DB().Explain(q.sql(q.asks(c)[0]))
		if refused != nil {
			continue // questions and answers say so
		}
		for _, node := range plan.All() {
			used[node.Index] = true
		}
	}
	return used
}

func names(all []index) string {
	list := make([]string, len(all))
	for i, ix := range all {
		list[i] = ix.name
	}
	return strings.Join(list, ", ")
}

func upper(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// thousands writes a number so that it can be read: 494,986.
func thousands(n int64) string {
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// newReports writes a thousand reports, as the site would: two at each moment, by
// one person, about one district.
const newReports = `insert into reports (reported_at, district, urgency, state, email, place)
	select timestamptz '2026-12-01 00:00+00' + n / 2 * interval '3 minutes', 1 + n / 2 % 40, 1 + n / 2 % 3, 'open',
		'Somebody.' || n / 2 * 7919 % 10007 || '@Mail.example', 'Mill Lane ' || n % 140 from generate_series(1, 1000) as n`

// dearer is how many times as much may be written with the learner's indexes.
const dearer = 2.5

// writes compares what a thousand new reports leave in the log, with the learner's
// indexes and without.
func writes(c *exam.C) {
	all := indexes(c)
	f := exam.Finding{Did: "wrote 1,000 new reports, once with your indexes and once with the primary key alone; both rolled back",
		Expected: fmt.Sprintf("with them PostgreSQL writes at most %.1f times as much to its log (WAL) as without", dearer)}
	with, refused := c.DB().Explain(newReports)
	if refused != nil {
		f.Expected = "reports like any others are taken: somebody may report two things at the same moment"
		f.Saw = "PostgreSQL refused them: " + refused.String()
		f.Detail = shown(all)
		c.Fail(f)
	}
	var drops []string
	for _, ix := range all {
		if ix.constraint {
			drops = append(drops, fmt.Sprintf("alter table reports drop constraint %q", ix.name))
		} else {
			drops = append(drops, fmt.Sprintf("drop index %q", ix.name))
		}
	}
	without, refused := c.DB().Explain(newReports, drops...)
	if refused != nil {
		f.Saw = "without your indexes PostgreSQL refused them: " + refused.String()
		c.Fail(f)
	}
	ratio := float64(with.WALBytes) / float64(max(without.WALBytes, 1))
	if ratio <= dearer {
		return
	}
	f.Saw = fmt.Sprintf("%.1f times as much: about %s kB with them, %s kB without", ratio, round(with.WALBytes), round(without.WALBytes))
	widest := slices.MaxFunc(all, func(a, b index) int { return cmp.Compare(a.width(), b.width()) })
	f.Saw += fmt.Sprintf(". An entry of %s takes about %d bytes; a row of the table, with all of its columns, takes %d", widest.name, widest.width(), c.DB().Int("select pg_relation_size('reports')")/reports)
	if n := len(widest.included); n > 0 {
		f.Saw += fmt.Sprintf(". It carries %d columns that it is not ordered by: %s", n, strings.Join(widest.included, ", "))
	}
	f.Detail = shown(all)
	c.Fail(f)
}

// width is how many bytes an entry takes.
func (ix index) width() int64 { return ix.bytes / max(ix.entries, 1) }

// round is a number of bytes in kB, to the next fifty: versions differ by a little.
func round(bytes int64) string { return thousands((bytes/1024 + 25) / 50 * 50) }
