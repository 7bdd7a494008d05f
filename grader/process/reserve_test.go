package process

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"testing"
	"time"
)

// reserveAndWait returns when n supervisors wait.
func reserveAndWait(t testing.TB, n int) {
	t.Helper()
	Reserve(n)
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		reserve.mu.Lock()
		waiting, filling := len(reserve.waiting), reserve.filling
		reserve.mu.Unlock()
		if waiting == n && !filling {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d supervisors wait, want %d", waiting, n)
		}
	}
}

func TestReserve(t *testing.T) {
	over(t, start(t, spec(t, "hello")))
	files := openFiles(t)
	reserveAndWait(t, 2)
	reserve.mu.Lock()
	waiting := []*os.Process{reserve.waiting[0].supervisor, reserve.waiting[1].supervisor}
	reserve.mu.Unlock()
	if err := waiting[0].Kill(); err != nil { // a dead one must not matter
		t.Fatal(err)
	}
	p := start(t, spec(t, "exit"))
	if e := over(t, p); e.Code != 7 || p.supervisor != waiting[1] {
		t.Errorf("exit %+v, supervisor %d, want %d", e, p.supervisor.Pid, waiting[1].Pid)
	}
	reserveAndWait(t, 1)
	if _, err := Start(t.Context(), Spec{Path: "/no/such/program"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	reserveAndWait(t, 3)
	reserveAndWait(t, 0)
	if got := openFiles(t); got > files {
		t.Errorf("%d open files, %d before", got, files)
	}
}

func BenchmarkStartWithReserve(b *testing.B) {
	s := spec(b, "hello")
	for b.Loop() {
		b.StopTimer()
		reserveAndWait(b, 1)
		b.StartTimer()
		first := make(chan bool, 2)
		s.OnLine = func(Line) { first <- true }
		p, err := Start(b.Context(), s)
		if err != nil {
			b.Fatal(err)
		}
		<-first
		b.StopTimer()
		<-p.Done()
		b.StartTimer()
	}
	Reserve(0)
}
