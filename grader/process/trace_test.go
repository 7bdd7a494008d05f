package process

import (
	"strings"
	"testing"
)

const prefix = "github.com/cairn-learn/cairn/exercises"

func TestLearnerTrace(t *testing.T) {
	tests := []struct{ name, output, want string }{
		{"no trace", "listening\nbye\n", ""},
		{"panic in main", `listening
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
github.com/cairn-learn/cairn/exercises/lostupdate.(*Server).load(0xc00007e000, {0x1, 0x2})
	github.com/cairn-learn/cairn/exercises/lostupdate/lostupdate.go:42 +0x1d
main.main()
	github.com/cairn-learn/cairn/exercises/lostupdate/program/main.go:17 +0x85
exit status 2
`, `panic: runtime error: index out of range [5] with length 3

goroutine [running]:
    lostupdate.(*Server).load
        lostupdate/lostupdate.go:42
    main.main
        lostupdate/program/main.go:17`},
		{"recovered by net/http", `2026/01/02 03:04:05 http: panic serving 127.0.0.1:4711: no such account
goroutine 35 [running]:
net/http.(*conn).serve.func1()
    net/http/server.go:1947 +0xbe
panic({0x6b5d20?, 0x7f4a30?})
    runtime/panic.go:792 +0x132
github.com/cairn-learn/cairn/exercises/lostupdate.New.func1({0x7f6e18, 0xc0000f60e0}, 0xc0000fa000)
    github.com/cairn-learn/cairn/exercises/lostupdate/lostupdate.go:12 +0x25
net/http.HandlerFunc.ServeHTTP(0xc00007e000?, {0x7f6e18?, 0xc0000f60e0?}, 0x6b5d20?)
    net/http/server.go:2294 +0x29
created by net/http.(*Server).Serve in goroutine 1
    net/http/server.go:3454 +0x485
`, `2026/01/02 03:04:05 http: panic serving 127.0.0.1:4711: no such account

goroutine [running]:
    lostupdate.New.func1
        lostupdate/lostupdate.go:12`},
		{"nil pointer", `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47e1b2]

goroutine 1 [running]:
main.main()
	github.com/cairn-learn/cairn/exercises/x/program/main.go:5 +0x12
`, `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47e1b2]

goroutine [running]:
    main.main
        x/program/main.go:5`},
		{"dump", `SIGQUIT: quit
PC=0x4711 m=0 sigcode=0

goroutine 0 gp=0x7fa140 m=0 mp=0x7fb140 [idle]:
runtime.futex(0x7fb298, 0x80)
    runtime/sys_linux_amd64.s:569 +0x21 fp=0x7ffe sp=0x7ffe pc=0x4931a1

goroutine 18 gp=0x22e m=nil [sync.Mutex.Lock, 2 minutes]:
sync.(*Mutex).Lock(...)
    sync/mutex.go:46
github.com/cairn-learn/cairn/exercises/lostupdate.(*Server).withdraw(0xc000012345)
    github.com/cairn-learn/cairn/exercises/lostupdate/lostupdate.go:42 +0x1d fp=0x22e sp=0x22f pc=0x5b6f55
created by github.com/cairn-learn/cairn/exercises/lostupdate.New in goroutine 1
    github.com/cairn-learn/cairn/exercises/lostupdate/lostupdate.go:20 +0x33

goroutine 19 gp=0x22e m=nil [sync.Mutex.Lock]:
sync.(*Mutex).Lock(...)
    sync/mutex.go:46
github.com/cairn-learn/cairn/exercises/lostupdate.(*Server).withdraw(0xc000054321)
    github.com/cairn-learn/cairn/exercises/lostupdate/lostupdate.go:42 +0x1d fp=0x23e sp=0x23f pc=0x5b6f55
created by github.com/cairn-learn/cairn/exercises/lostupdate.New in goroutine 1
    github.com/cairn-learn/cairn/exercises/lostupdate/lostupdate.go:20 +0x33

rax    0x0
rip    0x4711
`, `SIGQUIT: quit

2 goroutines [sync.Mutex.Lock]:
    lostupdate.(*Server).withdraw
        lostupdate/lostupdate.go:42
    lostupdate.New
        lostupdate/lostupdate.go:20`},
		{"outside the learner's code", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select (no cases)]:\nruntime.block()\n\truntime/select.go:104\n", "fatal error: all goroutines are asleep - deadlock!"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := LearnerTrace(test.output, prefix); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestLearnerTraceIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("fatal error: stack overflow\n\n")
	for i := range 100 {
		b.WriteString("goroutine 1 [running]:\n")
		for j := range 100 {
			b.WriteString("lostupdate.f()\n\t" + prefix + "/lostupdate/f" + strings.Repeat("x", i) + ".go:" + strings.Repeat("1", j%5+1) + "\n")
		}
		b.WriteString("\n")
	}
	got := LearnerTrace(b.String(), prefix)
	if lines := strings.Count(got, "\n"); lines > traceGoroutines*(2*traceFrames+3)+5 || !strings.Contains(got, "… 88 frames more") || !strings.Contains(got, "… and 92 goroutines more") {
		t.Errorf("%d lines:\n%s", lines, got)
	}
}
