package services

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// ImageConfig is what an image says of itself.
type ImageConfig struct {
	User       string
	Env        []string
	Entrypoint []string
	Cmd        []string
	StopSignal string
	Health     HealthCheck
	Volumes    []string // folders for which the engine makes a volume, sorted
	History    []string // the instruction of each step, the first one first
	Raw        []byte   // all of it but the history, as JSON
}

// HealthCheck is how an engine finds out whether a container is well. Where the image leaves a time
// or a number out, it is the engine's default.
type HealthCheck struct {
	Command  []string // "CMD" or "CMD-SHELL" first; nil when there is no check
	Interval time.Duration
	Timeout  time.Duration
	Retries  int
}

// LayerFile is one entry of a layer. Content is only valid until the visit returns.
type LayerFile struct {
	Layer   int // as Layer.Index
	Name    string
	Link    string // what a link leads to
	Mode    int64
	UID     int
	GID     int
	Size    int64
	Regular bool
	Content io.Reader
}

// Layer is one layer of an image.
type Layer struct {
	Index int   // how the visits called it
	Size  int64 // bytes of its files
	Step  int   // of the history, that made it
}

// slowImage is how long the engine may take over the content of an image.
const slowImage = 2 * time.Minute

// Config reads the configuration and the history of an image. Errors are *Unavailable, or the
// context's.
func (e *Engine) Config(ctx context.Context, id string) (ImageConfig, error) {
	var c ImageConfig
	short, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	got, err := e.cli.ImageInspect(short, id)
	if err != nil {
		return c, e.explain(ctx, err, "looking at an image")
	}
	if cfg := got.Config; cfg != nil {
		c.User, c.Env, c.Entrypoint, c.Cmd, c.StopSignal = cfg.User, cfg.Env, cfg.Entrypoint, cfg.Cmd, cfg.StopSignal
		c.Volumes = slices.Sorted(maps.Keys(cfg.Volumes))
		if h := cfg.Healthcheck; h != nil {
			c.Health = HealthCheck{
				Command: h.Test, Interval: cmp.Or(h.Interval, 30*time.Second), Timeout: cmp.Or(h.Timeout, 30*time.Second),
				Retries: cmp.Or(h.Retries, 3),
			}
		}
		if c.Raw, err = json.Marshal(cfg); err != nil {
			return c, fmt.Errorf("read the configuration of an image: %w", err)
		}
	}
	history, err := e.cli.ImageHistory(short, id)
	if err != nil {
		return c, e.explain(ctx, err, "looking at the history of an image")
	}
	for _, item := range slices.Backward(history.Items) {
		c.History = append(c.History, item.CreatedBy)
	}
	return c, nil
}

// Layers reads every file of every layer of an image, those that a later layer removes as well.
// visit is called for each entry, layer by layer in no order that means anything; its error ends
// the reading and is returned. Other errors are *Unavailable, or the context's.
func (e *Engine) Layers(ctx context.Context, id string, visit func(LayerFile) error) ([]Layer, error) {
	limited, cancel := context.WithTimeout(ctx, slowImage)
	defer cancel()
	saved, err := e.cli.ImageSave(limited, []string{id})
	if err != nil {
		return nil, e.explain(ctx, err, "saving an image")
	}
	defer saved.Close()
	r := imageReader{visit: visit, sizes: map[string]int64{}}
	if err := r.read(saved); err != nil {
		if r.stopped != nil {
			return nil, r.stopped
		}
		return nil, e.explain(ctx, err, "reading a saved image")
	}
	return r.layers()
}

// imageReader reads what "docker save" writes: a tar that holds a manifest, the configuration, and
// each layer as a tar again. Where a layer stands in the order is known at the end.
type imageReader struct {
	visit   func(LayerFile) error
	stopped error            // of visit
	names   []string         // of layers, in the order of their coming
	sizes   map[string]int64 // of layers, by name
	small   map[string][]byte
}

// mostMeta is the size beyond which a file of a saved image is no description.
const mostMeta = 4 << 20

func (r *imageReader) read(saved io.Reader) error {
	r.small = map[string][]byte{}
	outer := tar.NewReader(saved)
	for {
		h, err := outer.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		switch {
		case h.Typeflag != tar.TypeReg:
			if strings.HasSuffix(name, "layer.tar") { // the same as another one
				r.small[name] = []byte(h.Linkname)
			}
		case strings.HasSuffix(name, "layer.tar"), h.Size > mostMeta:
			err = r.layer(name, outer)
		default:
			err = r.perhaps(name, outer)
		}
		if err != nil {
			return err
		}
	}
}

// perhaps reads a small file, which is a description, or a layer without an ending to tell it by.
func (r *imageReader) perhaps(name string, content io.Reader) error {
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if json.Valid(data) || len(data) < 1024 { // which is the least size of a tar
		r.small[name] = data
		return nil
	}
	return r.layer(name, bytes.NewReader(data))
}

func (r *imageReader) layer(name string, content io.Reader) error {
	at := len(r.names)
	r.names = append(r.names, name)
	plain, err := unpacked(content)
	if err != nil {
		return fmt.Errorf("layer %s: %w", name, err)
	}
	inner := tar.NewReader(plain)
	for {
		h, err := inner.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("layer %s: %w", name, err)
		}
		r.sizes[name] += h.Size
		err = r.visit(LayerFile{
			Layer: at, Name: strings.TrimPrefix(path.Clean("/"+h.Name), "/"), Link: h.Linkname, Mode: h.Mode, UID: h.Uid, GID: h.Gid,
			Size: h.Size, Regular: h.Typeflag == tar.TypeReg, Content: inner,
		})
		if err != nil {
			r.stopped = err
			return err
		}
	}
}

// unpacked reads what may be compressed, as newer engines keep layers.
func unpacked(content io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(content, 64<<10)
	head, _ := b.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(b)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(b, zstd.WithDecoderConcurrency(1))
	}
	return b, nil
}

// layers puts the layers in order, from the manifest, and names the instruction of each.
func (r *imageReader) layers() ([]Layer, error) {
	var manifest []struct {
		Config string
		Layers []string
	}
	if err := json.Unmarshal(r.small["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		return nil, unavailable(err, "run cairn doctor", "Docker saved an image in a form that cairn does not know")
	}
	var config struct {
		History []struct {
			Empty bool `json:"empty_layer"`
		} `json:"history"`
	}
	if err := json.Unmarshal(r.small[path.Clean(manifest[0].Config)], &config); err != nil {
		return nil, unavailable(err, "run cairn doctor", "Docker saved an image in a form that cairn does not know")
	}
	var steps []int // that made a layer
	for i, h := range config.History {
		if !h.Empty {
			steps = append(steps, i)
		}
	}
	var all []Layer
	for i, name := range manifest[0].Layers {
		name = path.Clean(name)
		if link, linked := r.small[name]; linked {
			name = path.Clean(path.Join(path.Dir(name), string(link)))
		}
		if !slices.Contains(r.names, name) {
			return nil, unavailable(errors.New(name), "run cairn doctor", "Docker saved an image without one of its layers")
		}
		l := Layer{Index: slices.Index(r.names, name), Size: r.sizes[name], Step: -1}
		if i < len(steps) {
			l.Step = steps[i]
		}
		all = append(all, l)
	}
	return all, nil
}
