package workflow

import (
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, says, help string }{
		{"on: push\n\tjobs:\n", ":2:", "a tab in this line"},
		{"on: push\njobs:\n  a:\n    steps:\n      - run: echo a: b\n", ":5:", "A colon with a space"},
		{"on: [push\njobs:\n", ":", ""},
		{"on: @main\n", ":1:", "has to be put into quotes"},
	} {
		w, faults := Parse("ci.yml", []byte(c.text))
		if w != nil || len(faults) == 0 {
			t.Errorf("%q is read as a workflow", c.text)
			continue
		}
		f := faults[0]
		if at := fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.Message); !strings.Contains(at, c.says) || f.Line == 0 || !strings.Contains(f.Help, c.help) {
			t.Errorf("%q: %s (%s)", c.text, at, f.Help)
		}
	}
	for _, odd := range []string{"{}", "a list", "- 1", "on: push", "jobs: {a: 1}", "on: push\njobs: {a: {steps: [1, {run: }]}}"} {
		w := parseOK(t, odd)
		if found, err := w.Lint(); err != nil || len(found) == 0 {
			t.Errorf("%q: %v %v", odd, found, err)
		}
		_, _, _, _ = w.Jobs(), w.Uses(), w.Triggers(), w.Unsupported()
	}
}

func TestLint(t *testing.T) {
	w := parseOK(t, head+job("a", "    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n      - runs: x\n"))
	found, err := w.Lint()
	if err != nil || len(found) < 2 || !found[0].Untrusted() || found[0].Line != 6 {
		t.Errorf("%v %+v", err, found)
	}
	if sound, err := parseOK(t, head+job("a", "    steps: [{run: 'echo $x | tee y'}]\n")).Lint(); err != nil || len(sound) != 0 {
		t.Errorf("%v %+v", err, sound)
	}
}

func TestTakesBranch(t *testing.T) {
	for _, c := range []struct {
		filter string
		takes  bool
	}{
		{"", true},
		{"branches: [main]", true},
		{"branches: [master]", false},
		{"branches: ['**']", true},
		{"branches: ['*']", true},
		{"branches: ['ma*', 'release/**']", true},
		{"branches: ['m??n']", false}, // ? is "the character before, or none"
		{"branches: ['m[a-z]+n']", true},
		{"branches: ['**', '!main']", false},
		{"branches: ['!main', '**']", true},
		{"branches-ignore: [main]", false},
		{"branches-ignore: ['dependabot/**']", true},
		{"tags: ['v*']", false},
		{"tags: ['v*']\n    branches: [main]", true},
	} {
		text := "on:\n  push:\n    " + c.filter + "\njobs:\n" + job("a", "    steps: [{run: x}]\n")
		tr, ok := parseOK(t, text).Trigger("push")
		if !ok || tr.TakesBranch("main") != c.takes {
			t.Errorf("%q: %v %+v", c.filter, ok, tr)
		}
	}
}

func TestToken(t *testing.T) {
	const jobs = "jobs:\n  a:\n    runs-on: ubuntu-latest\n"
	for _, c := range []struct{ top, job, beyond string }{
		{"", "", "nothing said"},
		{"permissions: read-all\n", "", "read-all"},
		{"permissions: {}\n", "", ""},
		{"permissions: {contents: read}\n", "", ""},
		{"permissions: {contents: write, issues: none, packages: read}\n", "", "contents: write, packages: read"},
		{"permissions: write-all\n", "    permissions: {contents: read}\n", ""},
		{"permissions: {contents: read}\n", "    permissions: {id-token: write}\n", "id-token: write"},
	} {
		w := parseOK(t, "on: push\n"+c.top+jobs+c.job+"    steps: [{run: x}]\n")
		p, ok := w.Token(w.Jobs()[0])
		got := strings.Join(p.Beyond(map[string]string{"contents": "read"}), ", ")
		if !ok {
			got = "nothing said"
		}
		if got != c.beyond {
			t.Errorf("%q and %q: %s, want %s", c.top, c.job, got, c.beyond)
		}
	}
}

