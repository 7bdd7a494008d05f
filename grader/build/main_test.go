package build

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
)

func TestMain(m *testing.M) {
	process.SuperviseIfAsked()
	os.Exit(m.Run())
}

const (
	solution = `package greeter

import "net/http"

// New returns the service.
func New() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("hello"))
	})
	return mux
}
`
	program = `package main

import (
	"fmt"
	"net/http"

	"github.com/cairn-learn/cairn/exercises/greeter"
)

func main() {
	var h http.Handler = greeter.New()
	fmt.Println("built", h != nil)
}
`
)

// files are the content of a learner's folder.
type files map[string]string

// submission lays a folder out and returns a request to build it.
func submission(t testing.TB, f files) Request {
	t.Helper()
	dir := t.TempDir()
	for name, content := range f {
		put(t, dir, name, content)
	}
	return Request{
		ID: "greeter", Dir: dir, Edit: []string{"greeter.go"},
		Given:    map[string][]byte{"program/main.go": []byte(program)},
		GoMod:    []byte("module " + Module + "\n\ngo 1.26.0\n"),
		CacheDir: t.TempDir(),
	}
}

func put(t testing.TB, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// make takes the snapshot and compiles it.
func (f files) build(t testing.TB) (*Binary, error) {
	t.Helper()
	return build(t, submission(t, f))
}

func build(t testing.TB, r Request) (*Binary, error) {
	t.Helper()
	s, err := Take(r)
	if err != nil {
		return nil, err
	}
	b, err := Compile(t.Context(), s, r)
	if err == nil {
		t.Cleanup(func() { b.Close() })
	}
	return b, err
}

// diagnostics gets them out of a refusal or a compile error.
func diagnostics(t testing.TB, err error) []report.Diagnostic {
	t.Helper()
	if refused := (*RefusedError)(nil); errors.As(err, &refused) {
		return refused.Diagnostics
	}
	if broken := (*CompileError)(nil); errors.As(err, &broken) {
		return broken.Diagnostics
	}
	t.Fatalf("no diagnostics in %v", err)
	return nil
}
