// Package bookfinder looks for a book in all branches of a library. Here each
// branch is a worker that lives as long as the program, the time is a timer's,
// and the failures are a type of their own.
package bookfinder

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type Branch struct{ Name, URL string }

type Copy struct {
	Branch string `json:"branch"`
	Shelf  string `json:"shelf"`
}

var ErrNotHeld = fmt.Errorf("no such book")

type BranchError struct {
	Branch string
	Status int
	Why    string
	cause  []error
}

func (e *BranchError) Error() string   { return e.Branch + ": " + e.Why }
func (e *BranchError) Unwrap() []error { return e.cause }

// Failures is every branch that failed.
type Failures []*BranchError

func (f Failures) Error() string {
	words := make([]string, len(f))
	for i, e := range f {
		words[i] = e.Error()
	}
	return strings.Join(words, ", ")
}

func (f Failures) Unwrap() []error {
	all := make([]error, len(f))
	for i, e := range f {
		all[i] = e
	}
	return all
}

// order is a search that a house has to make.
type order struct {
	ctx    context.Context // of the one search; the order lives no longer
	isbn   string
	result chan<- result
}

type result struct {
	shelf  string
	held   bool
	failed *BranchError
	from   string
}

type Finder struct {
	houses   []chan order
	patience time.Duration
}

func New(branches []Branch, patience time.Duration) *Finder {
	f := &Finder{patience: patience}
	for _, b := range branches {
		orders := make(chan order)
		go func() {
			for o := range orders {
				go func() { o.result <- b.serve(o.ctx, o.isbn) }()
			}
		}()
		f.houses = append(f.houses, orders)
	}
	return f
}

func (f *Finder) Find(ctx context.Context, isbn string) ([]Copy, error) {
	return f.search(ctx, isbn, len(f.houses))
}

func (f *Finder) First(ctx context.Context, isbn string) (Copy, error) {
	copies, err := f.search(ctx, isbn, 1)
	if len(copies) == 0 {
		return Copy{}, err
	}
	return copies[0], nil
}

func (f *Finder) search(ctx context.Context, isbn string, enough int) (copies []Copy, err error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	timer := time.AfterFunc(f.patience, func() { end(context.DeadlineExceeded) })
	defer timer.Stop()

	results := make(chan result, len(f.houses))
	for _, house := range f.houses {
		house <- order{ctx, isbn, results}
	}
	var failures Failures
	for range f.houses {
		r := <-results
		if r.failed != nil {
			failures = append(failures, r.failed)
		}
		if r.held {
			copies = append(copies, Copy{r.from, r.shelf})
		}
		if len(copies) == enough {
			break
		}
	}
	if failures != nil {
		return copies, fmt.Errorf("%s: %w", isbn, failures)
	}
	if copies == nil {
		return nil, fmt.Errorf("%s: %w", isbn, ErrNotHeld)
	}
	return copies, nil
}

func (b Branch) serve(ctx context.Context, isbn string) (r result) {
	r.from = b.Name
	failed := func(why string, status int, causes ...error) result {
		if cause := context.Cause(ctx); cause != nil {
			causes = append(causes, cause)
		}
		r.failed = &BranchError{b.Name, status, why, causes}
		return r
	}
	req, err := http.NewRequest("GET", b.URL+"/books/"+isbn, nil)
	if err != nil {
		return failed("cannot ask", 0, err)
	}
	resp, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		return failed("cannot be reached: "+err.Error(), 0, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return failed("broke off: "+err.Error(), 0, err)
	}
	switch resp.StatusCode {
	case 200:
		var page struct{ Shelf string }
		if err := json.Unmarshal(text, &page); err != nil {
			return failed("is garbled", 0, err)
		}
		r.shelf, r.held = page.Shelf, true
	case 404:
	default:
		return failed("answered "+resp.Status, resp.StatusCode)
	}
	return r
}
