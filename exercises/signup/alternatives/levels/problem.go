package signup

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// Problem is sent as it is.
type Problem struct {
	Type     string  `json:"type"`
	Title    string  `json:"title"`
	Status   int     `json:"status"`
	Detail   string  `json:"detail"`
	Instance string  `json:"instance"`
	Errors   []Fault `json:"errors,omitempty"`
}

// Fault is one wrong field.
type Fault struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

var (
	sequence atomic.Int64
	born     = time.Now().UnixNano()
	logger   = slog.New(slog.NewJSONHandler(os.Stdout, nil))
)

// occurrence names one problem: when this process started, and a number.
func occurrence() string { return fmt.Sprintf("tag:signup.example,2026:%x.%d", born, sequence.Add(1)) }

func refuse(w http.ResponseWriter, status int, detail string) {
	send(w, Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail})
}

func refuseAs(w http.ResponseWriter, status int, kind, title string, faults ...Fault) {
	send(w, Problem{Type: "https://signup.example/problems/" + kind, Title: title, Status: status,
		Detail: title + ".", Errors: faults})
}

// breakdown is the answer when the fault is here: cause goes to the log only.
func breakdown(w http.ResponseWriter, status int, cause error) {
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: "It is us and not you.", Instance: occurrence()}
	logger.Error("breakdown", "instance", p.Instance, "cause", cause.Error())
	send(w, p)
}

func send(w http.ResponseWriter, p Problem) {
	if p.Instance == "" {
		p.Instance = occurrence()
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
