package claimsdesk

import (
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
)

// note is a row with its author's name.
type note struct {
	ID         int64
	Author     int64
	AuthorName string
	Text       string
}

type noteView struct {
	ID     int64      `json:"id"`
	Author authorView `json:"author"`
	Text   string     `json:"text"`
}

// authorView is what whoever may read a note learns of its author.
type authorView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (n note) view() noteView {
	return noteView{ID: n.ID, Author: authorView{n.Author, n.AuthorName}, Text: n.Text}
}

// note finds the note that the path names, in the claim that the path names, if me
// may see that claim.
func (s *service) note(r *http.Request, me user) (note, error) {
	c, err := s.claim(r, me)
	if err != nil {
		return note{}, err
	}
	id, err := number(r, "note")
	if err != nil {
		return note{}, err
	}
	rows, err := s.pool.Query(r.Context(), `
		select n.id, u.id, u.name, n.text
		from notes n join users u on u.id = n.author
		where n.id = $1 and n.claim = $2`, id, c.ID)
	return one[note](rows, err, errMissing)
}

func (s *service) listNotes(r *http.Request, me user) (int, any, error) {
	c, err := s.claim(r, me)
	if err != nil {
		return 0, nil, err
	}
	rows, err := s.pool.Query(r.Context(), `
		select n.id, u.id, u.name, n.text
		from notes n join users u on u.id = n.author
		where n.claim = $1 order by n.id`, c.ID)
	if err != nil {
		return 0, nil, fmt.Errorf("list the notes: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[note])
	views := make([]noteView, len(found))
	for i, n := range found {
		views[i] = n.view()
	}
	return http.StatusOK, views, err
}

func (s *service) writeNote(r *http.Request, me user) (int, any, error) {
	c, err := s.claim(r, me)
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Text string `json:"text"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if !between(in.Text, 1, 2000) {
		return 0, nil, bad("text has 1 to 2000 characters")
	}
	n := note{Author: me.ID, AuthorName: me.Name, Text: in.Text}
	err = s.pool.QueryRow(r.Context(), `
		insert into notes (claim, author, text) values ($1, $2, $3) returning id`,
		c.ID, me.ID, in.Text).Scan(&n.ID)
	return http.StatusCreated, n.view(), err
}

func (s *service) showNote(r *http.Request, me user) (int, any, error) {
	n, err := s.note(r, me)
	return http.StatusOK, n.view(), err
}

func (s *service) deleteNote(r *http.Request, me user) (int, any, error) {
	n, err := s.note(r, me)
	if err != nil {
		return 0, nil, err
	}
	if n.Author != me.ID {
		return 0, nil, errForbidden
	}
	return s.deleted(r.Context(), `delete from notes where id = $1 and author = $2`, n.ID, me.ID)
}
