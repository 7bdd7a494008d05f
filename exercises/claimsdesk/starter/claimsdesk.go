// Package claimsdesk is an insurer's desk: customers hand in claims, admins decide
// them, and everybody sees what is theirs to see.
package claimsdesk

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// refusal is an error that is the caller's to know.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

var (
	errUnknown   = refusal{http.StatusUnauthorized, "a valid token is needed"}
	errForbidden = refusal{http.StatusForbidden, "you may not do this"}
	errMissing   = refusal{http.StatusNotFound, "there is no such thing here"}
)

func bad(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

type user struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled"`
}

func (u user) admin() bool { return u.Role == "admin" }

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
	for pattern, handle := range map[string]handler{
		"GET /me":   s.showMe,
		"PATCH /me": s.renameMe,

		"GET /claims":               s.listClaims,
		"POST /claims":              s.handIn,
		"GET /claims/{id}":          s.showClaim,
		"PATCH /claims/{id}":        s.changeClaim,
		"DELETE /claims/{id}":       s.withdrawClaim,
		"PUT /claims/{id}/decision": s.decide,

		"GET /claims/{id}/notes":           s.listNotes,
		"POST /claims/{id}/notes":          s.writeNote,
		"GET /claims/{id}/notes/{note}":    s.showNote,
		"DELETE /claims/{id}/notes/{note}": s.deleteNote,

		"GET /admin":              s.overview,
		"GET /admin/users":        s.listUsers,
		"PATCH /admin/users/{id}": s.changeUser,
	} {
		mux.Handle(pattern, s.known(handle))
	}
	return mux, nil
}

// handler answers a user whose token was good.
type handler func(r *http.Request, me user) (status int, body any, err error)

// known makes an http.Handler: it finds out who is asking and writes what comes
// back. What is not the caller's to know goes to the log.
func (s *service) known(next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		var body any
		me, err := s.whoAsks(r)
		switch {
		case err != nil:
		case strings.HasPrefix(r.URL.Path, "/admin/") && !me.admin():
			err = errForbidden
		default:
			status, body, err = next(r, me)
		}
		var refused refusal
		switch {
		case errors.As(err, &refused):
			status, body = refused.status, failure(refused.text)
		case err != nil:
			slog.ErrorContext(r.Context(), "request failed",
				"method", r.Method, "path", r.URL.Path, "error", err)
			status, body = http.StatusInternalServerError, failure("internal error")
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		writeJSON(w, status, body)
	})
}

// whoAsks finds the user of the request's token.
func (s *service) whoAsks(r *http.Request) (user, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return user{}, errUnknown
	}
	hash := sha256.Sum256([]byte(token))
	rows, err := s.pool.Query(r.Context(), `
		select u.id, u.name, u.email, u.role, u.disabled
		from tokens t join users u on u.id = t.user_id
		where t.hash = $1 and not t.revoked and t.expires > now()
		  and not u.disabled`, hash[:])
	return one[user](rows, err, errUnknown)
}

// one is the only row of a result; none is the given error.
func one[T any](rows pgx.Rows, err error, none error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[T])
	if errors.Is(err, pgx.ErrNoRows) {
		err = none
	}
	return got, err
}

// number reads an id from the path. What is no number names nothing.
func number(r *http.Request, name string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, errMissing
	}
	return id, nil
}

// decode reads a body; fields that are not in the struct are refused.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bad("the body is not what it should be")
	}
	return nil
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
