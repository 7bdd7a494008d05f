package exam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// sameIssues fails unless the page shows these issues, in this order.
func (p *project) sameIssues(r *exam.Response, shown []map[string]any, want []*issue) {
	got, ids := make([]string, len(shown)), make([]string, len(want))
	for i, one := range shown {
		got[i] = brief(one["id"])
	}
	for i, it := range want {
		ids[i] = fmt.Sprint(it.id)
	}
	if slices.Equal(got, ids) {
		return
	}
	f := p.finding(r, fmt.Sprintf("%d issues, newest first: %s", len(ids), list(ids)),
		fmt.Sprintf("%d issues: %s", len(got), list(got)))
	var missing, present []*issue
	for _, it := range want {
		if slices.Contains(got, fmt.Sprint(it.id)) {
			present = append(present, it)
		} else {
			missing = append(missing, it)
		}
	}
	switch repeated := firstRepeated(got); {
	case repeated != "":
		f.Saw += fmt.Sprintf(". Issue %s stands there more than once: a join makes a row for each pair, and each row was taken for an issue", repeated)
		f.Read = lesson + "two-lists-side-by-side"
	case len(missing) > 0:
		f = p.missingBecause(f, missing, present, len(want))
	case len(got) > len(ids):
		f.Saw += ". Those that are too many are of another project, in another state, or beyond the limit"
	default:
		f = p.orderBecause(f, r, got, ids)
	}
	p.c.Fail(f)
}

func list(ids []string) string {
	if len(ids) == 0 {
		return "[]"
	}
	if len(ids) > 8 {
		return strings.Join(ids[:8], " ") + " …"
	}
	return strings.Join(ids, " ")
}

func firstRepeated(ids []string) string {
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			return id
		}
		seen[id] = true
	}
	return ""
}

// missingBecause says what those issues have in common that are not shown.
func (p *project) missingBecause(f exam.Finding, missing, present []*issue, limit int) exam.Finding {
	for _, kind := range []struct {
		what  string
		lacks func(*issue) bool
	}{
		{"labels", func(it *issue) bool { return len(it.labels) == 0 }},
		{"comments", func(it *issue) bool { return len(it.comments) == 0 }},
		{"an assignee", func(it *issue) bool { return it.assignee == nil }},
	} {
		lacking := func(all []*issue) int {
			return len(slices.DeleteFunc(slices.Clone(all), func(it *issue) bool { return !kind.lacks(it) }))
		}
		if lacking(missing) == len(missing) && lacking(present) == 0 && p.shape.lacking != "" {
			f.Saw += fmt.Sprintf(". Missing are exactly the issues without %s: an inner join leaves out what has no partner", kind.what)
			f.Read = lesson + "the-parents-that-a-join-drops"
			return f
		}
	}
	for _, s := range counted(p.c.Statements()) {
		if s.Rows == limit && strings.Contains(strings.ToLower(s.SQL), "limit") && len(present) < limit {
			f.Saw += fmt.Sprintf(". One statement brought exactly %d rows, and these were of %d issues: its LIMIT counted the rows of a join", s.Rows, len(present))
			f.Read = lesson + "a-limit-counts-rows"
			return f
		}
	}
	return f
}

// orderBecause says in which order the right issues stand.
func (p *project) orderBecause(f exam.Finding, r *exam.Response, got, want []string) exam.Finding {
	for range 3 {
		again := p.c.Get(r.Path)
		body := again.Object()
		issues, _ := body["issues"].([]any)
		var ids []string
		for _, v := range issues {
			one, _ := v.(map[string]any)
			ids = append(ids, brief(one["id"]))
		}
		if !slices.Equal(ids, got) {
			f.Saw += ". The same request again gave yet another order. Go walks through a map in an order that is different each time"
			f.Read = lesson + "put-them-together"
			return f
		}
	}
	byID := slices.Clone(want)
	slices.SortFunc(byID, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	rising := slices.Equal(got, byID)
	slices.Reverse(byID)
	switch {
	case rising || slices.Equal(got, byID):
		f.Saw += ": in the order of their ids, which says nothing about age here"
	case p.moments(got) == p.moments(want):
		f.Saw += ": by age, but those of the same moment in another order"
	default:
		f.Saw += ": the right ones, in another order"
	}
	return f
}

// moments is when the issues with these ids were made, one after the other.
func (p *project) moments(ids []string) string {
	var b strings.Builder
	for _, id := range ids {
		for _, it := range p.issues {
			if fmt.Sprint(it.id) == id {
				fmt.Fprintln(&b, it.created.Unix())
			}
		}
	}
	return b.String()
}
