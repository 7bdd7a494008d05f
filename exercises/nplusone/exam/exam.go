// Package exam examines the issue list: what stands in it, and what it took to
// read it from PostgreSQL.
package exam

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lesson = "sql/n-plus-one#"

	whyList     = "Whoever looks at the list acts on what it shows: takes the issue that nobody has, answers the newest comment. A list that is quick and wrong helps nobody."
	whyCount    = "Each statement is a trip to the database and back. In the same building that is half a millisecond; for a page of a thousand it is seconds, and every caller takes a connection for as long."
	whyRows     = "Each row is sent, parsed and kept in memory before your program throws it away. What multiplies is harmless in a test database, and takes the service down with the first large customer."
	whyText     = "PostgreSQL and pgx know a statement again by its text. One that is never the same twice is planned anew each time, pushes others out of every cache, and stands in the statistics as thousands of statements that were run once."
	whyFresh    = "A copy in the program's memory saves a statement until somebody changes the row. Then two pages show two truths, and a restart makes it go away."
	whyCrowd    = "A page that comes quickly for one and never for twenty is found on the day of the launch."
	whyRefusals = "Callers go by the status: 404 says that the project is not there, 400 that the question is wrong. What PostgreSQL would say to a bad parameter is a 500 that wakes somebody up."
)

// Exam declares the checks: first what the list shows, then what it costs.
func Exam(x *exam.X) {
	x.Check("list", "shows each issue with all that belongs to it", showAll,
		exam.Why(whyList), exam.Read(lesson+"ask-once-for-all-of-them"))
	x.Check("bare", "shows issues to which little or nothing belongs", showBare, exam.After("list"),
		exam.Why(whyList), exam.Read(lesson+"the-parents-that-a-join-drops"))
	x.Check("limit", "counts issues, and only those that were asked for", countIssues, exam.After("bare"),
		exam.Why(whyList), exam.Read(lesson+"a-limit-counts-rows"))
	x.Check("refusals", "refuses what makes no sense", refuse, exam.After("list"),
		exam.Why(whyRefusals))
	x.Check("fresh", "shows what the database holds now", stayFresh, exam.After("bare"),
		exam.Why(whyFresh), exam.Read(lesson+"what-does-not-help"))
	x.Check("statements", "reads 1,000 issues with as many statements as 10", countStatements, exam.After("limit"),
		exam.Why(whyCount), exam.Read(lesson+"ask-once-for-all-of-them"))
	x.Check("rows", "fetches no more rows than the answer shows things", countRows, exam.After("statements"),
		exam.Why(whyRows), exam.Read(lesson+"two-lists-side-by-side"))
	x.Check("text", "sends the same texts for every project", compareTexts, exam.After("statements"),
		exam.Why(whyText), exam.Read(lesson+"a-list-is-one-parameter"))
	x.Check("crowd", "answers twenty at once", serveCrowd, exam.After("statements"),
		exam.Why(whyCrowd), exam.Read(lesson+"two-connections-for-one-request"))
}

func showAll(c *exam.C) {
	p := newProject(c, shape{issues: 8, labels: [2]int{2, 4}, comments: [2]int{4, 7}, assigned: 100})
	p.wants(c.Get(p.path("")), p.issues)
}

// showBare has an issue of every kind: with and without labels, comments, and
// somebody who is assigned.
func showBare(c *exam.C) {
	for _, s := range []struct {
		what  string
		shape shape
	}{
		{"no labels", shape{issues: 4, comments: [2]int{1, 2}, assigned: 100, lacking: "labels"}},
		{"no comments", shape{issues: 4, labels: [2]int{1, 2}, assigned: 100, lacking: "comments"}},
		{"no assignee", shape{issues: 4, labels: [2]int{1, 2}, comments: [2]int{1, 2}, assigned: 50, lacking: "an assignee"}},
		{"nothing at all", shape{issues: 3, lacking: "labels, comments and an assignee"}},
	} {
		p := newProject(c, s.shape)
		p.wants(c.Get(p.path("")), p.issues)
	}
	empty := newProject(c, shape{})
	r := c.Get(empty.path(""))
	r.Want(http.StatusOK, exam.Expected("200 OK: the project is there, only without issues"))
	empty.wants(r, nil)
}

