// Package recordshop serves the catalogues of record shops: with database/sql, and
// with statements that are put together from pieces of the program's own.
package recordshop

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
)

var (
	errNone  = errors.New("there is no such thing here")
	sortable = []string{"id", "artist", "title", "year", "price"}
)

// invalid is a complaint about a request.
type invalid string

func (i invalid) Error() string { return string(i) }

// query is a statement that grows, together with its parameters.
type query struct {
	text strings.Builder
	args []any
}

// write appends SQL of the program's own; each ? in it takes the next argument.
func (q *query) write(text string, args ...any) {
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		q.args = append(q.args, arg)
		fmt.Fprintf(&q.text, "%s$%d", before, len(q.args))
		text = after
	}
	q.text.WriteString(text)
}

type api struct{ db *sql.DB }

// New connects to the database and returns the service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return &api{db}, nil
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, err := a.dispatch(r, strings.Split(strings.Trim(r.URL.Path, "/"), "/"))
	var complaint invalid
	switch {
	case errors.As(err, &complaint):
		status, body = 400, map[string]string{"error": complaint.Error()}
	case errors.Is(err, errNone), errors.Is(err, sql.ErrNoRows):
		status, body = 404, map[string]string{"error": errNone.Error()}
	case err != nil:
		log.Print(r.Method, " ", r.URL.Path, ": ", err)
		status, body = 503, map[string]string{"error": "the catalogue is closed at the moment"}
	}
	if status == 204 {
		w.WriteHeader(204)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (a *api) dispatch(r *http.Request, path []string) (int, any, error) {
	shop := r.Header.Get("X-Shop")
	if shop == "" {
		return 0, nil, invalid("which shop?")
	}
	for _, part := range path {
		if !storable(part) {
			return 0, nil, invalid("the path is not UTF-8")
		}
	}
	switch what := fmt.Sprint(r.Method, " ", path[0], " ", len(path)); what {
	case "GET records 1":
		return a.list(r, shop, r.URL.Query(), true)
	case "POST records 1":
		return a.insert(r, shop)
	case "GET records 2", "PATCH records 2":
		id, err := strconv.ParseInt(path[1], 10, 64)
		if err != nil {
			return 0, nil, errNone
		}
		if r.Method == "PATCH" {
			return a.update(r, shop, id)
		}
		var q query
		q.write("select id, artist, title, year, price from records where shop = ? and id = "+strconv.FormatInt(id, 10), shop)
		return a.row(r, 200, &q)
	case "PUT searches 2":
		return a.save(r, shop, path[1])
	case "GET searches 3":
		return a.run(r, shop, path[1])
	}
	return 0, nil, errNone
}

func (a *api) list(r *http.Request, shop string, wanted url.Values, strict bool) (int, any, error) {
	var q query
	q.write("select id, artist, title, year, price from records where shop = ?", shop)
	if text := wanted.Get("q"); text != "" {
		if !storable(text) {
			return 0, nil, invalid("q is not UTF-8")
		}
		q.write(" and (strpos(lower(artist), lower(?)) > 0 or strpos(lower(title), lower(?)) > 0)", text, text)
	}
	artists := slices.DeleteFunc(slices.Clone(r.URL.Query()["artist"]), func(a string) bool { return a == "" })
	for i, artist := range artists {
		if !storable(artist) {
			return 0, nil, invalid("artist is not UTF-8")
		}
		q.write([]string{" and (artist = ?", " or artist = ?"}[min(i, 1)], artist)
	}
	if len(artists) > 0 {
		q.write(")")
	}
	order, err := orderBy(wanted.Get("sort"), wanted.Get("order"), strict)
	if err != nil {
		return 0, nil, err
	}
	q.write(order)
	for _, n := range []struct {
		name                   string
		otherwise, least, most int
	}{{"limit", 20, 1, 100}, {"offset", 0, 0, 1000000}} {
		value := n.otherwise
		if text := r.URL.Query().Get(n.name); text != "" {
			if value, err = strconv.Atoi(text); err != nil || value < n.least || value > n.most {
				return 0, nil, invalid(n.name + " is out of range, or no number")
			}
		}
		q.write(fmt.Sprintf(" %s %d", n.name, value))
	}
	rows, err := a.db.QueryContext(r.Context(), q.text.String(), q.args...)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = rows.Close() }()
	all := []map[string]any{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return 0, nil, err
		}
		all = append(all, one)
	}
	return 200, all, rows.Err()
}

