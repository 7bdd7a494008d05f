package process

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// keepers are what holds programs to their limits on this machine: always the
// watcher, and control groups where they may be made.
func keepers(t *testing.T) []LimitsBy {
	t.Helper()
	k, base := keeper()
	if base == nil {
		t.Logf("no control groups on this machine: %s", k.Why)
		return []LimitsBy{ByWatcher}
	}
	return []LimitsBy{ByWatcher, k.By, ""}
}

func eachKeeper(t *testing.T, test func(*testing.T, LimitsBy)) {
	for _, by := range keepers(t) {
		name := string(by)
		if by == "" {
			name = "both"
		}
		t.Run(name, func(t *testing.T) { test(t, by) })
	}
}

// requireGone fails when the group of a program is still there after its end.
func requireGone(t *testing.T, p *Process) {
	t.Helper()
	if p.group == "" {
		return
	}
	for _, dir := range p.groups.folders(p.group) {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}

func TestMemoryLimitByEach(t *testing.T) {
	eachKeeper(t, func(t *testing.T, by LimitsBy) {
		s := spec(t, "memory")
		s.MemoryLimit, s.only = 200<<20, by
		p := start(t, s)
		if e := over(t, p); e.Reason != MemoryLimit || e.Signal != "SIGKILL" {
			t.Errorf("exit %+v\n%s", e, p.Output())
		}
		requireInGroup(t, p, by)
		requireGone(t, p)
	})
}

// TestQuickMemory passes the limit and exits at once: no watcher sees that, and
// whoever does sees it too late.
func TestQuickMemory(t *testing.T) {
	for _, by := range keepers(t)[1:] {
		s := spec(t, "quickmemory")
		s.MemoryLimit, s.only = 64<<20, by
		p := start(t, s)
		if e := over(t, p); e.Reason != MemoryLimit {
			t.Errorf("%q: exit %+v\n%s", by, e, p.Output())
		}
		requireGone(t, p)
	}
}

// TestMemoryOfAChild: with version 1 the kernel ends one process, and the
// supervisor has to end the others.
func TestMemoryOfAChild(t *testing.T) {
	eachKeeper(t, func(t *testing.T, by LimitsBy) {
		s := spec(t, "memorychild")
		s.MemoryLimit, s.only = 200<<20, by
		p := start(t, s)
		if e := over(t, p); e.Reason != MemoryLimit {
			t.Errorf("exit %+v\n%s", e, p.Output())
		}
		requireGone(t, p)
	})
}

// TestWithinTheLimits has a program live on whose files, not its memory, are
// larger than the limit.
func TestWithinTheLimits(t *testing.T) {
	eachKeeper(t, func(t *testing.T, by LimitsBy) {
		dir, err := os.MkdirTemp("/var/tmp", "pages") // /tmp may be memory
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s := Spec{Path: "/bin/sh", Args: []string{"-c", "head -c 100000000 /dev/zero >" + dir + "/f && cat " + dir + "/f >/dev/null"},
			Env: []string{"PATH=/usr/bin:/bin"}, MemoryLimit: 64 << 20, only: by}
		p := start(t, s)
		if e := over(t, p); e.Reason != Exited || e.Code != 0 {
			t.Errorf("exit %+v\n%s", e, p.Output())
		}
		requireGone(t, p)
	})
}

func TestForkBombByEach(t *testing.T) {
	eachKeeper(t, func(t *testing.T, by LimitsBy) {
		p := start(t, Spec{Path: "/bin/sh", Args: []string{"-c", forkBomb}, Env: []string{"PATH=/usr/bin:/bin"}, ProcessLimit: 6, only: by})
		want := ProcessLimit
		if by != ByWatcher && by != "" {
			want = TaskLimit
		}
		e := over(t, p)
		if e.Reason != want && (by != "" || e.Reason != TaskLimit) { // whoever is quicker
			t.Errorf("exit %+v, want %s\n%s", e, want, p.Output())
		}
		if err := syscall.Kill(-p.Pid(), 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("something of group %d is left: %v", p.Pid(), err)
		}
		requireInGroup(t, p, by)
		requireGone(t, p)
	})
}

func requireInGroup(t *testing.T, p *Process, by LimitsBy) {
	t.Helper()
	if in := p.group != ""; in != (by != ByWatcher) {
		t.Errorf("in a control group: %t, limits kept by %q", in, by)
	}
}

// TestProgramIsInItsGroup also looks that nobody else is: not the supervisor,
// whose memory is not the program's.
func TestProgramIsInItsGroup(t *testing.T) {
	_, base := keeper()
	if base == nil {
		return // said by the other tests
	}
	p := startReady(t, spec(t, "wait"))
	if p.group == "" {
		t.Fatal("no group")
	}
	for _, dir := range base.folders(p.group) {
		if got := processesIn(dir); len(got) != 1 || got[0] != p.Pid() {
			t.Errorf("%s has %v, want the program, %d", dir, got, p.Pid())
		}
	}
	p.Kill()
	requireGone(t, p)
}

// TestGroupOfAKilledSupervisor: cairn removes the group then.
func TestGroupOfAKilledSupervisor(t *testing.T) {
	w := newWitness(t)
	p := start(t, spec(t, "parent", w.socket, "stay", "plain", "group"))
	await(t, w.lines, 3, "alive")
	if err := p.supervisor.Kill(); err != nil {
		t.Fatal(err)
	}
	over(t, p)
	requireGone(t, p)
}

// TestSweep kills cairn and its supervisor together. What escaped is alive then,
// in a group that nobody holds; the next cairn ends it.
func TestSweep(t *testing.T) {
	_, base := keeper()
	if base == nil {
		return
	}
	g, err := makeGroup(*base, 64<<20, 20)
	if err != nil {
		t.Fatal(err)
	}
	left := exec.Command("/bin/sleep", "60")
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range base.folders(g.name) {
		if err := writeKnob(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(left.Process.Pid)); err != nil {
			t.Fatal(err)
		}
	}
	sweepGroups(*base)
	if got := g.members(); len(got) == 0 {
		t.Error("a group was swept that somebody holds")
	}
	for _, f := range g.locks {
		_ = f.Close()
	}
	over := make(chan error, 1)
	go func() { over <- left.Wait() }()
	sweepGroups(*base)
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Error("what was left in the group lives")
		_ = left.Process.Kill()
	}
	for _, dir := range base.folders(g.name) {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left", dir)
		}
	}
}

