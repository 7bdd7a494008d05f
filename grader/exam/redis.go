package exam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/grader/wire"
)

// RedisServer is a grade's private Redis server.
type RedisServer interface {
	// Addr is where the server listens, host:port.
	Addr() string
	// ProgramURL is what the program gets as REDIS_URL; hostport is the proxy.
	ProgramURL(hostport string) string
	// ExaminerURL leads to the server itself.
	ExaminerURL() string
}

// Commands returns what the program has sent to Redis since the check began, in
// the order in which the commands began. Those that clients send by themselves
// are among them: see wire.Command.Setup.
func (c *C) Commands() []wire.Command { return c.session.statements.CommandsSince(c.mark) }

// Redis is the grade's Redis server as the examiner sees it: a connection of its
// own, past the proxy that records the program.
type Redis struct {
	c *C
}

// What TTL returns where there is no time to live.
const (
	NoExpiry time.Duration = -1 // the key stays for ever
	NoKey    time.Duration = -2 // there is no such key
)

// Redis returns the grade's Redis server.
func (c *C) Redis() *Redis {
	if c.session.opts.Redis == nil {
		c.trouble(fmt.Errorf("check %s asks for Redis, but the exercise declares none", c.spec.id))
	}
	return &Redis{c: c}
}

// Do runs a command and returns its answer: a string, an int64, nil, or a []any
// of such. Arguments are sent as they print. An error of the server fails the
// check: the keys are not what the task asks for (WRONGTYPE), a script of the
// program's never ends (BUSY), no room is left (OOM). Only what says that the
// server itself isn't well is cairn's own trouble.
func (r *Redis) Do(args ...any) any {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = fmt.Sprint(a)
	}
	s := r.c.session
	s.redisMu.Lock()
	defer s.redisMu.Unlock()
	answer, err := s.redis.do(r.c.ctx, words)
	var refused redisError
	switch {
	case err == nil:
		return answer
	case r.c.outOfTime(err):
		r.c.Fail(Finding{Did: r.did(words), Expected: "the check ends in time", Saw: s.LimitReached()})
	case errors.As(err, &refused) && !slices.ContainsFunc(redisTrouble, refused.is):
		expected := "the keys of the task, of its types"
		if refused.is("BUSY") {
			expected = "Redis answers at once"
		}
		r.c.Fail(Finding{Did: r.did(words), Expected: expected, Saw: "Redis said: " + safe.Line(string(refused))})
	}
	r.c.trouble(fmt.Errorf("check %s: the examiner's own command failed: %s: %w", r.c.spec.id, safe.Line(strings.Join(words, " ")), err))
	return nil
}

// redisTrouble are the errors that are no program's doing.
var redisTrouble = []string{"NOAUTH", "WRONGPASS", "NOPERM", "LOADING", "MASTERDOWN", "MISCONF"}

// is tells whether the error is of a kind, which is its first word.
func (e redisError) is(kind string) bool {
	first, _, _ := strings.Cut(string(e), " ")
	return first == kind
}

func (r *Redis) did(words []string) string {
	return "the examiner ran: " + safe.Line(strings.Join(words, " "))
}

// Int runs a command that answers with a whole number, or a text that is one. nil
// is 0.
func (r *Redis) Int(args ...any) int64 {
	switch v := r.Do(args...).(type) {
	case nil:
		return 0
	case int64:
		return v
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
		r.unexpected("a whole number", args, v)
	default:
		r.unexpected("a whole number", args, v)
	}
	return 0
}

// Text runs a command that answers with a text or a number. nil is "".
func (r *Redis) Text(args ...any) string {
	switch v := r.Do(args...).(type) {
	case nil:
		return ""
	case []any:
		r.unexpected("one text", args, v)
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func (r *Redis) unexpected(what string, args []any, got any) {
	r.c.Fail(Finding{
		Did:      "the examiner ran: " + safe.Line(strings.TrimSuffix(fmt.Sprintln(args...), "\n")),
		Expected: what,
		Saw:      excerpt([]byte(fmt.Sprint(got))),
	})
}

// Keys returns the keys that match a pattern such as "rate:*", sorted.
func (r *Redis) Keys(pattern string) []string {
	found, _ := r.Do("KEYS", pattern).([]any)
	keys := make([]string, len(found))
	for i, k := range found {
		keys[i] = fmt.Sprint(k)
	}
	slices.Sort(keys)
	return keys
}

// TTL returns how long a key has to live, to the millisecond; NoExpiry or NoKey
// where that is not to be said.
func (r *Redis) TTL(key string) time.Duration {
	switch ms := r.Int("PTTL", key); ms {
	case -1:
		return NoExpiry
	case -2:
		return NoKey
	default:
		return time.Duration(ms) * time.Millisecond
	}
}

// RedisFaults does harm to the connections between program and Redis. Every fault
// ends with the check.
type RedisFaults struct {
	faults
	proxies []*wire.Redis
}

// RedisFaults returns the faults for the instances with the given indexes, or for
// every instance when none is given.
func (c *C) RedisFaults(instances ...int) *RedisFaults {
	f := &RedisFaults{faults: faults{c: c, service: "Redis"}}
	for i, p := range c.session.programs {
		if p.redis != nil && (len(instances) == 0 || slices.Contains(instances, i)) {
			f.proxies = append(f.proxies, p.redis)
			f.wires = append(f.wires, p.redis)
		}
	}
	if len(f.proxies) == 0 {
		c.trouble(fmt.Errorf("check %s asks for faults of Redis, which the exercise does not declare", c.spec.id))
	}
	f.endWithCheck()
	return f
}

// CutAfter closes a connection once, at the given point of the first command that
// matches.
func (f *RedisFaults) CutAfter(match func(wire.Command) bool, when wire.CutPoint) {
	f.record("will cut the connection at a chosen command")
	for _, p := range f.proxies {
		p.CutAfter(match, when)
	}
}

// connectRedis makes the examiner's connection and the proxies.
func (s *Session) connectRedis(ctx context.Context) error {
	s.redis = &redisClient{url: s.opts.Redis.ExaminerURL()}
	if _, err := s.redis.do(ctx, []string{"PING"}); err != nil {
		return fmt.Errorf("cannot connect to the grade's Redis: %w", err)
	}
	for _, p := range s.programs {
		var err error
		p.redis, err = wire.ListenRedis(wire.Config{
			Upstream: s.opts.Redis.Addr(), Listen: "127.0.0.1:0", Name: p.name(), Log: s.statements,
		})
		if err != nil {
			return fmt.Errorf("cannot listen between the program and Redis: %w", err)
		}
	}
	return nil
}
