package exam

import (
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// account is one account that a check has made for itself.
type account struct {
	c         *exam.C
	id, start int64
}

func newAccount(c *exam.C, balance int64) *account {
	id := c.DB().Int(`insert into accounts (balance) values ($1) returning id`, balance)
	return &account{c: c, id: id, start: balance}
}

// money is a balance, and some an amount that it covers several times.
func money(c *exam.C) int64 { return 10 * int64(c.Int(50, 90)) }
func some(c *exam.C) int64  { return 10 * int64(c.Int(1, 9)) }

func (a *account) path() string { return fmt.Sprintf("/accounts/%d", a.id) }

func (a *account) withdraw(client *exam.Client, amount int64, opts ...exam.RequestOption) *exam.Response {
	return client.Post(a.path()+"/withdraw", amountBody(amount), opts...)
}

func amountBody(amount int64) string { return fmt.Sprintf(`{"amount":%d}`, amount) }

func (a *account) balance() int64 {
	return a.c.DB().Int(`select balance from accounts where id = $1`, a.id)
}

// ledger is how many withdrawals are noted for the account, and their sum.
func (a *account) ledger() (n, sum int64) {
	db := a.c.DB()
	return db.Int(`select count(*) from withdrawals where account_id = $1`, a.id),
		db.Int(`select sum(amount)::bigint from withdrawals where account_id = $1`, a.id)
}

// unchanged fails unless the account is as it was made.
func (a *account) unchanged(r *exam.Response) {
	balance := a.balance()
	n, sum := a.ledger()
	a.c.Require(balance == a.start && n == 0, exam.Finding{
		Did:      r.Did(),
		Expected: fmt.Sprintf("%d, and nothing changed: balance %d, no row in withdrawals", r.Status, a.start),
		Saw:      fmt.Sprintf("%d, and the balance is %d, with %s", r.Status, balance, ledgerWords(n, sum)),
		Why:      "Whoever is refused believes that nothing happened, and tries again or pays another way.",
		Read:     lesson + "one-transaction-two-tables",
	})
}

func ledgerWords(n, sum int64) string {
	switch n {
	case 0:
		return "no row in withdrawals"
	case 1:
		return fmt.Sprintf("one row in withdrawals, of %d", sum)
	}
	return fmt.Sprintf("%d rows in withdrawals, together %d", n, sum)
}

// waiting is how many of the program's sessions wait for a lock.
func waiting(c *exam.C) int64 {
	return c.DB().Int(`
		select count(*) from pg_stat_activity
		where datname = current_database() and usename <> current_user
		  and wait_event_type = 'Lock'`)
}

// busy is how many of the program's sessions run a statement.
func busy(c *exam.C) int64 {
	return c.DB().Int(`
		select count(*) from pg_stat_activity
		where datname = current_database() and usename <> current_user
		  and state = 'active'`)
}

// eventually asks again every few milliseconds until ok is true, or gives up
// after d.
func eventually(c *exam.C, d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); ; time.Sleep(3 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) || c.Context().Err() != nil {
			return false
		}
	}
}
