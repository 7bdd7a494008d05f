package services

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"golang.org/x/tools/txtar"
)

// labelCache marks volumes that hold a build cache. They are kept, and are the same for all who use
// the engine: whoever may use it may do anything anyway.
const labelCache = "org.cairn.gocache"

// cacheNote is the file of the state folder that tells which volume was filled.
const cacheNote = "gocache"

// cacheFound ends that note where another state folder has had the cache filled, and removes it.
const cacheFound = " found"

// Where a Machine's user may write, and where the build cache stands.
const (
	machineHome    = "/home/runner"
	machineScratch = "/tmp"
	machineCache   = "/cairn/gocache"
)

// Bounds of a Machine.
const (
	machineMemory    = 2 << 30 // with what is written to its folders, which lie in memory
	machineProcesses = 512
	machineFile      = 256 << 20        // bytes, each file
	machineLife      = 15 * time.Minute // then it ends by itself
	cacheFillIn      = 10 * time.Minute
)

//go:embed gocache.txtar
var cacheProgram string

// cacheScript fills the build cache with what is dear: the standard library, with and without the
// race detector, as go build, go vet and go test want it. It reads the program from its input.
const cacheScript = `
set -e
export HOME=/tmp/home GOPATH=/tmp/go GOCACHE=$1 GOTOOLCHAIN=local GOPROXY=off GOFLAGS=
mkdir -p /tmp/warm && cd /tmp/warm && tar -x --no-same-owner
go build ./...
go vet ./...
go test ./... && go test -cover ./...
go test -race ./... && go test -race -cover -covermode=atomic ./...
go test -vet=all ./...
chmod -R a+rX "$1"
touch "$1/full"
`

// Machine is a container in which the steps of a workflow run, one command after the other: without
// a network, as an ordinary user, with a home and a temporary folder in memory and everything else
// read-only.
type Machine struct {
	e  *Engine
	id string
}

// StepsImage is the image in which steps of workflows run.
const StepsImage = "golang:1.26"

// Workbench is what machines for the steps of one grade are made from.
type Workbench struct {
	e     *Engine
	cache string
}

// Workbench makes sure that image and build cache are there. Errors are
// *Unavailable, or the context's. progress may be nil.
func (e *Engine) Workbench(ctx context.Context, progress func(Progress)) (*Workbench, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	if err := e.Ensure(ctx, progress, StepsImage); err != nil {
		return nil, err
	}
	cache, err := e.buildCache(ctx, StepsImage, progress)
	if err != nil {
		return nil, err
	}
	return &Workbench{e: e, cache: cache}, nil
}

// Machine starts a machine. Errors are *Unavailable, or the context's.
func (w *Workbench) Machine(ctx context.Context) (*Machine, error) {
	return w.e.machine(ctx, StepsImage, w.cache, "1001:1001", true)
}

// Close removes the machines.
func (w *Workbench) Close() { w.e.Close() }

// buildCache makes sure that there is a build cache of Go for an image and returns the volume that
// holds it. Filling takes most of a minute of two processors, once for each image, and a second or
// two for whoever comes later, with another state folder too. Only cairn's own program writes to it:
// the machines of learners see it read-only. Errors are *Unavailable, or the context's.
func (e *Engine) buildCache(ctx context.Context, image string, progress func(Progress)) (string, error) {
	found, err := e.cli.ImageInspect(ctx, image)
	if err != nil {
		return "", e.explain(ctx, err, "looking for the image "+image)
	}
	sum := sha256.Sum256([]byte(fmt.Sprint(found.ID, cacheScript, cacheProgram)))
	name := "cairn-gocache-" + hex.EncodeToString(sum[:6])
	unlock, err := e.p.state.lock(ctx, "gocache", func() { progress(Progress{What: "waiting for another cairn, which compiles Go's standard library"}) })
	if err != nil {
		return "", err
	}
	defer unlock()
	note := filepath.Join(e.p.state.dir, cacheNote)
	made, err := e.cacheVolume(ctx, name)
	if err != nil {
		return "", e.explain(ctx, err, "making a volume")
	}
	full := name + " " + made
	if data, err := os.ReadFile(note); err == nil && strings.TrimSuffix(string(data), cacheFound) == full {
		return name, nil
	}
	switch filled, err := e.cacheIsFull(ctx, image, name); {
	case err != nil:
		return "", err
	case filled:
		full += cacheFound
	default:
		progress(Progress{What: "compiling Go's standard library for the steps of workflows, once"})
		if err := e.fillCache(ctx, image, name); err != nil {
			return "", err
		}
		_, _ = e.removeCaches(ctx, name) // else the next time
	}
	if err := os.WriteFile(note, []byte(full), 0o600); err != nil {
		return "", unavailable(err, "make it writable", "the file %s cannot be written", note)
	}
	return name, nil
}

