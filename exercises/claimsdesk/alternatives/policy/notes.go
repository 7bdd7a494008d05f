package claimsdesk

import "github.com/jackc/pgx/v5"

// Author is what readers of a note learn of who wrote it.
type Author struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Note is a note as it is shown.
type Note struct {
	ID     int64  `json:"id"`
	Author Author `json:"author"`
	Text   string `json:"text"`
}

const selectNotes = `
	select n.id, json_build_object('id', u.id, 'name', u.name) as author, n.text
	from notes n join users u on u.id = n.author where n.claim = $1`

func listNotes(q *request) (int, any, error) {
	rows, err := q.tx.Query(q.Context(), selectNotes+` order by n.id`, q.claim.ID)
	if err != nil {
		return 0, nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Note])
	return 200, all, err
}

func createNote(q *request) (int, any, error) {
	var b struct{ Text string }
	if err := q.body(&b); err != nil || !length(b.Text, 1, 2000) {
		return 0, nil, errBad
	}
	n := Note{Author: Author{q.me.ID, q.me.Name}, Text: b.Text}
	err := q.tx.QueryRow(q.Context(), `insert into notes (claim, author, text) values ($1, $2, $3) returning id`,
		q.claim.ID, q.me.ID, b.Text).Scan(&n.ID)
	return 201, n, err
}

func showNote(q *request) (int, any, error) { return 200, q.note, nil }

func deleteNote(q *request) (int, any, error) {
	_, err := q.tx.Exec(q.Context(), `delete from notes where id = $1`, q.note.ID)
	return 204, nil, err
}
