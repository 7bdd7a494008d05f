package grader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
)

// defaultBinaries is how many compiled programs a grader keeps, so that grading
// unchanged code again does not compile it again.
const defaultBinaries = 4

// kept is a compiled program and who is using it.
type kept struct {
	key    string
	binary *build.Binary
	users  int
	used   time.Time
}

func (g *Grader) buildRequest(e Exercise, dir string, race bool) build.Request {
	return build.Request{
		ID: e.ID, Dir: dir, Edit: e.Edit, Given: e.Given, GoMod: e.GoMod, GoSum: e.GoSum,
		CacheDir: g.scratch.dir, Timeout: e.Limits.Build, Race: race, Kind: e.Kind, Yield: g.cfg.Several,
	}
}

// compile returns the program built from the snapshot. The caller calls unpin
// when it is done with it.
//
// Compiling the dependencies for the first time can take longer than the learner's
// code may. So the first time that a limit is reached, the dependencies are
// compiled by themselves, and the program once more.
func (g *Grader) compile(ctx context.Context, req build.Request, s *build.Snapshot, packages []string) (*build.Binary, error) {
	key := req.ID + " " + s.Hash
	if req.Race {
		key += " race"
	}
	g.mu.Lock()
	for i := range g.binaries {
		if k := &g.binaries[i]; k.key == key {
			k.users++
			k.used = time.Now()
			binary := k.binary
			g.mu.Unlock()
			return binary, nil
		}
	}
	g.mu.Unlock()
	binary, err := build.Compile(ctx, s, req)
	var limit *build.LimitError
	if errors.As(err, &limit) && !g.isWarm(req) && g.warm(ctx, req, packages) == nil {
		binary, err = build.Compile(ctx, s, req)
	}
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.binaries = append(g.binaries, kept{key: key, binary: binary, users: 1, used: time.Now()})
	g.dropOldest()
	return binary, nil
}

// warm compiles what programs of an exercise are made of.
func (g *Grader) warm(ctx context.Context, req build.Request, packages []string) error {
	req.Timeout = 0 // not the learner's code
	if err := build.Warm(ctx, req, packages...); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.warmed[warmKey(req)] = true
	return nil
}

func (g *Grader) isWarm(req build.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.warmed[warmKey(req)]
}

func warmKey(req build.Request) string { return fmt.Sprint(req.ID, " ", req.Race) }

// unpin says that one user of the program is done with it.
func (g *Grader) unpin(binary *build.Binary) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.binaries {
		if g.binaries[i].binary == binary {
			g.binaries[i].users--
		}
	}
	g.dropOldest()
}

// dropOldest removes programs that nobody uses, the oldest first, until as many are left as are kept.
func (g *Grader) dropOldest() {
	for len(g.binaries) > g.cfg.Binaries {
		oldest := -1
		for i, k := range g.binaries {
			if k.users == 0 && (oldest < 0 || k.used.Before(g.binaries[oldest].used)) {
				oldest = i
			}
		}
		if oldest < 0 {
			return
		}
		_ = g.binaries[oldest].binary.Close()
		g.binaries = append(g.binaries[:oldest], g.binaries[oldest+1:]...)
	}
}
