package wire

import "strings"

// table is the name of a table, its schema optional.
type table struct{ schema, name string }

// parseTable reads a name as SQL writes it: accounts, public.accounts,
// "Accounts".
func parseTable(s string) table {
	t := tokens{sql: s}
	return readTable(&t, t.next())
}

// readTable reads a qualified name of which the first part is given.
func readTable(t *tokens, first token) table {
	name := table{name: first.text}
	for {
		at := t.pos
		if !t.next().symbol(".") {
			t.pos = at
			return name
		}
		name = table{schema: name.name, name: t.next().text}
	}
}

func (t table) matches(other table) bool {
	return t.name == other.name && (t.schema == "" || other.schema == "" || t.schema == other.schema)
}

// query is what the barrier needs to know about a statement.
type query struct {
	selects bool // it is a SELECT (or TABLE) that changes nothing
	tables  bool // it reads tables
	reads   bool // it reads the wanted one
	locks   bool // it asks for row locks, or calls something with lock in its name
	changes bool // it has a WITH that changes data
}

// classify looks at a statement with a table in mind. All but selects is only
// told of a SELECT.
func classify(sql string, wanted table) query {
	c := classifier{tokens: tokens{sql: sql}, wanted: wanted, from: []bool{false}}
	for k := c.next(); k.kind != 0; k = c.next() {
		if !c.selects && !c.opens(k) {
			return query{}
		}
		c.see(k)
		c.before = k
	}
	if c.changes {
		return query{}
	}
	return c.query
}

type classifier struct {
	query
	tokens
	wanted table
	before token
	from   []bool // for each depth of parentheses: inside a FROM list
	expect bool   // the next name is that of a table
}

// opens reports whether a statement that begins with this token can be a SELECT.
func (c *classifier) opens(k token) bool {
	c.selects = k.is("select", "with", "values", "table")
	c.expect = k.is("table")
	return c.selects || k.symbol("(")
}

func (c *classifier) see(k token) {
	in := &c.from[len(c.from)-1]
	switch {
	case k.symbol("("):
		// After FROM, a parenthesis opens a subquery or a join: a table may follow.
		c.from = append(c.from, c.expect)
	case k.symbol(")"):
		if len(c.from) > 1 {
			c.from = c.from[:len(c.from)-1]
		}
		c.expect = false
	case k.symbol(","):
		c.expect = *in
	case k.is("from", "join"):
		*in, c.expect = true, true
	case k.is("select"):
		*in, c.expect = false, false
	case c.expect && k.is("only", "lateral"):
	case c.expect && k.name() && !k.is("table"):
		c.relation(k)
	case k.is("where", "group", "order", "having", "limit", "offset", "fetch", "window", "union", "except", "intersect"):
		*in = false
	case k.is("insert", "update", "delete", "merge") && (c.before.symbol("(") || c.before.symbol(")")):
		c.changes = true
	case k.is("for"):
		*in = false
	case k.is("update", "share") && c.before.is("for", "key"):
		c.locks = true
	case k.kind == tokenWord && strings.Contains(k.text, "lock"):
		c.locks = true
	}
}

// relation reads the name of what is selected from: a table, or a function.
func (c *classifier) relation(first token) {
	c.expect = false
	name := readTable(&c.tokens, first)
	at := c.pos
	isFunction := c.next().symbol("(")
	c.pos = at
	if isFunction {
		c.locks = c.locks || strings.Contains(name.name, "lock")
		return
	}
	c.tables = true
	c.reads = c.reads || name.matches(c.wanted)
}

// mayWait reports whether a statement can have to wait for another transaction's
// lock. Beginning a transaction never does, nor does a plain SELECT from tables,
// which reads a snapshot: one that takes long is only slow.
func mayWait(sql string) bool {
	switch verb(sql) {
	case "", "BEGIN", "START", "SET", "SHOW", "ROLLBACK":
		return false
	}
	q := classify(sql, table{})
	return !q.tables || q.locks
}
