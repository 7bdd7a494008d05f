package grader

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// duringTheExam declares checks between whose requests something happens. The
// examiner asks nobody but the program: it has only the program's word.
func duringTheExam(before func(*exam.C) string, happens func()) func(*exam.X) {
	return func(x *exam.X) {
		x.Check("before", "answers, and once more after what happens", func(c *exam.C) {
			path := before(c)
			c.Post(path, nil).Want(200)
			happens()
			c.Post(path, nil).Want(200)
		})
	}
}

func counting(c *exam.C) string { return "/counters/" + newCounter(c) }

// gradeNow grades and returns the report, with the reasons for which the
// examination was repeated.
func gradeNow(t *testing.T, g *Grader, e Exercise, dir string) (r Report, repeated []string) {
	t.Helper()
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, KeepWorld: true}, func(ev Event) {
		if ev.Kind == Repeated {
			repeated = append(repeated, ev.What)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, repeated
}

// mustRecover requires that the grade was repeated for one of the reasons, and that
// the right program passed.
func mustRecover(t *testing.T, r Report, repeated []string, why ...string) {
	t.Helper()
	if r.Verdict != report.Passed {
		t.Errorf("verdict %s, want passed\n%s", r.Verdict, everythingSaid(&r))
	}
	for _, said := range repeated {
		for _, w := range why {
			if strings.Contains(said, w) {
				return
			}
		}
	}
	t.Errorf("repeated because of %q, want %q", repeated, why)
}

func mustBeUngraded(t *testing.T, r Report, reason, next string) {
	t.Helper()
	if r.Verdict != report.Ungraded || !strings.Contains(r.Reason, reason) || !strings.Contains(r.Next, next) {
		t.Errorf("verdict %s, reason %q, next %q; want ungraded, %q and %q\n%s", r.Verdict, r.Reason, r.Next, reason, next, everythingSaid(&r))
	}
	if r.World != nil || r.Redis != nil {
		t.Errorf("a grade that counts for nothing has kept %+v", r.Worlds())
	}
}

// TestPostgresLostInMidGrade does to the server what people and machines do, once,
// while a right program is examined.
func TestPostgresLostInMidGrade(t *testing.T) {
	t.Parallel()
	onHosts(t, func(t *testing.T, h faultHost) {
		g := h.grader(t)
		lost := []string{"PostgreSQL went away", "the connection to PostgreSQL was lost"}
		faults := []struct {
			name string
			do   func(*testing.T, services.Server)
			why  []string
		}{
			{"killed", h.kill, lost},
			// In a container it comes back at another port, and is not back at once.
			{"restarted", h.restart, append(lost, "PostgreSQL was started again")},
			{"paused", h.pause, []string{"PostgreSQL did not answer for 2s"}},
		}
		if h.kind == "native" {
			takeThePort := func(t *testing.T, s services.Server) {
				h.kill(t, s)
				impostor(t, s.Addr)
			}
			faults = append(faults, faults[0])
			faults[len(faults)-1].name, faults[len(faults)-1].do = "port taken by another server", takeThePort
			faults[len(faults)-1].why = append(lost, "is not the one")
		}
		for _, fault := range faults {
			t.Run(fault.name, func(t *testing.T) {
				var once sync.Once
				e, dir := counter(t, duringTheExam(counting, func() {
					once.Do(func() { fault.do(t, h.server(t, "postgres")) })
				}))
				r, repeated := gradeNow(t, g, e, dir)
				mustRecover(t, r, repeated, fault.why...)
			})
		}
	})
}

// impostor listens where a server was, and answers with something else.
func impostor(t *testing.T, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("220 another server is here\r\n"))
			_ = conn.Close()
		}
	}()
}

// TestPostgresLostEveryTime holds that a server which never lasts makes a grade
// ungraded, and never a fail.
func TestPostgresLostEveryTime(t *testing.T) {
	t.Parallel()
	h := newFaultHost(t, "native")
	e, dir := counter(t, duringTheExam(counting, func() { h.kill(t, h.server(t, "postgres")) }))
	r, repeated := gradeNow(t, h.grader(t), e, dir)
	mustBeUngraded(t, r, "PostgreSQL", "grade again, cairn starts it anew")
	if len(repeated) != mostRuns-1 {
		t.Errorf("repeated because of %q, want %d times", repeated, mostRuns-1)
	}
	if len(r.Checks) > 0 {
		t.Errorf("an ungraded report tells of checks: %+v", r.Checks)
	}
}

