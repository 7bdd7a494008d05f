package build

import (
	"strings"
	"sync"
	"testing"

	"github.com/cairn-learn/cairn/grader/process"
)

// TestRun builds programs as they are built for a grade and runs them as they
// are run there.
func TestRun(t *testing.T) {
	tests := []struct {
		name, change, to string
		args             []string
		code             int
		trace            string
	}{
		{
			name:   "panics in a function of its own",
			change: "return mux", to: "return must(mux, 5)\n}\n\nfunc must(h http.Handler, n int) http.Handler {\n\treturn []http.Handler{h}[n]",
			code:  2,
			trace: "panic: runtime error: index out of range [5] with length 1\n\ngoroutine [running]:\n    greeter.must\n        greeter/greeter.go:15\n    greeter.New\n        greeter/greeter.go:11\n    main.main\n        greeter/program/main.go:11",
		},
		{
			name:   "panics in a goroutine",
			change: "return mux", to: "go func() { panic(\"lost\") }()\n\tselect {}",
			code:  2,
			trace: "panic: lost\n\ngoroutine [running]:\n    greeter.New.func2\n        greeter/greeter.go:11\n    greeter.New\n        greeter/greeter.go:11",
		},
		{
			name:   "waits for itself",
			change: "return mux", to: "<-make(chan bool)\n\treturn mux",
			code:  2,
			trace: "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine [chan receive]:\n    greeter.New\n        greeter/greeter.go:11\n    main.main\n        greeter/program/main.go:11",
		},
		{name: "leaves at once", change: "// New returns", to: "func init() { syscall.Exit(0) }\n\n// New returns"},
		{name: "becomes another program", change: "// New returns", to: "func init() { syscall.Exec(\"/bin/true\", []string{\"/bin/true\"}, nil) }\n\n// New returns"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			source := strings.Replace(solution, test.change, test.to, 1)
			if strings.Contains(source, "syscall.") {
				source = strings.Replace(source, `"net/http"`, "(\n\t\"net/http\"\n\t\"syscall\"\n)", 1)
			}
			b, err := files{"greeter.go": source}.build(t)
			if err != nil {
				t.Fatal(err)
			}
			p, err := process.Start(t.Context(), process.Spec{Path: b.Path})
			if err != nil {
				t.Fatal(err)
			}
			<-p.Done()
			e, _ := p.Exit()
			if e.Code != test.code || e.Reason != process.Exited {
				t.Errorf("the program %s", e)
			}
			if got := process.LearnerTrace(p.Output(), Module); got != test.trace {
				t.Errorf("trace\n%s\nwant\n%s\nof\n%s", got, test.trace, p.Output())
			}
			if strings.Contains(p.Output(), "built") {
				t.Error("the program came further than it should")
			}
		})
	}
}

// TestDumpOfAProgramThatHangs asks one for its goroutines.
func TestDumpOfAProgramThatHangs(t *testing.T) {
	source := strings.Replace(solution, "return mux", "var mu sync.Mutex\n\tmu.Lock()\n\tprintln(\"locked\")\n\tgo func() { mu.Lock() }()\n\thttp.ListenAndServe(\"127.0.0.1:0\", nil)\n\treturn mux", 1)
	source = strings.Replace(source, `"net/http"`, "(\n\t\"net/http\"\n\t\"sync\"\n)", 1)
	b, err := files{"greeter.go": source}.build(t)
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan bool)
	say := sync.OnceFunc(func() { close(ready) })
	p, err := process.Start(t.Context(), process.Spec{Path: b.Path, OnLine: func(process.Line) { say() }})
	if err != nil {
		t.Fatal(err)
	}
	<-ready
	trace := process.LearnerTrace(p.Goroutines(t.Context()), Module)
	if !strings.HasPrefix(trace, "SIGQUIT: quit\n") || !strings.Contains(trace, "greeter.New\n        greeter/greeter.go:") {
		t.Errorf("trace\n%s\nof\n%s", trace, p.Output())
	}
}
