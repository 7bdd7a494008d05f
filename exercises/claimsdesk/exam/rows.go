package exam

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// rows are the rows that have to do with the check's people, each under its name:
// "claim 17".
type rows map[string]map[string]any

// rows reads them.
func (d *company) rows() rows {
	found := rows{}
	for _, row := range d.c.DB().Rows(`
		select 'user ' || id as name, to_jsonb(u)::text as row from users u where id = any($1)
		union all
		select 'token of user ' || user_id || ', ' || encode(hash, 'hex'), to_jsonb(t)::text from tokens t where user_id = any($1)
		union all
		select 'claim ' || id, to_jsonb(c)::text from claims c where owner = any($1)
		union all
		select 'note ' || id, to_jsonb(n)::text from notes n
		where author = any($1) or claim in (select id from claims where owner = any($1))`, d.ids()) {
		var columns map[string]any
		if json.Unmarshal([]byte(row["row"].(string)), &columns) == nil {
			found[row["name"].(string)] = columns
		}
	}
	return found
}

// before is what the rows are, as last seen.
func (d *company) before() rows {
	if d.now == nil {
		d.now = d.rows()
	}
	return d.now
}

// changes says what has become of the rows, "" for nothing.
func (d *company) changes(before rows) string {
	after := d.rows()
	d.now = after
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		now, there := after[name]
		if !there {
			parts = append(parts, short(name)+" is gone")
			continue
		}
		for _, column := range slices.Sorted(maps.Keys(before[name])) {
			if was := before[name][column]; fmt.Sprint(was) != fmt.Sprint(now[column]) {
				parts = append(parts, d.change(name, column, was, now[column]))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, there := before[name]; !there {
			parts = append(parts, d.arrival(name, after[name]))
		}
	}
	return strings.Join(parts, ", ")
}

func short(name string) string {
	name, _, _ = strings.Cut(name, ", ")
	return name
}

// change is one column's, in words.
func (d *company) change(row, column string, was, now any) string {
	switch {
	case column == "owner" || column == "author":
		return fmt.Sprintf("%s has %s for its %s, which was %s", short(row), d.named(number(now)), column, d.named(number(was)))
	case column == "role" && now == "admin":
		return fmt.Sprintf("%s is an admin now", d.named(strings.TrimPrefix(row, "user ")))
	}
	return fmt.Sprintf("%s of %s was %s and is %s", column, short(row), quoted(was), quoted(now))
}

// arrival is a new row, with what would make one look twice.
func (d *company) arrival(name string, row map[string]any) string {
	text := name + " is new"
	for _, column := range []string{"owner", "author"} {
		if id, has := row[column]; has {
			text += fmt.Sprintf(", with %s for its %s", d.named(number(id)), column)
		}
	}
	if status, has := row["status"]; has && status != "open" {
		text += fmt.Sprintf(", and has the status %v", status)
	}
	if payout, has := row["payout"]; has && number(payout) != 0 {
		text += fmt.Sprintf(", and a payout of %d", number(payout))
	}
	if remark, has := row["remark"]; has && remark != "" {
		text += fmt.Sprintf(", and the remark %q", remark)
	}
	return text
}

func number(v any) int64 {
	n, _ := v.(float64)
	return int64(n)
}

func quoted(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case float64:
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprint(v)
}
