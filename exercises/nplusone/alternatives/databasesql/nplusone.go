// Package nplusone serves the list of a project's issues, with database/sql,
// lists of placeholders, and the statements side by side.
package nplusone

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

type object = map[string]any

type server struct{ db *sql.DB }

// New connects to the database and returns the service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(6)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /projects/{id}/issues", server{db}.list)
	return mux, db.PingContext(ctx)
}

func (s server) list(w http.ResponseWriter, r *http.Request) {
	reply := func(status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	q := r.URL.Query()
	limit := 50
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 || n > 1000 {
			reply(http.StatusBadRequest, object{"error": "bad limit"})
			return
		}
		limit = n
	}
	state := q.Get("state")
	if state != "" && state != "open" && state != "closed" {
		reply(http.StatusBadRequest, object{"error": "bad state"})
		return
	}
	issues, err := s.issues(r.Context(), r.PathValue("id"), state, limit)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		reply(http.StatusNotFound, object{"error": "not found"})
	case err != nil:
		log.Println("list:", err)
		reply(http.StatusInternalServerError, object{"error": "internal"})
	default:
		reply(http.StatusOK, object{"issues": issues})
	}
}

// issues reads the page first and then, at the same time, all that belongs to it.
func (s server) issues(ctx context.Context, project, state string, limit int) ([]object, error) {
	id, err := strconv.ParseInt(project, 10, 64)
	if err != nil {
		return nil, sql.ErrNoRows
	}
	if err := s.db.QueryRowContext(ctx, `select id from projects where id = $1`, id).Scan(&id); err != nil {
		return nil, err
	}
	text := `select id, title, state, author_id, assignee_id from issues where project_id = $1`
	args := []any{id, limit}
	if state != "" {
		text += ` and state = $3`
		args = append(args, state)
	}
	rows, err := s.db.QueryContext(ctx, text+` order by created_at desc, id desc limit $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	issues, byID := []object{}, map[int64]object{}
	authors, assignees := map[int64]int64{}, map[int64]*int64{}
	for rows.Next() {
		var id, author int64
		var assignee *int64
		var title, state string
		if err := rows.Scan(&id, &title, &state, &author, &assignee); err != nil {
			return nil, err
		}
		it := object{"id": id, "title": title, "state": state, "labels": []string{}, "comments": 0, "latest": []object{}}
		issues, byID[id] = append(issues, it), it
		authors[id], assignees[id] = author, assignee
	}
	if err := rows.Err(); err != nil || len(issues) == 0 {
		return issues, err
	}
	return issues, s.fill(ctx, byID, authors, assignees)
}

// in is a list of placeholders for the ids, and the ids as arguments.
func in[V any](ids map[int64]V) (string, []any) {
	var marks strings.Builder
	var args []any
	for id := range ids {
		args = append(args, id)
		fmt.Fprintf(&marks, ",$%d", len(args))
	}
	return "(" + marks.String()[1:] + ")", args
}

// each runs row for every row of a query.
func (s server) each(ctx context.Context, text string, args []any, row func(*sql.Rows) error) error {
	rows, err := s.db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fill adds what belongs to the issues, each kind of thing in a goroutine that
// sets a field of its own.
func (s server) fill(ctx context.Context, byID map[int64]object, authors map[int64]int64, assignees map[int64]*int64) error {
	marks, args := in(byID)
	labels, counts, latest := map[int64][]string{}, map[int64]int64{}, map[int64][]object{}
	var wg sync.WaitGroup
	var errs [4]error
	wg.Go(func() {
		errs[0] = s.each(ctx, `select issue_id, name from issue_labels join labels on id = label_id
			where issue_id in `+marks+` order by name`, args, func(rows *sql.Rows) error {
			var id int64
			var name string
			err := rows.Scan(&id, &name)
			labels[id] = append(labels[id], name)
			return err
		})
	})
	wg.Go(func() {
		errs[1] = s.each(ctx, `select issue_id, count(*) from comments where issue_id in `+marks+` group by issue_id`, args, func(rows *sql.Rows) error {
			var id, n int64
			err := rows.Scan(&id, &n)
			counts[id] = n
			return err
		})
	})
	wg.Go(func() { errs[2] = s.comments(ctx, marks, args, latest) })
	wg.Go(func() { errs[3] = s.people(ctx, byID, authors, assignees) })
	wg.Wait()
	for id, it := range byID {
		it["comments"] = counts[id]
		if labels[id] != nil {
			it["labels"] = labels[id]
		}
		if latest[id] != nil {
			it["latest"] = latest[id]
		}
	}
	return errors.Join(errs[:]...)
}

func (s server) comments(ctx context.Context, marks string, args []any, latest map[int64][]object) error {
	return s.each(ctx, `select issue_id, c.id, body, p.id, name from (
			select *, rank() over (partition by issue_id order by created_at desc, id desc) from comments
			where issue_id in `+marks+`) c
		join people p on p.id = author_id where rank < 4 order by created_at desc, c.id desc`, args, func(rows *sql.Rows) error {
		var id, comment, author int64
		var body, name string
		err := rows.Scan(&id, &comment, &body, &author, &name)
		latest[id] = append(latest[id], object{
			"id": comment, "body": body, "author": object{"id": author, "name": name}})
		return err
	})
}

func (s server) people(ctx context.Context, byID map[int64]object, authors map[int64]int64, assignees map[int64]*int64) error {
	people := map[int64]object{}
	for _, id := range authors {
		people[id] = nil
	}
	for _, id := range assignees {
		if id != nil {
			people[*id] = nil
		}
	}
	marks, args := in(people)
	err := s.each(ctx, `select id, name from people where id in `+marks, args, func(rows *sql.Rows) error {
		var id int64
		var name string
		err := rows.Scan(&id, &name)
		people[id] = object{"id": id, "name": name}
		return err
	})
	for id, it := range byID {
		it["author"], it["assignee"] = people[authors[id]], nil
		if p := assignees[id]; p != nil {
			it["assignee"] = people[*p]
		}
	}
	return err
}
