package workflow

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// local runs commands on this machine, in folders of the test.
type local struct{}

func (local) Exec(ctx context.Context, args []string, stdin []byte) ([]byte, int, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode(), nil
	}
	return out, 0, err
}

func (local) EndAll(context.Context) error { return nil }

func parseOK(t *testing.T, text string) *Workflow {
	t.Helper()
	w, faults := Parse("ci.yml", []byte(text))
	if w == nil {
		t.Fatal(faults)
	}
	return w
}

// try runs a workflow of one file on this machine.
func try(t *testing.T, text string, event Event) (*Result, error) {
	t.Helper()
	for _, needed := range []string{"bash", "git", "timeout", "tar"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip("needs ", needed)
		}
	}
	dir := t.TempDir()
	m := machine{Machine: local{}, home: filepath.Join(dir, "home"), scratch: filepath.Join(dir, "scratch")}
	for _, d := range []string{m.home, m.scratch} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	repo := Repository{Owner: "amber", Name: "harbor", Number: 7, Title: "Change", Files: map[string][]byte{"a/greeting.txt": []byte("hello\n")}}
	return runOn(t.Context(), parseOK(t, text), repo, event, m, 5*time.Second)
}

// steps is how the steps of a run ended, with what they printed.
func steps(r *Result) string {
	var lines []string
	for _, s := range r.Steps() {
		line := s.Job + "/" + s.Name + " " + string(s.Outcome)
		if s.Conclusion != s.Outcome {
			line += " as " + string(s.Conclusion)
		}
		if out := strings.TrimSpace(s.Output); out != "" {
			line += ": " + strings.ReplaceAll(out, "\n", "|")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

const head = "on: [push, pull_request]\njobs:\n"

func job(id, rest string) string {
	return "  " + id + ":\n    runs-on: ubuntu-latest\n" + rest
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Conclusion
		steps      string
	}{
		{"a pipe under bash -e is as green as its end", head + job("a", "    steps:\n      - {name: x, run: 'false | true'}\n"), Success, "a/x success"},
		{"and red under shell: bash", head + job("a", "    steps:\n      - {name: x, run: 'false | true', shell: bash}\n"), Failure, "a/x failure"},
		{"defaults of the workflow name a shell", "on: push\ndefaults: {run: {shell: bash}}\njobs:\n" + job("a", "    steps:\n      - {name: x, run: 'false | true'}\n"), Failure, "a/x failure"},
		{"the first command that fails ends a script", head + job("a", "    steps:\n      - name: x\n        run: |\n          false\n          echo not\n"), Failure, "a/x failure"},
		{"what follows is skipped, unless it asks", head + job("a", "    steps:\n      - {name: x, run: exit 3}\n      - {name: y, run: echo y}\n      - {name: z, if: always(), run: echo z}\n      - {name: f, if: 'failure() && true', run: echo f}\n"), Failure,
			"a/x failure\na/y skipped\na/z success: z\na/f success: f"},
		{"continue-on-error of a step", head + job("a", "    steps:\n      - {name: x, id: x, continue-on-error: true, run: exit 3}\n      - {name: y, run: 'echo ${{ steps.x.outcome }} ${{ steps.x.conclusion }}'}\n"), Success,
			"a/x failure as success\na/y success: failure success"},
		{"continue-on-error of a job", head + job("a", "    continue-on-error: true\n    steps:\n      - {name: x, run: exit 3}\n"), Success, "a/x failure"},
		{"without a checkout there is nothing", head + job("a", "    steps:\n      - {name: x, run: ls}\n      - uses: actions/checkout@v4\n      - {name: y, working-directory: a, run: cat greeting.txt}\n"), Success,
			"a/x success\na/Run actions/checkout@v4 success\na/y success: hello"},
		{"git knows what was changed", head + job("a", "    steps:\n      - uses: actions/checkout@v4\n      - {name: x, run: 'git diff --exit-code; echo >> a/greeting.txt; git diff --quiet --exit-code'}\n"), Failure,
			"a/Run actions/checkout@v4 success\na/x failure"},
		{"env is of the nearest", "on: push\nenv: {A: w, B: w}\njobs:\n" + job("a", "    env: {B: j, C: j}\n    steps:\n      - {name: x, env: {C: s}, run: 'echo $A$B$C ${{ env.A }}${{ env.C }}'}\n"), Success, "a/x success: wjs ws"},
		{"steps hand on", head + job("a", "    steps:\n      - {name: x, id: one, run: 'echo V=1 >> $GITHUB_ENV; mkdir -p $RUNNER_TEMP/bin; echo $RUNNER_TEMP/bin >> $GITHUB_PATH; echo w=2 >> $GITHUB_OUTPUT'}\n      - {name: y, run: 'echo $V ${{ steps.one.outputs.w }} ${PATH%%/bin*}' }\n"), Success, ""},
		{"BASH_ENV is handed on too", head + job("a", "    steps:\n      - {name: x, run: 'echo exit 0 > $RUNNER_TEMP/e; echo BASH_ENV=$RUNNER_TEMP/e >> $GITHUB_ENV'}\n      - {name: y, run: exit 3}\n"), Success, "a/x success\na/y success"},
		{"but GITHUB_ is GitHub's", head + job("a", "    steps:\n      - {name: x, env: {GITHUB_REF_NAME: mine}, run: 'echo $GITHUB_REF_NAME'}\n"), Success, "a/x success: 7/merge"},
		{"an odd line in GITHUB_ENV", head + job("a", "    steps:\n      - {name: x, run: 'echo odd >> $GITHUB_ENV'}\n"), Failure, "a/x failure: unable to process file command 'env' successfully: invalid format \"odd\""},
		{"jobs in the order of their needs", head + job("b", "    needs: a\n    steps:\n      - {name: x, run: 'echo ${{ needs.a.outputs.v }} ${{ needs.a.result }}'}\n") + job("a", "    outputs: {v: '${{ steps.s.outputs.v }}'}\n    steps:\n      - {name: x, id: s, run: 'echo v=9 >> $GITHUB_OUTPUT'}\n"), Success,
			"a/x success\nb/x success: 9 success"},
		{"a job after a failed one is skipped", head + job("a", "    steps: [{name: x, run: exit 1}]\n") + job("b", "    needs: a\n    steps: [{name: x, run: echo b}]\n") + job("c", "    needs: b\n    if: failure()\n    steps: [{name: x, run: echo c}]\n"), Failure,
			"a/x failure\nc/x success: c"},
		{"a gate over all jobs", head + job("a", "    steps: [{name: x, run: exit 1}]\n") + job("b", "    needs: [a]\n    if: always()\n    steps:\n      - {name: x, if: \"contains(needs.*.result, 'failure')\", run: exit 1}\n"), Failure, "a/x failure\nb/x failure"},
		{"a matrix", head + job("a", "    strategy: {matrix: {v: [1, 2], w: [x, y], exclude: [{v: 1, w: y}], include: [{v: 2, z: q}, {v: 3}]}}\n    steps: [{name: x, run: 'echo ${{ matrix.v }}${{ matrix.w }}${{ matrix.z }}'}]\n"), Success,
			"a (1, x)/x success: 1x\na (2, x, q)/x success: 2xq\na (2, y, q)/x success: 2yq\na (3)/x success: 3"},
		{"nothing of a job is left to the next", head + job("a", "    steps: [{name: x, run: 'touch $HOME/there here'}]\n") + job("b", "    steps: [{name: x, run: 'ls $HOME $GITHUB_WORKSPACE | grep here'}]\n"), Failure, "a/x success\nb/x failure"},
		{"a folder that is not there", head + job("a", "    steps: [{name: x, working-directory: nowhere, run: echo hm}]\n"), Failure, ""},
		{"what is left running does not keep anybody", head + job("a", "    steps: [{name: x, run: 'sleep 30 & echo done'}]\n"), Success, "a/x success: done"},
		{"all is skipped", head + job("a", "    if: github.event_name == 'schedule'\n    steps: [{name: x, run: exit 1}]\n"), Skipped, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := try(t, c.text, PullRequest)
			if err != nil {
				t.Fatal(err)
			}
			if r.Conclusion != c.want {
				t.Errorf("the run is a %s, want %s", r.Conclusion, c.want)
			}
			if got := steps(r); c.steps != "" && got != c.steps {
				t.Errorf("the steps are\n%s\nwant\n%s", got, c.steps)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	text := head + job("a", "    if: github.event_name == 'push'\n    steps: [{name: x, run: 'echo $GITHUB_REF'}]\n")
	for event, want := range map[Event]string{Push: "a/x success: refs/heads/main", PullRequest: ""} {
		r, err := try(t, text, event)
		if err != nil {
			t.Fatal(err)
		}
		if got := steps(r); got != want {
			t.Errorf("on %s the steps are %q, want %q", event.Name, got, want)
		}
	}
	if !parseOK(t, text).DependsOnEvent() {
		t.Error("that this depends on the event was not noticed")
	}
}

func TestUnfinished(t *testing.T) {
	t.Parallel()
	r, err := try(t, head+job("a", "    steps: [{name: x, run: 'echo begun; sleep 60'}, {name: y, run: echo y}]\n"), Push)
	if err != nil {
		t.Fatal(err)
	}
	if got := steps(r); r.Conclusion != Unfinished || got != "a/x unfinished: begun" {
		t.Errorf("the run is %s: %s", r.Conclusion, got)
	}
}
