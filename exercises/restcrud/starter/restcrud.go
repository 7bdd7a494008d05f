// Package restcrud is a register of parcels with a JSON API, kept in memory.
// The contract is in task.md.
package restcrud

import (
	"encoding/json"
	"net/http"
)

// Parcel waits on the shelf until somebody collects it.
type Parcel struct {
	ID        string `json:"id"`
	Recipient string `json:"recipient"`
	Grams     int    `json:"grams"`
	Note      string `json:"note"`
}

// New returns the API over an empty register.
func New() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /parcels/{id}", get)

	// Five operations are asked for. This is one of them, and it has no
	// parcels to look for yet. Begin with GET /parcels: the list of no parcels.

	return mux
}

// get answers with one parcel.
func get(w http.ResponseWriter, r *http.Request) {
	fail(w, http.StatusNotFound, "no parcel "+r.PathValue("id"))
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
