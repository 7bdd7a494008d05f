package grader

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// world is what the services give one grade. What the exercise doesn't need is nil.
type world struct {
	db    *services.Database
	redis *services.Redis
	vigil *sync.WaitGroup // of those who look after them

	bench    *services.Workbench // for the steps of a workflow
	benchErr error               // why there is none, which matters only where steps are to run
}

// services returns the provider, opened at its first use.
func (g *Grader) services() (services.Provider, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.provider == nil {
		p, err := services.Open(services.Config{})
		if err != nil {
			return nil, err
		}
		g.provider, g.owned = p, true
	}
	return g.provider, nil
}

// prepareServices makes ready what the exercise needs, so that a grade finds it done.
func (g *Grader) prepareServices(ctx context.Context, e Exercise, progress func(services.Progress)) error {
	if e.Kind == build.Workflow {
		bench, err := g.workbench(ctx, progress)
		if err == nil {
			bench.Close()
		}
		return err
	}
	if err := g.prepareImages(ctx, e, progress); err != nil {
		return err
	}
	if e.Fixture == nil && e.Redis == nil {
		return nil
	}
	provider, err := g.services()
	if err != nil {
		return err
	}
	redis := make(chan error, 1)
	go func() {
		if e.Redis == nil {
			redis <- nil
			return
		}
		redis <- provider.PrepareRedis(ctx, progress)
	}()
	if e.Fixture != nil {
		var server *services.Postgres
		if server, err = provider.Postgres(ctx, progress); err == nil {
			err = server.Prepare(ctx, *e.Fixture)
		}
	}
	return errors.Join(err, <-redis)
}

// open gets the grade its services, side by side, and looks after them until ctx
// ends: lost is told what befalls them. On an error it has released what it had.
func (r *run) open(ctx context.Context, lost func(error)) (world, error) {
	e := r.s.Exercise
	if e.Kind == build.Workflow {
		var w world
		w.bench, w.benchErr = r.g.workbench(ctx, r.progress)
		return w, nil
	}
	if e.Fixture == nil && e.Redis == nil {
		return world{}, nil
	}
	provider, err := r.g.services()
	if err != nil {
		return world{}, err
	}
	var w world
	var errDB, errRedis error
	var both sync.WaitGroup
	if e.Fixture != nil {
		both.Go(func() { w.db, errDB = database(ctx, provider, *e.Fixture, r.progress) })
	}
	if e.Redis != nil {
		both.Go(func() { w.redis, errRedis = redis(ctx, provider, *e.Redis, r.progress) })
	}
	both.Wait()
	if err := cmp.Or(errDB, errRedis); err != nil { // a report has room for one thing to do
		w.release(false)
		return world{}, err
	}
	w.vigil = &sync.WaitGroup{}
	if w.db != nil {
		w.vigil.Go(func() { w.db.Vigil(ctx, lost) })
	}
	if w.redis != nil {
		w.vigil.Go(func() { w.redis.Vigil(ctx, lost) })
	}
	return w, nil
}

// progress tells what a service is doing on its way.
func (r *run) progress(p services.Progress) {
	r.emit(Event{Kind: Progress, What: p.What, Done: p.Done, Total: p.Total})
}

// engine opens the Docker engine for one grade.
func (g *Grader) engine(ctx context.Context) (*services.Engine, error) {
	provider, err := g.services()
	if err != nil {
		return nil, err
	}
	return provider.Engine(ctx)
}

// workbench gets ready what machines for the steps of a workflow are made from.
func (g *Grader) workbench(ctx context.Context, progress func(services.Progress)) (*services.Workbench, error) {
	e, err := g.engine(ctx)
	if err != nil {
		return nil, err
	}
	bench, err := e.Workbench(ctx, progress)
	if err != nil {
		e.Close()
		return nil, err
	}
	return bench, nil
}

// verify tells lost when a server is no longer the one that the grade began with.
func (w world) verify(ctx context.Context, lost func(error)) {
	if w.db != nil {
		if err := w.db.Verify(ctx); err != nil {
			lost(err)
		}
	}
	if w.redis != nil {
		if err := w.redis.Verify(ctx); err != nil {
			lost(err)
		}
	}
}

func database(ctx context.Context, p services.Provider, f services.Fixture, progress func(services.Progress)) (*services.Database, error) {
	server, err := p.Postgres(ctx, progress)
	if err != nil {
		return nil, err
	}
	db, err := server.Database(ctx, f)
	if err != nil {
		return nil, err
	}
	if err := db.Verify(ctx); err != nil {
		db.Release(false)
		return nil, err
	}
	return db, nil
}

func redis(ctx context.Context, p services.Provider, f services.RedisFixture, progress func(services.Progress)) (*services.Redis, error) {
	server, err := p.Redis(ctx, f, progress)
	if err != nil {
		return nil, err
	}
	if err := server.Verify(ctx); err != nil {
		server.Release(false)
		return nil, err
	}
	return server, nil
}

// release gives the services back, or leaves them as they are. The context of
// open has ended before.
func (w world) release(keep bool) {
	if w.vigil != nil {
		w.vigil.Wait()
	}
	if w.db != nil {
		w.db.Release(keep)
	}
	if w.redis != nil {
		w.redis.Release(keep)
	}
	if w.bench != nil {
		w.bench.Close()
	}
}

// describe tells the report where to look at what is kept.
func (w world) describe(r *Report) {
	if w.db != nil {
		r.World = &report.World{Service: "postgres", Name: w.db.Name, URL: w.db.ProgramURL("")}
	}
	if w.redis != nil {
		r.Redis = &report.World{Service: "redis", Name: w.redis.Name, URL: w.redis.ProgramURL("")}
	}
}
