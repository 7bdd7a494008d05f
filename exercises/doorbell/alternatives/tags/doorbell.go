// Package doorbell lets the doors of a house ring its telephones. This one reads
// its settings by reflection, into fields whose types read and show themselves.
package doorbell

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Main runs the program and returns its exit status.
func Main() int {
	log.SetFlags(0)
	var c config
	if err := c.load(); err != nil {
		log.Println(err)
		return 78
	}
	line := "starting"
	for name, value := range c.shown() {
		line += fmt.Sprintf(" %s=%q", name, value)
	}
	log.Println(line)
	log.Println(http.ListenAndServe(net.JoinHostPort(c.Host.show(), c.Port.show()), c.routes()))
	return 1
}

func (c *config) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /config", c.keyed(func(r *http.Request) (int, any) { return 200, c.shown() }))
	mux.Handle("POST /doors/{door}/ring", c.keyed(c.ring))
	return mux
}

func (c *config) keyed(do func(*http.Request) (int, any)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, body := 401, any(map[string]string{"error": "no"})
		if r.Header.Get("Authorization") == "Bearer "+string(c.Key) {
			code, body = do(r)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	})
}

func (c *config) ring(r *http.Request) (int, any) {
	if !slices.Contains(c.Doors, r.PathValue("door")) {
		return 404, map[string]string{"error": "no such door"}
	}
	message, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, int64(c.Size)))
	if err != nil {
		return 413, map[string]string{"error": err.Error()}
	}
	if c.Quiet {
		return 200, map[string]bool{"rang": false}
	}
	body, _ := json.Marshal(map[string]string{
		"door": r.PathValue("door"), "chime": c.Chime.show(), "greeting": c.Greeting.show(), "message": string(message),
	})
	client := http.Client{Timeout: time.Duration(c.Wait)}
	phone := url.URL(c.Phone)
	resp, err := client.Post(phone.String(), "application/json", bytes.NewReader(body))
	if err == nil {
		_ = resp.Body.Close()
	}
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return 504, map[string]string{"error": "the phone is slow"}
	case err != nil || resp.StatusCode >= 300:
		return 502, map[string]string{"error": "the phone does not work"}
	}
	return 200, map[string]bool{"rang": true}
}
