// Package recordshop serves the catalogues of record shops with statements that are
// constants: even the order is chosen by a parameter.
package recordshop

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// A number and a text are sorted in columns of their own; what is not sorted by
	// is null everywhere. The limit is a subquery, because it can be.
	listSQL = `
		select json_build_object('id', id, 'artist', artist, 'title', title, 'year', year, 'price', price)
		from records
		where shop = @shop
		  and (lower(artist) like lower(@pattern) escape '!' or lower(title) like lower(@pattern) escape '!')
		  and (@artists::text[] = '{}' or artist = any(@artists::text[]))
		order by
			case when @down then null else case @sort when 'artist' then artist when 'title' then title end end,
			case when @down then case @sort when 'artist' then artist when 'title' then title end end desc,
			case when @down then -1 else 1 end * case @sort when 'year' then year when 'price' then price when 'id' then id end,
			id
		limit @limit::bigint offset @offset::bigint`
	insertSQL = `
		insert into records (shop, artist, title, year, price)
		select @shop, artist, title, year, price
		from json_to_record(@body::json) as b (artist text, title text, year int, price int)
		returning json_build_object('id', id, 'artist', artist, 'title', title, 'year', year, 'price', price)`
	updateSQL = `
		update records r set
			artist = coalesce(b.artist, r.artist), title = coalesce(b.title, r.title),
			year = coalesce(b.year, r.year), price = coalesce(b.price, r.price)
		from json_to_record(@body::json) as b (artist text, title text, year int, price int)
		where r.shop = @shop and r.id = @id::bigint
		returning json_build_object('id', r.id, 'artist', r.artist, 'title', r.title, 'year', r.year, 'price', r.price)`
	getSQL = `
		select json_build_object('id', id, 'artist', artist, 'title', title, 'year', year, 'price', price)
		from records where shop = @shop and id = @id::bigint`
	saveSQL = `
		insert into searches values (@shop, @name, @q, @sort, @order)
		on conflict on constraint searches_pkey do update set q = @q, sort = @sort, direction = @order`
	savedSQL = `select q, sort, direction from searches where shop = @shop and name = @name`
)

type wanted struct{ Q, Sort, Order string }

type server struct {
	*pgxpool.Pool
}

// New connects to the database and returns the service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	s := server{pool}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /records", func(w http.ResponseWriter, r *http.Request) {
		v := r.URL.Query()
		s.list(w, r, wanted{v.Get("q"), v.Get("sort"), v.Get("order")})
	})
	mux.HandleFunc("POST /records", func(w http.ResponseWriter, r *http.Request) {
		if body, n := record(r); n == 4 {
			s.one(w, r, http.StatusCreated, insertSQL, pgx.NamedArgs{"body": body})
		} else {
			refuse(w, http.StatusBadRequest)
		}
	})
	mux.HandleFunc("/records/{id}", s.record)
	mux.HandleFunc("PUT /searches/{name}", s.save)
	mux.HandleFunc("GET /searches/{name}/records", s.saved)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Shop") == "" || !utf8.ValidString(r.URL.Path) || strings.ContainsRune(r.URL.Path, 0) {
			refuse(w, http.StatusBadRequest)
			return
		}
		mux.ServeHTTP(w, r)
	}), nil
}

func (s server) record(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 63)
	switch {
	case err != nil:
		refuse(w, http.StatusNotFound)
	case r.Method == http.MethodGet:
		s.one(w, r, http.StatusOK, getSQL, pgx.NamedArgs{"id": id})
	default:
		if body, n := record(r); n > 0 {
			s.one(w, r, http.StatusOK, updateSQL, pgx.NamedArgs{"id": id, "body": body})
		} else {
			refuse(w, http.StatusBadRequest)
		}
	}
}

func (s server) one(w http.ResponseWriter, r *http.Request, status int, sql string, args pgx.NamedArgs) {
	args["shop"] = r.Header.Get("X-Shop")
	var doc json.RawMessage
	err := s.QueryRow(r.Context(), sql, args).Scan(&doc)
	answer(w, status, doc, err)
}

