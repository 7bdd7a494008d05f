// Package nplusone serves the list of a project's issues. PostgreSQL writes the
// page itself; the program passes it on.
package nplusone

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const page = `
	select json_build_object('issues', coalesce(
		json_agg(i.shown order by i.created_at desc, i.id desc) filter (where i.id is not null), '[]'))::text
	from projects p
	left join lateral (
		select i.id, i.created_at, json_build_object(
			'id', i.id, 'title', i.title, 'state', i.state,
			'author', json_build_object('id', a.id, 'name', a.name),
			'assignee', case when b.id is not null then json_build_object('id', b.id, 'name', b.name) end,
			'labels', (
				select coalesce(json_agg(l.name order by l.name), '[]')
				from issue_labels il join labels l on l.id = il.label_id
				where il.issue_id = i.id),
			'comments', (select count(*) from comments c where c.issue_id = i.id),
			'latest', (
				select coalesce(json_agg(json_build_object('id', c.id, 'body', c.body,
					'author', json_build_object('id', w.id, 'name', w.name))
					order by c.created_at desc, c.id desc), '[]')
				from (
					select * from comments where issue_id = i.id
					order by created_at desc, id desc limit 3) c
				join people w on w.id = c.author_id)) as shown
		from issues i
		join people a on a.id = i.author_id
		left join people b on b.id = i.assignee_id
		where i.project_id = p.id and i.state = any ($2::text[])
		order by i.created_at desc, i.id desc
		limit $3) i on true
	where p.id = $1
	group by p.id`

// New connects to the database and returns the service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("make the connection pool: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /projects/{id}/issues", func(w http.ResponseWriter, r *http.Request) {
		status, body := list(r.Context(), pool, r)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintln(w, body)
	})
	return mux, pool.Ping(ctx)
}

func list(ctx context.Context, pool *pgxpool.Pool, r *http.Request) (int, string) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return http.StatusNotFound, `{"error":"projects have numbers"}`
	}
	states := []string{"open", "closed"}
	if s := r.FormValue("state"); s == "open" || s == "closed" {
		states = []string{s}
	} else if s != "" {
		return http.StatusBadRequest, `{"error":"state is open or closed"}`
	}
	limit := 50
	if s := r.FormValue("limit"); s != "" {
		limit, err = strconv.Atoi(s)
		if err != nil || limit < 1 || limit > 1000 {
			return http.StatusBadRequest, `{"error":"limit is 1 to 1000"}`
		}
	}
	var body string
	err = pool.QueryRow(ctx, page, id, states, limit).Scan(&body)
	if errors.Is(err, pgx.ErrNoRows) {
		return http.StatusNotFound, `{"error":"unknown project"}`
	}
	if err != nil {
		log.Print("list issues: ", err)
		return http.StatusInternalServerError, `{"error":"something went wrong"}`
	}
	return http.StatusOK, body
}
