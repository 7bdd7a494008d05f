package exam

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

const (
	whyLost      = "Nothing reports this in production: both callers were told 200, no error was logged, and the account is found wrong weeks later."
	whyOverdrawn = "Money that is not there has been paid out, and somebody has to get it back."
	whyConflict  = "That two people come at the same moment is no fault of theirs. A caller who sees an error for it loses trust or, worse, tries again what already worked."
)

// race is two withdrawals of the same amount at the same moment.
type race struct {
	acc    *account
	amount int64
	a, b   *exam.Response
	seen   []wire.Statement
	how    wire.Outcome
}

// The barrier can't tell a lock from a slow server with certainty. So a race is
// run again, with fresh rows, until both have read before either wrote, or as
// often as this.
const (
	maxRaces = 3
	maxLate  = 2 // of those in which one waited for the other in vain
)

// races runs judge, which runs one race, until it can be believed.
func races(judge func() *race) {
	late := 0
	for range maxRaces {
		r := judge()
		if r.how.TimedOut {
			late++
		}
		if r.how.Met || late == maxLate {
			return
		}
	}
}

// run lets two clients withdraw at once and makes both read before either
// writes, unless a lock of the program's own keeps one of them out.
func run(c *exam.C, acc *account, amount int64, clients [2]*exam.Client) *race {
	r := &race{acc: acc, amount: amount}
	before := len(c.Statements())
	barrier := c.Barrier(2, "accounts")
	c.Parallel(
		func() { r.a = acc.withdraw(clients[0], amount) },
		func() { r.b = acc.withdraw(clients[1], amount) },
	)
	if all := c.Statements(); len(all) > before {
		r.seen = all[before:]
	}
	r.how = barrier.Outcome()
	return r
}

func (r *race) did() string {
	return fmt.Sprintf("two clients withdrew %d at the same moment from an account with %d, one through each instance", r.amount, r.acc.start)
}

// statuses is what the clients got: "both got 200", "one got 200, the other 500 …".
func (r *race) statuses() string {
	if r.a.Status == r.b.Status {
		return fmt.Sprintf("both got %d", r.a.Status)
	}
	good, bad := r.a, r.b
	if bad.Status == http.StatusOK {
		good, bad = bad, good
	}
	return fmt.Sprintf("one got %d, the other %s", good.Status, bad)
}

// worst is the answer that is no 200, if there is one.
func (r *race) worst() *exam.Response {
	if r.a.Status != http.StatusOK {
		return r.a
	}
	return r.b
}

func countBoth(c *exam.C) {
	start, amount := money(c), some(c)
	races(func() *race { return countBothOf(c, start, amount) })
}

func countBothOf(c *exam.C, start, amount int64) *race {
	acc := newAccount(c, start)
	r := run(c, acc, amount, bothInstances(c))
	balance := acc.balance()
	n, sum := acc.ledger()
	want := acc.start - 2*amount
	if r.worst().Status == http.StatusOK && balance == want && n == 2 && sum == 2*amount {
		return r
	}
	f := exam.Finding{
		Did:      r.did(),
		Expected: fmt.Sprintf("both get 200; the balance is %d, with 2 rows in withdrawals", want),
		Saw:      fmt.Sprintf("%s; the balance is %d, with %s", r.statuses(), balance, ledgerWords(n, sum)),
	}
	switch {
	case r.worst().Status != http.StatusOK:
		f.Why = whyConflict
		f = refusedBecause(f, r.worst(), r.seen)
	case n != 2:
		f = ledgerBecause(f, n, r.seen)
	case balance > want:
		f = lostBecause(c, f, r)
	}
	c.Fail(f)
	return r
}

// lostBecause says why one of two withdrawals disappeared. Where the statements
// alone look like plain reading and writing, it tries the same within one
// instance: what comes out right there is kept apart by that instance's memory.
func lostBecause(c *exam.C, f exam.Finding, r *race) exam.Finding {
	why := readWire(r.seen)
	f.Detail = duet(r.seen)
	if !why.plain {
		return why.add(f)
	}
	acc := newAccount(c, r.acc.start)
	c.Note("the same with another account and both clients at instance 1, to see whether that keeps them apart")
	same := c.Client("A", exam.To(0))
	again := run(c, acc, r.amount, [2]*exam.Client{same, c.Client("B", exam.To(0))})
	if again.worst().Status == http.StatusOK && acc.balance() == acc.start-2*r.amount {
		f.Saw += ". The same two through one instance came out right: what keeps them apart there is in that program's memory, and the other instance has a memory of its own"
		f.Read = lesson + "a-mutex-guards-one-process"
		return f
	}
	return why.add(f)
}

func payLastOnce(c *exam.C) {
	start := money(c)
	amount := start - some(c)
	races(func() *race { return payLastOf(c, start, amount) })
}

