package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/cairn-learn/cairn/exercises"
)

// FetchModules downloads every module that exercises are built with into the
// user's module cache, so that later grades need no network. It uses the user's
// own go settings (proxy, private modules). progress is told of every module
// before it is fetched, n counting from 1, and may be nil; modules that are there
// already cost a few milliseconds each. It works without a workspace.
func FetchModules(ctx context.Context, catalogue *exercises.Catalogue, progress func(module string, n, total int)) error {
	goMod, err := modfile.Parse("go.mod", catalogue.GoMod(), nil)
	if err != nil {
		return fmt.Errorf("read the workspace's go.mod: %w", err)
	}
	dir, err := os.MkdirTemp("", "cairn-modules-")
	if err != nil {
		return fmt.Errorf("fetch modules: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, data := range map[string][]byte{"go.mod": catalogue.GoMod(), "go.sum": catalogue.GoSum()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("fetch modules: %w", err)
		}
	}
	for i, r := range goMod.Require {
		if progress != nil {
			progress(r.Mod.Path+" "+r.Mod.Version, i+1, len(goMod.Require))
		}
		if err := goModDownload(ctx, dir, r.Mod.Path+"@"+r.Mod.Version); err != nil {
			return err
		}
	}
	return goModDownload(ctx, dir) // the go.mod files of what those require
}

func goModDownload(ctx context.Context, dir string, modules ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"mod", "download"}, modules...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("fetch modules: there is no go command on the PATH; install Go from https://go.dev/dl")
	}
	what := "the modules"
	if len(modules) > 0 {
		what = modules[0]
	}
	reason := strings.Join(strings.Fields(said.String()), " ")
	return fmt.Errorf("fetch %s: %s; check the network and go env GOPROXY, then run: cairn init", what, reason)
}
