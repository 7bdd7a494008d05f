package services

import (
	"context"
	"time"
)

// spare is a clone made ahead, or in the making.
type spare struct {
	ready chan struct{} // closed when db or err is set
	db    *Database
	err   error
}

// Prepare makes the fixture's template and a clone ahead, so that Database has nothing left to do.
// It is for the time before the learner presses the key. Errors are *Unavailable, or the context's.
func (p *Postgres) Prepare(ctx context.Context, f Fixture) error {
	if _, err := p.ensureTemplate(ctx, f); err != nil {
		return err
	}
	s := p.spareAhead(f)
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

// Database returns a fresh database: the clone made ahead, or a new one. The clone after it is
// made when this one is released, so as not to take the machine from the grade. What an earlier
// grade of the fixture has kept is dropped. Errors are *Unavailable, or the context's.
func (p *Postgres) Database(ctx context.Context, f Fixture) (*Database, error) {
	d := p.takeSpare(ctx, f)
	if d == nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		template, err := p.ensureTemplate(ctx, f)
		if err != nil {
			return nil, err
		}
		if d, err = p.clone(ctx, template, f); err != nil {
			return nil, err
		}
	}
	if !p.setKept(f.Name, false) {
		p.inUse.Add(1)
	}
	taken := time.Now() // this one may be kept before the background comes to it
	p.background(func(ctx context.Context) { _ = p.dropKept(ctx, f.Name, taken, 0) })
	return d, nil
}

// spareAhead starts a clone for the fixture, unless there is one or spares are not wanted. It
// returns the spare, or nil.
func (p *Postgres) spareAhead(f Fixture) *spare {
	if p.cfg.NoSpare {
		return nil
	}
	name := f.templateName()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.spares[name]
	if s != nil || p.stopped {
		return s
	}
	s = &spare{ready: make(chan struct{})}
	p.spares[name] = s
	p.bg.Go(func() { p.fillSpare(p.life, s, f) })
	return s
}

func (p *Postgres) fillSpare(ctx context.Context, s *spare, f Fixture) {
	defer close(s.ready)
	name, err := p.ensureTemplate(ctx, f)
	if err == nil {
		s.db, err = p.clone(ctx, name, f)
	}
	if s.err = err; err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spares[name] == s {
		delete(p.spares, name)
	}
}

// takeSpare waits for the fixture's spare and takes it. It returns nil if there is none.
func (p *Postgres) takeSpare(ctx context.Context, f Fixture) *Database {
	name := f.templateName()
	p.mu.Lock()
	s := p.spares[name]
	delete(p.spares, name)
	p.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.ready:
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.spares[name] == nil {
			p.spares[name] = s // for whoever comes next
		}
		return nil
	}
	if s.err != nil {
		return nil
	}
	s.db.Fixture, s.db.fixture = f.Name, f
	return s.db
}

func (p *Postgres) dropSpares() {
	p.mu.Lock()
	spares := p.spares
	p.spares = map[string]*spare{}
	p.mu.Unlock()
	for _, s := range spares {
		p.background(func(ctx context.Context) {
			<-s.ready
			if s.db != nil {
				p.lease.forget(s.db.Name)
				_ = p.drop(ctx, s.db.Name)
			}
		})
	}
}
