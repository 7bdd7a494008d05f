// Package signup takes in the teams of a relay race. It knows a team by a schema,
// keeps what was sent, and lets PostgreSQL say nothing where the name is taken.
package signup

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

type server struct{ db *sql.DB }

// New connects to the database and returns the service.
func New(ctx context.Context, databaseURL string) (http.Handler, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}
	return server{db}, db.PingContext(ctx)
}

var teamPath = regexp.MustCompile(`^/teams/([^/]+)$`)

func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 4*time.Second)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, 1048576)

	var no *refusal
	id := teamPath.FindStringSubmatch(r.URL.EscapedPath())
	switch {
	case r.URL.Path == "/teams" && r.Method == "POST":
		no = s.post(w, r)
	case r.URL.Path == "/teams":
		w.Header().Set("Allow", "POST, OPTIONS")
		no = &refusal{status: 405, detail: "Teams are sent with POST."}
	case id != nil && (r.Method == "GET" || r.Method == "HEAD"):
		no = s.get(w, r, id[1])
	case id != nil:
		w.Header().Set("Allow", "GET")
		no = &refusal{status: 405, detail: "A team can be read, and no more."}
	default:
		no = &refusal{status: 404, detail: "Nothing is here."}
	}
	if no == nil {
		return
	}
	instance := newInstance()
	if no.cause != nil {
		log.Printf("%s: %d: %v", instance, no.status, no.cause)
	}
	no.write(w, instance)
}

func (s server) post(w http.ResponseWriter, r *http.Request) *refusal {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/json" {
		return &refusal{status: 415, detail: "A team is JSON, and says so."}
	}
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &refusal{status: 413, detail: "That is more than a team takes."}
	}
	bad := &refusal{status: 400, kind: "malformed", title: "No JSON object", detail: "The body is no JSON object that could be read in one way only."}
	if err != nil || !utf8.Valid(body) || !unambiguous(body) {
		return bad
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return bad
	}
	team, ok := doc.(map[string]any)
	if !ok {
		return bad
	}
	found := findings{}
	teamSchema.judge("", team, found)
	if len(found) > 0 {
		return &refusal{status: 422, kind: "invalid", title: "Fields are wrong", detail: "Look into errors.",
			more: map[string]any{"errors": found.list(100)}}
	}
	return s.store(w, r, team)
}

func (s server) store(w http.ResponseWriter, r *http.Request, team map[string]any) *refusal {
	lineup, err := json.Marshal(team["runners"])
	if err != nil {
		return &refusal{status: 500, detail: "We have a problem.", cause: err}
	}
	var id int64
	err = s.db.QueryRowContext(r.Context(), `
		INSERT INTO relay_entry (entered_name, contact_mail, home_club, lineup)
		VALUES ($1, $2, $3, $4) ON CONFLICT (entered_name) DO NOTHING RETURNING entry_id`,
		team["name"], team["email"], team["club"], lineup).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return &refusal{status: 409, kind: "name-taken", title: "The name is taken", detail: "There is a team of this name already."}
	}
	if err != nil {
		return s.trouble(w, err)
	}
	team["id"] = id
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", "http://"+r.Host+"/teams/"+strconv.FormatInt(id, 10))
	w.WriteHeader(201)
	_ = json.NewEncoder(w).Encode(team)
	return nil
}

func (s server) get(w http.ResponseWriter, r *http.Request, id string) *refusal {
	none := &refusal{status: 404, detail: "No team has this number."}
	if strings.Trim(id, "0123456789") != "" || len(id) > 18 {
		return none
	}
	var doc string
	err := s.db.QueryRowContext(r.Context(), `
		SELECT json_strip_nulls(json_build_object('id', entry_id, 'name', entered_name, 'email', contact_mail,
			'club', home_club, 'runners', lineup))
		FROM relay_entry WHERE entry_id = $1`, id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return none
	}
	if err != nil {
		return s.trouble(w, err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, doc)
	return nil
}

// trouble tells an error that PostgreSQL sent from one that came in its place.
func (s server) trouble(w http.ResponseWriter, err error) *refusal {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return &refusal{status: 500, detail: "We have a problem, and have been told of it.", cause: err}
	}
	w.Header().Set("Retry-After", "5")
	return &refusal{status: 503, detail: "We cannot take teams at the moment.", cause: err}
}
