package claimsdesk

import (
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
)

type note struct {
	ID     int64  `json:"id"`
	Author user   `json:"author"`
	Text   string `json:"text"`
}

const noteQuery = `
	select n.id, json_build_object('id', u.id, 'name', u.name, 'email', u.email, 'role', u.role), n.text
	from notes n join users u on u.id = n.author`

// note finds the note that the path names.
func (s *service) note(r *http.Request) (note, error) {
	id, err := number(r, "note")
	if err != nil {
		return note{}, err
	}
	rows, err := s.pool.Query(r.Context(), noteQuery+` where n.id = $1`, id)
	return one[note](rows, err, errMissing)
}

func (s *service) listNotes(r *http.Request, _ user) (int, any, error) {
	c, err := s.claim(r)
	if err != nil {
		return 0, nil, err
	}
	rows, err := s.pool.Query(r.Context(), noteQuery+` where n.claim = $1 order by n.id`, c.ID)
	if err != nil {
		return 0, nil, fmt.Errorf("list the notes: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[note])
	return http.StatusOK, all, err
}

func (s *service) writeNote(r *http.Request, me user) (int, any, error) {
	c, err := s.claim(r)
	if err != nil {
		return 0, nil, err
	}
	n := note{Author: me}
	if err := decode(r, &n); err != nil {
		return 0, nil, err
	}
	if !between(n.Text, 1, 2000) {
		return 0, nil, bad("text has 1 to 2000 characters")
	}
	err = s.pool.QueryRow(r.Context(), `
		insert into notes (claim, author, text) values ($1, $2, $3) returning id`,
		c.ID, n.Author.ID, n.Text).Scan(&n.ID)
	return http.StatusCreated, n, err
}

func (s *service) showNote(r *http.Request, _ user) (int, any, error) {
	n, err := s.note(r)
	return http.StatusOK, n, err
}

func (s *service) deleteNote(r *http.Request, _ user) (int, any, error) {
	n, err := s.note(r)
	if err != nil {
		return 0, nil, err
	}
	_, err = s.pool.Exec(r.Context(), `delete from notes where id = $1`, n.ID)
	return http.StatusNoContent, nil, err
}
