package grader

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// TestGradeOnRedis grades the tally program on a server that the grader took
// for it: two instances count in one script, and a fault is survived.
func TestGradeOnRedis(t *testing.T) {
	needEngine(t)
	archive, err := txtar.ParseFile("exam/testdata/tally.txtar")
	if err != nil {
		t.Fatal(err)
	}
	e := Exercise{
		ID: "tally", Title: "A tally", Edit: []string{"tally.go"},
		Given: map[string][]byte{"program/main.go": archive.Files[1].Data}, GoMod: archive.Files[0].Data,
		Redis: &services.RedisFixture{Name: "tally"},
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
	r, err := newServiceGrader(t).Grade(t.Context(), Submission{Exercise: e, Dir: dir, KeepWorld: true}, nil)
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
	if r.Redis == nil || !strings.HasPrefix(r.Redis.URL, "redis://") {
		t.Errorf("the kept server is %+v, want an address", r.Redis)
	}
}
