package services

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

// watchBuild keeps the containers of a build within bounds that the builder knows nothing of: how
// many processes there may be, and how much they may write. The channel is closed when it is over.
func (e *Engine) watchBuild(ctx context.Context, b Build, own *idSet, end context.CancelCauseFunc) <-chan struct{} {
	done := make(chan struct{})
	begun := make(chan struct{})
	go func() {
		defer close(done)
		var sizes sync.WaitGroup
		defer sizes.Wait()
		sizes.Go(func() { e.watchSizes(ctx, b, own, end) })
		events := e.cli.Events(ctx, client.EventsListOptions{Filters: make(client.Filters).
			Add("type", "container").Add("event", "create").Add("label", labelBuild+"="+e.owner)})
		close(begun)
		for {
			select {
			case <-ctx.Done():
				return
			case <-events.Err:
				return
			case m := <-events.Messages:
				if m.Actor.Attributes[labelGrade] != "" {
					continue // a container of a grade, made from what was built
				}
				// Whichever build it is of: they have the same bounds.
				_, _ = e.cli.ContainerUpdate(ctx, m.Actor.ID, client.ContainerUpdateOptions{
					Resources: &container.Resources{PidsLimit: &b.Processes},
				})
			}
		}
	}()
	<-begun
	return done
}

// What a container wrote is asked for so often. Where the engine's storage driver has to compare
// each file with the image's to tell, it is asked for a tenth of the time.
const (
	sizesEvery  = 500 * time.Millisecond
	sizesRarely = 10 * time.Second
	sizesShare  = 10
)

// watchSizes ends a build one step of which has written too much.
func (e *Engine) watchSizes(ctx context.Context, b Build, own *idSet, end context.CancelCauseFunc) {
	disk := e.disk(ctx)
	asked := time.Now()
	for {
		takes := time.Duration(e.p.sizeTakes.Load())
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(max(sizesEvery, takes*(sizesShare-1)), sizesRarely)):
		}
		if time.Since(asked) < sizesRarely && !disk.lost(b.Disk) {
			continue
		}
		asked = time.Now()
		for _, id := range own.all() {
			began := time.Now()
			got, err := e.cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{Size: true})
			if err != nil {
				own.remove(id)
				continue
			}
			e.p.sizeTakes.Store(int64(time.Since(began)))
			if size := got.Container.SizeRw; size != nil && *size > b.Disk {
				end(&BuildLimit{What: fmt.Sprintf("wrote more than %d MB in one step", b.Disk>>20)})
			}
		}
	}
}

// disk is where the engine keeps what containers write, as far as it can be seen from here.
type disk struct {
	folder string // "" when it can't be seen
	most   int64  // bytes that were free
}

func (e *Engine) disk(ctx context.Context) *disk {
	d := &disk{}
	if info, err := e.cli.Info(ctx, client.InfoOptions{}); err == nil && e.isLocal() {
		d.folder = info.Info.DockerRootDir
	}
	d.lost(0)
	return d
}

// lost reports whether so many bytes were written since it last said so. Where the disk can't be
// seen they may have been.
func (d *disk) lost(bytes int64) bool {
	var st unix.Statfs_t
	if d.folder == "" || unix.Statfs(d.folder, &st) != nil {
		return true
	}
	free := int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // the types differ between systems
	d.most = max(d.most, free)
	if d.most-free < bytes {
		return false
	}
	d.most = free
	return true
}

// idSet is a set of containers.
type idSet struct {
	mu  sync.Mutex
	ids []string
}

func (s *idSet) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *idSet) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = slices.DeleteFunc(s.ids, func(i string) bool { return i == id })
}

func (s *idSet) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}
