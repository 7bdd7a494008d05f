// Package restcrud is a register of parcels with a JSON API, kept in memory.
package restcrud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// maxBody is how many bytes of a request body are read at most.
const maxBody = 64 << 10

// Parcel waits on the shelf until somebody collects it.
type Parcel struct {
	ID        string `json:"id"`
	Recipient string `json:"recipient"`
	Grams     int    `json:"grams"`
	Note      string `json:"note"`
}

// New returns the API over an empty register.
func New() http.Handler {
	reg := &register{parcels: map[string]Parcel{}}
	mux := http.NewServeMux()

	mux.HandleFunc("GET /parcels", reg.list)
	mux.HandleFunc("POST /parcels", reg.create)
	mux.HandleFunc("GET /parcels/{id}", reg.get)
	mux.HandleFunc("PUT /parcels/{id}", reg.replace)
	mux.HandleFunc("DELETE /parcels/{id}", reg.remove)

	// A pattern without a method is less specific than one with it, so these
	// receive what is left over. Without them the mux would answer by itself,
	// in plain text.
	mux.HandleFunc("/parcels", methodNotAllowed("GET, HEAD, POST"))
	mux.HandleFunc("/parcels/{id}", methodNotAllowed("GET, HEAD, PUT, DELETE"))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "nothing at "+r.URL.Path)
	})
	return mux
}

// register holds the parcels. Every handler runs in a goroutine of its own, so
// all access goes through mu; what leaves the lock is a copy.
type register struct {
	mu      sync.Mutex
	parcels map[string]Parcel
	order   []string // ids, oldest first
	last    int      // the id given out last; never goes back
}

func (reg *register) list(w http.ResponseWriter, r *http.Request) {
	reg.mu.Lock()
	all := make([]Parcel, 0, len(reg.order)) // not nil: nil would become null
	for _, id := range reg.order {
		all = append(all, reg.parcels[id])
	}
	reg.mu.Unlock()
	answer(w, http.StatusOK, all)
}

func (reg *register) create(w http.ResponseWriter, r *http.Request) {
	p, ok := readParcel(w, r)
	if !ok {
		return
	}
	reg.mu.Lock()
	reg.last++
	p.ID = strconv.Itoa(reg.last)
	reg.parcels[p.ID] = p
	reg.order = append(reg.order, p.ID)
	reg.mu.Unlock()

	w.Header().Set("Location", "/parcels/"+p.ID)
	answer(w, http.StatusCreated, p)
}

func (reg *register) get(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	reg.mu.Lock()
	p, ok := reg.parcels[id]
	reg.mu.Unlock()
	if !ok {
		noParcel(w, id)
		return
	}
	answer(w, http.StatusOK, p)
}

func (reg *register) replace(w http.ResponseWriter, r *http.Request) {
	p, ok := readParcel(w, r)
	if !ok {
		return
	}
	p.ID = r.PathValue("id")
	reg.mu.Lock()
	_, ok = reg.parcels[p.ID]
	if ok {
		reg.parcels[p.ID] = p
	}
	reg.mu.Unlock()
	if !ok {
		noParcel(w, p.ID)
		return
	}
	answer(w, http.StatusOK, p)
}

func (reg *register) remove(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	reg.mu.Lock()
	_, ok := reg.parcels[id]
	if ok {
		delete(reg.parcels, id)
		i := slices.Index(reg.order, id)
		reg.order = slices.Delete(reg.order, i, i+1)
	}
	reg.mu.Unlock()
	if !ok {
		noParcel(w, id)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// readParcel reads what the client may choose of a parcel. When the body is
// refused, the answer has been written and ok is false.
func readParcel(w http.ResponseWriter, r *http.Request) (p Parcel, ok bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "send the parcel as application/json")
		return p, false
	}

	var in struct {
		Recipient string `json:"recipient"`
		Grams     int    `json:"grams"`
		Note      string `json:"note"`
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	err = body.Decode(&in)
	if err == nil {
		err = atEnd(body)
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit))
		return p, false
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "the body is not a parcel in JSON: "+err.Error())
		return p, false
	}

	if in.Recipient == "" {
		fail(w, http.StatusBadRequest, "recipient must not be empty")
		return p, false
	}
	if in.Grams < 1 {
		fail(w, http.StatusBadRequest, "grams must be at least 1")
		return p, false
	}
	return Parcel{Recipient: in.Recipient, Grams: in.Grams, Note: in.Note}, true
}

// atEnd reports an error unless only white space is left to decode. Decode
// stops after the first JSON value, whatever comes behind it.
func atEnd(body *json.Decoder) error {
	_, err := body.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, new(*http.MaxBytesError)):
		return err
	default:
		return errors.New("more follows after the first JSON value")
	}
}

// answer sends v as JSON. The header must be complete before WriteHeader: what
// is set later is not sent.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here means that the client has gone; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

// fail sends an error. The handler that calls it returns next.
func fail(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

func noParcel(w http.ResponseWriter, id string) {
	fail(w, http.StatusNotFound, "no parcel "+id)
}

func methodNotAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, r.Method+" is not possible here")
	}
}
