package exam

import "testing"

const dump = `--- FAIL: TestFind (0.00s)
    refill_test.go:90: no key
panic: test timed out after 5s
    running tests:
        TestHanging (5s)

goroutine 15 [running]:
testing.(*M).startAlarm.func1()
    testing/testing.go:2802 +0x354
created by time.goFunc
    time/sleep.go:215 +0x2d

goroutine 1 [chan receive]:
testing.(*T).Run(0x3b74033c6908, {0x7f91a1?, 0x0?}, 0x815948)
    testing/testing.go:2109 +0x4e5
main.main()
    _testmain.go:58 +0x9b

goroutine 7 [chan receive]:
testing.(*T).Run(0x3b74033c6908, {0x7f91a1?, 0x0?}, 0x815948)
    testing/testing.go:2109 +0x4e5
github.com/cairn-learn/cairn/exercises/abcdef_test.TestOuter(0x3b74033c6908)
    github.com/cairn-learn/cairn/exercises/abcdef/refill_test.go:70 +0x9b

goroutine 8 [sync.WaitGroup.Wait]:
sync.runtime_SemacquireWaitGroup(0x0?, 0x40?)
    runtime/sema.go:114 +0x2e
sync.(*WaitGroup).Wait(0x143baa2540d0)
    sync/waitgroup.go:206 +0x85
net/http/httptest.(*Server).Close(0x143baa254090)
    net/http/httptest/server.go:268 +0x29e
github.com/cairn-learn/cairn/exercises/abcdef_test.TestHanging(0x143baa320488)
    github.com/cairn-learn/cairn/exercises/abcdef/refill_test.go:97 +0x24c
testing.tRunner(0x143baa320488, 0x815930)
    testing/testing.go:2036 +0xea
created by testing.(*T).Run in goroutine 1
    testing/testing.go:2101 +0x4c5

goroutine 20 [select (no cases)]:
github.com/cairn-learn/cairn/exercises/abcdef_test.TestHanging.func1({0x8ad7e0?, 0x0?}, 0x0?)
    github.com/cairn-learn/cairn/exercises/abcdef/refill_test.go:88 +0x9
net/http.HandlerFunc.ServeHTTP(0x0?, {0x8ad7e0?, 0x0?}, 0x0?)
    net/http/server.go:2286 +0x29
`

func TestTimedOut(t *testing.T) {
	const want = "TestHanging was running\nrefill_test.go:88, in select (no cases)\nrefill_test.go:97, in httptest.(*Server).Close"
	if late, places := timedOut(dump); !late || places != want {
		t.Errorf("%v\n%s", late, places)
	}
	if late, _ := timedOut("--- FAIL: TestFind (0.00s)\nFAIL\n"); late {
		t.Error("a failure is no delay")
	}
}

func TestEnd(t *testing.T) {
	const want = "--- FAIL: TestFind (0.00s)\n    refill_test.go:90: no key\npanic: test timed out after 5s\n" +
		"    running tests:\n        TestHanging (5s)\n\n    refill_test.go:70\n    refill_test.go:97\n    refill_test.go:88"
	if got := end(dump); got != want {
		t.Errorf("%s", got)
	}
	if got := end("a\nb\n"); got != "a\nb" {
		t.Errorf("%q", got)
	}
}
