package services

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
)

// leastRedis is the oldest Redis that understands the settings below.
const leastRedis = 7

// RedisFixture is what an exercise needs of Redis. A server is empty at the start of a grade.
type RedisFixture struct {
	Name       string // exercise id; for messages and for kept servers
	MinVersion int    // least major version of Redis, 0 = any
}

// Redis is one grade's server. It is nobody else's: the numbers of Redis' databases keep neither
// FLUSHALL nor CONFIG nor scripts nor pub/sub apart.
type Redis struct {
	Host     string
	Port     int
	Name     string // of the server, as cairn services shows it
	Password string // of the program, whose user is Redis' default
	Version  string // "8.0.1"
	Fixture  string // the fixture's name

	p       *provider
	server  server
	runID   string // drawn by the server at its start: another one is another server
	done    chan struct{}
	kept    atomic.Bool
	release sync.Once
}

// redisSettings are the lines of a throw-away server's configuration.
func redisSettings(s server) [][]string {
	return [][]string{
		{"save", ""}, {"appendonly", "no"}, {"aclfile", s.used}, {"loglevel", "warning"},
		{"maxmemory", "256mb"}, {"maxmemory-policy", "noeviction"}, {"maxclients", "1000"},
		{"protected-mode", "no"},         // there is a password
		{"busy-reply-threshold", "1000"}, // a script that never ends is told of while the examiner still listens
	}
}

// redisUsers are the lines of the file of users. The program may do as it likes with what is its
// own, but neither end or stop the server nor listen in on the examiner, nor touch the machine's disk. The
// examiner's user bears the nonce: on any other server its login fails.
func redisUsers(s server) string {
	return "user default on >" + s.programPassword + " ~* &* +@all" +
		" -acl -bgrewriteaof -bgsave -client|pause -debug -failover -module -monitor -psync -replconf -replicaof -save -shutdown -slaveof" +
		" -slowlog -sync\n" +
		"user " + redisExaminer(s) + " on >" + s.password + " ~* &* +@all\n"
}

func redisExaminer(s server) string { return "cairn-" + strings.ToLower(s.nonce) }

func (c *containers) redisRequest(s server) testcontainers.ContainerRequest {
	s.used = containerUsed
	r := c.request(s, c.cfg.RedisImage, "6379/tcp", "64m")
	r.Cmd = []string{"redis-server"}
	for _, line := range redisSettings(s) {
		r.Cmd = append(append(r.Cmd, "--"+line[0]), line[1:]...)
	}
	r.Env = map[string]string{"CAIRN_USERS": redisUsers(s)}
	modify := r.HostConfigModifier
	r.HostConfigModifier = func(h *container.HostConfig) {
		modify(h)
		h.Memory = 768 << 20 // whatever the program makes of maxmemory
	}
	return r
}

// layRedis puts into the server's folder what its start needs.
func (n *nativeHost) layRedis(s server, p program) ([]string, error) {
	var conf strings.Builder
	lines := append(redisSettings(s), []string{"bind", n.cfg.PublishOn}, []string{"port", strconv.Itoa(s.port)}, []string{"dir", s.id})
	for _, line := range lines {
		conf.WriteString(line[0])
		for _, word := range line[1:] {
			conf.WriteString(" " + strconv.Quote(word))
		}
		conf.WriteString("\n")
	}
	file := filepath.Join(s.id, "redis.conf")
	return []string{p.path, file}, errors.Join(
		os.WriteFile(file, []byte(conf.String()), 0o600),
		os.WriteFile(s.used, []byte(redisUsers(s)), 0o600),
	)
}

// Addr is where the server listens, "127.0.0.1:49153".
func (r *Redis) Addr() string { return net.JoinHostPort(r.Host, strconv.Itoa(r.Port)) }

// ProgramURL is the address for the program under examination, and for redis-cli. It names the user,
// since redis-cli takes an empty name for one. hostport is where to connect, such as a proxy; "" means
// the server itself.
func (r *Redis) ProgramURL(hostport string) string {
	if hostport == "" {
		hostport = r.Addr()
	}
	u := url.URL{Scheme: "redis", Host: hostport, Path: "/0", User: url.UserPassword("default", r.Password)}
	return u.String()
}

// ExaminerURL is the address for the examiner: the server itself, as a user of its own who may do
// everything. It is never shown to the program.
func (r *Redis) ExaminerURL() string {
	u := url.URL{Scheme: "redis", Host: r.Addr(), Path: "/0", User: url.UserPassword(redisExaminer(r.server), r.server.password)}
	return u.String()
}

// Verify makes sure, on a fresh connection, that the server at this address is the one that cairn
// started, and hasn't been started anew since. Errors are *Unavailable, or the context's.
func (r *Redis) Verify(ctx context.Context) error {
	err := r.verifyAgain(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var un *Unavailable
	if err == nil || errors.As(err, &un) {
		return err
	}
	return unavailable(err, "grade again, cairn starts it anew", "the connection to Redis was lost (verifying the server)")
}

// verifyAgain verifies until there is an answer, of whatever kind: a program may end every connection
// that it finds (CLIENT KILL), and it may keep the server too busy for anything but a refusal.
func (r *Redis) verifyAgain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	for {
		err := r.verify(ctx)
		var refused redisError
		switch {
		case errors.As(err, &refused):
			return nil // it has let this examiner in, or has no room for anybody
		case err == nil, ctx.Err() != nil, !isClosed(err):
			return err
		}
	}
}

// isClosed tells whether a connection that stood was closed by the other side.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (r *Redis) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	conn, err := dialRedis(ctx, r.server)
	if err != nil {
		return err
	}
	defer conn.close()
	info, err := conn.info()
	if err != nil {
		return err
	}
	if r.runID == "" {
		r.runID, r.Version = info["run_id"], info["redis_version"]
	}
	if info["run_id"] != r.runID {
		return wrongRedis(r.server)
	}
	return nil
}

func wrongRedis(s server) error {
	return unavailable(nil, "grade again, cairn starts a new one",
		"the server at %s is not the one that cairn started", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
}

// touch changes the file that the server's watcher looks at: the file of users.
func (r *Redis) touch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	conn, err := dialRedis(ctx, r.server)
	if err != nil {
		return err
	}
	defer conn.close()
	_, err = conn.do("ACL", "SAVE")
	return err
}

// keepWarm touches the server as long as a grade uses it, however long that takes, and then as long
// as it is kept.
func (r *Redis) keepWarm() {
	tick := time.NewTicker(max(r.p.cfg.Idle/6, 300*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-r.done:
			return
		case <-r.p.life.Done():
			return
		case <-tick.C:
			if r.touch(r.p.life) != nil && r.kept.Load() {
				return // removed; a grade notices a lost server itself
			}
		}
	}
}

// Release ends the grade's use. With keep the server stays as the grade left it, until the next
// grade of the same fixture or a prune, and once the provider is closed for Config.Idle at most;
// otherwise it is removed in the background. Only the first call counts.
func (r *Redis) Release(keep bool) {
	r.release.Do(func() {
		r.kept.Store(keep)
		if !keep {
			close(r.done)
		}
		r.p.background(func(ctx context.Context) {
			if keep && r.p.keepRedis(ctx, r) == nil {
				return
			}
			if keep {
				close(r.done)
			}
			_ = r.p.removeServer(ctx, r.server) // what is left is swept by the next cairn
		})
		r.p.nextRedis()
	})
}
