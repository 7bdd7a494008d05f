package services

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// pullSilence is how long a pull may stand still before it counts as failed.
const pullSilence = time.Minute

// image describes an image, present or not.
func (e *engine) image(ctx context.Context, name string) (ImageInfo, error) {
	info := ImageInfo{Name: name}
	found, err := e.cli.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return info, nil
	}
	if err != nil {
		return info, err
	}
	info.Present, info.Size = true, found.Size
	if found.Config != nil {
		info.StandIn = found.Config.Labels["org.cairn.standin"]
	}
	return info, nil
}

// FetchImages pulls those of cairn's images that the engine lacks, so that the first grade need not,
// and returns their names. Where servers run without containers there is nothing to pull. Errors are
// *Unavailable, or the context's. progress may be nil.
func FetchImages(ctx context.Context, cfg Config, progress func(Progress)) ([]string, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	h, err := openHost(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer h.close()
	c, ok := h.(*containers)
	if !ok {
		return nil, nil
	}
	var pulled []string
	for _, name := range []string{cfg.PostgresImage, cfg.RedisImage} {
		asked := false
		err := c.ensureImage(ctx, name, func(p Progress) {
			asked = true
			progress(p)
		})
		if err != nil {
			return pulled, err
		}
		if asked {
			pulled = append(pulled, name)
		}
	}
	return pulled, nil
}

// ensureImage pulls the image if the engine lacks it.
func (e *engine) ensureImage(ctx context.Context, name string, progress func(Progress)) error {
	info, err := e.image(ctx, name)
	if err != nil {
		return e.explain(ctx, err, "looking for the image "+name)
	}
	if info.Present {
		return nil
	}
	err = e.pull(ctx, name, progress)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return unavailable(err, "connect to the network and try again, or run make images in a clone of cairn",
		"the image %s is missing and cannot be pulled (%s)", name, oneLine(err))
}

func (e *engine) pull(ctx context.Context, name string, progress func(Progress)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(pullSilence, func() { cancel(errors.New("the registry does not answer")) })
	defer silence.Stop()

	what := "pulling " + name
	progress(Progress{What: what})
	resp, err := e.cli.ImagePull(ctx, name, client.ImagePullOptions{RegistryAuth: e.registryAuth(ctx, name)})
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	defer resp.Close()
	layers := layerProgress{}
	for msg, err := range resp.JSONMessages(ctx) {
		if err == nil && msg.Error != nil {
			err = msg.Error
		}
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		silence.Reset(pullSilence)
		if done, total, changed := layers.add(msg); changed {
			progress(Progress{What: what, Done: done, Total: total})
		}
	}
	return context.Cause(ctx)
}

// registryAuth is what docker login has stored for the image's registry, or "" for none.
func (e *engine) registryAuth(ctx context.Context, name string) string {
	if useEngine(e.host) != nil {
		return ""
	}
	_, auth, err := testcontainers.DockerImageAuth(ctx, name)
	if err != nil {
		return ""
	}
	encoded, err := authconfig.Encode(auth)
	if err != nil {
		return ""
	}
	return encoded
}

// layerProgress adds up the bytes of an image's layers.
type layerProgress map[string]*jsonstream.Progress

func (l layerProgress) add(msg jsonstream.Message) (done, total int64, changed bool) {
	switch {
	case msg.ID == "":
	case strings.HasPrefix(msg.Status, "Downloading") && msg.Progress != nil && msg.Progress.Total > 0:
		l[msg.ID] = &jsonstream.Progress{Current: msg.Progress.Current, Total: msg.Progress.Total}
		changed = true
	case msg.Status == "Download complete" && l[msg.ID] != nil:
		l[msg.ID].Current = l[msg.ID].Total
		changed = true
	}
	for _, p := range l {
		done, total = done+p.Current, total+p.Total
	}
	return done, total, changed
}
