package exam

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// The bounds of the task, and what a busy machine gets on top.
const (
	answerWithin = 5 * time.Second
	backWithin   = 10 * time.Second
	slack        = 2 * time.Second
)

func nameTaken(c *exam.C) {
	team := newTeam(c)
	created(c, "", team)
	name := team["name"].(string)
	first := rowOf(c, name)
	for range 2 {
		before := len(c.Statements())
		r := c.Post("/teams", with(newTeam(c), "name", name))
		wantConflict(c, r, rowOf(c, name) == first, c.Statements()[before:])
	}
	c.Require(stored(c, name) == 1, exam.Finding{Did: "POST /teams three times with the same name",
		Expected: "one row with this name", Saw: fmt.Sprintf("%d rows", stored(c, name))})
	for _, other := range []string{strings.ToUpper(name), name + " "} {
		created(c, fmt.Sprintf("POST /teams with the name %q, where there is a team %q", other, name), with(newTeam(c), "name", other))
	}
	both := without(with(newTeam(c), "name", name), "email")
	wantInvalid(c, c.Post("/teams", both), "POST /teams with a name that another team has, and without email", at("/email", "required"))
}

// rowOf is what stands in the table under a name, as a text.
func rowOf(c *exam.C, name string) string {
	return c.DB().Text(`select coalesce(string_agg(r::text, ' '), '') from relay_entry r where entered_name = $1`, name)
}

// wantConflict wants a 409 for a name that is taken. Kept tells whether the row of
// the team that has it is as it was, seen what PostgreSQL was sent meanwhile.
func wantConflict(c *exam.C, r *exam.Response, kept bool, seen []wire.Statement) {
	const did = "POST /teams with a good team, whose name another team has"
	f := exam.Finding{Did: did, Expected: statusText(http.StatusConflict), Saw: r.String()}
	violated := refusals(seen, "23505") > 0
	switch {
	case r.Status == http.StatusCreated && !kept:
		f.Saw += ". The row of the team that had the name was overwritten"
	case r.Status == http.StatusCreated && violated:
		f.Saw += ". PostgreSQL had refused the INSERT (23505), so nothing was stored: the error was not acted on, and the answer says the opposite"
	case r.Status == http.StatusCreated:
		f.Saw += ". The row with this name is still that of the other team: this one was not stored under its name, and the answer says that it was"
	case r.Status >= 500 && violated:
		f.Saw += ". PostgreSQL had said what it was: 23505, a unique constraint, with the constraint's name beside it"
	}
	if r.Status == http.StatusCreated || r.Status >= 500 {
		c.Fail(f)
	}
	wantProblem(c, r, did, kindTaken)
}

// refusals is how many of the statements PostgreSQL has refused with the code.
func refusals(seen []wire.Statement, code string) (n int) {
	for _, s := range seen {
		if s.Err != nil && s.Err.Code == code {
			n++
		}
	}
	return n
}

// sameMoment lets two captains send the same name at once. A program that asks
// first whether the name is free is held until both have been told yes.
func sameMoment(c *exam.C) {
	team := newTeam(c)
	clients := [2]*exam.Client{c.Client("A"), c.Client("B")}
	var answers [2]*exam.Response
	c.Barrier(2, "relay_entry")
	c.Burst(2, func(i int) { answers[i] = clients[i].Post("/teams", team) })
	did := "two clients sent POST /teams with the same new name at the same moment"
	won, lost := answers[0], answers[1]
	if won.Status != http.StatusCreated {
		won, lost = lost, won
	}
	f := exam.Finding{Did: did, Expected: "201 for one of them, 409 for the other",
		Saw: fmt.Sprintf("%d and %s", won.Status, lost)}
	asked := 0
	for _, s := range c.Statements() {
		if s.Verb() == "SELECT" && strings.Contains(s.SQL, "relay_entry") {
			asked++
		}
	}
	if lost.Status >= 500 && asked >= 2 && refusals(c.Statements(), "23505") > 0 {
		f.Saw += ". Both asked whether the name is free, and both were told yes, before either had stored it; the constraint then refused one (23505)"
	}
	statuses := []int{won.Status, lost.Status}
	c.Require(slices.Equal(statuses, []int{http.StatusCreated, http.StatusConflict}), f)
	accepted(c, won, did, team)
	wantProblem(c, lost, did, kindTaken)
	c.Require(stored(c, team["name"]) == 1, exam.Finding{Did: did, Expected: "one row with this name", Saw: fmt.Sprintf("%d rows", stored(c, team["name"]))})
}

