package services

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// Labels of cairn's containers. The password stands there too: it must be found again by the next
// cairn, it can't get out of step with the container it belongs to, and whoever may read labels
// may run commands in the container anyway.
const (
	labelService  = "org.cairn.service"  // "postgres"
	labelState    = "org.cairn.state"    // whose it is, see state.id
	labelSettings = "org.cairn.settings" // hash of image and settings: others are not adopted
	labelPassword = "org.cairn.password"
	labelNonce    = "org.cairn.nonce"
)

const (
	superuser  = "cairn"
	usedFile   = "/cairn/state/used" // its change is the sign of use, see watchScript
	startIn    = 90 * time.Second    // most time from create to the first connection
	engineSlow = 30 * time.Second    // most time for one request that makes the engine work
)

// watchScript runs before the image's own entrypoint. It leaves a watcher behind that stops the
// server when usedFile hasn't changed for a number of ticks, so that a warm server ends by itself
// when no cairn is left to end it. It counts its own ticks and compares no clocks: a laptop that
// slept, or a clock that jumped, doesn't end a server early. It gives a server five minutes to be
// used for the first time, and repeats the signal, which the entrypoint's shell would ignore.
const watchScript = `
tick=$1 ticks=$2
shift 2
mkdir -p /cairn/state
chmod 0777 /cairn/state
(
	start=0
	while [ ! -e ` + usedFile + ` ] && [ "$start" -lt 300 ]; do
		sleep 1
		start=$((start + 1))
	done
	idle=0 last=
	while [ "$idle" -lt "$ticks" ]; do
		sleep "$tick"
		now=$(stat -c '%y %i' ` + usedFile + ` 2>/dev/null || true)
		if [ "$now" = "$last" ]; then idle=$((idle + 1)); else idle=0 last=$now; fi
	done
	while kill -INT 1; do sleep 1; done
) &
exec "$@"
`

// Throw-away data: nothing is written for a crash that nobody would recover from.
var postgresSettings = []string{
	"fsync=off", "synchronous_commit=off", "full_page_writes=off",
	"wal_level=minimal", "max_wal_senders=0", "max_wal_size=512MB",
	"checkpoint_timeout=1h", "log_checkpoints=off", "log_min_messages=log", "log_min_error_statement=panic",
	"jit=off", "max_connections=200", "shared_buffers=64MB", "temp_file_limit=1GB",
	"dynamic_shared_memory_type=posix", "timezone=UTC", "log_timezone=UTC",
}

// server is one running container of cairn's.
type server struct {
	id, name      string
	host          string
	port          int
	password      string
	nonce         string
	service       string
	image, status string
	created       time.Time
}

func (c Config) settings() string {
	sum := sha256.Sum256([]byte(fmt.Sprint("1", c.PostgresImage, c.Idle, c.PublishOn, postgresSettings, watchScript)))
	return hex.EncodeToString(sum[:6])
}

// list returns cairn's containers, running or not, that carry all the labels.
func (e *engine) list(ctx context.Context, reachAt string, labels ...string) ([]server, error) {
	ctx2, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	found, err := e.cli.ContainerList(ctx2, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labels...),
	})
	if err != nil {
		return nil, e.explain(ctx, err, "listing containers")
	}
	var servers []server
	for _, c := range found.Items {
		s := server{
			id: c.ID, host: reachAt, image: c.Image, status: string(c.State),
			password: c.Labels[labelPassword], nonce: c.Labels[labelNonce],
			service: c.Labels[labelService], created: time.Unix(c.Created, 0),
		}
		if len(c.Names) > 0 {
			s.name = strings.TrimPrefix(c.Names[0], "/")
		}
		for _, p := range c.Ports {
			if p.PublicPort != 0 {
				s.port = int(p.PublicPort)
			}
		}
		servers = append(servers, s)
	}
	slices.SortFunc(servers, func(a, b server) int { return cmp.Compare(a.name, b.name) })
	return servers, nil
}

