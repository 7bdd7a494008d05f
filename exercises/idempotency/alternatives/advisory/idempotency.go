// Package idempotency takes orders, each once, however often it is sent.
package idempotency

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// schema is run by each instance when it starts. Which request is the first is
// decided by an advisory lock; the constraint is there for whoever forgets it.
const schema = `
create table if not exists answers (
    user_id  text,
    key      text,
    order_id bigint references orders (id),
    request  text not null,
    location text not null,
    body     text not null,
    unique (user_id, key)
)`

// maxKey is how long a key may be.
const maxKey = 255

var (
	errUser    = errors.New("X-User is missing")
	errKey     = errors.New("Idempotency-Key must be 1 to 255 characters of visible ASCII")
	errOrder   = errors.New("an order has the name of an item that we sell, and a quantity from 1 to 1000")
	errUnknown = errors.New("no such order")
	errReused  = errors.New("this Idempotency-Key was used for another request")
)

type service struct {
	db *sql.DB
}

// New connects to the database, brings the schema up to date and returns the
// service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(8)
	_, err = db.ExecContext(ctx, `begin; select pg_advisory_xact_lock(1);`+schema+`; commit`)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("bring the schema up to date: %w", err)
	}
	s := &service{db: db}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.postOrder)
	mux.HandleFunc("GET /orders/{id}", s.getOrder)
	return mux, nil
}

type order struct {
	ID       int64     `json:"id"`
	Item     string    `json:"item"`
	Quantity int       `json:"quantity"`
	Total    int64     `json:"total"`
	Status   string    `json:"status"`
	PlacedAt time.Time `json:"placed_at"`
}

// answer is what a client gets, and gets again when it asks again.
type answer struct {
	status   int
	location string
	body     []byte
}

// once returns the answer that was given under this user's key, or makes it. The
// lock is taken before anything is read, and ends with the transaction.
func (s *service) once(ctx context.Context, user, key string, request []byte,
	work func(*sql.Tx) (answer, int64, error)) (answer, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return answer{}, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	_, err = tx.ExecContext(ctx, `select pg_advisory_xact_lock(hashtext($1), hashtext($2))`, user, key)
	if err != nil {
		return answer{}, fmt.Errorf("lock the key: %w", err)
	}
	a := answer{status: http.StatusCreated}
	var known string
	err = tx.QueryRowContext(ctx, `select request, location, body from answers where user_id = $1 and key = $2`, user, key).
		Scan(&known, &a.location, &a.body)
	switch {
	case err == nil && known != string(request):
		return answer{}, errReused
	case err == nil:
		return a, nil
	case !errors.Is(err, sql.ErrNoRows):
		return answer{}, fmt.Errorf("read the stored answer: %w", err)
	}
	a, id, err := work(tx)
	if err != nil {
		return answer{}, err
	}
	_, err = tx.ExecContext(ctx, `insert into answers values ($1, $2, $3, $4, $5, $6)`,
		user, key, id, string(request), a.location, string(a.body))
	if err != nil {
		return answer{}, fmt.Errorf("store the answer: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return answer{}, fmt.Errorf("commit: %w", err)
	}
	return a, nil
}

// place writes an order and returns the answer for its buyer.
func place(ctx context.Context, tx *sql.Tx, user, item string, quantity int) (answer, int64, error) {
	o := order{Item: item, Quantity: quantity}
	var price int64
	err := tx.QueryRowContext(ctx, `select price from items where name = $1`, item).Scan(&price)
	if errors.Is(err, sql.ErrNoRows) {
		return answer{}, 0, errOrder
	}
	if err != nil {
		return answer{}, 0, fmt.Errorf("read the price: %w", err)
	}
	o.Total = price * int64(quantity)
	err = tx.QueryRowContext(ctx, `
		insert into orders (user_id, item, quantity, total) values ($1, $2, $3, $4)
		returning id, status, placed_at`, user, item, quantity, o.Total).
		Scan(&o.ID, &o.Status, &o.PlacedAt)
	if err != nil {
		return answer{}, 0, fmt.Errorf("write the order: %w", err)
	}
	body, err := json.Marshal(o)
	if err != nil {
		return answer{}, 0, fmt.Errorf("encode the order: %w", err)
	}
	return answer{http.StatusCreated, fmt.Sprintf("/orders/%d", o.ID), body}, o.ID, nil
}

func (s *service) postOrder(w http.ResponseWriter, r *http.Request) {
	user, key := r.Header.Get("X-User"), r.Header.Get("Idempotency-Key")
	if user == "" {
		writeError(w, r, errUser)
		return
	}
	if !validKey(key) {
		writeError(w, r, errKey)
		return
	}
	request, item, quantity, err := readOrder(w, r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	a, err := s.once(r.Context(), user, key, request, func(tx *sql.Tx) (answer, int64, error) {
		return place(r.Context(), tx, user, item, quantity)
	})
	if err != nil {
		writeError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", a.location)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func validKey(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	for _, b := range []byte(key) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}

// readOrder reads what is ordered, and the body as it came.
func readOrder(w http.ResponseWriter, r *http.Request) (body []byte, item string, quantity int, err error) {
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	if err != nil {
		return nil, "", 0, errOrder
	}
	var in struct {
		Item     string `json:"item"`
		Quantity int    `json:"quantity"`
	}
	if json.Unmarshal(body, &in) != nil || in.Item == "" || in.Quantity < 1 || in.Quantity > 1000 {
		return nil, "", 0, errOrder
	}
	return body, in.Item, in.Quantity, nil
}

func (s *service) getOrder(w http.ResponseWriter, r *http.Request) {
	user := r.Header.Get("X-User")
	if user == "" {
		writeError(w, r, errUser)
		return
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		writeError(w, r, errUnknown)
		return
	}
	o := order{ID: id}
	err = s.db.QueryRowContext(r.Context(), `
		select item, quantity, total, status, placed_at from orders
		where id = $1 and user_id = $2`, id, user).
		Scan(&o.Item, &o.Quantity, &o.Total, &o.Status, &o.PlacedAt)
	if errors.Is(err, sql.ErrNoRows) {
		err = errUnknown
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(o)
}

// writeError answers with the status that err stands for. What the caller can do
// nothing about goes to the log and not to the caller.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errUser):
		status = http.StatusUnauthorized
	case errors.Is(err, errKey), errors.Is(err, errOrder):
		status = http.StatusBadRequest
	case errors.Is(err, errUnknown):
		status = http.StatusNotFound
	case errors.Is(err, errReused):
		status = http.StatusUnprocessableEntity
	default:
		slog.ErrorContext(r.Context(), "request failed",
			"method", r.Method, "path", r.URL.Path, "error", err)
		err = errors.New("internal error")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
