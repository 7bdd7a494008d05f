package services

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// The kinds of host, as CAIRN_SERVICES names them.
const (
	inContainers = "containers"
	native       = "native"
)

// The services, as labels and commands name them.
const (
	postgresService = "postgres"
	redisService    = "redis"
)

// titles are the services' own names.
var titles = map[string]string{postgresService: "PostgreSQL", redisService: "Redis"}

const (
	startIn = 90 * time.Second // most time from start to the first connection
	// neverUsedIn is how many seconds a server is given to be used for the first time.
	neverUsedIn = "300"
)

// host is where the servers of one state folder run: in containers, or as processes of this machine.
// Errors of its methods are *Unavailable, or the context's.
type host interface {
	// settings is a hash of what a PostgreSQL server is made from: one made otherwise isn't adopted.
	settings(ctx context.Context) (string, error)
	// list returns the servers of this state folder, running or not, sorted by name.
	list(ctx context.Context) ([]server, error)
	// start makes a server. It isn't ready yet, and under the lease unless that is "".
	start(ctx context.Context, service, lease string, progress func(Progress)) (server, error)
	running(ctx context.Context, s server) (bool, error)
	// died says why a server ended that had been started.
	died(ctx context.Context, s server) error
	// remove ends a server and waits for it to be gone. One that is gone already is no error.
	remove(ctx context.Context, s server) error
	// remedy is what to do about a server that doesn't answer.
	remedy() string
	close()
}

// server is a server on a host, ready or not.
type server struct {
	id, name string // id is the host's own
	service  string
	host     string
	port     int
	password string // the superuser's or, with Redis, the examiner's
	// programPassword is the program's, with Redis, known to the cairn that started the server.
	programPassword string
	nonce           string
	settings        string
	lease           string // of the cairn it belongs to; "" for one that is kept warm for all
	used            string // the file whose change is the sign of use, as the server names it
	source          string // image, or path of the program
	status          string
	native          bool
	created         time.Time
}

func (s server) runs() bool { return s.status == "running" && s.port != 0 }

// newServer gives a server its name, its nonce and its password.
func newServer(service, lease string) server {
	nonce := rand.Text()
	return server{
		name: "cairn-" + service + "-" + strings.ToLower(nonce[:8]), service: service, lease: lease,
		nonce: nonce, password: rand.Text(), programPassword: rand.Text(),
	}
}

// Throw-away data: nothing is written for a crash that nobody would recover from.
var postgresSettings = []string{
	"fsync=off", "synchronous_commit=off", "full_page_writes=off",
	"wal_level=minimal", "max_wal_senders=0", "max_wal_size=512MB",
	"checkpoint_timeout=1h", "log_checkpoints=off", "log_min_messages=log", "log_min_error_statement=panic",
	"jit=off", "max_connections=200", "shared_buffers=64MB", "temp_file_limit=1GB",
	"dynamic_shared_memory_type=posix", "timezone=UTC", "log_timezone=UTC",
}

const superuser = "cairn"

// watchLoop ends when the file $used hasn't changed for $ticks times $tick seconds, so that a
// server ends by itself when no cairn is left to end it. It counts its own ticks and compares no
// clocks: a laptop that slept, or a clock that jumped, doesn't end a server early. It gives a server
// five minutes to be used for the first time. stat is GNU's, BusyBox's or BSD's.
const watchLoop = `
	start=0
	while [ ! -e "$used" ] && [ "$start" -lt ` + neverUsedIn + ` ]; do
		sleep 1
		start=$((start + 1))
	done
	idle=0 last=
	while [ "$idle" -lt "$ticks" ]; do
		sleep "$tick"
		now=$(stat -c '%y %i' "$used" 2>/dev/null || stat -f '%Fm %i' "$used" 2>/dev/null || true)
		if [ "$now" = "$last" ]; then idle=$((idle + 1)); else idle=0 last=$now; fi
	done
`

// ticks divides the life after the last use: a tick is a minute, or a fraction of a shorter life.
func (c Config) ticks() (seconds, ticks int) {
	ticks = 30
	tick := max(c.Idle/time.Duration(ticks), time.Second)
	return int(tick / time.Second), max(int(c.Idle/tick), 1)
}

// openHost returns the host that the configuration names. Where it names none, that is an engine,
// or this machine itself if there is none and PostgreSQL's or Redis' server is installed.
func openHost(ctx context.Context, cfg Config) (host, error) {
	st := state{cfg.StateDir}
	if cfg.Services == native {
		return newNativeHost(cfg, st)
	}
	h, err := openContainers(ctx, cfg, st)
	if err == nil || cfg.Services != "" || os.Getenv("DOCKER_HOST") != "" || !isAbsent(err) {
		return h, err
	}
	if installed(ctx) {
		return newNativeHost(cfg, st)
	}
	var un *Unavailable
	if errors.As(err, &un) {
		un.Do += ", or " + installNative
	}
	return nil, err
}

// isAbsent tells whether there is no engine that this user could use.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ECONNREFUSED)
}
