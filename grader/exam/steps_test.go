package exam

import (
	"context"
	"testing"
)

func TestSteps(t *testing.T) {
	s := newSteps(&C{ctx: context.Background()})
	p := &Pending{done: make(chan struct{})}
	open := make(chan struct{})
	went := make(chan int, 3)
	go func() {
		s.hold(open)
		went <- 1
		s.hold(open)
		went <- 2
		close(p.done)
	}()
	if !s.Next(p) {
		t.Fatal("the first answer was not held")
	}
	if len(went) != 0 {
		t.Error("an answer went while the check looked")
	}
	if !s.Next(p) {
		t.Fatal("the second answer was not held")
	}
	if n := <-went; n != 1 {
		t.Errorf("answer %d went first", n)
	}
	if s.Next(p) {
		t.Error("a step after the request was answered")
	}
	s.Stop()
	s.Stop()
	s.hold(open) // keeps nobody any more
	if s.Next(&Pending{done: make(chan struct{})}) {
		t.Error("a step after the end")
	}
}

// TestStepsEndWithTheSession: whoever is killed while held holds up nobody.
func TestStepsEndWithTheSession(t *testing.T) {
	s := newSteps(&C{ctx: context.Background()})
	p := &Pending{done: make(chan struct{})}
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		s.hold(ended)
		close(gone)
	}()
	if !s.Next(p) {
		t.Fatal("the answer was not held")
	}
	close(ended)
	<-gone
	s.hold(ended)
}
