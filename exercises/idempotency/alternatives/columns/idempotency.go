// Package idempotency takes orders, each once, however often it is sent.
package idempotency

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// schema is run by each instance when it starts. An order carries its key, and the
// answer that its buyer got.
const schema = `
alter table orders
    add column if not exists key     text,
    add column if not exists request text,
    add column if not exists answer  text;
create unique index if not exists orders_key on orders (user_id, key)`

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
	pool *pgxpool.Pool
}

// New connects to the database, brings the schema up to date and returns the
// service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("make the connection pool: %w", err)
	}
	if err := migrate(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("bring the schema up to date: %w", err)
	}
	s := &service{pool: pool}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.postOrder)
	mux.HandleFunc("GET /orders/{id}", s.getOrder)
	return mux, nil
}

// migrate runs schema. The lock lets one instance do it at a time: two that
// create the same table at once get in each other's way.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(20240117)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
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

// keyInUse is the constraint that a second order under one key runs into.
const keyInUse = "orders_key"

// once makes the order. When its key is taken, by now or all along, it returns
// what the first request was answered.
func (s *service) once(ctx context.Context, user, key, request, item string, quantity int) (answer, error) {
	var a answer
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		a, err = place(ctx, tx, user, key, request, item, quantity)
		return err
	})
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "23505" || refused.ConstraintName != keyInUse {
		return a, err
	}
	var id int64
	var known string
	a = answer{status: http.StatusCreated}
	err = s.pool.QueryRow(ctx, `select id, request, answer from orders where user_id = $1 and key = $2`, user, key).
		Scan(&id, &known, &a.body)
	if err != nil {
		return answer{}, fmt.Errorf("read the first answer: %w", err)
	}
	if known != request {
		return answer{}, errReused
	}
	a.location = fmt.Sprintf("/orders/%d", id)
	return a, nil
}

// place writes an order with its key and its answer.
func place(ctx context.Context, tx pgx.Tx, user, key, request, item string, quantity int) (answer, error) {
	o := order{Item: item, Quantity: quantity}
	err := tx.QueryRow(ctx, `
		insert into orders (user_id, key, request, item, quantity, total)
		select $1::text, $2::text, $3::text, name, $5::integer, price * $5::integer from items where name = $4
		returning id, total, status, placed_at`, user, key, request, item, quantity).
		Scan(&o.ID, &o.Total, &o.Status, &o.PlacedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return answer{}, errOrder
	}
	if err != nil {
		return answer{}, fmt.Errorf("write the order: %w", err)
	}
	body, err := json.Marshal(o)
	if err != nil {
		return answer{}, fmt.Errorf("encode the order: %w", err)
	}
	if _, err := tx.Exec(ctx, `update orders set answer = $2 where id = $1`, o.ID, string(body)); err != nil {
		return answer{}, fmt.Errorf("store the answer: %w", err)
	}
	return answer{http.StatusCreated, fmt.Sprintf("/orders/%d", o.ID), body}, nil
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
	a, err := s.once(r.Context(), user, key, string(request), item, quantity)
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
	err = s.pool.QueryRow(r.Context(), `
		select item, quantity, total, status, placed_at from orders
		where id = $1 and user_id = $2`, id, user).
		Scan(&o.Item, &o.Quantity, &o.Total, &o.Status, &o.PlacedAt)
	if errors.Is(err, pgx.ErrNoRows) {
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
