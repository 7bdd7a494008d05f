package exam

import (
	"bytes"
	"go/format"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestDraw holds that only the unformatted repository is unformatted, that defects leave everything
// else alone, and that every place of a defect is drawn.
func TestDraw(t *testing.T) {
	for d := range places {
		seen := map[string]bool{}
		for seed := range uint64(200) {
			n := drawNames(rand.New(rand.NewPCG(seed, 1)), d)
			seen[n.Place] = true
			repo := draw(d)(rand.New(rand.NewPCG(seed, 1)))
			var odd []string
			for name, data := range repo.Files {
				if path.Ext(name) != ".go" {
					continue
				}
				neat, err := format.Source(data)
				if err != nil {
					t.Fatalf("%s %s, seed %d, %s: %v\n%s", d, n.Place, seed, name, err, data)
				}
				if !bytes.Equal(neat, data) {
					odd = append(odd, name)
				}
			}
			if (d == unformatted) != (len(odd) == 1) {
				t.Fatalf("%s %s, seed %d: unformatted are %v", d, n.Place, seed, odd)
			}
			if strings.Contains(string(repo.Files["go.mod"]), "<no value>") || len(repo.Files) != 12 {
				t.Fatalf("%s: %v", d, slices.Sorted(maps.Keys(repo.Files)))
			}
		}
		if len(seen) != len(places[d]) {
			t.Errorf("of %s only %v were drawn", d, seen)
		}
	}
}

// TestSame holds that a seed makes the same repository again, and another one another.
func TestSame(t *testing.T) {
	one, again, other := draw(good)(rand.New(rand.NewPCG(1, 1))), draw(good)(rand.New(rand.NewPCG(1, 1))), draw(good)(rand.New(rand.NewPCG(2, 1)))
	if !maps.EqualFunc(one.Files, again.Files, bytes.Equal) || !maps.EqualFunc(one.Modules, again.Modules, bytes.Equal) {
		t.Error("one seed makes two repositories")
	}
	if maps.EqualFunc(one.Files, other.Files, bytes.Equal) {
		t.Error("two seeds make one repository")
	}
}
