package services

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres is a running PostgreSQL server that this process holds a lease on.
type Postgres struct {
	cfg    Config
	state  state
	lease  *lease
	server server

	version int       // server_version_num, 170004
	started time.Time // when the server was: another time is another server

	inUse atomic.Int64
	bg    sync.WaitGroup
	life  context.Context // ends at shutdown: the background stops
	end   context.CancelFunc

	mu      sync.Mutex
	idle    []*pgx.Conn // administrative connections, to the database postgres
	spares  map[string]*spare
	kept    map[string]bool // fixtures of which this process keeps a database, which counts as a use
	stopped bool
}

// closeIn is how long Close waits for what is being dropped; the rest is left to the next sweep.
const closeIn = 5 * time.Second

func newPostgres(cfg Config, st state, l *lease, s server) *Postgres {
	life, end := context.WithCancel(context.Background())
	return &Postgres{cfg: cfg, state: st, lease: l, server: s, life: life, end: end, spares: map[string]*spare{}, kept: map[string]bool{}}
}

// Addr is where the server listens, "127.0.0.1:49153".
func (p *Postgres) Addr() string {
	return net.JoinHostPort(p.server.host, strconv.Itoa(p.server.port))
}

// Version is the server's version, "17.4".
func (p *Postgres) Version() string {
	return fmt.Sprintf("%d.%d", p.version/10000, p.version%10000)
}

func (p *Postgres) superuserURL(database, application string) string {
	u := url.URL{
		Scheme: "postgres", Host: p.Addr(), Path: "/" + database,
		User:     url.UserPassword(superuser, p.server.password),
		RawQuery: url.Values{"sslmode": {"disable"}, "application_name": {application}}.Encode(),
	}
	return u.String()
}

// open makes the first connection, and makes sure that this is the server that cairn started.
func (p *Postgres) open(ctx context.Context) error {
	conn, err := p.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')::int, pg_postmaster_start_time()").Scan(&p.version, &p.started); err != nil {
		closeConn(conn)
		return err
	}
	p.idle = append(p.idle, conn)
	return nil
}

// begin opens a server for use: it takes away what PUBLIC may do by default, so that a program's
// role sees its own database only, and from here on the server is kept warm while it is used.
func (p *Postgres) begin(ctx context.Context) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	if err := p.exec(ctx, "revoke all on database postgres, template1 from public;"+p.touchSQL()); err != nil {
		return err
	}
	go p.keepWarm(p.life)
	return nil
}

// connect opens a connection as superuser and verifies that this is the server that cairn started,
// and hasn't been started anew since.
func (p *Postgres) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(p.superuserURL(database, "cairn"))
	if err != nil {
		return nil, fmt.Errorf("read the server's address: %w", err)
	}
	cfg.ConnectTimeout = 5 * time.Second
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := p.identify(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

func (p *Postgres) identify(ctx context.Context, conn *pgx.Conn) error {
	var nonce *string
	var started time.Time
	if err := conn.QueryRow(ctx, "select current_setting('cairn.nonce', true), pg_postmaster_start_time()").Scan(&nonce, &started); err != nil {
		return err
	}
	switch {
	case nonce == nil || *nonce != p.server.nonce:
		return unavailable(nil, "grade again, cairn looks for its server anew",
			"the server at %s is not the one that cairn started", p.Addr())
	case !p.started.IsZero() && !started.Equal(p.started):
		return unavailable(nil, "grade again, cairn makes it ready anew", "PostgreSQL was started again by somebody else")
	}
	return nil
}

// admin runs f on a connection to the database postgres, as superuser.
func (p *Postgres) admin(ctx context.Context, f func(*pgx.Conn) error) error {
	p.mu.Lock()
	var conn *pgx.Conn
	if n := len(p.idle); n > 0 {
		conn, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	p.mu.Unlock()
	if conn == nil {
		var err error
		if conn, err = p.connect(ctx, "postgres"); err != nil {
			return err
		}
	}
	err := f(conn)
	p.mu.Lock()
	if !conn.IsClosed() && !p.stopped && len(p.idle) < 4 {
		p.idle, conn = append(p.idle, conn), nil
	}
	p.mu.Unlock()
	if conn != nil {
		closeConn(conn)
	}
	return err
}

func (p *Postgres) exec(ctx context.Context, sql string) error {
	return p.admin(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql)
		return err
	})
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// touchSQL changes the file that the server's watcher looks at.
func (p *Postgres) touchSQL() string { return "copy (select 1) to " + literal(p.server.used) }

// touch is a sign of life in both directions: the server answers, and its watcher sees a use.
func (p *Postgres) touch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	return p.exec(ctx, p.touchSQL())
}

// keepWarm touches the server as long as a grade uses it, or something on it is kept, however long
// that takes.
func (p *Postgres) keepWarm(ctx context.Context) {
	tick := time.NewTicker(max(p.cfg.Idle/6, 300*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if p.inUse.Load() > 0 {
				_ = p.touch(ctx) // a lost server is noticed by the grade itself
			}
		}
	}
}

// background runs f beside the caller, unless the server is given up; it tells which. The context
// of f ends with the server's use by this process.
func (p *Postgres) background(f func(context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.bg.Go(func() { f(p.life) })
	}
	return !p.stopped
}

// abandon lets go of a server that is lost: there is nothing to drop.
func (p *Postgres) abandon() {
	p.end()
	p.mu.Lock()
	p.stopped = true
	conns := p.idle
	p.idle = nil
	for _, s := range p.spares {
		select {
		case <-s.ready:
			if s.db != nil {
				p.lease.forget(s.db.Name)
			}
		default: // its making fails, now that its context has ended
		}
	}
	p.mu.Unlock()
	for _, c := range conns {
		closeConn(c)
	}
}

// shutdown drops the spares, waits for what is being dropped, and closes the connections.
func (p *Postgres) shutdown() {
	p.dropSpares()
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { p.bg.Wait(); close(done) }()
	timer := time.AfterFunc(closeIn, p.end)
	<-done
	timer.Stop()
	p.abandon()
}

// identifier quotes a name for SQL.
func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a text for SQL.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
