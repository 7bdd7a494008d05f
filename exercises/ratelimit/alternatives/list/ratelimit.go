// Package ratelimit takes text messages from customers, and from each no more
// than agreed.
package ratelimit

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A list of the moments in milliseconds, the newest first, never longer than the
// limit. When it is full, its last element decides. The script is sent whole each
// time: it is short.
const script = `
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local log = redis.call('LRANGE', KEYS[1], 0, -1)
local used = 0
for _, at in ipairs(log) do
	if tonumber(at) > now - window then used = used + 1 end
end
if used >= limit then
	return log[limit] + window - now
end
redis.call('LPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('PEXPIRE', KEYS[1], window)
return used - limit`

// gateway is the only route there is.
type gateway struct {
	db     *redis.Client
	limit  int
	window time.Duration
	ids    atomic.Int64
	prefix string
}

// New returns the gateway.
func New(redisURL string, limit int, window time.Duration) (http.Handler, error) {
	o, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, err
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = time.Second/2, time.Second, time.Second/2, time.Second/2
	o.MaxRetries = -1
	return &gateway{
		db: redis.NewClient(o), limit: limit, window: window,
		prefix: fmt.Sprintf("%x-", time.Now().UnixNano()),
	}, nil
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/messages":
		g.answer(w, http.StatusNotFound, "error", "there is /messages and nothing else")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		g.answer(w, http.StatusMethodNotAllowed, "error", "messages are sent with POST")
		return
	}
	name := strings.TrimSpace(r.Header.Get("X-Customer"))
	if name == "" {
		g.answer(w, http.StatusBadRequest, "error", "who are you?")
		return
	}
	verdict, err := g.db.Eval(context.WithoutCancel(r.Context()), script,
		[]string{"ratelimit:" + name + ":log"}, g.limit, g.window.Milliseconds()).Int64()
	if err != nil {
		log.Printf("no decision about a message of %q: %v", name, err)
		g.answer(w, http.StatusAccepted, "id", g.id())
		return
	}
	w.Header().Set("X-RateLimit-Limit", fmt.Sprint(g.limit))
	if verdict < 0 { // so many places were free
		w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(-verdict-1))
		g.answer(w, http.StatusAccepted, "id", g.id())
		return
	}
	w.Header().Set("X-RateLimit-Remaining", "0")
	w.Header().Set("Retry-After", fmt.Sprint(1+(max(verdict, 1)-1)/1000))
	g.answer(w, http.StatusTooManyRequests, "error", "the limit is reached")
}

func (g *gateway) id() string { return g.prefix + fmt.Sprint(g.ids.Add(1)) }

func (g *gateway) answer(w http.ResponseWriter, status int, key, value string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{key: value})
}
