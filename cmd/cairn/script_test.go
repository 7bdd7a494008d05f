package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/services"
)

func TestMain(m *testing.M) {
	process.SuperviseIfAsked()
	testscript.Main(m, map[string]func(){"cairn": main})
}

// warmPrograms compiles what the programs of scripts are made of: on a fresh machine those which run
// beside each other would each compile it.
func warmPrograms(t *testing.T) {
	t.Helper()
	catalogue, err := exercises.Load(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	g, err := grader.New(grader.Config{CacheDir: t.TempDir(), Cairn: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"restcrud", "lostupdate"} {
		e, ok := catalogue.Get(id)
		if !ok {
			t.Fatal("there is no exercise ", id)
		}
		if err := g.Warm(t.Context(), e.Spec()); err != nil {
			t.Error(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// TestScript runs every testdata/script/*.txtar: one behaviour each. A script
// has a HOME of its own; the caches of Go are the real ones, offline.
func TestScript(t *testing.T) {
	folder, err := filepath.Abs(filepath.Join("..", "..", "exercises"))
	if err != nil {
		t.Fatal(err)
	}
	gocache, gomodcache := goEnv(t, "GOCACHE"), goEnv(t, "GOMODCACHE")
	warmPrograms(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			for name, dir := range map[string]string{"CACHE": ".cache", "STATE": ".local/state", "CONFIG": ".config", "DATA": ".local/share"} {
				env.Setenv("XDG_"+name+"_HOME", filepath.Join(home, dir))
			}
			env.Setenv("GOCACHE", gocache)
			env.Setenv("GOMODCACHE", gomodcache)
			env.Setenv("GOPROXY", "off")
			env.Setenv("LANG", "C.UTF-8")
			cairn, err := exec.LookPath("cairn")
			if err != nil {
				return err
			}
			env.Setenv("CAIRN", cairn)
			env.Setenv("EXERCISES", folder)
			env.Setenv("EDITOR", "true")
			for _, name := range []string{"DOCKER_HOST", "TESTCONTAINERS_HOST_OVERRIDE", "TESTCONTAINERS_RYUK_DISABLED", "CAIRN_SERVICES"} {
				env.Setenv(name, os.Getenv(name))
			}
			state := filepath.Join(home, ".local/state", "cairn", "services")
			env.Defer(func() { stopServers(t, state) })
			return os.MkdirAll(home, 0o755)
		},
		Condition: func(cond string) (bool, error) {
			if cond != "services" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := services.CheckHost(context.Background(), services.Config{})
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits,
			"json":  cmdJSON,
			"lines": cmdLines,
		},
	})
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// stopServers ends what a script left running. Most scripts never start one.
func stopServers(t *testing.T, state string) {
	if _, err := os.Stat(state); err != nil {
		return
	}
	if _, err := services.Stop(context.Background(), services.Config{StateDir: state}, true); err != nil {
		t.Errorf("stop the servers of %s: %v", state, err)
	}
}

// exits STATUS PROGRAM ARG… runs a program that must end with that status.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits status program [arg...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// json FILE PATH VALUE looks into JSON, such as "stdout": "checks.0.id". A
// "#" at the end of the path counts. A missing VALUE only asks for presence.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: json file path [value]")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &v); err != nil {
		ts.Fatalf("%s is not JSON alone: %v", args[0], err)
	}
	got, ok := walk(v, strings.Split(args[1], "."))
	holds := ok && (len(args) == 2 || fmt.Sprint(got) == args[2])
	if holds == neg {
		ts.Fatalf("%s is %v", args[1], got)
	}
}

func walk(v any, path []string) (any, bool) {
	for _, key := range path {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[key]; !ok {
				return nil, false
			}
		case []any:
			if key == "#" {
				v = len(x)
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// lines FILE N holds a file, such as "stderr", to N lines.
func cmdLines(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: lines file n")
	}
	text := ts.ReadFile(args[0])
	if got := strings.Count(text, "\n"); strconv.Itoa(got) != args[1] {
		ts.Fatalf("%s has %d lines, want %s:\n%s", args[0], got, args[1], text)
	}
}
