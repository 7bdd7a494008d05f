// Package restcrud is a register of parcels with a JSON API, kept in memory.
// This version routes by hand and keeps its parcels in a generic store.
package restcrud

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
)

const limit = 1 << 16

type parcel struct {
	ID string `json:"id"`
	draft
}

// draft is the part of a parcel that clients write.
type draft struct {
	Recipient string `json:"recipient"`
	Grams     int64  `json:"grams"`
	Note      string `json:"note"`
}

func (d draft) validate() error {
	switch {
	case d.Recipient == "":
		return errors.New("recipient is missing")
	case d.Grams <= 0:
		return errors.New("grams is missing or not positive")
	default:
		return nil
	}
}

// problem is an error with the status that it is sent with.
type problem struct {
	status int
	text   string
	header http.Header
}

func (p *problem) Error() string { return p.text }

func refuse(status int, format string, args ...any) error {
	return &problem{status: status, text: fmt.Sprintf(format, args...)}
}

// New returns the API over an empty register.
func New() http.Handler {
	a := &api{store: newStore[parcel]()}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := a.route(w, r)
		if err == nil {
			return
		}
		p := &problem{status: http.StatusInternalServerError, text: err.Error()}
		errors.As(err, &p)
		for name, values := range p.header {
			w.Header()[name] = values
		}
		send(w, p.status, struct {
			Status int    `json:"status"`
			Error  string `json:"error"`
		}{p.status, p.text})
	})
}

type api struct{ store *store[parcel] }

func (a *api) route(w http.ResponseWriter, r *http.Request) error {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case len(parts) == 1 && parts[0] == "parcels":
		return a.collection(w, r)
	case len(parts) == 2 && parts[0] == "parcels" && parts[1] != "":
		return a.item(w, r, parts[1])
	default:
		return refuse(http.StatusNotFound, "no such path")
	}
}

func (a *api) collection(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return send(w, http.StatusOK, a.store.all())
	case http.MethodPost:
		d, err := read(w, r)
		if err != nil {
			return err
		}
		p := parcel{ID: strings.ToLower(rand.Text()), draft: d}
		a.store.add(p.ID, p)
		w.Header().Set("Location", "http://"+r.Host+"/parcels/"+p.ID)
		return send(w, http.StatusCreated, p)
	default:
		return notAllowed("GET", "HEAD", "POST")
	}
}

func (a *api) item(w http.ResponseWriter, r *http.Request, id string) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p, ok := a.store.get(id)
		if !ok {
			return refuse(http.StatusNotFound, "parcel %s is unknown", id)
		}
		return send(w, http.StatusOK, p)
	case http.MethodPut:
		d, err := read(w, r)
		if err != nil {
			return err
		}
		p := parcel{ID: id, draft: d}
		if !a.store.replace(id, p) {
			return refuse(http.StatusNotFound, "parcel %s is unknown", id)
		}
		return send(w, http.StatusOK, p)
	case http.MethodDelete:
		if !a.store.remove(id) {
			return refuse(http.StatusNotFound, "parcel %s is unknown", id)
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		return notAllowed("DELETE", "GET", "HEAD", "PUT")
	}
}

func notAllowed(methods ...string) error {
	return &problem{
		status: http.StatusMethodNotAllowed,
		text:   "use one of " + strings.Join(methods, " "),
		header: http.Header{"Allow": methods}, // one line each, which is as good as one list
	}
}

func read(w http.ResponseWriter, r *http.Request) (d draft, err error) {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		return d, refuse(http.StatusUnsupportedMediaType, "only application/json is read here")
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	if err := dec.Decode(&d); err != nil {
		return d, bodyProblem(err)
	}
	if err := dec.Decode(&struct{}{}); err != io.EOF {
		if err == nil {
			err = errors.New("one object only")
		}
		return d, bodyProblem(err)
	}
	if err := d.validate(); err != nil {
		return d, refuse(http.StatusBadRequest, "%v", err)
	}
	return d, nil
}

func bodyProblem(err error) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return refuse(http.StatusRequestEntityTooLarge, "at most %d bytes", large.Limit)
	}
	return refuse(http.StatusBadRequest, "%v", err)
}

func send(w http.ResponseWriter, status int, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may have gone
	return nil
}

// store keeps values in the order in which they were added. It is safe for
// concurrent use.
type store[T any] struct {
	mu    sync.RWMutex
	ids   []string
	items map[string]T
}

func newStore[T any]() *store[T] { return &store[T]{items: map[string]T{}} }

func (s *store[T]) all() []T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]T, len(s.ids))
	for i, id := range s.ids {
		list[i] = s.items[id]
	}
	return list
}

func (s *store[T]) add(id string, v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
	s.items[id] = v
}

func (s *store[T]) get(id string) (T, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.items[id]
	return v, ok
}

func (s *store[T]) replace(id string, v T) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.items[id]; !ok {
		return false
	}
	s.items[id] = v
	return true
}

func (s *store[T]) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.items[id]; !ok {
		return false
	}
	delete(s.items, id)
	s.ids = slices.DeleteFunc(s.ids, func(other string) bool { return other == id })
	return true
}
