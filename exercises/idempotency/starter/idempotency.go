// Package idempotency takes orders. The contract is in task.md.
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
	"github.com/jackc/pgx/v5/pgxpool"
)

// schema is run by each instance when it starts. Keys need a place in the
// database, and this is where you make it.
const schema = `
-- create table if not exists …
`

var (
	errUser    = errors.New("X-User is missing")
	errOrder   = errors.New("an order has the name of an item that we sell, and a quantity from 1 to 1000")
	errUnknown = errors.New("no such order")
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

// place writes an order.
func (s *service) place(ctx context.Context, user, item string, quantity int) (order, error) {
	o := order{Item: item, Quantity: quantity}
	var price int64
	err := s.pool.QueryRow(ctx, `select price from items where name = $1`, item).Scan(&price)
	if errors.Is(err, pgx.ErrNoRows) {
		return order{}, errOrder
	}
	if err != nil {
		return order{}, fmt.Errorf("read the price: %w", err)
	}
	o.Total = price * int64(quantity)
	err = s.pool.QueryRow(ctx, `
		insert into orders (user_id, item, quantity, total) values ($1, $2, $3, $4)
		returning id, status, placed_at`, user, item, quantity, o.Total).
		Scan(&o.ID, &o.Status, &o.PlacedAt)
	if err != nil {
		return order{}, fmt.Errorf("write the order: %w", err)
	}
	return o, nil
}

// postOrder makes an order. It does not look at the Idempotency-Key yet, so
// whoever asks twice gets two.
func (s *service) postOrder(w http.ResponseWriter, r *http.Request) {
	user := r.Header.Get("X-User")
	if user == "" {
		writeError(w, r, errUser)
		return
	}
	item, quantity, err := readOrder(w, r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	o, err := s.place(r.Context(), user, item, quantity)
	if err != nil {
		writeError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", fmt.Sprintf("/orders/%d", o.ID))
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(o)
}

// readOrder reads what is ordered.
func readOrder(w http.ResponseWriter, r *http.Request) (item string, quantity int, err error) {
	var in struct {
		Item     string `json:"item"`
		Quantity int    `json:"quantity"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	if err != nil || json.Unmarshal(body, &in) != nil || in.Item == "" || in.Quantity < 1 || in.Quantity > 1000 {
		return "", 0, errOrder
	}
	return in.Item, in.Quantity, nil
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
	case errors.Is(err, errOrder):
		status = http.StatusBadRequest
	case errors.Is(err, errUnknown):
		status = http.StatusNotFound
	default:
		slog.ErrorContext(r.Context(), "request failed",
			"method", r.Method, "path", r.URL.Path, "error", err)
		err = errors.New("internal error")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
