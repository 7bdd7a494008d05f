package exam

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	whyOthers = "One slow account must not become a slow bank. A lock that is wider than the row it is for turns every other customer into somebody who waits."
	whyLocked = "Locks are held too long one day: a batch job, a session forgotten over lunch. Whoever waits without end keeps a connection, and a handful of them stop the whole service."
	whyHalf   = "Disks fill up and connections break between any two statements. What is half done then stays half done, and no log says which half."
)

// A caller is promised an answer within promise; the examiner grants a little
// more for a busy machine, and stops waiting after patience.
const (
	promise  = 2 * time.Second
	grace    = 250 * time.Millisecond
	patience = 3500 * time.Millisecond
)

// queue is how many callers come to a locked account through each instance at
// once. They need a connection each, so that a limit which was set on one
// connection does not cover them.
const queue = 3

// lockRow is what a colleague with psql may leave open.
const lockRow = `select balance from accounts where id = $1 for update`

// leaveOthersAlone holds one account's row, lets a withdrawal from it wait, and
// draws from other accounts meanwhile. A short wait of the program's own can end
// just before the others are answered, so that counts only when it happens each
// time.
func leaveOthersAlone(c *exam.C) {
	const tries = 3
	for range tries {
		if drawBeside(c) {
			return
		}
	}
	f := besideFinding()
	f.Saw = "each time they got their 200 only after the one that waited had been answered. PostgreSQL had not kept them waiting: whatever did is inside your program"
	f.Read = lesson + "a-mutex-guards-one-process"
	c.Fail(wideLock(f, c.Statements()))
}

func besideFinding() exam.Finding {
	return exam.Finding{
		Did:      "while another session held the row of one account, and a withdrawal from it waited, clients withdrew from other accounts, through each instance",
		Expected: "200 for the others, before the one that waits is answered",
	}
}

// drawBeside reports whether the others were served before the one that waits.
func drawBeside(c *exam.C) bool {
	held := newAccount(c, money(c))
	// Made before anything is locked, or a lock on the table would stop the
	// examiner as well.
	others := [2]*account{newAccount(c, money(c)), newAccount(c, money(c))}
	hold := c.DB().Hold(lockRow, held.id)
	var answered atomic.Bool
	ahead := true
	c.Parallel(
		func() {
			_, _ = held.try(c.Client("waiting", exam.To(0)), some(c))
			answered.Store(true)
		},
		func() {
			defer hold.Release()
			eventually(c, 200*time.Millisecond, func() bool { return waiting(c) > 0 || answered.Load() })
			for i, client := range bothInstances(c) {
				tooEarly := answered.Load()
				others[i].drawFreely(client)
				ahead = ahead && (tooEarly || !answered.Load())
			}
		},
	)
	return ahead
}

// drawFreely draws from an account that nobody holds, and fails the check when
// that is refused or waits for a lock too.
func (a *account) drawFreely(client *exam.Client) {
	c, amount := a.c, some(a.c)
	f := besideFinding()
	var done atomic.Bool
	var r *exam.Response
	var err error
	queued := false
	c.Parallel(
		func() {
			defer done.Store(true)
			r, err = a.try(client, amount)
		},
		func() {
			for !done.Load() && !queued && c.Context().Err() == nil {
				queued = waiting(c) > 1
			}
		},
	)
	switch {
	case err != nil:
		f.Saw = fmt.Sprintf("no answer within %s", patience)
	case queued:
		f.Saw = "two sessions of yours waited for a lock: the one that wanted the held row, and one that wanted another row"
	case r.Status != http.StatusOK:
		f.Saw = "one of them got " + r.String()
	default:
		return
	}
	c.Fail(wideLock(f, c.Statements()))
}

// try withdraws and gives up after patience, without failing the check.
func (a *account) try(client *exam.Client, amount int64) (*exam.Response, error) {
	return client.Try(http.MethodPost, a.path()+"/withdraw", amountBody(amount), exam.Timeout(patience))
}

// refuseLocked holds an account's row for longer than any caller should wait.
func refuseLocked(c *exam.C) {
	acc, amount := newAccount(c, money(c)), some(c)
	client := c.Client("A", exam.To(0))
	hold := c.DB().Hold(lockRow, acc.id)
	readLocked(c, acc, client)
	r := refusedInTime(c, acc, amount, client)
	clients := bothInstances(c)
	c.Burst(2*queue, func(i int) { refusedInTime(c, acc, amount, clients[i%2]) })
	// What was given up must not go through later, when the row is free.
	eventually(c, promise, func() bool { return waiting(c) == 0 })
	hold.Release()
	nothingOpen(c, "an account's row was held until a withdrawal from it had been refused, and then let go")
	eventually(c, promise, func() bool { return busy(c) == 0 })
	acc.unchanged(r)
	acc.withdraw(client, amount).Want(http.StatusOK,
		exam.Expected("200 OK: the row is free again"))
}