// orderBy makes the clause out of names on the list. When it need not be strict,
// others count as absent.
func orderBy(column, direction string, strict bool) (string, error) {
	if column == "" || !strict && !slices.Contains(sortable, column) {
		column = "id"
	}
	if !slices.Contains(sortable, column) {
		return "", invalid("nothing can be sorted by this")
	}
	clause := " order by " + pgx.Identifier{column}.Sanitize()
	switch direction {
	case "desc":
		clause += " desc"
	case "", "asc":
	default:
		if strict {
			return "", invalid("order is asc or desc")
		}
	}
	return clause + ", id", nil
}

func (a *api) insert(r *http.Request, shop string) (int, any, error) {
	in, err := fields(r)
	if err != nil {
		return 0, nil, err
	}
	if len(in) != 4 {
		return 0, nil, invalid("four fields are needed")
	}
	var q query
	q.write("insert into records (shop, artist, title, year, price) values (?, ?, ?, ?, ?) returning id, artist, title, year, price",
		shop, in["artist"], in["title"], in["year"], in["price"])
	return a.row(r, 201, &q)
}

func (a *api) update(r *http.Request, shop string, id int64) (int, any, error) {
	in, err := fields(r)
	if err != nil {
		return 0, nil, err
	}
	if len(in) == 0 {
		return 0, nil, invalid("nothing to change")
	}
	var q query
	q.write("update records set shop = shop")
	for _, name := range sortable {
		if value, there := in[name]; there {
			q.write(", "+name+" = ?", value)
		}
	}
	q.write(" where shop = ? and id = ? returning id, artist, title, year, price", shop, id)
	return a.row(r, 200, &q)
}

// fields reads the body, and knows what may be in it.
func fields(r *http.Request) (map[string]any, error) {
	var in map[string]any
	if err := decode(r, &in); err != nil {
		return nil, invalid("the body is no JSON object")
	}
	for name, value := range in {
		ok := false
		switch name {
		case "artist", "title":
			text, is := value.(string)
			n := utf8.RuneCountInString(text)
			ok = is && storable(text) && n >= 1 && n <= 200
		case "year", "price":
			number, is := value.(float64)
			ok = is && number == math.Trunc(number)
			ok = ok && (name == "year" && number >= 1 && number <= 9999 || name == "price" && number >= 0 && number <= 1e6)
			in[name] = int64(number)
		}
		if !ok {
			return nil, invalid("a field is unknown, or not what it should be")
		}
	}
	return in, nil
}

func decode(r *http.Request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err == nil && !utf8.Valid(raw) {
		err = errors.New("not UTF-8")
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (a *api) save(r *http.Request, shop, name string) (int, any, error) {
	var in map[string]string
	if err := decode(r, &in); err != nil {
		return 0, nil, invalid("the body is no search")
	}
	for field := range in {
		if field != "q" && field != "sort" && field != "order" {
			return 0, nil, invalid("a search has q, sort and order")
		}
	}
	if _, err := orderBy(in["sort"], in["order"], true); err != nil {
		return 0, nil, err
	}
	if !storable(in["q"]) {
		return 0, nil, invalid("q cannot be stored")
	}
	_, err := a.db.ExecContext(r.Context(), `insert into searches values ($1, $2, $3, $4, $5)
		on conflict (shop, name) do update set (q, sort, direction) = row ($3, $4, $5)`,
		shop, name, in["q"], in["sort"], in["order"])
	return 204, nil, err
}

func (a *api) run(r *http.Request, shop, name string) (int, any, error) {
	var q, column, direction string
	err := a.db.QueryRowContext(r.Context(), `select q, sort, direction from searches where shop = $1 and name = $2`, shop, name).
		Scan(&q, &column, &direction)
	if err != nil {
		return 0, nil, err
	}
	return a.list(r, shop, url.Values{"q": {q}, "sort": {column}, "order": {direction}}, false)
}

func (a *api) row(r *http.Request, status int, q *query) (int, any, error) {
	one, err := scan(a.db.QueryRowContext(r.Context(), q.text.String(), q.args...))
	return status, one, err
}

func scan(row interface{ Scan(...any) error }) (map[string]any, error) {
	var id int64
	var artist, title string
	var year, price int
	err := row.Scan(&id, &artist, &title, &year, &price)
	return map[string]any{"id": id, "artist": artist, "title": title, "year": year, "price": price}, err
}

func storable(text string) bool {
	return utf8.ValidString(text) && !strings.Contains(text, "\x00")
}
