// Package services provides the real servers that exercises are graded against.
//
// A server is started once and stays warm: across the grades of one cairn, and across runs of
// cairn. Each grade gets a database of its own, cloned from its exercise's template, and a role
// that can do nothing outside it. What a grade makes carries the lease of the cairn that made it,
// a file lock that the kernel drops when the process ends however it ends; the next cairn removes
// what has no live lease. A warm server stops by itself half an hour after its last use.
//
// Everything that goes wrong here is cairn's own trouble and comes back as *Unavailable.
package services

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/adrg/xdg"
)

// Images used unless Config or the environment names others.
const (
	DefaultPostgresImage = "pgvector/pgvector:pg17"
	DefaultRedisImage    = "redis:8-alpine"
)

// DefaultIdle is how long a warm server runs on after its last use.
const DefaultIdle = 30 * time.Minute

// Progress is one step on the way to a ready server. Total is 0 where it isn't known.
type Progress struct {
	What        string // "pulling pgvector/pgvector:pg17", "starting PostgreSQL"
	Done, Total int64  // bytes
}

// Fixture is what an exercise's database holds before a grade.
//
// The program's role becomes owner of everything that the SQL leaves with the superuser. Objects
// that the SQL gives to another role stay there, for exercises in which the program must not own
// its tables; what it may do is then granted to PUBLIC, since no other role can connect.
type Fixture struct {
	Name       string   // exercise id; for messages and for kept databases
	SQL        string   // run once, as superuser, into the template
	Extensions []string // made in the template, before the SQL
	MinVersion int      // least major version of PostgreSQL, 0 = any
}

// Provider gives out servers.
type Provider interface {
	// Postgres returns the warm server, starting it or adopting a running one where needed; one
	// that has stopped meanwhile is replaced. It is cheap when the server is up. progress may be
	// nil. Errors are *Unavailable, or the context's. Safe for concurrent use.
	Postgres(ctx context.Context, progress func(Progress)) (*Postgres, error)

	// Redis returns a server of the grade's own: the one started ahead, or a new one. Errors and
	// progress are as for Postgres. Safe for concurrent use.
	Redis(ctx context.Context, f RedisFixture, progress func(Progress)) (*Redis, error)

	// PrepareRedis starts a server ahead, so that Redis has nothing left to do, now and after each
	// grade. It is for the time before the learner presses the key. Errors and progress are as for
	// Postgres.
	PrepareRedis(ctx context.Context, progress func(Progress)) error

	// Engine returns the Docker engine for one grade, whichever way servers run here. Errors are as
	// for Postgres. Safe for concurrent use.
	Engine(ctx context.Context) (*Engine, error)

	// Close drops what this provider still holds and gives up its lease. Warm servers run on.
	Close() error
}

// Config says where and how servers run. The zero value is what cairn uses.
type Config struct {
	Services      string        // "containers" or "native"; default $CAIRN_SERVICES, then what is there, containers first
	StateDir      string        // leases and locks; servers belong to it; default $XDG_STATE_HOME/cairn/services
	PostgresImage string        // default $CAIRN_POSTGRES_IMAGE, then DefaultPostgresImage
	RedisImage    string        // default $CAIRN_REDIS_IMAGE, then DefaultRedisImage
	Idle          time.Duration // life after the last use; default DefaultIdle
	NoSpare       bool          // clone only on demand, never ahead: for a process that grades once
	PublishOn     string        // address that servers are published on; default 127.0.0.1
	ReachAt       string        // address they are reached at; default PublishOn
}

// Open returns the provider that the configuration names. It touches no engine and no file, so
// it costs nothing where no service is needed. An unknown name is an error.
func Open(cfg Config) (Provider, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return newProvider(cfg), nil
}

func (c Config) withDefaults() (Config, error) {
	c.Services = firstOf(c.Services, os.Getenv("CAIRN_SERVICES"))
	if c.Services != "" && c.Services != inContainers && c.Services != native {
		return c, fmt.Errorf("CAIRN_SERVICES is %q, and cairn knows %q and %q: correct or unset it", c.Services, inContainers, native)
	}
	c.PostgresImage = firstOf(c.PostgresImage, os.Getenv("CAIRN_POSTGRES_IMAGE"), DefaultPostgresImage)
	c.RedisImage = firstOf(c.RedisImage, os.Getenv("CAIRN_REDIS_IMAGE"), DefaultRedisImage)
	c.StateDir = firstOf(c.StateDir, filepath.Join(xdg.StateHome, "cairn", "services"))
	abs, err := filepath.Abs(c.StateDir)
	if err != nil {
		return c, fmt.Errorf("locate the state folder %s: %w", c.StateDir, err)
	}
	c.StateDir = abs
	if c.Idle <= 0 {
		c.Idle = DefaultIdle
	}
	c.PublishOn = firstOf(c.PublishOn, "127.0.0.1")
	c.ReachAt = firstOf(c.ReachAt, c.PublishOn)
	return c, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
