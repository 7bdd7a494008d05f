// Package lostupdate serves accounts that several people draw from at once.
package lostupdate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// patience bounds one withdrawal, all attempts together. A caller is promised
// an answer in two seconds.
const patience = 1500 * time.Millisecond

// errConflict tells that the account changed after it was read.
var errConflict = errors.New("the account changed meanwhile")

var (
	errAmount       = errors.New("amount must be a whole number above zero")
	errUnknown      = errors.New("no such account")
	errInsufficient = errors.New("insufficient funds")
	errBusy         = errors.New("the account is busy, try again")
)

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
	mux.HandleFunc("GET /accounts/{id}", s.getAccount)
	mux.HandleFunc("POST /accounts/{id}/withdraw", s.postWithdraw)
	return mux, nil
}

// withdraw takes amount from the account and returns what is left. It locks
// nothing while it thinks: it writes only if the version is still the one it
// read, and starts again from the read when it is not.
func (s *service) withdraw(ctx context.Context, id, amount int64) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		balance, err := s.tryWithdraw(ctx, id, amount)
		switch {
		case errors.Is(err, errConflict):
			time.Sleep(rand.N(10 * time.Millisecond))
		case err != nil && ctx.Err() != nil:
			return 0, errBusy
		default:
			return balance, err
		}
	}
}

// tryWithdraw is one attempt. It returns errConflict when somebody was faster.
func (s *service) tryWithdraw(ctx context.Context, id, amount int64) (int64, error) {
	var balance, version int64
	err := s.pool.QueryRow(ctx,
		`select balance, version from accounts where id = $1`, id).
		Scan(&balance, &version)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, errUnknown
	}
	if err != nil {
		return 0, fmt.Errorf("read the balance: %w", err)
	}
	if balance < amount {
		return 0, errInsufficient
	}
	balance -= amount
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return 0, fmt.Errorf("begin: %w", err)
	}
	// After a commit there is nothing to undo, and this does nothing.
	defer tx.Rollback(context.WithoutCancel(ctx))
	tag, err := tx.Exec(ctx, `
		update accounts set balance = $3, version = version + 1
		where id = $1 and version = $2`, id, version, balance)
	if err != nil {
		return 0, fmt.Errorf("write the balance: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return 0, errConflict
	}
	_, err = tx.Exec(ctx,
		`insert into withdrawals (account_id, amount) values ($1, $2)`,
		id, amount)
	if err != nil {
		return 0, fmt.Errorf("write the ledger: %w", err)
	}
	// Patience ends before the commit or not at all: a commit that is given up
	// half way may have happened, and the caller would be told to try again.
	if err := tx.Commit(context.WithoutCancel(ctx)); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	return balance, nil
}

func (s *service) getAccount(w http.ResponseWriter, r *http.Request) {
	id, err := accountID(r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	var balance int64
	err = s.pool.QueryRow(r.Context(),
		`select balance from accounts where id = $1`, id).Scan(&balance)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errUnknown
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK,
		map[string]int64{"id": id, "balance": balance})
}

func (s *service) postWithdraw(w http.ResponseWriter, r *http.Request) {
	id, err := accountID(r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	var order struct {
		Amount int64 `json:"amount"`
	}
	err = json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&order)
	if err != nil || order.Amount <= 0 {
		writeError(w, r, errAmount)
		return
	}
	balance, err := s.withdraw(r.Context(), id, order.Amount)
	if err != nil {
		writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int64{"balance": balance})
}

// accountID reads the id from the path. What is no number names no account.
func accountID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, errUnknown
	}
	return id, nil
}

// writeError answers with the status that err stands for. What the caller can
// do nothing about goes to the log and not to the caller.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errAmount):
		status = http.StatusBadRequest
	case errors.Is(err, errUnknown):
		status = http.StatusNotFound
	case errors.Is(err, errInsufficient):
		status = http.StatusConflict
	case errors.Is(err, errBusy):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	default:
		slog.ErrorContext(r.Context(), "request failed",
			"method", r.Method, "path", r.URL.Path, "error", err)
		err = errors.New("internal error")
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
