package services

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// cannotConnectNow is what a server says that is starting up or shutting down.
const cannotConnectNow = "57P03"

// adoptIn is how long a running server may take to answer before it counts as silent.
const adoptIn = 10 * time.Second

// containers is the Provider that runs servers in containers.
type containers struct {
	cfg   Config
	state state

	turn    chan struct{} // holds one token; whoever has it may touch what follows
	lease   *lease
	current *Postgres
	closed  bool
}

func newContainers(cfg Config) *containers {
	c := &containers{cfg: cfg, state: state{cfg.StateDir}, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	return c
}

func (c *containers) Name() string { return "containers" }

func (c *containers) Postgres(ctx context.Context, progress func(Progress)) (*Postgres, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	select {
	case <-c.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { c.turn <- struct{}{} }()
	if c.closed {
		return nil, errors.New("the services are closed")
	}
	if c.current != nil {
		if c.current.touch(ctx) == nil {
			return c.current, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c.current.abandon()
		c.current = nil
	}
	if c.lease == nil {
		l, err := c.state.take(ctx)
		if err != nil {
			return nil, err
		}
		c.lease = l
	}
	p, err := c.connect(ctx, progress)
	if err != nil {
		return nil, err
	}
	c.current = p
	p.background(p.sweep)
	return p, nil
}

// connect finds the warm server of this state folder, or starts one. The service's lock is held
// meanwhile, so that two cairns that start together end up with one server.
func (c *containers) connect(ctx context.Context, progress func(Progress)) (*Postgres, error) {
	unlock, err := c.state.lock(ctx, "postgres", func() { progress(Progress{What: "waiting for another cairn, which starts PostgreSQL"}) })
	if err != nil {
		return nil, err
	}
	defer unlock()
	e, err := connectEngine(ctx)
	if err != nil {
		return nil, err
	}
	defer e.close()
	if !e.isLocal() && c.cfg.ReachAt == "127.0.0.1" {
		return nil, unavailable(nil, "unset DOCKER_HOST to use the engine of this machine", "the Docker engine %s is on another machine", e.host)
	}
	owner, err := c.state.id(ctx)
	if err != nil {
		return nil, err
	}
	found, err := e.list(ctx, c.cfg.ReachAt, labelService+"=postgres", labelState+"="+owner, labelSettings+"="+c.cfg.settings())
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		p, err := c.adopt(ctx, e, s)
		if err != nil || p != nil {
			return p, err
		}
		if err := e.remove(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := e.ensureImage(ctx, c.cfg.PostgresImage, progress); err != nil {
		return nil, err
	}
	progress(Progress{What: "starting PostgreSQL"})
	s, err := e.createPostgres(ctx, c.cfg, owner)
	if err != nil {
		return nil, err
	}
	p, err := c.await(ctx, e, s)
	if err != nil {
		_ = e.remove(context.WithoutCancel(ctx), s)
		return nil, err
	}
	return p, nil
}

// adopt connects to a running container. It returns nil for one that is of no use: half started by
// a cairn that was killed, paused, or silent. A silent one that another cairn may be using is not
// taken away from it, but an error.
func (c *containers) adopt(ctx context.Context, e *engine, s server) (*Postgres, error) {
	if s.status != "running" || s.port == 0 {
		return nil, nil
	}
	short, cancel := context.WithTimeout(ctx, adoptIn)
	defer cancel()
	p, err := c.await(short, e, s)
	if err == nil {
		return p, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	live, err2 := c.state.live(ctx)
	if err2 != nil {
		return nil, err2
	}
	if delete(live, c.lease.id); len(live) == 0 {
		return nil, nil
	}
	return nil, unavailable(err, "run cairn services stop --force", "PostgreSQL in the container %s, which another cairn uses too, does not answer", s.name)
}

// await connects to the server as soon as it accepts, asking every few milliseconds. It gives up
// when the container has ended.
func (c *containers) await(ctx context.Context, e *engine, s server) (*Postgres, error) {
	ctx2, cancel := context.WithTimeout(ctx, startIn)
	defer cancel()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for {
		p := newPostgres(c.cfg, c.state, c.lease, s)
		err := p.begin(ctx2)
		if err == nil {
			return p, nil
		}
		p.abandon()
		var wrong *Unavailable
		var refused *pgconn.PgError
		if errors.As(err, &wrong) || errors.As(err, &refused) && refused.Code != cannotConnectNow {
			return nil, explainSQL(ctx, err, "connecting")
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ctx2.Done():
			return nil, unavailable(err, "restart Docker", "PostgreSQL in the container %s accepted no connection at %s within %s", s.name, fmt.Sprint(s.host, ":", s.port), startIn)
		case <-look.C:
			if runs, err := e.running(ctx, s.id); err == nil && !runs {
				return nil, e.died(ctx, s.id)
			}
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (c *containers) Close() error {
	<-c.turn
	defer func() { c.turn <- struct{}{} }()
	if c.closed {
		return nil
	}
	c.closed = true
	if c.current != nil {
		c.current.shutdown()
		c.current = nil
	}
	if c.lease == nil {
		return nil
	}
	return c.lease.giveUp()
}
