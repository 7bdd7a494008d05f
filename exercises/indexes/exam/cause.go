package exam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// cause says where in a plan the buffers go, and why.
func cause(q question, plan *exam.Plan, all []index) string {
	scan, above := dearest(plan)
	switch {
	case scan.Node == "Function Scan":
		return fmt.Sprintf("PostgreSQL runs %s as a whole and does not look into it, so that no plan can be seen: its body is more than one SELECT, or holds something that cannot be moved into another statement", scan.Function)
	case scan.Node == "Seq Scan":
		return fmt.Sprintf("The whole table is read, and %s of its rows are thrown away by the filter. %s", thousands(scan.RemovedRows()), whyNoIndex(q, scan, all))
	}
	i := slices.IndexFunc(all, func(ix index) bool { return ix.name == indexOf(scan) })
	if i < 0 {
		return fmt.Sprintf("Most of them go into %s, which reads %s", called(scan), plural(scan.Rows()+scan.RemovedRows(), "row"))
	}
	return whyMuch(q, scan, above, all[i])
}

// dearest is the scan that has looked at the most pages, and what stands above it,
// the nearest first. What lies below a bitmap is part of its scan.
func dearest(plan *exam.Plan) (scan *exam.Plan, above []*exam.Plan) {
	scan = plan
	most := int64(-1)
	var path []*exam.Plan
	for depth, node := range plan.All() {
		path = append(path[:depth], node)
		if (node.Relation != "" || node.Function != "") && node.Buffers() > most {
			most, scan = node.Buffers(), node
			above = slices.Clone(path[:depth])
			slices.Reverse(above)
		}
	}
	return scan, above
}

// indexOf is the index that a scan goes by, its own or that of the bitmap below.
func indexOf(scan *exam.Plan) string {
	for _, node := range scan.All() {
		if node.Index != "" {
			return node.Index
		}
	}
	return ""
}

// whyNoIndex says of the index that comes nearest to a question why PostgreSQL
// reads the whole table all the same.
func whyNoIndex(q question, scan *exam.Plan, all []index) string {
	if len(all) == 0 {
		return "There is no index that it could have used, only that of the primary key"
	}
	made := computed(scan.Filter, q.column)
	var reasons []string
	for _, ix := range all {
		if !strings.Contains(ix.def, q.column) {
			continue
		}
		first := strings.TrimSuffix(ix.keys[0], " desc")
		switch {
		case ix.where != "" && !strings.Contains(scan.Filter, strings.Trim(ix.where, "()")):
			reasons = append(reasons, fmt.Sprintf("the index %s holds only the rows with %s; from the conditions of this question PostgreSQL cannot conclude that it asks for no others", ix.name, ix.where))
		case first == q.column && made != "":
			reasons = append(reasons, fmt.Sprintf("the index %s is ordered by %s, and the condition compares %s: another value, which stands in no index", ix.name, q.column, made))
		case strings.Contains(scan.Filter, "~~*"):
			reasons = append(reasons, fmt.Sprintf("an ILIKE, without regard to capitals, is no range in the order of %s", ix.name))
		case strings.Contains(scan.Filter, "~~") && slices.Contains(q.fixed, first) && !ix.collated:
			reasons = append(reasons, fmt.Sprintf("the index %s is ordered by the rules of a language (the collation of the database), and among these the texts with one beginning need not be neighbours: PostgreSQL does not make a range of LIKE there", ix.name))
		case strings.Contains(scan.Filter, "~~") && slices.Contains(q.fixed, first):
			reasons = append(reasons, fmt.Sprintf("the index %s has the order of the characters, but the condition is in another collation, or its beginning is no plain text when the plan is made", ix.name))
		case !slices.Contains(q.fixed, first):
			reasons = append(reasons, fmt.Sprintf("the index %s is ordered by %s first, of which the condition names no single value, so its rows stand all over the index", ix.name, ix.keys[0]))
		default:
			reasons = append(reasons, fmt.Sprintf("the index %s would lead to the rows; with the conditions as they are, PostgreSQL does not take it", ix.name))
		}
	}
	if len(reasons) == 0 {
		return fmt.Sprintf("No index has anything of %s", q.column)
	}
	return upper(strings.Join(reasons, "; "))
}