// remove ends a container and waits for it to be gone. One that is gone already is no error.
func (e *engine) remove(ctx context.Context, s server) error {
	ctx2, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	gone := e.cli.ContainerWait(ctx2, s.id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	_, err := e.cli.ContainerRemove(ctx2, s.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !isGone(err) {
		return e.explain(ctx, err, "removing "+s.name)
	}
	select {
	case <-gone.Result:
	case err := <-gone.Error:
		if err != nil && !isGone(err) {
			return e.explain(ctx, err, "removing "+s.name)
		}
	}
	return nil
}

// createPostgres makes and starts a container. The server in it isn't ready yet.
func (e *engine) createPostgres(ctx context.Context, cfg Config, owner string) (server, error) {
	ctx2, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	provider, err := containerProvider(e.host)
	if err != nil {
		return server{}, e.explain(ctx, err, "preparing a container")
	}
	defer provider.Close()
	nonce, password := rand.Text(), rand.Text()
	ctr, err := provider.RunContainer(ctx2, postgresRequest(cfg, owner, nonce, password))
	if err == nil {
		found, err := e.list(ctx, cfg.ReachAt, labelNonce+"="+nonce)
		if err != nil {
			return server{}, err
		}
		if len(found) == 1 && found[0].port != 0 {
			return found[0], nil
		}
		return server{}, e.died(ctx, ctr.GetContainerID())
	}
	if ctr != nil {
		_ = e.remove(context.WithoutCancel(ctx), server{id: ctr.GetContainerID()})
	}
	return server{}, e.explain(ctx, err, "starting PostgreSQL")
}

func postgresRequest(cfg Config, owner, nonce, password string) testcontainers.ContainerRequest {
	cmd := []string{"postgres", "-c", "cairn.nonce=" + nonce}
	for _, s := range postgresSettings {
		cmd = append(cmd, "-c", s)
	}
	// A tick is a minute, or a fraction of a shorter life.
	ticks := 30
	tick := max(cfg.Idle/time.Duration(ticks), time.Second)
	ticks = max(int(cfg.Idle/tick), 1)
	port := network.MustParsePort("5432/tcp")
	return testcontainers.ContainerRequest{
		Image: cfg.PostgresImage,
		Name:  "cairn-postgres-" + strings.ToLower(nonce[:8]),
		Labels: map[string]string{
			labelService: "postgres", labelState: owner, labelSettings: cfg.settings(),
			labelNonce: nonce, labelPassword: password,
		},
		Env: map[string]string{
			"POSTGRES_USER": superuser, "POSTGRES_PASSWORD": password, "POSTGRES_DB": "postgres",
			"POSTGRES_INITDB_ARGS": "--no-sync --encoding=UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256",
			"PGDATA":               "/cairn/pgdata",
		},
		Entrypoint: []string{"sh", "-c", watchScript, "cairn", strconv.Itoa(int(tick / time.Second)), strconv.Itoa(ticks), "docker-entrypoint.sh"},
		Cmd:        cmd,
		Tmpfs:      map[string]string{"/cairn": "rw,size=3g,mode=1777"},
		HostConfigModifier: func(h *container.HostConfig) {
			h.AutoRemove = true
			h.ShmSize = 256 << 20
			h.LogConfig = container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m", "max-file": "1"}}
			h.PortBindings = network.PortMap{port: {{HostIP: netip.MustParseAddr(cfg.PublishOn)}}}
		},
		ExposedPorts: []string{"5432/tcp"},
	}
}

// died says why a container ended, with the last line that it wrote.
func (e *engine) died(ctx context.Context, id string) error {
	last := ""
	if logs, err := e.cli.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "5"}); err == nil {
		data, _ := io.ReadAll(io.LimitReader(logs, 64<<10))
		_ = logs.Close()
		last = lastLine(data)
	}
	if strings.Contains(last, "No space left on device") {
		return unavailable(nil, "give Docker more memory", "PostgreSQL has no room for its data")
	}
	return unavailable(nil, "run cairn doctor", "PostgreSQL ended as it started: %s", cmp.Or(last, "it wrote nothing"))
}

// lastLine is the last line of a container's log, without the eight bytes that frame it.
func lastLine(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	last := lines[len(lines)-1]
	if len(last) > 8 && last[0] <= 2 {
		last = last[8:]
	}
	return strings.ToValidUTF8(strings.TrimSpace(last), "?")
}

// running tells whether the container still runs.
func (e *engine) running(ctx context.Context, id string) (bool, error) {
	ctx2, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	got, err := e.cli.ContainerInspect(ctx2, id, client.ContainerInspectOptions{})
	if isGone(err) {
		return false, nil
	}
	if err != nil {
		return false, e.explain(ctx, err, "looking after PostgreSQL")
	}
	return got.Container.State != nil && got.Container.State.Running, nil
}
