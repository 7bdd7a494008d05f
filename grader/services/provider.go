package services

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// cannotConnectNow is what a server says that is starting up or shutting down.
const cannotConnectNow = "57P03"

// adoptIn is how long a running server may take to answer before it counts as silent.
const adoptIn = 10 * time.Second

// provider is the Provider for every kind of host.
type provider struct {
	cfg   Config
	state state

	turn    chan struct{} // holds one token; whoever has it may touch current
	current *Postgres

	bg   sync.WaitGroup
	life context.Context // ends at Close: the background stops
	end  context.CancelFunc

	mu     sync.Mutex
	lease  *lease
	closed bool
	spare  *redisSpare
	ahead  bool // a spare is wanted after each grade

	sizeTakes atomic.Int64 // how long it took last to learn what a container had written, in ns

	warm sync.Map // *Redis that are kept, by name: each is kept warm by a goroutine
}

func newProvider(cfg Config) *provider {
	life, end := context.WithCancel(context.Background())
	p := &provider{cfg: cfg, state: state{cfg.StateDir}, turn: make(chan struct{}, 1), life: life, end: end}
	p.turn <- struct{}{}
	return p
}

// background runs f beside the caller, unless the provider is closed. The context of f ends with
// the provider.
func (p *provider) background(f func(context.Context)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.bg.Go(func() { f(p.life) })
	}
}

// take makes this process's lease at the first call, and sweeps what others left behind.
func (p *provider) take(ctx context.Context) (*lease, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errors.New("the services are closed")
	}
	if p.lease == nil {
		l, err := p.state.take(ctx)
		if err != nil {
			return nil, err
		}
		p.lease = l
		p.bg.Go(func() { p.sweepServers(p.life) })
		p.bg.Go(func() { p.sweepEngine(p.life) })
	}
	return p.lease, nil
}

func (p *provider) Postgres(ctx context.Context, progress func(Progress)) (*Postgres, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	select {
	case <-p.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { p.turn <- struct{}{} }()
	l, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	if p.current != nil {
		if p.current.touch(ctx) == nil {
			return p.current, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p.current.abandon()
		p.current = nil
	}
	pg, err := p.connect(ctx, l, progress)
	if err != nil {
		return nil, err
	}
	p.current = pg
	pg.background(pg.sweep)
	return pg, nil
}

// connect finds the warm server of this state folder, or starts one. The service's lock is held
// meanwhile, so that two cairns that start together end up with one server.
func (p *provider) connect(ctx context.Context, l *lease, progress func(Progress)) (*Postgres, error) {
	unlock, err := p.state.lock(ctx, postgresService, func() { progress(Progress{What: "waiting for another cairn, which starts PostgreSQL"}) })
	if err != nil {
		return nil, err
	}
	defer unlock()
	h, err := openHost(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	defer h.close()
	settings, err := h.settings(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		if s.service != postgresService || s.settings != settings && s.runs() {
			continue
		}
		pg, err := p.adopt(ctx, h, l, s)
		if err != nil || pg != nil {
			return pg, err
		}
		if err := h.remove(ctx, s); err != nil {
			return nil, err
		}
	}
	s, err := h.start(ctx, postgresService, "", progress)
	if err != nil {
		return nil, err
	}
	pg, err := p.await(ctx, h, l, s)
	if err != nil {
		_ = h.remove(context.WithoutCancel(ctx), s)
		return nil, err
	}
	return pg, nil
}

// adopt connects to a running server. It returns nil for one that is of no use: half started by
// a cairn that was killed, paused, or silent. A silent one that another cairn may be using is not
// taken away from it, but an error.
func (p *provider) adopt(ctx context.Context, h host, l *lease, s server) (*Postgres, error) {
	if !s.runs() {
		return nil, nil
	}
	short, cancel := context.WithTimeout(ctx, adoptIn)
	defer cancel()
	pg, err := p.await(short, h, l, s)
	if err == nil {
		return pg, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	live, err2 := p.state.live(ctx)
	if err2 != nil {
		return nil, err2
	}
	if delete(live, l.id); len(live) == 0 {
		return nil, nil
	}
	return nil, unavailable(err, "run cairn services stop --force", "PostgreSQL (%s), which another cairn uses too, does not answer", s.name)
}

// await connects to the server as soon as it accepts, asking every few milliseconds. It gives up
// when the server has ended.
func (p *provider) await(ctx context.Context, h host, l *lease, s server) (*Postgres, error) {
	ctx2, cancel := context.WithTimeout(ctx, startIn)
	defer cancel()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for {
		pg := newPostgres(p.cfg, p.state, l, s)
		err := pg.begin(ctx2)
		if err == nil {
			return pg, nil
		}
		pg.abandon()
		var wrong *Unavailable
		var refused *pgconn.PgError
		if errors.As(err, &wrong) || errors.As(err, &refused) && refused.Code != cannotConnectNow {
			return nil, explainSQL(ctx, err, "connecting")
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ctx2.Done():
			return nil, unavailable(err, h.remedy(), "PostgreSQL (%s) accepted no connection at %s within %s", s.name, fmt.Sprint(s.host, ":", s.port), startIn)
		case <-look.C:
			if runs, err := h.running(ctx, s); err == nil && !runs {
				return nil, h.died(ctx, s)
			}
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (p *provider) Close() error {
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	p.mu.Lock()
	l, s, again := p.lease, p.spare, p.closed
	p.spare = nil
	p.mu.Unlock()
	if again {
		return nil
	}
	p.discard(s)
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	timer := time.AfterFunc(closeIn, p.end) // the rest is left to the next sweep
	defer timer.Stop()
	if p.current != nil {
		p.current.shutdown()
		p.current = nil
	}
	p.bg.Wait()
	p.end()
	if l == nil {
		return nil
	}
	return l.giveUp()
}
