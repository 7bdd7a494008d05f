package exam

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

var (
	accounts    = regexp.MustCompile(`(?is)\baccounts\b`)
	rowLock     = regexp.MustCompile(`(?is)\bfor\s+(no\s+key\s+update|update|share|key\s+share)\b`)
	skipLocked  = regexp.MustCompile(`(?is)\bskip\s+locked\b`)
	noWait      = regexp.MustCompile(`(?is)\bnowait\b`)
	advisory    = regexp.MustCompile(`(?is)advisory`)
	unlock      = regexp.MustCompile(`(?is)advisory_unlock`)
	tableLock   = regexp.MustCompile(`(?is)^\s*lock\s+(table\s+)?`)
	placeholder = regexp.MustCompile(`\$(\d+)`)
	assignment  = regexp.MustCompile(`(?is)\bset\s+(.*?)\s+(where|returning)\b`)
	selected    = regexp.MustCompile(`(?is)^\s*select\s+(.*?)\s+from\b`)
)

func isRead(s wire.Statement) bool {
	return s.Verb() == "SELECT" && accounts.MatchString(s.SQL) && !advisory.MatchString(s.SQL)
}

func isWrite(s wire.Statement) bool { return s.Verb() == "UPDATE" && accounts.MatchString(s.SQL) }

// emptyUpdate reports whether an UPDATE of accounts found no row to change.
func emptyUpdate(seen []wire.Statement) bool {
	for _, s := range seen {
		if isWrite(s) && s.Tag == "UPDATE 0" {
			return true
		}
	}
	return false
}

// unanswered is the SQL that PostgreSQL was still busy with.
func unanswered(seen []wire.Statement) string {
	for _, s := range seen {
		if s.Pending || s.Lost {
			return oneLine(s.SQL)
		}
	}
	return ""
}

func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }

// cause is what the wire tells about a lost update.
type cause struct {
	text, read string
	plain      bool // reading and writing, and nothing that was meant to keep others out
}

func (k cause) add(f exam.Finding) exam.Finding {
	f.Saw += ". " + k.text
	f.Read = lesson + k.read
	return f
}

// readWire finds the reason why a withdrawal disappeared in what was run.
func readWire(seen []wire.Statement) cause {
	var inTx, locked, lockedAlone, number, numberAlone bool
	for _, s := range seen {
		alone := s.TxStatus == 'I'
		switch {
		case unlock.MatchString(s.SQL):
		case advisory.MatchString(s.SQL):
			number, numberAlone = true, numberAlone || alone && strings.Contains(strings.ToLower(s.SQL), "xact")
		case isRead(s) && rowLock.MatchString(s.SQL):
			locked, lockedAlone = true, lockedAlone || alone
		case isRead(s):
			inTx = inTx || s.TxStatus == 'T'
		}
	}
	both := "Both sessions read the same balance before either wrote"
	switch {
	case emptyUpdate(seen):
		return cause{text: "One UPDATE changed no row (UPDATE 0), because the other had been there first, and the answer was 200 all the same", read: "keep-a-version"}
	case lockedAlone:
		return cause{text: both + ". The SELECT did take a lock, but it ran outside a transaction: it was a transaction of its own, and its lock ended with it", read: "lock-the-row-before-you-read"}
	case numberAlone:
		return cause{text: both + ". The advisory lock was taken outside a transaction: the statement was a transaction of its own, and the lock ended with it", read: "lock-a-number"}
	case number:
		return cause{text: both + ". An advisory lock was taken, but it did not keep them apart: the keys differ, or it was given up before the commit", read: "lock-a-number"}
	case locked:
		return cause{text: both + ". The SELECT took a lock that both could have at once, or the balance came from another SELECT", read: "lock-the-row-before-you-read"}
	case inTx:
		return cause{text: both + ", each in a transaction of its own. READ COMMITTED, the default, lets that happen: a SELECT locks nothing, and the second UPDATE waits for the first and then puts its own number over it", read: "a-transaction-alone-does-not-help", plain: true}
	}
	return cause{text: both + ", and each wrote what it had computed from that: the second write replaced the first", read: "two-readers-one-writer", plain: true}
}