// TestNoGroupCanBeMade has everything settled for groups that then cannot be
// made: the program runs all the same, watched.
func TestNoGroupCanBeMade(t *testing.T) {
	s := &supervisor{request: request{Groups: &groupBase{Version: 2, Memory: t.TempDir() + "/gone", Pids: "/gone"}}}
	if err := s.startInGroup(); err == nil || s.group != nil || s.pid != 0 {
		t.Errorf("error %v, group %v, pid %d", err, s.group, s.pid)
	}
}

func TestEventsOfTheKernel(t *testing.T) {
	for _, test := range []struct {
		version              int
		memory, events, pids string
		want                 Reason
	}{
		{2, "low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n", "memory.events", "max 0\n", ""},
		{2, "low 0\nhigh 0\nmax 1240\noom 1\noom_kill 3\noom_group_kill 1\n", "memory.events", "max 0\n", MemoryLimit},
		{2, "oom_kill 0\n", "memory.events", "max 17\n", TaskLimit},
		{1, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", "memory.oom_control", "max 0\n", MemoryLimit},
		{1, "oom_kill_disable 0\nunder_oom 0\n", "memory.oom_control", "max 2\n", TaskLimit}, // before Linux 4.13
	} {
		g := &group{base: groupBase{Version: test.version, Memory: t.TempDir()}, name: "g"}
		g.base.Pids = g.base.Memory
		for name, content := range map[string]string{test.events: test.memory, "pids.events": test.pids} {
			file := filepath.Join(g.base.Memory, "g", name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := g.passed(); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
	if got := (*group)(nil).passed(); got != "" {
		t.Errorf("no group: %q", got)
	}
}

// quickMemory takes memory in one system call and exits.
func quickMemory([]string) {
	const much = 128 << 20
	if _, err := unix.Mmap(-1, 0, much, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// memoryChild has a child that takes all the memory, and lives on itself.
func memoryChild([]string) {
	cmd := exec.Command("/proc/self/exe", "program=memory")
	_ = cmd.Run()
	select {}
}

func init() { programs["quickmemory"], programs["memorychild"] = quickMemory, memoryChild }

func TestVariableForcesTheWatcher(t *testing.T) {
	t.Setenv(limitsVariable, "watcher")
	k, base := settleKeeper()
	if base != nil || k.By != ByWatcher || !strings.Contains(k.Why, limitsVariable) {
		t.Errorf("%+v, %+v", k, base)
	}
}
