package exam

import "time"

// renamePeople gives everybody on the page another name.
func (p *project) renamePeople() string {
	db := p.c.DB()
	seen := map[*person]bool{}
	rename := func(one *person) {
		if one != nil && !seen[one] {
			seen[one] = true
			one.name = p.c.Unique("person")
			db.Exec(`update people set name = $2 where id = $1`, one.id, one.name)
		}
	}
	for _, it := range p.issues {
		rename(it.author)
		rename(it.assignee)
		for _, one := range it.latest() {
			rename(one.author)
		}
	}
	return "every person on it had been given another name"
}

// swapLabels takes all labels from an issue and gives it another.
func (p *project) swapLabels() string {
	db, it := p.c.DB(), p.issues[1]
	had := map[string]bool{}
	for _, name := range it.labels {
		had[name] = true
	}
	name := p.c.Pick(names...)
	for had[name] {
		name = p.c.Pick(names...)
	}
	db.Exec(`delete from issue_labels where issue_id = $1`, it.id)
	db.Exec(`insert into issue_labels (issue_id, label_id) select $1, id from labels where name = $2`, it.id, name)
	it.labels = []string{name}
	return "an issue on it had been given another label"
}

// addComment has somebody write a comment that is newer than the others.
func (p *project) addComment() string {
	db, it := p.c.DB(), p.issues[2]
	one := &comment{author: p.issues[0].author, body: p.c.Words(2), created: it.comments[0].created.Add(time.Minute)}
	one.id = db.Int(`insert into comments (id, issue_id, author_id, body, created_at)
		select max(id) + 1, $1, $2, $3, $4 from comments returning id`, it.id, one.author.id, one.body, one.created)
	it.comments = append([]*comment{one}, it.comments...)
	return "an issue on it had been given another comment"
}

// renameIssue changes an issue itself.
func (p *project) renameIssue() string {
	it := p.issues[3]
	it.title = p.c.Words(4)
	p.c.DB().Exec(`update issues set title = $2 where id = $1`, it.id, it.title)
	return "an issue on it had been given another title"
}
