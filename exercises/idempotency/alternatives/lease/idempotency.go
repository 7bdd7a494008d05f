// Package idempotency takes orders, each once, however often it is sent.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
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

// schema is run by each instance when it starts. A key is claimed first, for a
// moment, in a transaction of its own; the claim is only good as long as its token
// stands there.
const schema = `
create table if not exists idempotency_keys (
    user_id  text not null,
    key      text not null,
    token    bigint not null,
    claimed  timestamptz not null default clock_timestamp(),
    request  bytea,
    location text,
    body     bytea,
    primary key (user_id, key)
);
create sequence if not exists tokens`

// lease is how long a claim keeps others out when whoever made it is gone.
const lease = "1 second"

// maxKey is how long a key may be.
const maxKey = 255

var (
	errUser    = errors.New("X-User is missing")
	errKey     = errors.New("Idempotency-Key must be 1 to 255 characters of visible ASCII")
	errOrder   = errors.New("an order has the name of an item that we sell, and a quantity from 1 to 1000")
	errUnknown = errors.New("no such order")
	errBusy    = errors.New("a request with this Idempotency-Key is under way")
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

// once returns the answer that was given under this user's key, or makes it. While
// another request holds the key it returns errBusy.
func (s *service) once(ctx context.Context, user, key string, request []byte,
	work func(pgx.Tx) (answer, error)) (answer, error) {
	sum := sha256.Sum256(request)
	token, err := s.claim(ctx, user, key)
	if errors.Is(err, pgx.ErrNoRows) {
		return s.stored(ctx, user, key, sum[:])
	}
	if err != nil {
		return answer{}, fmt.Errorf("claim the key: %w", err)
	}
	var a answer
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// From here on the row is locked, and nobody takes the key over.
		tag, err := tx.Exec(ctx, `
			update idempotency_keys set request = $4
			where user_id = $1 and key = $2 and token = $3 and body is null`, user, key, token, sum[:])
		if err != nil {
			return fmt.Errorf("lock the claim: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errBusy
		}
		if a, err = work(tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			update idempotency_keys set location = $3, body = $4
			where user_id = $1 and key = $2`, user, key, a.location, a.body)
		return err
	})
	if err != nil {
		// The claim is given up, unless the answer is there: then the commit has
		// happened, and only the news of it was lost.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = s.pool.Exec(ctx, `
			delete from idempotency_keys
			where user_id = $1 and key = $2 and token = $3 and body is null`, user, key, token)
	}
	return a, err
}

// claim takes a key that is new, or whose claim is too old. It fails with
// pgx.ErrNoRows when somebody else has it.
func (s *service) claim(ctx context.Context, user, key string) (token int64, err error) {
	err = s.pool.QueryRow(ctx, `
		insert into idempotency_keys (user_id, key, token) values ($1, $2, nextval('tokens'))
		on conflict do nothing
		returning token`, user, key).Scan(&token)
	if !errors.Is(err, pgx.ErrNoRows) {
		return token, err
	}
	err = s.pool.QueryRow(ctx, `
		update idempotency_keys set token = nextval('tokens'), claimed = clock_timestamp()
		where (user_id, key) = (
			select user_id, key from idempotency_keys
			where user_id = $1 and key = $2 and body is null
			  and claimed < clock_timestamp() - interval '`+lease+`'
			for update skip locked)
		returning token`, user, key).Scan(&token)
	return token, err
}

// stored reads the answer that was given to the same request before. Without one
// the key is in use.
func (s *service) stored(ctx context.Context, user, key string, sum []byte) (answer, error) {
	a := answer{status: http.StatusCreated}
	var request []byte
	err := s.pool.QueryRow(ctx, `
		select request, location, body from idempotency_keys
		where user_id = $1 and key = $2 and body is not null`, user, key).Scan(&request, &a.location, &a.body)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return answer{}, errBusy
	case err != nil:
		return answer{}, fmt.Errorf("read the stored answer: %w", err)
	case !bytes.Equal(request, sum):
		return answer{}, errReused
	}
	return a, nil
}

// place writes an order and returns the answer for its buyer.
func place(ctx context.Context, tx pgx.Tx, user, item string, quantity int) (answer, error) {
	o := order{Item: item, Quantity: quantity}
	var price int64
	err := tx.QueryRow(ctx, `select price from items where name = $1`, item).Scan(&price)
	if errors.Is(err, pgx.ErrNoRows) {
		return answer{}, errOrder
	}
	if err != nil {
		return answer{}, fmt.Errorf("read the price: %w", err)
	}
	o.Total = price * int64(quantity)
	err = tx.QueryRow(ctx, `
		insert into orders (user_id, item, quantity, total) values ($1, $2, $3, $4)
		returning id, status, placed_at`, user, item, quantity, o.Total).
		Scan(&o.ID, &o.Status, &o.PlacedAt)
	if err != nil {
		return answer{}, fmt.Errorf("write the order: %w", err)
	}
	body, err := json.Marshal(o)
	if err != nil {
		return answer{}, fmt.Errorf("encode the order: %w", err)
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
	a, err := s.once(r.Context(), user, key, request, func(tx pgx.Tx) (answer, error) {
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
	case errors.Is(err, errBusy):
		status = http.StatusConflict
		w.Header().Set("Retry-After", "1")
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