// cacheVolume makes a volume unless it is there, and returns what tells it from one of the same name
// that was removed by hand.
func (e *Engine) cacheVolume(ctx context.Context, name string) (string, error) {
	found, err := e.cli.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	if err == nil {
		return found.Volume.Labels[labelCache], nil
	}
	if !isGone(err) {
		return "", err
	}
	made := rand.Text()
	_, err = e.cli.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: map[string]string{labelCache: made}})
	return made, err
}

// cacheIsFull looks whether somebody has filled the cache to the end.
func (e *Engine) cacheIsFull(ctx context.Context, image, volume string) (bool, error) {
	m, err := e.machine(ctx, image, volume, "0:0", true)
	if err != nil {
		return false, err
	}
	defer m.Remove()
	_, status, err := m.Exec(ctx, []string{"test", "-e", machineCache + "/full"}, nil)
	return status == 0, err
}

func (e *Engine) fillCache(ctx context.Context, image, volume string) error {
	ctx2, cancel := context.WithTimeout(ctx, cacheFillIn)
	defer cancel()
	m, err := e.machine(ctx2, image, volume, "0:0", false)
	if err != nil {
		return err
	}
	defer m.Remove()
	program, err := tarOf(cacheProgram)
	if err != nil {
		return err
	}
	out, status, err := m.Exec(ctx2, []string{"bash", "-c", "exec 2>&1" + cacheScript, "cairn", machineCache}, program)
	if err != nil {
		return err
	}
	if status != 0 {
		return unavailable(nil, "run cairn doctor", "Go's standard library cannot be compiled in the image %s: %s", image, lastLine(out))
	}
	return nil
}

// removeCaches removes all build caches but one, such as those of older images, and returns how many
// there were. One that is in use stays.
func (e *engine) removeCaches(ctx context.Context, but string) (removed int, err error) {
	found, err := e.cli.VolumeList(ctx, client.VolumeListOptions{Filters: make(client.Filters).Add("label", labelCache)})
	if err != nil {
		return 0, e.explain(ctx, err, "listing volumes")
	}
	for _, v := range found.Items {
		if v.Name == but {
			continue
		}
		if _, err := e.cli.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{}); err == nil {
			removed++
		}
	}
	return removed, nil
}

// pruneCaches removes the build caches where this state folder has had one made.
func pruneCaches(ctx context.Context, cfg Config) (int, error) {
	note := filepath.Join(cfg.StateDir, cacheNote)
	switch text, err := os.ReadFile(note); {
	case err != nil:
		return 0, nil
	case strings.HasSuffix(string(text), cacheFound):
		return 0, os.Remove(note)
	}
	e, err := connectEngine(ctx)
	if err != nil {
		return 0, nil // where there is no engine, there is nothing on it
	}
	defer e.close()
	n, err := e.removeCaches(ctx, "")
	return n, errors.Join(err, os.Remove(note))
}