// computed is what a condition makes of a column before it compares: "lower(email)",
// "(reported_at)::date". It is "" when it compares the column itself.
func computed(condition, column string) string {
	for _, form := range []string{`\w+\((?:'[^']*'(?:::\w+)?, )?` + column + `(?:, [^)]*)?\)`, `\(` + column + `\)::(?:date|text)`, `\(` + column + ` AT TIME ZONE [^)]*\)(?:\)::date)?`} {
		if found := regexp.MustCompile(form).FindString(condition); found != "" {
			return found
		}
	}
	return ""
}

// whyMuch says why a scan of an index looks at so many pages.
func whyMuch(q question, scan *exam.Plan, above []*exam.Plan, ix index) string {
	got, thrown := scan.Rows(), scan.RemovedRows()
	read := fmt.Sprintf("The index %s (%s) leads to %s", ix.name, ix.order(), plural(got+thrown, "row"))
	if thrown > got {
		saw := fmt.Sprintf("%s of the table, and %s of them are thrown away once they have been read, by the filter %s", read, thousands(thrown), scan.Filter)
		if made := computed(scan.Filter, "reported_at"); made != "" {
			saw += fmt.Sprintf(". It compares %s, which is computed of each row: the index has reported_at at most", made)
		}
		return saw
	}
	for _, node := range above {
		if len(node.SortKey) > 0 && node.Rows()*2 < got && !slices.ContainsFunc(above, aggregates) {
			saw := fmt.Sprintf("%s, which are read and sorted by %s to keep %d", read, plainly(node.SortKey), node.Rows())
			if len(node.Presorted) > 0 {
				saw += fmt.Sprintf(". The index agrees with that order as far as %s, and no further", plainly(node.Presorted))
			}
			return saw
		}
	}
	pages := scan.Buffers()
	first := strings.TrimSuffix(ix.keys[0], " desc")
	if wanted, before := late(q, ix); wanted != "" {
		return fmt.Sprintf("%s, for which %s of index and table are looked at. The question names one value of %s, and in the index that comes after %s, of which it names none: what it wants stands all over the index", read, plural(pages, "page"), wanted, before)
	}
	switch {
	case !slices.Contains(q.fixed, first):
		return fmt.Sprintf("%s, for which %s of index and table are looked at. The index is ordered by %s first, of which the question names no single value", read, plural(pages, "page"), ix.keys[0])
	case scan.Node != "Index Only Scan" && slices.ContainsFunc(above, aggregates):
		return fmt.Sprintf("%s, and each is read in the table, on %s. What the question wants to know of it is not in the index", read, plural(pages, "page"))
	case scan.Node == "Index Only Scan" && scan.HeapVisits > 0:
		return fmt.Sprintf("%s, and for %s of them the table has to be looked at", read, thousands(scan.HeapVisits))
	}
	return fmt.Sprintf("%s, for which %s of index and table are looked at", read, plural(pages, "page"))
}

// late is a key that a question wants to be equal to one value, and that stands in
// the index after others of which it does not.
func late(q question, ix index) (wanted, before string) {
	var others []string
	for _, key := range ix.keys {
		key = strings.TrimSuffix(key, " desc")
		switch fixed := slices.Contains(q.fixed, key); {
		case !fixed:
			others = append(others, key)
		case len(others) > 0:
			return key, strings.Join(others, " and ")
		}
	}
	return "", ""
}

func aggregates(node *exam.Plan) bool {
	return node.Node == "Aggregate" || node.Node == "Group" || node.Node == "WindowAgg"
}

// plainly are the keys of a sort without the table's name.
func plainly(keys []string) string {
	return strings.ReplaceAll(strings.Join(keys, ", "), "reports.", "")
}
