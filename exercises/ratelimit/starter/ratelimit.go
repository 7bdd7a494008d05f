// Package ratelimit takes text messages from customers, and from each no more
// than agreed.
package ratelimit

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

type service struct {
	redis  *redis.Client // not used yet
	limit  int
	window time.Duration

	mu    sync.Mutex
	used  map[string]int // messages of each customer since began
	began time.Time
}

// New returns the gateway's routes. Each customer may send limit messages in any
// stretch of time as long as window, through all instances on this Redis
// together.
func New(redisURL string, limit int, window time.Duration) (http.Handler, error) {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, fmt.Errorf("read REDIS_URL: %w", err)
	}
	s := &service{redis: redis.NewClient(options), limit: limit, window: window}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /messages", s.postMessage)
	return mux, nil
}

// decision is what became of one message.
type decision struct {
	allowed   bool
	remaining int
	wait      time.Duration // until the next one is allowed, unless this one was
}

// decide counts the messages of each customer in this minute, or whatever the
// window is, and begins anew with the next one.
func (s *service) decide(customer string) decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.began) >= s.window {
		s.began, s.used = time.Now(), map[string]int{}
	}
	if s.used[customer] >= s.limit {
		return decision{wait: time.Until(s.began.Add(s.window))}
	}
	s.used[customer]++
	return decision{allowed: true, remaining: s.limit - s.used[customer]}
}

func (s *service) postMessage(w http.ResponseWriter, r *http.Request) {
	customer := r.Header.Get("X-Customer")
	if customer == "" {
		writeError(w, http.StatusBadRequest, errors.New("X-Customer is missing"))
		return
	}
	d := s.decide(customer)
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(d.remaining))
	if !d.allowed {
		w.Header().Set("Retry-After", strconv.Itoa(int(d.wait.Seconds())))
		writeError(w, http.StatusTooManyRequests,
			fmt.Errorf("no more than %d messages in %s", s.limit, s.window))
		return
	}
	accept(w)
}

// accept takes the message. (Handing it to the network is another service's.)
func accept(w http.ResponseWriter) {
	writeJSON(w, http.StatusAccepted, map[string]string{"id": rand.Text()})
}

func writeError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
