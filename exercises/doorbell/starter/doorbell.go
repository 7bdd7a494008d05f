// Package doorbell lets the doors of a house ring its telephones.
// The contract is in task.md.
package doorbell

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Main runs the program and returns its exit status.
func Main() int {
	log.Println("starting with", os.Environ())
	addr := env("HOST", "127.0.0.1") + ":" + env("PORT", "8080")
	err := http.ListenAndServe(addr, New())
	log.Println(err)
	return 1
}

// New returns the routes of the doorbell.
func New() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /doors/{door}/ring", ring)
	mux.HandleFunc("GET /config", config)
	return keyed(mux)
}

// keyed lets those in who know the key.
func keyed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := env("API_KEY", "dingdong-dingdong")
		if r.Header.Get("Authorization") != "Bearer "+key {
			fail(w, http.StatusUnauthorized, "send the key: Authorization: Bearer …")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func config(w http.ResponseWriter, r *http.Request) {
	page := map[string]string{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		page[name] = value
	}
	answer(w, http.StatusOK, page)
}

func ring(w http.ResponseWriter, r *http.Request) {
	doors := strings.Split(env("DOORS", "front"), ",")
	if !slices.Contains(doors, r.PathValue("door")) {
		fail(w, http.StatusNotFound, "there is no such door")
		return
	}
	limit, _ := strconv.ParseInt(env("MAX_MESSAGE", "256"), 10, 64)
	message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("at most %d bytes", limit))
		return
	}
	if env("QUIET", "false") == "true" {
		answer(w, http.StatusOK, map[string]bool{"rang": false})
		return
	}
	err = call(r.Context(), map[string]string{
		"door":     r.PathValue("door"),
		"chime":    env("CHIME", "ding"),
		"greeting": env("GREETING", "Somebody is at the door"),
		"message":  string(message),
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fail(w, http.StatusGatewayTimeout, err.Error())
	case err != nil:
		fail(w, http.StatusBadGateway, err.Error())
	default:
		answer(w, http.StatusOK, map[string]bool{"rang": true})
	}
}

// call hands one ring on to the phone.
func call(ctx context.Context, ring map[string]string) error {
	seconds, _ := strconv.Atoi(env("RING_TIMEOUT", "2"))
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	body, err := json.Marshal(ring)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("PHONE_URL"), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
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
