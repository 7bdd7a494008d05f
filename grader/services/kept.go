package services

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keptServersAtMost is how many Redis servers stay for a look; the oldest go first.
const keptServersAtMost = 3

// Redis servers that are kept for a look are marked in the state folder: a container's labels
// never change, and a mark in Redis itself would be in the learner's sight.
func (s state) keptFolder() string { return filepath.Join(s.dir, "kept") }

func (s state) keep(server string, n note) error {
	if err := os.MkdirAll(s.keptFolder(), 0o700); err != nil {
		return fmt.Errorf("mark %s as kept: %w", server, err)
	}
	file := filepath.Join(s.keptFolder(), server)
	if err := os.WriteFile(file+".new", []byte(n.String()), 0o600); err != nil {
		return fmt.Errorf("mark %s as kept: %w", server, err)
	}
	return os.Rename(file+".new", file)
}

func (s state) unkeep(server string) error {
	return removeFile(filepath.Join(s.keptFolder(), server))
}

// kept returns the marks, by the name of the server.
func (s state) kept() (map[string]note, error) {
	entries, err := os.ReadDir(s.keptFolder())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list kept servers: %w", err)
	}
	marks := map[string]note{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(s.keptFolder(), e.Name()))
		var n note
		if err == nil && json.Unmarshal(data, &n) == nil && n.Kept != nil {
			marks[e.Name()] = n
		}
	}
	return marks, nil
}

// keptAs describes a kept server as a database that is kept; one that isn't kept as none.
func (s state) keptAs(server string) []DatabaseInfo {
	marks, _ := s.kept() // what can't be read isn't kept
	if n, ok := marks[server]; ok {
		return []DatabaseInfo{{Name: server, Fixture: n.Fixture, Kept: *n.Kept}}
	}
	return nil
}

// keepRedis marks a server as one that outlives its grade, and removes the oldest beyond
// keptServersAtMost.
func (p *provider) keepRedis(ctx context.Context, r *Redis) error {
	now := time.Now().UTC()
	if err := p.state.keep(r.Name, note{Fixture: r.Fixture, Kept: &now}); err != nil {
		return err
	}
	p.warm.Store(r.Name, r)
	_ = p.dropKeptRedis(ctx, "", time.Time{}, keptServersAtMost) // what is left ends by itself
	return nil
}

// dropKeptRedis removes kept servers, of one fixture or, with "", of all: those that were kept
// before a time, unless that is zero, but for the newest.
func (p *provider) dropKeptRedis(ctx context.Context, fixture string, before time.Time, newest int) error {
	marks, err := p.marks()
	if err != nil || len(marks) <= newest {
		return err
	}
	h, err := openHost(ctx, p.cfg)
	if err != nil {
		return err
	}
	defer h.close()
	found, err := h.list(ctx)
	if err != nil {
		return err
	}
	var names []string
	for name, mark := range marks {
		if (fixture == "" || mark.Fixture == fixture) && (before.IsZero() || mark.Kept.Before(before)) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return marks[b].Kept.Compare(*marks[a].Kept) })
	var errs []error
	for _, name := range names[min(newest, len(names)):] {
		p.cool(name)
		if i := slices.IndexFunc(found, func(s server) bool { return s.name == name }); i >= 0 {
			errs = append(errs, h.remove(ctx, found[i]))
		}
		errs = append(errs, p.state.unkeep(name))
	}
	return errors.Join(errs...)
}

// marks returns the marks of kept servers. What another cairn has removed meanwhile is kept warm no more.
func (p *provider) marks() (map[string]note, error) {
	var warm []string // first: a mark is made before its server stands here
	p.warm.Range(func(name, _ any) bool {
		warm = append(warm, name.(string))
		return true
	})
	marks, err := p.state.kept()
	if err != nil {
		return nil, err
	}
	for _, name := range warm {
		if _, ok := marks[name]; !ok {
			p.cool(name)
		}
	}
	return marks, nil
}

// cool ends what keeps a kept server warm.
func (p *provider) cool(name string) {
	if r, ok := p.warm.LoadAndDelete(name); ok {
		close(r.(*Redis).done)
	}
}

// sweepServers removes the Redis servers of cairns that no longer run, unless they are kept, and
// the marks of kept ones that have ended.
func (p *provider) sweepServers(ctx context.Context) {
	h, err := openHost(ctx, p.cfg)
	if err != nil {
		return // there is nothing to sweep that could be reached
	}
	defer h.close()
	marks, err := p.state.kept()
	if err != nil {
		return
	}
	found, err := h.list(ctx)
	if err != nil {
		return
	}
	live, err := p.state.live(ctx) // after the list: a server made in between isn't on it
	if err != nil {
		return
	}
	for _, s := range found {
		_, isKept := marks[s.name]
		delete(marks, s.name)
		if s.service == redisService && !live[s.lease] && (!isKept || !s.runs()) {
			_ = h.remove(ctx, s) // what is in the way now is swept by the next cairn
		}
	}
	for name := range marks {
		if strings.HasPrefix(name, "cairn-"+redisService+"-") {
			_ = p.state.unkeep(name)
		}
	}
}
