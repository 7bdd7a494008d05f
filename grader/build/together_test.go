package build

import (
	"os"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader/process"
)

const counter = `package counter

// Next is the number after n.
func Next(n int) int { return n + 1 }
`

// counterTests are a learner's; the function at the end is replaced by what a case adds.
const counterTests = `package counter_test

import (
	"errors"
	"testing"

	"github.com/cairn-learn/cairn/exercises/counter"
)

var errOdd = errors.New("odd")

func TestNext(t *testing.T) {
	if got := counter.Next(1); got != 2 {
		t.Errorf("Next(1) = %d, %v", got, errOdd)
	}
}

`

// TestTogether compiles tests with a right and a wrong version, as one program where nothing is done
// before the tests, and as one for each version elsewhere. Both ways say the same.
func TestTogether(t *testing.T) {
	for name, c := range map[string]struct {
		add string
		one bool
	}{
		"nothing else":         {"", true},
		"other kinds of tests": {"func FuzzNext(f *testing.F) {\n\tf.Add(1)\n\tf.Fuzz(func(t *testing.T, n int) { counter.Next(n) })\n}\n\nfunc BenchmarkNext(b *testing.B) {}\n", true},
		"a helper":             {"var check = func(n int) { counter.Next(n) }\n\nfunc Testify() { check(1) }\n", true},
		"init":                 {"var ready bool\n\nfunc init() { ready = true }\n", false},
		"a call":               {"var one = counter.Next(0)\n", false},
		"a receive":            {"var c = make(chan int)\n\nvar late = func() int { return 1 }\n\nvar _ = <-c\n", false},
		"TestMain":             {"func TestMain(m *testing.M) { m.Run() }\n", false},
		"an example":           {"func ExampleNext() {\n\tcounter.Next(1)\n\t// Output:\n}\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := compileTests(t, counterTests+c.add)
			right, wrong := stat(t, b.Paths["given"]), stat(t, b.Paths["wrong/two"])
			if os.SameFile(right, wrong) != c.one {
				t.Errorf("one program is %v, want %v", !c.one, c.one)
			}
			if name == "a receive" {
				return // which waits for ever
			}
			for version, want := range map[string]string{"given": "ok", "wrong/two": "--- FAIL: TestNext (0.00s)\n    counter_test.go:14: Next(1) = 3, odd\nFAIL"} {
				if got := runTests(t, b.Paths[version]); got != want {
					t.Errorf("with %s\n%s\nwant\n%s", version, got, want)
				}
			}
		})
	}
}

func compileTests(t *testing.T, source string) *TestBinaries {
	t.Helper()
	r := submission(t, files{"counter_test.go": source})
	r.ID, r.Edit, r.Given, r.Kind = "counter", []string{"counter_test.go"}, map[string][]byte{"counter.go": []byte(counter)}, Tests
	s, err := Take(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := CompileTests(t.Context(), s, r, []Version{
		{Name: "given", Files: r.Given},
		{Name: "wrong/two", Files: map[string][]byte{"counter.go": []byte(strings.Replace(counter, "n + 1", "n + 2", 1))}},
	}, 7)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// runTests returns what the tests print, or ok.
func runTests(t *testing.T, path string) string {
	t.Helper()
	p, err := process.Start(t.Context(), process.Spec{Path: path, Args: []string{"-test.timeout=5s"}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if exit, _ := p.Exit(); exit.Code == 0 {
		return "ok"
	}
	return strings.TrimSpace(p.Output())
}