func countIssues(c *exam.C) {
	p := newProject(c, shape{issues: 60, labels: [2]int{2, 4}, comments: [2]int{1, 4}, assigned: 60})
	p.wants(c.Get(p.path("?limit=5")), p.issues[:5])
	p.wants(c.Get(p.path("?limit=1")), p.issues[:1])
	p.wants(c.Get(p.path("")), p.issues[:50])
	p.wants(c.Get(p.path("?limit=1000")), p.issues)
	for _, state := range []string{"open", "closed"} {
		all := p.in(state)
		p.wants(c.Get(p.path("?limit=1000&state="+state)), all)
		p.wants(c.Get(p.path("?state="+state+"&limit=6")), all[:6])
	}
}

func refuse(c *exam.C) {
	p := newProject(c, shape{issues: 2, labels: [2]int{1, 2}, comments: [2]int{1, 2}, assigned: 100})
	refusal(c, c.Get(fmt.Sprintf("/projects/%d/issues", p.id+1_000_000)), http.StatusNotFound)
	const due = "400 Bad Request: a limit is a whole number from 1 to 1000, a state is open or closed"
	for _, q := range []struct{ name, value string }{
		{"limit", "0"}, {"limit", "-5"}, {"limit", "1001"}, {"limit", "2.5"}, {"limit", "ten"},
		{"state", "new"}, {"state", "open' or ''='"},
	} {
		r := c.Get(p.path("?" + q.name + "=" + url.PathEscape(q.value)))
		c.Require(r.Status != http.StatusOK, exam.Finding{Did: r.Did(), Expected: due,
			Saw: fmt.Sprintf("200 with a page: a %s of %s was taken", q.name, q.value)})
		refusal(c, r, http.StatusBadRequest, exam.Expected(due))
	}
}

// refusal fails unless the answer has the status and says in JSON why.
func refusal(c *exam.C, r *exam.Response, status int, opts ...exam.Option) {
	r.Want(status, opts...)
	r.WantType("application/json")
	text, ok := r.Object()["error"].(string)
	c.Require(ok && strings.TrimSpace(text) != "", exam.Finding{
		Did:      r.Did(),
		Expected: `a JSON object whose "error" says what is wrong`,
		Saw:      r.String(),
		Why:      "Whoever calls this has a status to act on; a person who looks at it needs a sentence.",
	})
}

// stayFresh changes what belongs to the issues of a page that the program has
// read already.
func stayFresh(c *exam.C) {
	p := newProject(c, shape{issues: 5, labels: [2]int{1, 2}, comments: [2]int{1, 2}, assigned: 100})
	p.wants(c.Get(p.path("")), p.issues)
	for _, change := range []func(*project) string{
		(*project).renamePeople, (*project).swapLabels, (*project).addComment, (*project).renameIssue,
	} {
		p.changed = change(p)
		p.wants(c.Get(p.path("")), p.issues)
	}
}

const (
	crowd     = 20
	crowdPage = 30
	crowdTime = 20 * time.Second // promised are 5; a busy machine gets three times as much more
)

// serveCrowd asks for pages of several projects at the same moment.
func serveCrowd(c *exam.C) {
	var projects [2]*project
	for i := range projects {
		projects[i] = newProject(c, shape{issues: crowdPage, labels: [2]int{1, 3}, comments: [2]int{2, 5}, assigned: 60})
	}
	did := fmt.Sprintf("%d clients asked for pages of %d issues at the same moment", crowd, crowdPage)
	answers := make([]*exam.Response, crowd)
	errs := make([]error, crowd)
	c.Burst(crowd, func(i int) {
		client := c.Client(fmt.Sprintf("client %d", i+1))
		answers[i], errs[i] = client.Try(http.MethodGet, projects[i%2].path(""), nil, exam.Timeout(crowdTime))
	})
	late := 0
	for _, err := range errs {
		if err != nil {
			late++
		}
	}
	if late > 0 {
		f := exam.Finding{Did: did, Expected: "each gets its page within 5 seconds", Saw: fmt.Sprintf("%d got none within %s", late, crowdTime)}
		c.Fail(stuckBecause(c, f))
	}
	for i, r := range answers {
		c.Require(r.Status == http.StatusOK, exam.Finding{Did: did, Expected: "each gets 200 OK", Saw: "one got " + r.String()})
		projects[i%2].did = did
		projects[i%2].wants(r, projects[i%2].issues)
	}
}
