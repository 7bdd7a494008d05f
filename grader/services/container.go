package services

import (
	"cmp"
	"context"
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
	labelService  = "org.cairn.service"  // "postgres", "redis"
	labelState    = "org.cairn.state"    // whose it is, see state.id
	labelSettings = "org.cairn.settings" // see host.settings
	labelPassword = "org.cairn.password"
	labelNonce    = "org.cairn.nonce"
	labelLease    = "org.cairn.lease" // of the cairn it belongs to; "" for one that is kept warm for all
)

// engineSlow is most time for one request that makes the engine work.
const engineSlow = 30 * time.Second

// containerUsed is the file whose change is the sign of use, in the container.
const containerUsed = "/cairn/state/used"

// watchScript runs before the image's own entrypoint and leaves a watcher behind. The watcher
// repeats the signal, which the entrypoint's shell would ignore.
const watchScript = `
used=$1 tick=$2 ticks=$3
shift 3
mkdir -p /cairn/state
chmod 0777 /cairn/state
if [ -n "$CAIRN_USERS" ]; then printf %s "$CAIRN_USERS" >"$used"; fi
(` + watchLoop + `
	while kill -INT 1; do sleep 1; done
) &
exec "$@"
`

// containers is the host that runs servers in containers of an engine.
type containers struct {
	*engine
	cfg   Config
	owner string // state.id
}

func openContainers(ctx context.Context, cfg Config, st state) (*containers, error) {
	e, err := connectEngine(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := st.id(ctx)
	if err != nil {
		e.close()
		return nil, err
	}
	return &containers{engine: e, cfg: cfg, owner: owner}, nil
}

func (c *containers) remedy() string { return "restart Docker" }

func (c *containers) settings(context.Context) (string, error) {
	return c.hash(), nil
}

func (c *containers) hash() string {
	sum := sha256.Sum256([]byte(fmt.Sprint("2", c.cfg.PostgresImage, c.cfg.Idle, c.cfg.PublishOn, postgresSettings, watchScript)))
	return hex.EncodeToString(sum[:6])
}

func (c *containers) list(ctx context.Context) ([]server, error) {
	return c.labelled(ctx, labelService, labelState+"="+c.owner)
}

// labelled returns the containers, running or not, that carry all the labels.
func (c *containers) labelled(ctx context.Context, labels ...string) ([]server, error) {
	ctx2, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	found, err := c.cli.ContainerList(ctx2, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labels...),
	})
	if err != nil {
		return nil, c.explain(ctx, err, "listing containers")
	}
	var servers []server
	for _, item := range found.Items {
		s := server{
			id: item.ID, host: c.cfg.ReachAt, source: item.Image, status: string(item.State), used: containerUsed,
			password: item.Labels[labelPassword], nonce: item.Labels[labelNonce], settings: item.Labels[labelSettings],
			service: item.Labels[labelService], lease: item.Labels[labelLease], created: time.Unix(item.Created, 0),
		}
		if len(item.Names) > 0 {
			s.name = strings.TrimPrefix(item.Names[0], "/")
		}
		for _, p := range item.Ports {
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

func (c *containers) start(ctx context.Context, service, lease string, progress func(Progress)) (server, error) {
	if !c.isLocal() && c.cfg.ReachAt == "127.0.0.1" {
		return server{}, unavailable(nil, "unset DOCKER_HOST to use the engine of this machine", "the Docker engine %s is on another machine", c.engine.host)
	}
	s := newServer(service, lease)
	request := c.postgresRequest(s)
	if service == redisService {
		request = c.redisRequest(s)
	}
	if err := c.ensureImage(ctx, request.Image, progress); err != nil {
		return server{}, err
	}
	progress(Progress{What: "starting " + titles[service]})
	return c.create(ctx, s, request)
}

// create makes and starts a container.
func (c *containers) create(ctx context.Context, s server, request testcontainers.ContainerRequest) (server, error) {
	ctx2, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	provider, err := containerProvider(c.engine.host)
	if err != nil {
		return server{}, c.explain(ctx, err, "preparing a container")
	}
	defer provider.Close()
	ctr, err := provider.RunContainer(ctx2, request)
	if err == nil {
		found, err := c.labelled(ctx, labelNonce+"="+s.nonce)
		if err != nil {
			return server{}, err
		}
		if len(found) == 1 && found[0].port != 0 {
			found[0].programPassword = s.programPassword
			return found[0], nil
		}
		s.id = ctr.GetContainerID()
		return server{}, c.died(ctx, s)
	}
	if ctr != nil {
		_ = c.remove(context.WithoutCancel(ctx), server{id: ctr.GetContainerID()})
	}
	return server{}, c.explain(ctx, err, "starting "+titles[s.service])
}

func (c *containers) postgresRequest(s server) testcontainers.ContainerRequest {
	cmd := []string{"postgres", "-c", "cairn.nonce=" + s.nonce}
	for _, s := range postgresSettings {
		cmd = append(cmd, "-c", s)
	}
	r := c.request(s, c.cfg.PostgresImage, "5432/tcp", "3g")
	r.Cmd = cmd
	r.Env = map[string]string{
		"POSTGRES_USER": superuser, "POSTGRES_PASSWORD": s.password, "POSTGRES_DB": "postgres",
		"POSTGRES_INITDB_ARGS": "--no-sync --encoding=UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256",
		"PGDATA":               "/cairn/pgdata",
	}
	return r
}

// request is what the containers of all services have in common. Their data lies in memory.
func (c *containers) request(s server, image, port, size string) testcontainers.ContainerRequest {
	tick, ticks := c.cfg.ticks()
	return testcontainers.ContainerRequest{
		Image: image,
		Name:  s.name,
		Labels: map[string]string{
			labelService: s.service, labelState: c.owner, labelSettings: c.hash(), labelLease: s.lease,
			labelNonce: s.nonce, labelPassword: s.password,
		},
		Entrypoint: []string{"sh", "-c", watchScript, "cairn", containerUsed, strconv.Itoa(tick), strconv.Itoa(ticks), "docker-entrypoint.sh"},
		Tmpfs:      map[string]string{"/cairn": "rw,mode=1777,size=" + size},
		HostConfigModifier: func(h *container.HostConfig) {
			h.AutoRemove = true
			h.ShmSize = 256 << 20
			h.LogConfig = container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m", "max-file": "1"}}
			h.PortBindings = network.PortMap{network.MustParsePort(port): {{HostIP: netip.MustParseAddr(c.cfg.PublishOn)}}}
		},
		ExposedPorts: []string{port},
	}
}

// died says why a container ended, with the last line that it wrote.
func (e *engine) died(ctx context.Context, s server) error {
	last := ""
	if logs, err := e.cli.ContainerLogs(ctx, s.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "5"}); err == nil {
		data, _ := io.ReadAll(io.LimitReader(logs, 64<<10))
		_ = logs.Close()
		last = lastLine(data)
	}
	if strings.Contains(last, "No space left on device") {
		return unavailable(nil, "give Docker more memory", "%s has no room for its data", titles[s.service])
	}
	return unavailable(nil, "run cairn doctor", "%s ended as it started: %s", titles[s.service], cmp.Or(last, "it wrote nothing"))
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
func (e *engine) running(ctx context.Context, s server) (bool, error) {
	ctx2, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	got, err := e.cli.ContainerInspect(ctx2, s.id, client.ContainerInspectOptions{})
	if isGone(err) {
		return false, nil
	}
	if err != nil {
		return false, e.explain(ctx, err, "looking after "+titles[s.service])
	}
	return got.Container.State != nil && got.Container.State.Running, nil
}
