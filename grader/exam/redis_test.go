package exam

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/redistest"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/wire"
)

func TestMain(m *testing.M) {
	process.SuperviseIfAsked()
	os.Exit(m.Run())
}

// redisAt is a Redis server without a password.
type redisAt string

func (r redisAt) Addr() string                      { return string(r) }
func (r redisAt) ProgramURL(hostport string) string { return "redis://" + hostport + "/0" }
func (r redisAt) ExaminerURL() string               { return "redis://" + string(r) + "/0" }

// tally builds the program that counts in Redis.
func tally(t *testing.T) (binary string) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/tally.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		path := filepath.Join(dir, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	binary = filepath.Join(dir, "tally")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "./program")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// examineTally runs an exam of the program with a Redis server of its own.
func examineTally(t *testing.T, declare func(*X)) []report.Check {
	t.Helper()
	x, err := Declare(declare)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(t.Context(), x, Options{
		ID: "tally", Binary: tally(t), Dir: t.TempDir(), Seed: 1, Redis: redisAt(redistest.Start(t)),
		Limits: Limits{Request: 2 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	nothing := func(report.Check) {}
	checks := s.Examine(s.Start(), nothing, nothing)
	if err := s.Trouble(); err != nil {
		t.Fatal(err)
	}
	return checks
}

func names(commands []wire.Command) string {
	var all []string
	for _, c := range commands {
		if !c.Setup() {
			all = append(all, c.Name)
		}
	}
	return strings.Join(all, " ")
}

func checkTally(x *X) {
	x.Instances(2)
	x.Check("counts", "counts across instances", func(c *C) {
		key := c.Unique("rate")
		first, second := c.Client("A", To(0)), c.Client("B", To(1))
		first.Post("/hits/"+key, nil).Want(200)
		second.Post("/hits/"+key, nil).Want(200)
		c.Equal(c.Redis().Int("GET", key), 2, "the tally")
		c.Equal(c.Redis().Text("GET", key), "2", "the tally")
		if ttl := c.Redis().TTL(key); ttl <= 0 || ttl > time.Minute {
			c.Fail(Finding{Saw: "a time to live of " + ttl.String()})
		}
		c.Equal(names(c.Commands()), "EVAL EVAL", "what the program ran")
		for i, cmd := range slices.DeleteFunc(c.Commands(), wire.Command.Setup) {
			c.Require(strings.Contains(cmd.Script, "redis.call('INCR'"), Finding{Saw: "no script"})
			c.Equal(cmd.Reply, strconv.Itoa(i+1), "the answer")
		}
	})
	x.Check("cut", "survives a cut between two commands", func(c *C) {
		key := c.Unique("rate")
		c.RedisFaults(0).CutAfter(func(cmd wire.Command) bool { return cmd.Name == "PEXPIRE" }, wire.CutBeforeSend)
		c.Post("/careless/"+key, nil).Want(503)
		c.Equal(c.RedisFaults(0).Bites()[0].CutAfter, 1, "what was cut")
		c.Equal(int64(c.Redis().TTL(key)), int64(NoExpiry), "the time to live")
		c.Equal(int64(c.Redis().TTL("nothing")), int64(NoKey), "the time to live of nothing")
		c.Equal(c.Redis().Keys(key+"*"), []string{key}, "the keys")
	})
	x.Check("silent", "answers although Redis is silent", func(c *C) {
		c.RedisFaults().BlackHole(true)
		c.Post("/hits/"+c.Unique("rate"), nil).Want(503)
		c.RedisFaults().Heal()
		c.Post("/hits/"+c.Unique("rate"), nil).Want(200)
	})
	x.Check("restart", "reaches Redis through its proxy again after a restart", func(c *C) {
		c.Instance(0).Restart()
		c.Post("/hits/"+c.Unique("rate"), nil).Want(200)
		c.Equal(names(c.Commands()), "EVAL", "what the program ran")
	})
	x.Check("alone", "is not the examiner", func(c *C) {
		c.Redis().Do("SET", "a", 1.5)
		c.Equal(c.Redis().Do("GET", "a"), "1.5", "the value")
		c.Equal(c.Redis().Do("GET", "nothing"), nil, "nothing")
		c.Equal(c.Redis().Do("EVAL", "return {1,'x',{2}}", 0), []any{1, "x", []any{2}}, "an array")
		c.Equal(len(c.Commands()), 0, "how many commands the program sent")
		c.Redis().Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
		c.Equal(c.Redis().Int("GET", "nothing"), 0, "nothing, on a new connection")
	})
	x.Check("type", "keeps what the task asks for", func(c *C) {
		c.Redis().Do("RPUSH", "list", "x")
		c.Redis().Int("INCR", "list")
	})
	x.Check("number", "keeps a number", func(c *C) {
		c.Redis().Do("SET", "text", "many")
		c.Redis().Int("GET", "text")
	})
}

func TestToolkitAgainstRedis(t *testing.T) {
	checks := examineTally(t, checkTally)
	saw := map[string]string{
		"type":   "Redis said: WRONGTYPE Operation against a key holding the wrong kind of value",
		"number": "many",
	}
	byID := map[string]report.Check{}
	for _, c := range checks {
		byID[c.ID] = c
		got := ""
		if c.Feedback != nil {
			got = c.Feedback.Saw
		}
		if got != saw[c.ID] || (c.Status == report.CheckFailed) != (saw[c.ID] != "") {
			t.Errorf("check %s %s: saw %q, want %q", c.ID, c.Status, got, saw[c.ID])
		}
	}
	if did := byID["number"].Feedback.Did; did != "the examiner ran: GET text" {
		t.Errorf("did %q", did)
	}
	var lines []string
	for _, e := range byID["counts"].Timeline {
		if e.Kind == report.KindRedis {
			actor, _, _ := strings.Cut(e.Actor, " · ")
			lines = append(lines, actor+": "+e.Text[:12]+" → "+e.Result)
		}
	}
	if want := []string{`instance 1: EVAL "local  → 1`, `instance 2: EVAL "local  → 2`}; !slices.Equal(lines, want) {
		t.Errorf("the evidence shows %q, want %q", lines, want)
	}
	cut := byID["cut"].Timeline
	if !slices.ContainsFunc(cut, func(e report.Entry) bool { return e.Kind == report.KindRedis && e.Result == "no answer" }) {
		t.Errorf("the evidence of a cut connection is %+v", cut)
	}
}

// TestAskingForWhatIsNotThere: an exam that asks for Redis where there is none is
// cairn's own trouble, and says so.
func TestAskingForWhatIsNotThere(t *testing.T) {
	for name, ask := range map[string]func(*C){
		"asks for Redis":           func(c *C) { c.Redis() },
		"asks for faults of Redis": func(c *C) { c.RedisFaults() },
	} {
		x, err := Declare(func(x *X) { x.Check("ask", "asks", ask) })
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSession(t.Context(), x, Options{ID: "none"})
		if err != nil {
			t.Fatal(err)
		}
		s.runCheck(t.Context(), x.checks[0])
		if err := s.Trouble(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the trouble is %v, want that it %s", err, name)
		}
		s.Close()
	}
}

// TestRedisServerIsNotThere: nothing can be examined, and that is no verdict.
func TestRedisServerIsNotThere(t *testing.T) {
	x, err := Declare(func(x *X) { x.Check("a", "a", func(*C) {}) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewSession(t.Context(), x, Options{Redis: redisAt("127.0.0.1:1")}); err == nil || !strings.Contains(err.Error(), "cannot connect to the grade's Redis") {
		t.Errorf("the session begins with %v", err)
	}
}
