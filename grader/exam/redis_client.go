package exam

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// redisClient is the examiner's connection to Redis: RESP2, one command at a time,
// made anew when it was lost. It is not safe for concurrent use.
type redisClient struct {
	url  string
	conn net.Conn // nil before the first command, and after the connection was lost
	in   *bufio.Reader
}

// redisError is what the server answered instead of a result.
type redisError string

func (e redisError) Error() string { return string(e) }

// Bounds of what the examiner reads of a program's data.
const (
	maxRedisText     = 64 << 20
	maxRedisElements = 1 << 20
)

// do runs a command. One whose connection turns out to be lost is run once more on
// a new one: a program may end all of them (CLIENT KILL), and it is the examiner's
// concern that this changes nothing.
func (r *redisClient) do(ctx context.Context, words []string) (any, error) {
	known := r.conn != nil
	answer, err := r.try(ctx, words)
	var network net.Error
	timeout := errors.As(err, &network) && network.Timeout()
	if known && r.conn == nil && !timeout && ctx.Err() == nil {
		answer, err = r.try(ctx, words)
	}
	return answer, err
}

func (r *redisClient) try(ctx context.Context, words []string) (any, error) {
	if r.conn == nil {
		if err := r.connect(ctx); err != nil {
			return nil, err
		}
	}
	answer, err := r.exchange(ctx, words)
	var refused redisError
	if err != nil && !errors.As(err, &refused) {
		r.close()
	}
	return answer, err
}

func (r *redisClient) connect(ctx context.Context) error {
	u, err := url.Parse(r.url)
	if err != nil {
		return err
	}
	var d net.Dialer
	if r.conn, err = d.DialContext(ctx, "tcp", u.Host); err != nil {
		r.conn = nil
		return err
	}
	r.in = bufio.NewReader(r.conn)
	var setup [][]string
	if password, ok := u.User.Password(); ok {
		login := []string{"AUTH", password}
		if u.User.Username() != "" {
			login = []string{"AUTH", u.User.Username(), password}
		}
		setup = append(setup, login)
	}
	if number := strings.Trim(u.Path, "/"); number != "" && number != "0" {
		setup = append(setup, []string{"SELECT", number})
	}
	for _, words := range setup {
		if _, err := r.exchange(ctx, words); err != nil {
			r.close()
			return err
		}
	}
	return nil
}

func (r *redisClient) close() {
	if r.conn != nil {
		_ = r.conn.Close()
		r.conn = nil
	}
}

func (r *redisClient) exchange(ctx context.Context, words []string) (any, error) {
	end, _ := ctx.Deadline() // none is the zero time, which sets none
	if err := r.conn.SetDeadline(end); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = r.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(r.conn, b.String()); err != nil {
		return nil, err
	}
	return r.read()
}

// read reads one answer. An error among the elements of an array is one of them.
func (r *redisClient) read() (any, error) {
	line, err := r.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return nil, errors.New("redis sent an empty line")
	}
	rest := line[1:]
	switch line[0] {
	case '+':
		return rest, nil
	case '-':
		return nil, redisError(rest)
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	case '$':
		return r.readText(rest)
	case '*':
		return r.readArray(rest)
	}
	return nil, fmt.Errorf("redis sent an answer of an unknown type: %q", line)
}

func (r *redisClient) readText(size string) (any, error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 {
		return nil, err
	}
	if n > maxRedisText {
		return nil, fmt.Errorf("a value of %d MB is too long to look at", n>>20)
	}
	text := make([]byte, n+2)
	if _, err := io.ReadFull(r.in, text); err != nil {
		return nil, err
	}
	return string(text[:n]), nil
}

func (r *redisClient) readArray(count string) (any, error) {
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return nil, err
	}
	if n > maxRedisElements {
		return nil, fmt.Errorf("%d elements are too many to look at", n)
	}
	elements := make([]any, n)
	for i := range elements {
		var refused redisError
		if elements[i], err = r.read(); errors.As(err, &refused) {
			elements[i] = refused
		} else if err != nil {
			return nil, err
		}
	}
	return elements, nil
}
