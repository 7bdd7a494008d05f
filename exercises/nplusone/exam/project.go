package exam

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// What a project holds, as the examiner made it. Nothing of it is read back from
// the database: the expected page is computed from this.
type project struct {
	c       *exam.C
	id      int64
	issues  []*issue // newest first
	shape   shape
	did     string // what findings say was done; the last request if empty
	changed string // what was changed since the page was read before
}

type issue struct {
	id, project  int64
	title, state string
	author       *person
	assignee     *person // nil where nobody is assigned
	labels       []string
	comments     []*comment // newest first
	created      time.Time
}

type person struct {
	id   int64
	name string
}

type comment struct {
	id      int64
	author  *person
	body    string
	created time.Time
}

// shape says what a project is to be like: from how many to how many labels and
// comments each issue has, and in how many of a hundred somebody is assigned. The
// first two of four lack something, if lacking says what.
type shape struct {
	issues           int
	labels, comments [2]int
	assigned         int
	lacking          string
}

// names are what labels are called; made of a to z, so that every collation
// agrees on their order.
var names = strings.Fields(`api backend billing blocked bug build chore cleanup crash
	deploy design docs easy export feature frontend help import infra invalid later login
	mobile performance question regression release security stale testing triage urgent
	wontfix`)

// newProject makes a project and stores it.
func newProject(c *exam.C, s shape) *project {
	db := c.DB()
	p := &project{c: c, shape: s}
	p.id = db.Int(`insert into projects (name) values ($1) returning id`, c.Unique("project"))
	people := newPeople(c, max(4, s.issues/8))
	first := db.Int(`select coalesce(max(id), 0) from issues`) + int64(c.Int(100, 999))
	firstComment := db.Int(`select coalesce(max(id), 0) from comments`) + int64(c.Int(1000, 9999))
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	rand := c.Rand()
	between := func(b [2]int) int { return b[0] + rand.IntN(b[1]-b[0]+1) }
	for i := range s.issues {
		it := &issue{
			id: first + int64(i), project: p.id, title: c.Words(3), state: "open",
			author: people[rand.IntN(len(people))],
			// Some share their moment with another, and none is as old as its id.
			created: start.Add(time.Duration(rand.IntN(s.issues/2+1)) * time.Hour),
		}
		if i%3 == 2 {
			it.state = "closed"
		}
		lacks := s.lacking != "" && i%4 < 2
		if rand.IntN(100) < s.assigned || s.assigned == 50 && !lacks {
			it.assignee = people[rand.IntN(len(people))]
		}
		if s.assigned == 50 && lacks {
			it.assignee = nil
		}
		if !lacks || s.lacking != "labels" {
			for _, k := range rand.Perm(len(names))[:between(s.labels)] {
				it.labels = append(it.labels, names[k])
			}
			slices.Sort(it.labels)
		}
		if !lacks || s.lacking != "comments" {
			for range between(s.comments) {
				firstComment++
				it.comments = append(it.comments, &comment{
					id: firstComment, author: people[rand.IntN(len(people))], body: c.Words(2),
					created: it.created.Add(time.Duration(rand.IntN(5)) * time.Minute),
				})
			}
		}
		p.issues = append(p.issues, it)
	}
	p.sort()
	if s.issues > 0 && s.assigned > 50 && p.issues[0].assignee == nil {
		p.issues[0].assignee = people[0] // so that a page of any length has one
	}
	p.store(people)
	return p
}

func newPeople(c *exam.C, n int) []*person {
	first := c.DB().Int(`select coalesce(max(id), 0) from people`) + int64(c.Int(10, 99))
	people := make([]*person, n)
	for i := range people {
		people[i] = &person{id: first + int64(i), name: c.Unique("person")}
	}
	return people
}

// sort puts issues and comments into the order of the page.
func (p *project) sort() {
	slices.SortFunc(p.issues, func(a, b *issue) int { return newest(a.created, b.created, a.id, b.id) })
	for _, it := range p.issues {
		slices.SortFunc(it.comments, func(a, b *comment) int { return newest(a.created, b.created, a.id, b.id) })
	}
}

func newest(a, b time.Time, aID, bID int64) int {
	if d := b.Compare(a); d != 0 {
		return d
	}
	return int(bID - aID)
}

// store writes it all with one statement for each table.
func (p *project) store(people []*person) {
	db := p.c.DB()
	var ids, authors, assignees, commentIDs, commentIssues, commentAuthors, labelIssues, personIDs []int64
	var titles, states, bodies, labels, personNames []string
	var created, commentCreated []time.Time
	for _, one := range people {
		personIDs, personNames = append(personIDs, one.id), append(personNames, one.name)
	}
	rand := p.c.Rand()
	shuffled := slices.Clone(p.issues) // so that the order on the disk helps nobody
	rand.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	for _, it := range shuffled {
		ids, titles, states = append(ids, it.id), append(titles, it.title), append(states, it.state)
		authors, created = append(authors, it.author.id), append(created, it.created)
		assignee := int64(0)
		if it.assignee != nil {
			assignee = it.assignee.id
		}
		assignees = append(assignees, assignee)
		for _, name := range it.labels {
			labelIssues, labels = append(labelIssues, it.id), append(labels, name)
		}
		for _, k := range rand.Perm(len(it.comments)) {
			one := it.comments[k]
			commentIDs, commentIssues = append(commentIDs, one.id), append(commentIssues, it.id)
			commentAuthors, bodies = append(commentAuthors, one.author.id), append(bodies, one.body)
			commentCreated = append(commentCreated, one.created)
		}
	}
	db.Exec(`insert into people (id, name) select * from unnest($1::bigint[], $2::text[])`, personIDs, personNames)
	db.Exec(`insert into issues (id, project_id, title, state, author_id, assignee_id, created_at)
		select id, $1, title, state, author, nullif(assignee, 0), created
		from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[])
			as t (id, title, state, author, assignee, created)`, p.id, ids, titles, states, authors, assignees, created)
	db.Exec(`insert into labels (name) select unnest($1::text[]) on conflict do nothing`, names)
	db.Exec(`insert into issue_labels (issue_id, label_id)
		select t.issue, l.id from unnest($1::bigint[], $2::text[]) as t (issue, name) join labels l on l.name = t.name`, labelIssues, labels)
	db.Exec(`insert into comments (id, issue_id, author_id, body, created_at)
		select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[])`,
		commentIDs, commentIssues, commentAuthors, bodies, commentCreated)
}

func (p *project) path(query string) string { return fmt.Sprintf("/projects/%d/issues%s", p.id, query) }

// in is the issues in a state.
func (p *project) in(state string) []*issue {
	return slices.DeleteFunc(slices.Clone(p.issues), func(it *issue) bool { return it.state != state })
}

// latest is the comments that the page shows.
func (it *issue) latest() []*comment { return it.comments[:min(3, len(it.comments))] }

// things is how many things the page of these issues shows.
func things(issues []*issue) int {
	n := 0
	for _, it := range issues {
		n += 3 + len(it.labels) + 2*len(it.latest()) // itself, its author, its number of comments
		if it.assignee != nil {
			n++
		}
	}
	return n
}
