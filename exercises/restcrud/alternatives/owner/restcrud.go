// Package restcrud is a register of parcels with a JSON API, kept in memory.
// This version has no lock: one goroutine owns the parcels, and the handlers
// send it what they want done.
package restcrud

import (
	"container/list"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

type fields struct {
	Recipient *string `json:"recipient"`
	Grams     *int    `json:"grams"`
	Note      *string `json:"note"`
}

type parcel = map[string]any

// shelf belongs to the goroutine that runs serve.
type shelf struct {
	order *list.List               // of parcel
	byID  map[string]*list.Element // of order
	given int
}

type owner chan func(*shelf)

// do runs f alone and waits for it.
func (o owner) do(f func(*shelf)) {
	done := make(chan struct{})
	o <- func(s *shelf) { f(s); close(done) }
	<-done
}

// New returns the API over an empty register.
func New() http.Handler {
	o := make(owner)
	go func() {
		s := &shelf{order: list.New(), byID: map[string]*list.Element{}}
		for f := range o {
			f(s)
		}
	}()

	byMethod := func(methods map[string]http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if h, ok := methods[r.Method]; ok {
				h(w, r)
				return
			}
			for m := range methods {
				w.Header().Add("Allow", m)
			}
			problem(w, 405, "not with "+r.Method)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { problem(w, 404, "there is nothing here") })
	mux.HandleFunc("/parcels", byMethod(map[string]http.HandlerFunc{"GET": o.list, "POST": o.post}))
	mux.HandleFunc("/parcels/{id}", byMethod(map[string]http.HandlerFunc{"GET": o.get, "PUT": o.put, "DELETE": o.delete}))
	return mux
}

// list sends one parcel after the other, so the array is never in memory whole.
func (o owner) list(w http.ResponseWriter, _ *http.Request) {
	var all []parcel
	o.do(func(s *shelf) {
		for e := s.order.Front(); e != nil; e = e.Next() {
			all = append(all, e.Value.(parcel))
		}
	})
	w.Header().Set("Content-Type", "application/json")
	separator := "["
	for _, p := range all {
		_, _ = io.WriteString(w, separator)
		_ = json.NewEncoder(w).Encode(p)
		separator = ","
	}
	if all == nil {
		_, _ = io.WriteString(w, separator)
	}
	_, _ = io.WriteString(w, "]")
}

func (o owner) post(w http.ResponseWriter, r *http.Request) {
	p := decode(w, r)
	if p == nil {
		return
	}
	o.do(func(s *shelf) {
		s.given++
		id := fmt.Sprintf("%06d", s.given)
		p["id"] = id
		s.byID[id] = s.order.PushBack(p)
	})
	w.Header().Set("Location", fmt.Sprintf("/parcels/%s", p["id"]))
	write(w, 201, p)
}

// find returns the parcel that the path names, or nil.
func (o owner) find(r *http.Request, then func(*shelf, *list.Element)) (p parcel) {
	o.do(func(s *shelf) {
		if e := s.byID[r.PathValue("id")]; e != nil {
			then(s, e)
			p = e.Value.(parcel)
		}
	})
	return p
}

func (o owner) get(w http.ResponseWriter, r *http.Request) {
	found(w, o.find(r, func(*shelf, *list.Element) {}))
}

func (o owner) put(w http.ResponseWriter, r *http.Request) {
	p := decode(w, r)
	if p == nil {
		return
	}
	p["id"] = r.PathValue("id")
	found(w, o.find(r, func(_ *shelf, e *list.Element) { e.Value = p })) // a new map: readers may hold the old one
}

func (o owner) delete(w http.ResponseWriter, r *http.Request) {
	gone := o.find(r, func(s *shelf, e *list.Element) {
		delete(s.byID, r.PathValue("id"))
		s.order.Remove(e)
	})
	if gone == nil {
		found(w, nil)
		return
	}
	w.WriteHeader(204)
}

func found(w http.ResponseWriter, p parcel) {
	if p == nil {
		problem(w, 404, "nothing on the shelf under this id")
		return
	}
	write(w, 200, p)
}

// decode returns what the body says of a parcel, or answers and returns nil.
func decode(w http.ResponseWriter, r *http.Request) parcel {
	media, _, err := mime.ParseMediaType(strings.TrimSpace(r.Header.Get("Content-Type")))
	if err != nil || media != "application/json" {
		problem(w, 415, "say Content-Type: application/json")
		return nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64*1024))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		problem(w, 413, err.Error())
		return nil
	}
	var f fields
	if err := errors.Join(err, json.Unmarshal(text, &f)); err != nil {
		problem(w, 400, err.Error())
		return nil
	}
	if f.Recipient == nil || *f.Recipient == "" || f.Grams == nil || *f.Grams < 1 {
		problem(w, 400, "a parcel has a recipient and a weight")
		return nil
	}
	if f.Note == nil {
		f.Note = new(string)
	}
	return parcel{"recipient": *f.Recipient, "grams": *f.Grams, "note": *f.Note}
}

func problem(w http.ResponseWriter, status int, text string) {
	write(w, status, map[string]any{"error": text})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
