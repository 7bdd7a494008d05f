package exam

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// change is one request about a product, most often a PUT or a DELETE, to tell
// afterwards what went to Redis for it.
type change struct {
	product  *product
	method   string
	instance int       // that was asked
	from, to time.Time // to is zero until it is answered
	// Reads of the check that fall into it. What they send is not the change's.
	readsFrom, readsTo time.Time
}

func begin(p *product, method string, cl caller) *change {
	return &change{product: p, method: method, instance: cl.instance, from: time.Now()}
}

// told says what Redis was sent about the product for the change, and when.
func (ch *change) told() string {
	return ch.list(fmt.Sprintf("For the %s through instance %d", ch.method, ch.instance))
}

func (ch *change) list(lead string) string {
	lead += " Redis was sent"
	type entry struct{ name, text, when string }
	var entries []entry
	commit := ch.commit()
	for _, cmd := range ch.sent() {
		entries = append(entries, entry{cmd.Name, ch.short(cmd), ch.when(cmd, commit)})
	}
	if len(entries) == 0 {
		return lead + " nothing"
	}
	text := lead + ": "
	for len(entries) > 0 {
		e := entries[0]
		n := slices.IndexFunc(entries, func(o entry) bool { return o.name != e.name || o.when != e.when })
		if n < 0 {
			n = len(entries)
		}
		var texts []string
		for _, o := range entries[:n] {
			texts = append(texts, o.text)
		}
		slices.Sort(texts) // a program that goes through a map has no order
		text += strings.Join(slices.Compact(texts), ", ")
		entries = entries[n:]
		switch {
		case len(entries) == 0:
			text += e.when
		case entries[0].when == e.when:
			text += ", "
		default:
			text += e.when + "; "
		}
	}
	return text
}

// sent are the commands that went to Redis for the change. A drop counts also when
// it comes after the answer: no read sends one.
func (ch *change) sent() []wire.Command {
	return slices.DeleteFunc(work(ch.product.c), func(cmd wire.Command) bool {
		switch {
		case cmd.Listener != fmt.Sprintf("instance %d", ch.instance), cmd.Start.Before(ch.from):
			return true
		case !empties(cmd) && !slices.ContainsFunc(cmd.Args, ch.concerns):
			return true
		case !ch.readsFrom.IsZero() && cmd.Start.After(ch.readsFrom) && (ch.readsTo.IsZero() || cmd.Start.Before(ch.readsTo)):
			return true
		}
		return !ch.to.IsZero() && cmd.Start.After(ch.to) && !drops(cmd)
	})
}

func (ch *change) concerns(arg string) bool { return strings.Contains(arg, ch.product.sku) }

// short is a command with the names in it, and without what it stores.
func (ch *change) short(cmd wire.Command) string {
	text := cmd.Name
	for _, arg := range cmd.Args {
		if ch.concerns(arg) && len(arg) <= 80 && !strings.Contains(arg, "{") {
			text += " " + arg
		}
	}
	switch {
	case cmd.Err != "":
		code, _, _ := strings.Cut(cmd.Err, " ")
		text += " (" + code + ")"
	case drops(cmd) && cmd.Reply == "0":
		text += " (there was none)"
	}
	return text
}

// commit is the statement that ended the change's transaction, nil where none is
// known.
func (ch *change) commit() *wire.Statement {
	seen := slices.DeleteFunc(ch.product.c.Statements(), func(s wire.Statement) bool {
		return s.Listener != fmt.Sprintf("instance %d", ch.instance) || s.Start.Before(ch.from) || !ch.to.IsZero() && s.Start.After(ch.to)
	})
	wrote := slices.IndexFunc(seen, func(s wire.Statement) bool {
		return slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "MERGE", "WITH"}, s.Verb()) && slices.ContainsFunc(append(s.Params, s.SQL), ch.concerns)
	})
	if wrote < 0 {
		return nil
	}
	for i, s := range seen[wrote:] {
		if s.Session == seen[wrote].Session && (s.Verb() == "COMMIT" || s.Verb() == "END" || i == 0 && s.TxStatus == 'I') {
			return &s
		}
	}
	return nil
}

// when says at which moment of the change a command came.
func (ch *change) when(cmd wire.Command, commit *wire.Statement) string {
	switch {
	case !ch.to.IsZero() && (cmd.Pending || cmd.End().After(ch.to)):
		return ", which was not done yet when the change was answered"
	case commit == nil:
		return ""
	case cmd.Start.Before(commit.Start):
		return " before the COMMIT"
	case commit.Pending || cmd.Start.Before(commit.End()):
		return " during the COMMIT"
	case commit.Err != nil:
		return " after PostgreSQL had refused the COMMIT"
	}
	return " after the COMMIT"
}

// droppedEarly tells whether the product was dropped before the commit, and not
// again after it.
func (ch *change) droppedEarly() bool {
	commit, early := ch.commit(), false
	for _, cmd := range ch.sent() {
		if commit == nil || !drops(cmd) {
			continue
		}
		if !cmd.Start.Before(commit.Start) {
			return false
		}
		early = true
	}
	return early
}

// lastWrite returns when Redis was done with the last page that the change has left
// there, and false when it has left none.
func (ch *change) lastWrite() (at time.Time, ok bool) {
	for _, cmd := range ch.sent() {
		if slices.Contains(storing, cmd.Name) {
			at, ok = cmd.End(), true
		}
	}
	return at, ok
}

// storing are the commands that leave an entry.
var storing = []string{"SET", "SETEX", "PSETEX", "SETNX", "HSET", "HMSET", "MSET", "JSON.SET"}

func drops(cmd wire.Command) bool {
	return cmd.Name == "DEL" || cmd.Name == "UNLINK" || empties(cmd)
}

func empties(cmd wire.Command) bool { return cmd.Name == "FLUSHDB" || cmd.Name == "FLUSHALL" }

// caller is a client and the instance that it asks, counted from 1 as everywhere
// in the evidence.
type caller struct {
	*exam.Client
	instance int
}

// through makes a client of an instance, which is counted from 0.
func through(c *exam.C, name string, index int) caller {
	return caller{c.Client(name, exam.To(index)), index + 1}
}

func pair(c *exam.C) (a, b caller) { return through(c, "A", first), through(c, "B", second) }
