package grader

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	redisclient "github.com/redis/go-redis/v9"
	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// TestGradeOnRedis grades the tally program on a server that the grader took
// for it: two instances count in one script, and a fault is survived. The last
// check fails, so that the server is kept, beside a database that nobody uses.
func TestGradeOnRedis(t *testing.T) {
	needEngine(t)
	archive, err := txtar.ParseFile("exam/testdata/tally.txtar")
	if err != nil {
		t.Fatal(err)
	}
	e := Exercise{
		ID: "tally", Title: "A tally", Edit: []string{"tally.go"},
		Given: map[string][]byte{"program/main.go": archive.Files[1].Data}, GoMod: archive.Files[0].Data,
		Redis:   &services.RedisFixture{Name: "tally"},
		Fixture: &services.Fixture{Name: "tally", SQL: "create table untouched (id int)"},
		Exam: func(x *exam.X) {
			x.Instances(2)
			x.Check("counts", "counts in Redis, whichever instance is asked", func(c *exam.C) {
				key := c.Unique("key")
				c.Client("A", exam.To(0)).Post("/hits/"+key, nil).Want(200)
				c.Client("B", exam.To(1)).Post("/hits/"+key, nil).Want(200)
				c.Equal(c.Redis().Int("GET", key), 2, "the tally")
				c.Require(c.Redis().TTL(key) > 0, exam.Finding{Saw: "a key without an expiry"})
				c.Require(len(c.Commands()) >= 2, exam.Finding{Saw: "fewer than two commands on the wire"})
			})
			x.Check("cut", "survives a cut connection", func(c *exam.C) {
				key := c.Unique("key")
				c.Post("/hits/"+key, nil).Want(200)
				c.RedisFaults(0).Cut()
				_, _ = c.Client("A").Try("POST", "/hits/"+key, nil) // may meet the broken connection
				before := c.Redis().Int("GET", key)
				c.Post("/hits/"+key, nil).Want(200)
				c.Equal(c.Redis().Int("GET", key), before+1, "the tally")
			})
			x.Check("kept", "fails, so that its server is kept", func(c *exam.C) {
				c.Fail(exam.Finding{Saw: "what it was made to see"})
			})
		},
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tally.go"), []byte("package tally\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := newServiceGrader(t)
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, KeepWorld: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]report.Status{
		"starts": report.CheckPassed, "counts": report.CheckPassed, "cut": report.CheckPassed, "kept": report.CheckFailed,
	} {
		if c := r.Check(id); c == nil || c.Status != want {
			t.Errorf("check %s is %+v, want %s; verdict %s (%s)\n%s", id, c, want, r.Verdict, r.Reason, everythingSaid(&r))
		}
	}
	worlds := r.Worlds()
	if len(worlds) != 2 || worlds[0].Service != "postgres" || worlds[1].Service != "redis" {
		t.Fatalf("kept are %+v, want the database and the Redis server", worlds)
	}
	lookAtTally(t, worlds[1].URL)

	// The next grade begins with an empty server, and ends the one that was kept.
	next, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, KeepWorld: true}, nil)
	if err != nil || next.Redis == nil || next.Redis.URL == worlds[1].URL {
		t.Fatalf("the next grade: %v, verdict %s (%s), kept %+v", err, next.Verdict, next.Reason, next.Redis)
	}
	lookAtTally(t, next.Redis.URL)
	for gone := dialTally(t, worlds[1].URL); gone.Ping(t.Context()).Err() == nil; {
		if t.Context().Err() != nil {
			t.Fatal("the server of the grade before is still there")
		}
	}
}

func dialTally(t *testing.T, url string) *redisclient.Client {
	t.Helper()
	o, err := redisclient.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redisclient.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// lookAtTally looks into a kept server at the address of the report, as the
// learner would, and requires what the program left there and nothing else.
func lookAtTally(t *testing.T, url string) {
	t.Helper()
	keys, err := dialTally(t, url).Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 2 {
		t.Fatalf("the kept server holds %q (%v), want the keys of two checks", keys, err)
	}
	cli, err := exec.LookPath("redis-cli")
	if err != nil {
		return // the screen's own test opens the one in the container
	}
	for _, key := range keys {
		out, err := exec.CommandContext(t.Context(), cli, "--no-auth-warning", "-u", url, "GET", key).CombinedOutput()
		if n, e := strconv.Atoi(strings.TrimSpace(string(out))); err != nil || e != nil || n < 2 {
			t.Errorf("redis-cli GET %s: %q, %v, want what two requests counted", key, out, err)
		}
	}
}
