package services

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// redisSpare is a server started ahead, or on its way.
type redisSpare struct {
	ready chan struct{} // closed when r or err is set
	r     *Redis
	err   error
}

func (p *provider) Redis(ctx context.Context, f RedisFixture, progress func(Progress)) (*Redis, error) {
	r := p.takeRedis(ctx)
	if r == nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var err error
		if r, err = p.startRedis(ctx, progress); err != nil {
			return nil, err
		}
	}
	r.Fixture = f.Name
	if major, _, _ := strings.Cut(r.Version, "."); !atLeast(major, max(f.MinVersion, leastRedis)) {
		r.Release(false)
		return nil, tooOld(r.server, f, r.Version)
	}
	taken := time.Now() // this one may be kept before the background comes to it
	p.background(func(ctx context.Context) { _ = p.dropKeptRedis(ctx, f.Name, taken, 0) })
	go r.keepWarm()
	return r, nil
}

func (p *provider) PrepareRedis(ctx context.Context, progress func(Progress)) error {
	if p.cfg.NoSpare {
		return nil
	}
	p.mu.Lock()
	p.ahead = true
	p.mu.Unlock()
	s := p.spareRedis(progress)
	if s == nil {
		return nil
	}
	select {
	case <-s.ready:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func atLeast(major string, least int) bool {
	n, err := strconv.Atoi(major)
	return err == nil && n >= least
}

func tooOld(s server, f RedisFixture, version string) error {
	least := max(f.MinVersion, leastRedis)
	do := "unset CAIRN_REDIS_IMAGE, or name a newer image there"
	if s.native {
		do = "install Redis " + strconv.Itoa(least) + " or newer, or Docker"
	}
	return unavailable(nil, do, "%s needs Redis %d or newer, and %s is Redis %s", f.Name, least, s.source, version)
}

// nextRedis starts the spare after a grade, in a process that has asked for one before: a process
// that grades once would only have to end it.
func (p *provider) nextRedis() {
	p.mu.Lock()
	ahead := p.ahead
	p.mu.Unlock()
	if ahead {
		p.spareRedis(nil)
	}
}

// spareRedis starts a server ahead, unless there is one. It returns the spare, or nil when the
// provider is closed.
func (p *provider) spareRedis(progress func(Progress)) *redisSpare {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spare != nil || p.closed {
		return p.spare
	}
	s := &redisSpare{ready: make(chan struct{})}
	p.spare = s
	p.bg.Go(func() {
		defer close(s.ready)
		if s.r, s.err = p.startRedis(p.life, progress); s.err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.spare == s {
				p.spare = nil
			}
		}
	})
	return s
}

// takeRedis waits for the spare and takes it. It returns nil if there is none that still runs.
func (p *provider) takeRedis(ctx context.Context) *Redis {
	p.mu.Lock()
	s := p.spare
	p.spare = nil
	p.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.ready:
	case <-ctx.Done():
		p.mu.Lock()
		if p.spare == nil && !p.closed {
			p.spare, s = s, nil // for whoever comes next
		}
		p.mu.Unlock()
		p.discard(s)
		return nil
	}
	if s.err != nil {
		return nil
	}
	if s.r.Verify(ctx) != nil { // it ended, unused as it was
		p.discard(s)
		return nil
	}
	return s.r
}

// discard removes a spare in the background.
func (p *provider) discard(s *redisSpare) {
	if s == nil {
		return
	}
	p.background(func(ctx context.Context) {
		<-s.ready
		if s.r != nil {
			_ = p.removeServer(ctx, s.r.server)
		}
	})
}

// startRedis starts a server and waits until it answers.
func (p *provider) startRedis(ctx context.Context, progress func(Progress)) (*Redis, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	l, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	h, err := openHost(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	defer h.close()
	s, err := h.start(ctx, redisService, l.id, progress)
	if err != nil {
		return nil, err
	}
	r := &Redis{Host: s.host, Port: s.port, Name: s.name, Password: s.programPassword, p: p, server: s, done: make(chan struct{})}
	if err := p.awaitRedis(ctx, h, r); err != nil {
		_ = h.remove(context.WithoutCancel(ctx), s)
		return nil, err
	}
	return r, nil
}

// awaitRedis waits until the server answers, asking every few milliseconds. It gives up when the
// server has ended.
func (p *provider) awaitRedis(ctx context.Context, h host, r *Redis) error {
	ctx2, cancel := context.WithTimeout(ctx, startIn)
	defer cancel()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for {
		err := r.verify(ctx2)
		var wrong *Unavailable
		if err == nil || errors.As(err, &wrong) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ctx2.Done():
			return unavailable(err, h.remedy(), "Redis (%s) accepted no connection at %s within %s", r.Name, r.Addr(), startIn)
		case <-look.C:
			if runs, err := h.running(ctx, r.server); err == nil && !runs {
				return h.died(ctx, r.server)
			}
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// removeServer ends a server, and forgets that it was kept.
func (p *provider) removeServer(ctx context.Context, s server) error {
	h, err := openHost(ctx, p.cfg)
	if err != nil {
		return err
	}
	defer h.close()
	return errors.Join(h.remove(ctx, s), p.state.unkeep(s.name))
}