// collide sets the counter of ids back, as it is after a restore that forgot it,
// so that the next team gets an id which is taken.
func collide(c *exam.C) {
	created(c, "", newTeam(c))
	c.DB().Int(`
		select setval(pg_get_serial_sequence('relay_entry', 'entry_id'),
			(select max(entry_id) from relay_entry), false)`)
}

const didCollide = "POST /teams with a good team and a new name, when the counter of entry_id had been set back to an id that is taken (23505 on relay_entry_pkey)"

func otherRefusal(c *exam.C) {
	collide(c)
	r := c.Post("/teams", newTeam(c))
	if r.Status == http.StatusConflict {
		c.Fail(exam.Finding{Did: didCollide, Expected: statusText(http.StatusInternalServerError),
			Saw: r.String() + ". The name is new; it was the id that was taken. 23505 says that some unique constraint was violated, not which"})
	}
	if r.Status == http.StatusServiceUnavailable {
		c.Fail(exam.Finding{Did: didCollide, Expected: statusText(http.StatusInternalServerError),
			Saw: r.String() + ". PostgreSQL was there, and has refused",
			Why: "503 says: wait and try again. Nothing about this gets better by waiting."})
	}
	p := wantProblem(c, r, didCollide, kindInternal)
	wantLogged(c, didCollide, p, 0, []string{"23505", "relay_entry_pkey", "duplicate key"})
}

// wantLogged fails unless the program prints a line with the instance and one of
// the words. It looks at what came after so many lines of this check.
func wantLogged(c *exam.C, did string, p problem, after int, words []string) {
	contains := func(line string) bool { return strings.Contains(line, p.Instance) }
	said := func(line string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) })
	}
	var lines []string
	for end := time.Now().Add(backWithin); ; time.Sleep(5 * time.Millisecond) {
		lines = c.Instance(0).LogLines()[after:]
		if slices.ContainsFunc(lines, func(l string) bool { return contains(l) && said(l) }) {
			return
		}
		if time.Now().After(end) || c.Context().Err() != nil {
			break
		}
	}
	f := exam.Finding{Did: did,
		Expected: "a line in the log with the instance " + p.Instance + " and what PostgreSQL or the driver said",
		Why:      "The captain reads the instance out on the telephone. Whoever takes the call looks for it in the log, and has to find the reason there: it stands nowhere else.",
		Read:     lesson + "nothing-of-the-inside"}
	switch {
	case slices.ContainsFunc(lines, contains):
		f.Saw = "a line with the instance, without the error"
	case slices.ContainsFunc(lines, said):
		f.Saw = "a line with the error, without the instance"
	case len(lines) == 0 && after > 0:
		f.Saw = "nothing more was printed"
	case len(lines) == 0:
		f.Saw = "the program printed nothing"
	default:
		f.Saw = "neither in what the program printed"
	}
	c.Fail(f)
}

// gone takes PostgreSQL away: open connections break, and new ones are refused.
func gone(c *exam.C) *exam.Faults {
	faults := c.Postgres()
	faults.Refuse(true)
	faults.Cut()
	return faults
}

const didAway = "while PostgreSQL refuses connections: "

