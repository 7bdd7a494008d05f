package exam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/wire"
)

func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }

// ran is a statement with its parameters.
func ran(st wire.Statement) string {
	const most = 230
	sql := oneLine(st.SQL)
	if len(sql) > most {
		sql = strings.ToValidUTF8(sql[:most], "") + " …"
	}
	if len(st.Params) > 0 {
		params := make([]string, len(st.Params))
		for i, p := range st.Params {
			params[i] = fmt.Sprintf("$%d = %s", i+1, p)
		}
		sql += ", with " + strings.Join(params, ", ")
	}
	return sql
}

// concerns tells whether a statement is about the tables of claims, and not about
// who is asking.
func concerns(st wire.Statement) bool {
	sql := strings.ToLower(st.SQL)
	return st.Err == nil && !strings.Contains(sql, "tokens") && (strings.Contains(sql, "claims") || strings.Contains(sql, "notes"))
}

// unasked shows the statement that let a request through, and whether the caller
// was in any of them.
func unasked(o outcome) string {
	about := slices.DeleteFunc(slices.Clone(o.seen), func(st wire.Statement) bool { return !concerns(st) })
	if len(about) == 0 {
		return ""
	}
	id := fmt.Sprint(o.at.caller.id)
	last := about[len(about)-1]
	for _, st := range about {
		if slices.Contains(st.Params, id) && !strings.HasPrefix(strings.ToLower(oneLine(st.SQL)), "insert") {
			return ". This was run: " + ran(last)
		}
	}
	if o.route.reads() {
		last = about[0]
	}
	return fmt.Sprintf(". No statement has asked anything about %s: %s", o.at.caller.name, ran(last))
}

// lastWrite is the statement that changed something.
func lastWrite(seen []wire.Statement) string {
	for _, st := range slices.Backward(seen) {
		switch st.Verb() {
		case "UPDATE", "DELETE", "INSERT":
			return ran(st)
		}
	}
	return "it is not among the statements of this request"
}
