package services

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// nativeHost runs servers as processes of this machine, on loopback. Each server has a folder of
// its own for its data, see nativeScript, and a record in the state folder.
type nativeHost struct {
	cfg   Config
	state state
}

func newNativeHost(cfg Config, st state) (*nativeHost, error) {
	return &nativeHost{cfg: cfg, state: st}, st.prepare()
}

func (n *nativeHost) close() {}

func (n *nativeHost) remedy() string { return "run cairn services stop --force and grade again" }

func (n *nativeHost) settings(ctx context.Context) (string, error) {
	p, err := findProgram(ctx, postgresService)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(fmt.Sprint("1", p, n.cfg.Idle, n.cfg.PublishOn, postgresSettings, nativeScript)))
	return hex.EncodeToString(sum[:6]), nil
}

// record is what the next cairn must know of a server. It is written before the server starts, so
// that none is ever unknown.
type record struct {
	Name     string    `json:"name"`
	Service  string    `json:"service"`
	Dir      string    `json:"dir"`
	Program  string    `json:"program"`
	Port     int       `json:"port"`
	Password string    `json:"password"`
	Nonce    string    `json:"nonce"`
	Settings string    `json:"settings,omitempty"`
	Lease    string    `json:"lease,omitempty"`
	Started  time.Time `json:"started"`
}

func (n *nativeHost) records() string { return filepath.Join(n.state.dir, "servers") }

func (n *nativeHost) recordFile(name string) string {
	return filepath.Join(n.records(), name+".json")
}

func (n *nativeHost) write(s server) error {
	data, err := json.Marshal(record{
		Name: s.name, Service: s.service, Dir: s.id, Program: s.source, Port: s.port, Password: s.password,
		Nonce: s.nonce, Settings: s.settings, Lease: s.lease, Started: s.created,
	})
	if err == nil {
		err = os.MkdirAll(n.records(), 0o700)
	}
	file := n.recordFile(s.name)
	n.dropUnfinished()
	if err == nil {
		err = os.WriteFile(file+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return unavailable(err, "make it writable", "the file %s cannot be written", file)
	}
	return nil
}

// dropUnfinished removes records of which a cairn was killed as it wrote them. Writing one takes no
// time; an hour leaves room for a laptop that slept.
func (n *nativeHost) dropUnfinished() {
	files, _ := filepath.Glob(filepath.Join(escapeGlob(n.records()), "*.json.new"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(file)
		}
	}
}

func (n *nativeHost) list(ctx context.Context) ([]server, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(n.records()), "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	var servers []server
	for _, file := range files {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just been removed
		}
		var r record
		if err != nil || json.Unmarshal(data, &r) != nil || r.Name+".json" != filepath.Base(file) {
			return nil, unavailable(err, "delete it", "the file %s cannot be read", file)
		}
		s := server{
			id: r.Dir, name: r.Name, service: r.Service, host: n.cfg.ReachAt, port: r.Port, password: r.Password, nonce: r.Nonce,
			settings: r.Settings, lease: r.Lease, used: usedIn(r.Dir), source: r.Program, status: "exited", native: true, created: r.Started,
		}
		if runs, err := n.running(ctx, s); err != nil {
			return nil, err
		} else if runs {
			s.status = "running"
		}
		servers = append(servers, s)
	}
	slices.SortFunc(servers, func(a, b server) int { return cmp.Compare(a.name, b.name) })
	return servers, nil
}

// escapeGlob makes a path a pattern that matches itself.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// usedIn is the file in a server's folder whose change is the sign of use.
func usedIn(dir string) string { return filepath.Join(dir, "used") }

func (n *nativeHost) start(ctx context.Context, service, lease string, progress func(Progress)) (server, error) {
	p, err := findProgram(ctx, service)
	if err != nil {
		return server{}, err
	}
	progress(Progress{What: "starting " + titles[service]})
	s := newServer(service, lease)
	s.native, s.source, s.host, s.status, s.created = true, p.path, n.cfg.ReachAt, "running", time.Now()
	if service == postgresService {
		if s.settings, err = n.settings(ctx); err != nil {
			return server{}, err
		}
	}
	if s.port, err = freePort(n.cfg.PublishOn); err != nil {
		return server{}, err
	}
	s.id = filepath.Join(dataDir(), s.name)
	s.used = usedIn(s.id)
	if err := n.write(s); err != nil {
		return server{}, err
	}
	if err := n.spawn(s, p); err != nil {
		_ = n.remove(context.WithoutCancel(ctx), s)
		return server{}, unavailable(err, "run cairn doctor", "%s cannot be started: %s", titles[service], oneLine(err))
	}
	return s, nil
}

// died says why a server ended, with the last line that it wrote.
func (n *nativeHost) died(_ context.Context, s server) error {
	data, _ := os.ReadFile(filepath.Join(s.id, "log"))
	if strings.Contains(string(data), "No space left on device") {
		return unavailable(nil, "free some space there", "%s has no room for its data in %s", titles[s.service], filepath.Dir(s.id))
	}
	return unavailable(nil, "run cairn doctor", "%s ended as it started: %s", titles[s.service], cmp.Or(lastLine(data), "it wrote nothing"))
}
