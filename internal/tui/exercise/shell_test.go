package exercise

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader/report"
)

// programs makes a PATH that holds nothing but the given shell scripts.
func programs(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// served is a world whose port answers.
func served(t *testing.T, service, scheme string) (world report.World, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return report.World{Service: service, URL: scheme + "://role:secret@" + l.Addr().String() + "/base"}, port
}

func TestShellIsTheClientOfThisMachine(t *testing.T) {
	programs(t, map[string]string{"psql": "", "redis-cli": "", "docker": "exit 1"})
	for service, flags := range map[string][]string{"postgres": nil, "redis": {"--no-auth-warning", "-u"}} {
		world, _ := served(t, service, service)
		cmd, err := clientFor(t.Context(), world)
		if err != nil {
			t.Fatal(err)
		}
		if want := append(flags, world.URL); !slices.Equal(cmd.Args[1:], want) {
			t.Errorf("%s is opened with %q, want %q", service, cmd.Args[1:], want)
		}
	}
}

func TestShellRunsInTheContainerWherePsqlIsMissing(t *testing.T) {
	world, port := served(t, "postgres", "postgres")
	programs(t, map[string]string{"docker": `[ "$*" = "ps --filter publish=` + port + ` --format {{.ID}}" ] && echo c0ffee`})
	cmd, err := clientFor(t.Context(), world)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"exec", "-it", "c0ffee", "psql", "postgres://role:secret@127.0.0.1:5432/base"}
	if !slices.Equal(cmd.Args[1:], want) {
		t.Errorf("docker is run with %q, want %q", cmd.Args[1:], want)
	}
}

func TestShellSaysWhatIsMissing(t *testing.T) {
	world, _ := served(t, "postgres", "postgres")
	gone := world
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.URL = "postgres://role:secret@" + l.Addr().String() + "/base"
	_ = l.Close()
	for want, c := range map[string]struct {
		world   report.World
		scripts map[string]string
	}{
		"neither is the docker command": {world, nil},
		"docker ps failed":              {world, map[string]string{"docker": "exit 1"}},
		"no container of this Docker":   {world, map[string]string{"docker": ""}},
		"grade again":                   {gone, map[string]string{"psql": ""}},
		"no client for kafka":           {report.World{Service: "kafka", URL: world.URL}, nil},
	} {
		t.Run(want, func(t *testing.T) {
			programs(t, c.scripts)
			if _, err := clientFor(t.Context(), c.world); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error that says %q", err, want)
			}
		})
	}
}
