package workflow

import (
	"strings"
	"testing"
	"time"
)

// FuzzParse holds that no file makes a grade panic or hang, whatever is asked of it.
func FuzzParse(f *testing.F) {
	f.Add(head + job("a", "    steps:\n      - uses: actions/checkout@v5\n      - run: echo ${{ github.event_name }}\n"))
	f.Add("on:\n  push:\n    branches: ['**', '!x']\n    paths: [a]\npermissions: {contents: read}\n" + "jobs:\n" + job("a", "    strategy: {matrix: {os: [x, y], include: [{os: z}], exclude: [{os: x}]}}\n    timeout-minutes: 3\n    steps: [{run: x, shell: sh}]\n"))
	f.Add("a: &a [x, x]\nb: &b [*a, *a]\njobs: *b\n")
	f.Add("jobs: {a: , b: 1, c: [], d: {needs: d}, e: {steps: [null, {}, {run: }]}}")
	f.Fuzz(func(t *testing.T, text string) {
		w, faults := Parse("ci.yml", []byte(text))
		if w == nil {
			if len(faults) == 0 || faults[0].Line < 1 {
				t.Errorf("no place: %+v", faults)
			}
			return
		}
		if _, err := w.Lint(); err != nil {
			t.Error(err)
		}
		for _, j := range w.Jobs() {
			_, _, _, _ = j.Scripts(), j.ChecksOut(), j.Timeout(), w.Line(j.Line)
			p, _ := w.Token(j)
			_ = p.Beyond(nil)
		}
		for _, tr := range w.Triggers() {
			tr.TakesBranch("main")
		}
		_, _, _ = w.Uses(), w.Unsupported(), w.DependsOnEvent()
		_, _ = w.order()
	})
}

// TestAliases holds that aliases of aliases, which are a file of terabytes when written out, end soon.
func TestAliases(t *testing.T) {
	var text strings.Builder
	text.WriteString("on: push\nx0: &x0 [a, a, a, a, a, a, a, a, a]\n")
	for _, level := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		before := "*x" + string(level[0]-1)
		text.WriteString("x" + level + ": &x" + level + " [" + strings.Repeat(before+", ", 8) + before + "]\n")
	}
	text.WriteString("jobs:\n  a:\n    runs-on: ubuntu-latest\n    strategy: {matrix: {v: *x8}}\n    steps: [{run: x}]\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if w, _ := Parse("ci.yml", []byte(text.String())); w != nil {
			_, _ = w.Lint()
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("still at work")
	}
}
