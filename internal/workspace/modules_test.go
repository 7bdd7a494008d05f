package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// TestFetchModules fetches into an empty module cache from this machine's own,
// used as a proxy, and builds with what was fetched and nothing else.
func TestFetchModules(t *testing.T) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := exercises.Load(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "file://"+filepath.Join(strings.TrimSpace(string(out)), "cache", "download"))
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")

	var lines []string
	err = workspace.FetchModules(context.Background(), catalogue, func(module string, n, total int) {
		lines = append(lines, fmt.Sprintf("%d of %d: %s", n, total, module))
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], fmt.Sprintf("1 of %d: github.com/jackc/", len(lines))) {
		t.Errorf("progress: %q", lines)
	}

	w, err := workspace.Init(t.TempDir(), catalogue, "1.0")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "package main\n\nimport (\n\t_ \"github.com/jackc/pgx/v5/pgxpool\"\n\t_ \"github.com/jackc/pgx/v5/stdlib\"\n)\n\nfunc main() {}\n", w.Dir, "uses", "main.go")
	list := exec.Command("go", "list", "-deps", "./uses")
	list.Dir = w.Dir
	list.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := list.CombinedOutput(); err != nil {
		t.Errorf("the fetched modules are not enough: %v\n%s", err, out)
	}
}

func TestFetchModulesSaysWhatIsMissing(t *testing.T) {
	catalogue, err := exercises.Load(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	err = workspace.FetchModules(context.Background(), catalogue, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "fetch github.com/jackc/") || !strings.HasSuffix(err.Error(), "then run: cairn init") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	err = workspace.FetchModules(context.Background(), catalogue, nil)
	if err == nil || !strings.Contains(err.Error(), "install Go from https://go.dev/dl") {
		t.Errorf("without go: %v", err)
	}
}

func TestFetchModulesStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	real, err := exercises.Load(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	if err := workspace.FetchModules(ctx, real, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