// TestRedisLostInMidGrade does the same to a grade's Redis server.
func TestRedisLostInMidGrade(t *testing.T) {
	t.Parallel()
	onHosts(t, func(t *testing.T, h faultHost) {
		g := h.grader(t)
		for _, fault := range []struct {
			name string
			do   func(*testing.T, services.Server)
			why  []string // who notices first is chance
		}{
			{"killed", h.kill, []string{"Redis went away", "the connection to Redis was lost"}},
			{"paused", h.pause, []string{"Redis did not answer for 2s"}},
		} {
			t.Run(fault.name, func(t *testing.T) {
				var once sync.Once
				e, dir := tally(t, duringTheExam(func(c *exam.C) string { return "/hits/" + c.Unique("key") }, func() {
					once.Do(func() { fault.do(t, h.server(t, "redis")) })
				}))
				r, repeated := gradeNow(t, g, e, dir)
				mustRecover(t, r, repeated, fault.why...)
			})
		}
	})
}

// tally lays the tally program out and returns an exercise around it.
func tally(t *testing.T, declare func(*exam.X)) (Exercise, string) {
	t.Helper()
	archive, err := txtar.ParseFile("exam/testdata/tally.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tally.go"), []byte("package tally\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return Exercise{
		ID: "tally", Title: "A tally", Edit: []string{"tally.go"},
		Given: map[string][]byte{"program/main.go": archive.Files[1].Data}, GoMod: archive.Files[0].Data,
		Redis: &services.RedisFixture{Name: "tally"}, Exam: declare,
	}, dir
}

// TestEngineInMidGrade stops the engine while a grade runs on a server in one of
// its containers, ends that server too, and starts the engine again.
func TestEngineInMidGrade(t *testing.T) {
	if only := os.Getenv("CAIRN_SERVICES"); only == "native" {
		return // no engine is needed
	}
	h := newFaultHost(t, "containers")
	g := h.grader(t)
	happens := func() {}
	e, dir := counter(t, duringTheExam(counting, func() { happens() }))
	if err := g.Prepare(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	engine := newEngineProxy(t)

	grade := func() Report {
		t.Helper()
		r, _ := gradeNow(t, g, e, dir)
		return r
	}
	mustPass := func(when string) {
		t.Helper()
		if r := grade(); r.Verdict != report.Passed {
			t.Errorf("%s: verdict %s, want passed\n%s", when, r.Verdict, everythingSaid(&r))
		}
	}
	reachable := func() error { return exec.Command("docker", "version").Run() }

	// Containers may outlive their engine, and then a grade needs nothing of it.
	happens = func() {
		engine.stop()
		if reachable() == nil {
			t.Error("the engine was not stopped")
		}
	}
	mustPass("the engine stops, the container runs on")
	mustPass("the engine is gone, the server is warm")

	engine.start()
	if err := reachable(); err != nil {
		t.Fatal("the engine did not come back: ", err)
	}
	s := h.server(t, "postgres")
	happens = func() { engine.stop(); h.kill(t, s) }
	mustBeUngraded(t, grade(), "Docker is not running", "start Docker")
	engine.start()
	happens = func() {}
	mustPass("the engine is back")

	s = h.server(t, "postgres")
	happens = func() { engine.hang(); h.kill(t, s) }
	mustBeUngraded(t, grade(), "Docker hangs", "restart Docker")
	engine.start()
	happens = func() {}
	mustPass("the engine answers again")
}

// TestImageRemovedInMidGrade removes the image under a server that runs.
func TestImageRemovedInMidGrade(t *testing.T) {
	t.Parallel()
	if only := os.Getenv("CAIRN_SERVICES"); only == "native" {
		return // no image is needed
	}
	h := newFaultHost(t, "containers")
	usual := services.DefaultPostgresImage
	if named := os.Getenv("CAIRN_POSTGRES_IMAGE"); named != "" {
		usual = named
	}
	h.image = "localhost:1/cairn/removed:" + strings.ToLower(filepath.Base(h.state[:len(h.state)-len("/state")])) + "-test"
	docker(t, "tag", usual, h.image)
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", h.image).Run() })
	g := h.grader(t)
	removed := false
	e, dir := counter(t, duringTheExam(counting, func() {
		if !removed {
			removed = true
			docker(t, "rmi", "-f", h.image)
			if exec.Command("docker", "image", "inspect", h.image).Run() == nil {
				t.Error("the image is still there")
			}
		}
	}))
	if r, repeated := gradeNow(t, g, e, dir); r.Verdict != report.Passed || len(repeated) > 0 {
		t.Errorf("with a server that runs: verdict %s, repeated %q\n%s", r.Verdict, repeated, everythingSaid(&r))
	}
	h.kill(t, h.server(t, "postgres"))
	r, _ := gradeNow(t, g, e, dir)
	mustBeUngraded(t, r, "the image "+h.image+" is missing and cannot be pulled", "connect to the network")
	docker(t, "tag", usual, h.image)
	if r, _ := gradeNow(t, g, e, dir); r.Verdict != report.Passed {
		t.Errorf("with the image back: verdict %s\n%s", r.Verdict, everythingSaid(&r))
	}
}
