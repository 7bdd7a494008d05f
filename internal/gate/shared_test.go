package gate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
)

// counting is a grader whose grades take a second each. It notes how many there were at once.
type counting struct {
	mu        sync.Mutex
	now, most int
}

func (c *counting) Grade(context.Context, grader.Submission, func(grader.Event)) (grader.Report, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	time.Sleep(time.Second)
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return grader.Report{}, nil
}

func TestShared(t *testing.T) {
	for name, c := range map[string]struct {
		sub  grader.Submission
		most int
		took time.Duration
	}{
		"programs mostly wait":                {grader.Submission{Exercise: grader.Exercise{Kind: build.Program}}, 6, 2 * time.Second},
		"the race detector builds everything": {grader.Submission{Race: true}, 1, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counting := &counting{}
				shared := Share(counting, 4)
				began := time.Now()
				var all sync.WaitGroup
				for range 12 {
					all.Go(func() {
						if _, err := shared.Grade(t.Context(), c.sub, nil); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if took := time.Since(began); counting.most != c.most || took != c.took {
					t.Errorf("at most %d at once, %s; want %d, %s", counting.most, took, c.most, c.took)
				}
			})
		})
	}
}

// TestSharedWaitsNoLonger ends the context of one that waits for its place.
func TestSharedWaitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := Share(&counting{}, 1)
		for range places(1) {
			go func() { _, _ = shared.Grade(t.Context(), grader.Submission{}, nil) }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := shared.Grade(ctx, grader.Submission{}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(2 * time.Second)
	})
}
