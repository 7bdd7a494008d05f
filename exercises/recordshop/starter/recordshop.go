// Package recordshop serves the catalogues of record shops, all of them from one
// database.
package recordshop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// refusal is an error that the caller can do something about.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

func bad(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func missing(what string) error {
	return refusal{http.StatusNotFound, "no such " + what}
}

type record struct {
	ID     int64  `json:"id"`
	Artist string `json:"artist"`
	Title  string `json:"title"`
	Year   int    `json:"year"`
	Price  int    `json:"price"`
}

// fields are what a caller sends of a record; nil is absent.
type fields struct {
	Artist *string `json:"artist"`
	Title  *string `json:"title"`
	Year   *int    `json:"year"`
	Price  *int    `json:"price"`
}

type search struct {
	Q     string `json:"q"`
	Sort  string `json:"sort"`
	Order string `json:"order"`
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
	mux.HandleFunc("GET /records", route(s.listRecords))
	mux.HandleFunc("POST /records", route(s.postRecord))
	mux.HandleFunc("GET /records/{id}", route(s.getRecord))
	mux.HandleFunc("PATCH /records/{id}", route(s.patchRecord))
	mux.HandleFunc("PUT /searches/{name}", route(s.putSearch))
	mux.HandleFunc("GET /searches/{name}/records", route(s.listFound))
	return mux, nil
}

func (s *service) listRecords(r *http.Request, shop string) (int, any, error) {
	query := r.URL.Query()
	wanted := search{Q: query.Get("q"), Sort: query.Get("sort"), Order: query.Get("order")}
	return s.list(r, shop, wanted)
}

// listFound runs a saved search.
func (s *service) listFound(r *http.Request, shop string) (int, any, error) {
	var saved search
	err := s.pool.QueryRow(r.Context(), fmt.Sprintf(`
		select q, sort, direction from searches
		where shop = '%s' and name = '%s'`, shop, r.PathValue("name"))).
		Scan(&saved.Q, &saved.Sort, &saved.Order)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, missing("search")
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read the search: %w", err)
	}
	return s.list(r, shop, saved)
}

// list answers with the records of a shop that match a search.
func (s *service) list(r *http.Request, shop string, wanted search) (int, any, error) {
	query := r.URL.Query()
	sql := fmt.Sprintf(`
		select id, artist, title, year, price from records
		where shop = '%s' and (artist ilike '%%%s%%' or title ilike '%%%s%%')`,
		shop, wanted.Q, wanted.Q)
	if artists := strings.Join(query["artist"], "', '"); artists != "" {
		sql += fmt.Sprintf(" and artist in ('%s')", artists)
	}
	sql += fmt.Sprintf(" order by %s %s, id", or(wanted.Sort, "id"), wanted.Order)
	sql += fmt.Sprintf(" limit %s offset %s",
		or(query.Get("limit"), "20"), or(query.Get("offset"), "0"))
	rows, err := s.pool.Query(r.Context(), sql)
	if err != nil {
		return 0, nil, fmt.Errorf("search: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[record])
	if err != nil {
		return 0, nil, fmt.Errorf("search: %w", err)
	}
	return http.StatusOK, found, nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (s *service) postRecord(r *http.Request, shop string) (int, any, error) {
	var in fields
	if err := in.read(r); err != nil {
		return 0, nil, err
	}
	if in.Artist == nil || in.Title == nil || in.Year == nil || in.Price == nil {
		return 0, nil, bad("a record has artist, title, year and price")
	}
	rows, err := s.pool.Query(r.Context(), fmt.Sprintf(`
		insert into records (shop, artist, title, year, price)
		values ('%s', '%s', '%s', %d, %d)
		returning id, artist, title, year, price`,
		shop, *in.Artist, *in.Title, *in.Year, *in.Price))
	return one(http.StatusCreated, rows, err)
}

func (s *service) getRecord(r *http.Request, shop string) (int, any, error) {
	rows, err := s.pool.Query(r.Context(), fmt.Sprintf(`
		select id, artist, title, year, price from records
		where shop = '%s' and id = %s`, shop, r.PathValue("id")))
	return one(http.StatusOK, rows, err)
}

func (s *service) patchRecord(r *http.Request, shop string) (int, any, error) {
	var in map[string]any
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	var changes []string
	for name, value := range in {
		changes = append(changes, fmt.Sprintf("%s = '%v'", name, value))
	}
	rows, err := s.pool.Query(r.Context(), fmt.Sprintf(`
		update records set %s
		where shop = '%s' and id = %s
		returning id, artist, title, year, price`,
		strings.Join(changes, ", "), shop, r.PathValue("id")))
	return one(http.StatusOK, rows, err)
}

func (s *service) putSearch(r *http.Request, shop string) (int, any, error) {
	var in search
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	_, err := s.pool.Exec(r.Context(), fmt.Sprintf(`
		insert into searches (shop, name, q, sort, direction)
		values ('%s', '%s', '%s', '%s', '%s')
		on conflict (shop, name) do update
		set q = excluded.q, sort = excluded.sort, direction = excluded.direction`,
		shop, r.PathValue("name"), in.Q, in.Sort, in.Order))
	if err != nil {
		return 0, nil, fmt.Errorf("save the search: %w", err)
	}
	return http.StatusNoContent, nil, nil
}

// one answers with the only record of a result.
func one(status int, rows pgx.Rows, err error) (int, any, error) {
	if err != nil {
		return 0, nil, err
	}
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[record])
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, missing("record")
	}
	return status, got, err
}

// read decodes and checks the fields that a caller sent.
func (f *fields) read(r *http.Request) error {
	if err := decode(r, f); err != nil {
		return err
	}
	for name, text := range map[string]*string{"artist": f.Artist, "title": f.Title} {
		if text == nil {
			continue
		}
		if n := utf8.RuneCountInString(*text); n < 1 || n > 200 {
			return bad("%s has 1 to 200 characters", name)
		}
	}
	if f.Year != nil && (*f.Year < 1 || *f.Year > 9999) {
		return bad("year is from 1 to 9999")
	}
	if f.Price != nil && (*f.Price < 0 || *f.Price > 1_000_000) {
		return bad("price is from 0 to 1000000 cents")
	}
	return nil
}

func decode(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bad("the body is not what it should be")
	}
	return nil
}

// route makes a handler: it finds the shop and writes what comes back.
func route(handle func(*http.Request, string) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		shop := r.Header.Get("X-Shop")
		if shop == "" {
			writeJSON(w, http.StatusBadRequest, failure("X-Shop is missing"))
			return
		}
		status, body, err := handle(r, shop)
		var refused refusal
		switch {
		case errors.As(err, &refused):
			status, body = refused.status, failure(refused.text)
		case err != nil:
			slog.ErrorContext(r.Context(), "request failed",
				"method", r.Method, "path", r.URL.Path, "error", err)
			status, body = http.StatusInternalServerError, failure(err.Error())
		}
		writeJSON(w, status, body)
	}
}

func failure(text string) map[string]string { return map[string]string{"error": text} }

func writeJSON(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
