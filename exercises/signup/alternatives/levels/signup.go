// Package signup takes in the teams of a relay race. It reads the document level by
// level, asks whether the name is free, and knows that the answer may be too old.
package signup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var (
	errTaken  = errors.New("the name is taken")
	errNobody = errors.New("no such team")
)

// New connects to the database and returns the service's routes.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/teams", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, "Only POST.")
			return
		}
		post(pool, w, r)
	})
	mux.HandleFunc("/teams/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			refuse(w, http.StatusMethodNotAllowed, "Only GET.")
			return
		}
		get(pool, w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, http.StatusNotFound, "Not here.") })
	return http.TimeoutHandler(mux, 10*time.Second, ""), nil
}

func post(pool *pgxpool.Pool, w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "Only JSON.")
		return
	}
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if len(body) > most {
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusRequestEntityTooLarge, "Only a mebibyte.")
		return
	}
	var l level
	if err != nil || !utf8.Valid(body) || json.Unmarshal(body, &l) != nil || l == nil ||
		repeats(json.NewDecoder(bytes.NewReader(body))) != nil {
		refuseAs(w, http.StatusBadRequest, "malformed", "This cannot be read")
		return
	}
	t, wrong := readTeam(l)
	if len(wrong) > 0 {
		refuseAs(w, http.StatusUnprocessableEntity, "invalid", "This is no team", wrong...)
		return
	}
	id, err := store(r.Context(), pool, t)
	if errors.Is(err, errTaken) {
		refuseAs(w, http.StatusConflict, "name-taken", "Somebody was faster")
		return
	}
	if err != nil {
		failed(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", "/teams/"+strconv.FormatInt(id, 10))
	w.WriteHeader(http.StatusCreated)
	write(w, id, t)
}

func write(w io.Writer, id int64, t Team) {
	_ = json.NewEncoder(w).Encode(struct {
		ID int64 `json:"id"`
		Team
	}{id, t})
}

func store(ctx context.Context, pool *pgxpool.Pool, t Team) (id int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var taken bool
		err := tx.QueryRow(ctx, `select exists(select 1 from relay_entry where entered_name = $1)`, t.Name).Scan(&taken)
		if err != nil {
			return err
		}
		if taken {
			return errTaken
		}
		return tx.QueryRow(ctx, `
			insert into relay_entry (entered_name, contact_mail, home_club, lineup)
			values ($1, $2, $3, $4) returning entry_id`, t.Name, t.Email, t.Club, t.Runners).Scan(&id)
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" && strings.HasSuffix(pg.ConstraintName, "_name_key") {
		return 0, errTaken
	}
	return id, err
}

func get(pool *pgxpool.Pool, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 4*time.Second)
	defer cancel()
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		refuse(w, http.StatusNotFound, "No team.")
		return
	}
	var t Team
	err = pool.QueryRow(ctx, `select entered_name, contact_mail, home_club, lineup from relay_entry where entry_id = $1`, id).
		Scan(&t.Name, &t.Email, &t.Club, &t.Runners)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errNobody
	}
	switch {
	case errors.Is(err, errNobody):
		refuse(w, http.StatusNotFound, "No team.")
	case err != nil:
		failed(w, err)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		write(w, id, t)
	}
}

// failed tells 500 from 503: an error with a SQLSTATE came from PostgreSQL.
func failed(w http.ResponseWriter, err error) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		breakdown(w, http.StatusInternalServerError, fmt.Errorf("refused: %w", err))
		return
	}
	w.Header().Set("Retry-After", "3")
	breakdown(w, http.StatusServiceUnavailable, fmt.Errorf("not there: %w", err))
}