// readLocked fails unless a locked account can be read.
func readLocked(c *exam.C, acc *account, client *exam.Client) {
	r, err := client.Try(http.MethodGet, acc.path(), nil, exam.Timeout(promise))
	if err == nil && r.Status == http.StatusOK {
		return
	}
	f := exam.Finding{
		Did:      "while another session held an account's row locked: GET " + acc.path(),
		Expected: "200 with the balance: reading waits for nobody",
		Saw:      fmt.Sprintf("no answer within %s", promise),
	}
	if err == nil {
		f.Saw = r.String()
	}
	c.Fail(f)
}

// refusedInTime withdraws from an account whose row is held, and fails unless
// the answer is a clean refusal within the time promised.
func refusedInTime(c *exam.C, acc *account, amount int64, client *exam.Client) *exam.Response {
	before := len(c.Statements())
	r, err := acc.try(client, amount)
	f := exam.Finding{
		Did:      "while another session held an account's row locked: POST " + acc.path() + "/withdraw with " + amountBody(amount),
		Expected: "503 with Retry-After within 2s",
	}
	seen := c.Statements()
	seen = seen[min(before, len(seen)):]
	switch {
	case err != nil:
		f.Saw = fmt.Sprintf("no answer within %s", patience)
		if sql := unanswered(seen); sql != "" {
			f.Saw += "; PostgreSQL had not answered this yet: " + sql
		}
		c.Fail(f)
	case r.Status != http.StatusServiceUnavailable:
		f.Saw = "the answer was " + r.String()
		c.Fail(refusedBecause(f, r, seen))
	case r.Duration > promise+grace:
		f.Saw = fmt.Sprintf("503 after %.1fs", r.Duration.Seconds())
		c.Fail(f)
	}
	refusal(c, r, http.StatusServiceUnavailable)
	wantRetryAfter(c, r)
	return r
}

// changeBothOrNone lets PostgreSQL refuse one half of a withdrawal and then the
// other, as it does when a disk is full.
func changeBothOrNone(c *exam.C) {
	nothingOpen(c, "the withdrawals before this")
	ledger, balance, commit := newAccount(c, money(c)), newAccount(c, money(c)), newAccount(c, money(c))
	db := c.DB()
	db.Exec(`
		create function no_space() returns trigger language plpgsql as $$
		begin
			raise exception using errcode = '53100',
				message = 'could not extend file "base/16384/16402": No space left on device';
		end $$`)
	db.Exec(fmt.Sprintf(`create trigger no_space before insert on withdrawals
		for each row when (new.account_id = %d) execute function no_space()`, ledger.id))
	db.Exec(fmt.Sprintf(`create trigger no_space before update on accounts
		for each row when (new.id = %d) execute function no_space()`, balance.id))
	// A full disk refuses what was meant to make good for it, too.
	db.Exec(fmt.Sprintf(`create trigger no_space_to_undo before update on accounts
		for each row when (new.id = %d and new.balance > old.balance) execute function no_space()`, ledger.id))
	db.Exec(fmt.Sprintf(`create constraint trigger no_space_to_commit after insert on withdrawals
		deferrable initially deferred
		for each row when (new.account_id = %d) execute function no_space()`, commit.id))
	for _, half := range []struct {
		acc  *account
		what string
	}{
		{ledger, "PostgreSQL refused the row in withdrawals (53100, no space left on device)"},
		{balance, "PostgreSQL refused to change the balance (53100, no space left on device)"},
		{commit, "PostgreSQL took both writes and refused the COMMIT (53100, no space left on device)"},
	} {
		refuseHalf(c, half.acc, half.what)
	}
	nothingOpen(c, "three withdrawals that PostgreSQL refused half-way")
	db.Exec(`drop function no_space() cascade`)
}

func refuseHalf(c *exam.C, acc *account, what string) {
	amount := some(c)
	r := acc.withdraw(c.Client("A", exam.To(0)), amount)
	balance := acc.balance()
	n, sum := acc.ledger()
	f := exam.Finding{
		Did:      r.Did() + ", while " + what,
		Expected: fmt.Sprintf("500 or 503; the balance is still %d, with no row in withdrawals", acc.start),
		Saw:      fmt.Sprintf("%d; the balance is %d, with %s", r.Status, balance, ledgerWords(n, sum)),
	}
	if balance != acc.start || n != 0 {
		f.Saw += ". The other half was committed before this one was tried"
		c.Fail(f)
	}
	if r.Status == http.StatusOK {
		f.Saw += ". Nothing was stored, and the answer was 200 all the same: an error of PostgreSQL was not looked at"
		f.Why = "COMMIT is a statement like any other, and can fail. Until it has succeeded, nothing has happened that a caller may be told."
		c.Fail(f)
	}
	if r.Status != http.StatusInternalServerError && r.Status != http.StatusServiceUnavailable {
		c.Fail(f)
	}
	refusal(c, r, r.Status)
}
