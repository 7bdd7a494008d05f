package exercises

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/exercises/internal/registry"
	"github.com/cairn-learn/cairn/grader/build"
)

func TestRegistryIsCurrent(t *testing.T) {
	want, err := registry.Generate(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(registry.File)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("exercises/registry.go is not what the folders say; run: go generate ./exercises")
	}
}

// TestNothingIsDropped compares what is embedded with what is on disk: go:embed
// leaves out dot files and folders with a go.mod without a word.
func TestNothingIsDropped(t *testing.T) {
	exercise := map[string]bool{"workspace": true}
	manifests, err := fs.Glob(os.DirFS("."), "*/"+manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range manifests {
		exercise[path.Dir(name)] = true
	}
	files := 0
	err = fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if top, _, deep := strings.Cut(name, "/"); !deep || !exercise[top] {
			return nil
		}
		files++
		want, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		got, err := FS.ReadFile(name)
		switch {
		case err != nil:
			t.Errorf("exercises/%s is on disk but not embedded", name)
		case !bytes.Equal(got, want):
			t.Errorf("exercises/%s is embedded with other content", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 3 {
		t.Errorf("only %d files were compared", files)
	}
}

func TestShippedExercises(t *testing.T) {
	c, err := Load(FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.All() {
		spec := e.Spec()
		if spec.Exam == nil {
			t.Errorf("exercise %s has no exam in the registry", e.ID)
			continue
		}
		if _, err := spec.Declare(); err != nil {
			t.Errorf("exercise %s: %v", e.ID, err)
		}
		if (spec.Fixture != nil) != (e.Postgres != nil) || (len(spec.Given) == 0) != (e.Kind == build.SQL || e.Kind == build.Workflow) || spec.Content == "" || len(spec.GoMod) == 0 || len(spec.GoSum) == 0 {
			t.Errorf("the spec of %s is not whole", e.ID)
		}
	}
}
