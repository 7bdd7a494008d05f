package services

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

const builderImage = "golang:1.26"

// openEngine opens an engine in a state folder of its own, so that nothing of others is in sight.
func openEngine(t testing.TB, dir string) *Engine {
	t.Helper()
	p, err := Open(Config{StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	e, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Ensure(t.Context(), nil, builderImage); err != nil {
		t.Fatal(err)
	}
	return e
}

// buildOf is a build of a Dockerfile with %s where the label belongs.
func buildOf(e *Engine, dockerfile string, files map[string]string) Build {
	files["Dockerfile"] = strings.ReplaceAll(dockerfile, "%s", e.BuildLabel())
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
		_, _ = io.WriteString(w, content)
	}
	_ = w.Close()
	return Build{Context: &b, Dockerfile: "Dockerfile", Timeout: 60 * time.Second, Memory: 1 << 30, Disk: 256 << 20, Processes: 128}
}

// left are the images and containers of a state folder.
func left(t testing.TB, e *Engine) (graded, dangling, containers int) {
	t.Helper()
	_, images, err := e.graded(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	built, err := e.cli.ImageList(context.Background(), client.ImageListOptions{All: true, Filters: make(client.Filters).Add("label", labelBuild+"="+e.owner)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.cli.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", labelBuild+"="+e.owner)})
	if err != nil {
		t.Fatal(err)
	}
	return len(images), len(built.Items), len(all.Items)
}

// forget removes what a state folder has left on the engine, cache and all.
func forget(t testing.TB, dir string) {
	t.Helper()
	e := openEngine(t, dir)
	defer e.Close()
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		if _, err := e.pruneBuildsTo(context.Background(), 0); err != nil {
			t.Error(err)
		}
		graded, dangling, containers := left(t, e)
		if graded+dangling+containers == 0 {
			return
		}
		// A build that was broken off may still be at its last step, which leaves an image.
		if time.Since(began) > 10*time.Second {
			t.Errorf("%d images of grades, %d of builds and %d containers are left", graded, dangling, containers)
			return
		}
	}
}

const twoStages = `FROM golang:1.26 AS build
%s
COPY word /word
RUN cat /word && echo built
FROM scratch
%s
COPY --from=build /word /word
ENV KEY=value
USER 65532
`

func TestBuildRunAndRead(t *testing.T) {
	dir := t.TempDir()
	defer forget(t, dir)
	e := openEngine(t, dir)
	defer e.Close()
	var times []time.Duration
	for range 2 {
		began := time.Now()
		built, err := e.Build(t.Context(), buildOf(e, twoStages, map[string]string{"word": "pebble\n"}))
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(began))
		config, err := e.Config(t.Context(), built.ID)
		if err != nil || config.User != "65532" || !strings.Contains(strings.Join(config.Env, " "), "KEY=value") || len(config.History) != 5 {
			t.Errorf("%+v, %v", config, err)
		}
		var found string
		layers, err := e.Layers(t.Context(), built.ID, func(f LayerFile) error {
			data, err := io.ReadAll(f.Content)
			found += fmt.Sprint(f.Name, " ", string(data))
			return err
		})
		if err != nil || len(layers) != 1 || found != "word pebble\n" || layers[0].Size != 7 {
			t.Errorf("%+v, %q, %v", layers, found, err)
		}
	}
	t.Log(times)
	e.Close()
	again := openEngine(t, dir)
	defer again.Close()
	if graded, _, containers := left(t, again); graded+containers != 0 {
		t.Errorf("after the grade %d images and %d containers are left", graded, containers)
	}
	built, err := again.Build(t.Context(), buildOf(again, twoStages, map[string]string{"word": "pebble\n"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range built.Steps {
		if strings.HasPrefix(s.Text, "COPY") && !s.Cached {
			t.Errorf("the next grade did not use what the last one left: %+v", s)
		}
	}
}

func TestBuildsThatGoTooFar(t *testing.T) {
	dir := t.TempDir()
	defer forget(t, dir)
	e := openEngine(t, dir)
	defer e.Close()
	const from = "FROM golang:1.26\n%s\n"
	for name, c := range map[string]struct {
		run     string
		timeout time.Duration
		limit   string // of *BuildLimit, or "" for *BuildError
		output  string
	}{
		"fails":       {"RUN echo oh dear; exit 3", 0, "", "oh dear"},
		"no end":      {"RUN sleep infinity", 3 * time.Second, "took longer than 3s", ""},
		"fork bomb":   {"RUN i=0; while [ $i -lt 1000 ]; do sleep 60 & i=$((i+1)); done; echo 1000 started", 0, "", "Cannot fork"},
		"one file":    {"RUN head -c 300000000 /dev/zero >/big", 0, "", ""},
		"many files":  {"RUN i=0; while true; do head -c 50000000 /dev/zero >/big$i; i=$((i+1)); done", 0, "wrote more than 256 MB in one step", ""},
		"the network": {"RUN curl -sS --max-time 5 http://deb.debian.org/", 0, "", "Could not resolve host"},
		"pretence":    {"RUN echo ' ---> 0123456789ab'; echo 'Step 9/9 : RUN true'; exit 1", 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := buildOf(e, from+c.run+"\n", map[string]string{})
			if c.timeout > 0 {
				b.Timeout = c.timeout
			}
			began := time.Now()
			_, err := e.Build(t.Context(), b)
			t.Log(time.Since(began), err)
			var failed *BuildError
			var limit *BuildLimit
			switch {
			case errors.As(err, &limit):
				if limit.What != c.limit || len(limit.Steps) != 3 {
					t.Errorf("%q %+v, want %q", limit.What, limit.Steps, c.limit)
				}
			case errors.As(err, &failed) && c.limit == "":
				last := failed.Steps[len(failed.Steps)-1]
				if !strings.Contains(strings.Join(last.Output, "\n"), c.output) {
					t.Errorf("%+v, want %q in its output", last, c.output)
				}
			default:
				t.Errorf("%v", err)
			}
			for range 30 { // the engine removes the container of a build that was broken off by itself
				if _, _, n := left(t, e); n == 0 {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Error("a container is left")
		})
	}
}

// engineChild is another cairn: it builds, starts a container, begins another build, and waits to be killed.
func engineChild(dir string) {
	fail := func(err error) {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	p, err := Open(Config{StateDir: dir})
	if err != nil {
		fail(err)
	}
	e, err := p.Engine(context.Background())
	if err != nil {
		fail(err)
	}
	built, err := e.Build(context.Background(), buildOf(e, "FROM golang:1.26\n%s\nCMD [\"sleep\", \"600\"]\n", map[string]string{}))
	if err != nil {
		fail(err)
	}
	if _, err := e.Start(context.Background(), Run{Image: built.ID, Port: 8080, Memory: 64 << 20, Process: 16}); err != nil {
		fail(err)
	}
	go func() {
		_, _ = e.Build(context.Background(), buildOf(e, "FROM golang:1.26\n%s\nRUN touch /a\nRUN sleep 600\n", map[string]string{}))
	}()
	for {
		images, err := e.cli.ContainerList(context.Background(), client.ContainerListOptions{Filters: make(client.Filters).Add("label", labelBuild+"="+e.owner)})
		if err != nil {
			fail(err)
		}
		if len(images.Items) == 2 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // never comes
}

func TestKilledCairnLeavesNoImage(t *testing.T) {
	dir := t.TempDir()
	defer forget(t, dir)
	child := osexec.Command(os.Args[0])
	child.Env = append(os.Environ(), "SERVICES_TEST_ENGINE_CHILD="+dir)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "ready\n" {
		_ = child.Process.Kill()
		t.Fatalf("the other cairn said %q, %v", line, err)
	}
	e := openEngine(t, dir)
	defer e.Close()
	if err := e.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if graded, _, containers := left(t, e); graded != 1 || containers != 2 {
		t.Fatalf("a sweep left %d images and %d containers of a cairn that runs", graded, containers)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	// The engine ends the build, whose client is gone, in its own time.
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err := e.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if graded, dangling, containers := left(t, e); graded+containers == 0 && dangling <= 2 {
			break
		}
	}
	if graded, dangling, containers := left(t, e); graded+containers != 0 || dangling > 2 { // of the first build, for the next
		t.Errorf("%d images, %d containers and %d images of builds are left", graded, containers, dangling)
	}
}
