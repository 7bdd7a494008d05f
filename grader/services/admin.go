package services

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Server is a server of cairn's, as cairn services shows it.
type Server struct {
	Name      string // also of its container
	Service   string // "postgres", "redis"
	Image     string // or the path of the program that runs without a container
	Addr      string // where it listens; "" when it doesn't run
	Status    string // "running", "paused", "exited"
	Version   string // of the server; "" when it doesn't answer
	Started   time.Time
	Databases []DatabaseInfo // a Redis server that is kept for a look is one, under its own name
}

// Running tells whether the server runs.
func (s Server) Running() bool { return s.Status == "running" }

// List returns the servers of this user's cairns. Looking is no use: it doesn't keep one warm.
// Errors are *Unavailable, or the context's.
func List(ctx context.Context, cfg Config) ([]Server, error) {
	var servers []Server
	err := withServers(ctx, cfg, false, func(cfg Config, _ host, found []server) error {
		for _, s := range found {
			info := s.describe()
			if s.service == redisService {
				st := state{cfg.StateDir}
				info.Version, info.Databases = lookRedis(ctx, s), st.keptAs(s.name)
			} else if p := look(ctx, cfg, s); p != nil {
				info.Version = p.Version()
				info.Databases, _ = p.withLife(ctx)
				p.abandon()
			}
			servers = append(servers, info)
		}
		return nil
	})
	return servers, err
}

// Stop ends the servers of this user's cairns, kept databases included, and returns which. Without
// force it refuses while a cairn runs that may be grading. Errors are *Unavailable, or the context's.
func Stop(ctx context.Context, cfg Config, force bool) ([]Server, error) {
	var stopped []Server
	err := withServers(ctx, cfg, true, func(cfg Config, h host, found []server) error {
		live, err := (state{cfg.StateDir}).live(ctx)
		if err != nil {
			return err
		}
		if len(live) > 0 && len(found) > 0 && !force {
			return unavailable(nil, "end it first, or stop by force", "another cairn is running and may be grading")
		}
		var errs []error
		for _, s := range found {
			if err := errors.Join(h.remove(ctx, s), (state{cfg.StateDir}).unkeep(s.name)); err != nil {
				errs = append(errs, err)
				continue
			}
			stopped = append(stopped, s.describe())
		}
		return errors.Join(errs...)
	})
	return stopped, err
}

// Pruned is what a prune has removed.
type Pruned struct {
	Servers   []Server
	Databases []DatabaseInfo
	Images    int // that builds had left for the next one
	Caches    int // of Go, for the steps of workflows
}

// Prune removes what serves nobody: servers that don't run, databases and servers kept for a look, what
// cairns that no longer run left behind, what builds of images have left, the build caches for steps of workflows and, where no
// cairn runs, the templates. Errors are *Unavailable, or the context's.
func Prune(ctx context.Context, cfg Config) (Pruned, error) {
	var pruned Pruned
	err := withServers(ctx, cfg, true, func(cfg Config, h host, found []server) error {
		live, err := (state{cfg.StateDir}).live(ctx)
		if err != nil {
			return err
		}
		st := state{cfg.StateDir}
		var errs []error
		for _, s := range found {
			// A Redis server serves one grade: kept or without a cairn, it serves none.
			if !s.runs() || s.service == redisService && (!live[s.lease] || len(st.keptAs(s.name)) > 0) {
				pruned.Servers = append(pruned.Servers, s.describe())
				errs = append(errs, h.remove(ctx, s), st.unkeep(s.name))
			} else if p := look(ctx, cfg, s); p != nil {
				dropped, err := p.prune(ctx, len(live) == 0)
				pruned.Databases = append(pruned.Databases, dropped...)
				errs = append(errs, explainSQL(ctx, err, "pruning "+s.name))
				p.abandon()
			}
		}
		return errors.Join(errs...)
	})
	full, cfgErr := cfg.withDefaults()
	if cfgErr != nil {
		return pruned, cfgErr
	}
	var built, cached error
	pruned.Images, built = pruneEngine(ctx, full)
	pruned.Caches, cached = pruneCaches(ctx, full)
	return pruned, errors.Join(err, built, cached)
}

// prune drops what no running cairn uses, and returns it.
func (p *Postgres) prune(ctx context.Context, templates bool) ([]DatabaseInfo, error) {
	dbs, err := p.withLife(ctx)
	if err != nil {
		return nil, err
	}
	var dropped []DatabaseInfo
	var errs []error
	for _, d := range dbs {
		if d.Template && !templates || d.Live && d.Kept.IsZero() {
			continue
		}
		if d.Template {
			if err := p.exec(ctx, "alter database "+identifier(d.Name)+" is_template false"); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		if err := p.drop(ctx, d.Name); err != nil {
			errs = append(errs, err)
			continue
		}
		dropped = append(dropped, d)
	}
	return dropped, errors.Join(errs...)
}

// withServers runs f with all of this state folder's servers, on each host; exclusively, while no
// cairn starts one. An engine that isn't there matters only where servers would run in it.
func withServers(ctx context.Context, cfg Config, exclusive bool, f func(Config, host, []server) error) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	st := state{cfg.StateDir}
	if exclusive {
		for _, service := range []string{postgresService, redisService} {
			unlock, err := st.lock(ctx, service, nil)
			if err != nil {
				return err
			}
			defer unlock()
		}
	}
	hosts := []host{&nativeHost{cfg: cfg, state: st}}
	if cfg.Services != native {
		e, err := openContainers(ctx, cfg, st)
		if err == nil {
			defer e.close()
			hosts = append(hosts, e)
		} else if cfg.Services != "" || !isAbsent(err) || !installed(ctx) {
			return err
		}
	}
	var errs []error
	for _, h := range hosts {
		found, err := h.list(ctx)
		if err == nil {
			err = f(cfg, h, found)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// look connects to a server without using it, or returns nil if it doesn't answer.
func look(ctx context.Context, cfg Config, s server) *Postgres {
	if !s.runs() || s.service != postgresService {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	p := newPostgres(cfg, state{cfg.StateDir}, nil, s)
	if err := p.open(ctx); err != nil {
		p.abandon()
		return nil
	}
	return p
}

// lookRedis returns the server's version, or "" if it doesn't answer.
func lookRedis(ctx context.Context, s server) string {
	r := Redis{server: s}
	if !s.runs() || r.verify(ctx) != nil {
		return ""
	}
	return r.Version
}

func (s server) describe() Server {
	info := Server{Name: s.name, Service: s.service, Image: s.source, Status: s.status, Started: s.created}
	if s.port != 0 {
		info.Addr = fmt.Sprintf("%s:%d", s.host, s.port)
	}
	return info
}

// Kept returns the databases that are kept for a look.
func (s Server) Kept() []DatabaseInfo {
	return slices.DeleteFunc(slices.Clone(s.Databases), func(d DatabaseInfo) bool { return d.Kept.IsZero() })
}