func payLastOf(c *exam.C, start, amount int64) *race {
	acc := newAccount(c, start)
	left := acc.start - amount
	r := run(c, acc, amount, bothInstances(c))
	balance := acc.balance()
	n, sum := acc.ledger()
	paid := (r.a.Status == http.StatusOK) != (r.b.Status == http.StatusOK)
	f := exam.Finding{
		Did:      r.did(),
		Expected: fmt.Sprintf("one gets 200, the other 409; the balance is %d, with one row in withdrawals", left),
		Saw:      fmt.Sprintf("%s; the balance is %d, with %s", r.statuses(), balance, ledgerWords(n, sum)),
	}
	switch {
	case balance < 0:
		f.Detail = duet(r.seen)
		f.Saw += fmt.Sprintf(". Both compared %d with the balance before either had written; when they wrote, nothing compared again", amount)
		c.Fail(f)
	case r.worst().Status == http.StatusOK:
		f.Why = "Somebody was told 200 for money that never moved, and will not come back for it."
		if emptyUpdate(r.seen) {
			f.Saw += ". One UPDATE changed no row (UPDATE 0): by then the account held too little. That is no error, and the answer was 200 all the same"
		}
		c.Fail(f)
	case !paid || r.worst().Status != http.StatusConflict:
		f.Why = whyConflict
		c.Fail(refusedBecause(f, r.worst(), r.seen))
	case balance != left || n != 1 || sum != amount:
		c.Fail(f)
	}
	refusal(c, r.worst(), http.StatusConflict)
	return r
}

// The rush: so many accounts, each with so many callers at once, and money for
// so many of them.
const (
	rushAccounts = 4
	rushCallers  = 10
	rushPaid     = 6
)

func surviveRush(c *exam.C) {
	amount := some(c)
	var accounts [rushAccounts]*account
	for i := range accounts {
		accounts[i] = newAccount(c, rushPaid*amount+amount/2)
	}
	var answers [rushAccounts * rushCallers]*exam.Response
	clients := bothInstances(c)
	c.Burst(len(answers), func(i int) {
		answers[i] = accounts[i%rushAccounts].withdraw(clients[i/rushAccounts%2], amount)
	})
	total := 0
	for i, acc := range accounts {
		var mine []*exam.Response
		for k := i; k < len(answers); k += rushAccounts {
			mine = append(mine, answers[k])
		}
		total += acc.rushed(amount, mine)
	}
	c.Require(2*total >= rushAccounts*rushPaid, exam.Finding{
		Did:      fmt.Sprintf("%d clients withdrew %d at once, %d from each of %d accounts with money for %d", len(answers), amount, rushCallers, rushAccounts, rushPaid),
		Expected: fmt.Sprintf("at least %d of the %d withdrawals that the money allows get 200", rushAccounts*rushPaid/2, rushAccounts*rushPaid),
		Saw:      fmt.Sprintf("%d did; the others were refused although money was there", total),
		Why:      whyConflict,
	})
}

// rushed compares one account with the answers that its callers got, and returns
// how many were paid.
func (a *account) rushed(amount int64, answers []*exam.Response) int {
	paid, tooLittle, told := int64(0), false, map[string]bool{}
	balance := a.balance()
	n, sum := a.ledger()
	f := exam.Finding{Did: fmt.Sprintf("%d clients withdrew %d at once from an account with %d, half of them through each instance; three more accounts were drawn from in the same way meanwhile", len(answers), amount, a.start)}
	for _, r := range answers {
		switch r.Status {
		case http.StatusOK:
			paid++
			left := fmt.Sprint(r.Object()["balance"])
			a.c.Require(!told[left], exam.Finding{
				Did:      f.Did,
				Expected: "each 200 tells what that withdrawal left",
				Saw:      fmt.Sprintf("two of them told the same balance, %s. It was read again after the withdrawal, when somebody else's had gone through as well", left),
				Why:      "Two receipts that say the same cannot both be right.",
				Read:     lesson + "let-the-database-compute",
			})
			told[left] = true
		case http.StatusConflict:
			tooLittle = true
		case http.StatusServiceUnavailable:
			wantRetryAfter(a.c, r)
		default:
			f.Expected = "each gets 200, 409, or 503 with Retry-After"
			f.Saw = "one got " + r.String()
			f.Why = whyConflict
			a.c.Fail(refusedBecause(f, r, a.c.Statements()))
		}
	}
	f.Expected = fmt.Sprintf("%d were told 200, so the balance is %d, with %d rows in withdrawals", paid, a.start-paid*amount, paid)
	f.Saw = fmt.Sprintf("the balance is %d, with %s", balance, ledgerWords(n, sum))
	a.c.Require(balance == a.start-paid*amount && n == paid && sum == paid*amount, f)
	a.c.Require(balance >= 0, f)
	f.Expected = "409 only to those for whom the account held too little"
	f.Saw = fmt.Sprintf("some got 409, and %d is still there", balance)
	f.Why = "409 tells the caller to give up. Here a moment's conflict was reported as if the money were gone."
	a.c.Require(!tooLittle || balance < amount, f)
	return int(paid)
}

// wantRetryAfter fails unless the answer says when to come back, in seconds.
func wantRetryAfter(c *exam.C, r *exam.Response) {
	v := r.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s >= 1 {
		return
	}
	saw := "503 without Retry-After"
	if v != "" {
		saw = fmt.Sprintf("503 with Retry-After: %q", v)
	}
	c.Fail(exam.Finding{
		Did:      r.Did(),
		Expected: "503 with Retry-After, a whole number of seconds above zero",
		Saw:      saw,
		Why:      "Without it every client decides by itself when to come back, and most come back at once.",
		Read:     lesson + "waiting-must-end",
	})
}
