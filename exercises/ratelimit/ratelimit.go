// Package ratelimit takes text messages from customers, and from each no more
// than agreed.
package ratelimit

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long Redis may take for a decision, all attempts together.
const patience = time.Second

// allow decides about one message, and notes it when it is allowed.
//
// The key is a sorted set with a member for each message that was allowed within
// the window; its score is the moment, in microseconds of Redis' own clock. A
// Lua number holds these exactly, but ".." would round them to 14 digits. No two
// members are alike: at one moment the set only grows.
//
//	KEYS[1]           the log of a customer
//	ARGV[1], ARGV[2]  the limit, and the window in microseconds
//
// It returns whether the message is allowed, how many more would be, and after
// how many microseconds the next one is.
var allow = redis.NewScript(`
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
if used < limit then
	redis.call('ZADD', KEYS[1], now, string.format('%.0f-%d', now, used))
	redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
	return {1, limit - used - 1, 0}
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {0, 0, oldest[2] + window - now}
`)

type service struct {
	redis  *redis.Client
	limit  int
	window time.Duration
}

// New returns the gateway's routes. Each customer may send limit messages in any
// stretch of time as long as window, through all instances on this Redis
// together. New does not connect: the gateway works without Redis too.
func New(redisURL string, limit int, window time.Duration) (http.Handler, error) {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, fmt.Errorf("read REDIS_URL: %w", err)
	}
	// Without this the deadline of a context bounds the wait for a connection,
	// and not the one for an answer.
	options.ContextTimeoutEnabled = true
	// An answer that was lost may have been a yes. Asked again, the message would
	// count twice.
	options.MaxRetries = -1
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

// decide asks Redis, at most for the time of patience.
func (s *service) decide(ctx context.Context, customer string) (decision, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := allow.Run(ctx, s.redis, []string{"ratelimit:" + customer},
		s.limit, s.window.Microseconds()).Int64Slice()
	if err != nil {
		return decision{}, err
	}
	return decision{
		allowed:   answer[0] == 1,
		remaining: int(answer[1]),
		wait:      time.Duration(answer[2]) * time.Microsecond,
	}, nil
}

func (s *service) postMessage(w http.ResponseWriter, r *http.Request) {
	customer := r.Header.Get("X-Customer")
	if customer == "" {
		writeError(w, http.StatusBadRequest, errors.New("X-Customer is missing"))
		return
	}
	d, err := s.decide(r.Context(), customer)
	if err != nil {
		slog.ErrorContext(r.Context(), "cannot ask Redis, accepting the message",
			"customer", customer, "error", err)
		accept(w)
		return
	}
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(d.remaining))
	if !d.allowed {
		seconds := math.Ceil(d.wait.Seconds())
		w.Header().Set("Retry-After", strconv.Itoa(int(max(seconds, 1))))
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
