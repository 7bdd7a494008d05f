package signup

import (
	"encoding/json"
	"net/http"
)

// fail answers with an error. Every refusal of this program comes through here,
// except those that net/http sends by itself.
func fail(w http.ResponseWriter, status int, detail string) {
	http.Error(w, detail, status)
}

// answer sends v as JSON.
func answer(w http.ResponseWriter, mediaType string, status int, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	// An error here means that the client has gone; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(v)
}
