package signup

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// refusal is written by whoever refuses; instance and status line come from write.
type refusal struct {
	status int
	kind   string // "" for about:blank
	title  string
	detail string
	more   map[string]any
	cause  error // for the log
}

func (r refusal) Error() string { return fmt.Sprint(r.status, " ", r.detail) }

func newInstance() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (r refusal) write(w http.ResponseWriter, instance string) {
	doc := map[string]any{"type": "about:blank", "title": http.StatusText(r.status)}
	if r.kind != "" {
		doc["type"], doc["title"] = "https://signup.example/problems/"+r.kind, r.title
	}
	doc["status"], doc["detail"], doc["instance"] = r.status, r.detail, instance
	for name, value := range r.more {
		doc[name] = value
	}
	body, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}
