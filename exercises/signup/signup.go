// Package signup takes in the teams of a relay race. Every refusal is a problem
// document (RFC 9457) that names all that is wrong and nothing of the inside.
package signup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	maxBody = 1 << 20

	// patience is how long PostgreSQL has; a caller is answered in 5 seconds.
	patience = 4 * time.Second

	nameKey = "relay_entry_entered_name_key"
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
	mux.Handle("POST /teams", handler(s.postTeam))
	mux.Handle("GET /teams/{id}", handler(s.getTeam))
	mux.Handle("/teams", onlyWith("POST"))
	mux.Handle("/teams/{id}", onlyWith("GET, HEAD"))
	mux.Handle("/", handler(func(http.ResponseWriter, *http.Request) error {
		return plain(http.StatusNotFound, "There is nothing at this path.")
	}))
	return mux, nil
}

// handler answers a request, or returns why it did not. A *problem goes to the
// caller as it is; any other error goes to the log.
type handler func(http.ResponseWriter, *http.Request) error

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h(w, r)
	if err == nil {
		return
	}
	var p *problem
	if errors.As(err, &p) {
		p.send(w)
		return
	}
	p = plain(http.StatusInternalServerError, "Something went wrong here. It is not your fault.")
	if errors.Is(err, errAway) {
		p = plain(http.StatusServiceUnavailable, "Teams cannot be stored or read just now. Try again in a moment.").
			with("Retry-After", "2")
	}
	p.send(w)
	slog.ErrorContext(r.Context(), "request failed",
		"instance", p.Instance, "method", r.Method, "path", r.URL.Path, "error", err)
}

func onlyWith(methods string) http.Handler {
	return handler(func(http.ResponseWriter, *http.Request) error {
		return plain(http.StatusMethodNotAllowed, "This path takes other methods; see Allow.").with("Allow", methods)
	})
}

func (s *service) postTeam(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	doc, err := readDocument(body)
	if err != nil {
		return err
	}
	t, errs := judgeTeam(doc)
	if len(errs) > 0 {
		return invalid(errs)
	}
	if t.ID, err = s.store(r.Context(), t); err != nil {
		return err
	}
	w.Header().Set("Location", fmt.Sprintf("/teams/%d", t.ID))
	answer(w, "application/json", http.StatusCreated, t)
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, plain(http.StatusUnsupportedMediaType, "Send the team as application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, plain(http.StatusRequestEntityTooLarge,
			fmt.Sprintf("A team has at most %d bytes.", maxBody))
	}
	if err != nil {
		return nil, malformed("The body broke off.")
	}
	return body, nil
}

func (s *service) getTeam(w http.ResponseWriter, r *http.Request) error {
	unknown := plain(http.StatusNotFound, "There is no such team.")
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return unknown // what is no number names no team
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	t := team{ID: id}
	var club *string
	err = s.pool.QueryRow(ctx, `
		select entered_name, contact_mail, home_club, lineup
		from relay_entry where entry_id = $1`, id).
		Scan(&t.Name, &t.Email, &club, &t.Runners)
	if errors.Is(err, pgx.ErrNoRows) {
		return unknown
	}
	if err != nil {
		return failure("read the team", err)
	}
	if club != nil {
		t.Club = *club
	}
	answer(w, "application/json", http.StatusOK, t)
	return nil
}

// store keeps the team and returns its id. Whether the name is free is for the
// constraint to say: a look beforehand would be out of date when it counts.
func (s *service) store(ctx context.Context, t team) (id int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = s.pool.QueryRow(ctx, `
		insert into relay_entry (entered_name, contact_mail, home_club, lineup)
		values ($1, $2, nullif($3, ''), $4) returning entry_id`,
		t.Name, t.Email, t.Club, t.Runners).Scan(&id)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.ConstraintName == nameKey {
		return 0, nameTaken()
	}
	if err != nil {
		return 0, failure("store the team", err)
	}
	return id, nil
}

var errAway = errors.New("PostgreSQL did not answer")

// failure wraps an error of the database with what was being done. It is errAway
// unless PostgreSQL itself said no.
func failure(doing string, err error) error {
	if refused := new(pgconn.PgError); errors.As(err, &refused) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, errAway, err)
}
