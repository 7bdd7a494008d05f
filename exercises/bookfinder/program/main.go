// The program under examination: an HTTP service around a bookfinder.Finder. It
// decides what to tell a caller from the errors alone, with errors.Is and
// errors.As. It is given; a grade uses its own copy of this file.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // GET /debug/pprof/
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/cairn-learn/cairn/exercises/bookfinder"
)

func main() {
	log.SetFlags(log.Lmicroseconds)
	port := os.Getenv("PORT")
	if port == "" {
		log.Fatal("PORT is not set; try: PORT=8080 go run ./program")
	}
	patience, err := time.ParseDuration(cmp.Or(os.Getenv("PATIENCE"), "2s"))
	if err != nil || patience <= 0 {
		log.Fatalf("PATIENCE=%q is no duration; try PATIENCE=2s", os.Getenv("PATIENCE"))
	}
	s := &server{finder: bookfinder.New(branches(), patience)}
	http.HandleFunc("GET /books/{isbn}", s.find)
	http.HandleFunc("GET /books/{isbn}/first", s.first)
	http.HandleFunc("POST /lists", s.list)
	log.Fatal(http.ListenAndServe(net.JoinHostPort(cmp.Or(os.Getenv("HOST"), "127.0.0.1"), port), nil))
}

// branches reads the names in BRANCHES, and the URL of each in a variable of its
// own: NORTH_URL for north.
func branches() []bookfinder.Branch {
	var all []bookfinder.Branch
	for _, name := range strings.Split(cmp.Or(os.Getenv("BRANCHES"), "north,south,east"), ",") {
		variable := strings.ToUpper(name) + "_URL"
		url := os.Getenv(variable)
		if url == "" {
			log.Fatalf("%s is not set", variable)
		}
		all = append(all, bookfinder.Branch{Name: name, URL: url})
	}
	return all
}

type server struct{ finder *bookfinder.Finder }

// find answers with every copy. That some branches failed is no reason to keep
// back what the others have.
func (s *server) find(w http.ResponseWriter, r *http.Request) {
	copies, err := s.finder.Find(r.Context(), r.PathValue("isbn"))
	if len(copies) == 0 || errors.Is(err, context.Canceled) {
		fail(w, r, err)
		return
	}
	if err != nil {
		logf("incomplete: %s %s: %v", r.Method, r.URL.Path, err)
	}
	answer(w, http.StatusOK, map[string]any{"copies": copies, "failed": failures(err)})
}

func (s *server) first(w http.ResponseWriter, r *http.Request) {
	found, err := s.finder.First(r.Context(), r.PathValue("isbn"))
	if err != nil {
		fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, found)
}

// list looks for one copy of each of several books, one after the other, with
// the context of the one request.
func (s *server) list(w http.ResponseWriter, r *http.Request) {
	var list struct {
		Books []string `json:"books"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&list); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": `send {"books": [...]}`})
		return
	}
	found := map[string]*bookfinder.Copy{}
	for _, isbn := range list.Books {
		c, err := s.finder.First(r.Context(), isbn)
		switch {
		case err == nil:
			found[isbn] = &c
		case errors.Is(err, bookfinder.ErrNotHeld):
			found[isbn] = nil
		default:
			fail(w, r, err)
			return
		}
	}
	answer(w, http.StatusOK, map[string]any{"found": found})
}

// fail tells the caller what an error means, and the log what it was.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	var branch *bookfinder.BranchError
	switch {
	case errors.Is(err, context.Canceled): // the caller does not wait any more
		logf("gone: %s %s: %v", r.Method, r.URL.Path, err)
		answer(w, 499, map[string]any{"error": "the caller has left", "failed": failures(err)})
		return
	case errors.Is(err, bookfinder.ErrNotHeld):
		answer(w, http.StatusNotFound, map[string]any{"error": "no branch holds this book", "failed": failures(err)})
		return
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusGatewayTimeout
	case errors.As(err, &branch):
		status = http.StatusBadGateway
	}
	logf("failed: %s %s: %d: %v", r.Method, r.URL.Path, status, err)
	answer(w, status, map[string]any{"error": fmt.Sprint(err), "failed": failures(err)})
}

// logf writes one line: joined errors have one for each, by themselves.
func logf(format string, args ...any) {
	log.Print(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; "))
}

// failure is one branch that failed, and why.
type failure struct {
	Branch string `json:"branch"`
	Why    string `json:"why"`
}

// failures walks through everything that an error wraps, joined errors too, and
// returns the branches in it.
func failures(err error) []failure {
	all := []failure{}
	if branch, ok := err.(*bookfinder.BranchError); ok {
		return append(all, failure{branch.Branch, why(branch)})
	}
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		return append(all, failures(wrapper.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range wrapper.Unwrap() {
			all = append(all, failures(inner)...)
		}
	}
	return all
}

// why finds the cause of a branch's failure.
func why(err *bookfinder.BranchError) string {
	var garbled *json.SyntaxError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &garbled):
		return "garbled"
	case err.Status != 0:
		return fmt.Sprintf("status %d", err.Status)
	}
	return "unknown"
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may have left
}
