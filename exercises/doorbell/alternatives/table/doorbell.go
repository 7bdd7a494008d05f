// Package doorbell lets the doors of a house ring its telephones. This one has
// its settings in a table, and a URL whose secrets are kept apart from it.
package doorbell

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
)

// Main runs the program and returns its exit status.
func Main() int {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	s, shown, faults := read(os.Environ())
	for _, f := range faults {
		_, _ = io.WriteString(os.Stderr, "doorbell: "+f+"\n")
	}
	if len(faults) > 0 {
		return 78
	}
	l, err := net.Listen("tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		logger.Error("listen", "error", err)
		return 3
	}
	logger.Info("listening", "settings", shown)
	_ = http.Serve(l, &house{settings: s, shown: shown, logger: logger})
	return 3
}

type house struct {
	settings
	shown  map[string]string
	logger *slog.Logger
}

func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, v := h.answer(w, r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func problem(text string) any { return map[string]any{"error": text} }

func (h *house) answer(w http.ResponseWriter, r *http.Request) (int, any) {
	want := sha256.Sum256(append([]byte("Bearer "), h.key...))
	if sha256.Sum256([]byte(r.Header.Get("Authorization"))) != want {
		return 401, problem("who are you?")
	}
	if r.Method == "GET" && r.URL.Path == "/config" {
		return 200, h.shown
	}
	door, isRing := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/doors/"), "/ring")
	if r.Method != "POST" || !isRing || !h.doors[door] {
		return 404, problem("nothing here")
	}
	message, err := io.ReadAll(io.LimitReader(r.Body, h.size+1))
	if err != nil || int64(len(message)) > h.size {
		return 413, problem("too long")
	}
	if h.quiet {
		return 200, map[string]bool{"rang": false}
	}
	switch err := h.call(r.Context(), door, string(message)); {
	case errors.Is(err, context.DeadlineExceeded):
		return 504, problem(err.Error())
	case err != nil:
		h.logger.Error("call", "error", err)
		return 502, problem(err.Error())
	}
	return 200, map[string]bool{"rang": true}
}

func (h *house) call(ctx context.Context, door, message string) error {
	ctx, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	text, _ := json.Marshal(map[string]string{"door": door, "chime": h.chime, "greeting": h.greeting, "message": message})
	req, err := http.NewRequestWithContext(ctx, "POST", h.phone.String(), strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	if h.user != nil {
		password, _ := h.user.Password()
		req.SetBasicAuth(h.user.Username(), password)
	}
	resp, err := (&http.Client{Transport: withQuery{h.query}}).Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the phone says %d", resp.StatusCode)
	}
	return nil
}

// withQuery adds the query below the client, whose errors name the URL.
type withQuery struct{ query string }

func (q withQuery) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.RawQuery = q.query
	return http.DefaultTransport.RoundTrip(r)
}
