// Package doorbell lets the doors of a house ring its telephones.
package doorbell

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What Main returns when the program cannot start. 78 is EX_CONFIG of
// sysexits.h: starting again with the same settings will not help.
const (
	exitFailure = 1
	exitConfig  = 78
)

// Main runs the program and returns its exit status. The environment is read
// here and nowhere else.
func Main() int {
	cfg, err := Load(os.LookupEnv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "doorbell cannot start with this environment:")
		fmt.Fprintln(os.Stderr, err)
		return exitConfig
	}
	for _, s := range cfg.Settings() {
		slog.Info("setting", "name", s.Name, "value", s.Value)
	}
	server := &http.Server{
		Addr:              net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)),
		Handler:           New(cfg),
		ReadHeaderTimeout: 5 * time.Second,
	}
	if err := server.ListenAndServe(); err != nil {
		slog.Error("cannot serve", "error", err)
	}
	return exitFailure
}

// New returns the routes of a doorbell with these settings.
func New(cfg Config) http.Handler {
	b := &bell{cfg: cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /doors/{door}/ring", b.ring)
	mux.HandleFunc("GET /config", b.config)
	return b.keyed(mux)
}

type bell struct {
	cfg Config
}

// keyed lets those in who know the key.
func (b *bell) keyed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(b.cfg.APIKey.Reveal())) != 1 {
			fail(w, http.StatusUnauthorized, "send the key: Authorization: Bearer …")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (b *bell) config(w http.ResponseWriter, r *http.Request) {
	page := map[string]string{}
	for _, s := range b.cfg.Settings() {
		page[s.Name] = s.Value
	}
	answer(w, http.StatusOK, page)
}

func (b *bell) ring(w http.ResponseWriter, r *http.Request) {
	door := r.PathValue("door")
	if !slices.Contains(b.cfg.Doors, door) {
		fail(w, http.StatusNotFound, "there is no such door")
		return
	}
	message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, b.cfg.MaxMessage))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("at most %d bytes", b.cfg.MaxMessage))
		return
	}
	if b.cfg.Quiet {
		answer(w, http.StatusOK, map[string]bool{"rang": false})
		return
	}
	err = b.call(r.Context(), map[string]string{
		"door":     door,
		"chime":    b.cfg.Chime,
		"greeting": b.cfg.Greeting,
		"message":  string(message),
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		slog.Error("the phone does not answer", "door", door, "phone", b.cfg.PhoneURL)
		fail(w, http.StatusGatewayTimeout, "the phone does not answer")
	case err != nil:
		slog.Error("the phone cannot be reached", "door", door, "phone", b.cfg.PhoneURL, "error", err)
		fail(w, http.StatusBadGateway, "the phone cannot be reached")
	default:
		answer(w, http.StatusOK, map[string]bool{"rang": true})
	}
}

// call hands one ring on to the phone. Its errors hold no secret.
func (b *bell) call(ctx context.Context, ring map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.RingTimeout)
	defer cancel()
	body, err := json.Marshal(ring)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.cfg.PhoneURL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return errors.New("cannot make a request to the phone's URL")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		// A *url.Error names the whole URL, with its query.
		if about := (*url.Error)(nil); errors.As(err, &about) {
			return about.Err
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("the phone answered %s", resp.Status)
	}
	return nil
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}
