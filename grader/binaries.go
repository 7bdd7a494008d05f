package grader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
)

// defaultBinaries is how many compiled programs a grader keeps, so that grading
// unchanged code again does not compile it again.
const defaultBinaries = 4

// kept is a compiled program, or compiled tests, and who is using it.
type kept struct {
	key   string
	made  io.Closer
	users int
	used  time.Time
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
	return keep(g, key(req, s), func() (*build.Binary, error) {
		binary, err := build.Compile(ctx, s, req)
		var limit *build.LimitError
		if errors.As(err, &limit) && !g.isWarm(req) && g.warm(ctx, req, packages) == nil {
			binary, err = build.Compile(ctx, s, req)
		}
		return binary, err
	})
}

// compileTests is compile for tests. How the versions look in the program is drawn anew for other
// files, and by each grader: what tests learn of them in one grade helps in no other.
func (g *Grader) compileTests(ctx context.Context, req build.Request, s *build.Snapshot, versions []build.Version) (*build.TestBinaries, error) {
	return keep(g, key(req, s)+" "+build.HashVersions(versions), func() (*build.TestBinaries, error) {
		return build.CompileTests(ctx, s, req, versions, rand.Uint64())
	})
}

// key tells what is compiled from everything else that is.
func key(req build.Request, s *build.Snapshot) string {
	if req.Race {
		return req.ID + " " + s.Hash + " race"
	}
	return req.ID + " " + s.Hash
}

// keep returns what has been made under the same key before, or makes it.
func keep[T io.Closer](g *Grader, key string, compile func() (T, error)) (T, error) {
	g.mu.Lock()
	for i := range g.binaries {
		if k := &g.binaries[i]; k.key == key {
			k.users++
			k.used = time.Now()
			made := k.made.(T)
			g.mu.Unlock()
			return made, nil
		}
	}
	g.mu.Unlock()
	made, err := compile()
	if err != nil {
		return made, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.binaries = append(g.binaries, kept{key: key, made: made, users: 1, used: time.Now()})
	g.dropOldest()
	return made, nil
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

// unpin says that one user of what was compiled is done with it.
func (g *Grader) unpin(made io.Closer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.binaries {
		if g.binaries[i].made == made {
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
		_ = g.binaries[oldest].made.Close()
		g.binaries = append(g.binaries[:oldest], g.binaries[oldest+1:]...)
	}
}
