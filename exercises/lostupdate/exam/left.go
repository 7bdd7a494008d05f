package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const whyLeft = "A lock that outlives its request stops everybody who comes after it, and a pool runs out of connections one forgotten transaction at a time."

func leaveNothing(c *exam.C) {
	left := look(c)
	for _, client := range bothInstances(c) {
		acc := newAccount(c, money(c))
		acc.withdraw(client, some(c)).Want(http.StatusOK)
		left.settled("one withdrawal, answered with 200")
		acc.withdraw(client, acc.start+1).Want(http.StatusConflict)
		left.settled("one withdrawal of more than the account held, answered with 409")
		client.Post(fmt.Sprintf("/accounts/%d/withdraw", acc.id+1_000_000), amountBody(1)).Want(http.StatusNotFound)
		left.settled("one withdrawal from an account that does not exist, answered with 404")
	}
	nothingOpen(c, "the withdrawals and refusals of all checks so far")
}

// leavings are the sessions of the program that run nothing and yet hold
// something: a transaction or an advisory lock.
type leavings struct {
	c     *exam.C
	known map[string]bool
}

// look remembers what is left already, so that settled can tell whose fault a
// new one is.
func look(c *exam.C) *leavings {
	l := &leavings{c: c, known: map[string]bool{}}
	for _, s := range l.open() {
		l.known[s.key()] = true
	}
	return l
}

type sleeper struct {
	pid, locks  int64
	state, last string
}

func (s sleeper) key() string { return fmt.Sprint(s.pid, s.state, s.locks) }

// open lists the sleepers that are not known yet.
func (l *leavings) open() []sleeper {
	var all []sleeper
	for _, row := range l.c.DB().Rows(`
		select * from (
			select a.pid::bigint as pid, a.state, a.query,
			       (select count(*) from pg_locks l
			        where l.pid = a.pid and l.granted and l.locktype = 'advisory') as locks
			from pg_stat_activity a
			where a.datname = current_database() and a.usename <> current_user
		) s
		where s.state like 'idle in transaction%' or s.state = 'idle' and s.locks > 0
		order by s.pid`) {
		s := sleeper{state: fmt.Sprint(row["state"]), last: oneLine(fmt.Sprint(row["query"]))}
		s.pid, _ = row["pid"].(int64)
		s.locks, _ = row["locks"].(int64)
		if !l.known[s.key()] {
			all = append(all, s)
		}
	}
	return all
}

// nothingOpen fails unless nothing at all is held a second later.
func nothingOpen(c *exam.C, did string) {
	l := &leavings{c: c}
	l.settled(did)
}

// settled fails unless nothing new is held a second later. A rollback may come a
// moment after the answer.
func (l *leavings) settled(did string) {
	var rest []sleeper
	if eventually(l.c, time.Second, func() bool { rest = l.open(); return len(rest) == 0 }) {
		return
	}
	f := exam.Finding{
		Did:      did,
		Expected: "no transaction is open and no lock held once the answer is out",
		Saw:      fmt.Sprintf("a second later a session of yours was still %q; its last statement was: %s", rest[0].state, rest[0].last),
		Why:      whyLeft,
		Read:     lesson + "what-a-request-leaves-behind",
	}
	if !strings.HasPrefix(rest[0].state, "idle in") {
		f.Saw = "a second later an idle session of yours still held an advisory lock"
		if sql := taken(l.c); sql != "" {
			f.Saw += ", taken by: " + sql
		}
	}
	l.c.Fail(f)
}

// taken is the statement that took the last advisory lock.
func taken(c *exam.C) string {
	sql := ""
	for _, s := range c.Statements() {
		if advisory.MatchString(s.SQL) && !unlock.MatchString(s.SQL) {
			sql = oneLine(s.SQL)
		}
	}
	return sql
}
