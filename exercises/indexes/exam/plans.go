package exam

import (
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// within asks a question and counts the pages that it took.
func within(c *exam.C, q question) {
	for _, a := range q.asks(c) {
		sql := q.sql(a)
		plan, refused := c.DB().Explain(sql)
		if refused == nil && plan.Buffers() > budget && plan.Buffers() < 2*budget {
			plan, refused = c.DB().Explain(sql) // now without what PostgreSQL looks up once
		}
		if refused != nil {
			c.Fail(exam.Finding{Did: "ran: " + sql, Expected: "an answer", Saw: "PostgreSQL refused it: " + refused.String()})
		}
		if plan.Buffers() <= budget {
			continue
		}
		all := indexes(c)
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("ran: %s, which is about %s", sql, a.what),
			Expected: fmt.Sprintf("at most %d buffers", budget),
			Saw:      fmt.Sprintf("%s buffers. %s", thousands(plan.Buffers()), cause(q, plan, all)),
			Detail:   "The plan:\n" + drawn(plan) + shown(all),
		})
	}
}

// drawn is a plan as a text, a line for each node and for what it goes by.
func drawn(plan *exam.Plan) string {
	var b strings.Builder
	for depth, node := range plan.All() {
		indent := strings.Repeat("  ", depth+2)
		fmt.Fprintf(&b, "%s%s: %s, %s\n", indent, called(node), plural(node.Rows(), "row"), plural(node.Buffers(), "buffer"))
		for _, line := range [][2]string{
			{"index condition", node.IndexCond}, {"filter", node.Filter}, {"thrown away", plural(node.RemovedRows(), "row")},
			{"sorted by", strings.Join(node.SortKey, ", ")}, {"so far sorted by", strings.Join(node.Presorted, ", ")},
		} {
			if line[1] != "" && (line[0] != "thrown away" || node.RemovedRows() > 0) {
				fmt.Fprintf(&b, "%s    %s: %s\n", indent, line[0], line[1])
			}
		}
	}
	return b.String()
}

// called is a node's name with what it reads.
func called(node *exam.Plan) string {
	name := node.Node
	if node.Direction == "Backward" {
		name += " Backward"
	}
	switch {
	case node.Function != "":
		return name + " on " + node.Function
	case node.Index != "" && node.Relation != "":
		return name + " using " + node.Index + " on " + node.Relation
	case node.Index != "":
		return name + " on " + node.Index
	case node.Relation != "":
		return name + " on " + node.Relation
	}
	return name
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}
