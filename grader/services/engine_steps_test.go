package services

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// newBench is a workbench of a test, and its engine.
func newBench(t *testing.T) (*Workbench, *Engine) {
	t.Helper()
	needEngine(t)
	p, err := Open(Config{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	e, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	bench, err := e.Workbench(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return bench, e
}

func newMachine(t *testing.T, bench *Workbench) *Machine {
	t.Helper()
	m, err := bench.Machine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Remove)
	return m
}

// sh runs a script and returns what it printed, and its status.
func sh(t *testing.T, m *Machine, script, stdin string) (string, int) {
	t.Helper()
	out, status, err := m.Exec(t.Context(), []string{"bash", "-c", script}, []byte(stdin))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), status
}

func TestMachine(t *testing.T) {
	bench, _ := newBench(t)
	m, other := newMachine(t, bench), newMachine(t, bench)
	for _, c := range []struct {
		name, script, stdin string
		out                 string
		status              int
	}{
		{"input, output and status", "cat; echo lost >&2; exit 7", "given", "given", 7},
		{"an input that nobody reads", "echo done", strings.Repeat("x", 1<<20), "done", 0},
		{"is no superuser", "id -u; id -g; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs' | tr -d '\\t'", "", "1001\n1001\nCapEff:0000000000000000\nNoNewPrivs:1", 0},
		{"writes to its home and to /tmp alone", "for d in / /etc /usr/local/go /var/tmp /cairn/gocache /go /root; do touch $d/x 2>/dev/null && echo $d; done; touch ~/x /home/runner/x /tmp/x 2>/dev/null; ls /home/runner /tmp", "", "/home/runner:\nx\n\n/tmp:\nx", 0},
		{"has no network", "cat /proc/net/dev | grep -c : ; timeout 2 bash -c 'exec 3<>/dev/tcp/1.1.1.1/53' 2>/dev/null; echo $?", "", "1\n1", 0},
		{"has Go with a full build cache", "test -d /cairn/gocache/00 && git --version >/dev/null && gcc --version >/dev/null && go version | cut -d' ' -f1-2", "", "go version", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out, status := sh(t, m, c.script, c.stdin); out != c.out || status != c.status {
				t.Errorf("status %d, printed\n%s\nwant %d and\n%s", status, out, c.status, c.out)
			}
		})
	}
	if out, _ := sh(t, other, "ls /home/runner /tmp", ""); strings.Contains(out, "x") {
		t.Errorf("one machine sees what another has written: %s", out)
	}
	sh(t, m, "(trap '' TERM; sleep 500) & sleep 501 & setsid sleep 502 >/dev/null 2>&1 </dev/null &", "")
	if err := m.EndAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out, _ := sh(t, m, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", ""); strings.Contains(out, "sleep 50") {
		t.Errorf("still running: %s", out)
	}
}

func TestMachineOutOfTime(t *testing.T) {
	bench, _ := newBench(t)
	m := newMachine(t, bench)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, _, err := m.Exec(ctx, []string{"sleep", "60"}, nil); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// TestBenchCloses holds that no container is left when a grade ends, and that one of a cairn that
// was killed is swept by the next.
func TestBenchCloses(t *testing.T) {
	bench, e := newBench(t)
	kept, gone := newMachine(t, bench), newMachine(t, bench)
	gone.Remove()
	there := func(m *Machine) bool {
		_, err := e.cli.ContainerInspect(context.Background(), m.id, client.ContainerInspectOptions{})
		return err == nil
	}
	if there(gone) || !there(kept) {
		t.Fatalf("after a removal there are %v and %v", there(gone), there(kept))
	}
	if err := e.sweep(t.Context()); err != nil || !there(kept) {
		t.Fatalf("a sweep took what has a live lease, or failed: %v", err)
	}
	live := e.lease
	e.lease = "dead"
	orphan := newMachine(t, bench)
	e.lease = live
	if err := e.sweep(t.Context()); err != nil || there(orphan) || !there(kept) {
		t.Errorf("after a sweep: orphan %v, kept %v, %v", there(orphan), there(kept), err)
	}
	bench.Close()
	if there(kept) {
		t.Error("after the grade there is a container")
	}
}

func TestBuildCacheOnce(t *testing.T) {
	_, e := newBench(t)
	told := 0
	volume, err := e.buildCache(t.Context(), StepsImage, func(Progress) { told++ })
	if err != nil || told != 0 {
		t.Fatalf("%v, told %d times", err, told)
	}
	made, err := e.cacheVolume(t.Context(), volume)
	again, err2 := e.cacheVolume(t.Context(), volume)
	if err != nil || err2 != nil || made == "" || made != again {
		t.Errorf("%q %q %v %v", made, again, err, err2)
	}
}

// TestBuildCacheOfOthers holds that a cache is filled once on a machine, whatever the state folder,
// and that whoever only found it leaves it there.
func TestBuildCacheOfOthers(t *testing.T) {
	_, first := newBench(t)
	volume, err := first.buildCache(t.Context(), StepsImage, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, e := newBench(t)
	told := 0
	if found, err := e.buildCache(t.Context(), StepsImage, func(Progress) { told++ }); err != nil || told != 0 || found != volume {
		t.Errorf("%s instead of %s, %v, told %d times", found, volume, err, told)
	}
	if n, err := pruneCaches(t.Context(), e.p.cfg); err != nil || n != 0 {
		t.Errorf("pruned %d, %v", n, err)
	}
	if full, err := e.cacheIsFull(t.Context(), StepsImage, volume); err != nil || !full {
		t.Errorf("after a prune it is full: %v, %v", full, err)
	}
}
