// Package signup takes in the teams of a relay race. The contract is in task.md.
package signup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

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
	mux.HandleFunc("POST /teams", s.postTeam)
	mux.HandleFunc("GET /teams/{id}", s.getTeam)
	return mux, nil
}

func (s *service) postTeam(w http.ResponseWriter, r *http.Request) {
	var t team
	if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := t.check(); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	id, err := s.store(r.Context(), t)
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	t.ID = id
	w.Header().Set("Location", fmt.Sprintf("/teams/%d", id))
	answer(w, "application/json", http.StatusCreated, t)
}

func (s *service) getTeam(w http.ResponseWriter, r *http.Request) {
	var t team
	var club *string
	err := s.pool.QueryRow(r.Context(), `
		select entry_id, entered_name, contact_mail, home_club, lineup
		from relay_entry where entry_id = $1`, r.PathValue("id")).
		Scan(&t.ID, &t.Name, &t.Email, &club, &t.Runners)
	if errors.Is(err, pgx.ErrNoRows) {
		fail(w, http.StatusNotFound, err.Error())
		return
	}
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	if club != nil {
		t.Club = *club
	}
	answer(w, "application/json", http.StatusOK, t)
}

// store keeps the team and returns its id.
func (s *service) store(ctx context.Context, t team) (id int64, err error) {
	err = s.pool.QueryRow(ctx, `
		insert into relay_entry (entered_name, contact_mail, home_club, lineup)
		values ($1, $2, nullif($3, ''), $4) returning entry_id`,
		t.Name, t.Email, t.Club, t.Runners).Scan(&id)
	return id, err
}
