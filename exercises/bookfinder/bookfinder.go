// Package bookfinder looks for a book in all branches of a library. It stops as
// soon as nobody waits for it, and its errors can be told apart.
package bookfinder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Branch is one house of the library, with a catalogue at its URL.
type Branch struct{ Name, URL string }

// Copy is a book on a shelf.
type Copy struct {
	Branch string `json:"branch"`
	Shelf  string `json:"shelf"`
}

// ErrNotHeld says that every branch was asked, and none holds the book.
var ErrNotHeld = errors.New("no branch holds this book")

// BranchError is why one branch could not be asked.
type BranchError struct {
	Branch string
	Status int   // what it answered, if that was the trouble
	Err    error // the cause, if there is one
}

func (e *BranchError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("branch %s: answered %d", e.Branch, e.Status)
	}
	return fmt.Sprintf("branch %s: %v", e.Branch, e.Err)
}

// Unwrap returns the cause.
func (e *BranchError) Unwrap() error { return e.Err }

// Finder asks the branches.
type Finder struct {
	branches []Branch
	patience time.Duration
}

// New returns a Finder that gives the branches together this much time for a book.
func New(branches []Branch, patience time.Duration) *Finder {
	return &Finder{branches: branches, patience: patience}
}

// reply is what came of asking one branch.
type reply struct {
	found *Copy // nil when the branch does not hold the book
	err   error
}

// askAll asks every branch. All replies come, and nobody has to receive them.
func (f *Finder) askAll(ctx context.Context, isbn string) <-chan reply {
	replies := make(chan reply, len(f.branches))
	for _, b := range f.branches {
		go func() {
			found, err := ask(ctx, b, isbn)
			replies <- reply{found, err}
		}()
	}
	return replies
}

// Find returns the copies in all branches. Together with them it returns an error
// that wraps a *BranchError for each branch that failed. With no copy and no
// failure the error is ErrNotHeld.
func (f *Finder) Find(ctx context.Context, isbn string) ([]Copy, error) {
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	var copies []Copy
	var errs []error
	replies := f.askAll(ctx, isbn)
	for range f.branches {
		r := <-replies
		switch {
		case r.err != nil:
			errs = append(errs, r.err)
		case r.found != nil:
			copies = append(copies, *r.found)
		}
	}
	if len(copies) == 0 && len(errs) == 0 {
		return nil, fmt.Errorf("find %s: %w", isbn, ErrNotHeld)
	}
	return copies, errors.Join(errs...)
}

// First returns the copy that is found first and calls the other searches off.
// Its errors are those of Find.
func (f *Finder) First(ctx context.Context, isbn string) (Copy, error) {
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	var errs []error
	replies := f.askAll(ctx, isbn)
	for range f.branches {
		r := <-replies
		if r.found != nil {
			return *r.found, nil
		}
		if r.err != nil {
			errs = append(errs, r.err)
		}
	}
	if len(errs) == 0 {
		return Copy{}, fmt.Errorf("find %s: %w", isbn, ErrNotHeld)
	}
	return Copy{}, errors.Join(errs...)
}

// ask returns the copy of one branch, nil when it holds none. Its errors are
// *BranchError.
func ask(ctx context.Context, b Branch, isbn string) (*Copy, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+"/books/"+url.PathEscape(isbn), nil)
	if err != nil {
		return nil, &BranchError{Branch: b.Name, Err: err}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, &BranchError{Branch: b.Name, Err: err}
	}
	defer resp.Body.Close()
	// Read to the end, whatever the answer is: only then is the connection free
	// for the next call.
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return nil, &BranchError{Branch: b.Name, Err: err}
	case resp.StatusCode == http.StatusNotFound:
		return nil, nil
	case resp.StatusCode != http.StatusOK:
		return nil, &BranchError{Branch: b.Name, Status: resp.StatusCode}
	}
	found := &Copy{Branch: b.Name}
	if err := json.Unmarshal(body, found); err != nil {
		return nil, &BranchError{Branch: b.Name, Err: fmt.Errorf("garbled answer: %w", err)}
	}
	return found, nil
}
