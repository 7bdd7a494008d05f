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

// page reads one page of issues and what belongs to them: one statement for the
// issues themselves, and one for each kind of thing that an issue has several of.
func (s *service) page(ctx context.Context, q query) ([]*issue, error) {
	var known bool
	err := s.pool.QueryRow(ctx,
		`select exists (select from projects where id = $1)`, q.project).Scan(&known)
	if err != nil {
		return nil, fmt.Errorf("look for the project: %w", err)
	}
	if !known {
		return nil, errProject
	}
	issues, err := s.issues(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read the issues: %w", err)
	}
	ids := make([]int64, len(issues))
	byID := make(map[int64]*issue, len(issues))
	for i, it := range issues {
		ids[i], byID[it.ID] = it.ID, it
	}
	if err := s.addLabels(ctx, ids, byID); err != nil {
		return nil, fmt.Errorf("read the labels: %w", err)
	}
	if err := s.addLatest(ctx, ids, byID); err != nil {
		return nil, fmt.Errorf("read the comments: %w", err)
	}
	return issues, nil
}

// issues reads the page with the people of each issue, in the order of the page.
func (s *service) issues(ctx context.Context, q query) ([]*issue, error) {
	rows, err := s.pool.Query(ctx, `
		select i.id, i.title, i.state, a.id, a.name, b.id, b.name,
		       (select count(*) from comments c where c.issue_id = i.id)
		from issues i
		join people a on a.id = i.author_id
		left join people b on b.id = i.assignee_id
		where i.project_id = $1 and ($2 = '' or i.state = $2)
		order by i.created_at desc, i.id desc
		limit $3`, q.project, q.state, q.limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*issue, error) {
		it := &issue{Labels: []string{}, Latest: []comment{}}
		var assignee *int64
		var name *string
		err := row.Scan(&it.ID, &it.Title, &it.State, &it.Author.ID, &it.Author.Name,
			&assignee, &name, &it.Comments)
		if assignee != nil {
			it.Assignee = &person{ID: *assignee, Name: *name}
		}
		return it, err
	})
}

// addLabels gives each issue its labels, by name.
func (s *service) addLabels(ctx context.Context, ids []int64, byID map[int64]*issue) error {
	rows, err := s.pool.Query(ctx, `
		select il.issue_id, l.name
		from issue_labels il
		join labels l on l.id = il.label_id
		where il.issue_id = any($1)
		order by il.issue_id, l.name`, ids)
	if err != nil {
		return err
	}
	var id int64
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		byID[id].Labels = append(byID[id].Labels, name)
		return nil
	})
	return err
}

// addLatest gives each issue its three latest comments, the newest first. The
// limit is within the lateral subquery, so it counts for each issue anew.
func (s *service) addLatest(ctx context.Context, ids []int64, byID map[int64]*issue) error {
	rows, err := s.pool.Query(ctx, `
		select i.id, c.id, c.body, p.id, p.name
		from unnest($1::bigint[]) as i (id)
		cross join lateral (
			select * from comments
			where comments.issue_id = i.id
			order by created_at desc, id desc
			limit 3
		) as c
		join people p on p.id = c.author_id
		order by i.id, c.created_at desc, c.id desc`, ids)
	if err != nil {
		return err
	}
	var id int64
	var one comment
	_, err = pgx.ForEachRow(rows, []any{&id, &one.ID, &one.Body, &one.Author.ID, &one.Author.Name}, func() error {
		byID[id].Latest = append(byID[id].Latest, one)
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
