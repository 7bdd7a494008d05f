package exam

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/wire"
)

// intoOrders is the statement that makes an order.
var intoOrders = regexp.MustCompile(`(?i)\binsert\s+into\s+(public\.)?"?orders\b`)

// becauseTwice says why a retry made a second order, as far as the wire tells.
// first are the statements from before the retry.
func (a attempt) becauseTwice(first []wire.Statement) string {
	at := slices.IndexFunc(first, func(s wire.Statement) bool {
		return intoOrders.MatchString(s.SQL) && a.mentions(s, a.item)
	})
	const unknown = "The first order had been committed. What stood under its key by then did not keep the retry from making another"
	if at < 0 || !slices.ContainsFunc(first, a.names) {
		return unknown
	}
	order := first[at]
	if a.names(order) {
		return unknown
	}
	if !inTransaction(first[:at], order.Session) {
		return a.outside(first, order)
	}
	alone, after := around(first, order)
	if alone {
		return "The transaction that wrote the order wrote nothing else: what a retry could find under the key was to follow after the COMMIT, and never did"
	}
	for _, s := range after {
		if a.names(s) && s.Err == nil && s.Rows > 0 && (s.Verb() == "DELETE" || s.Verb() == "UPDATE") {
			return "After the COMMIT, and before the retry, your program sent: " + oneLine(s.SQL) + ". It gave the key up, though the order was there"
		}
	}
	return unknown
}

// around tells whether the order is all that its transaction wrote, and returns
// what was sent after that.
func around(first []wire.Statement, order wire.Statement) (alone bool, after []wire.Statement) {
	alone = true
	for i, s := range first {
		switch {
		case s.Session != order.Session || s.Seq == order.Seq:
		case s.Seq < order.Seq && s.TxStatus == 'I':
			alone = true // an earlier transaction has ended
		case s.Verb() == "COMMIT", s.Verb() == "END":
			return alone, first[i+1:]
		case writes(s):
			alone = false
		}
	}
	return alone, nil
}

// outside is about an order whose INSERT is a transaction of its own.
func (a attempt) outside(first []wire.Statement, order wire.Statement) string {
	for i, s := range first {
		if s.Session == order.Session || !a.names(s) || s.Seq > order.Seq {
			continue
		}
		if s.TxStatus == 'T' || inTransaction(first[:i], s.Session) {
			return "The INSERT into orders ran on another connection than the statement with the key, and there in no transaction: PostgreSQL finished it without your program. The transaction with the key was rolled back"
		}
	}
	return "The INSERT into orders ran in no transaction: PostgreSQL finished it without your program, and what was to stand under the key did not come with it"
}

// inTransaction tells whether a session was in a transaction after what it had
// sent until now.
func inTransaction(before []wire.Statement, session int) bool {
	for _, s := range slices.Backward(before) {
		switch {
		case s.Session != session:
			continue
		case s.TxStatus != 0:
			return s.TxStatus != 'I'
		case s.Verb() == "BEGIN", s.Verb() == "START":
			return true
		}
	}
	return false
}

// writes tells whether a statement changes rows, or may.
func writes(s wire.Statement) bool {
	return slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY", "CALL", "DO"}, s.Verb())
}

// names tells whether a statement speaks of the attempt's key.
func (a attempt) names(s wire.Statement) bool { return a.mentions(s, a.key) }

func (a attempt) mentions(s wire.Statement, text string) bool {
	return slices.ContainsFunc(s.Params, func(p string) bool { return strings.Contains(p, text) }) || strings.Contains(s.SQL, text)
}
