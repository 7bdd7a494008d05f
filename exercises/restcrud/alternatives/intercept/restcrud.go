// Package restcrud is a register of parcels with a JSON API, kept in memory.
// This version lets the mux find its own errors and translates them into JSON.
package restcrud

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"sync"
)

// Parcel is one parcel on the shelf.
type Parcel struct {
	ID        string `json:"id"`
	Recipient string `json:"recipient"`
	Grams     int    `json:"grams"`
	Note      string `json:"note"`
}

type server struct {
	mu    sync.Mutex
	shelf []Parcel // oldest first
	count int
}

// New returns the API over an empty register.
func New() http.Handler {
	s := &server{shelf: []Parcel{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /parcels", s.list)
	mux.HandleFunc("POST /parcels", s.create)
	mux.HandleFunc("GET /parcels/{id}", s.read)
	mux.HandleFunc("PUT /parcels/{id}", s.update)
	mux.HandleFunc("DELETE /parcels/{id}", s.remove)
	return jsonErrors(mux)
}

// jsonErrors answers what mux has no pattern for. The mux still decides between
// 404 and 405 and fills in Allow; only its text is thrown away.
func jsonErrors(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		quiet := &statusOnly{ResponseWriter: w}
		h.ServeHTTP(quiet, r)
		w.Header().Del("X-Content-Type-Options")
		reply(w, quiet.status, map[string]any{"error": http.StatusText(quiet.status), "path": r.URL.Path})
	})
}

// statusOnly lets headers through, remembers the status, and drops the body.
type statusOnly struct {
	http.ResponseWriter
	status int
}

func (q *statusOnly) WriteHeader(status int)      { q.status = status }
func (q *statusOnly) Write(b []byte) (int, error) { return len(b), nil }

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	text, err := json.Marshal(s.shelf)
	s.mu.Unlock()
	if err != nil {
		reply(w, http.StatusInternalServerError, map[string]any{"error": err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (s *server) create(w http.ResponseWriter, r *http.Request) {
	var p Parcel
	if !parse(w, r, &p) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	p.ID = "p-" + strconv.Itoa(s.count)
	s.shelf = append(s.shelf, p)
	w.Header().Set("Location", r.URL.Path+"/"+p.ID)
	reply(w, http.StatusCreated, p)
}

// find returns the index of a parcel, or -1 after it has answered 404.
// The caller holds mu.
func (s *server) find(w http.ResponseWriter, r *http.Request) int {
	for i := range s.shelf {
		if s.shelf[i].ID == r.PathValue("id") {
			return i
		}
	}
	reply(w, http.StatusNotFound, map[string]any{"error": "no such parcel"})
	return -1
}

func (s *server) read(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(w, r); i >= 0 {
		reply(w, http.StatusOK, s.shelf[i])
	}
}

func (s *server) update(w http.ResponseWriter, r *http.Request) {
	var p Parcel
	if !parse(w, r, &p) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(w, r); i >= 0 {
		p.ID = s.shelf[i].ID
		s.shelf[i] = p
		reply(w, http.StatusOK, p)
	}
}

func (s *server) remove(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(w, r); i >= 0 {
		s.shelf = append(s.shelf[:i], s.shelf[i+1:]...)
		w.WriteHeader(http.StatusNoContent)
	}
}

// parse fills p from the body, or answers and returns false.
func parse(w http.ResponseWriter, r *http.Request, p *Parcel) bool {
	const most = 65536
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/json" {
		reply(w, http.StatusUnsupportedMediaType, map[string]any{"error": "not application/json"})
		return false
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		reply(w, http.StatusBadRequest, map[string]any{"error": "the body broke off"})
	case len(text) > most:
		reply(w, http.StatusRequestEntityTooLarge, map[string]any{"error": "too large", "limit": most})
	case json.Unmarshal(text, p) != nil: // Unmarshal wants exactly one value
		reply(w, http.StatusBadRequest, map[string]any{"error": "not a parcel"})
	case p.Recipient == "" || p.Grams < 1:
		reply(w, http.StatusBadRequest, map[string]any{"error": "recipient and grams are required"})
	default:
		return true
	}
	return false
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}
