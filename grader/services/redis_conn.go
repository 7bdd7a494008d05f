package services

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// maxReply is the longest reply that cairn's own few commands can have.
const maxReply = 1 << 20

// redisConn is a connection for what cairn itself asks of a server: a sign of life, its version.
type redisConn struct {
	conn net.Conn
	r    *bufio.Reader
	stop func() bool // ends the watch on the context
}

// redisError is an error that the server replied.
type redisError string

func (e redisError) Error() string { return string(e) }

// isPassing tells whether the server only has no time or no room for this client now.
func (e redisError) isPassing() bool {
	for _, kind := range []string{"LOADING", "BUSY", "ERR max number of clients"} {
		if strings.HasPrefix(string(e), kind) {
			return true
		}
	}
	return false
}

// dialRedis connects to a server as the examiner. A server that doesn't know this user is another
// one, and the error says so.
func dialRedis(ctx context.Context, s server) (*redisConn, error) {
	c, err := dialServer(ctx, net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return nil, err
	}
	_, err = c.do("AUTH", redisExaminer(s), s.password)
	var refused redisError
	if errors.As(err, &refused) && !refused.isPassing() {
		err = wrongRedis(s)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// dialServer connects without logging in. The end of the context closes the connection.
func dialServer(ctx context.Context, addr string) (*redisConn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &redisConn{conn: conn, r: bufio.NewReader(conn), stop: stop}, nil
}

func (c *redisConn) close() {
	c.stop()
	_ = c.conn.Close()
}

// do sends a command whose reply is a text or a number. An error of the server is a redisError.
func (c *redisConn) do(args ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c.conn, b.String()); err != nil {
		return "", err
	}
	line, err := c.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("read Redis' reply: an empty line")
	}
	switch rest := line[1:]; line[0] {
	case '+', ':':
		return rest, nil
	case '-':
		return "", redisError(rest)
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 || n > maxReply {
			return "", fmt.Errorf("read Redis' reply: a length of %q", rest)
		}
		data := make([]byte, n+2)
		_, err = io.ReadFull(c.r, data)
		return string(data[:n]), err
	}
	return "", fmt.Errorf("read Redis' reply: %q", line)
}

// info returns what the server says of itself.
func (c *redisConn) info() (map[string]string, error) {
	text, err := c.do("INFO", "server")
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info, err
}
