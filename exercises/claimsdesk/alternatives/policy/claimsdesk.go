// Package claimsdesk is an insurer's desk whose rules stand in one table: for each
// route, what the caller has to be to whatever the path names. What is not in the
// table does not happen.
package claimsdesk

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// relation is what somebody is to something; there can be several.
type relation uint8

const (
	anybody relation = 1 << iota // with a good token
	admin
	owner
	author
	outsider // an admin who does not own the claim
)

// rule is a line of the policy: who can see what the route is about, and who of
// these may go on.
type rule struct {
	pattern  string
	see, may relation
	do       action
}

// action runs inside of the request's transaction; what it refuses is rolled back.
type action func(q *request) (status int, answer any, err error)

var policy = []rule{
	{"GET /me", anybody, anybody, showMe},
	{"PATCH /me", anybody, anybody, renameMe},
	{"GET /claims", anybody, anybody, listClaims},
	{"POST /claims", anybody, anybody, createClaim},
	{"GET /claims/{claim}", owner | admin, owner | admin, showClaim},
	{"PATCH /claims/{claim}", owner | admin, owner, patchClaim},
	{"DELETE /claims/{claim}", owner | admin, owner, deleteClaim},
	{"PUT /claims/{claim}/decision", owner | admin, outsider, decideClaim},
	{"GET /claims/{claim}/notes", owner | admin, owner | admin, listNotes},
	{"POST /claims/{claim}/notes", owner | admin, owner | admin, createNote},
	{"GET /claims/{claim}/notes/{note}", owner | admin, owner | admin, showNote},
	{"DELETE /claims/{claim}/notes/{note}", owner | admin, author, deleteNote},
	{"GET /admin", anybody, admin, overview},
	{"GET /admin/users", anybody, admin, listUsers},
	{"PATCH /admin/users/{user}", anybody, admin, patchUser},
}

// request is one request on its way, with what its path names.
type request struct {
	*http.Request
	tx    pgx.Tx
	me    Me
	is    relation
	claim Claim
	note  Note
}

// statusError is a refusal by its status alone: two refusals with the same status
// are the same.
type statusError int

func (s statusError) Error() string { return http.StatusText(int(s)) }

const (
	errBad     = statusError(400)
	errNobody  = statusError(401)
	errMayNot  = statusError(403)
	errNothing = statusError(404)
)

// New connects to the database and registers the policy.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	for _, p := range policy {
		mux.HandleFunc(p.pattern, func(w http.ResponseWriter, r *http.Request) {
			q := &request{Request: r}
			var status int
			var answer any
			err := pgx.BeginFunc(r.Context(), pool, func(tx pgx.Tx) (err error) {
				q.tx = tx
				status, answer, err = q.run(p)
				return err
			})
			reply(w, status, answer, err)
		})
	}
	return mux, nil
}

// run asks the four questions in their order.
func (q *request) run(p rule) (int, any, error) {
	if err := q.authenticate(); err != nil {
		return 0, nil, err
	}
	if err := q.load(); err != nil {
		return 0, nil, err
	}
	switch {
	case q.is&p.see == 0:
		return 0, nil, errNothing
	case q.is&p.may == 0:
		return 0, nil, errMayNot
	}
	return p.do(q)
}

func (q *request) authenticate() error {
	scheme, token, found := strings.Cut(q.Header.Get("Authorization"), " ")
	if !found || strings.ToLower(scheme) != "bearer" {
		return errNobody
	}
	hash := sha256.Sum256([]byte(token))
	err := q.get(&q.me, errNobody, `
		select id, name, email, role from users u where not disabled and exists (
			select from tokens t where t.user_id = u.id and hash = $1 and not revoked and expires > now())`, hash[:])
	q.is = anybody
	if q.me.Role == "admin" {
		q.is |= admin
	}
	return err
}

// load reads what the path names, and finds out what the caller is to it. A claim
// is locked, so that what was found out stays true until the commit.
func (q *request) load() error {
	if q.PathValue("claim") == "" {
		return nil
	}
	id, _ := strconv.ParseInt(q.PathValue("claim"), 10, 64)
	if err := q.get(&q.claim, errNothing, `select * from claims where id = $1 for update`, id); err != nil {
		return err
	}
	switch {
	case q.claim.Owner == q.me.ID:
		q.is |= owner
	case q.is&admin != 0:
		q.is |= outsider
	default:
		return errNothing // before anything is said of a note
	}
	if q.PathValue("note") == "" {
		return nil
	}
	id, _ = strconv.ParseInt(q.PathValue("note"), 10, 64)
	if err := q.get(&q.note, errNothing, selectNotes+` and n.id = $2`, q.claim.ID, id); err != nil {
		return err
	}
	if q.note.Author.ID == q.me.ID {
		q.is |= author
	}
	return nil
}

// get reads one row into a struct by the names of its columns.
func (q *request) get(into any, none error, sql string, args ...any) error {
	rows, err := q.tx.Query(q.Context(), sql, args...)
	if err != nil {
		return err
	}
	switch into := into.(type) {
	case *Me:
		*into, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Me])
	case *Claim:
		*into, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Claim])
	case *Note:
		*into, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Note])
	case *User:
		*into, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[User])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return none
	}
	return err
}

func reply(w http.ResponseWriter, status int, answer any, err error) {
	var refused statusError
	switch {
	case errors.As(err, &refused):
		status, answer = int(refused), struct {
			Error string `json:"error"`
		}{refused.Error()}
	case err != nil:
		slog.Error("request failed", "error", err)
		status, answer = 500, map[string]string{"error": "something is broken here"}
	}
	if status == 401 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="claims"`)
	}
	if answer != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	if answer != nil {
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// body reads a JSON object with no other fields than into has.
func (q *request) body(into any) error {
	d := json.NewDecoder(q.Body)
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return errBad
	}
	return nil
}