// refusedBecause says why an answer was not the one that was due, as far as
// PostgreSQL's errors on the wire tell.
func refusedBecause(f exam.Finding, r *exam.Response, seen []wire.Statement) exam.Finding {
	if r.Status == http.StatusNotFound {
		for _, s := range seen {
			if skipLocked.MatchString(s.SQL) {
				f.Saw += ". SKIP LOCKED leaves out a row that somebody else has locked, so that an account in use looked like one that does not exist"
				f.Read = lesson + "lock-the-row-before-you-read"
				return f
			}
		}
	}
	err, sql := worstError(seen)
	if err == nil {
		return f
	}
	switch err.Code {
	case "40001":
		f.Saw += ". PostgreSQL had refused one of the transactions (40001, serialization failure), and your code passed that on to the caller. The code means: nothing has changed, run the transaction again"
		f.Read = lesson + "let-postgresql-notice"
	case "25P02":
		f.Saw += ". After a first error, your code ran more statements in the same transaction (25P02, " + err.Message + "). A transaction that has failed can only be rolled back; another try needs another transaction"
		f.Read = lesson + "let-postgresql-notice"
	case "40P01":
		f.Saw += ". Two transactions each waited for a lock of the other, until PostgreSQL ended one (40P01, " + err.Message + ") at: " + sql
		f.Read = lesson + "lock-the-row-before-you-read"
	case "55P03":
		f.Saw += ". PostgreSQL had given up waiting for the lock (55P03, " + err.Message + ")"
		if noWait.MatchString(sql) {
			f.Saw += " at once, because of NOWAIT: the other withdrawal would have been done a few milliseconds later"
		}
		f.Read = lesson + "waiting-must-end"
	default:
		f.Saw += fmt.Sprintf(". PostgreSQL had answered %s (%s) to: %s", err.Code, err.Message, sql)
	}
	return f
}

// worstError is the error on the wire that tells most, and its statement. A
// failed transaction (25P02) is only a consequence, but one that matters when
// the program went on in it after an error that it could have retried.
func worstError(seen []wire.Statement) (*wire.Error, string) {
	var err *wire.Error
	var sql string
	for _, s := range seen {
		if s.Err != nil && (err == nil || s.Err.Code == "25P02") {
			err, sql = s.Err, oneLine(s.SQL)
		}
	}
	return err, sql
}

// ledgerBecause says why the ledger does not hold what was paid.
func ledgerBecause(f exam.Finding, n int64, seen []wire.Statement) exam.Finding {
	f.Read = lesson + "one-transaction-two-tables"
	f.Why = "The ledger is how the money is accounted for. Either it or the balance is wrong now, and nothing tells which."
	err, _ := worstError(seen)
	if n > 2 && err != nil {
		f.Saw += fmt.Sprintf(". PostgreSQL refused one attempt (%s), and it was made again; but the refused attempt's row stayed, because it was not written in the transaction that was rolled back", err.Code)
	}
	return f
}

// wideLock names the lock that kept others out, where the wire shows it. An
// advisory lock is blamed only when every withdrawal asked for the same one.
func wideLock(f exam.Finding, seen []wire.Statement) exam.Finding {
	keys := map[string]bool{}
	sql := ""
	for _, s := range seen {
		switch {
		case tableLock.MatchString(s.SQL):
			f.Saw += ". Your program ran: " + oneLine(s.SQL) + ". That is a lock on every row"
			return f
		case advisory.MatchString(s.SQL) && !unlock.MatchString(s.SQL):
			sql = oneLine(s.SQL)
			keys[sql+strings.Join(s.Params, ",")] = true
		}
	}
	if len(keys) == 1 {
		f.Saw += ". Your program ran: " + sql + ". All accounts shared that key"
		f.Read = lesson + "lock-a-number"
	}
	return f
}

// duet draws what the two instances ran on accounts, side by side: first up to
// what each read, then what it did with it.
func duet(seen []wire.Statement) string {
	var names []string
	parts := map[string]*[2][]string{}
	for _, s := range seen {
		line := short(s)
		if line == "" {
			continue
		}
		p := parts[s.Listener]
		if p == nil {
			p = &[2][]string{}
			parts[s.Listener] = p
		}
		phase := 0
		if len(p[1]) > 0 || isWrite(s) || s.Verb() == "COMMIT" {
			phase = 1
			if len(p[1]) == 0 && isWrite(s) {
				names = append(names, s.Listener)
			}
		}
		p[phase] = append(p[phase], line)
	}
	if len(names) != 2 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-37s %s\n", "one instance", "the other instance")
	for phase := range 2 {
		for column, name := range names {
			for _, line := range parts[name][phase] {
				fmt.Fprintf(&b, "%s%s\n", strings.Repeat(" ", 38*column), line)
			}
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// short is a statement on accounts, or a transaction's end, in up to 36
// characters; "" for any other.
func short(s wire.Statement) string {
	var text string
	switch {
	case isRead(s):
		text = "select " + firstGroup(selected, s.SQL, "…")
		if lock := rowLock.FindString(s.SQL); lock != "" {
			text += " … " + strings.ToLower(oneLine(lock))
		}
		text += " → " + strings.Join(s.FirstRow, ", ")
	case isWrite(s):
		set := placeholder.ReplaceAllStringFunc(firstGroup(assignment, s.SQL+" where", "…"), func(p string) string {
			if n, err := strconv.Atoi(p[1:]); err == nil && n >= 1 && n <= len(s.Params) {
				return s.Params[n-1]
			}
			return p
		})
		text = "update set " + set
	case s.Verb() == "BEGIN", s.Verb() == "COMMIT", s.Verb() == "ROLLBACK":
		text = strings.ToLower(oneLine(s.SQL))
	}
	if runes := []rune(text); len(runes) > 36 {
		text = string(runes[:35]) + "…"
	}
	return text
}

func firstGroup(re *regexp.Regexp, s, otherwise string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return oneLine(m[1])
	}
	return otherwise
}
