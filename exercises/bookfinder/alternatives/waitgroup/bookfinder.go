// Package bookfinder looks for a book in all branches of a library. Here the
// searches share one record under a mutex, and the first find ends their context
// with a cause.
package bookfinder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

type Branch struct{ Name, URL string }

type Copy struct {
	Branch string `json:"branch"`
	Shelf  string `json:"shelf"`
}

// Why a search has no copy, or has been ended.
var (
	ErrNotHeld = errors.New("not held")
	errEnough  = errors.New("a copy has been found")
)

type BranchError struct {
	Branch string
	Status int
	cause  error
}

func (e *BranchError) Unwrap() error { return e.cause }

func (e *BranchError) Error() string {
	return fmt.Sprint(e.Branch, ": ", e.cause)
}

type Finder struct {
	branches []Branch
	patience time.Duration
	http     *http.Client
}

func New(branches []Branch, patience time.Duration) *Finder {
	return &Finder{branches, patience, &http.Client{Transport: &http.Transport{}}}
}

// record is what is known of one book so far.
type record struct {
	sync.Mutex
	copies   []Copy
	failures []error
}

func (r *record) note(c *Copy, err error) {
	r.Lock()
	defer r.Unlock()
	if c != nil {
		r.copies = append(r.copies, *c)
	}
	if err != nil {
		r.failures = append(r.failures, err)
	}
}

func (r *record) err() error {
	if len(r.copies)+len(r.failures) == 0 {
		return ErrNotHeld
	}
	return errors.Join(r.failures...)
}

// search asks all branches, and returns when each has answered or has been given
// up. It is over with the first copy if one is enough.
func (f *Finder) search(ctx context.Context, isbn string, oneIsEnough bool) *record {
	ctx, stop := context.WithTimeout(ctx, f.patience)
	defer stop()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var r record
	var searches sync.WaitGroup
	for _, b := range f.branches {
		searches.Go(func() {
			c, err := f.look(ctx, b, isbn)
			if errors.Is(context.Cause(ctx), errEnough) && c == nil {
				return // it was called off, which is no failure
			}
			r.note(c, err)
			if c != nil && oneIsEnough {
				end(errEnough)
			}
		})
	}
	searches.Wait()
	return &r
}

func (f *Finder) Find(ctx context.Context, isbn string) ([]Copy, error) {
	r := f.search(ctx, isbn, false)
	return r.copies, r.err()
}

func (f *Finder) First(ctx context.Context, isbn string) (Copy, error) {
	r := f.search(ctx, isbn, true)
	if len(r.copies) > 0 {
		return r.copies[0], nil
	}
	return Copy{}, r.err()
}

func (f *Finder) look(ctx context.Context, b Branch, isbn string) (c *Copy, err error) {
	failed := &BranchError{Branch: b.Name}
	defer func() {
		if failed.cause = err; err != nil {
			err = failed
		}
	}()
	req, err := http.NewRequestWithContext(ctx, "GET", b.URL+"/books/"+isbn, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	_, err = io.Copy(&page, resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if resp.StatusCode != http.StatusOK {
		failed.Status = resp.StatusCode
		return nil, errors.New("HTTP " + resp.Status)
	}
	c = &Copy{Branch: b.Name}
	if err := json.NewDecoder(&page).Decode(c); err != nil {
		return nil, err
	}
	return c, nil
}
