package signup

import (
	"errors"
	"fmt"
	"strings"
)

type team struct {
	ID      int64    `json:"id"`
	Name    string   `json:"name"`
	Email   string   `json:"email"`
	Club    string   `json:"club,omitempty"`
	Runners []runner `json:"runners"`
}

type runner struct {
	Name  string `json:"name"`
	Born  int    `json:"born"`
	Shirt string `json:"shirt"`
}

// check returns what is wrong with the team, nil when nothing is.
func (t team) check() error {
	if t.Name == "" {
		return errors.New("a Name is required")
	}
	if !strings.Contains(t.Email, "@") {
		return errors.New("the Email is invalid")
	}
	if len(t.Runners) < 2 {
		return errors.New("too few Runners")
	}
	for _, r := range t.Runners {
		if r.Born < 1920 || r.Born > 2012 {
			return fmt.Errorf("runner %q: Born is out of range", r.Name)
		}
	}
	return nil
}
