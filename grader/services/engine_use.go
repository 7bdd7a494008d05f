package services

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// Labels of what grades make on an engine for themselves, beside servers. Images that are kept as a
// cache carry labelBuild alone. A builder makes one more image for each label.
const (
	labelGrade = "org.cairn.grade" // the Engine that it belongs to, see Engine.mark
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

// mark tells whose something is: the state folder's, the lease's, the grade's.
func (e *Engine) mark() string { return e.owner + "/" + e.lease + "/" + e.id }

// labels are those of what belongs to this grade.
func (e *Engine) labels() map[string]string { return map[string]string{labelGrade: e.mark()} }

// marked takes a mark apart, and tells whether it is of this state folder.
func (e *Engine) marked(labels map[string]string) (lease string, ours bool) {
	owner, rest, _ := strings.Cut(labels[labelGrade], "/")
	lease, _, _ = strings.Cut(rest, "/")
	return lease, owner == e.owner
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
	if containers, images, err := e.graded(ctx); err == nil {
		_ = e.removeAll(ctx, containers, images, func(labels map[string]string) bool { return labels[labelGrade] == e.mark() })
	}
	_ = e.pruneBuilds(ctx)
	e.close()
}

// graded lists the containers and images of grades of this state folder.
func (e *Engine) graded(ctx context.Context) (containers []container.Summary, images []image.Summary, err error) {
	filter := make(client.Filters).Add("label", labelGrade)
	found, err := e.cli.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, nil, e.explain(ctx, err, "listing containers")
	}
	built, err := e.cli.ImageList(ctx, client.ImageListOptions{Filters: filter})
	if err != nil {
		return nil, nil, e.explain(ctx, err, "listing images")
	}
	for _, c := range found.Items {
		if _, ours := e.marked(c.Labels); ours {
			containers = append(containers, c)
		}
	}
	for _, i := range built.Items {
		if _, ours := e.marked(i.Labels); ours {
			images = append(images, i)
		}
	}
	return containers, images, nil
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
	containers, images, err := e.graded(ctx)
	if err != nil {
		return err
	}
	live, err := e.p.state.live(ctx) // after the list: what is made in between isn't on it
	if err != nil {
		return err
	}
	dead := func(labels map[string]string) bool {
		lease, _ := e.marked(labels)
		return !live[lease]
	}
	return errors.Join(e.removeAll(ctx, containers, images, dead), e.pruneBuilds(ctx))
}

// removeAll removes those of the containers and images whose labels the function says to be dead.
func (e *Engine) removeAll(ctx context.Context, containers []container.Summary, images []image.Summary, dead func(map[string]string) bool) error {
	var errs []error
	for _, c := range containers {
		if dead(c.Labels) {
			errs = append(errs, e.remove(ctx, server{id: c.ID, name: "a container of a grade"}))
		}
	}
	for _, i := range images {
		if dead(i.Labels) {
			errs = append(errs, e.removeImage(ctx, i.ID))
		}
	}
	return errors.Join(errs...)
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
