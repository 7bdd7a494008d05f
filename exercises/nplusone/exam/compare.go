package exam

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// wants fails unless the answer shows exactly these issues, as they are.
func (p *project) wants(r *exam.Response, want []*issue) {
	r.Want(http.StatusOK).WantType("application/json")
	body := r.Object()
	list, ok := body["issues"].([]any)
	if !ok {
		f := p.finding(r, `an object whose "issues" is an array, [] where there are none`, r.String())
		if value, there := body["issues"]; there && value == nil {
			f.Saw = `"issues" is null. Go writes a nil slice as null; a slice that is there and empty is []`
		}
		p.c.Fail(f)
	}
	got := make([]map[string]any, len(list))
	for i, v := range list {
		if got[i], ok = v.(map[string]any); !ok {
			f := p.finding(r, "each element of issues is an object", brief(body))
			if v == nil && len(want) == 0 {
				f.Saw += ". A left join keeps a project without issues as one row in which all of the issue is NULL, and that was taken for an issue"
				f.Read = lesson + "the-parents-that-a-join-drops"
			}
			p.c.Fail(f)
		}
	}
	p.sameIssues(r, got, want)
	total := 0
	for _, one := range got {
		latest, _ := one["latest"].([]any)
		total += len(latest)
	}
	for i, it := range want {
		p.sameIssue(r, got[i], it, total)
	}
}

// finding begins a finding about one answer.
func (p *project) finding(r *exam.Response, expected, saw string) exam.Finding {
	f := exam.Finding{Did: r.Did(), Expected: expected, Saw: saw}
	if p.did != "" {
		f.Did = p.did
	}
	if p.changed != "" {
		f.Did += ", after " + p.changed
		f.Saw += ". The page was right before the change, and is not after it: something of it was kept"
	}
	return f
}

// sameIssue compares what the page shows of one issue. Total is how many comments
// it shows in all.
func (p *project) sameIssue(r *exam.Response, got map[string]any, it *issue, total int) {
	p.field(r, it, `"title"`, got["title"], it.title)
	p.field(r, it, `"state"`, got["state"], it.state)
	p.field(r, it, `"author"`, got["author"], it.author.shown())
	p.field(r, it, `"assignee"`, got["assignee"], it.assignee.shown())
	p.sameLabels(r, got["labels"], it)
	p.sameCount(r, got["comments"], it)
	p.sameLatest(r, got["latest"], it, total)
}

func (a *person) shown() any {
	if a == nil {
		return nil
	}
	return map[string]any{"id": json.Number(fmt.Sprint(a.id)), "name": a.name}
}

func (p *project) field(r *exam.Response, it *issue, name string, got, want any) {
	if m, ok := want.(map[string]any); ok {
		// More fields may stand beside those that are promised.
		if g, ok := got.(map[string]any); ok && brief(g["id"]) == brief(m["id"]) && brief(g["name"]) == brief(m["name"]) {
			return
		}
	} else if brief(got) == brief(want) {
		return
	}
	p.c.Fail(p.finding(r, fmt.Sprintf("%s of issue %d is %s", name, it.id, brief(want)), brief(got)))
}

// brief is a value as JSON, shortened.
func brief(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(text) > 120 {
		return strings.ToValidUTF8(string(text[:117]), "") + "…"
	}
	return string(text)
}

func (p *project) sameLabels(r *exam.Response, got any, it *issue) {
	want := make([]any, len(it.labels))
	for i, name := range it.labels {
		want[i] = name
	}
	list, ok := got.([]any)
	if ok && slices.Equal(list, want) {
		return
	}
	f := p.finding(r, fmt.Sprintf(`"labels" of issue %d is %s`, it.id, brief(want)), brief(got))
	switch {
	case got == nil:
		f.Saw = "null. Go writes a nil slice as null; a slice that is there and empty is []"
		f.Read = lesson + "the-parents-that-a-join-drops"
	case len(want) == 0 && len(list) == 1 && (list[0] == nil || list[0] == ""):
		f.Saw = brief(got) + ". A left join keeps an issue without labels as one row in which the label is NULL, and that was taken for a label"
		f.Read = lesson + "the-parents-that-a-join-drops"
	case len(list) > len(want) && len(want) > 0 && len(list)%len(want) == 0:
		f.Saw += ". Each stands there several times: a second list was joined, and the same label came once for each row of it"
		f.Read = lesson + "two-lists-side-by-side"
	case len(list) == len(want) && sameSet(list, want):
		f.Saw += ". These are the right ones, in another order"
	}
	p.c.Fail(f)
}

