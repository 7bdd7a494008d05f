// Package nplusone serves the list of a project's issues with all that a page
// shows of each.
package nplusone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	defaultLimit = 50
	maxLimit     = 1000
)

var (
	errProject = errors.New("no such project")
	errLimit   = errors.New("limit must be a whole number from 1 to 1000")
	errState   = errors.New("state must be open or closed")
)

type person struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type comment struct {
	ID     int64  `json:"id"`
	Author person `json:"author"`
	Body   string `json:"body"`
}

type issue struct {
	ID       int64     `json:"id"`
	Title    string    `json:"title"`
	State    string    `json:"state"`
	Author   person    `json:"author"`
	Assignee *person   `json:"assignee"`
	Labels   []string  `json:"labels"`
	Comments int       `json:"comments"`
	Latest   []comment `json:"latest"`
}

// query is what a caller may ask for. An empty state means both.
type query struct {
	project int64
	state   string
	limit   int
}

type service struct {
	pool *pgxpool.Pool
}

// New connects to the database and returns the service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("make the connection pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	s := &service{pool: pool}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /projects/{id}/issues", s.listIssues)
	return mux, nil
}

// pageOf finds the page; each statement of the batch begins with it.
const pageOf = `
	with page as materialized (
		select * from issues
		where project_id = $1 and ($2::text is null or state = $2)
		order by created_at desc, id desc
		limit $3
	)`

const (
	projectSQL = `select count(*) = 1 from projects where id = $1`

	peopleSQL = pageOf + `, these as (
			select author_id as id from page
			union select assignee_id from page
			union select c.author_id from page, lateral (
				select author_id from comments where issue_id = page.id
				order by created_at desc, id desc limit 3) c)
		select id, name from people where id in (select id from these)`

	issuesSQL = pageOf + `
		select page.id, title, state, page.author_id, assignee_id, count(c.id)
		from page left join comments c on c.issue_id = page.id
		group by page.id, title, state, page.author_id, assignee_id, page.created_at
		order by page.created_at desc, page.id desc`

	labelsSQL = pageOf + `
		select il.issue_id, l.name
		from page join issue_labels il on il.issue_id = page.id join labels l on l.id = il.label_id
		order by l.name`

	latestSQL = pageOf + `, numbered as (
			select c.*, row_number() over (partition by c.issue_id order by c.created_at desc, c.id desc) as n
			from comments c where c.issue_id in (select id from page))
		select issue_id, id, body, author_id from numbered where n <= 3 order by issue_id, n`
)

// sheet is a page while the answers of the batch come in.
type sheet struct {
	known  bool
	people map[int64]person
	issues []*issue
	byID   map[int64]*issue
}

// page asks for everything in one batch, in a transaction that sees one moment,
// so that all statements find the same page.
func (s *service) page(ctx context.Context, q query) ([]*issue, error) {
	var state *string
	if q.state != "" {
		state = &q.state
	}
	p := sheet{people: map[int64]person{}, issues: []*issue{}, byID: map[int64]*issue{}}
	batch := &pgx.Batch{}
	batch.Queue(projectSQL, q.project).QueryRow(func(row pgx.Row) error { return row.Scan(&p.known) })
	batch.Queue(peopleSQL, q.project, state, q.limit).Query(p.addPeople)
	batch.Queue(issuesSQL, q.project, state, q.limit).Query(p.addIssues)
	batch.Queue(labelsSQL, q.project, state, q.limit).Query(p.addLabels)
	batch.Queue(latestSQL, q.project, state, q.limit).Query(p.addLatest)
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	if !p.known {
		return nil, errProject
	}
	return p.issues, nil
}

func (p *sheet) addPeople(rows pgx.Rows) error {
	var one person
	_, err := pgx.ForEachRow(rows, []any{&one.ID, &one.Name}, func() error {
		p.people[one.ID] = one
		return nil
	})
	return err
}

func (p *sheet) addIssues(rows pgx.Rows) error {
	for rows.Next() {
		it := &issue{Labels: []string{}, Latest: []comment{}}
		var author int64
		var assignee *int64
		if err := rows.Scan(&it.ID, &it.Title, &it.State, &author, &assignee, &it.Comments); err != nil {
			return err
		}
		it.Author = p.people[author]
		if assignee != nil {
			someone := p.people[*assignee]
			it.Assignee = &someone
		}
		p.issues, p.byID[it.ID] = append(p.issues, it), it
	}
	return rows.Err()
}

func (p *sheet) addLabels(rows pgx.Rows) error {
	var id int64
	var name string
	_, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		p.byID[id].Labels = append(p.byID[id].Labels, name)
		return nil
	})
	return err
}

func (p *sheet) addLatest(rows pgx.Rows) error {
	var id, author int64
	var one comment
	_, err := pgx.ForEachRow(rows, []any{&id, &one.ID, &one.Body, &author}, func() error {
		one.Author = p.people[author]
		p.byID[id].Latest = append(p.byID[id].Latest, one)
		return nil
	})
	return err
}

func (s *service) listIssues(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.PathValue("id"), r.URL.Query())
	if err != nil {
		writeError(w, r, err)
		return
	}
	issues, err := s.page(r.Context(), q)
	if err != nil {
		writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"issues": issues})
}

// parseQuery reads what the caller wants. What is no number names no project.
func parseQuery(id string, params url.Values) (query, error) {
	q := query{state: params.Get("state"), limit: defaultLimit}
	var err error
	if q.project, err = strconv.ParseInt(id, 10, 64); err != nil {
		return q, errProject
	}
	if params.Has("limit") {
		q.limit, err = strconv.Atoi(params.Get("limit"))
		if err != nil || q.limit < 1 || q.limit > maxLimit {
			return q, errLimit
		}
	}
	if params.Has("state") && q.state != "open" && q.state != "closed" {
		return q, errState
	}
	return q, nil
}

// writeError answers with the status that err stands for. What the caller can
// do nothing about goes to the log and not to the caller.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errProject):
		status = http.StatusNotFound
	case errors.Is(err, errLimit), errors.Is(err, errState):
		status = http.StatusBadRequest
	default:
		slog.ErrorContext(r.Context(), "request failed",
			"method", r.Method, "path", r.URL.Path, "error", err)
		err = errors.New("internal error")
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
