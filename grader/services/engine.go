package services

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// answerIn is how long an engine may take over a trivial request before it counts as hanging.
const answerIn = 4 * time.Second

const defaultSocket = "/var/run/docker.sock"

// engine is a Docker engine that has answered.
type engine struct {
	host string
	cli  *client.Client
}

// connectEngine finds the engine and makes sure that it answers. Errors are *Unavailable.
func connectEngine(ctx context.Context) (*engine, error) {
	host := engineHost()
	if err := dialEngine(ctx, host); err != nil {
		return nil, err
	}
	cli, err := client.New(client.FromEnv, client.WithHost(host))
	if err != nil {
		return nil, unavailable(err, "correct or unset DOCKER_HOST", "the Docker address %s is not usable: %s", host, oneLine(err))
	}
	e := &engine{host: host, cli: cli}
	short, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	if _, err := cli.Ping(short, client.PingOptions{}); err != nil {
		_ = cli.Close()
		return nil, e.explain(ctx, err, "asking Docker for a sign of life")
	}
	return e, nil
}

func (e *engine) close() { _ = e.cli.Close() }

// dialEngine opens and closes the engine's socket: the operating system's own error tells best
// what is wrong with it.
func dialEngine(ctx context.Context, host string) error {
	u, err := url.Parse(host)
	if err != nil || u.Scheme != "unix" && u.Scheme != "tcp" {
		return unavailable(err, "set it to unix:///path/to/docker.sock, or unset it",
			"DOCKER_HOST is %q, and cairn speaks to a unix socket or tcp", host)
	}
	network, addr := "tcp", u.Host
	if u.Scheme == "unix" {
		network, addr = "unix", u.Path
	}
	short, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(short, network, addr)
	if err == nil {
		return conn.Close()
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, fs.ErrPermission):
		return unavailable(err, "add yourself to the group docker (sudo usermod -aG docker $USER) and log in again",
			"you may not use Docker (%s)", addr)
	case errors.Is(err, fs.ErrNotExist) && host == "unix://"+defaultSocket:
		return unavailable(err, "install and start Docker, see https://docs.docker.com/get-docker", "there is no Docker engine on this machine")
	case errors.Is(err, fs.ErrNotExist):
		return unavailable(err, "start Docker, or correct DOCKER_HOST", "there is no Docker engine at %s", addr)
	case errors.Is(short.Err(), context.DeadlineExceeded):
		return unavailable(err, "restart Docker", "Docker at %s does not answer", addr)
	}
	return unavailable(err, "start Docker", "Docker is not running (%s)", addr)
}

// explain turns an error of the engine into Unavailable. A cancelled context stays what it is.
func (e *engine) explain(ctx context.Context, err error, doing string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var already *Unavailable
	if errors.As(err, &already) {
		return err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable(err, "restart Docker", "Docker hangs (%s)", doing)
	case client.IsErrConnectionFailed(err):
		return unavailable(err, "start Docker", "Docker went away (%s)", doing)
	case strings.Contains(err.Error(), "no space left on device"):
		return unavailable(err, "free some space (docker system prune)", "Docker's disk is full (%s)", doing)
	}
	return unavailable(err, "run cairn doctor", "Docker refused (%s): %s", doing, oneLine(err))
}

// engineHost is where the docker command would look: DOCKER_HOST, then the current docker
// context, then the sockets that engines are known to open.
func engineHost() string {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return host
	}
	home, _ := os.UserHomeDir()
	if host := contextHost(firstOf(os.Getenv("DOCKER_CONFIG"), filepath.Join(home, ".docker"))); host != "" {
		return host
	}
	sockets := []string{defaultSocket}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, filepath.Join(dir, "docker.sock"))
	}
	for _, s := range []string{".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock", ".orbstack/run/docker.sock"} {
		sockets = append(sockets, filepath.Join(home, filepath.FromSlash(s)))
	}
	for _, s := range sockets {
		if _, err := os.Stat(s); err == nil {
			return "unix://" + s
		}
	}
	return "unix://" + defaultSocket
}

// contextHost is the address of the current docker context, or "".
func contextHost(dir string) string {
	name := os.Getenv("DOCKER_CONTEXT")
	if name == "" {
		var config struct{ CurrentContext string }
		if data, err := os.ReadFile(filepath.Join(dir, "config.json")); err != nil || json.Unmarshal(data, &config) != nil {
			return ""
		}
		name = config.CurrentContext
	}
	if name == "" || name == "default" {
		return ""
	}
	sum := sha256.Sum256([]byte(name))
	data, err := os.ReadFile(filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]), "meta.json"))
	if err != nil {
		return ""
	}
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	if json.Unmarshal(data, &meta) != nil {
		return ""
	}
	return meta.Endpoints["docker"].Host
}

// isLocal tells whether the engine publishes ports on this machine's loopback.
func (e *engine) isLocal() bool {
	u, err := url.Parse(e.host)
	if err != nil {
		return false
	}
	if u.Scheme == "unix" || u.Hostname() == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback()
}

// EngineInfo is what cairn doctor shows of the Docker engine.
type EngineInfo struct {
	Host       string // "unix:///var/run/docker.sock"
	Version    string // "20.10.24"
	APIVersion string // "1.41"
	OS         string // "linux/amd64"
	Images     []ImageInfo
}

// ImageInfo is one of the images that cairn needs.
type ImageInfo struct {
	Service string // "postgres", "redis"
	Name    string // "pgvector/pgvector:pg17"
	Present bool
	StandIn string // what it was built from, where it is a stand-in; else ""
	Size    int64  // bytes
}

// CheckEngine asks the engine who it is and which of cairn's images it holds. A missing image is
// no error. Errors are *Unavailable, or the context's.
func CheckEngine(ctx context.Context, cfg Config) (EngineInfo, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return EngineInfo{}, err
	}
	e, err := connectEngine(ctx)
	if err != nil {
		return EngineInfo{Host: engineHost()}, err
	}
	defer e.close()
	info := EngineInfo{Host: e.host}
	short, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	v, err := e.cli.ServerVersion(short, client.ServerVersionOptions{})
	if err != nil {
		return info, e.explain(ctx, err, "asking for its version")
	}
	info.Version, info.APIVersion, info.OS = v.Version, v.APIVersion, v.Os+"/"+v.Arch
	for service, name := range map[string]string{"postgres": cfg.PostgresImage, "redis": cfg.RedisImage} {
		image, err := e.image(short, name)
		if err != nil {
			return info, e.explain(ctx, err, "looking for the image "+name)
		}
		image.Service = service
		info.Images = append(info.Images, image)
	}
	if info.Images[0].Service != "postgres" {
		info.Images[0], info.Images[1] = info.Images[1], info.Images[0]
	}
	return info, nil
}
