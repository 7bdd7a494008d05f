package services

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Labels of what grades make on an engine for themselves, beside servers. Images that are kept as a
// cache carry labelBuild alone.
const (
	labelGrade = "org.cairn.grade" // the Engine that it belongs to; with labelState and labelLease
	labelBuild = "org.cairn.build" // what builds leave on the way, see state.id
)

// Engine is the Docker engine in the hands of one grade. What the grade makes there is removed by
// Close, and by the next cairn where this one has ended before.
type Engine struct {
	*engine
	p     *provider
	lease string
	owner string // state.id
	id    string

	mu     sync.Mutex
	images []string
}

// Engine connects to the engine, for one grade. Errors are *Unavailable, or the context's.
func (p *provider) Engine(ctx context.Context) (*Engine, error) {
	l, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := p.state.id(ctx)
	if err != nil {
		return nil, err
	}
	e, err := connectEngine(ctx)
	if err != nil {
		return nil, err
	}
	if !e.isLocal() && p.cfg.ReachAt == "127.0.0.1" {
		e.close()
		return nil, unavailable(nil, "unset DOCKER_HOST to use the engine of this machine", "the Docker engine %s is on another machine", e.host)
	}
	return &Engine{engine: e, p: p, lease: l.id, owner: owner, id: strings.ToLower(rand.Text()[:12])}, nil
}

// labels are those of what belongs to this grade.
func (e *Engine) labels() map[string]string {
	return map[string]string{labelGrade: e.id, labelState: e.owner, labelLease: e.lease}
}

// Ensure makes the images present, pulling what is missing. Errors are *Unavailable, or the
// context's. progress may be nil.
func (e *Engine) Ensure(ctx context.Context, progress func(Progress), images ...string) error {
	if progress == nil {
		progress = func(Progress) {}
	}
	for _, name := range images {
		if err := e.ensureImage(ctx, name, progress); err != nil {
			return err
		}
	}
	return nil
}

// Close removes what the grade has made, and returns when it is gone. What can't be removed now is
// swept by the next cairn.
func (e *Engine) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), engineSlow)
	defer cancel()
	_ = e.removeContainers(ctx, func(lease, grade string) bool { return grade == e.id })
	e.mu.Lock()
	images := e.images
	e.images = nil
	e.mu.Unlock()
	for _, id := range images {
		_ = e.removeImage(ctx, id)
	}
	_ = e.pruneBuilds(ctx)
	e.close()
}

// removeContainers removes the containers of grades of this state folder that the function names.
func (e *Engine) removeContainers(ctx context.Context, dead func(lease, grade string) bool) error {
	found, err := e.cli.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labelGrade, labelState+"="+e.owner),
	})
	if err != nil {
		return e.explain(ctx, err, "listing containers")
	}
	var errs []error
	for _, c := range found.Items {
		if dead(c.Labels[labelLease], c.Labels[labelGrade]) {
			errs = append(errs, e.remove(ctx, server{id: c.ID, name: "a container of a grade"}))
		}
	}
	return errors.Join(errs...)
}

// sweepEngine removes what grades of cairns that no longer run have left on the engine.
func (p *provider) sweepEngine(ctx context.Context) {
	ce, err := connectEngine(ctx)
	if err != nil {
		return
	}
	defer ce.close()
	owner, err := p.state.id(ctx)
	if err != nil {
		return
	}
	_ = (&Engine{engine: ce, p: p, owner: owner}).sweep(ctx)
}

// sweep removes what has no live lease, and what builds have left that is of no more use.
func (e *Engine) sweep(ctx context.Context) error {
	found, err := e.cli.ImageList(ctx, client.ImageListOptions{
		Filters: make(client.Filters).Add("label", labelGrade, labelState+"="+e.owner),
	})
	if err != nil {
		return e.explain(ctx, err, "listing images")
	}
	containers, err := e.cli.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labelGrade, labelState+"="+e.owner),
	})
	if err != nil {
		return e.explain(ctx, err, "listing containers")
	}
	live, err := e.p.state.live(ctx) // after the lists: what is made in between isn't on them
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range containers.Items {
		if !live[c.Labels[labelLease]] {
			errs = append(errs, e.remove(ctx, server{id: c.ID, name: "a container of a grade"}))
		}
	}
	for _, i := range found.Items {
		if !live[i.Labels[labelLease]] {
			errs = append(errs, e.removeImage(ctx, i.ID))
		}
	}
	return errors.Join(append(errs, e.pruneBuilds(ctx))...)
}

// removeImage removes an image that nothing runs any more, and leaves what it was built on.
func (e *Engine) removeImage(ctx context.Context, id string) error {
	_, err := e.cli.ImageRemove(ctx, id, client.ImageRemoveOptions{Force: true})
	if isGone(err) {
		return nil
	}
	return e.explain(ctx, err, "removing an image")
}

// logLimits keep the log of a container small.
var logLimits = container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m", "max-file": "1"}}