func (s server) list(w http.ResponseWriter, r *http.Request, want wanted) {
	q := r.URL.Query()
	limit, ok1 := within(q.Get("limit"), 20, 1, 100)
	offset, ok2 := within(q.Get("offset"), 0, 0, 1000000)
	if !ok1 || !ok2 || !want.ok() || !utf8.ValidString(strings.Join(q["artist"], "")) || strings.Contains(strings.Join(q["artist"], ""), "\x00") {
		refuse(w, http.StatusBadRequest)
		return
	}
	if want.Sort == "" {
		want.Sort = "id"
	}
	artists := []string{}
	for _, a := range q["artist"] {
		if a != "" {
			artists = append(artists, a)
		}
	}
	var pattern strings.Builder
	for _, c := range want.Q {
		if strings.ContainsRune("!%_", c) {
			pattern.WriteByte('!')
		}
		pattern.WriteRune(c)
	}
	rows, err := s.Query(r.Context(), listSQL, pgx.NamedArgs{
		"shop": r.Header.Get("X-Shop"), "pattern": "%" + pattern.String() + "%", "artists": artists,
		"sort": want.Sort, "down": want.Order == "desc", "limit": limit, "offset": offset,
	})
	if err != nil {
		answer(w, 0, nil, err)
		return
	}
	docs, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
	answer(w, http.StatusOK, docs, err)
}

func (w wanted) ok() bool { return w.sortOK() && w.orderOK() && storable(w.Q) }

func (w wanted) sortOK() bool {
	switch w.Sort {
	case "", "id", "artist", "title", "year", "price":
		return true
	}
	return false
}

func (w wanted) orderOK() bool { return w.Order == "" || w.Order == "asc" || w.Order == "desc" }

func (s server) save(w http.ResponseWriter, r *http.Request) {
	var in wanted
	raw, err := io.ReadAll(r.Body)
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err != nil || !utf8.Valid(raw) || d.Decode(&in) != nil || !in.ok() {
		refuse(w, http.StatusBadRequest)
		return
	}
	_, err = s.Exec(r.Context(), saveSQL, pgx.NamedArgs{"shop": r.Header.Get("X-Shop"), "name": r.PathValue("name"),
		"q": in.Q, "sort": in.Sort, "order": in.Order})
	if err != nil {
		answer(w, 0, nil, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s server) saved(w http.ResponseWriter, r *http.Request) {
	var found wanted
	err := s.QueryRow(r.Context(), savedSQL, pgx.NamedArgs{"shop": r.Header.Get("X-Shop"), "name": r.PathValue("name")}).
		Scan(&found.Q, &found.Sort, &found.Order)
	if err != nil {
		answer(w, 0, nil, err)
		return
	}
	if !found.sortOK() {
		found.Sort = ""
	}
	if !found.orderOK() {
		found.Order = ""
	}
	s.list(w, r, found)
}

// record reads the body and returns what it holds, checked and written anew, with
// the number of its fields; 0 when it is none.
func record(r *http.Request) (body string, n int) {
	raw, err := io.ReadAll(r.Body)
	var in map[string]json.RawMessage
	if err != nil || !utf8.Valid(raw) || json.Unmarshal(raw, &in) != nil {
		return "", 0
	}
	read := map[string]any{}
	for name, value := range in {
		var text string
		var number int
		ok := string(value) != "null"
		switch name {
		case "artist", "title":
			read[name] = &text
			ok = ok && json.Unmarshal(value, &text) == nil && text != "" && storable(text) && utf8.RuneCountInString(text) <= 200
		case "year":
			read[name] = &number
			ok = ok && json.Unmarshal(value, &number) == nil && number >= 1 && number <= 9999
		case "price":
			read[name] = &number
			ok = ok && json.Unmarshal(value, &number) == nil && number >= 0 && number <= 1000000
		default:
			ok = false
		}
		if !ok {
			return "", 0
		}
	}
	checked, err := json.Marshal(read)
	if err != nil {
		return "", 0
	}
	return string(checked), len(in)
}

func within(text string, otherwise, least, most int) (int, bool) {
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}

func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

func refuse(w http.ResponseWriter, status int) {
	answer(w, status, map[string]string{"error": http.StatusText(status)}, nil)
}

func answer(w http.ResponseWriter, status int, body any, err error) {
	if errors.Is(err, pgx.ErrNoRows) {
		refuse(w, http.StatusNotFound)
		return
	}
	if err != nil {
		slog.Error("failed", "error", err)
		refuse(w, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