func (e *Engine) machine(ctx context.Context, image, cache, user string, readOnly bool) (*Machine, error) {
	limited, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	processes := int64(machineProcesses)
	created, err := e.cli.ContainerCreate(limited, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: image, Labels: e.labels(), User: user, WorkingDir: "/", NetworkDisabled: true,
			Entrypoint: []string{"sleep", fmt.Sprint(machineLife.Seconds())}, Cmd: []string{},
		},
		HostConfig: &container.HostConfig{
			NetworkMode: "none", CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"}, ReadonlyRootfs: true, AutoRemove: true,
			LogConfig: logLimits, ShmSize: 16 << 20,
			Tmpfs: map[string]string{
				machineHome:    "rw,exec,nosuid,nodev,uid=1001,gid=1001,mode=0755,size=1g",
				machineScratch: "rw,exec,nosuid,nodev,mode=1777,size=512m",
			},
			Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: cache, Target: machineCache, ReadOnly: readOnly}},
			Resources: container.Resources{
				Memory: machineMemory, MemorySwap: machineMemory, PidsLimit: &processes, CPUShares: 512,
				Ulimits: []*container.Ulimit{{Name: "fsize", Soft: machineFile, Hard: machineFile}, {Name: "core"}},
			},
		},
	})
	if err != nil {
		return nil, e.explain(ctx, err, "making a container for the steps")
	}
	m := &Machine{e: e, id: created.ID}
	if _, err := e.cli.ContainerStart(limited, m.id, client.ContainerStartOptions{}); err != nil {
		m.Remove()
		return nil, e.explain(ctx, err, "starting a container for the steps")
	}
	return m, nil
}

// maxExec is how much of a command's output is read, in bytes.
const maxExec = 8 << 20

// Exec runs a command to its end and returns what it printed to standard output, and its exit
// status. Errors are *Unavailable, or the context's; the command may then still run.
func (m *Machine) Exec(ctx context.Context, args []string, stdin []byte) ([]byte, int, error) {
	doing := "running a step"
	made, err := m.e.cli.ExecCreate(ctx, m.id, client.ExecCreateOptions{AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: args})
	if err != nil {
		return nil, 0, m.e.explain(ctx, err, doing)
	}
	at, err := m.e.cli.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return nil, 0, m.e.explain(ctx, err, doing)
	}
	defer at.Close()
	stop := context.AfterFunc(ctx, func() { at.Close() })
	defer stop()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(at.Conn, bytes.NewReader(stdin)) // a command need not read all of it
		_ = at.CloseWrite()
	}()
	out := &head{most: maxExec}
	_, err = stdcopy.StdCopy(out, io.Discard, at.Reader)
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, m.e.explain(ctx, err, doing)
	}
	at.Close()
	<-sent
	status, err := m.status(ctx, made.ID)
	return out.Bytes(), status, err
}

// status waits for the exit status of a command that has closed its output.
func (m *Machine) status(ctx context.Context, exec string) (int, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		got, err := m.e.cli.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		if err != nil {
			return 0, m.e.explain(ctx, err, "asking how a step ended")
		}
		if !got.Running {
			return got.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// EndAll ends everything that commands have left running. Signals reach all processes of the
// user's but the first of the container, which the kernel protects.
func (m *Machine) EndAll(ctx context.Context) error {
	_, _, err := m.Exec(ctx, []string{"bash", "-c", "kill -KILL -1"}, nil)
	return err
}

// Remove ends the container, and with it all that runs there.
func (m *Machine) Remove() {
	ctx, cancel := context.WithTimeout(context.Background(), engineSlow)
	defer cancel()
	_ = m.e.remove(ctx, server{id: m.id, name: "a container for steps"}) // else with the grade, or by the next cairn
}

// head keeps the beginning of what is written to it.
type head struct {
	bytes.Buffer
	most int
}

func (h *head) Write(p []byte) (int, error) {
	if room := h.most - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// tarOf is a txtar archive as a tar stream.
func tarOf(text string) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range txtar.Parse([]byte(text)).Files {
		if err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Data)), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}
