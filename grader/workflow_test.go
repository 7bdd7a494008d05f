package grader

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/grader/workflow"
)

// workflowExercise asks for a push trigger, and then for a green run.
func workflowExercise() Exercise {
	return Exercise{
		ID: "pipe", Title: "A pipe", Edit: []string{".github/workflows/ci.yml"}, Kind: build.Workflow,
		Exam: func(x *exam.X) {
			x.Repository("any", func(*rand.Rand) workflow.Repository {
				return workflow.Repository{Owner: "a", Name: "b", Files: map[string][]byte{"f": []byte("f\n")}}
			})
			x.Check("push", "runs on push", func(c *exam.C) {
				_, ok := c.Workflow().Trigger("push")
				c.Require(ok, exam.Finding{Expected: "push", Saw: "none"})
			})
			x.Check("green", "is green", func(c *exam.C) {
				c.Equal(c.RunWorkflow("any")[0].Conclusion, workflow.Success, "the conclusion")
			}, exam.After("push"))
		},
		// Containers begin slowly beside the other tests.
		Limits: Limits{Limits: exam.Limits{Check: time.Minute, Exam: 2 * time.Minute}},
	}
}

func gradeWorkflow(t *testing.T, g *Grader, e Exercise, text string) Report {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, ".github", "workflows", "ci.yml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rep, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestWorkflowWithoutEngine holds that the file is judged where nothing can run, and that only what
// needs a run is then open.
func TestWorkflowWithoutEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	provider, err := services.Open(services.Config{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	g, err := New(Config{CacheDir: t.TempDir(), Provider: provider, Cairn: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	const job = "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"
	for _, c := range []struct {
		name, text, reason string
		verdict            report.Verdict
		checks             int
	}{
		{"not YAML", "on: push\n\tjobs: x\n", "GitHub cannot read .github/workflows/ci.yml, and so runs nothing", report.Broken, 0},
		{"no push", "on: pull_request\n" + job, "", report.Failed, 3},
		{"right so far", "on: push\n" + job, "there is no Docker engine at", report.Ungraded, 2},
		{"not emulated", "on: push\n" + strings.Replace(job, "ubuntu", "windows", 1), "", report.Failed, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := gradeWorkflow(t, g, workflowExercise(), c.text)
			if rep.Verdict != c.verdict || !strings.HasPrefix(rep.Reason, c.reason) || len(rep.Checks) != c.checks || rep.Verdict == report.Ungraded && rep.Next == "" {
				t.Errorf("%s (%s; %s) after %d checks", rep.Verdict, rep.Reason, rep.Next, len(rep.Checks))
			}
			if c.verdict == report.Broken && (len(rep.Diagnostics) == 0 || rep.Diagnostics[0].Line != 2 || rep.Diagnostics[0].Col == 0) {
				t.Errorf("%+v", rep.Diagnostics)
			}
		})
	}
}

func TestWorkflow(t *testing.T) {
	needEngine(t)
	t.Parallel()
	rep := gradeWorkflow(t, newServiceGrader(t), workflowExercise(), "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v5\n      - run: git log --format=%an && cat f && go version\n")
	if rep.Verdict != report.Passed {
		t.Fatalf("%s %s %+v", rep.Verdict, rep.Reason, rep.Checks)
	}
	var phases []string
	for _, p := range rep.Phases {
		phases = append(phases, string(p.Name))
	}
	if got := strings.Join(phases, " "); got != "snapshot parse services examine report" {
		t.Errorf("phases: %s", got)
	}
	if evidence := rep.Check("green").Timeline; len(evidence) != 2 || evidence[1].Result != "success, exit status 0" {
		t.Errorf("evidence: %+v", evidence)
	}
}
