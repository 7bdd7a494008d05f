// Package recordshop serves the catalogues of record shops, all of them from one
// database.
package recordshop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// What a list may be sorted by, and which way. These texts are the only ones that
// ever become a part of a statement.
var (
	sortColumns = map[string]string{
		"": "id", "id": "id", "artist": "artist", "title": "title",
		"year": "year", "price": "price",
	}
	directions = map[string]string{"": "asc", "asc": "asc", "desc": "desc"}
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

// fields are what a caller may set of a record; nil is left as it is.
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
	if err := wanted.check(); err != nil {
		return 0, nil, err
	}
	return s.list(r, shop, wanted)
}

// listFound runs a saved search. What was stored is checked like what was sent:
// an older version of this program stored whatever came.
func (s *service) listFound(r *http.Request, shop string) (int, any, error) {
	name := r.PathValue("name")
	if err := checkText("name", name, 100); err != nil {
		return 0, nil, err
	}
	var saved search
	err := s.pool.QueryRow(r.Context(), `
		select q, sort, direction from searches
		where shop = $1 and name = $2`, shop, name).Scan(&saved.Q, &saved.Sort, &saved.Order)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, missing("search")
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read the search: %w", err)
	}
	if sortColumns[saved.Sort] == "" {
		saved.Sort = ""
	}
	if directions[saved.Order] == "" {
		saved.Order = ""
	}
	return s.list(r, shop, saved)
}

// list answers with the records of a shop that match a checked search.
func (s *service) list(r *http.Request, shop string, wanted search) (int, any, error) {
	query := r.URL.Query()
	limit, err := number("limit", query.Get("limit"), 20, 1, 100)
	if err != nil {
		return 0, nil, err
	}
	offset, err := number("offset", query.Get("offset"), 0, 0, 1_000_000)
	if err != nil {
		return 0, nil, err
	}
	var artists []string
	for _, artist := range query["artist"] {
		if err := checkText("artist", artist, 2000); err != nil {
			return 0, nil, err
		}
		if artist != "" {
			artists = append(artists, artist)
		}
	}
	rows, err := s.pool.Query(r.Context(), `
		select id, artist, title, year, price from records
		where shop = $1
		  and (artist ilike $2 or title ilike $2)
		  and ($3::text[] is null or artist = any($3))
		order by `+sortColumns[wanted.Sort]+" "+directions[wanted.Order]+`, id
		limit $4 offset $5`,
		shop, "%"+likeEscaper.Replace(wanted.Q)+"%", artists, limit, offset)
	if err != nil {
		return 0, nil, fmt.Errorf("search: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[record])
	if err != nil {
		return 0, nil, fmt.Errorf("search: %w", err)
	}
	return http.StatusOK, found, nil
}

// likeEscaper takes their meaning from the characters that have one in LIKE.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (s *service) postRecord(r *http.Request, shop string) (int, any, error) {
	var in fields
	if err := in.read(r); err != nil {
		return 0, nil, err
	}
	if in.Artist == nil || in.Title == nil || in.Year == nil || in.Price == nil {
		return 0, nil, bad("a record has artist, title, year and price")
	}
	rows, err := s.pool.Query(r.Context(), `
		insert into records (shop, artist, title, year, price)
		values ($1, $2, $3, $4, $5)
		returning id, artist, title, year, price`,
		shop, in.Artist, in.Title, in.Year, in.Price)
	return one(http.StatusCreated, rows, err)
}

func (s *service) getRecord(r *http.Request, shop string) (int, any, error) {
	id, err := recordID(r)
	if err != nil {
		return 0, nil, err
	}
	rows, err := s.pool.Query(r.Context(), `
		select id, artist, title, year, price from records
		where shop = $1 and id = $2`, shop, id)
	return one(http.StatusOK, rows, err)
}

func (s *service) patchRecord(r *http.Request, shop string) (int, any, error) {
	id, err := recordID(r)
	if err != nil {
		return 0, nil, err
	}
	var in fields
	if err := in.read(r); err != nil {
		return 0, nil, err
	}
	if in == (fields{}) {
		return 0, nil, bad("nothing to change")
	}
	rows, err := s.pool.Query(r.Context(), `
		update records set
			artist = coalesce($3, artist), title = coalesce($4, title),
			year = coalesce($5, year), price = coalesce($6, price)
		where shop = $1 and id = $2
		returning id, artist, title, year, price`,
		shop, id, in.Artist, in.Title, in.Year, in.Price)
	return one(http.StatusOK, rows, err)
}

func (s *service) putSearch(r *http.Request, shop string) (int, any, error) {
	name := r.PathValue("name")
	if err := checkText("name", name, 100); err != nil {
		return 0, nil, err
	}
	var in search
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if err := in.check(); err != nil {
		return 0, nil, err
	}
	_, err := s.pool.Exec(r.Context(), `
		insert into searches (shop, name, q, sort, direction)
		values ($1, $2, $3, $4, $5)
		on conflict (shop, name) do update
		set q = excluded.q, sort = excluded.sort, direction = excluded.direction`,
		shop, name, in.Q, in.Sort, in.Order)
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
		if err := checkText(name, *text, 200); err != nil {
			return err
		}
		if *text == "" {
			return bad("%s is empty", name)
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

func (s search) check() error {
	if sortColumns[s.Sort] == "" {
		return bad("sort is one of id, artist, title, year, price")
	}
	if directions[s.Order] == "" {
		return bad("order is asc or desc")
	}
	return checkText("q", s.Q, 2000)
}

// checkText refuses what PostgreSQL could not store in a column of type text.
func checkText(name, text string, most int) error {
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return bad("%s must be UTF-8, without NUL", name)
	case utf8.RuneCountInString(text) > most:
		return bad("%s has at most %d characters", name, most)
	}
	return nil
}

// number reads a whole number from least to most; absent is otherwise.
func number(name, text string, otherwise, least, most int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, bad("%s is a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// recordID reads the id from the path. What is no number names no record.
func recordID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, missing("record")
	}
	return id, nil
}

// decode reads a body. It looks at the bytes first: encoding/json puts U+FFFD where
// one is not UTF-8, and says nothing.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 64<<10))
	if err != nil || !utf8.Valid(body) {
		return bad("the body must be UTF-8, and of 64 KiB at the most")
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bad("the body is not what it should be")
	}
	return nil
}

// route makes a handler: it finds the shop and writes what comes back. What the
// caller can do nothing about goes to the log and not to the caller.
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
			status, body = http.StatusInternalServerError, failure("internal error")
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
