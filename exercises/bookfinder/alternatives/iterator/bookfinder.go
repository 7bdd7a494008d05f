// Package bookfinder looks for a book in all branches of a library. Here a search
// is an iterator over answers: whoever leaves its loop ends the search.
package bookfinder

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"strconv"
	"sync"
	"time"
)

type Branch struct{ Name, URL string }

type Copy struct {
	Branch string `json:"branch"`
	Shelf  string `json:"shelf"`
}

type notHeld struct{}

func (notHeld) Error() string { return "the book is not held" }

var ErrNotHeld error = notHeld{}

// BranchError embeds its cause, and so has its Error method.
type BranchError struct {
	Branch string
	Status int
	error
}

func (e *BranchError) Unwrap() error { return e.error }

// status is an answer that is neither a copy nor a 404.
type status int

func (s status) Error() string { return "answered " + strconv.Itoa(int(s)) }

type Finder struct {
	search func(ctx context.Context, isbn string) iter.Seq2[Copy, error]
}

func New(branches []Branch, patience time.Duration) *Finder {
	return &Finder{search: func(ctx context.Context, isbn string) iter.Seq2[Copy, error] {
		return func(yield func(Copy, error) bool) {
			var running sync.WaitGroup
			defer running.Wait()
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			type answer struct {
				copy Copy
				err  error
			}
			answers := make(chan answer)
			for _, b := range branches {
				running.Go(func() {
					c, err := b.ask(ctx, isbn)
					select {
					case answers <- answer{c, err}:
					case <-ctx.Done(): // whoever still listens hears of it below
					}
				})
			}
			waiting := map[string]bool{}
			for _, b := range branches {
				waiting[b.Name] = true
			}
			for len(waiting) > 0 {
				select {
				case a := <-answers:
					var failed *BranchError
					if errors.As(a.err, &failed) {
						delete(waiting, failed.Branch)
					} else {
						delete(waiting, a.copy.Branch)
					}
					if !yield(a.copy, a.err) {
						return
					}
				case <-ctx.Done():
					for name := range waiting {
						if !yield(Copy{}, &BranchError{Branch: name, error: ctx.Err()}) {
							return
						}
					}
					return
				}
			}
		}
	}}
}

func (f *Finder) Find(ctx context.Context, isbn string) (copies []Copy, err error) {
	for c, failure := range f.search(ctx, isbn) {
		switch {
		case failure == nil:
			copies = append(copies, c)
		case !errors.Is(failure, ErrNotHeld):
			err = errors.Join(err, failure)
		}
	}
	if copies == nil && err == nil {
		return nil, ErrNotHeld
	}
	return copies, err
}

func (f *Finder) First(ctx context.Context, isbn string) (Copy, error) {
	var err error
	for c, failure := range f.search(ctx, isbn) {
		if failure == nil {
			return c, nil
		}
		if !errors.Is(failure, ErrNotHeld) {
			err = errors.Join(err, failure)
		}
	}
	if err == nil {
		err = ErrNotHeld
	}
	return Copy{}, err
}

func (b Branch) ask(ctx context.Context, isbn string) (Copy, error) {
	c := Copy{Branch: b.Name}
	fail := func(err error) (Copy, error) {
		e := &BranchError{Branch: b.Name, error: err}
		if s, ok := err.(status); ok {
			e.Status = int(s)
		}
		return c, e
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+"/books/"+isbn, nil)
	if err != nil {
		return fail(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fail(err)
	}
	page, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return fail(err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		if err := json.Unmarshal(page, &c); err != nil {
			return fail(err)
		}
		return c, nil
	case http.StatusNotFound:
		return c, ErrNotHeld
	default:
		return fail(status(resp.StatusCode))
	}
}