func TestUses(t *testing.T) {
	const sha = "08c6903cd8c0fde910a37f88322edcfb5dd907a8"
	for ref, pinned := range map[string]bool{
		"actions/checkout@" + sha: true, "actions/cache/restore@" + sha: true, "actions/checkout@v5": false, "actions/checkout@" + sha[:7]: false,
		"actions/checkout@" + strings.ToUpper(sha): false, "./here": false, "docker://alpine:3": false,
	} {
		uses := parseOK(t, head+job("a", "    steps: [{uses: '"+ref+"'}]\n")).Uses()
		if len(uses) != 1 || uses[0].Pinned() != pinned {
			t.Errorf("%s: %+v", ref, uses)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, c := range []struct{ job, says string }{
		{"    runs-on: ubuntu-24.04\n    steps: [{run: x}]\n", ""},
		{"    runs-on: [ubuntu-latest]\n    steps: [{run: x, shell: 'bash --noprofile -eo pipefail {0}'}]\n", ""},
		{"    strategy: {matrix: {os: [ubuntu-22.04, ubuntu-latest]}}\n    runs-on: ${{ matrix.os }}\n    steps: [{run: x}]\n", ""},
		{"    strategy: {matrix: {os: [ubuntu-22.04, macos-latest]}}\n    runs-on: ${{ matrix.os }}\n    steps: [{run: x}]\n", "macos-latest"},
		{"    runs-on: self-hosted\n    steps: [{run: x}]\n", "self-hosted"},
		{"    runs-on: ${{ github.event.inputs.os }}\n    steps: [{run: x}]\n", "machine other than Ubuntu"},
		{"    strategy: {matrix: '${{ fromJSON(vars.m) }}'}\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n", "matrix that an expression makes"},
		{"    uses: a/b/.github/workflows/c.yml@main\n", "calls another workflow"},
		{"    runs-on: ubuntu-latest\n    container: golang:1.26\n    steps: [{run: x}]\n", "container"},
		{"    runs-on: ubuntu-latest\n    services: {db: {image: postgres}}\n    steps: [{run: x}]\n", "services"},
		{"    runs-on: ubuntu-latest\n    steps: [{uses: ./mine}]\n", "repository itself"},
		{"    runs-on: ubuntu-latest\n    steps: [{uses: 'docker://alpine:3'}]\n", "container as a step"},
		{"    runs-on: ubuntu-latest\n    steps: [{run: x, shell: python}]\n", `shell "python"`},
		{"    runs-on: ubuntu-latest\n    defaults: {run: {shell: pwsh}}\n    steps: [{run: x}]\n", `shell "pwsh"`},
		{"    runs-on: ubuntu-latest\n    steps: [{uses: actions/checkout@v5, with: {repository: a/b}}]\n", "another repository"},
	} {
		all := parseOK(t, head+"  a:\n"+c.job).Unsupported()
		got := fmt.Sprint(all)
		if (c.says == "") != (len(all) == 0) || !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", c.job, got)
		}
	}
}

func TestCondition(t *testing.T) {
	s := scope{contexts: map[string]any{
		"github": map[string]any{"event_name": "push", "ref": "refs/heads/main", "event": map[string]any{"number": 7.0}},
		"needs":  map[string]any{"a": map[string]any{"result": "failure"}, "b": map[string]any{"result": "success"}},
		"env":    map[string]any{"empty": "", "zero": "0"},
	}}
	for text, want := range map[string]bool{
		"": true, "true": true, "false": false, "github.event_name == 'PUSH'": true, "${{ github.event_name != 'push' }}": false,
		"startsWith(github.ref, 'refs/heads/')": true, "endsWith(github.ref, 'x')": false, "contains(needs.*.result, 'failure')": true,
		"contains('Hello', 'hell')": true, "failure()": false, "always() && false": false, "!cancelled()": true, "success() || failure()": true,
		"env.empty": false, "env.zero": true, "env.none == ''": true, "github.event.number > 6 && github.event.number <= 7": true,
		"format('{0}-{1}', 'a', 7) == 'a-7'": true, "fromJSON('[1, 2]')[1] == 2": true, "join(fromJSON('[\"a\", \"b\"]'), '+') == 'a+b'": true,
		"github['event_name'] == 'push'": true, "github.event.nothing.at.all == null": true, "'' == 0": true, "'x' == 0": false,
		"${{ false }} && true": true, // a text that is not empty, and GitHub takes it so
	} {
		s.status = func(name string) bool { return name == "success" || name == "always" }
		got, err := s.condition(text)
		if err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"hashFiles('go.sum') != ''", "nothing.here"} {
		if _, err := s.condition(text); err == nil || !strings.Contains(err.Error(), "not emulated here") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
