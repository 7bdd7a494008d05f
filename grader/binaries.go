package grader

import (
	"context"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
)

// maxBinaries is how many compiled programs a grader keeps, so that grading
// unchanged code again does not compile it again.
const maxBinaries = 4

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
		CacheDir: g.scratch.dir, Timeout: e.Limits.Build, Race: race,
	}
}

// compile returns the program built from the snapshot. The caller calls unpin
// when it is done with it.
func (g *Grader) compile(ctx context.Context, req build.Request, s *build.Snapshot) (*build.Binary, error) {
	key := req.ID + " " + s.Hash
	if req.Race {
		key += " race"
	}
	g.mu.Lock()
	for i := range g.binaries {
		if k := &g.binaries[i]; k.key == key {
			k.users++
			k.used = time.Now()
			g.mu.Unlock()
			return k.binary, nil
		}
	}
	g.mu.Unlock()
	binary, err := build.Compile(ctx, s, req)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.binaries = append(g.binaries, kept{key: key, binary: binary, users: 1, used: time.Now()})
	g.dropOldest()
	return binary, nil
}

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

// dropOldest removes programs beyond maxBinaries that nobody uses.
func (g *Grader) dropOldest() {
	for len(g.binaries) > maxBinaries {
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
