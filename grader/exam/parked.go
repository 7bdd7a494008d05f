package exam

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
)

// parkedEvery is how often a program is asked for its goroutines while it has
// more of them than it should.
const parkedEvery = 20 * time.Millisecond

// Parked are the goroutines of a program at one moment that have to do with the
// learner's code: they run in it, or were started by it.
type Parked struct{ stacks []process.Stack }

// Parked asks the program for its goroutines, at /debug/pprof/goroutine, which
// the program has to serve. Unlike Goroutines it leaves the program running. The
// check fails when no answer comes.
func (i *Instance) Parked() Parked {
	dump, err := i.profile()
	if err != nil {
		i.c.Fail(Finding{Did: "GET /debug/pprof/goroutine?debug=2", Expected: "the program's goroutines", Saw: transportError(err)})
	}
	return Parked{process.LearnerStacks(dump, learnerModule)}
}

func (i *Instance) profile() (string, error) {
	ctx, cancel := context.WithTimeout(i.c.ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.base()+"/debug/pprof/goroutine?debug=2", nil)
	if err != nil {
		return "", err
	}
	req.Close = true // a connection that stays open would be one more goroutine
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it answered %s", resp.Status)
	}
	dump, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return string(dump), err
}

// LeftOver waits until the program has no more goroutines than before, at most d,
// and returns those that are too many: none when it came to rest.
func (i *Instance) LeftOver(before Parked, d time.Duration) Parked {
	end := time.Now().Add(d)
	for {
		now := i.Parked()
		if now.Count() <= before.Count() {
			return Parked{}
		}
		if !time.Now().Before(end) {
			return now.without(before)
		}
		select {
		case <-time.After(parkedEvery):
		case <-i.c.ctx.Done():
			return now.without(before)
		}
	}
}

// Count is how many goroutines there are.
func (p Parked) Count() int {
	n := 0
	for _, s := range p.stacks {
		n += s.Count
	}
	return n
}

// without removes goroutines that look like those in before.
func (p Parked) without(before Parked) Parked {
	known := map[string]int{}
	for _, s := range before.stacks {
		known[fmt.Sprint(s.State, s.Frames)] += s.Count
	}
	var left Parked
	for _, s := range p.stacks {
		s.Count -= known[fmt.Sprint(s.State, s.Frames)]
		if s.Count > 0 {
			left.stacks = append(left.stacks, s)
		}
	}
	return left
}

// String says where the goroutines stand, those at the most crowded place first:
// "4 goroutines at bookfinder.go:88 (chan send)".
func (p Parked) String() string {
	places, count := []string{}, map[string]int{}
	for _, s := range p.stacks {
		file := s.Frames[0].Place
		place := fmt.Sprintf("%s (%s)", file[strings.LastIndexByte(file, '/')+1:], s.State)
		if count[place] == 0 {
			places = append(places, place)
		}
		count[place] += s.Count
	}
	slices.SortStableFunc(places, func(a, b string) int { return count[b] - count[a] })
	for i, place := range places {
		noun := "goroutines"
		if count[place] == 1 {
			noun = "goroutine"
		}
		places[i] = fmt.Sprintf("%d %s at %s", count[place], noun, place)
	}
	return strings.Join(places, ", ")
}

// Detail is the goroutines with their traces, for a Finding's Detail.
func (p Parked) Detail() string { return process.ShowStacks(p.stacks) }
