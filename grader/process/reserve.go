package process

import "sync"

// A binary with many dependencies takes its time before main begins: some ten
// milliseconds that a program need not wait for when its supervisor waits first.

var reserve reserved

type reserved struct {
	mu      sync.Mutex
	want    int
	waiting []*launched
	filling bool
}

// Reserve sees to it that n supervisors wait for a program, so that the next n
// calls of Start are faster. It returns at once; supervisors that cannot be
// started are trouble only of Start. Reserve(0) ends those that wait. They end
// with this process in any case.
func Reserve(n int) {
	if !supervisable.Load() {
		return
	}
	reserve.mu.Lock()
	defer reserve.mu.Unlock()
	reserve.want = n
	for len(reserve.waiting) > n {
		last := len(reserve.waiting) - 1
		reserve.waiting[last].abandon()
		reserve.waiting = reserve.waiting[:last]
	}
	if len(reserve.waiting) < n && !reserve.filling {
		reserve.filling = true
		go reserve.fill()
	}
}

// fill starts supervisors until there are enough.
func (r *reserved) fill() {
	for {
		l, err := spawn()
		r.mu.Lock()
		enough := len(r.waiting) >= r.want
		if err == nil && !enough {
			r.waiting = append(r.waiting, l)
			enough = len(r.waiting) >= r.want
		} else if err == nil {
			l.abandon()
		}
		if err != nil || enough {
			r.filling = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
	}
}

// take returns a supervisor that waits, and false when there is none.
func (r *reserved) take() (*launched, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return nil, false
	}
	l := r.waiting[0]
	r.waiting = r.waiting[1:]
	r.want-- // until Reserve asks again
	return l, true
}
