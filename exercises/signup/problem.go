package signup

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
)

// problem is an error as RFC 9457 describes it. Whatever stands in one is meant
// for a stranger; what is meant for us goes into the log.
type problem struct {
	Type     string       `json:"type"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail"`
	Instance string       `json:"instance"`
	Errors   []fieldError `json:"errors,omitempty"`

	header http.Header
}

// fieldError says what is wrong with one place in the document.
type fieldError struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

const problems = "https://signup.example/problems/"

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

// plain is a problem of which the status says all that a program needs to know.
func plain(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func malformed(detail string) *problem {
	return &problem{Type: problems + "malformed", Title: "The body is not a readable JSON object",
		Status: http.StatusBadRequest, Detail: detail}
}

func invalid(errs []fieldError) *problem {
	return &problem{Type: problems + "invalid", Title: "Some fields are not as they must be",
		Status: http.StatusUnprocessableEntity, Detail: "See errors for each of them.",
		Errors: errs}
}

func nameTaken() *problem {
	return &problem{Type: problems + "name-taken", Title: "Another team has this name",
		Status: http.StatusConflict, Detail: "Choose another name and send the team again."}
}

func (p *problem) with(name, value string) *problem {
	p.header = http.Header{}
	p.header.Set(name, value)
	return p
}

// send gives the problem an identity of its own and answers with it.
func (p *problem) send(w http.ResponseWriter) {
	p.Instance = "/occurrences/" + rand.Text()
	for name, values := range p.header {
		w.Header()[name] = values
	}
	answer(w, "application/problem+json", p.Status, p)
}

// answer sends v as JSON.
func answer(w http.ResponseWriter, mediaType string, status int, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	// An error here means that the client has gone; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(v)
}
