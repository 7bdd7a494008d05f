package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// Run says how a container is started from an image that a grade has built. It never has a
// capability, and can gain none.
type Run struct {
	Image    string
	Env      []string
	Port     int      // in the container; published on loopback
	ReadOnly bool     // its root file system, and no memory is shared
	Scratch  []string // folders that anybody may write, in memory
	Memory   int64    // bytes
	Process  int64    // how many there may be
}

// StartError says that the engine could not start what the image names.
type StartError struct{ Message string }

func (e *StartError) Error() string { return "the container did not start: " + e.Message }

// Container runs for a grade. It lives no longer than the Engine.
type Container struct {
	e    *Engine
	id   string
	port int // on loopback
	once sync.Once
}

// Start makes and starts a container. Errors are *StartError, *Unavailable, or the context's.
func (e *Engine) Start(ctx context.Context, r Run) (*Container, error) {
	limited, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	port, err := network.ParsePort(strconv.Itoa(r.Port) + "/tcp")
	if err != nil {
		return nil, fmt.Errorf("start a container: %w", err)
	}
	on := netip.MustParseAddr(e.p.cfg.PublishOn)
	shared := container.IPCModePrivate
	if r.ReadOnly {
		shared = container.IPCModeNone // without /dev/shm, which could be written
	}
	created, err := e.cli.ContainerCreate(limited, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: r.Image, Env: r.Env, Labels: e.labels(), ExposedPorts: network.PortSet{port: {}},
		},
		HostConfig: &container.HostConfig{
			CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"}, ReadonlyRootfs: r.ReadOnly, IpcMode: shared, Mounts: e.scratch(r.Scratch),
			LogConfig: logLimits, PortBindings: network.PortMap{port: {{HostIP: on}}},
			Resources: container.Resources{
				Memory: r.Memory, MemorySwap: r.Memory, PidsLimit: &r.Process, NanoCPUs: 2e9,
				Ulimits: []*container.Ulimit{{Name: "fsize", Soft: 256 << 20, Hard: 256 << 20}, {Name: "core"}},
			},
		},
	})
	if err != nil {
		return nil, e.startError(ctx, err)
	}
	c := &Container{e: e, id: created.ID}
	if _, err := e.cli.ContainerStart(limited, c.id, client.ContainerStartOptions{}); err != nil {
		c.Remove()
		return nil, e.startError(ctx, err)
	}
	got, err := e.cli.ContainerInspect(limited, c.id, client.ContainerInspectOptions{})
	if err != nil {
		c.Remove()
		return nil, e.explain(ctx, err, "looking at a container")
	}
	if n := got.Container.NetworkSettings; n != nil {
		for _, binding := range n.Ports[port] {
			c.port, _ = strconv.Atoi(binding.HostPort)
		}
	}
	return c, nil // without a port where it has ended already
}

// scratch are folders in memory. A plain tmpfs would get the mode of the folder that the image has
// in its place; this one is everybody's whatever the image has.
func (e *Engine) scratch(paths []string) []mount.Mount {
	var all []mount.Mount
	for _, path := range paths {
		all = append(all, mount.Mount{Type: mount.TypeVolume, Target: path, VolumeOptions: &mount.VolumeOptions{
			NoCopy: true, Labels: e.labels(), DriverConfig: &mount.Driver{Name: "local", Options: map[string]string{
				"type": "tmpfs", "device": "tmpfs", "o": "size=32m,mode=1777,noexec,nosuid,nodev",
			}},
		}})
	}
	return all
}

// startError tells what the image is to blame for: what it names is not in it.
func (e *Engine) startError(ctx context.Context, err error) error {
	message := err.Error()
	for _, part := range []string{"unable to find user", "unable to find group", "no matching entries in passwd", "executable file not found",
		"must be in range", "No command specified", "no command specified", "unable to start container process", "starting container process caused"} {
		if strings.Contains(message, part) {
			return &StartError{Message: message}
		}
	}
	return e.explain(ctx, err, "starting a container")
}

// Addr is where the container's port is reached: "127.0.0.1:32768".
func (c *Container) Addr() string { return c.e.p.cfg.ReachAt + ":" + strconv.Itoa(c.port) }

// Hostname is the name that the container has for itself.
func (c *Container) Hostname() string { return short(c.id) }

// State tells whether the container runs; if not, its exit status and whether it ran out of memory.
func (c *Container) State(ctx context.Context) (running bool, code int, oom bool, err error) {
	limited, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	got, err := c.e.cli.ContainerInspect(limited, c.id, client.ContainerInspectOptions{})
	if err != nil {
		return false, 0, false, c.e.explain(ctx, err, "looking at a container")
	}
	s := got.Container.State
	if s == nil {
		return false, 0, false, nil
	}
	return s.Running, s.ExitCode, s.OOMKilled, nil
}

// Health is what the engine says of the container's health: "starting", "healthy", "unhealthy", or
// "none" where the image has no check.
func (c *Container) Health(ctx context.Context) (status, output string, err error) {
	limited, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	got, err := c.e.cli.ContainerInspect(limited, c.id, client.ContainerInspectOptions{})
	if err != nil {
		return "", "", c.e.explain(ctx, err, "looking at a container")
	}
	s := got.Container.State
	if s == nil || s.Health == nil {
		return "none", "", nil
	}
	if n := len(s.Health.Log); n > 0 {
		output = s.Health.Log[n-1].Output
	}
	return string(s.Health.Status), output, nil
}

// Wait waits until the container has ended, at most d.
func (c *Container) Wait(ctx context.Context, d time.Duration) (code int, exited bool, err error) {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	w := c.e.cli.ContainerWait(limited, c.id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case got := <-w.Result:
		return int(got.StatusCode), true, nil
	case err := <-w.Error:
		if limited.Err() != nil && ctx.Err() == nil {
			return 0, false, nil
		}
		return 0, false, c.e.explain(ctx, err, "waiting for a container")
	}
}

// Signal sends a signal, such as "SIGTERM", to the first process of the container. One that has
// ended is no error.
func (c *Container) Signal(ctx context.Context, signal string) error {
	limited, cancel := context.WithTimeout(ctx, engineSlow)
	defer cancel()
	_, err := c.e.cli.ContainerKill(limited, c.id, client.ContainerKillOptions{Signal: signal})
	if isGone(err) {
		return nil
	}
	return c.e.explain(ctx, err, "sending a signal to a container")
}

// mostLog is how much of a container's log is read.
const mostLog = 256 << 10

// Log is the end of what the container wrote to standard output and standard error.
func (c *Container) Log(ctx context.Context) (stdout, stderr string, err error) {
	limited, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	logs, err := c.e.cli.ContainerLogs(limited, c.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "400"})
	if err != nil {
		return "", "", c.e.explain(ctx, err, "reading the log of a container")
	}
	defer logs.Close()
	var out, errs bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &errs, io.LimitReader(logs, mostLog)); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", "", c.e.explain(ctx, err, "reading the log of a container")
	}
	return out.String(), errs.String(), nil
}

// Remove ends the container and removes it.
func (c *Container) Remove() {
	c.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), engineSlow)
		defer cancel()
		_ = c.e.remove(ctx, server{id: c.id, name: "a container of a grade"}) // else with the grade, or by the next cairn
	})
}
