// Package lostupdate serves bank accounts that several people draw from at once.
package lostupdate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// refusal is an answer other than 200 that the caller is meant to see.
type refusal struct {
	status int
	reason string
}

func (r *refusal) Error() string { return r.reason }

var errUnknown = &refusal{http.StatusNotFound, "unknown account"}

// New connects to the database and returns the service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the database: %w", err), db.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("GET /accounts/{id}", answer(func(r *http.Request) (any, error) {
		var account struct {
			ID      int64 `json:"id"`
			Balance int64 `json:"balance"`
		}
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return nil, errUnknown
		}
		err = db.QueryRowContext(r.Context(),
			`select id, balance from accounts where id = $1`, id).
			Scan(&account.ID, &account.Balance)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, errUnknown
		}
		return account, err
	}))
	mux.Handle("POST /accounts/{id}/withdraw", answer(func(r *http.Request) (any, error) {
		var order struct{ Amount *int64 }
		if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
			return nil, &refusal{http.StatusBadRequest, "the body must be {\"amount\": <whole number>}"}
		}
		if order.Amount == nil || *order.Amount < 1 {
			return nil, &refusal{http.StatusBadRequest, "amount must be at least 1"}
		}
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return nil, errUnknown
		}
		balance, err := withdraw(r.Context(), db, id, *order.Amount)
		return map[string]int64{"balance": balance}, err
	}))
	return mux, nil
}

func withdraw(ctx context.Context, db *sql.DB, id, amount int64) (int64, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, `set local lock_timeout = '800ms'`); err != nil {
		return 0, err
	}
	var balance int64
	err = tx.QueryRowContext(ctx,
		`select balance from accounts where id = $1 for no key update`, id).Scan(&balance)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errUnknown
	}
	if err != nil {
		return 0, err
	}
	if balance < amount {
		return 0, &refusal{http.StatusConflict, fmt.Sprintf("only %d left", balance)}
	}
	_, err = tx.ExecContext(ctx,
		`insert into withdrawals (account_id, amount) values ($1, $2)`,
		id, amount)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx,
		`update accounts set balance = balance - $1 where id = $2 returning balance`,
		amount, id).Scan(&balance)
	if err != nil {
		return 0, err
	}
	return balance, tx.Commit()
}

// answer makes a handler of a function that returns a body or an error.
func answer(f func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, err := f(r)
		var no *refusal
		var pg *pgconn.PgError
		switch {
		case err == nil:
		case errors.As(err, &no):
			w.WriteHeader(no.status)
			body = map[string]string{"error": no.reason}
		case errors.As(err, &pg) && pg.Code == "55P03": // lock_not_available
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
			body = map[string]string{"error": "somebody else is using this account"}
		default:
			log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
			w.WriteHeader(http.StatusInternalServerError)
			body = map[string]string{"error": "something went wrong here"}
		}
		if err := json.NewEncoder(w).Encode(body); err != nil {
			log.Printf("%s %s: answer: %v", r.Method, r.URL.Path, err)
		}
	})
}
