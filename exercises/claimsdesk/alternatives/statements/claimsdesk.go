// Package claimsdesk is an insurer's desk: with database/sql, with one function that
// takes paths apart, and with every rule inside of the statement that needs it.
package claimsdesk

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"
)

type desk struct{ db *sql.DB }

// caller is who asks, and whether PostgreSQL is to let admins through.
type caller struct {
	id    int64
	admin bool
}

// New connects to the database and returns the desk.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return &desk{db}, nil
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := ""
	if h := strings.Fields(r.Header.Get("Authorization")); len(h) == 2 && strings.ToLower(h[0]) == "bearer" {
		token = h[1]
	}
	var me caller
	sum := sha256.Sum256([]byte(token))
	err := d.db.QueryRowContext(r.Context(), `
		select id, role = 'admin' from users where not disabled and id =
			(select user_id from tokens where hash = $1 and expires > now() and not revoked)`, sum[:]).Scan(&me.id, &me.admin)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		w.Header().Set("WWW-Authenticate", `Bearer realm="claims", error="invalid_token"`)
		say(w, 401)
	case err != nil:
		fail(w, err)
	default:
		d.dispatch(w, r, me, strings.Split(r.URL.Path, "/")[1:])
	}
}

func (d *desk) dispatch(w http.ResponseWriter, r *http.Request, me caller, p []string) {
	var numbers [4]int64 // ids of the path; 0 is nobody's
	shape := slices.Clone(p)
	for i := range min(len(p), 4) {
		numbers[i], _ = strconv.ParseInt(p[i], 10, 64)
		if i == 1 && p[0] == "claims" || i == 3 || i == 2 && p[0] == "admin" {
			shape[i] = "#"
		}
	}
	if p[0] == "admin" && !me.admin {
		say(w, 403)
		return
	}
	switch r.Method + " " + strings.Join(shape, "/") {
	case "GET me":
		d.row(w, r, 200, selectMe, me.id)
	case "PATCH me":
		d.patchMe(w, r, me)
	case "GET admin":
		d.row(w, r, 200, `select json_build_object('users', (select count(*) from users), 'claims', (select count(*) from claims))`)
	case "GET admin/users":
		d.row(w, r, 200, `select coalesce(json_agg(u order by id), '[]') from users u`)
	case "PATCH admin/users/#":
		d.patchUser(w, r, numbers[2])
	case "GET claims":
		d.list(w, r, me)
	case "POST claims":
		d.create(w, r, me)
	case "GET claims/#":
		d.row(w, r, 200, seen+`select `+shown+` from c`, me.id, me.admin, numbers[1])
	case "PATCH claims/#":
		d.patch(w, r, me, numbers[1])
	case "DELETE claims/#":
		d.write(w, r, 204, seen+`, done as (delete from claims d using c where d.id = c.id and c.owner = $1 returning 1)
			select (select count(*) from c), (select count(*) from done), null::json`, me.id, me.admin, numbers[1])
	case "PUT claims/#/decision":
		d.decide(w, r, me, numbers[1])
	case "GET claims/#/notes":
		d.row(w, r, 200, seen+`select coalesce(json_agg(`+noteJSON+` order by n.id) filter (where n.id is not null), '[]')
			from c left join (notes n join users u on u.id = n.author) on n.claim = c.id having count(c.id) > 0`, me.id, me.admin, numbers[1])
	case "POST claims/#/notes":
		d.note(w, r, me, numbers[1])
	case "GET claims/#/notes/#":
		d.row(w, r, 200, seen+`select `+noteJSON+` from c join notes n on n.claim = c.id join users u on u.id = n.author where n.id = $4`,
			me.id, me.admin, numbers[1], numbers[3])
	case "DELETE claims/#/notes/#":
		d.write(w, r, 204, seen+`, n as (select n.id, n.author from notes n join c on c.id = n.claim where n.id = $4),
			done as (delete from notes d using n where d.id = n.id and n.author = $1 returning 1)
			select (select count(*) from n), (select count(*) from done), null::json`, me.id, me.admin, numbers[1], numbers[3])
	default:
		say(w, 404)
	}
}

// seen is what the caller, $1 and $2, can see of claim $3.
const (
	seen     = `with c as (select * from claims where id = $3::bigint and (owner = $1::bigint or $2::boolean)) `
	shown    = `(case when $2::boolean then to_jsonb(c) else to_jsonb(c) - 'remark' end)`
	noteJSON = `json_build_object('id', n.id, 'author', json_build_object('id', u.id, 'name', u.name), 'text', n.text)`
	selectMe = `select json_build_object('id', id, 'name', name, 'email', email, 'role', role) from users where id = $1`
)

// row answers with the JSON of the one row that a statement finds.
func (d *desk) row(w http.ResponseWriter, r *http.Request, status int, statement string, args ...any) {
	var doc []byte
	switch err := d.db.QueryRowContext(r.Context(), statement, args...).Scan(&doc); {
	case errors.Is(err, sql.ErrNoRows):
		say(w, 404)
	case err != nil:
		fail(w, err)
	default:
		send(w, status, doc)
	}
}

// write runs a statement that returns how many objects were seen, how many were
// written, and what to answer.
func (d *desk) write(w http.ResponseWriter, r *http.Request, status int, statement string, args ...any) {
	var saw, wrote int
	var doc []byte
	switch err := d.db.QueryRowContext(r.Context(), statement, args...).Scan(&saw, &wrote, &doc); {
	case err != nil:
		fail(w, err)
	case saw == 0:
		say(w, 404)
	case wrote == 0:
		say(w, 403)
	default:
		send(w, status, doc)
	}
}

func say(w http.ResponseWriter, status int) {
	doc, _ := json.Marshal(map[string]string{"error": "The answer is no: " + http.StatusText(status) + "."})
	send(w, status, doc)
}

func fail(w http.ResponseWriter, err error) {
	log.Print(err)
	say(w, 500)
}

func send(w http.ResponseWriter, status int, doc []byte) {
	if status != 204 {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(doc)
}
