// Package ratelimit takes text messages from customers, and from each no more
// than agreed.
package ratelimit

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// library is a function of Redis. All moments of a customer are in one string,
// eight bytes for each.
const library = `#!lua name=gateway
redis.register_function('take', function(keys, args)
	local limit, window = tonumber(args[1]), tonumber(args[2])
	local t = redis.call('TIME')
	local now = t[1] * 1000000 + t[2]
	local packed = redis.call('GET', keys[1]) or ''
	local kept, oldest = {}, nil
	for i = 1, #packed, 8 do
		local at = struct.unpack('>d', string.sub(packed, i, i + 7))
		if at > now - window then
			kept[#kept + 1] = string.sub(packed, i, i + 7)
			oldest = oldest or at
		end
	end
	if #kept >= limit then
		return string.format('-%.0f', oldest + window - now)
	end
	kept[#kept + 1] = struct.pack('>d', now)
	redis.call('SET', keys[1], table.concat(kept), 'PX', math.ceil(window / 1000))
	return tostring(limit - #kept)
end)`

const patience = 900 * time.Millisecond

// New returns the gateway. It speaks to Redis without a library: a handful of
// connections wait in a channel for whoever has a question.
func New(redisURL string, limit int, window time.Duration) (http.Handler, error) {
	u, err := url.Parse(redisURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("REDIS_URL names no host")
	}
	idle := make(chan *line, 16)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		customer := r.Header.Get("X-Customer")
		if r.Method != "POST" || r.URL.Path != "/messages" || customer == "" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"POST /messages with X-Customer, please"}`)
			return
		}
		text, err := take(idle, u, fmt.Sprintf("ratelimit:%s/%x", customer, sha256.Sum256([]byte(customer))), limit, window)
		if err != nil {
			slog.Error("cannot ask Redis", "error", err)
			sent(w)
			return
		}
		w.Header().Set("X-RateLimit-Limit", strconv.Itoa(limit))
		wait, refused := strings.CutPrefix(text, "-")
		if !refused {
			w.Header().Set("X-RateLimit-Remaining", text)
			sent(w)
			return
		}
		micros, _ := strconv.Atoi(wait)
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("Retry-After", strconv.Itoa(max(1, (micros+999_999)/1_000_000)))
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"error":"too many messages"}`)
	}), nil
}

func sent(w http.ResponseWriter) {
	id := make([]byte, 12)
	_, _ = rand.Read(id)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"id":%q}`, base64.RawURLEncoding.EncodeToString(id))
}

// take asks the function, and loads it where Redis has none. A question that got
// no answer is not asked again, since it may have been answered; but the
// connections that stand around are as dead as this one, and are dropped.
func take(idle chan *line, u *url.URL, key string, limit int, window time.Duration) (string, error) {
	end := time.Now().Add(patience)
	question := []string{"FCALL", "take", "1", key, strconv.Itoa(limit), strconv.FormatInt(window.Microseconds(), 10)}
	l, err := get(idle, u, end)
	if err != nil {
		return "", err
	}
	answer, err := l.ask(end, question...)
	if err == nil && strings.Contains(answer, "Function not found") {
		if answer, err = l.ask(end, "FUNCTION", "LOAD", "REPLACE", library); err == nil {
			answer, err = l.ask(end, question...)
		}
	}
	if err != nil {
		_ = l.Close()
		drop(idle)
		return "", err
	}
	l.put(idle)
	if strings.Contains(answer, " ") { // an error is a sentence, a decision a number
		return "", fmt.Errorf("%s", answer)
	}
	return answer, nil
}

// line is a connection to Redis.
type line struct {
	net.Conn
	in *bufio.Reader
}

func get(idle chan *line, u *url.URL, end time.Time) (*line, error) {
	select {
	case l := <-idle:
		return l, nil
	default:
	}
	conn, err := net.DialTimeout("tcp", u.Host, time.Until(end))
	if err != nil {
		return nil, err
	}
	l := &line{conn, bufio.NewReader(conn)}
	if password, ok := u.User.Password(); ok {
		words := []string{"AUTH", password}
		if name := u.User.Username(); name != "" {
			words = []string{"AUTH", name, password}
		}
		if _, err := l.ask(end, words...); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return l, nil
}

func (l *line) put(idle chan *line) {
	select {
	case idle <- l:
	default:
		_ = l.Close()
	}
}

func drop(idle chan *line) {
	for {
		select {
		case l := <-idle:
			_ = l.Close()
		default:
			return
		}
	}
}

// ask sends one command and reads its answer: a line or a bulk string. What
// Redis calls an error is an answer here.
func (l *line) ask(end time.Time, words ...string) (string, error) {
	if err := l.SetDeadline(end); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(l, b.String()); err != nil {
		return "", err
	}
	head, err := l.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	head = strings.TrimRight(head, "\r\n")
	if !strings.HasPrefix(head, "$") {
		return head[1:], nil
	}
	n, err := strconv.Atoi(head[1:])
	if err != nil || n < 0 {
		return "", fmt.Errorf("an odd answer of Redis: %q", head)
	}
	body := make([]byte, n+2)
	_, err = io.ReadFull(l.in, body)
	return string(body[:n]), err
}
