// Package exam examines the account service: two instances of the program
// against one PostgreSQL.
package exam

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lesson = "sql/lost-update#"

	whyContract = "Callers go by the status and by the fields of the contract. An error of the wrong kind sends them the wrong way: a 500 wakes somebody up, a 404 says that the number is wrong, a 409 that the money is not there."
	whyAmount   = "A negative withdrawal is a deposit that nobody paid in. What reaches the SQL must be an amount already."
)

// Exam declares the checks. The first ones need nobody else around; the race
// comes next, because every other promise is easier to keep once it is won.
func Exam(x *exam.X) {
	x.Instances(2)
	x.Check("account", "answers with the balance of an account", readAccount, exam.Why(whyContract))
	x.Check("withdraw", "takes one withdrawal off the balance and notes it", withdrawOnce, exam.After("account"),
		exam.Why(whyContract), exam.Read(lesson+"one-transaction-two-tables"))
	x.Check("bad-amount", "refuses an amount that is none", refuseBadAmounts, exam.After("withdraw"),
		exam.Why(whyAmount))
	x.Check("insufficient", "refuses what the account does not hold", refuseTooMuch, exam.After("withdraw"),
		exam.Why(whyContract), exam.Read(lesson+"let-the-database-compute"))
	x.Check("nothing-left", "holds no lock once it has answered", leaveNothing, exam.After("withdraw", "insufficient"),
		exam.Why(whyLeft), exam.Read(lesson+"lock-the-row-before-you-read"))
	x.Check("two-at-once", "counts both of two withdrawals at the same moment", countBoth, exam.After("nothing-left"),
		exam.Why(whyLost), exam.Read(lesson+"two-readers-one-writer"))
	x.Check("last-money", "pays the last money out once", payLastOnce, exam.After("two-at-once"),
		exam.Why(whyOverdrawn), exam.Read(lesson+"let-the-database-compute"))
	x.Check("other-rows", "lets other accounts go on while one is locked", leaveOthersAlone, exam.After("two-at-once"),
		exam.Why(whyOthers), exam.Read(lesson+"lock-the-row-before-you-read"))
	x.Check("locked-row", "refuses cleanly when an account stays locked", refuseLocked, exam.After("two-at-once"),
		exam.Why(whyLocked), exam.Read(lesson+"waiting-must-end"))
	x.Check("half-way", "changes balance and ledger together or not at all", changeBothOrNone, exam.After("two-at-once"),
		exam.Why(whyHalf), exam.Read(lesson+"one-transaction-two-tables"))
	x.Check("rush", "keeps every cent in a rush", surviveRush, exam.After("two-at-once", "last-money"),
		exam.Why(whyLost), exam.Read(lesson+"which-one"))
}

func readAccount(c *exam.C) {
	acc := newAccount(c, money(c))
	for i, client := range bothInstances(c) {
		r := client.Get(acc.path()).Want(http.StatusOK).WantType("application/json")
		body := r.Object()
		c.Equal(body["id"], acc.id, fmt.Sprintf("id, as instance %d answers it,", i+1))
		c.Equal(body["balance"], acc.start, fmt.Sprintf("balance, as instance %d answers it,", i+1))
	}
	r := c.Get(fmt.Sprintf("/accounts/%d", acc.id+1_000_000))
	refusal(c, r, http.StatusNotFound)
}

func withdrawOnce(c *exam.C) {
	for i, client := range bothInstances(c) {
		acc, amount := newAccount(c, money(c)), some(c)
		r := acc.withdraw(client, amount).Want(http.StatusOK).WantType("application/json")
		left := acc.start - amount
		c.Equal(r.Object()["balance"], left, "balance in the answer")
		c.Equal(acc.balance(), left, "balance in the table accounts",
			exam.Why("An answer is a promise about what is stored. The next request may reach another instance, which knows only what the database knows."))
		n, sum := acc.ledger()
		c.Require(n == 1 && sum == amount, exam.Finding{
			Did:      r.Did(),
			Expected: fmt.Sprintf("one row in withdrawals, of %d", amount),
			Saw:      ledgerWords(n, sum),
			Why:      "The ledger is how the money is accounted for. What is missing there cannot be explained to anybody later.",
			Read:     lesson + "one-transaction-two-tables",
		})
		sameForBoth(acc, client, bothInstances(c)[1-i], left)
	}
	r := c.Post(fmt.Sprintf("/accounts/%d/withdraw", newAccount(c, money(c)).id+1_000_000), amountBody(1))
	refusal(c, r, http.StatusNotFound)
}

// sameForBoth reads an account from which one instance has just paid through the
// other, lets that one pay as well, and reads through the first again.
func sameForBoth(acc *account, first, other *exam.Client, left int64) {
	c := acc.c
	why := exam.Why("Both instances serve the same accounts. What one of them keeps in its memory, the other can't see, and can't correct.")
	r := other.Get(acc.path()).Want(http.StatusOK)
	c.Equal(r.Object()["balance"], left, "balance, as the other instance answers it,", why)
	amount := some(c)
	acc.withdraw(other, amount).Want(http.StatusOK)
	r = first.Get(acc.path()).Want(http.StatusOK)
	c.Equal(r.Object()["balance"], left-amount, "balance, as the first instance answers it after the other has paid out,", why)
}

func refuseBadAmounts(c *exam.C) {
	acc := newAccount(c, money(c))
	for _, body := range []string{
		`{"amount":0}`,
		fmt.Sprintf(`{"amount":-%d}`, some(c)),
		fmt.Sprintf(`{"amount":%d.5}`, some(c)),
		fmt.Sprintf(`{"amount":"%d"}`, some(c)),
		`{"amount":null}`,
		`{}`,
		`amount`,
	} {
		r := c.Post(acc.path()+"/withdraw", body)
		refusal(c, r, http.StatusBadRequest)
		acc.unchanged(r)
	}
}

func refuseTooMuch(c *exam.C) {
	for _, client := range bothInstances(c) {
		acc := newAccount(c, money(c))
		r := acc.withdraw(client, acc.start+1)
		f := exam.Finding{Did: r.Did() + fmt.Sprintf(", from a balance of %d", acc.start), Expected: "409 Conflict", Saw: r.String()}
		if r.Status == http.StatusOK {
			f.Saw = fmt.Sprintf("%s; the balance is %d, and %s", r, acc.balance(), ledgerWords(acc.ledger()))
			f.Why = whyOverdrawn
			if emptyUpdate(c.Statements()) {
				f.Saw += ". An UPDATE changed no row, and the answer was 200 all the same"
			}
			c.Fail(f)
		}
		refusal(c, r, http.StatusConflict)
		acc.unchanged(r)

		all := newAccount(c, money(c))
		all.withdraw(client, all.start).Want(http.StatusOK,
			exam.Expected("200 OK: the account holds exactly this much"))
		c.Equal(all.balance(), 0, "balance in the table accounts")
	}
}

// refusal fails unless the answer has the status and says in JSON why.
func refusal(c *exam.C, r *exam.Response, status int, opts ...exam.Option) {
	r.Want(status, opts...)
	r.WantType("application/json", opts...)
	text, ok := r.Object(opts...)["error"].(string)
	c.Require(ok && strings.TrimSpace(text) != "", exam.Finding{
		Did:      r.Did(),
		Expected: `a JSON object whose "error" says what is wrong`,
		Saw:      r.String(),
		Why:      "Whoever calls this has a status to act on; a person who looks at it needs a sentence.",
	})
}

func bothInstances(c *exam.C) [2]*exam.Client {
	return [2]*exam.Client{c.Client("A", exam.To(0)), c.Client("B", exam.To(1))}
}