// several is a number of things in words: "1 label", "2 labels".
func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func sameSet(a, b []any) bool {
	for _, v := range a {
		if !slices.Contains(b, v) {
			return false
		}
	}
	return true
}

func (p *project) sameCount(r *exam.Response, got any, it *issue) {
	want := len(it.comments)
	if brief(got) == fmt.Sprint(want) {
		return
	}
	f := p.finding(r, fmt.Sprintf(`"comments" of issue %d, which has %s, is %d`, it.id, several(len(it.labels), "label"), want), brief(got))
	switch {
	case want == 0 && brief(got) == "1":
		f.Saw += ". A left join keeps an issue without comments as one row, and count(*) counts rows, whatever is in them"
		f.Read = lesson + "the-parents-that-a-join-drops"
	case want > 0 && len(it.labels) > 1 && brief(got) == fmt.Sprint(want*len(it.labels)):
		f.Saw += fmt.Sprintf(", which is %d times %d: labels were joined too, and each comment was counted once for each label", len(it.labels), want)
		f.Read = lesson + "two-lists-side-by-side"
	case want > 3 && brief(got) == "3":
		f.Saw += ": that is how many comments the page shows, not how many there are"
	}
	p.c.Fail(f)
}

func (p *project) sameLatest(r *exam.Response, got any, it *issue, total int) {
	want := it.latest()
	list, ok := got.([]any)
	gotIDs, wantIDs := make([]string, len(list)), make([]string, len(want))
	for i, v := range list {
		one, _ := v.(map[string]any)
		gotIDs[i] = brief(one["id"])
	}
	for i, one := range want {
		wantIDs[i] = fmt.Sprint(one.id)
	}
	if ok && slices.Equal(gotIDs, wantIDs) {
		for i, one := range want {
			shown := list[i].(map[string]any)
			p.field(r, it, fmt.Sprintf(`"body" of comment %d`, one.id), shown["body"], one.body)
			p.field(r, it, fmt.Sprintf(`"author" of comment %d`, one.id), shown["author"], one.author.shown())
		}
		return
	}
	f := p.finding(r, fmt.Sprintf(`"latest" of issue %d, which has %s, are [%s]`, it.id, several(len(it.comments), "comment"), strings.Join(wantIDs, " ")),
		fmt.Sprintf("[%s]", strings.Join(gotIDs, " ")))
	if got == nil {
		f.Saw = "null. Go writes a nil slice as null; a slice that is there and empty is []"
	}
	p.c.Fail(p.latestBecause(f, it, gotIDs, wantIDs, total))
}

// latestBecause says why other comments are shown than the three latest.
func (p *project) latestBecause(f exam.Finding, it *issue, got, want []string, total int) exam.Finding {
	sorted := slices.Clone(got)
	slices.Sort(sorted)
	wanted := slices.Clone(want)
	slices.Sort(wanted)
	byID := slices.Clone(it.comments)
	slices.SortFunc(byID, func(a, b *comment) int { return int(b.id - a.id) })
	var highest []string
	for _, one := range byID[:min(3, len(byID))] {
		highest = append(highest, fmt.Sprint(one.id))
	}
	slices.Sort(highest)
	switch {
	case len(got) < len(want) && total == 3:
		f.Saw += ". The whole page shows three comments: the LIMIT of a statement counts for all of its rows, and not for each issue anew"
		f.Read = lesson + "a-limit-counts-rows"
	case len(got) > 3:
		f.Saw += fmt.Sprintf(": %d of them", len(got))
	case len(got) > 1 && sorted[0] == sorted[len(sorted)-1]:
		f.Saw += ". The same comment stands there several times: a second list was joined, and it came once for each row of that"
		f.Read = lesson + "two-lists-side-by-side"
	case slices.Equal(sorted, highest) && !slices.Equal(sorted, wanted):
		f.Saw += ": those with the highest ids. Ids say nothing about age here"
	case slices.Equal(sorted, wanted):
		f.Saw += ": the right ones, in another order"
	}
	return f
}
