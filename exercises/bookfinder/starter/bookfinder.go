// Package bookfinder looks for a book in all branches of a library.
package bookfinder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	return fmt.Sprintf("branch %s: status %d, %v", e.Branch, e.Status, e.Err)
}

// Finder asks the branches.
type Finder struct {
	branches []Branch
	patience time.Duration
}

// New returns a Finder that gives the branches together this much time for a book.
func New(branches []Branch, patience time.Duration) *Finder {
	return &Finder{branches: branches, patience: patience}
}

// Find returns the copies in all branches.
func (f *Finder) Find(ctx context.Context, isbn string) ([]Copy, error) {
	var copies []Copy
	for _, b := range f.branches {
		found, err := ask(b, isbn)
		if err != nil {
			return nil, fmt.Errorf("find %s: %v", isbn, err)
		}
		if found != nil {
			copies = append(copies, *found)
		}
	}
	if len(copies) == 0 {
		return nil, ErrNotHeld
	}
	return copies, nil
}

// First returns the copy that is found first.
func (f *Finder) First(ctx context.Context, isbn string) (Copy, error) {
	copies, err := f.Find(ctx, isbn)
	if err != nil {
		return Copy{}, err
	}
	return copies[0], nil
}

// ask returns the copy of one branch, nil when it holds none.
func ask(b Branch, isbn string) (*Copy, error) {
	resp, err := http.Get(b.URL + "/books/" + isbn)
	if err != nil {
		return nil, &BranchError{Branch: b.Name, Err: err}
	}
	if resp.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &BranchError{Branch: b.Name, Status: resp.StatusCode}
	}
	found := &Copy{Branch: b.Name}
	if err := json.NewDecoder(resp.Body).Decode(found); err != nil {
		return nil, &BranchError{Branch: b.Name, Err: fmt.Errorf("garbled answer: %v", err)}
	}
	return found, nil
}