// unavailable wants 503 with Retry-After in time.
func unavailable(c *exam.C, did, method, path string, body any) problem {
	r, err := c.Try(method, path, body, exam.Timeout(answerWithin+slack))
	return wantUnavailable(c, r, err, did)
}

func wantUnavailable(c *exam.C, r *exam.Response, err error, did string) problem {
	if err != nil {
		f := exam.Finding{Did: did, Expected: "503 within " + answerWithin.String(), Saw: "no answer: " + err.Error()}
		if errors.Is(err, context.DeadlineExceeded) {
			f.Saw = fmt.Sprintf("no answer within %s", answerWithin+slack)
		}
		c.Fail(f)
	}
	switch r.Status {
	case http.StatusInternalServerError:
		c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusServiceUnavailable),
			Saw: r.String() + ". PostgreSQL could not be asked; it has refused no statement"})
	case http.StatusCreated:
		c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusServiceUnavailable),
			Saw: r.String() + ": nothing was stored. The answer had been begun before the team was"})
	}
	p := wantProblem(c, r, did, kindAway)
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		saw := "503 without Retry-After"
		if h := r.Header.Get("Retry-After"); h != "" {
			saw = "Retry-After: " + h
		}
		c.Fail(exam.Finding{Did: did, Expected: "503 with Retry-After, a whole number of seconds", Saw: saw})
	}
	return p
}

// awayWords are what drivers say, one of them at least, when there is no PostgreSQL.
var awayWords = []string{"connect", "reset", "EOF", "refused", "closed", "broken pipe", "timeout", "deadline", "bad connection"}

func away(c *exam.C) {
	path := created(c, "", newTeam(c))
	faults := gone(c)
	bad := with(newTeam(c), "name", "Ox")
	wantInvalid(c, c.Post("/teams", bad), didAway+"POST /teams with a good team, only that its name is Ox", at("/name", "length"))
	p := unavailable(c, didAway+"POST /teams with a good team", http.MethodPost, "/teams", newTeam(c))
	wantLogged(c, didAway+"POST /teams with a good team", p, 0, awayWords)
	logged := len(c.Instance(0).LogLines())
	p = unavailable(c, didAway+"GET "+path, http.MethodGet, path, nil)
	wantLogged(c, didAway+"GET "+path, p, logged, awayWords)
	faults.Heal()
	back(c, path)
	breakHalfway(c)
	faults.Heal()
	back(c, path)
}

// breakHalfway breaks the connection when the team is on its way to PostgreSQL,
// and lets no other be made. A program that had another one open may use it.
func breakHalfway(c *exam.C) {
	faults := c.Postgres()
	faults.Refuse(true)
	faults.CutAfter(func(s wire.Statement) bool {
		return strings.Contains(strings.ToLower(s.SQL), "insert into")
	}, wire.CutBeforeSend)
	team := newTeam(c)
	r, err := c.Try(http.MethodPost, "/teams", team, exam.Timeout(answerWithin+slack))
	if err == nil && r.Status == http.StatusCreated && stored(c, team["name"]) == 1 {
		return
	}
	wantUnavailable(c, r, err, didHalfway)
}

const didHalfway = "POST /teams with a good team, while the connection to PostgreSQL breaks at the INSERT and no other can be made"

// back wants the service to work again.
func back(c *exam.C, path string) {
	var last string
	for end := time.Now().Add(backWithin + slack); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		r, err := c.Try(http.MethodPost, "/teams", newTeam(c))
		if err != nil {
			last = "no answer: " + err.Error()
			continue
		}
		if r.Status == http.StatusCreated {
			c.Get(path).Want(http.StatusOK)
			return
		}
		last = r.String()
	}
	c.Fail(exam.Finding{Did: "POST /teams with good teams, after PostgreSQL had come back",
		Expected: fmt.Sprintf("201, at the latest after %s", backWithin), Saw: last,
		Why: "An outage of a minute must not last until somebody restarts every program that met it."})
}
